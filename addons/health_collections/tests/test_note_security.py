"""Attacks on the link, tried against the real controllers: none gets through."""

from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.health_billing.tools import cents

from .note_common import NoteCase


@tagged("post_install", "-at_install")
class TestNoteSecurity(NoteCase):
    def limit(self, code, value):
        self.env["health.parameter"].search([("code", "=", code)]).value = value

    def later(self, **delta):
        """Let time go by for what was tried so far."""
        tries = self.env["health.note.try"].search([])
        for one in tries:
            one.moment -= timedelta(**delta)
        tries.flush_recordset()

    # -- guessing ---------------------------------------------------------------------------------

    def test_guessing_is_slowed_down_whatever_is_tried(self):
        self.limit("note_misses", 6)
        self.page("/ma-note/guess", 404)
        self.page(f"/ma-note/{self.token}/payer/guess", 404)
        self.page(f"/ma-note/{self.token}/recu/NOTE-1", 404)
        self.send("/ma-note/guess/question", {"message": "x"}, status=404)
        self.send("/ma-note/guess/renouveler", status=404)
        # a refused call is undone; what it counted is not
        said = self.refused(self.rpc, "/ma-note/guess/transaction/payer", {"amount": 1.0})
        self.assertEqual(self.env["health.note.try"].search_count([("kind", "=", "miss")]), 6)
        self.page(f"/ma-note/{self.token}", 429)
        self.page("/ma-note/guess/payer", 429)
        self.send(f"/ma-note/{self.token}/question", {"message": "x"}, status=429)
        self.assertFalse(self.requests())
        said = self.refused(self.rpc, f"/ma-note/{self.token}/transaction/payer", {"amount": 1.0})
        self.assertIn("plus valable", said)
        self.later(minutes=11)
        self.page(f"/ma-note/{self.token}")

    def test_tries_are_counted_for_all_workers_and_say_nothing_of_the_visitor(self):
        self.page("/ma-note/guess", 404)
        self.env.flush_all()
        self.env.cr.execute("SELECT row_to_json(t)::text FROM health_note_try t")
        [(row,)] = self.env.cr.fetchall()
        self.assertNotIn("127.0.0", row)
        self.assertNotIn("guess", row)
        Try = self.env["health.note.try"]
        self.assertFalse(Try._is_too_many("miss", "127.0.0.1"))
        self.limit("note_misses", 1)
        # nothing in the memory of a worker: what another one wrote counts
        self.assertTrue(Try._is_too_many("miss", "127.0.0.1"))
        self.assertFalse(Try._is_too_many("miss", "127.0.0.2"))
        self.assertFalse(Try._is_too_many("payment", "127.0.0.1"))
        self.later(days=2)
        Try._gc_tries()
        self.assertFalse(Try.search([]))

    def test_visitor(self):
        visitor = self.env["health.note.try"]._visitor
        self.assertEqual(visitor("2001:db8:1:2:3::1"), visitor("2001:db8:1:2:ffff::9"))
        self.assertNotEqual(visitor("2001:db8:1:2::1"), visitor("2001:db8:1:3::1"))
        self.assertEqual(visitor("::ffff:192.0.2.7"), visitor("192.0.2.7"))
        self.assertEqual(visitor(None), visitor("nonsense"))

    # -- a link that was taken back ---------------------------------------------------------------

    def test_nothing_works_with_a_revoked_or_expired_link(self):
        revoked, token = self.make_link(self.patient)
        revoked.action_revoke()
        expired, old = self.make_link(self.patient)
        expired.expires_on = fields.Date.today() - timedelta(days=2)
        seal = self.link._access_token(self.first + self.second)
        models = ("payment.transaction", "health.debtor.request", "health.plan")
        before = [self.env[model].search_count([]) for model in models]
        for dead in (token, old):
            for path in (
                "",
                "/payer",
                "/echeance",
                "/reste",
                "/echelonner",
                "/accord",
                "/mutuelle",
            ):
                body = self.page(f"/ma-note/{dead}{path}", 410).text
                self.assertNotIn("DURAND", body)
                self.assertNotIn("21,00", body)
            for path in ("mutuelle", "desaccord", "rappel", "question", "echelonner"):
                self.send(
                    f"/ma-note/{dead}/{path}",
                    {"message": "x", "phone": "0612345678", "count": "2"},
                    status=410,
                )
            self.refused(self.transaction, dead, access_token=seal)
        self.assertEqual([self.env[model].search_count([]) for model in models], before)

    def test_new_link_goes_to_the_known_address_only(self):
        self.link.expires_on = fields.Date.today() - timedelta(days=2)
        domain = [("model", "=", "health.contact")]
        Mail = self.env["mail.mail"]
        for _time in range(4):
            page = self.send(
                f"/ma-note/{self.token}/renouveler", {"email": "thief@example.org"}, status=200
            )
            self.assertNotIn("anne.durand", page.text)
        mails = Mail.search(domain)
        self.assertEqual(len(mails), 2, "no more than that a day")
        self.assertEqual(mails.recipient_ids, self.patient)
        self.assertFalse(mails.filtered("email_to"))
        self.assertFalse(mails.filtered("scheduled_date"), "who asks does not wait for the morning")
        token = mails[0].body_html.split("/ma-note/")[1][:24]
        self.page(f"/ma-note/{token}")
        revoked, dead = self.make_link(self.patient)
        revoked.action_revoke()
        again = self.send(f"/ma-note/{dead}/renouveler", status=200)
        self.assertEqual(again.text, page.text, "what is said tells nothing")
        self.assertEqual(len(Mail.search(domain)), 2, "who took a link back had a reason")

    # -- somebody else's --------------------------------------------------------------------------

    def test_sheets_of_somebody_else_are_not_disputed(self):
        neighbour = self.make_patient(self.nurse, "MEUNIER Jean", "1600275999003")
        foreign = self.late("000311", patient_id=neighbour.id)
        self.send(
            f"/ma-note/{self.token}/desaccord",
            {"message": "?", "fse": [foreign.fse_id.name, "000301"]},
        )
        self.assertEqual(self.requests().share_ids, self.first)
        self.assertEqual(self.requests().partner_id, self.patient)

    def test_instalments_of_somebody_else(self):
        neighbour = self.make_patient(self.nurse, "MEUNIER Jean", "1600275999003")
        foreign = self.late("000312", patient=9000, patient_id=neighbour.id)
        mine = self.late("000315", patient=9000)
        self.send(
            f"/ma-note/{self.token}/echelonner",
            {"count": "2", "share_ids": foreign.id, "partner_id": neighbour.id},
            status=303,
        )
        self.assertFalse(foreign.plan_id)
        self.assertEqual(mine.plan_id.part_ids.share_id, self.first + self.second + mine)

    # -- money --------------------------------------------------------------------------------------

    def test_stolen_cards_are_not_tried_here(self):
        self.limit("note_payments", 2)
        for _time in range(2):
            self.simulate(self.transaction()["reference"], "cancel")
        self.assertIn("Trop de paiements", self.assertRefused())
        # nor by a second link: it is another door of the same house, with a count of its own
        self.later(minutes=61)
        self.transaction()

    def test_two_links_are_one_payment(self):
        _link, other = self.make_link(self.patient)
        first = self.transaction()
        form_token, self.token = self.token, other
        second = self.transaction(other)
        self.assertEqual(first["reference"], second["reference"])
        self.simulate(first["reference"])
        self.page(f"/ma-note/{form_token}/recu/{first['reference']}")
        self.page(f"/ma-note/{other}/payer", 303)
        payments = self.env["account.payment"].search([("partner_id", "=", self.patient.id)])
        self.assertEqual([cents(payment.amount) for payment in payments], [2100])

    def test_seal_of_one_purpose_does_not_open_another(self):
        big = self.late("000313", patient=9000)
        seal = self.link._access_token(big, 3000)
        self.assertIn("montant", self.assertRefused(access_token=seal, amount=30.0))
        for word in ("echeance", "autre", "all"):
            with self.subTest(word=word):
                said = self.refused(
                    self.rpc,
                    f"/ma-note/{self.token}/transaction/{word}",
                    {"access_token": seal, "amount": 30.0, "provider_id": self.provider.id},
                )
            self.assertIn("déjà réglé", said)

    @mute_logger("odoo.addons.payment.models.payment_transaction")
    def test_replayed_callback_undoes_nothing_and_revives_nothing(self):
        paid = self.pay_online()
        for state in ("cancel", "error", "pending", "done"):
            self.simulate(paid.reference, state)
            self.page(f"/ma-note/{self.token}/recu/{paid.reference}")
        paid.invalidate_recordset()
        self.assertEqual(paid.state, "done")
        self.assertEqual(self.first.state, "paid")
        self.assertTrue(paid.payment_id.is_reconciled)
        third = self.late("000314")
        cancelled = self.transaction()["reference"]
        self.simulate(cancelled, "cancel")
        self.simulate(cancelled, "done")
        self.page(f"/ma-note/{self.token}/recu/{cancelled}")
        third.invalidate_recordset()
        self.assertEqual(third.state, "due")
        payments = self.env["account.payment"].search([("partner_id", "=", self.patient.id)])
        self.assertEqual(payments, paid.payment_id)

    def test_pages_load_nothing_from_elsewhere(self):
        page = self.page(f"/ma-note/{self.token}")
        self.assertIn("default-src 'none'", page.headers["Content-Security-Policy"])
        self.assertIn("frame-ancestors 'none'", page.headers["Content-Security-Policy"])
        self.assertNotIn("onclick", page.text)
        self.assertNotRegex(page.text, r'(src|href)="(https?:)?//(?!127\.0\.0\.1|localhost)')
