from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import HealthCommon, with_key


@tagged("post_install", "-at_install")
class TestPractitioner(HealthCommon):
    def test_wizard_makes_ready_to_bill(self):
        company = self.nurse
        self.assertEqual(company.chart_template, "fr_health")
        self.assertEqual(company.health_profession, "infirmier")
        for kind in ("amo", "amc", "patient"):
            self.assertEqual(company._health_journal(kind).company_id, company)
            self.assertEqual(company._health_account(kind).account_type, "asset_receivable")
        bank = self.env["account.journal"].search(
            [("company_id", "=", company.id), ("type", "=", "bank")]
        )
        self.assertEqual(bank.bank_account_id.sanitized_acc_number, "FR7630006000011234567890189")
        self.assertTrue(bank.suspense_account_id)
        self.assertLess(
            self.env["account.account"].search_count([("company_ids", "in", company.id)]), 60
        )

    def test_setup_twice_is_refused_and_safe(self):
        wizard = self.env["health.practitioner.setup"].create(
            {
                "name": "Again",
                "profession": "infirmier",
                "provider_no": self.nurse.health_provider_no,
                "iban": "FR7630006000011234567890189",
            }
        )
        with self.assertRaisesRegex(ValidationError, "there already"):
            wizard.action_setup()
        before = self.env["account.journal"].search_count([("company_id", "=", self.nurse.id)])
        self.nurse._health_setup()
        self.assertEqual(
            self.env["account.journal"].search_count([("company_id", "=", self.nurse.id)]), before
        )

    def test_wrong_numbers_are_named(self):
        values = {"name": "X", "profession": "infirmier", "iban": "FR7630006000011234567890189"}
        for numbers, message in (
            ({"provider_no": "756900019"}, "billing number 756900019"),
            ({"provider_no": with_key("75600099"), "rpps": "12345678901"}, "RPPS number"),
            ({"provider_no": with_key("75600099"), "siren": "123456789"}, "SIREN"),
        ):
            with self.subTest(message), self.assertRaisesRegex(ValidationError, message):
                self.env["health.practitioner.setup"].create(values | numbers).action_setup()
        self.assertFalse(self.env["res.company"].search([("name", "=", "X")]))

    def test_only_a_manager_adds_practitioners(self):
        biller = self.make_user("biller", "health_billing.group_biller")
        with self.assertRaises(UserError):
            self.env["health.practitioner.setup"].with_user(biller).create(
                {
                    "name": "X",
                    "profession": "infirmier",
                    "provider_no": with_key("75600099"),
                    "iban": "x",
                }
            )

    def test_nir_keys_including_corsica(self):
        for nir, key in (("2990199999001", "57"), ("199012A999001", "36"), ("299012B999002", "12")):
            with self.subTest(nir):
                patient = self.make_patient(self.nurse, nir, nir)
                self.assertEqual(patient.health_nir_key, key)
        with self.assertRaisesRegex(ValidationError, "NIR"):
            self.make_patient(self.nurse, "Short", "12345")
