import cProfile, pstats, time, os
from odoo.tests import tagged
from .common import NoemieCommon, DAY
from odoo.addons.health_billing.tools import euros


@tagged("post_install", "-at_install")
class TestBench(NoemieCommon):
    def many(self, count, first):
        cls = self
        fses = (
            self.env["health.fse"]
            .with_context(tracking_disable=True)
            .create(
                [
                    {
                        "name": f"{first + n:09d}",
                        "origin": "journal",
                        "company_id": self.nurse.id,
                        "patient_id": self.patient.id,
                        "fse_date": "2026-10-05",
                        "sent_on": "2026-10-05",
                        "lot_no": "001",
                        "amo_partner_id": self.cpam.id,
                        "amo_org": "019990000",
                        "amount_total": 60.0,
                    }
                    for n in range(count)
                ]
            )
        )
        shares = self.env["health.share"].create(
            [
                {
                    "fse_id": f.id,
                    "debtor_kind": "amo",
                    "partner_id": self.cpam.id,
                    "amount": 60.0,
                    "due_date": "2026-11-05",
                }
                for f in fses
            ]
        )
        shares._post_invoices()
        return fses

    def test_bench(self):
        first = 1000
        self._check_rights(self.patient, __import__("datetime").date(2026, 10, 5))
        out = open("/tmp/e_bench/out.txt", "a")
        for count in [int(x) for x in open("/tmp/e_bench/sizes").read().split()]:
            t = time.time()
            fses = self.many(count, first)
            made = time.time() - t
            ref = f"2628{first:08d}"
            t = time.time()
            per = 200
            stl = [
                self.settlement(
                    *(self.paid(f.name, amo=6000) for f in fses[i : i + per]),
                    ref=f"2628{first + i:08d}",
                )
                for i in range(0, count, per)
            ]
            self.drop(self.noemie(*stl, file_id=f"F{count:05d}"))
            read = time.time() - t
            self.env.flush_all()
            self.env.invalidate_all()
            statement = self.camt(
                *(
                    self.entry(6000 * len(fses[i : i + per]), f"VIR 2628{first + i:08d}")
                    for i in range(0, count, per)
                ),
                number=f"ST{first}",
            )
            q = self.env.cr.sql_log_count
            profile = cProfile.Profile() if os.path.exists("/tmp/e_bench/prof") else None
            t = time.time()
            c = time.process_time()
            if profile:
                profile.enable()
            self.drop(statement)
            self.env.flush_all()
            if profile:
                profile.disable()
            book = time.time() - t
            out.write(
                f"{count}: made {made:.1f} read {read:.1f} book {book:.2f} ({1000 * book / count:.2f} s/1000) cpu {time.process_time() - c:.2f} queries {self.env.cr.sql_log_count - q}\n"
            )
            out.flush()
            self.assertEqual(set(fses.share_ids.mapped("state")), {"paid"})
            if profile:
                st = pstats.Stats(profile, stream=out)
                st.sort_stats("cumulative").print_stats(70)
            first += count + 100000
            self.env.invalidate_all()
