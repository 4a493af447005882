from odoo.tests import tagged

from .common import HealthCommon


@tagged("post_install", "-at_install")
class TestFseImport(HealthCommon):
    def ingest(self, content, name="journal.csv"):
        return self.env["health.inbox"].ingest(name, content)

    def fse(self, number):
        return self.env["health.fse"].search(
            [("name", "=", number), ("company_id", "=", self.nurse.id)]
        )

    def test_shares_become_invoices_of_their_debtors(self):
        inbox = self.ingest(
            self.journal(
                {"fse_no": "1", "amc_org": "99999999", "amc_amount": "5.04", "patient_amount": "0"},
                {"fse_no": "2"},
                {
                    "fse_no": "2",
                    "key_letter": "IFD",
                    "coefficient": "1",
                    "act_amount": "2.75",
                    "amo_amount": "1.65",
                    "patient_amount": "1.10",
                },
            )
        )
        self.assertEqual((inbox.state, inbox.kind), ("done", "fse"), inbox.message)
        one, two = self.fse("1"), self.fse("2")
        self.assertCountEqual(
            one.share_ids.mapped(lambda s: (s.debtor_kind, s.partner_id, s.amount)),
            [("amc", self.mutuelle, 5.04), ("amo", self.cpam, 7.56)],
        )
        self.assertCountEqual(
            two.share_ids.mapped(lambda s: (s.debtor_kind, s.amount)),
            [("patient", 6.14), ("amo", 9.21)],
        )
        self.assertEqual(
            two.patient_id, self.patient, "the patient known by NIR, birth date and rank is taken"
        )
        for share in (one + two).share_ids:
            move = share.move_id
            self.assertEqual(
                (move.state, move.partner_id, move.amount_total),
                ("posted", share.partner_id, share.amount),
            )
            self.assertEqual(move.invoice_date_due, share.due_date)
            self.assertEqual(move.health_share_id, share)
            receivable = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
            self.assertEqual(receivable.account_id, self.nurse._health_account(share.debtor_kind))
            for text in (
                move.name,
                move.ref,
                move.payment_reference,
                *move.line_ids.mapped("name"),
            ):
                self.assertNotIn("AMI", text, "the ledger never names the care")
                self.assertIn(share.fse_id.name, text)

    def test_broken_row_waits_and_the_rest_is_kept(self):
        inbox = self.ingest(
            self.journal(
                {"fse_no": "1"},
                {"fse_no": "2"},
                {"fse_no": "2", "act_amount": "12.61"},
                {"fse_no": "3", "act_date": "05/10/2026"},
            )
        )
        self.assertEqual(inbox.state, "review")
        self.assertTrue(self.fse("1"))
        self.assertFalse(
            self.fse("2"), "a claim short of one act would be wrong: the whole FSE waits"
        )
        self.assertEqual(
            inbox.issue_ids.mapped(lambda i: (i.row, i.column, i.reference)),
            [(4, "act_amount", "2"), (5, "act_date", "3")],
        )
        self.assertIn("écart 0,01 €", inbox.issue_ids[0].reason)

    def test_second_import_changes_nothing(self):
        rows = [{"fse_no": str(n)} for n in range(1, 6)]
        self.ingest(self.journal(*rows))
        count = self.env["account.move"].search_count([])
        again = self.ingest(self.journal(*rows))
        self.assertEqual(again.state, "duplicate")
        reordered = self.ingest(self.journal(*reversed(rows)))
        self.assertEqual(
            (reordered.state, reordered.counts["created"], reordered.counts["known"]),
            ("done", 0, 5),
        )
        self.assertEqual(self.env["account.move"].search_count([]), count)

    def test_sending_learnt_later_is_taken(self):
        self.ingest(self.journal({"fse_no": "1", "sent_on": "", "lot_no": ""}))
        self.assertEqual(self.fse("1").state, "to_send")
        self.ingest(self.journal({"fse_no": "1", "sent_on": "2026-10-08", "lot_no": "7"}))
        self.assertEqual((self.fse("1").state, self.fse("1").lot_no), ("sent", "007"))
        self.assertEqual(
            self.fse("1").share_ids.filtered(lambda s: s.debtor_kind == "amo").state, "sent"
        )

    def test_same_number_other_content_goes_to_review(self):
        self.ingest(self.journal({"fse_no": "1"}))
        inbox = self.ingest(
            self.journal({"fse_no": "1", "act_amount": "13.60", "patient_amount": "6.04"})
        )
        self.assertEqual(inbox.state, "review")
        self.assertIn("12,60 €", inbox.issue_ids.reason)
        self.assertEqual(self.fse("1").amount_total, 12.60)

    def test_unknown_practitioner_and_unknown_payer(self):
        inbox = self.ingest(
            self.journal(
                {"fse_no": "1", "provider_no": "123456782"}, {"fse_no": "2", "amo_org": "028880000"}
            )
        )
        self.assertEqual(inbox.state, "review")
        self.assertIn("123456782", inbox.issue_ids.reason)
        fund = self.fse("2").amo_partner_id
        self.assertTrue(fund.health_to_complete)
        self.assertEqual(fund.health_org_no, "02888")

    def test_coefficients_are_exact(self):
        self.ingest(
            self.journal(
                {
                    "fse_no": "1",
                    "coefficient": "8.07",
                    "key_letter": "RSC",
                    "act_amount": "17,83",
                    "amo_amount": "10,70",
                    "patient_amount": "7,13",
                }
            )
        )
        self.assertEqual(
            (self.fse("1").act_ids.coefficient_hundredths, self.fse("1").act_ids.coefficient),
            (807, "8,07"),
        )
        inbox = self.ingest(self.journal({"fse_no": "2", "coefficient": "8.071"}))
        self.assertIn("deux décimales", inbox.issue_ids.reason)

    def test_xlsx_is_read_like_csv(self):
        import io

        from openpyxl import Workbook

        book = Workbook()
        for line in self.journal({"fse_no": "1"}, {"fse_no": "2"}).decode().splitlines():
            book.active.append(line.split(";"))
        file = io.BytesIO()
        book.save(file)
        inbox = self.ingest(file.getvalue(), "export.xlsx")
        self.assertEqual((inbox.state, inbox.counts["created"]), ("done", 2), inbox.message)

    def test_queries_do_not_grow_with_rows(self):
        def queries(first, count):
            rows = [
                {"fse_no": str(n), "nir": f"29901{n % 95 + 1:02d}999{n % 999:03d}"}
                for n in range(first, first + count)
            ]
            content = self.journal(*rows)
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.ingest(content)
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        queries(1000, 5)
        few, many = queries(2000, 10), queries(3000, 60)
        # 50 more FSE are 100 more invoices: the engine's inserts go in pages, nothing asks per record
        self.assertLess(many - few, 100, f"{few} queries for 10 FSE, {many} for 60")
