"""Payments at the practice and in the bank: what they close, how they are undone, what the books say."""

from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools.misc import file_path

from odoo.addons.health_billing.tools import cents, euros

from .common import CollectionsCommon


@tagged("post_install", "-at_install")
class TestReceipt(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Receipt = cls.env["health.receipt"]
        cls.today = fields.Date.context_today(cls.Receipt)
        cls.old = cls.late("000000201", patient=4000, fse_date=cls.today - timedelta(days=90))
        cls.new = cls.late("000000202", patient=5001, fse_date=cls.today - timedelta(days=60))
        cls.shares = cls.old + cls.new
        cls.bank = cls.env["account.journal"].search(
            [("company_id", "=", cls.nurse.id), ("type", "=", "bank")], limit=1
        )

    def receive(self, amount, mode="cheque", shares=None, **values):
        parts, _over = self.Receipt._allocation(amount, shares or self.shares, self.today)
        return self.Receipt._receive(
            self.nurse, self.patient, mode, self.today, amount, parts, **values
        )

    def credit(self, amount, label, day=None):
        return self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.bank.id,
                "date": day or self.today,
                "payment_ref": label,
                "amount": euros(amount),
            }
        )

    def balance(self, kind, partner=None):
        """Cents on one of our accounts, in entries that are posted."""
        domain = [
            ("account_id", "=", self.nurse._health_account(kind).id),
            ("parent_state", "=", "posted"),
        ]
        if partner:
            domain.append(("partner_id", "=", partner.id))
        items = self.env["account.move.line"].search(domain)
        return sum(cents(item.balance) for item in items)

    def wizard(self, env=None, **values):
        action = self.shares.action_receive()
        return (
            (env or self.env)["health.patient.payment"]
            .with_context(**action["context"])
            .create(values)
        )

    # -- at the practice -----------------------------------------------------------------------------

    def test_each_means_closes_the_shares_at_once(self):
        for number, mode in enumerate(("cheque", "cash", "card", "transfer")):
            share = self.late(f"00000021{number}", patient=1234)
            before = self.balance("patient", self.patient), self.balance(mode)
            receipt = self.receive(1234, mode, share)
            self.assertEqual(share.state, "paid")
            self.assertEqual(share.move_id.payment_state, "paid")
            self.assertCents(share.amount_residual, 0)
            self.assertEqual(self.balance("patient", self.patient), before[0] - 1234)
            self.assertEqual(self.balance(mode), before[1] + 1234)
            self.assertEqual(receipt.line_ids.share_id, share)
            self.assertEqual(receipt.move_id.journal_id.code, "ENC")
            self.assertCents(receipt.excess, 0)
            self.assertFalse(receipt.is_in_bank)

    def test_a_partial_payment_settles_the_oldest_first(self):
        receipt = self.receive(4500)
        self.assertEqual((self.old.state, self.new.state), ("paid", "partial"))
        self.assertCents(self.new.amount_residual, 4501)
        self.assertEqual([cents(line.amount) for line in receipt.line_ids], [4000, 500])

    def test_what_is_too_much_stays_a_credit_that_is_shown_and_used(self):
        receipt = self.receive(10000)
        self.assertEqual(set(self.shares.mapped("state")), {"paid"})
        self.assertCents(receipt.excess, 999)
        later = self.late("000000203", patient=1500)
        receipt.action_use_excess()
        self.assertCents(receipt.excess, 0)
        self.assertCents(later.amount_residual, 501)
        self.assertIn(later, receipt.line_ids.share_id)
        self.assertEqual(sum(cents(line.amount) for line in receipt.line_ids), 10000)
        receipt._undo("bounced", "returned by the bank")
        self.assertCents(later.amount_residual, 1500)
        self.assertCents(self.old.amount_residual, 4000)

    def test_undoing_brings_everything_back_and_erases_nothing(self):
        before = {kind: self.balance(kind) for kind in ("patient", "cheque")}
        receipt = self.receive(9500)
        entry = receipt.move_id
        receipt._undo("bounced", "no funds")
        self.assertEqual({kind: self.balance(kind) for kind in before}, before)
        self.assertEqual(set(self.shares.mapped("state")), {"due"})
        self.assertEqual(entry.state, "posted")
        self.assertTrue(all(item.reconciled for item in entry.line_ids))
        self.assertTrue(all(item.reconciled for item in receipt.undo_move_id.line_ids))
        self.assertEqual((receipt.state, receipt.undo_reason), ("bounced", "no funds"))
        self.assertCents(receipt.excess, 0)
        with self.assertRaises(UserError):
            receipt._undo("bounced", "again")
        # and it may be paid again
        self.receive(9001, "cash")
        self.assertEqual(set(self.shares.mapped("state")), {"paid"})

    def test_what_cannot_be_booked_leaves_nothing_behind(self):
        def refused(amount, mode="cheque", parts=None, day=None, company=None):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                self.Receipt._receive(
                    company or self.nurse,
                    self.patient,
                    mode,
                    day or self.today,
                    amount,
                    [(self.old, 4000)] if parts is None else parts,
                )

        refused(0)
        refused(4000, parts=[(self.old, 4001)])
        refused(3999)
        refused(4000, parts=[(self.old, 0)])
        refused(4000, day=self.today + timedelta(days=1))
        refused(100001, mode="cash", parts=[])
        refused(4000, company=self.physio)
        self.assertFalse(self.Receipt.search([("partner_id", "=", self.patient.id)]))
        self.assertEqual(set(self.shares.mapped("state")), {"due"})
        self.pay(self.old)
        refused(4000)

    def test_the_wizard_proposes_the_law_and_books_what_the_patient_says(self):
        wizard = self.wizard(amount=50, mode="cheque", reference="1234567", bank="CA")
        self.assertEqual(wizard.line_ids.share_id, self.shares)
        self.assertEqual([cents(line.amount) for line in wizard.line_ids], [4000, 1000])
        wizard.line_ids[0].amount = 0
        wizard.line_ids[1].amount = 50
        receipt = self.Receipt.browse(wizard.action_book()["res_id"])
        self.assertEqual(receipt.line_ids.share_id, self.new)
        self.assertCents(self.new.amount_residual, 1)
        self.assertEqual((receipt.reference, receipt.bank), ("1234567", "CA"))
        wizard = self.wizard()
        self.assertCents(wizard.amount, 4001)

    def test_one_cheque_for_the_household(self):
        child = self.make_patient(self.nurse, "DURAND Zoé", "2170175999004")
        child.health_debtor_id = self.patient
        share = self.late("000000204", patient=2000, patient_id=child.id)
        wizard = self.wizard(amount=110.01)
        self.assertEqual(wizard.line_ids.share_id, self.shares + share)
        wizard.action_book()
        self.assertEqual(set((self.shares + share).mapped("state")), {"paid"})
        self.assertEqual(self.balance("patient", child), 0)

    def test_a_payment_stops_the_reminders_and_fills_the_plan(self):
        plan = self.env["health.plan"]._ask(self.patient, self.nurse, self.shares, 2, self.today)
        self.receive(4501)
        self.assertEqual([cents(line.left) for line in plan.line_ids], [0, 4500])
        self.receive(4500)
        self.assertFalse(self.shares.filtered(lambda share: share.state != "paid"))
        self.assertEqual(self.env["health.plan"]._run(self.today)["done"], 1)

    # -- the bank ------------------------------------------------------------------------------------

    def test_a_transfer_that_quotes_the_reference_is_booked(self):
        line = self.credit(9001, f"VIR DURAND REF {self.patient.ref}")
        self.nurse._health_take_receipts()
        self.assertTrue(line.is_reconciled)
        self.assertEqual(set(self.shares.mapped("state")), {"paid"})
        receipt = self.Receipt.search([("statement_line_id", "=", line.id)])
        self.assertTrue(receipt.is_in_bank)
        self.assertEqual(sum(cents(item.balance) for item in line.move_id.line_ids), 0)
        self.assertNotIn(self.bank.suspense_account_id, line.move_id.line_ids.account_id)
        self.assertFalse(self.nurse._health_take_receipts())
        # undone, everything is as before
        line.action_undo_reconciliation()
        self.assertEqual(receipt.state, "undone")
        self.assertEqual(set(self.shares.mapped("state")), {"due"})
        self.assertFalse(line.is_reconciled)

    def test_a_transfer_of_one_instalment_settles_the_oldest(self):
        line = self.credit(3000, f"{self.patient.ref} MERCI")
        self.nurse._health_take_receipts()
        self.assertTrue(line.is_reconciled)
        self.assertCents(self.old.amount_residual, 1000)
        # the label names a sheet: that is the debtor's choice
        line = self.credit(5001, f"{self.patient.ref} FSE 000000202")
        self.nurse._health_take_receipts()
        self.assertTrue(line.is_reconciled)
        self.assertEqual((self.old.state, self.new.state), ("partial", "paid"))

    def test_what_is_not_certain_waits_for_a_person(self):
        other = self.make_patient(self.nurse, "AUTRE Paul", "1550175999003")
        self.late("000000205", patient=3000, patient_id=other.id)
        lines = (
            self.credit(9002, f"VIR {self.patient.ref}")  # more than is owed
            + self.credit(3000, f"VIR {self.patient.ref} {other.ref}")  # whose?
            + self.credit(4000, "VIR DURAND ANNE")  # no reference
        )
        self.assertFalse(self.nurse._health_take_receipts())
        self.assertFalse(any(lines.mapped("is_reconciled")))
        # a person books the last one from the bank line
        wizard = self.wizard(mode="transfer", statement_line_id=lines[2].id, amount=40)
        wizard.action_book()
        self.assertTrue(lines[2].is_reconciled)
        self.assertEqual(self.old.state, "paid")
        with self.assertRaises(UserError):
            self.wizard(mode="transfer", statement_line_id=lines[2].id, amount=40).action_book()

    def test_the_reference_of_another_practitioner_proves_nothing_here(self):
        self.late("000000206", company=self.physio, patient=3000, patient_id=self.physio_patient.id)
        line = self.credit(3000, f"VIR {self.physio_patient.ref}")
        self.assertFalse((self.nurse + self.physio)._health_take_receipts())
        self.assertFalse(line.is_reconciled)

    def test_a_deposit_of_cheques_is_found_in_the_bank(self):
        receipts = self.receive(4000, shares=self.old, reference="111") + self.receive(
            5001, shares=self.new, reference="222"
        )
        action = receipts.action_deposit()
        deposit = self.env["health.deposit"].browse(action["res_id"])
        self.assertEqual((deposit.count, cents(deposit.amount)), (2, 9001))
        with self.assertRaises(UserError):
            receipts[0].action_deposit()
        early = self.credit(9001, "REMISE CHEQUES 0012", self.today)
        self.nurse._health_take_receipts()
        self.assertFalse(early.is_reconciled, "the cheques had not left")
        deposit.action_bring()
        self.nurse._health_take_receipts()
        self.assertTrue(early.is_reconciled)
        self.assertEqual(deposit.state, "credited")
        self.assertEqual(self.balance("cheque"), 0)
        with self.assertRaises(UserError):
            receipts[0]._undo("undone", "mistake")
        # one bounces: it is owed again, and the debit of the bank is waited for
        receipts[0]._undo("bounced", "no funds")
        self.assertEqual((self.old.state, self.new.state), ("due", "paid"))
        self.assertEqual(self.balance("cheque"), -4000)

    def test_an_amount_alone_proves_no_deposit(self):
        self.receive(4000, shares=self.old).action_deposit()
        self.env["health.deposit"].search([("company_id", "=", self.nurse.id)]).action_bring()
        line = self.credit(4000, "VIR CPAM")
        self.nurse._health_take_receipts()
        self.assertFalse(line.is_reconciled)
        twins = self.credit(4000, "REMISE CHEQUES 1") + self.credit(4000, "REMISE CHEQUES 2")
        self.nurse._health_take_receipts()
        self.assertFalse(any(twins.mapped("is_reconciled")), "one of two: which?")

    def test_the_matching_of_payers_lets_the_patient_transfers_through(self):
        Line = self.env["account.bank.statement.line"]
        if not hasattr(Line, "_health_match"):
            self.skipTest("health_noemie is not installed")
        line = self.credit(3000, f"VIR SEPA {self.patient.ref}")
        exact = self.credit(5001, "VIR DURAND ANNE FSE 000000202")
        sentences = Line._health_match(self.nurse)
        self.assertTrue(any("30,00" in text for text in sentences))
        self.assertEqual((line.health_match_state, line.health_match_rule), ("matched", "patient"))
        self.assertTrue(line.health_match_evidence)
        self.assertEqual(exact.health_match_rule, "patient")
        self.assertEqual(self.new.state, "paid")
        self.assertCents(self.old.amount_residual, 1000)
        line.action_undo_reconciliation()
        self.assertCents(self.old.amount_residual, 4000)
        self.assertTrue(line.health_hold)
        Line._health_match(self.nurse)
        self.assertFalse(line.is_reconciled, "a person undid it: it is not made again")

    def test_a_practice_of_before_gets_the_accounts_of_the_receipts(self):
        path = file_path("health_billing/migrations/19.0.4.0.0/post-receipts.py")
        spec = spec_from_file_location("post_receipts", path)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        self.physio._health_account("cheque").unlink()
        with self.assertRaises(UserError):
            self.physio._health_account("cheque")
        for _again in range(2):
            module.migrate(self.env.cr, "19.0.3.0.0")
            account = self.physio.with_company(self.physio)._health_account("cheque")
            self.assertEqual(account.code, "511200")
            self.assertTrue(self.physio._health_account("cheque").reconcile)

    # -- paper ---------------------------------------------------------------------------------------

    def test_receipt_slip_and_letter_say_amounts_and_no_care(self):
        receipt = self.receive(4500, reference="1234567", bank="CA")
        deposit = self.env["health.deposit"]._make(receipt)
        plan = self.env["health.plan"]._ask(self.patient, self.nurse, self.new, 2, self.today)
        Report = self.env["ir.actions.report"]
        texts = {
            "receipt": Report._render_qweb_html("health_collections.receipt", receipt.ids)[0],
            "deposit": Report._render_qweb_html("health_collections.deposit", deposit.ids)[0],
            "plan": Report._render_qweb_html("health_collections.plan_letter", plan.ids)[0],
        }
        for name, text in texts.items():
            text = text.decode()
            self.assertIn("45" if name != "plan" else "22,5", text)
            for word in ("AMI ", "Nurse care", "soins infirmiers"):
                self.assertNotIn(word, text)
        self.assertIn("000000201", texts["receipt"].decode())
        self.assertIn("1234567", texts["deposit"].decode())
        receipt.action_send()
        contact = self.env["health.contact"].search([("kind", "=", "receipt")], limit=1)
        self.assertIn("45,00", contact.body)

    # -- who may -------------------------------------------------------------------------------------

    def test_who_reads_and_who_books(self):
        receipt = self.receive(1000)
        deposit = self.env["health.deposit"]._make(receipt)
        records = (receipt, receipt.line_ids, deposit)
        for group in ("accountant", "practitioner", "biller", "manager"):
            user = self.make_user(f"{group}_receipt", f"health_billing.group_{group}", self.nurse)
            for one in records:
                own = one.with_user(user).with_context(allowed_company_ids=self.nurse.ids)
                self.assertTrue(own.read(["company_id"]))
                with self.assertRaises(AccessError):
                    own.write({"amount": 1})
            if group in ("accountant", "practitioner"):
                own = receipt.with_user(user).with_context(allowed_company_ids=self.nurse.ids)
                with self.assertRaises(AccessError):
                    own._undo("undone", "no")
        for login, group, company in (
            ("stranger_receipt", "health_billing.group_biller", self.physio),
            ("plain_receipt", "base.group_user", self.nurse),
        ):
            user = self.make_user(login, group, company)
            for one in records:
                with self.assertRaises(AccessError):
                    one.with_user(user).with_context(allowed_company_ids=company.ids).read(
                        ["amount"]
                    )
        biller = self.make_user("books_receipt", "health_billing.group_biller")
        env = self.env(user=biller, context={**self.env.context})
        wizard = self.wizard(env, amount=10, mode="cash")
        self.assertCents(self.Receipt.browse(wizard.action_book()["res_id"]).amount, 1000)

    def test_many_credits_cost_a_bounded_number_of_queries_each(self):
        def many(first, count):
            for n in range(count):
                patient = self.make_patient(
                    self.nurse, f"P {first + n}", f"15501758{first + n:05d}"
                )
                self.late(f"{first + n:09d}", patient=2000, patient_id=patient.id)
                self.credit(7777, f"VIR QUELQUE CHOSE {first + n}")
                self.credit(2000 + n, "VIR SANS REFERENCE")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.nurse._health_take_receipts()
            return self.env.cr.sql_log_count - before

        many(10000, 1)
        # what finds nothing costs the same for few and many
        self.assertLessEqual(many(20000, 10), many(30000, 2) + 3)
