"""Who may see and do what."""

from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from .common import REFERENCE, NoemieCommon


@tagged("post_install", "-at_install")
class TestAccess(NoemieCommon):
    def setUp(self):
        super().setUp()
        self.make_fse(self.nurse, "000000101", amo=6000)
        self.make_fse(self.nurse, "000000102", amo=5000)
        self.file = self.noemie(
            self.settlement(self.paid("000000101", amo=6000), self.rejected("000000102", 5000))
        )
        self.statement = self.camt(self.entry(6000, f"VIR {REFERENCE}"))

    def as_user(self, user, companies=None):
        return self.env(
            user=user, context={"allowed_company_ids": (companies or user.company_ids).ids}
        )

    def test_biller_does_the_whole_path(self):
        user = self.make_user("biller", "health_billing.group_biller")
        # only the agency is ticked in the company menu
        env = self.as_user(user, self.agency)
        self.assertEqual(self.drop(self.file, env=env).state, "done")
        inbox = self.drop(self.statement, env=env)
        self.assertEqual(inbox.state, "done", inbox.message)
        self.assertBooked(self.credits(), "reference")
        env = self.as_user(user)
        rejection = env["health.rejection"].search([("company_id", "=", self.nurse.id)])
        rejection.action_fixed()
        self.assertEqual(rejection.state, "fixed")
        self.assertTrue(env["health.cockpit"].data())
        credit = env["account.bank.statement.line"].browse(self.credits().id)
        credit.action_health_undo()
        self.assertEqual(credit.health_match_state, "queue")
        credit.action_health_book_chosen()
        self.assertEqual(credit.health_match_rule, "person")
        self.assertTrue(env["health.cycle"].run().is_ok)

    def test_biller_of_other_practitioners_cannot_take_the_file_in(self):
        user = self.make_user("other", "health_billing.group_biller", self.agency + self.physio)
        inbox = self.drop(self.file, env=self.as_user(user))
        self.assertEqual(inbox.state, "review")
        self.assertFalse(self.settlements())
        inbox = self.drop(self.statement, env=self.as_user(user))
        self.assertEqual(inbox.state, "review")
        self.assertFalse(self.credits())

    def test_practitioner_reads_and_writes_nothing(self):
        self.drop(self.file)
        user = self.make_user("nurse", "health_billing.group_practitioner", self.nurse)
        env = self.as_user(user)
        settlement = env["health.settlement"].search([])
        self.assertEqual(settlement.line_ids.mapped("invoice_no"), ["000000101", "000000102"])
        rejection = env["health.rejection"].search([])
        self.assertTrue(rejection.advice)
        for record in (settlement, settlement.line_ids, rejection, rejection.code_id):
            with self.assertRaises(AccessError):
                record.check_access("write")

    def test_screens_open_for_each_role(self):
        self.drop(self.file)
        self.drop(self.statement)
        for group, companies in (
            ("group_practitioner", self.nurse),
            ("group_biller", self.companies),
            ("group_manager", self.companies),
        ):
            user = self.make_user(group, f"health_billing.{group}", companies)
            env = self.as_user(user)
            self.assertTrue(env["health.cockpit"].data())
            for model in ("health.settlement", "health.rejection", "health.share"):
                for record in env[model].search([("company_id", "=", self.nurse.id)]):
                    self.assertTrue(Form(record).id)
        credit = self.credits().with_env(env)
        self.assertTrue(
            Form(credit, view="health_noemie.view_bank_credit_form").health_match_evidence
        )
        self.assertEqual(credit.action_health_open_reconcile()["domain"], [("id", "=", credit.id)])
        action = self.settlements().with_env(env).action_open_bank_lines()
        self.assertEqual(action["res_id"], credit.id)

    def test_accountant_may_undo(self):
        self.drop(self.file)
        self.drop(self.statement)
        user = self.make_user("accountant2", "health_billing.group_accountant")
        credit = self.credits().with_env(self.as_user(user))
        credit.action_undo_reconciliation()
        self.assertEqual(self.settlements().state, "announced")

    def test_other_practitioner_sees_nothing(self):
        self.drop(self.file)
        user = self.make_user("physio", "health_billing.group_practitioner", self.physio)
        env = self.as_user(user)
        for model in ("health.settlement", "health.settlement.line", "health.rejection"):
            self.assertFalse(env[model].search([]))
        with self.assertRaises(AccessError):
            self.settlements().with_env(env).read(["name"])

    def test_accountant_reads_settlements_not_rejections(self):
        self.drop(self.file)
        user = self.make_user("accountant", "health_billing.group_accountant")
        env = self.as_user(user)
        self.assertTrue(env["health.settlement"].search([]))
        with self.assertRaises(AccessError):
            env["health.rejection"].search([])
        with self.assertRaises(AccessError):
            self.settlements().with_env(env).write({"label1": "x"})

    def test_strangers_are_refused(self):
        self.drop(self.file)
        for group in ("base.group_user", "base.group_portal"):
            user = new_test_user(self.env, f"stranger_{group}", groups=group)
            for model in (
                "health.settlement",
                "health.settlement.line",
                "health.settlement.movement",
                "health.rejection",
                "health.reject.code",
                "health.reject.family",
            ):
                with self.assertRaises(AccessError):
                    self.env[model].with_user(user).search([])
