from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import file_open
from odoo.tools.translate import translation_file_reader

from .common import CollectionsCommon


@tagged("post_install", "-at_install")
class TestSetup(CollectionsCommon):
    def test_practitioner_gets_own_policy(self):
        policy = self.nurse.credit_policy_id
        self.assertEqual(policy.company_id, self.nurse)
        self.assertEqual(policy.account_ids, self.nurse._health_account("patient"))
        self.assertEqual(policy.account_ids.with_company(self.nurse).code, "411000")
        self.assertNotEqual(policy, self.physio.credit_policy_id)
        levels = policy.level_ids.sorted("level")
        self.assertEqual(
            levels.mapped("channel"), ["email", "email", "phone", "letter", "registered"]
        )
        self.assertEqual(levels.mapped("delay_days"), [10, 17, 30, 45, 60])
        self.assertEqual(
            levels.mapped("health_tone"), ["neutral", "kind", "kind", "firm", "formal"]
        )
        self.assertEqual(levels.filtered("health_is_notice"), levels[-1])
        self.assertFalse(
            levels.email_template_id.report_template_ids, "a reminder has no attachment"
        )
        for text in (levels[0].custom_text, levels[0].custom_mail_text):
            self.assertIn("Sauf erreur de notre part", text)

    def test_french_of_the_data_is_that_of_their_present_text(self):
        """A translation of a text that has changed since would stand in front of the new one."""
        wrong = []
        with file_open("health_collections/i18n/fr.po", "rb") as file:
            for row in translation_file_reader(file, "po"):
                if row["type"] != "model" or row["name"].startswith("ir."):
                    continue
                model, field = row["name"].split(",")
                record = self.env.ref(f"{row['module']}.{row['imd_name']}", False)
                if record and model in self.env and record._name == model:
                    source = record.with_context(lang="en_US")[field]
                    if source != row["src"]:
                        wrong.append((row["imd_name"], field, row["src"], source))
        self.assertEqual(wrong, [])

    def test_one_scale_per_kind_of_debtor(self):
        for kind in ("patient", "amc", "amo"):
            policy = self.nurse._health_policy(kind)
            self.assertEqual((policy.company_id, policy.health_debtor_kind), (self.nurse, kind))
            self.assertEqual(policy.account_ids, self.nurse._health_account(kind))
            self.assertTrue(policy.level_ids)
            # whoever has none of their own gets the model's
            model = self.agency._health_policy(kind)
            self.assertEqual((model.company_id, model.active), (self.env["res.company"], False))
        with self.assertRaises(ValidationError):
            self.nurse._health_policy("amc").copy({"company_id": self.nurse.id})

    def test_setup_again_changes_nothing(self):
        policy = self.nurse.credit_policy_id
        first = policy.level_ids.filtered(lambda level: level.level == 1)
        first.delay_days = 20
        policies = self.env["credit.control.policy"].search_count([])
        providers = self.env["payment.provider"].search_count([])
        self.nurse._health_setup_collections()
        self.assertEqual(self.nurse.credit_policy_id, policy)
        self.assertEqual(first.delay_days, 20)
        self.assertEqual(self.env["credit.control.policy"].search_count([]), policies)
        self.assertEqual(self.env["payment.provider"].search_count([]), providers)

    def test_delay_is_a_parameter(self):
        self.env["health.parameter"].search([("code", "=", "reminder_after_days")]).value = 8
        company = self.make_practitioner(
            "Other Nurse", "infirmier", "75690077", "FR1420041010050500013M02606"
        )
        self.assertEqual(company.credit_policy_id.level_ids[:1].delay_days, 8)

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
