from datetime import date, timedelta

from freezegun import freeze_time

from odoo.tests import Form, tagged

from ..models.health_payment_link import TOKEN_BYTES
from .common import CollectionsCommon


@tagged("post_install", "-at_install")
class TestPaymentLink(CollectionsCommon):
    def make(self, channel="hand"):
        link, url = self.env["health.payment.link"]._make_one(self.patient, channel)
        return link, url.rsplit("/", 1)[1]

    def test_only_the_hash_is_kept(self):
        link, token = self.make()
        self.assertGreaterEqual(TOKEN_BYTES * 8, 128)
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT row_to_json(l)::text FROM health_payment_link l WHERE id = %s", [link.id]
        )
        self.assertNotIn(token, self.env.cr.fetchone()[0])
        self.assertEqual(self.env["health.payment.link"]._find(token), link)
        self.assertFalse(self.env["health.payment.link"]._find(link.token_hash))
        self.assertFalse(self.env["health.payment.link"]._find(""))

    def test_batch_is_one_link_per_patient(self):
        owners = [(self.patient, self.nurse), (self.physio_patient, self.physio)]
        urls = self.env["health.payment.link"]._make(owners, "reminder")
        self.assertEqual(len(set(urls)), 2)
        for (partner, company), url in zip(owners, urls, strict=True):
            link = self.env["health.payment.link"]._find(url.rsplit("/", 1)[1])
            self.assertEqual((link.partner_id, link.company_id), (partner, company))

    def test_life(self):
        with freeze_time("2026-11-14"):
            link, _token = self.make()
            self.assertEqual(
                (link.state, link.expires_on), ("active", date(2026, 11, 14) + timedelta(days=60))
            )
        link.invalidate_recordset()
        with freeze_time("2027-01-13"):
            self.assertEqual(link.state, "active")
        link.invalidate_recordset()
        with freeze_time("2027-01-14"):
            self.assertEqual(link.state, "expired")
        link.action_revoke()
        self.assertEqual(link.state, "revoked")

    def test_amount_is_that_of_open_shares_of_this_patient_and_practitioner(self):
        self.late("000201")
        self.late("000202", patient=840)
        self.pay(self.late("000203"))
        other = self.make_patient(self.nurse, "MEUNIER Jean", "1600275999003")
        self.late("000204", patient_id=other.id)
        self.late("000205", company=self.physio, patient_id=self.physio_patient.id)
        link, _token = self.make()
        self.assertEqual(link._amount_cents(link._open_shares()), 2100)

    def test_replaced_or_blocked_share_is_not_asked(self):
        blocked, replaced = self.late("000206"), self.late("000207")
        blocked.move_id.action_toggle_block_payment()
        self.make_fse(self.nurse, "000208", patient=0, replaces_id=replaced.fse_id.id)
        link, _token = self.make()
        self.assertFalse(link._open_shares())

    def test_why(self):
        link, _token = self.make()
        cases = [
            ("000211", {"amo": 1890}, {"amo_rate": 60}, "covers 60 %"),
            ("000212", {"amo": 1890}, {"amo_rate": 100}, "not covered by the health insurance"),
            ("000213", {"amo": 1890, "amc": 500}, {"amo_rate": 60}, "nor your complementary"),
            ("000214", {}, {}, "billed to you directly"),
        ]
        for number, payers, values, expected in cases:
            with self.subTest(number=number):
                share = self.late(number, **payers, **values)
                self.assertIn(expected, link._note(share)["why"])

    def test_payers_tell_what_they_did(self):
        link, _token = self.make()
        share = self.late("000215", amo=1890, amc=500, settled=False)
        amo, amc = self.share(share.fse_id, "amo"), self.share(share.fse_id, "amc")
        rows = {row["kind"]: row for row in link._note(share)["payers"]}
        self.assertEqual({row["tone"] for row in rows.values()}, {"waiting"})
        self.pay(amo)
        amc.is_rejected = True
        rows = {row["kind"]: row for row in link._note(share)["payers"]}
        self.assertEqual((rows["amo"]["tone"], rows["amc"]["tone"]), ("paid", "refused"))
        self.assertEqual(rows["amo"]["amount"], "18,90\N{NO-BREAK SPACE}€")
        self.assertIn("not asked of you", link._note(share)["why"])

    def test_partly_paid_by_the_patient(self):
        share = self.late("000216")
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=share.move_id.ids
        ).create({"amount": 10.0}).action_create_payments()
        link, _token = self.make()
        note = link._note(share)
        self.assertEqual(
            (note["paid"], note["left"]), ("10,00\N{NO-BREAK SPACE}€", "2,60\N{NO-BREAK SPACE}€")
        )

    def test_transfer_goes_to_the_practitioners_own_account(self):
        link, _token = self.make()
        transfer = link._bank_transfer()
        self.assertEqual(transfer, {}, "nothing is owed")
        self.late("000219")
        transfer = link._bank_transfer()
        self.assertEqual(transfer["iban"], "FR76 3000 6000 0112 3456 7890 189")
        # what the bank match finds a share by, and nothing more
        self.assertEqual(transfer["reference"], "000219")
        self.assertTrue(transfer["qr"].startswith("data:image/png;base64,"))

    def test_wizard_shows_the_address_once(self):
        self.late("000217")
        action = self.patient.action_payment_link()
        url = action["context"]["default_url"]
        wizard = Form(self.env["health.payment.link.wizard"].with_context(**action["context"]))
        self.assertEqual(wizard.url, url)
        record = wizard.save()
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT row_to_json(w)::text FROM health_payment_link_wizard w WHERE id = %s",
            [record.id],
        )
        self.assertNotIn(url.rsplit("/", 1)[1], self.env.cr.fetchone()[0])
        self.assertEqual(record.amount, 12.60)

    def test_wizard_sends(self):
        self.late("000218")
        action = self.patient.action_payment_link()
        wizard = self.env["health.payment.link.wizard"].with_context(**action["context"]).create({})
        wizard.action_send()
        mail = self.env["mail.mail"].search([("model", "=", "health.contact")])
        self.assertEqual(len(mail), 1)
        self.assertIn("12,60 €", mail.body_html)
        token = mail.body_html.split("/ma-note/")[1][:24]
        sent = self.env["health.payment.link"]._find(token)
        self.assertEqual((sent.channel, sent.state), ("email", "active"))
        self.assertEqual(wizard.link_id.state, "revoked", "the one nobody copied does not linger")
