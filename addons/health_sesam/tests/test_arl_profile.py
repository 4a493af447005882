import base64
from datetime import date

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import SesamCommon

CSV = """Lot;Reçu le;Etat;Facture;Motif
1;07/10/2026;OK;;
002;07/10/2026;KO;;Clés périmées
"""
FIXED = """ENTETE OCT 20261007
ARL0010710260
ARL0020710261Lot illisible
FIN 2
"""


@tagged("post_install", "-at_install")
class TestArlProfile(SesamCommon):
    def setUp(self):
        super().setUp()
        rows = [{"fse_no": "1"}, {"fse_no": "3"}, {"fse_no": "2", "lot_no": "002"}]
        self.ingest("j.csv", self.journal(*rows))
        self.first, self.second = self.Lot.search(
            [("company_id", "=", self.nurse.id)], order="name"
        )

    def show(self, filename, content, columns, **values):
        """A person opens the file that nothing reads, and shows where the facts are."""
        inbox = self.ingest(filename, content)
        self.assertIn(inbox.state, ("review", "refused"))
        context = inbox.action_create_arl_profile()["context"]
        Profile = self.env["health.arl.profile"].with_context(**context)
        return inbox, Profile.create(
            {
                "company_id": self.nurse.id,
                "column_ids": [
                    (0, 0, {"target": target, **place}) for target, place in columns.items()
                ],
                **values,
            }
        )

    def show_csv(self, **values):
        return self.show(
            "recu.csv",
            CSV.encode(),
            {
                "lot_no": {"source": "Lot"},
                "date": {"source": "Reçu le"},
                "result": {"source": "Etat"},
                "fse_no": {"source": "Facture"},
                "label": {"source": "Motif"},
            },
            **values,
        )

    def test_shown_once_then_read(self):
        inbox, profile = self.show_csv()
        self.assertIn("Clés périmées", profile.preview)
        self.assertIn("2 of 2 line(s)", profile.preview)
        self.assertEqual(profile.column_ids[0].sample, "1")
        self.assertFalse(self.first.arl_ids, "a trial records nothing")
        profile.action_use()
        self.assertEqual((inbox.state, inbox.kind), ("done", "arl"), inbox.message)
        self.assertEqual((self.first.state, self.second.state), ("acknowledged", "refused"))
        self.assertEqual(self.second.arl_ids.label, "Clés périmées")
        self.assertEqual(self.second.arl_state, "refused")
        again = self.ingest("other.csv", CSV.replace("002", "2").encode())
        self.assertEqual((again.state, again.counts["known"]), ("done", 2))

    def test_lines_that_cannot_be_read_are_kept_for_a_person(self):
        _inbox, profile = self.show_csv()
        profile.action_use()
        text = CSV + "001;31/02/2026;OK;;\n001;08/10/2026;peut-être;;\n"
        inbox = self.ingest("b.csv", text.encode())
        self.assertEqual((inbox.state, inbox.counts["positive"]), ("review", 0), inbox.message)
        self.assertEqual(inbox.issue_ids.mapped("column"), ["date", "result"])
        self.assertEqual(inbox.issue_ids.mapped("row"), [4, 5])

    def test_fixed_width(self):
        inbox, profile = self.show(
            "arl.txt",
            FIXED.encode(),
            {
                "lot_no": {"start": 4, "width": 3},
                "date": {"start": 7, "width": 6},
                "result": {"start": 13, "width": 1},
                "label": {"start": 14, "width": 40},
            },
            kind="fixed",
            line_start="ARL",
            date_format="dmy6",
            positive_words="0",
            negative_words="1",
        )
        profile.action_use()
        self.assertEqual(inbox.state, "done", inbox.message)
        self.assertEqual((self.first.arl_state, self.second.arl_state), ("ok", "refused"))
        self.assertEqual(self.second.arl_ids.date, date(2026, 10, 7))

    def test_expression(self):
        inbox, profile = self.show(
            "message.txt",
            b"Lot 001 du 2026-10-07 : conforme\nLot 002 du 2026-10-07 : rejet (4015)\n",
            {},
            kind="regex",
            date_format="iso",
            line_start="Lot",
            expression=r"Lot (?P<lot_no>\d+) du (?P<date>\S+) : (?P<result>\w+)( \((?P<code>\d+)\))?",
            positive_words="conforme",
            negative_words="rejet",
        )
        with self.assertRaisesRegex(UserError, "by a manager"):
            profile.with_user(
                self.make_user("e-biller", "health_billing.group_biller")
            ).action_use()
        profile.with_user(self.make_user("e-manager", "health_billing.group_manager")).action_use()
        self.assertEqual(inbox.state, "done", inbox.message)
        self.assertEqual((self.first.state, self.second.arl_ids.code), ("acknowledged", "4015"))
        with self.assertRaises(UserError):
            profile.expression = "(?P<lot_no>"

    def test_a_list_of_refusals_only(self):
        inbox, profile = self.show(
            "rejets.csv",
            b"num;jour;facture\n001;07/10/2026;0003\n",
            {
                "lot_no": {"source": "num"},
                "date": {"source": "jour"},
                "fse_no": {"source": "facture"},
            },
            result_default="negatif",
        )
        profile.action_use()
        self.assertEqual(inbox.state, "done", inbox.message)
        refused = self.first.fse_ids.filtered(lambda fse: fse.name == "3")
        self.assertEqual(self.first.arl_ids.fse_id, refused)
        self.assertEqual(self.first.state, "acknowledged", "the front end read the lot")
        self.assertEqual(refused.arl_state, "refused")
        self.assertEqual((self.first.fse_ids - refused).arl_state, "ok")
        # sent again after mending: the refusal speaks no more
        self.first._set_sent(date(2026, 10, 8))
        self.assertEqual(refused.arl_state, "waiting")

    def test_two_profiles_that_read_one_file(self):
        _inbox, profile = self.show_csv()
        profile.action_use()
        other = profile.copy({"company_id": self.physio.id})
        self.assertFalse(other.is_used)
        other.trial_file = base64.b64encode(CSV.encode())
        other.action_use()
        inbox = self.ingest("b.csv", CSV.replace("07/10", "08/10").encode())
        self.assertEqual(inbox.state, "review")
        self.assertIn("Several ARL profiles", inbox.message)
        self.assertEqual(len(self.first.arl_ids), 1)
        # a transport says whose it is
        own = self.env["health.inbox"].ingest(
            "c.csv", CSV.replace("07/10", "09/10").encode(), self.nurse
        )
        self.assertEqual(own.state, "done", own.message)

    def test_a_profile_that_reads_nothing_is_not_used(self):
        _inbox, profile = self.show_csv(date_format="iso")
        with self.assertRaisesRegex(UserError, "not read as a list"):
            profile.action_use()
        profile.date_format = "slash"
        profile.action_use()
        profile.positive_words = "bon"
        self.assertFalse(profile.is_used, "a change is tried again")

    def test_other_files_are_left_alone(self):
        _inbox, profile = self.show_csv()
        profile.action_use()
        self.assertEqual(self.ingest("k.csv", self.journal({"fse_no": "8"})).kind, "fse")
        self.assertEqual(self.ingest("t.csv", b"Lot;Autre\n1;2\n").kind, "unknown")
        self.assertEqual(self.ingest("z.bin", b"\x00\xff" * 400).kind, "unknown")

    def test_the_form_shows_what_is_read(self):
        form = Form(self.env["health.arl.profile"])
        form.name = "Concentrator"
        form.trial_file = base64.b64encode(CSV.encode())
        self.assertIn("Nothing is read yet", form.preview)
        for target, source in (("lot_no", "Lot"), ("date", "Reçu le"), ("result", "Etat")):
            with form.column_ids.new() as column:
                column.target, column.source = target, source
        self.assertIn("2 of 2 line(s)", form.preview)
        form.save()


@tagged("post_install", "-at_install")
class TestArlStates(SesamCommon):
    def setUp(self):
        super().setUp()
        self.unsent("1", "2", "3")
        self.lot = self.Lot._build(self.nurse, date(2026, 10, 6))[0]

    def test_one_refused_fse_by_hand(self):
        self.lot._set_sent(date(2026, 10, 6))
        fse = self.lot.fse_ids[0]
        wizard = Form(self.env["health.arl.record"].with_context(default_lot_ids=self.lot.ids))
        wizard.result = "negative"
        wizard.fse_ids.add(fse)
        wizard.save().action_record()
        self.assertEqual((self.lot.state, fse.arl_state), ("acknowledged", "refused"))
        self.assertEqual(set((self.lot.fse_ids - fse).mapped("arl_state")), {"ok"})

    def test_not_needed(self):
        self.lot._set_sent(date(2026, 10, 6))
        self.env["health.cycle"].run("2026-10-09")
        self.assertEqual((self.lot.state, self.lot.arl_state), ("arl_missing", "missing"))
        self.lot.action_no_arl()
        self.assertEqual((self.lot.state, self.lot.arl_state), ("sent", "not_needed"))
        self.env["health.cycle"].run("2026-10-12")
        self.assertEqual(self.lot.arl_state, "not_needed")
        # one that comes all the same counts
        self.ingest("a.csv", self.arl_list({"lot_date": "2026-10-06", "date": "2026-10-12"}))
        self.assertEqual(self.lot.arl_state, "ok")

    def test_not_needed_as_a_rule(self):
        self.env["health.lot.rule"].create(
            {"kind": "D", "is_arl_expected": False, "source": "Test"}
        )
        self.unsent("9", kind="D", amo=0, patient=0)
        lot = self.Lot._build(self.nurse, date(2026, 10, 6))[0]
        lot._set_sent(date(2026, 10, 6))
        self.assertEqual((lot.arl_state, lot.fse_ids.arl_state), ("not_needed", "not_needed"))
        self.lot._set_sent(date(2026, 10, 6))
        self.assertEqual(self.lot.arl_state, "waiting")

    def test_an_arl_that_came_before_the_lot_was_marked(self):
        self.ingest("a.csv", self.arl_list({"lot_date": "2026-10-06"}))
        self.assertFalse(self.lot.arl_ids)
        self.lot._set_sent(date(2026, 10, 6))
        self.assertEqual(self.lot.state, "acknowledged")

    def test_ceilings_by_payer_and_kind(self):
        Rule = self.env["health.lot.rule"]
        own = {"source": "Test", "grade": "C"}
        Rule.create({"kind": "B", "max_fse": 1, **own})
        Rule.create({"regime": "01", "max_amount": 25, **own})
        Rule.create({"payer_id": self.mutuelle.id, "max_records": 8, **own})
        day = date(2026, 10, 6)
        self.unsent("11", "12", "13")
        self.assertEqual(self.Lot._build(self.nurse, day)[0].mapped("fse_count"), [2, 1])
        self.unsent("21", "22", kind="D", amo=0, patient=0)
        self.assertEqual(self.Lot._build(self.nurse, day)[0].mapped("fse_count"), [1, 1])
        Rule.search([("regime", "=", "01")]).active = False
        self.unsent("31", "32", kind="B")
        self.unsent("33", "34")
        built = self.Lot._build(self.nurse, day)[0]
        self.assertEqual(sorted(built.mapped("fse_count")), [1, 1, 2])

    def test_the_list_to_sign(self):
        report = self.env.ref("health_sesam.action_report_lot_list")
        html = report._render_qweb_html("health_sesam.lot_list", self.lot.ids)[0].decode()
        for text in ("D. A.", "10,00 €", "30,00 €", self.nurse.health_provider_no, "Signature"):
            self.assertIn(text, html)
        self.assertNotIn("DURAND", html)
        self.assertNotIn("AMI", html)
        named = report._render_qweb_html("health_sesam.lot_list_names", self.lot.ids)[0].decode()
        self.assertIn("DURAND Anne", named)
        practitioner = self.make_user("p-list", "health_billing.group_practitioner", self.nurse)
        self.assertEqual(
            len(self.lot.with_user(practitioner)._list_rows()["rows"]), 3, "their own list"
        )

    def test_queries_do_not_grow_with_the_acknowledgements(self):
        def queries(first, count):
            self.unsent(*(str(1000 + number) for number in range(first, first + count)))
            lots = self.Lot._build(self.nurse, date(2026, 10, 6))[0]
            lots._set_sent(date(2026, 10, 6))
            self.assertEqual(len(lots), count)
            rows = [{"lot_no": lot.name, "lot_date": "2026-10-06"} for lot in lots]
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.ingest(f"{first}.csv", self.arl_list(*rows))
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        self.env["health.lot.rule"].create({"kind": "F", "max_fse": 1, "source": "Test"})
        self.lot._set_sent(date(2026, 10, 6))
        queries(1, 1)
        few = queries(10, 3)
        self.assertLessEqual(queries(100, 30), few)
