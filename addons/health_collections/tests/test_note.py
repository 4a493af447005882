import re

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.health_billing.tools import cents

from .note_common import NoteCase


@tagged("post_install", "-at_install")
class TestNote(NoteCase):
    # -- what the page tells
    # ------------------------------------------------------------------------

    def test_page_says_what_and_why(self):
        page = self.page(f"/ma-note/{self.token}").text
        self.assertIn('lang="fr"', page)
        self.assertIn("Il vous reste", page)
        self.assertIn("21,00\N{NO-BREAK SPACE}€", page)
        self.assertIn(
            "Soins du <span>5 octobre 2026" if "<span>5 octobre" in page else "5 octobre 2026", page
        )
        self.assertIn("Assurance Maladie", page)
        self.assertIn("18,90", page)
        self.assertIn("a payé", page)
        self.assertIn("ticket modérateur", page)
        self.assertIn("000301", page)
        self.assertIn(self.nurse.name, page)
        self.assertIn("FR76 3000", page)
        self.assertIn("hc-safe", page)
        self.assertIn(
            f'<a href="{self.nurse.sudo().health_policy_url}">Comment se passent les rappels</a>',
            page,
        )
        self.assertEqual(self.link.access_count, 1)
        self.assertTrue(self.link.last_seen)

    def test_nothing_of_the_care_nor_the_identity_leaks(self):
        transaction = self.pay_online()
        pages = [
            self.page(f"/ma-note/{self.token}"),
            self.page(f"/ma-note/{self.token}/recu/{transaction.reference}"),
        ]
        link, token = self.make_link(self.patient)
        self.late("000303")
        pages += [self.page(f"/ma-note/{token}"), self.page(f"/ma-note/{token}/payer")]
        for response in pages:
            body = re.sub(r"<script.*?</script>", "", response.text, flags=re.S)
            for secret in ("AMI", "2990199999001", "019990000", "infirmier"):
                self.assertNotIn(secret, body)
            title = re.search(r"<title>(.*?)</title>", response.text)[1]
            self.assertIn(title, ("Votre note", "Paiement", "Reçu"))
            self.assertEqual(response.headers["Cache-Control"], "no-store, private")
            self.assertIn("noindex", response.headers["X-Robots-Tag"])
            self.assertEqual(response.headers["Referrer-Policy"], "same-origin")
        for text in (transaction.reference, transaction.payment_id.memo, transaction.landing_route):
            self.assertNotIn(self.token, text)
            self.assertNotIn("DURAND", text)
            self.assertRegex(transaction.reference, r"^NOTE-[0-9A-F]{8}$")

    # -- links that do not open
    # -----------------------------------------------------------------------

    def test_unknown(self):
        for path in ("x" * 24, self.token[:-1], self.token + "a", "..%2f"):
            page = self.page(f"/ma-note/{path}", 404).text
            self.assertNotIn("DURAND", page)
        self.assertIn("Ce lien n", self.page("/ma-note/none/payer", 404).text)
        self.page("/ma-note/none/recu/NOTE-1", 404)

    def test_expired_and_revoked(self):
        self.link.expires_on = fields.Date.subtract(fields.Date.today(), days=2)
        page = self.page(f"/ma-note/{self.token}", 410).text
        self.assertIn(self.nurse.name, page)
        self.assertNotIn("DURAND", page)
        self.assertNotIn("21,00", page)
        other, token = self.make_link(self.patient)
        other.action_revoke()
        for path in ("", "/payer", "/recu/NOTE-1"):
            self.page(f"/ma-note/{token}{path}", 410)
        self.assertEqual(other.access_count, 0)

    def test_revoked_or_expired_link_starts_no_payment(self):
        other, token = self.make_link(self.patient)
        other.action_revoke()
        self.assertIn("plus valable", self.assertRefused(token))
        self.assertIn("plus valable", self.assertRefused("x" * 24))

    # -- paying
    # ---------------------------------------------------------------------------------------

    def test_pay_everything_once(self):
        transaction = self.pay_online()
        self.assertEqual(cents(transaction.amount), 2100)
        self.assertEqual(transaction.invoice_ids, (self.first + self.second).move_id)
        self.assertEqual(transaction.company_id, self.nurse)
        payment = transaction.payment_id
        self.assertEqual(payment.journal_id.company_id, self.nurse)
        self.assertTrue(payment.is_reconciled)
        (self.first + self.second).invalidate_recordset()
        self.assertEqual((self.first + self.second).mapped("state"), ["paid", "paid"])
        self.assertEqual(set((self.first + self.second).move_id.mapped("payment_state")), {"paid"})
        # the bank has not seen it yet: it waits on the outstanding account
        waiting = payment.move_id.line_ids.filtered(
            lambda line: line.account_id == payment.outstanding_account_id
        )
        self.assertEqual(cents(waiting.amount_residual), 2100)
        self.assertFalse(payment.is_matched)
        self.assertNotEqual(waiting.account_id, payment.journal_id.default_account_id)
        self.assertEqual(cents(sum(payment.move_id.line_ids.mapped("balance"))), 0)

    def test_receipt(self):
        transaction = self.pay_online()
        back = self.page("/ma-note/retour", 303)
        self.assertTrue(
            back.headers["Location"].endswith(f"/{self.token}/recu/{transaction.reference}")
        )
        page = self.page(f"/ma-note/{self.token}/recu/{transaction.reference}").text
        for text in (
            "DURAND Anne",
            self.nurse.name,
            "21,00",
            "000301, 000302",
            transaction.reference,
            "Reçu",
        ):
            self.assertIn(text, page)
        again = self.page(f"/ma-note/{self.token}").text
        self.assertIn("plus rien à régler", again)
        self.assertIn(f"/recu/{transaction.reference}", again)

    def test_receipt_books_what_the_provider_confirmed(self):
        reference = self.transaction()["reference"]
        self.simulate(reference)
        self.page(f"/ma-note/{self.token}/recu/{reference}")
        self.first.invalidate_recordset()
        self.assertEqual(self.first.state, "paid")

    def test_receipt_of_somebody_else(self):
        transaction = self.pay_online()
        _link, token = self.make_link(
            self.make_patient(self.nurse, "MEUNIER Jean", "1600275999003")
        )
        page = self.page(f"/ma-note/{token}/recu/{transaction.reference}", 404).text
        self.assertNotIn("DURAND", page)

    def test_return_without_session(self):
        page = self.page("/ma-note/retour").text
        self.assertIn("Rouvrez le lien", page)

    def test_waiting_page_is_ours(self):
        self.transaction()
        page = self.page("/payment/status").text
        self.assertIn("o_payment_status", page)
        self.assertIn("hc-body", page)
        self.assertNotIn("top_menu", page)

    def test_tampered_amount(self):
        for amount in (0.01, 20.99, 21.01, -21.0, 0, None, "21.0", True, 1e300, float("1e12")):
            with self.subTest(amount=amount):
                self.assertIn("montant", self.assertRefused(amount=amount))

    def test_tampered_seal(self):
        for seal in ("", None, "0" * 64, 12, ["x"]):
            with self.subTest(seal=seal):
                self.assertIn("montant", self.assertRefused(access_token=seal))

    def test_seal_of_another_patient(self):
        neighbour = self.make_patient(self.nurse, "MEUNIER Jean", "1600275999003")
        self.late("000304", patient=1260, patient_id=neighbour.id)
        self.late("000305", patient=840, patient_id=neighbour.id)
        _link, token = self.make_link(neighbour)
        # same amount, other patient: the seal of one page does not open the other
        self.assertIn("montant", self.assertRefused(token))

    def test_amount_changed_since_the_page(self):
        form = self.page(f"/ma-note/{self.token}/payer").text
        seal = re.search(r'data-access-token="(\w+)"', form)[1]
        self.pay(self.second)
        self.assertIn("montant", self.assertRefused(amount=21.0, access_token=seal))

    def test_other_practitioners_provider(self):
        other = self.demo_provider(self.physio)
        self.assertTrue(other)
        self.assertIn("moyen de paiement", self.assertRefused(provider_id=other.id))
        self.assertIn("moyen de paiement", self.assertRefused(provider_id=0))
        self.assertIn("moyen de paiement", self.assertRefused(payment_method_id=0))
        self.assertIn("moyen de paiement", self.assertRefused(flow="token"))

    def test_no_foreign_value_enters_the_transaction(self):
        self.assertRefused(partner_id=self.physio_patient.id)
        self.assertRefused(custom_create_values={"amount": 1})
        transaction = self.env["payment.transaction"].search(
            [
                (
                    "reference",
                    "=",
                    self.transaction(landing_route="https://evil.example")["reference"],
                )
            ]
        )
        self.assertEqual(transaction.landing_route, "/ma-note/retour")
        self.assertEqual(transaction.partner_id, self.patient)
        self.assertFalse(transaction.tokenize)

    def test_double_click_is_one_payment(self):
        first, second = self.transaction(), self.transaction()
        self.assertEqual(first["reference"], second["reference"])

    def test_pay_again_when_paid(self):
        self.pay_online()
        self.page(f"/ma-note/{self.token}/payer", 303)
        count = self.env["payment.transaction"].search_count([])
        said = self.refused(
            self.rpc,
            f"/ma-note/{self.token}/transaction/payer",
            {
                "provider_id": self.provider.id,
                "payment_method_id": self.method.id,
                "amount": 21.0,
                "flow": "direct",
                "access_token": self.link._access_token(self.first + self.second),
            },
        )
        self.assertIn("déjà réglé", said)
        self.assertEqual(self.env["payment.transaction"].search_count([]), count)

    def test_pay_while_one_is_under_way(self):
        form = self.page(f"/ma-note/{self.token}/payer").text
        reference = self.transaction()["reference"]
        self.simulate(reference, "pending")
        page = self.page(f"/ma-note/{self.token}").text
        self.assertIn("en cours de traitement", page)
        self.assertNotIn("/payer", page)
        said = self.refused(
            self.rpc,
            f"/ma-note/{self.token}/transaction/payer",
            {
                "provider_id": self.provider.id,
                "payment_method_id": self.method.id,
                "amount": 21.0,
                "flow": "direct",
                "access_token": re.search(r'data-access-token="(\w+)"', form)[1],
            },
        )
        self.assertIn("déjà en cours", said)

    def test_callback_replay_books_once(self):
        transaction = self.pay_online()
        for _time in range(3):
            self.simulate(transaction.reference)
            self.rpc("/payment/status/poll", {})
            self.page(f"/ma-note/{self.token}/recu/{transaction.reference}")
        transaction._post_process()
        payments = self.env["account.payment"].search([("partner_id", "=", self.patient.id)])
        self.assertEqual(payments, transaction.payment_id)
        receivable = self.nurse._health_account("patient")
        [(balance,)] = self.env["account.move.line"]._read_group(
            [
                ("account_id", "=", receivable.id),
                ("partner_id", "=", self.patient.id),
                ("parent_state", "=", "posted"),
            ],
            [],
            ["balance:sum"],
        )
        self.assertEqual(cents(balance), 0)

    def test_cancelled_and_failed(self):
        for state, text in (("cancel", "Paiement annulé"), ("error", "pas abouti")):
            with (
                self.subTest(state=state),
                mute_logger("odoo.addons.payment.models.payment_transaction"),
            ):
                reference = self.transaction()["reference"]
                self.simulate(reference, state)
                page = self.page(f"/ma-note/{self.token}/recu/{reference}").text
                self.assertIn(text, page)
                self.assertIn("rien n" if "rien n" in page else "Rien n", page)
        self.first.invalidate_recordset()
        self.assertEqual(self.first.state, "due")
        self.assertTrue(self.pay_online())

    def test_money_that_comes_twice_is_kept_and_shown(self):
        """Two payments that a provider confirms both: the invoices are paid once, the rest waits
        to be given back.
        """
        first = self.env["payment.transaction"].search(
            [("reference", "=", self.transaction()["reference"])]
        )
        second = first.copy(
            {"reference": "NOTE-AAAA0000", "invoice_ids": [(6, 0, first.invoice_ids.ids)]}
        )
        second.health_payment_link_id = self.link
        for transaction in first + second:
            transaction._set_done()
            transaction._post_process()
        Payment = self.env["account.payment"]
        self.assertTrue(first.payment_id.is_reconciled)
        self.assertFalse(second.payment_id.is_reconciled)
        self.assertEqual(
            Payment.search(
                Payment._health_overpaid_domain() + [("partner_id", "=", self.patient.id)]
            ),
            second.payment_id,
        )
        cards = self.env["health.cockpit"]._cards_patients(fields.Date.today())
        self.assertTrue(
            [card for card in cards if card["key"] == f"patients-overpaid-{self.nurse.id}"]
        )

    def test_no_provider(self):
        self.provider.state = "disabled"
        page = self.page(f"/ma-note/{self.token}/payer").text
        self.assertIn("pas disponible", page)
        self.assertIn("virement", page)
        self.assertNotIn("o_payment_form", re.sub(r"<head>.*?</head>", "", page, flags=re.S))

    def test_logged_in_person_pays_for_the_patient(self):
        self.make_user("biller_pays", "health_billing.group_biller").password = "biller_pays"
        self.authenticate("biller_pays", "biller_pays")
        transaction = self.pay_online()
        self.assertEqual(transaction.partner_id, self.patient)
