from datetime import date

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import DAY, SesamCommon


@tagged("post_install", "-at_install")
class TestArl(SesamCommon):
    def setUp(self):
        super().setUp()
        self.ingest("j.csv", self.journal({"fse_no": "1"}, {"fse_no": "2", "lot_no": "002"}))
        self.first, self.second = self.Lot.search(
            [("company_id", "=", self.nurse.id)], order="name"
        )
        self.day = {"lot_date": "2026-10-06"}

    def test_list_of_arl(self):
        content = self.arl_list(
            self.day,
            {
                **self.day,
                "lot_no": "002",
                "result": "négatif",
                "code": "4015",
                "label": "Clés périmées",
            },
        )
        inbox = self.ingest("arl.csv", content)
        self.assertEqual(
            (inbox.state, inbox.kind, inbox.company_id), ("done", "arl", self.nurse), inbox.message
        )
        self.assertEqual(inbox.counts["positive"], 1)
        self.assertEqual(inbox.counts["negative"], 1)
        self.assertEqual((self.first.state, self.second.state), ("acknowledged", "refused"))
        arl = self.second.arl_ids
        self.assertEqual(
            (arl.code, arl.label, arl.source, arl.inbox_id),
            ("4015", "Clés périmées", "file", inbox),
        )

    def test_overlapping_lists(self):
        self.ingest("a.csv", self.arl_list(self.day))
        inbox = self.ingest("b.csv", self.arl_list(self.day, {**self.day, "lot_no": "2"}))
        self.assertEqual((inbox.counts["known"], inbox.counts["positive"]), (1, 1))
        self.assertEqual(
            self.env["health.arl"].search_count([("company_id", "=", self.nurse.id)]), 2
        )
        self.assertEqual(self.ingest("c.csv", self.arl_list(self.day)).state, "duplicate")

    def test_rows_to_review_do_not_hold_the_others_back(self):
        inbox = self.ingest(
            "arl.csv",
            self.arl_list(
                self.day,
                {"provider_no": "123456782"},
                {"result": "peut-être"},
                {"date": "06/10/2026"},
                {"lot_no": "12A"},
            ),
        )
        self.assertEqual(inbox.state, "review")
        self.assertEqual(inbox.counts["positive"], 1)
        self.assertEqual(
            inbox.issue_ids.mapped("column"), ["provider_no", "result", "date", "lot_no"]
        )
        self.assertEqual(inbox.issue_ids.mapped("row"), [3, 4, 5, 6])
        self.assertEqual(self.first.state, "acknowledged")

    def test_missing_column(self):
        inbox = self.ingest("arl.csv", b"provider_no;lot_no;result\n1;1;positif\n")
        self.assertEqual(inbox.state, "refused")
        self.assertIn("date", inbox.message)

    def test_arl_before_its_lot(self):
        inbox = self.ingest("arl.csv", self.arl_list({**self.day, "lot_no": "009"}))
        self.assertEqual((inbox.state, inbox.counts["unmatched"]), ("done", 1))
        arl = self.env["health.arl"].search([("lot_no", "=", "009")])
        self.assertFalse(arl.lot_id)
        self.ingest("k.csv", self.journal({"fse_no": "9", "lot_no": "009"}))
        self.assertEqual((arl.lot_id.name, arl.lot_id.state), ("009", "acknowledged"))

    def test_a_recycled_number_is_not_confused(self):
        self.ingest(
            "k.csv",
            self.journal({"fse_no": "9", "sent_on": "2026-03-02", "fse_date": "2026-03-01"}),
        )
        inbox = self.ingest("arl.csv", self.arl_list({"lot_date": ""}))
        self.assertFalse(inbox.counts["unmatched"])
        self.assertEqual(self.first.state, "acknowledged")
        inbox = self.ingest("arl.csv", self.arl_list({"lot_date": "2026-05-05"}))
        self.assertEqual(inbox.counts["unmatched"], 1)

    def test_arl_by_hand(self):
        wizard = Form(
            self.env["health.arl.record"].with_context(
                default_lot_ids=(self.first + self.second).ids
            )
        )
        wizard.result = "negative"
        wizard.date = date(2026, 10, 7)
        wizard.code = "4015"
        wizard.save().action_record()
        self.assertEqual(set((self.first + self.second).mapped("state")), {"refused"})
        self.assertEqual(self.first.arl_ids.source, "manual")

    def test_a_lot_that_was_not_sent_has_no_arl(self):
        self.unsent("7")
        lot = self.build()
        wizard = self.env["health.arl.record"].create({"lot_ids": [(6, 0, lot.ids)]})
        with self.assertRaisesRegex(UserError, "mark it as sent first"):
            wizard.action_record()

    def test_a_refused_lot_is_sent_again(self):
        self.ingest("arl.csv", self.arl_list({**self.day, "result": "negatif"}))
        self.assertEqual(self.first.state, "refused")
        self.first.action_mark_sent()
        self.assertEqual(self.first.state, "sent")
        self.assertTrue(self.first.arl_ids.is_superseded)
        again = self.env["health.arl.record"].create({"lot_ids": [(6, 0, self.first.ids)]})
        again.action_record()
        self.assertEqual(self.first.state, "acknowledged")

    def test_missing_arl(self):
        cycle = self.env["health.cycle"]
        # Sent on a Tuesday: expected by Wednesday, missing from Thursday on.
        cycle.run("2026-10-07")
        self.assertEqual(self.first.state, "sent")
        cycle.run("2026-10-08")
        self.assertEqual(
            (self.first.state, self.first.arl_missed_on), ("arl_missing", date(2026, 10, 8))
        )
        cycle.run("2026-10-09")
        self.assertEqual(self.first.arl_missed_on, date(2026, 10, 8))
        self.ingest("arl.csv", self.arl_list({**self.day, "date": "2026-10-09"}))
        self.assertEqual((self.first.state, self.second.state), ("acknowledged", "arl_missing"))

    def test_an_answer_of_the_payer_is_as_good(self):
        share = self.first.fse_ids.share_ids.filtered(lambda s: s.debtor_kind == "amo")
        share.announced_amount = share.amount
        self.env["health.cycle"].run("2026-10-20")
        self.assertEqual((self.first.state, self.second.state), ("sent", "arl_missing"))

    def test_week_end(self):
        self.ingest(
            "k.csv", self.journal({"fse_no": "9", "lot_no": "009", "sent_on": "2026-10-09"})
        )
        lot = self.Lot.search([("name", "=", "009")])
        self.assertEqual(lot.arl_expected_on, date(2026, 10, 12))
        self.assertGreater(lot.arl_expected_on, DAY)
