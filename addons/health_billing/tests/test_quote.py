import base64
import re
from datetime import date

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged

from ..tools import cents
from .common import HealthCommon

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


class QuoteCommon(HealthCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.patient.email = "anne@example.org"
        cls.act = cls.env["product.product"].search(
            [
                ("health_profession", "=", "infirmier"),
                ("health_key_letter", "=", "AMI"),
                ("health_coefficient_hundredths", "=", 400),
            ],
            limit=1,
        )
        cls.outside = cls.env.ref("health_billing.product_outside")
        cls.quote = cls.make_quote()

    @classmethod
    def make_quote(cls, overrun=10.0, quantity=3, **values):
        return cls.env["sale.order"].create(
            {
                "health_patient_id": cls.patient.id,
                "health_care_date": "2026-10-05",
                "order_line": [
                    (
                        0,
                        0,
                        {
                            "product_id": cls.act.id,
                            "product_uom_qty": quantity,
                            "health_overrun": overrun,
                        },
                    ),
                    (
                        0,
                        0,
                        {
                            "product_id": cls.outside.id,
                            "name": "Bain de pieds",
                            "product_uom_qty": 1,
                            "health_tariff": 12.5,
                        },
                    ),
                ],
                **values,
            }
        )

    @classmethod
    def sign(cls, quote, moment="2026-10-01 08:00:00"):
        quote.write({"signed_by": "Anne", "signed_on": moment})
        quote.action_confirm()


@tagged("post_install", "-at_install")
class TestQuote(QuoteCommon):
    def findings(self, fses):
        return {
            (found["fse_id"], found["rule_code"]): found
            for found in self.env["sale.order"]._findings(fses)
        }

    def parameter(self, code, value):
        self.env["health.parameter"].search([("code", "=", code)]).value = value

    def test_price_is_tariff_and_overrun_without_tax(self):
        act, free = self.quote.order_line
        self.assertEqual((act.health_tariff, act.price_unit), (12.6, 22.6))
        self.assertEqual((free.health_is_covered, free.price_unit), (False, 12.5))
        self.assertFalse(self.quote.order_line.tax_ids)
        self.assertEqual((self.quote.amount_total, self.quote.health_overrun), (80.3, 30))
        self.assertEqual((self.quote.company_id, self.quote.partner_id), (self.nurse, self.patient))
        self.assertTrue(self.quote.require_signature)
        self.assertFalse(self.quote.require_payment)

    def test_the_tariff_is_that_of_the_day_of_the_care(self):
        self.assertEqual(
            self.make_quote(health_care_date="2026-11-09").order_line[0].health_tariff, 13.4
        )

    def test_funds_bear_the_tariff_only(self):
        case = self.env["health.coverage.case"].search([], limit=1)
        self.env["health.coverage"].create(
            {
                "patient_id": self.patient.id,
                "date_from": "2026-01-01",
                "case_id": case.id,
                "amo_partner_id": self.cpam.id,
                "amo_rate": 60,
            }
        )
        quote = self.make_quote()
        act, free = quote.order_line
        rate = self.patient.health_coverage_ids.amo_rate
        self.assertEqual(cents(act.health_amo), (3780 * rate + 50) // 100)
        self.assertEqual(free.health_amo, 0)
        self.assertEqual(
            quote.health_rest, quote.amount_total - quote.health_amo - quote.health_amc
        )

    def test_acts_of_the_nomenclature_are_sold_nowhere_else(self):
        self.assertFalse(self.act.sale_ok or self.outside.sale_ok)

    def test_no_ordinary_invoice(self):
        self.sign(self.quote)
        self.assertEqual(self.quote.invoice_status, "no")
        with self.assertRaisesRegex(UserError, self.quote.name):
            self.quote._create_invoices()
        wizard = self.env["sale.advance.payment.inv"].with_context(
            active_model="sale.order", active_ids=self.quote.ids
        )
        for method in ("delivered", "percentage"):
            with self.subTest(method), self.assertRaises(UserError):
                wizard.create({"advance_payment_method": method, "amount": 10}).create_invoices()
        self.assertFalse(self.quote.invoice_ids)

    def test_mail_names_neither_care_nor_price(self):
        mails = self.env["mail.mail"].search([])
        self.quote.action_quotation_send()
        mail = self.env["mail.mail"].search([]) - mails
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.recipient_ids, self.patient)
        self.assertFalse(mail.attachment_ids)
        text = f"{mail.subject} {mail.body_html}"
        self.assertIn(self.quote.access_token, text)
        for secret in (self.act.name, "AMI", "Bain de pieds", "80,30", "80.30"):
            self.assertNotIn(secret, text)
        self.assertEqual(self.quote.state, "sent")

    def test_signed_on_paper_needs_the_scan(self):
        with self.assertRaises(UserError):
            self.quote.action_health_signed_on_paper()
        self.quote.health_scan_ids = self.env["ir.attachment"].create(
            {"name": "signed.pdf", "raw": b"%PDF-1.4"}
        )
        self.quote.action_health_signed_on_paper()
        self.assertTrue(self.quote.health_is_signed)

    def test_from_the_fse_and_back(self):
        fse = self.make_fse(self.nurse, "1", amo=8000)
        action = fse.action_health_quote()
        self.assertEqual(fse.quote_id.id, action["res_id"])
        self.assertEqual(fse.quote_id.amount_total, 80)
        self.assertEqual(fse.action_health_quote()["res_id"], fse.quote_id.id)
        with self.assertRaisesRegex(UserError, "signed"):
            self.quote.action_health_make_fse()
        self.sign(self.quote)
        made = self.env["health.fse"].browse(self.quote.action_health_make_fse()["res_id"])
        self.assertEqual((made.quote_id, made.patient_id), (self.quote, self.patient))
        self.assertEqual(made.act_ids[0].product_id, self.act)
        self.assertEqual((made.act_ids[0].quantity, made.act_ids[0].overrun), (1, 10))
        self.assertFalse(made.share_ids.move_id)

    def test_threshold_is_reached_at_70_euros_with_an_overrun(self):
        below, at, covered = (
            self.make_fse(self.nurse, number, patient=amount, overrun=overrun)
            for number, amount, overrun in (("1", 6999, 10), ("2", 7000, 10), ("3", 9000, 0))
        )
        found = self.findings(below + at + covered)
        self.assertEqual(set(found), {(at.id, "DEV-01")})
        self.assertEqual(found[at.id, "DEV-01"]["severity"], "2")
        self.assertIn("70,00 €", found[at.id, "DEV-01"]["message"])

    def test_outside_the_nomenclature_and_scope(self):
        free = self.make_fse(self.nurse, "1", patient=8000)
        free.act_ids.key_letter = "HN"
        plain = self.make_fse(self.nurse, "2", amo=8000)
        both = free + plain
        self.assertEqual(set(self.findings(both)), {(free.id, "DEV-01")})
        self.parameter("quote_scope", 0)
        self.assertFalse(self.findings(both))
        self.parameter("quote_scope", 2)
        self.assertEqual(len(self.findings(both)), 2)

    def test_outside_the_nomenclature_keeps_its_price(self):
        """The price agreed stands; the acts of the same session are priced without it."""
        self.sign(self.quote)
        self.quote.action_health_make_fse()
        fse = self.quote.health_fse_ids
        free = fse.act_ids.filtered(lambda act: act.key_letter == "HN")
        self.assertEqual((free.amount, free.patient_amount), (12.5, 12.5))
        self.assertFalse(fse.price_issue)
        self.assertEqual(fse.amount_total, sum(fse.act_ids.mapped("amount")))
        self.assertFalse(fse.finding_ids.filtered(lambda one: one.act_id == free))

    def test_policy(self):
        fse = self.make_fse(self.nurse, "1", patient=8000, overrun=10)
        self.parameter("quote_policy", 2)
        self.assertEqual(self.findings(fse)[fse.id, "DEV-01"]["severity"], "3")
        self.parameter("quote_policy", 0)
        self.assertFalse(self.findings(fse))

    def test_signed_in_time_and_not_dearer(self):
        fse = self.make_fse(self.nurse, "1", patient=8000, overrun=10, quote_id=self.quote.id)
        self.assertEqual(set(self.findings(fse)), {(fse.id, "DEV-01")})
        self.sign(self.quote)
        self.assertFalse(self.findings(fse))
        self.quote.signed_on = "2026-10-06 08:00:00"
        self.assertIn("06/10/2026", self.findings(fse)[fse.id, "DEV-01"]["message"])
        self.quote.signed_on = "2026-10-01 08:00:00"
        second = self.make_fse(self.nurse, "2", amo=31, quote_id=self.quote.id)
        self.assertEqual(
            set(self.findings(fse + second)), {(fse.id, "DEV-02"), (second.id, "DEV-02")}
        )

    def test_quote_to_sign_is_a_card_when_the_care_is_near(self):
        cards = self.env["sale.order"]._cockpit_cards("to_complete", date(2026, 10, 1))
        self.assertEqual([card["key"] for card in cards], [f"quote-{self.nurse.id}"])
        self.sign(self.quote)
        self.assertFalse(self.env["sale.order"]._cockpit_cards("to_complete", date(2026, 10, 1)))

    def seen_by(self, user, record):
        return record.with_user(user).with_context(allowed_company_ids=user.company_ids.ids)

    def test_rights(self):
        biller = self.make_user("biller", "health_billing.group_biller")
        nurse = self.make_user("nurse", "health_billing.group_practitioner", self.nurse)
        quote = self.seen_by(biller, self.env["sale.order"]).create(
            {
                "health_patient_id": self.patient.id,
                "order_line": [(0, 0, {"product_id": self.act.id})],
            }
        )
        quote.action_health_send()
        self.assertTrue(self.seen_by(nurse, quote).order_line.read(["name"]))
        with self.assertRaises(AccessError):
            self.seen_by(nurse, quote).write({"health_care_date": "2026-12-01"})
        others = [
            self.make_user("physio", "health_billing.group_practitioner", self.physio),
            self.make_user("accountant", "health_billing.group_accountant"),
            self.make_user("seller", "sales_team.group_sale_salesman_all_leads"),
            self.make_user("stranger", "base.group_user"),
        ]
        for user in others:
            for record in (quote, quote.order_line):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    self.seen_by(user, record).read(["display_name", "name"])

    def test_an_ordinary_sale_stays_one(self):
        product = self.env["product.product"].create({"name": "Chair", "list_price": 50})
        sale = self.env["sale.order"].create(
            {"partner_id": self.cpam.id, "order_line": [(0, 0, {"product_id": product.id})]}
        )
        self.assertEqual(sale.order_line.price_unit, 50)
        self.assertEqual(sale.require_signature, sale.company_id.portal_confirmation_sign)
        self.assertEqual(sale._get_name_portal_content_view(), "sale.sale_order_portal_content")

    def test_number_of_queries_does_not_grow(self):
        def count(fses):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["sale.order"]._findings(fses)
            return self.env.cr.sql_log_count - before

        def make(numbers):
            return self.env["health.fse"].concat(
                *(
                    self.make_fse(
                        self.nurse,
                        str(number),
                        patient=8000,
                        overrun=10,
                        quote_id=self.make_quote().id,
                    )
                    for number in numbers
                )
            )

        few = make(range(3))
        self.sign(few.quote_id[0])
        count(few)
        expected = count(few)
        self.assertEqual(count(few + make(range(10, 37))), expected)


@tagged("post_install", "-at_install")
class TestQuotePortal(QuoteCommon, HttpCase):
    def setUp(self):
        super().setUp()
        self.quote._portal_ensure_token()
        self.quote.state = "sent"
        self.quote.validity_date = fields.Date.context_today(self.quote).replace(year=2099)
        self.env.flush_all()

    def accept(self, token, name="Anne Durand", signature=PNG):
        return self.make_jsonrpc_request(
            f"/my/orders/{self.quote.id}/accept",
            {"access_token": token, "name": name, "signature": signature},
        )

    def test_the_page_says_what_the_law_wants_and_its_title_nothing(self):
        page = self.url_open(self.quote.get_portal_url()).text
        for text in (
            self.nurse.health_provider_no,
            self.patient.name,
            "Bain de pieds",
            "L1111-3",
        ):
            self.assertIn(text, page)
        self.assertRegex(page, r"80[.,]30")
        title = re.search(r"<title>(.*?)</title>", page, re.S)[1]
        self.assertNotIn("Bain", title)
        self.assertNotIn(self.act.name, title)

    def test_signing_keeps_the_proof_and_mails_nothing(self):
        mails = self.env["mail.mail"].search_count([])
        answer = self.accept(self.quote.access_token)
        self.assertTrue(answer.get("force_refresh"), answer)
        self.env.invalidate_all()
        self.assertTrue(self.quote.health_is_signed)
        self.assertEqual(self.quote.signed_by, "Anne Durand")
        self.assertEqual(self.quote.signature, base64.b64encode(base64.b64decode(PNG)))
        proof = self.quote.message_ids.attachment_ids
        self.assertIn(self.quote.name, proof.name)
        self.assertIn(b"Bain de pieds", proof.raw)
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)
        self.assertIn("error", self.accept(self.quote.access_token))
        self.assertIn("Anne Durand", self.url_open(self.quote.get_portal_url()).text)

    def test_a_wrong_token_signs_nothing(self):
        self.assertIn("error", self.accept("wrong"))
        self.env.invalidate_all()
        self.assertFalse(self.quote.signature)
        page = self.url_open(f"/my/orders/{self.quote.id}?access_token=wrong").text
        self.assertNotIn("Bain de pieds", page)

    def test_name_and_signature_are_needed(self):
        self.assertIn("error", self.accept(self.quote.access_token, name=" "))
        self.assertIn("error", self.accept(self.quote.access_token, signature=""))
        self.env.invalidate_all()
        self.assertEqual(self.quote.state, "sent")

    def test_the_printed_quote_is_ours(self):
        page = self.url_open(self.quote.get_portal_url(report_type="html")).text
        self.assertIn("L1111-3", page)
        self.assertIn(self.nurse.health_provider_no, page)
