import base64
from datetime import date

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from odoo.addons.health_billing.tools import cents

from ..norms import b2
from .common import DAY, SesamCommon


@tagged("post_install", "-at_install")
class TestLot(SesamCommon):
    def test_one_lot_per_practitioner_payer_and_kind(self):
        fund = self.env["res.partner"]._health_payers("amo", ["02888"])["02888"]
        other = self.make_patient(self.physio, "PETIT Jean", "1990199999002")
        self.unsent("1", "2")
        self.unsent("3", kind="B")
        self.unsent("4", amo_partner_id=fund.id, amo_org="028880000")
        self.unsent("5", company=self.physio, patient_id=other.id)
        paper = self.unsent("6", kind="P")
        lots = self.build()
        self.assertEqual(
            sorted(
                (lot.company_id.name, lot.payer_id.name, lot.kind, lot.fse_count) for lot in lots
            ),
            sorted(
                [
                    ("Nurse Test", "CPAM Test", "F", 2),
                    ("Nurse Test", "CPAM Test", "B", 1),
                    ("Nurse Test", fund.name, "F", 1),
                    ("Physio Test", "CPAM Test", "F", 1),
                ]
            ),
        )
        nurse = lots.filtered(lambda lot: lot.company_id == self.nurse)
        self.assertEqual(sorted(nurse.mapped("name")), ["001", "002", "003"])
        self.assertFalse(paper.lot_id)
        self.assertEqual(set(lots.mapped("state")), {"ready"})

    def test_totals_and_file_say_the_same(self):
        fses = self.unsent("11", "12", amo=1234, amc=567, patient=99)
        lot = self.build()
        self.assertEqual(lot.fse_ids, fses)
        self.assertEqual(
            (cents(lot.amount_total), cents(lot.amount_amo), cents(lot.amount_amc)),
            (3800, 2468, 1134),
        )
        self.assertTrue(lot.b2_checked)
        file = b2.read(base64.b64decode(lot.b2_file))
        [read] = file.lots
        self.assertEqual(
            (read.lot_no, read.lot_date, read.provider_id),
            ("001", DAY, self.nurse.health_provider_no),
        )
        self.assertEqual((read.total_fee, read.total_amo, read.total_amc), (3800, 2468, 1134))
        claim = read.invoices[0]
        self.assertEqual(
            (
                claim.nir,
                claim.invoice_no,
                claim.regime,
                claim.caisse,
                claim.payee_mode,
                claim.birth_date,
            ),
            ("2990199999001", "000000011", "01", "999", "15", date(1999, 1, 1)),
        )
        [act] = claim.acts
        self.assertEqual(
            (
                act.key_letter,
                act.coefficient_hundredths,
                act.unit_price,
                act.fee,
                act.performer_spec,
            ),
            ("AMI", 400, 315, 1900, "24"),
        )
        self.assertEqual(read.certification, "")

    def test_numbers_grow_and_start_again(self):
        self.make_fse(self.nurse, "1", amo=100, lot_no="998", sent_on=date(2026, 10, 1))
        self.unsent("2")
        self.unsent("3", kind="B")
        lots = self.build()
        self.assertEqual(lots.mapped("name"), ["999", "001"])
        self.unsent("4")
        self.assertEqual(self.build()[-1].name, "002")

    def test_ceilings_are_data(self):
        self.env.ref("health_sesam.parameter_lot_max_fse").value = 2
        self.unsent(*map(str, range(1, 6)))
        self.assertEqual(self.build().mapped("fse_count"), [2, 2, 1])
        self.env.ref("health_sesam.parameter_lot_max_fse").value = 999
        # Four records around, three per FSE: two FSE fit in ten.
        self.env.ref("health_sesam.parameter_lot_max_records").value = 10
        self.unsent(*map(str, range(6, 9)))
        self.assertEqual(self.build()[3:].mapped("fse_count"), [2, 1])

    def test_lots_of_some_fse_only(self):
        """Corrected FSE go into a lot at once; the others wait for the night."""
        corrected = self.unsent("1", "2")
        other = self.unsent("3")
        sent = self.make_fse(self.nurse, "4", amo=100)
        lots, left_out = self.Lot._build(self.nurse, DAY, fses=corrected[0] + sent)
        self.assertEqual((lots.fse_ids, lots.state), (corrected[0], "ready"))
        self.assertFalse(left_out)
        self.assertFalse((corrected[1] + other).lot_id)
        nothing, left_out = self.Lot._build(self.nurse, DAY, fses=self.env["health.fse"])
        self.assertFalse(nothing + left_out.lot_id)
        self.assertEqual(self.Lot._build(self.nurse, DAY)[0].fse_ids, corrected[1] + other)

    def test_an_fse_to_validate_goes_into_no_lot(self):
        self.env["health.fse"].create(
            {
                "company_id": self.nurse.id,
                "patient_id": self.patient.id,
                "amo_partner_id": self.cpam.id,
                "amo_org": "019990000",
                "act_ids": [
                    (0, 0, {"act_date": DAY, "key_letter": "AMI", "coefficient_hundredths": 400})
                ],
            }
        )
        self.build()
        self.assertFalse(self.Lot.search([]))

    def test_running_again_changes_nothing(self):
        self.unsent("1", "2")
        self.make_fse(self.nurse, "3", amo=100)
        self.build()
        before = [(lot.id, lot.name, lot.state, lot.fse_count) for lot in self.Lot.search([])]
        report = self.env["health.cycle"].run(DAY).report
        self.assertIn("nothing new to send", report)
        self.assertEqual(
            [(lot.id, lot.name, lot.state, lot.fse_count) for lot in self.Lot.search([])], before
        )

    def test_an_fse_that_cannot_be_written_holds_nobody_back(self):
        good = self.unsent("1")
        letters = self.unsent("ABC1")
        prescriber = self.unsent("2", prescriber_no="12X")
        nobody = self.env["res.partner"].create(
            {"name": "X", "health_kind": "patient", "company_id": self.nurse.id}
        )
        nameless = self.unsent("3", patient_id=nobody.id)
        lot = self.build()
        self.assertEqual(lot.fse_ids, good)
        self.assertIn("invoice_no", letters.lot_issue)
        self.assertIn("12X", prescriber.lot_issue)
        self.assertIn("NIR", nameless.lot_issue)
        self.assertFalse(good.lot_issue)
        prescriber.prescriber_no = "10101010104"
        lots = self.build()
        self.assertEqual(lots[1].fse_ids, prescriber)
        self.assertFalse(prescriber.lot_issue)
        [claim] = b2.read(base64.b64decode(lots[1].b2_file)).lots[0].invoices
        self.assertEqual(claim.prescriber_rpps, "10101010104")

    def test_a_dre_goes_to_the_insurer(self):
        self.unsent("1", kind="D", amo=0, patient=0)
        lot = self.build()
        self.assertEqual((lot.kind, lot.payer_id), ("D", self.mutuelle))
        file = b2.read(base64.b64decode(lot.b2_file))
        self.assertEqual((file.dest_type, file.dest_no), ("OC", "00000099999999"))

    def test_mark_as_sent(self):
        fses = self.unsent("1", "2")
        self.assertEqual(set(fses.mapped("state")), {"to_send"})
        lot = self.build()
        self.assertEqual(set(fses.mapped("state")), {"to_send"})
        lot.action_mark_sent()
        self.assertEqual(lot.state, "sent")
        self.assertTrue(lot.sent_on)
        self.assertEqual(set(fses.mapped("lot_no")), {"001"})
        self.assertEqual(set(fses.mapped("sent_on")), {lot.sent_on})
        self.assertEqual(set(fses.mapped("state")), {"sent"})
        with self.assertRaisesRegex(UserError, "cannot be marked as sent"):
            lot.action_mark_sent()

    def test_an_fse_leaves_a_lot_that_waits(self):
        one, two = self.unsent("31", "32")
        lot = self.build()
        one.action_leave_lot()
        self.assertEqual((one.lot_id, lot.fse_ids), (self.Lot, two))
        [read] = b2.read(base64.b64decode(lot.with_context(bin_size=False).b2_file)).lots
        self.assertEqual([claim.invoice_no.lstrip("0") for claim in read.invoices], ["32"])
        two.action_leave_lot()
        self.assertFalse(lot.exists(), "an empty lot goes")
        lot = self.build()
        lot.action_mark_sent()
        with self.assertRaisesRegex(UserError, "left already"):
            two.action_leave_lot()

    def test_a_corrected_fse_never_leaves_again_with_its_lot(self):
        one, two = self.unsent("33", "34")
        lot = self.build()
        lot.action_mark_sent()
        self.env["health.arl"].create(
            {
                "company_id": self.nurse.id,
                "lot_id": lot.id,
                "lot_no": lot.name,
                "result": "negative",
                "date": DAY,
            }
        )
        self.assertEqual(lot.state, "refused")
        new = one._correct()
        self.assertEqual(one.state, "replaced")
        self.assertIn(one.name, lot._may_not_leave(again=True)[lot])
        lot.action_write_file()
        self.assertEqual(lot.fse_ids, two)
        [read] = b2.read(base64.b64decode(lot.with_context(bin_size=False).b2_file)).lots
        self.assertEqual([claim.invoice_no.lstrip("0") for claim in read.invoices], ["34"])
        self.assertFalse(new.lot_id)

    def test_dump_names_the_records(self):
        self.unsent("1")
        dump = self.build().b2_dump
        for label in ("En-tête de lot", "En-tête de facture", "Fin de fichier"):
            self.assertIn(label, dump)
        self.assertEqual(dump.count("<tr>"), 7)

    def test_form_shows_a_lot(self):
        self.unsent("1")
        with Form(self.build()) as form:
            self.assertEqual(form.state, "ready")
            self.assertEqual(form.fse_count, 1)

    def test_sent_fse_of_the_journal_become_lots(self):
        rows = [
            {"fse_no": "1"},
            {"fse_no": "2"},
            {"fse_no": "3", "lot_no": "002"},
            {"fse_no": "4", "sent_on": ""},
        ]
        self.ingest("j.csv", self.journal(*rows))
        lots = self.Lot.search([("company_id", "=", self.nurse.id)], order="name")
        self.assertEqual(lots.mapped("name"), ["001", "002"])
        self.assertEqual(lots.mapped("state"), ["sent", "sent"])
        self.assertEqual(lots.mapped("fse_count"), [2, 1])
        self.assertEqual(set(lots.mapped("origin")), {"journal"})
        # More FSE of a lot that is known join it.
        self.ingest("k.csv", self.journal({"fse_no": "5"}))
        self.assertEqual(lots[0].fse_count, 3)
        self.assertEqual(self.Lot.search_count([("company_id", "=", self.nurse.id)]), 2)

    def test_the_journal_tells_that_a_prepared_lot_left(self):
        rows = [{"fse_no": "1", "sent_on": ""}, {"fse_no": "2", "sent_on": ""}]
        self.ingest("j.csv", self.journal(*rows))
        self.make_proof(self.patient.health_coverage_ids, date=DAY)
        lot = self.build()
        self.assertEqual((lot.name, lot.fse_count), ("001", 2))
        self.ingest("k.csv", self.journal({"fse_no": "1", "lot_no": "001"}))
        self.assertEqual((lot.state, lot.sent_on, lot.fse_ids.name), ("sent", DAY, "1"))
        left = self.build()[-1]
        self.assertEqual((left.name, left.fse_ids.name, left.state), ("002", "2", "ready"))
        # It left under another number: the empty lot goes away.
        self.ingest("l.csv", self.journal({"fse_no": "2", "lot_no": "077"}))
        self.assertFalse(left.exists())
        lot = self.env["health.fse"].search([("name", "=", "2")]).lot_id
        self.assertEqual((lot.name, lot.origin, lot.state), ("077", "journal", "sent"))

    def _count_queries(self, numbers):
        self.unsent(*numbers)
        self.env.flush_all()
        self.env.invalidate_all()
        start = self.env.cr.sql_log_count
        self.Lot._build(self.nurse, DAY)
        self.env.flush_all()
        return self.env.cr.sql_log_count - start

    def test_queries_do_not_grow_with_the_fse(self):
        self._count_queries(["1"])
        few = self._count_queries([str(number) for number in range(10, 13)])
        many = self._count_queries([str(number) for number in range(100, 140)])
        self.assertLessEqual(many, few)


@tagged("post_install", "-at_install")
class TestRightsGate(SesamCommon):
    """No FSE enters a lot unless its patient's rights were checked lately."""

    def test_unchecked_rights_hold_back_that_fse_only(self):
        held = self.unsent("1", checked=False)
        other = self.make_patient(self.nurse, "PETIT Jean", "1990199999002")
        free = self.unsent("2", patient_id=other.id)
        lot = self.build()
        self.assertEqual(lot.fse_ids, free)
        self.assertTrue(held.lot_issue)
        self.assertFalse(held.sent_on)
        self.make_coverage(self.patient, proof_on=DAY)
        lots = self.build()
        self.assertEqual(held.lot_id, lots - lot)
        self.assertFalse(held.lot_issue, "the reason goes with the obstacle")

    def test_old_or_closed_rights_hold_back(self):
        held = self.unsent("1", checked=False)
        coverage = self.make_coverage(self.patient, proof_on=date(2026, 9, 1))
        self.assertFalse(self.build())
        self.assertIn("01/09/2026", held.lot_issue)
        self.make_proof(coverage, date=DAY, result="closed", effective_on=date(2026, 12, 1))
        self.assertFalse(self.build())
        self.assertIn("06/10/2026", held.lot_issue)

    def test_override_lets_it_leave(self):
        held = self.unsent("1", checked=False)
        self.assertFalse(self.build())
        self.env["health.rights.override"].create(
            {"fse_ids": held.ids, "reason": "ADRi down"}
        ).action_override()
        self.assertEqual(self.build().fse_ids, held)

    def test_policy_off(self):
        self.env.ref("health_billing.parameter_rights_proof_policy").value = 0
        self.unsent("1", checked=False)
        self.assertEqual(self.build().fse_count, 1)

    def test_the_gate_asks_no_more_for_many(self):
        def queries(first, count):
            for number in range(first, first + count):
                patient = self.make_patient(self.nurse, f"P{number}", f"29901999{number:05d}")
                self.unsent(str(number), patient_id=patient.id, checked=bool(number % 2))
            fses = self.env["health.fse"].search([("sent_on", "=", False)])
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            held = fses._obstacles(DAY)
            self.assertEqual(len(held), sum(not int(fse.name) % 2 for fse in fses))
            return self.env.cr.sql_log_count - start

        queries(101, 1)
        few = queries(102, 3)
        self.assertEqual(queries(200, 30), few)
