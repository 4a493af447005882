"""Letters as they leave the printer: the PDF's text, and the PDF as a picture."""

import base64
import io
from datetime import date, datetime, timedelta

import lxml.html
import pypdfium2
from freezegun import freeze_time
from PIL import Image

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import DAY, CollectionsCommon

MM = 72 / 25.4
#: what a window of 100 x 35 or 100 x 45 mm may show of the sheet, wherever it slides to: left, top, right, bottom (mm)
WINDOW = (90, 44, 200, 90)
#: what it shows in any case
SAFE = (100, 55, 190, 79)
LETTER = "health_collections.action_report_reminder_letter"
RECEIPT = "health_collections.action_report_payment_receipt"


class LetterCommon(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nurse.write(
            {
                "name": "Hélène Lefèvre",
                "street": "12 bis rue de la République",
                "zip": "75011",
                "city": "Paris",
                "phone": "01 45 67 89 10",
            }
        )
        cls.patient.write({"name": "Mme Noëlle ÇELIK", "email": False, "street": "3 rue Crébillon"})
        cls.patient.write({"zip": "44000", "city": "Nantes"})

    def print(self, report, records):
        """The PDF as pypdfium2 reads it."""
        Report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        content, kind = Report._render_qweb_pdf(report, records.ids)
        self.assertEqual(kind, "pdf")
        return pypdfium2.PdfDocument(io.BytesIO(content))

    def words(self, report, records):
        """Text of the letters before they are printed, on one line, with plain spaces."""
        Report = self.env["ir.actions.report"]
        html = Report._render_qweb_html(report, records.ids)[0].decode()
        main = lxml.html.document_fromstring(html).find(".//main")
        return " ".join(" ".join(main.itertext()).split())

    def text(self, page):
        """Text of a page on one line, with plain spaces."""
        return " ".join(page.get_textpage().get_text_bounded().split())

    def spot(self, page, words):
        """Where words stand on a page: left, top, right, bottom in millimetres from its upper left corner."""
        page_text = page.get_textpage()
        found = page_text.search(words).get_next()
        self.assertTrue(found, f"{words} is not on the page")
        start, count = found
        boxes = [page_text.get_charbox(start + rank) for rank in range(count)]
        height = page.get_height()
        return (
            min(box[0] for box in boxes) / MM,
            (height - max(box[3] for box in boxes)) / MM,
            max(box[2] for box in boxes) / MM,
            (height - min(box[1] for box in boxes)) / MM,
        )

    def assertInside(self, spot, area):
        self.assertTrue(
            spot[0] >= area[0] and spot[1] >= area[1] and spot[2] <= area[2] and spot[3] <= area[3],
            f"{[f'{value:.1f}' for value in spot]} is not within {area}",
        )

    def darkest(self, picture, area):
        """Darkest point of a part of the page (millimetres): 255 is white."""
        return picture.crop(tuple(int(value * MM * 2) for value in area)).getextrema()[0]

    def assertSheet(self, page):
        """Nothing runs off the sheet, nor into the margins."""
        picture = page.render(scale=2).to_pil().convert("L")
        width, height = page.get_width() / MM, page.get_height() / MM
        for name, area in {
            "top": (0, 0, width, 12),
            "left": (0, 0, 20, height),
            "right": (width - 20, 0, width, height),
            "bottom": (0, height - 8, width, height),
        }.items():
            self.assertEqual(self.darkest(picture, area), 255, name)

    def remind(self, *_shares, day=DAY):
        with freeze_time(datetime.combine(day, datetime.min.time()) + timedelta(hours=3)):
            self.nurse._health_run_reminders(day)
        return self.env["credit.control.communication"].search(
            [("company_id", "=", self.nurse.id)], order="id"
        )

    def at_level(self, communications, tone):
        """The same reminders as if this tone's step of the scale had been reached."""
        levels = communications.policy_level_id.policy_id.level_ids
        level = levels.filtered(lambda one: one.health_tone == tone)[:1]
        self.assertTrue(level)
        communications.policy_level_id = level
        communications.credit_control_line_ids.channel = level.channel


@tagged("post_install", "-at_install")
class TestLetters(LetterCommon):
    def test_address_is_all_the_window_shows(self):
        self.late("000901")
        # the longest that the post allows: six lines of 38 characters
        self.patient.write(
            {
                "name": "Mme Marie-Bernadette DE LA ROCHEFOUCAULD-MONTMORENCY",
                "street": "Appartement 34, Résidence des Acacias, bâtiment Ç",
                "street2": "128 bis boulevard du Général-de-Gaulle",
                "city": "Saint-Rémy-en-Bouzemont-Saint-Genest",
            }
        )
        page = self.print(LETTER, self.remind())[0]
        for words in ("Mme Marie", "MONTMORENCY", "Appartement", "Ç", "128 bis", "44000 SAINT"):
            self.assertInside(self.spot(page, words), SAFE)
        picture = page.render(scale=2).to_pil().convert("L")
        left, top, right, bottom = WINDOW
        for name, area in {
            "above": (left, top, right, SAFE[1]),
            "below": (left, SAFE[3], right, bottom),
            "at its left": (left, top, SAFE[0], bottom),
            "at its right": (SAFE[2], top, right, bottom),
        }.items():
            self.assertEqual(self.darkest(picture, area), 255, f"{name} of the address")
        self.assertSheet(page)

    def test_missing_address_is_seen(self):
        self.late("000902")
        self.patient.street = False
        self.assertIn("ADRESSE À COMPLÉTER", self.words(LETTER, self.remind()))

    def test_letter_says_what_it_must_and_nothing_of_the_care(self):
        share = self.late("000903", patient=1260, amo=1890, amc=210)
        communication = self.remind()
        pages = self.print(LETTER, communication)
        self.assertEqual(len(pages), 1)
        text = self.text(pages[0])
        for words in (
            "Hélène Lefèvre",
            "01 45 67 89 10",
            "Mme Noëlle ÇELIK",
            "44000 NANTES",
            "Objet : ",
            "Reste à régler : 12,60 €",
            f"000903 {share.fse_date.strftime('%d/%m/%Y')} 33,60 € 21,00 € 12,60 €",
            "IBAN FR76 3000 6000 0112 3456 7890 189",
            f"référence {self.patient.ref}",
            "/ma-note/",
            "Aucuns frais ne s'ajoutent",
            "page 1 sur 1",
        ):
            self.assertIn(words, text)
        for words in ("AMI", "2990199", "infirm", "Odoo", "mise en demeure", "None", "False"):
            self.assertNotIn(words, text)
        self.assertSheet(pages[0])

    def test_code_opens_the_page_of_this_debtor(self):
        """The QR code is the link, as large as a phone needs it."""
        self.late("000904")
        values = self.env["report.health_collections.reminder_letter"]._get_report_values(
            self.remind().ids
        )
        [letter] = values["letters"].values()
        link = self.env["health.payment.link"]._find(letter["url"].rsplit("/", 1)[1])
        self.assertEqual((link.partner_id, link.company_id), (self.patient, self.nurse))
        picture = Image.open(io.BytesIO(base64.b64decode(letter["code"])))
        self.assertGreaterEqual(min(picture.size), 300)

    def test_letters_are_french_and_not_for_translators(self):
        for name in (
            "letter",
            "reminder_letter",
            "contact_letter",
            "plan_letter",
            "plan_lines",
            "plan_means",
            "agreement_letter",
            "receipt",
        ):
            view = self.env.ref(f"health_collections.{name}")
            with self.subTest(name=name):
                self.assertEqual(view._fields["arch_db"].get_trans_terms(view.arch_db), [])

    def test_long_list_goes_over_pages(self):
        for number in range(30):
            self.late(f"001{number:03}", patient=500 + number)
        pages = self.print(LETTER, self.remind())
        self.assertEqual(len(pages), 2)
        texts = [self.text(page) for page in pages]
        for number in range(30):
            self.assertEqual(" ".join(texts).count(f"001{number:03}"), 1, number)
        for rank, text in enumerate(texts, start=1):
            self.assertIn("Reste à régler", text)
            self.assertIn(f"page {rank} sur 2", text)
        self.assertIn("Total à régler 154,35 €", texts[1])
        for page in pages:
            self.assertSheet(page)

    def test_batch_puts_everybody_on_their_own_sheet(self):
        names = ["Mme Noëlle ÇELIK"]
        self.late("000905")
        for rank in range(2):
            names.append(f"M. Patient {rank}")
            patient = self.make_patient(
                self.nurse, names[-1], f"160027599901{rank}", street="1 rue A", zip="75001"
            )
            patient.city = "Paris"
            for number in range(30 if rank else 1):
                self.late(f"002{rank}{number:02}", patient_id=patient.id, patient=700)
        communications = self.remind()
        self.assertEqual(len(communications), 3)
        texts = [self.text(page) for page in self.print(LETTER, communications)]
        self.assertEqual(len(texts), 6)
        for rank, name in enumerate(communications.partner_id.mapped("name")):
            self.assertIn(name, texts[2 * rank])
        for page, text in enumerate(texts):
            self.assertLessEqual(sum(name in text for name in names), 1, f"page {page + 1}")
        self.assertEqual(texts.count(""), 2)
        self.env["health.parameter"].search([("code", "=", "letter_own_sheet")]).value = 0
        self.assertEqual(len(self.print(LETTER, communications)), 4)

    def test_letters_of_several_reports_in_one_file(self):
        share, paid = self.late("000906"), self.late("000907")
        self.pay(paid)
        Report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        payment = paid.move_id.matched_payment_ids
        content = Report._health_print_letters(
            [(self.env.ref(LETTER), self.remind()), (self.env.ref(RECEIPT), payment)]
        )
        texts = [self.text(page) for page in pypdfium2.PdfDocument(io.BytesIO(content))]
        self.assertEqual(len(texts), 4)
        self.assertIn(share.fse_id.name, texts[0])
        self.assertIn("Cette lettre vaut reçu", texts[2] + texts[3])
        self.assertFalse(texts[1] or texts[3])

    def test_instalments_are_offered_where_the_step_says_so(self):
        self.late("000913", patient=12000)
        communication = self.remind()
        self.at_level(communication, "neutral")
        self.assertNotIn("en plusieurs fois", self.words(LETTER, communication))
        self.at_level(communication, "kind")
        shares = communication._health_shares()
        offers = self.env["health.plan"]._offers(shares, fields.Date.context_today(shares))
        self.assertTrue(offers)
        text = self.words(LETTER, communication)
        self.assertIn("Vous pouvez aussi régler en plusieurs fois, sans frais", text)
        for offer in offers[:3]:
            self.assertIn(f"en {offer['count']} fois : ", text)
            first = f"{offer['amounts'][0] / 100:.2f} € le ".replace(".", ",")
            self.assertIn(first, text)

    def test_each_tone(self):
        self.late("000908")
        communication = self.remind()
        for tone in ("neutral", "kind", "firm"):
            self.at_level(communication, tone)
            text = self.words(LETTER, communication)
            subject = communication.policy_level_id.health_subject
            self.assertIn(f"Objet : {subject} (12,60 €)", text)
            self.assertNotIn("mise en demeure", text.lower())
            self.assertNotIn("1344", text)

    def test_formal_notice_has_what_the_law_and_prudence_ask(self):
        share = self.late("000909")
        communication = self.remind()
        self.env["health.contact"]._record(
            [
                {
                    "company_id": self.nurse.id,
                    "partner_id": self.patient.id,
                    "channel": "email",
                    "kind": "reminder",
                    "day": day,
                    "state": state,
                    "share_ids": [fields.Command.set(share.ids)],
                    "communication_id": letter,
                }
                for day, state, letter in (
                    (date(2026, 11, 14), "sent", False),
                    (date(2026, 12, 1), "delivered", False),
                    (date(2026, 12, 9), "failed", False),
                    # decided but not gone, and this very letter, printed days after it was decided
                    (date(2026, 12, 10), "planned", False),
                    (date(2026, 12, 11), "sent", communication.id),
                )
            ]
        )
        self.at_level(communication, "formal")
        with freeze_time("2027-01-05 10:00:00"):
            pages = self.print(LETTER, communication)
        self.assertEqual(len(pages), 1)
        text = self.text(pages[0])
        for words in (
            "Lettre recommandée avec avis de réception",
            "Objet : Mise en demeure",
            "Le 5 janvier 2027",
            "Nous vous avons écrit aux dates suivantes : 14 novembre 2026 et 1er décembre 2026.",
            "Somme à payer : 12,60 €",
            "000909",
            "mise en demeure au sens de l'article 1344 du code civil",
            "15 jours",
            "plusieurs fois",
            "aucuns frais",
            "IBAN",
        ):
            self.assertIn(words, text)
        for day in ("9", "10", "11"):
            self.assertNotIn(f"{day} décembre", text)
        self.assertNotIn("AMI", text)
        self.assertSheet(pages[0])
        # whatever the level's own words are, a notice says that it is one
        communication.policy_level_id.health_subject = "Dernier courrier"
        self.assertIn("Objet : Mise en demeure de payer", self.words(LETTER, communication))

    def test_what_was_paid_since_is_not_asked(self):
        shares = self.late("000910") + self.late("000911", patient=840)
        communication = self.remind()
        self.pay(shares[0])
        text = self.words(LETTER, communication)
        self.assertNotIn("000910", text)
        self.assertIn("Reste à régler : 8,40 €", text)
        self.pay(shares[1])
        with self.assertRaisesRegex(UserError, "left to pay"):
            self.words(LETTER, communication)

    def test_text_of_a_person_is_no_html(self):
        self.late("000912")
        self.patient.name = "<b>Rémi</b> & fils"
        self.assertIn("<b>Rémi</b> & fils", self.words(LETTER, self.remind()))

    def test_thirty_letters_cost_the_queries_of_three(self):
        def cost(first, count):
            for number in range(first, first + count):
                patient = self.make_patient(
                    self.nurse, f"M. Nombreux {number}", f"16002759{number:05}"
                )
                self.late(f"03{number:04}", patient_id=patient.id)
            before = self.env["credit.control.communication"].search([])
            after = self.remind(day=DAY + timedelta(days=first // 100)) - before
            self.assertEqual(len(after), count)
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.env["report.health_collections.reminder_letter"]._get_report_values(after.ids)
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        cost(100, 1)
        few, many = cost(200, 3), cost(300, 30)
        self.assertLessEqual(many, few + 2)


@tagged("post_install", "-at_install")
class TestReceiptLetter(LetterCommon):
    def cash(self, shares, amount):
        journal = self.env["account.journal"].create(
            {"name": "Caisse", "type": "cash", "code": "CAI9", "company_id": self.nurse.id}
        )
        wizard = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=shares.move_id.ids)
            .create({"journal_id": journal.id, "amount": amount, "group_payment": True})
        )
        return wizard._create_payments()

    def test_receipt_of_a_partial_payment_in_cash(self):
        share = self.late("000920", patient=3000)
        payment = self.cash(share, 12.5)
        [page] = self.print(RECEIPT, payment)
        text = self.text(page)
        for words in (
            "Objet : Reçu de votre règlement de 12,50 €",
            "Nous avons reçu de Mme Noëlle ÇELIK",
            "en espèces",
            "000920",
            "12,50 € 17,50 €",
            "Cette lettre vaut reçu de la somme indiquée",
            "44000 NANTES",
        ):
            self.assertIn(words, text)
        self.assertNotIn("AMI", text)
        self.assertSheet(page)

    def test_receipt_of_all(self):
        shares = self.late("000921") + self.late("000922", patient=840)
        payment = self.cash(shares, 21.0)
        text = self.words(RECEIPT, payment)
        for words in ("000921", "000922", "Total 21,00 € 0,00 €", "entièrement réglées"):
            self.assertIn(words, text)

    def test_no_receipt_without_money_of_a_patient(self):
        draft = self.env["account.payment"].create(
            {
                "partner_id": self.patient.id,
                "amount": 10,
                "payment_type": "inbound",
                "company_id": self.nurse.id,
            }
        )
        with self.assertRaisesRegex(UserError, "paid"):
            self.words(RECEIPT, draft)

    def test_who_prints(self):
        share = self.late("000923")
        payment = self.cash(share, 12.6)
        values = self.env["report.health_collections.payment_receipt"]
        biller = new_test_user(
            self.env,
            "letters_biller",
            "health_billing.group_biller",
            company_ids=self.companies.ids,
            company_id=self.nurse.id,
        )
        self.assertTrue(
            values.with_user(biller)
            .with_context(allowed_company_ids=self.nurse.ids)
            ._get_report_values(payment.ids)
        )
        for login, group, company in (
            ("letters_other", "health_billing.group_practitioner", self.physio),
            ("letters_plain", "base.group_user", self.nurse),
        ):
            stranger = new_test_user(
                self.env, login, group, company_ids=company.ids, company_id=company.id
            )
            with self.assertRaises(AccessError):
                values.with_user(stranger).with_context(
                    allowed_company_ids=company.ids
                )._get_report_values(payment.ids)
