"""Late payers: one list each, its steps, what they answer, letters and packs."""

import io
import zipfile
from datetime import timedelta
from unittest.mock import patch

from openpyxl import load_workbook

from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools.pdf import PdfFileReader

from odoo.addons.health_billing.tools import cents

from .common_payer import DAY, SENT, PayerCommon


@tagged("post_install", "-at_install")
class TestChase(PayerCommon):
    def call(self, chase, **answers):
        """The wizard of a call; answers: number of FSE → values of its line."""
        wizard = self.env[chase.action_contact()["res_model"]].browse(
            chase.action_contact()["res_id"]
        )
        for line in wizard.line_ids:
            line.write(answers.get(f"n{line.fse_id.name}", {}))
        return wizard

    def test_night_lists_late_shares_by_payer(self):
        shares = self.unpaid("000701", "000702")
        self.silence(shares)
        fresh, due = self.night()
        self.assertEqual(fresh, shares)
        self.assertEqual(due, self.chase() + self.chase(self.mutuelle))
        self.assertEqual(
            self.chase().line_ids.share_id, shares.filtered(lambda one: one.debtor_kind == "amo")
        )
        self.assertCents(self.chase().amount, 12000)
        self.assertEqual((self.chase().share_count, self.chase().first_sent_on), (2, SENT))
        self.assertEqual(self.chase().next_level_id.level, 1)
        # again: nothing new
        self.assertFalse(self.night()[0])
        self.assertEqual(len(self.chase().line_ids), 2)

    def test_one_list_per_practitioner(self):
        self.silence(self.unpaid("000703"))
        self.silence(self.unpaid("000704", company=self.physio, patient_id=self.physio_patient.id))
        self.night()
        self.assertEqual(len(self.Chase.search([("payer_id", "=", self.cpam.id)])), 2)
        self.assertCents(self.chase(company=self.physio).amount, 6000)

    def test_paid_leaves_the_list_at_once(self):
        shares = self.unpaid("000705", "000706")
        self.silence(shares)
        self.night()
        chase = self.chase()
        self.pay(chase.line_ids[0].share_id)
        self.assertCents(chase.amount, 6000)
        self.pay(chase.line_ids[1].share_id)
        self.assertFalse(chase.is_open)
        self.assertNotIn(chase, self.night(self.later(30))[1])

    def test_call_and_answers(self):
        shares = self.unpaid("000707", "000708", "000709", "000710")
        self.silence(shares)
        self.night()
        chase = self.chase()
        wizard = self.call(
            chase,
            n000707={"outcome": "in_process"},
            n000708={"outcome": "not_received"},
            n000709={"outcome": "disputed", "note": "Droits fermés"},
        )
        wizard.write({"dossier_no": "REC-42", "answer": "Mme Roux"})
        wizard.action_confirm()
        lines = {line.fse_id.name: line for line in chase.line_ids}
        self.assertEqual(lines["000707"].rests_until, DAY + timedelta(days=15))
        self.assertEqual(lines["000708"].state, "resend")
        self.assertEqual(lines["000709"].state, "disputed")
        self.assertEqual(lines["000709"].share_id.dispute_reason, "Droits fermés")
        self.assertEqual((lines["000710"].state, lines["000710"].rank), ("open", 1))
        contact = chase.contact_ids
        self.assertEqual(
            (contact.channel, contact.kind, contact.partner_id), ("phone", "chase", self.cpam)
        )
        self.assertEqual(contact.share_ids, chase.line_ids.share_id)
        self.assertIn("000708", contact.answer)
        self.assertIn("Mme Roux", contact.answer)
        self.assertEqual(chase.dossier_no, "REC-42")
        # the scale goes on after the pause of the next step, not before
        self.assertGreater(chase.next_on, DAY)
        self.assertEqual(chase.next_level_id.level, 2)
        disputed_on = lines["000709"].share_id.disputed_on
        self.assertEqual(chase.dispute_next_on, disputed_on + timedelta(days=30))
        self.assertCents(chase.amount_disputed, 6000)

    def test_nobody_answered(self):
        self.silence(self.unpaid("000711"))
        self.night()
        chase = self.chase()
        wizard = self.call(chase)
        wizard.nobody = True
        wizard.action_confirm()
        self.assertEqual(chase.next_on, DAY + timedelta(days=2))
        self.assertEqual((chase.next_level_id.level, chase.line_ids.rank), (1, 0))
        self.assertEqual(chase.contact_ids.state, "failed")
        wizard = self.call(chase)
        wizard.write({"nobody": True, "answer": "Oui"})
        with self.assertRaises(UserError):
            wizard.action_confirm()

    def test_scale_to_its_end(self):
        """Worked every three days, a claim takes each step once, in order, never two within the gap."""
        self.silence(self.unpaid("000712"))
        chase, taken, day = self.Chase, [], DAY
        for _n in range(40):
            self.night(day)
            chase = self.chase()
            if chase.next_on and chase.next_on <= day:
                taken.append((day, chase.next_level_id.level))
                chase._contacted(chase._due_lines(day), {"channel": "phone"}, day)
                chase._plan(day)
            day += timedelta(days=3)
        ranks = chase._levels()[chase].mapped("level")
        self.assertEqual([rank for _day, rank in taken], ranks)
        for (one, _rank), (after, _next) in zip(taken, taken[1:], strict=False):
            self.assertGreaterEqual((after - one).days, 7)
        cards = {card["key"] for card in self.env["health.cockpit"]._cards_silent(day)}
        self.assertIn(f"chase-end-{chase.id}", cards)

    def test_dispute_needs_its_reason(self):
        self.silence(self.unpaid("000713"))
        self.night()
        wizard = self.call(self.chase(), n000713={"outcome": "disputed"})
        with self.assertRaises(UserError):
            wizard.action_confirm()

    def test_what_the_payer_put_off_waits_again(self):
        shares = self.unpaid("000714")
        self.silence(shares)
        self.night()
        line = self.chase().line_ids
        with patch.object(
            type(self.env["health.share"]), "_late_payer_domain", lambda _self, _day: Domain.FALSE
        ):
            self.night()
        self.assertEqual(line.state, "waiting")
        self.assertFalse(self.chase().next_on)
        self.night()
        self.assertEqual(line.state, "open")

    def test_proof_of_sending(self):
        if "health.lot" not in self.env:
            self.skipTest("needs the addon of lots")
        shares = self.unpaid("000715")
        lot = self.env["health.lot"].create(
            {
                "name": "007",
                "company_id": self.nurse.id,
                "payer_id": self.cpam.id,
                "date": SENT,
                "sent_on": SENT,
                "origin": "journal",
                "fse_ids": [(6, 0, shares.fse_id.ids)],
            }
        )
        self.env["health.arl"].create(
            {
                "company_id": self.nurse.id,
                "lot_id": lot.id,
                "lot_no": "007",
                "result": "positive",
                "date": SENT + timedelta(days=1),
            }
        )
        self.silence(shares)
        self.night()
        line = self.chase().line_ids
        self.assertEqual((line.lot_no, line.arl_on), ("007", SENT + timedelta(days=1)))
        self.assertTrue(line.has_proof)
        [row] = line._rows()
        self.assertEqual((row["arl"], row["sent"]), ("06/10/2026", "05/10/2026"))

    def test_letter_kept_word_for_word(self):
        self.silence(self.unpaid("000716", "000717", lot_no="012"))
        self.night()
        chase = self.chase(self.mutuelle)
        chase.dossier_no = "REC-7"
        action = chase.action_letter()
        contact = chase.contact_ids
        self.assertEqual(action["context"]["active_ids"], contact.ids)
        for text in ("000716", "000717", "05/10/2026", "012", "20,00 €", "REC-7", "DURAND Anne"):
            self.assertIn(text, contact.letter_html)
        self.assertIn("000717", contact.body)
        self.assertNotIn("<table", contact.body)
        self.assertNotIn("AMI", contact.letter_html)
        self.assertEqual((contact.state, bool(contact.printed_on)), ("sent", True))
        self.assertEqual(set(chase.line_ids.mapped("rank")), {1})
        self.pay(chase.line_ids[0].share_id)
        self.assertIn("000716", contact.letter_html)
        self.assertCents(contact.amount, 2000)
        with self.assertRaises(AccessError):
            contact.with_user(self.make_user("g_writes", "health_billing.group_biller")).write(
                {"letter_html": "x"}
            )

    def test_registered_letter_waits_for_the_post(self):
        self.silence(self.unpaid("000727"))
        self.night()
        self.chase().action_registered()
        contact = self.chase().contact_ids
        self.assertEqual((contact.channel, contact.state), ("registered", "planned"))
        self.assertIn("000727", str(contact._letter_body()))

    def test_a_letter_that_tells_of_care_is_not_written(self):
        self.silence(self.unpaid("000728"))
        self.night()
        chase = self.chase(self.mutuelle)
        chase.line_ids.share_id._dispute("Le pansement était prescrit")
        with self.assertRaisesRegex(UserError, "pansement"):
            chase.action_dispute_letter()

    def test_no_letter_without_address(self):
        self.silence(self.unpaid("000718"))
        self.night()
        self.cpam.write({"street": False, "zip": False, "city": False, "country_id": False})
        with self.assertRaises(UserError):
            self.chase().action_letter()
        self.assertFalse(self.chase().contact_ids)

    def test_letter_of_contestation(self):
        self.silence(self.unpaid("000719"))
        self.night()
        chase = self.chase(self.mutuelle)
        with self.assertRaises(UserError):
            chase.action_dispute_letter()
        chase.line_ids.share_id._dispute("Droits ouverts ce jour-là")
        self.assertEqual((chase.amount, chase.line_ids.state), (0, "disputed"))
        chase.action_dispute_letter()
        self.assertIn("Droits ouverts ce jour-là", chase.contact_ids.letter_html)
        disputed_on = chase.line_ids.share_id.disputed_on
        self.assertEqual(chase.dispute_next_on, disputed_on + timedelta(days=30))
        chase.line_ids.action_end_dispute()
        self.assertEqual(chase.line_ids.state, "open")

    def test_message_to_copy_bears_no_name(self):
        self.silence(self.unpaid("000726", lot_no="031"))
        self.night()
        chase = self.chase(self.mutuelle)
        wizard = self.env["health.chase.contact"].browse(chase.action_message()["res_id"])
        for text in ("000726", "05/10/2026", "lot 031", "10,00 €", self.nurse.health_provider_no):
            self.assertIn(text, wizard.message)
        self.assertNotIn("DURAND", wizard.message)
        message = wizard.message
        wizard.action_confirm()
        self.assertEqual((chase.contact_ids.channel, chase.contact_ids.body), ("email", message))

    def test_call_sheet_gathers_the_practitioners_of_a_payer(self):
        self.silence(self.unpaid("000720"))
        self.silence(self.unpaid("000721", company=self.physio, patient_id=self.physio_patient.id))
        self.night()
        chases = self.Chase.search([("payer_id", "=", self.cpam.id)])
        html = str(
            self.env["ir.qweb"]._render("health_collections.payer_call_sheet", {"docs": chases})
        )
        for text in ("CPAM Test", "3646", "Nurse Test", "Physio Test", "000720", "000721"):
            self.assertIn(text, html)
        self.assertEqual(html.count('class="page"'), 1)

    def test_claim_pack(self):
        self.silence(self.unpaid("000722", "000723"))
        self.night()
        chase = self.chase()
        chase.attachment_ids = self.env["ir.attachment"].create(
            [{"name": f"Capture {n}.png", "raw": b"x" * 3000 * 1024} for n in range(2)]
        )
        content, name = self.env["health.chase.pack"]._zip(chase)
        self.assertEqual(name, "reclamation-cpam-test-20261120.zip")
        archive = zipfile.ZipFile(io.BytesIO(content))
        self.assertEqual(
            archive.namelist(),
            [
                "envoi-1/01-message.txt",
                "envoi-1/02-factures.xlsx",
                "envoi-1/03-preuves-envoi.pdf",
                "envoi-1/04-capture-0.png",
                "envoi-2/05-capture-1.png",
            ],
        )
        message = archive.read("envoi-1/01-message.txt").decode("utf-8-sig")
        self.assertIn("120,00 €", message)
        sheet = load_workbook(io.BytesIO(archive.read("envoi-1/02-factures.xlsx"))).active
        rows = list(sheet.values)
        self.assertEqual([row[0] for row in rows], ["N° de facture", "000722", "000723", "Total"])
        self.assertEqual(cents(sum(row[8] for row in rows[1:3])), 12000)
        proofs = "".join(
            page.extract_text()
            for page in PdfFileReader(
                io.BytesIO(archive.read("envoi-1/03-preuves-envoi.pdf"))
            ).pages
        )
        for text in ("000722", "000723", "05/10/2026", "Organisme : CPAM Test"):
            self.assertIn(text, proofs)
        everything = message + str(rows) + proofs
        for label in ("AMI", "soin", "injection"):
            self.assertNotIn(label, everything)
        chase.attachment_ids = self.env["ir.attachment"].create(
            {"name": "Film.mp4", "raw": b"x" * 6000 * 1024}
        )
        with self.assertRaisesRegex(UserError, "04-film.mp4"):
            chase.action_claim_pack()

    def test_cards(self):
        self.silence(self.unpaid("000724", "000725"))
        self.night()
        cards = {card["key"]: card for card in self.env["health.cockpit"]._cards_silent(DAY)}
        card = cards[f"chase-{self.chase().id}"]
        self.assertEqual((card["count"], cents(card["amount"])), (2, 12000))
        self.assertIn("46", card["why"])
        self.assertEqual(self.Chase.search(card["action"]["domain"]), self.chase())
        # announced during the day: not to be called for any more
        shares = self.chase(self.mutuelle).line_ids.share_id
        shares.sudo().announced_amount = 10.0
        announced = {card["key"] for card in self.env["health.cockpit"]._cards_silent(DAY)}
        self.assertNotIn(f"chase-{self.chase(self.mutuelle).id}", announced)
        # the same shares have no second card
        self.assertFalse([key for key in cards if key.startswith("silent-")])
        self.call(self.chase(), n000724={"outcome": "not_received"}).action_confirm()
        cards = {card["key"]: card for card in self.env["health.cockpit"]._cards_silent(DAY)}
        self.assertNotIn(f"chase-{self.chase().id}", cards)
        self.assertEqual(cards[f"chase-resend-{self.chase().id}"]["count"], 1)

    def test_queries_do_not_grow(self):
        def spent(first, count):
            shares = self.unpaid(*(f"{first + n:09d}" for n in range(count)))
            self.silence(shares)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.night()
            self.env.flush_all()
            night = self.env.cr.sql_log_count - before
            chase = self.chase()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            chase._due_lines(DAY)._rows()
            return night, self.env.cr.sql_log_count - before

        spent(1000, 2)
        few, many = spent(2000, 3), spent(3000, 30)
        self.assertLessEqual(many[0], few[0] + 2)
        self.assertLessEqual(many[1], few[1] + 2)


@tagged("post_install", "-at_install")
class TestChaseAccess(PayerCommon):
    def setUp(self):
        super().setUp()
        self.silence(self.unpaid("000751"))
        self.silence(self.unpaid("000752", company=self.physio, patient_id=self.physio_patient.id))
        self.night()
        self.biller = self.make_user("g_biller", "health_billing.group_biller")
        self.practitioner = self.make_user(
            "g_nurse", "health_billing.group_practitioner", self.nurse
        )
        self.accountant = self.make_user(
            "g_accountant", "health_billing.group_accountant", self.nurse
        )
        self.stranger = new_test_user(
            self.env, "g_stranger", groups="base.group_user", company_id=self.agency.id
        )

    def as_user(self, user, records):
        return records.with_env(
            self.env(
                user=user, context={"allowed_company_ids": user.company_ids.ids, "lang": "en_US"}
            )
        )

    def test_biller_works_the_lists(self):
        chase = self.as_user(self.biller, self.chase())
        wizard = self.as_user(self.biller, self.env["health.chase.contact"]).browse(
            chase.action_contact()["res_id"]
        )
        wizard.line_ids.outcome = "promised"
        wizard.action_confirm()
        self.assertEqual(chase.line_ids.outcome, "promised")
        self.assertTrue(chase.line_ids.arl_on is not None)
        self.as_user(self.biller, self.chase(self.mutuelle)).action_letter()
        self.assertTrue(self.as_user(self.biller, self.env["health.cockpit"])._cards_silent(DAY))
        self.assertTrue(self.env["health.chase.pack"].with_user(self.biller)._zip(chase)[0])

    def test_practitioner_reads_their_own(self):
        own = self.as_user(self.practitioner, self.Chase)
        self.assertEqual(own.search([]).company_id, self.nurse)
        own.search([]).line_ids.read(["lot_no", "amount_residual", "state"])
        for method in ("action_letter", "action_contact"):
            with self.assertRaises(AccessError):
                getattr(own.search([], limit=1), method)()
        with self.assertRaises(AccessError):
            self.as_user(self.practitioner, self.chase(company=self.physio)).read(["amount"])

    def test_others_see_nothing(self):
        for user in (self.accountant, self.stranger):
            for model in ("health.chase", "health.chase.line", "health.chase.contact"):
                with self.subTest(user=user.login, model=model), self.assertRaises(AccessError):
                    self.as_user(user, self.env[model]).search([])


@tagged("post_install", "-at_install")
class TestChaseDownload(HttpCase, PayerCommon):
    def test_pack_for_who_works_the_claims(self):
        self.silence(self.unpaid("000761"))
        self.night()
        url = f"/facturiere/relance/{self.chase().id}/reclamation.zip"
        password = "a-long-pass-word-1"
        for login, group, expected in (
            ("g_http_biller", "health_billing.group_biller", 200),
            ("g_http_nurse", "health_billing.group_practitioner", 403),
        ):
            self.make_user(login, group).password = password
            self.authenticate(login, password)
            answer = self.url_open(url)
            self.assertEqual(answer.status_code, expected, login)
            if expected == 200:
                self.assertEqual(answer.headers["Cache-Control"], "no-store")
                self.assertIn(
                    "01-message.txt", zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
                )
        self.assertEqual(
            self.url_open("/facturiere/relance/999999999/reclamation.zip").status_code, 404
        )
        self.authenticate(None, None)
        self.assertIn("/web/login", self.url_open(url).url)
