from odoo.tests import tagged

from .common import CollectionsCommon


@tagged("post_install", "-at_install")
class TestSetup(CollectionsCommon):
    def test_practitioner_gets_own_policy(self):
        policy = self.nurse.credit_policy_id
        self.assertEqual(policy.company_id, self.nurse)
        self.assertEqual(policy.account_ids, self.nurse._health_account("patient"))
        self.assertEqual(policy.account_ids.with_company(self.nurse).code, "411000")
        self.assertNotEqual(policy, self.physio.credit_policy_id)
        level = policy.level_ids
        self.assertEqual(len(level), 1)
        self.assertEqual(
            (level.delay_days, level.computation_mode, level.channel), (10, "net_days", "email")
        )
        self.assertFalse(
            level.email_template_id.report_template_ids, "a reminder has no attachment"
        )
        for text in (level.custom_text, level.custom_mail_text):
            self.assertIn("Sauf erreur de notre part", text)

    def test_setup_again_changes_nothing(self):
        policy = self.nurse.credit_policy_id
        policy.level_ids.delay_days = 20
        providers = self.env["payment.provider"].search_count([])
        self.nurse._health_setup_collections()
        self.assertEqual(self.nurse.credit_policy_id, policy)
        self.assertEqual(policy.level_ids.delay_days, 20)
        self.assertEqual(self.env["payment.provider"].search_count([]), providers)

    def test_delay_is_a_parameter(self):
        self.env["health.parameter"].search([("code", "=", "reminder_after_days")]).value = 8
        company = self.make_practitioner(
            "Other Nurse", "infirmier", "75690077", "FR1420041010050500013M02606"
        )
        self.assertEqual(company.credit_policy_id.level_ids.delay_days, 8)

    def test_practitioner_gets_demo_provider_on_own_bank(self):
        provider = self.demo_provider(self.nurse)
        self.assertEqual(len(provider), 1)
        self.assertTrue(provider.is_published)
        self.assertEqual(provider.journal_id.company_id, self.nurse)
        self.assertEqual(provider.journal_id.type, "bank")
        self.assertFalse(provider.allow_tokenization, "no card is kept")

    def test_real_provider_is_left_alone(self):
        demo = self.demo_provider(self.nurse)
        demo.state = "disabled"
        real = self.env["payment.provider"].create(
            {"name": "Bank of the nurse", "company_id": self.nurse.id, "state": "enabled"}
        )
        self.nurse._health_setup_payment_provider()
        self.assertEqual((demo.state, real.state), ("disabled", "enabled"))
