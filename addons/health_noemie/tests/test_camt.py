"""Bank statements: whole or not at all, the right practitioner, never a line twice."""

from datetime import timedelta

from odoo.tests import tagged

from odoo.addons.health_billing.tests.common import IBANS

from .common import DAY, NoemieCommon


@tagged("post_install", "-at_install")
class TestCamt(NoemieCommon):
    def lines(self, company=None):
        return self.env["account.bank.statement.line"].search(
            [("company_id", "=", (company or self.nurse).id)], order="id"
        )

    def test_account_names_the_practitioner(self):
        inbox = self.drop(self.camt(self.entry(5000, "VIR TEST"), iban=IBANS[1]))
        self.assertEqual(
            (inbox.kind, inbox.state, inbox.company_id),
            ("camt", "done", self.physio),
            inbox.message,
        )
        self.assertEqual(self.lines(self.physio).amount, 50.0)
        self.assertFalse(self.lines(self.nurse))

    def test_unknown_account_goes_to_review_with_its_number(self):
        inbox = self.drop(self.camt(self.entry(5000, "VIR"), iban="FR7620041010050500013M02606"))
        self.assertEqual(inbox.state, "review")
        self.assertIn("FR76 2004 1010 0505 0001 3M02 606", inbox.message)

    def test_torn_statement_goes_to_review(self):
        content = self.camt(self.entry(5000, "VIR A"), self.entry(6000, "VIR B"))
        inbox = self.drop(content[: content.index(b"VIR B")])
        self.assertEqual((inbox.kind, inbox.state), ("camt", "review"))
        self.assertFalse(self.lines())

    def test_statement_that_does_not_add_up_goes_to_review(self):
        inbox = self.drop(self.camt(self.entry(5000, "VIR"), wrong=100))
        self.assertEqual(inbox.state, "review")
        self.assertFalse(self.lines())

    def test_statement_without_movement(self):
        self.assertEqual(self.drop(self.camt()).state, "review")

    def test_notice_of_the_day_is_refused(self):
        content = self.camt(self.entry(5000, "VIR")).replace(b"camt.053.001", b"camt.052.001")
        self.assertEqual(self.drop(content).state, "refused")

    def test_entities_are_refused(self):
        content = self.camt(self.entry(5000, "VIR")).replace(
            b"<Document", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><Document'
        )
        self.assertEqual(self.drop(content).state, "refused")

    def test_overlapping_statements_do_not_double(self):
        first = [
            self.entry(5000, "VIR A"),
            self.entry(5000, "VIR A"),
            self.entry(100, "VIR B", ref="REF1"),
        ]
        self.drop(self.camt(*first))
        self.assertEqual(len(self.lines()), 3)
        late = self.entry(700, "VIR C", day=DAY + timedelta(days=2))
        inbox = self.drop(self.camt(*first, late, number="ST2"))
        self.assertEqual((inbox.counts["lines"], inbox.counts["known"]), (1, 3))
        self.assertEqual(self.lines().mapped("amount"), [50.0, 50.0, 1.0, 7.0])
        inbox = self.drop(self.camt(*first, number="ST3"))
        self.assertEqual((inbox.state, inbox.counts["lines"]), ("done", 0))

    def test_file_of_several_accounts(self):
        inbox = self.drop(
            self.camt_file(
                self.statement(self.entry(5000, "VIR A")),
                self.statement(self.entry(6000, "VIR B"), iban=IBANS[1], number="ST2"),
            )
        )
        self.assertEqual(inbox.state, "done", inbox.message)
        self.assertEqual((self.lines().amount, self.lines(self.physio).amount), (50.0, 60.0))

    def test_one_unknown_account_holds_the_whole_file(self):
        inbox = self.drop(
            self.camt_file(
                self.statement(self.entry(5000, "VIR A")),
                self.statement(
                    self.entry(6000, "VIR B"), iban="FR7620041010050500013M02606", number="ST2"
                ),
            )
        )
        self.assertEqual(inbox.state, "review")
        self.assertFalse(self.lines())

    def test_counterparty_is_kept(self):
        self.drop(self.camt(self.entry(5000, "VIR", who="CPAM TEST")))
        self.assertEqual(self.lines().partner_name, "CPAM TEST")
