"""Provision, debt, retentions, repayment: what the books say, and that undoing leaves nothing behind."""

from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.health_billing.tools import cents

from .common import DAY, REFERENCE
from .common_indu import InduCommon


@tagged("post_install", "-at_install")
class TestInduBooking(InduCommon):
    def moves(self, indu):
        return indu.item_ids.move_id

    def retained(self, amount=1500, ref="D123456789", number="000000101", transfer=REFERENCE):
        """A retention whose transfer is on the bank and booked."""
        self.withhold(self.debt(amount, ref=ref), number=number, ref=transfer)
        self.drop(self.camt(self.entry(6000 - amount, f"VIR {transfer}"), number=f"ST{transfer}"))
        self.assertBooked(self.credits()[-1], "reference")
        return self.indus()[-1]

    def debit(self, amount, label="CHEQUE 123"):
        self.drop(self.camt(self.entry(-amount, label), number=f"STD{amount}"))
        return self.env["account.bank.statement.line"].search(
            [("company_id", "=", self.nurse.id), ("amount", "=", -amount / 100)]
        )

    def repay(self, indu, lines):
        wizard = self.env["health.indu.repay"].create({"indu_id": indu.id})
        wizard.statement_line_ids = lines
        return wizard.action_confirm()

    def test_contested_part_is_provisioned_and_released(self):
        indu = self.make_indu(("1", 6000, "contest"), ("2", 1500, "prove"), ("3", 500, "todo"))
        before = self.balances()
        self.assertTrue(indu.is_to_book)
        indu.action_book()
        after = self.balances()
        self.assertEqual(after["151800"][0], -7500)
        self.assertEqual(after["681500"][0], 7500)
        self.assertEqual((indu.amount_provisioned, indu.is_to_book), (75.0, False))
        indu.action_book()
        self.assertEqual(self.balances(), after)
        self.assertEqual(len(self.moves(indu)), 1)
        # one claim given in: the provision shrinks, the debt is there
        indu.line_ids[0].action_accept()
        self.assertTrue(indu.is_to_book)
        indu.action_book()
        after = self.balances()
        self.assertEqual(after["151800"][0], -1500)
        self.assertEqual(after["781500"][0], -6000)
        self.assertEqual(after["709000"][0], 6000)
        self.assertEqual(after["467800"], (-6000, -6000))
        indu.action_unbook()
        self.assertEqual(self.balances(), before)
        self.assertEqual((indu.amount_provisioned, indu.amount_acknowledged), (0.0, 0.0))
        indu.action_unbook()
        self.assertEqual(self.balances(), before)
        indu.action_book()
        self.assertEqual(self.balances()["709000"][0], 6000)

    def test_entries_balance_and_tell_no_care(self):
        indu = self.make_indu(
            ("000000101", 6000, "contest"), ("2", 1500, "accept"), note="Pansement de Mme Durand"
        )
        indu.action_book()
        for move in self.moves(indu):
            self.assertEqual(sum(map(cents, move.line_ids.mapped("balance"))), 0)
            self.assertEqual(move.line_ids.partner_id, self.cpam)
            words = " ".join([move.ref or "", *move.line_ids.mapped("name")])
            for care in ("000000101", "DURAND", "Durand", "Pansement"):
                self.assertNotIn(care, words)
            self.assertIn("2026-4711", words)

    def test_retention_settles_the_accepted_debt(self):
        indu = self.retained()
        self.assertEqual(self.balances()["467800"], (1500, 1500))
        indu.write({"received_on": DAY})
        self.env["health.indu.paste"].create(
            {"indu_id": indu.id, "text": "000000101;15,00"}
        ).action_add()
        indu.line_ids.action_accept()
        open_books = self.balances()
        indu.action_book()
        self.assertNotIn("467800", self.balances())
        self.assertEqual(self.balances()["709000"][0], 1500)
        self.assertTrue(indu.movement_ids.move_line_id.reconciled)
        self.assertEqual((indu.state, indu.step), ("repaid", "finish"))
        indu.action_unbook()
        self.assertEqual(self.balances(), open_books)

    def test_retention_after_the_booking_is_settled_by_the_night(self):
        indu = self.make_indu(("000000101", 1500, "accept"), debt_ref="D123456789")
        indu.action_book()
        self.assertEqual(self.balances()["467800"], (-1500, -1500))
        self.retained()
        self.assertEqual(indu.amount_withheld, 15.0)
        self.env["health.cycle"]._step_indus(DAY)
        self.assertNotIn("467800", self.balances())
        # the credit is undone: the debt is open again
        self.credits().action_undo_reconciliation()
        self.assertEqual(self.balances()["467800"], (-1500, -1500))

    def test_part_taken_back_is_settled_on_its_own_account(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        self.make_fse(self.nurse, "000000102", amo=9000)
        self.drop(self.noemie(self.settlement(self.paid("000000101", amo=6000))))
        self.drop(self.camt(self.entry(6000, f"VIR {REFERENCE}")))
        self.drop(
            self.noemie(
                self.settlement(
                    self.paid("000000101", amo=-6000),
                    self.paid("000000102", amo=9000),
                    ref="262850077777",
                    day=DAY + timedelta(days=7),
                ),
                file_id="F00002",
            )
        )
        indu = self.indus()
        indu.line_ids.action_accept()
        indu.action_book()
        # booked before the money: the debt waits on the account of retentions
        self.assertEqual(self.balances()["467800"], (-6000, -6000))
        self.drop(
            self.camt(
                self.entry(3000, "VIR 262850077777", day=DAY + timedelta(days=8)),
                number="ST2",
                start=106000,
            )
        )
        self.assertBooked(self.credits()[-1], "reference")
        self.assertTrue(indu.is_to_book or self.balances()["467800"])
        indu.action_book()
        balances = self.balances()
        self.assertNotIn("467800", balances)
        self.assertNotIn("411100", balances)
        self.assertEqual(balances["709000"][0], 6000)

    def test_repaid_by_cheque(self):
        indu = self.make_indu(("1", 6000, "accept"))
        indu.action_book()
        cheque = self.debit(6000)
        open_books = self.balances()
        self.repay(indu, cheque)
        self.assertTrue(cheque.is_reconciled)
        self.assertEqual((indu.amount_repaid, indu.balance), (60.0, 0.0))
        self.assertNotIn("467800", self.balances())
        self.assertNotIn("471000", self.balances())
        self.assertEqual(indu.state, "repaid")
        with self.assertRaises(UserError):
            self.repay(indu, cheque)
        cheque.action_undo_reconciliation()
        self.assertEqual((indu.amount_repaid, indu.balance, indu.state), (0.0, 60.0, "open"))
        self.assertEqual(self.balances(), open_books)
        self.repay(indu, cheque)
        self.assertEqual(indu.balance, 0.0)

    def test_instalments_and_wrong_choices(self):
        indu = self.make_indu(("1", 6000, "accept"))
        first, much = self.debit(2000), self.debit(4001)
        credit = self.drop(self.camt(self.entry(500, "VIR"), number="STC")) and self.credits()
        self.repay(indu, first)
        self.assertEqual((indu.balance, indu.state), (40.0, "open"))
        before = self.balances()
        for lines in (much, credit, credit.browse()):
            with self.assertRaises(UserError):
                self.repay(indu, lines)
        self.assertEqual(self.balances(), before)

    def test_the_movement_that_names_the_debt_is_proposed(self):
        indu = self.make_indu(("1", 6000, "accept"))
        self.debit(6100, "PRLV CPAM")
        named = self.debit(6000, "VIR CPAM REF 2026-4711")
        wizard = self.env["health.indu.repay"].create({"indu_id": indu.id})
        self.assertEqual(wizard.statement_line_ids, named)
        self.assertEqual(wizard.chosen, 60.0)

    def test_closing_releases_the_provision(self):
        indu = self.make_indu(("1", 6000, "contest"))
        indu.action_book()
        self.env["health.indu.close"].create(
            {"indu_id": indu.id, "reason": "Dropped"}
        ).action_confirm()
        self.assertTrue(indu.is_to_book)
        indu.action_book()
        self.assertNotIn("151800", self.balances())
        self.assertFalse(indu.is_to_book)

    def test_batch_books_as_one_by_one_with_as_many_queries(self):
        def spent(count, first):
            indus = self.env["health.indu"].union(
                *[
                    self.make_indu(
                        ("1", 100, "contest"), ("2", 200, "accept"), reference=f"R{first + rank}"
                    )
                    for rank in range(count)
                ]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            indus.action_book()
            self.env.flush_all()
            spent = self.env.cr.sql_log_count - before
            self.assertEqual(set(indus.mapped("amount_provisioned")), {1.0})
            return spent

        spent(2, 0)
        few, many = spent(3, 10), spent(15, 100)
        # Odoo gives each entry its number by a query of its own, or two
        self.assertLessEqual(many, few + 12 * 4)

    def test_accounts_are_added_to_older_practices(self):
        account = self.nurse._health_account("indu_provision")
        self.env["ir.model.data"].search(
            [("module", "=", "account"), ("name", "=", f"{self.nurse.id}_health_151800")]
        ).unlink()
        account.unlink()
        with self.assertRaises(UserError):
            self.nurse._health_account("indu_provision")
        (self.nurse + self.agency)._health_add_accounts()
        self.assertEqual(
            self.nurse._health_account("indu_provision").with_company(self.nurse).code, "151800"
        )
        accounts = self.env["account.account"].search_count([("company_ids", "in", self.nurse.ids)])
        self.nurse._health_add_accounts()
        self.assertEqual(
            self.env["account.account"].search_count([("company_ids", "in", self.nurse.ids)]),
            accounts,
        )
