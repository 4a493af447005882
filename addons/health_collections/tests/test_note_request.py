"""What patients ask from their page, and how it is answered."""

import base64
import io
import struct
import zlib

from PIL import Image

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.health_billing.tools import cents

from .note_common import NoteCase


def photo(size=(3000, 1800), kind="JPEG", **options):
    kept = io.BytesIO()
    Image.new("RGB", size, "teal").save(kept, kind, **options)
    return kept.getvalue()


def chunk(kind, content):
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


#: a PNG of a few bytes that says it is 30,000 pixels wide and high
BOMB = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"0" * 1000))
    + chunk(b"IEND", b"")
)


@tagged("post_install", "-at_install")
class TestNoteRequest(NoteCase):
    def ask(self, word, data=None, files=None, status=303):
        return self.send(f"/ma-note/{self.token}/{word}", data, files, status)

    # -- my insurer should pay ----------------------------------------------------------------------

    def test_card_is_kept_for_billers_without_what_the_phone_knows(self):
        exif = Image.Exif()
        exif[0x010F] = "SecretPhone"
        exif.get_ifd(0x8825)[2] = (48.0, 51.0, 24.0)
        answer = self.ask(
            "mutuelle",
            {"message": "MGEN depuis janvier", "fse": "000302"},
            [
                ("photo", ("carte.exe", photo(exif=exif), "application/octet-stream")),
                ("photo", ("verso.webp", photo((800, 500), "WEBP"), "image/webp")),
            ],
        )
        self.assertTrue(
            answer.headers["Location"].endswith(f"/ma-note/{self.token}/recue/mutuelle")
        )
        request = self.requests()
        self.assertEqual((request.kind, request.share_ids), ("insurer", self.second))
        self.assertEqual((request.photo_count, len(request.photo_ids)), (2, 2))
        content = request.photo_ids[0].with_context(bin_size=False).image
        kept = Image.open(io.BytesIO(base64.b64decode(content)))
        self.assertEqual((kept.format, kept.size, dict(kept.getexif())), ("JPEG", (1920, 1152), {}))
        received = self.page(f"/ma-note/{self.token}/recue/mutuelle").text
        self.assertIn("bien reçu", received)
        page = self.page(f"/ma-note/{self.token}").text
        self.assertIn("rien à régler pour le moment", page)
        # who sees it
        biller = self.make_user("r_biller", "health_billing.group_biller")
        nurse = self.make_user("r_nurse", "health_billing.group_practitioner", self.nurse)
        physio = self.make_user("r_physio", "health_billing.group_practitioner", self.physio)
        context = {"allowed_company_ids": (self.nurse + self.physio).ids}
        self.assertTrue(
            request.with_user(biller).with_context(**context).photo_ids.mapped("image")[0]
        )
        self.assertEqual(request.with_user(nurse).message, "MGEN depuis janvier")
        for user in (nurse, physio, self.env.ref("base.public_user")):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                request.photo_ids.with_user(user).read(["image"])
        with self.assertRaises(AccessError):
            request.with_user(physio).read(["message"])
        attachments = (
            self.env["ir.attachment"]
            .sudo()
            .search([("res_model", "=", "health.debtor.photo"), ("res_field", "=", "image")])
        )
        self.assertFalse(any(attachments.mapped("public")))
        self.authenticate(None, None)
        self.assertNotEqual(
            self.url_open(f"/web/content/{attachments[0].id}", allow_redirects=False).status_code,
            200,
        )
        # it goes once the question is closed for long
        request.answer = "Transmis."
        request.action_answer()
        self.env["health.debtor.photo"]._gc_photos()
        self.assertEqual(len(request.photo_ids), 2)
        request.done_on = fields.Datetime.subtract(fields.Datetime.now(), days=200)
        self.env["health.debtor.photo"]._gc_photos()
        request.invalidate_recordset()
        self.assertFalse(request.photo_ids)
        self.assertFalse(attachments.exists())

    def test_what_is_no_photo_is_refused_whole(self):
        self.env["health.parameter"].search([("code", "=", "note_photo_mb")]).value = 1
        cases = {
            "script": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            "pdf": b"%PDF-1.7\n1 0 obj",
            "program": b"MZ\x90\x00" * 50,
            "cut": photo()[:400],
            "bomb": BOMB,
            "heavy": photo((100, 100)) + b"0" * 1024 * 1024,
        }
        for name, content in cases.items():
            with self.subTest(name=name):
                page = self.ask(
                    "mutuelle",
                    {"message": "<b>Ma mutuelle</b>"},
                    [("photo", ("carte.jpg", content, "image/jpeg"))],
                    status=422,
                ).text
                self.assertIn("Rien n'a été envoyé", page.replace("&#39;", "'").replace("’", "'"))
                # what was written is not lost, and is no code
                self.assertIn("&lt;b&gt;Ma mutuelle&lt;/b&gt;", page)
        three = [("photo", (f"{n}.jpg", photo((50, 50)), "image/jpeg")) for n in range(3)]
        self.ask("mutuelle", {"message": "x"}, three, status=422)
        self.ask("mutuelle", {}, status=422)
        self.assertFalse(self.requests())
        self.assertFalse(self.env["health.debtor.photo"].search([]))

    # -- dispute, call, question ---------------------------------------------------------------------

    def test_words_are_needed(self):
        self.ask("desaccord", {"message": "  "}, status=422)
        self.ask("question", {}, status=422)
        self.ask("rappel", {"phone": "12"}, status=422)
        self.page(f"/ma-note/{self.token}/autre", 404)
        self.assertFalse(self.requests())

    def test_call_is_kept_in_the_history(self):
        self.ask("rappel", {"phone": "06 12 34 56 78", "moment": "morning"})
        request = self.requests()
        self.assertEqual((request.kind, request.phone), ("callback", "06 12 34 56 78"))
        self.assertIn("matin", request.message)
        contact = self.env["health.contact"].search([("kind", "=", "request")])
        self.first.invalidate_recordset()
        self.assertEqual(self.first.dunning_hold, "request")
        self.assertEqual((contact.direction, contact.channel), ("in", "portal"))
        self.assertEqual(contact.share_ids, self.first + self.second)
        self.assertIn("06 12 34 56 78", contact.body)

    def test_sent_twice_is_one_and_a_flood_ends(self):
        for _time in range(2):
            self.ask("question", {"message": "Bonjour"})
        self.assertEqual(len(self.requests()), 1)
        self.env["health.parameter"].search([("code", "=", "note_requests")]).value = 3
        self.ask("question", {"message": "Encore"})
        page = self.ask("question", {"message": "Et encore"}, status=422).text
        self.assertIn("déjà envoyé", page)
        self.assertIn("Et encore", page)
        self.assertEqual(len(self.requests()), 2)

    def test_nothing_to_ask_when_nothing_is_owed(self):
        self.pay(self.first + self.second)
        self.page(f"/ma-note/{self.token}/mutuelle", 303)
        self.ask("question", {"message": "x"}, status=422)
        self.assertFalse(self.requests())

    # -- the answer ----------------------------------------------------------------------------------

    def test_answer(self):
        self.ask("desaccord", {"message": "J'ai déjà payé", "fse": ["000301"]})
        request = self.requests()
        biller = self.make_user("a_biller", "health_billing.group_biller")
        nurse = self.make_user("a_nurse", "health_billing.group_practitioner", self.nurse)
        context = {"allowed_company_ids": (self.nurse + self.physio).ids}
        cards = self.env["health.cockpit"].with_user(biller).with_context(**context)
        [card] = [
            card
            for card in cards._cards_patients(fields.Date.today())
            if card["key"] == f"patients-requests-{self.nurse.id}"
        ]
        self.assertEqual(card["count"], 1)
        as_biller = request.with_user(biller).with_context(**context)
        with self.assertRaises(UserError):
            as_biller.action_answer()
        with self.assertRaises(AccessError):
            request.with_user(nurse).answer = "x"
        with self.assertRaises(AccessError):
            request.with_user(nurse).action_answer()
        as_biller.answer = "Votre pansement AMI 4 est bien remboursé."
        with self.assertRaisesRegex(UserError, "pansement|AMI"), self.env.cr.savepoint():
            as_biller.action_answer()
        self.env.invalidate_all()
        self.assertEqual(request.state, "open")
        as_biller.answer = "C'est juste : votre paiement <vient> d'arriver."
        as_biller.action_answer()
        as_biller.action_answer()
        self.assertEqual((request.state, request.done_by_id), ("done", biller))
        self.assertEqual(request.contact_id.answer, request.answer)
        mail = self.env["mail.mail"].search([("model", "=", "health.contact")])
        self.assertEqual(len(mail), 1)
        self.assertIn("&lt;vient&gt;", mail.body_html)
        self.assertNotIn("J'ai déjà payé", mail.body_html)
        page = self.page(f"/ma-note/{self.token}").text
        self.assertIn("&lt;vient&gt;", page)
        self.assertNotIn("rien à régler pour le moment", page)
        as_biller.action_reopen()
        self.assertEqual(request.state, "open")

    # -- instalments -----------------------------------------------------------------------------------

    def test_instalments_are_agreed_at_once_and_paid_one_by_one(self):
        self.late("000341", patient=6900)
        form = self.page(f"/ma-note/{self.token}/echelonner").text
        self.assertIn('value="3"', form)
        self.assertIn("30,00", form)
        for count in ("", "1", "99", "-3", "2; DROP"):
            self.ask("echelonner", {"count": count}, status=422)
        self.assertFalse(self.first.plan_id)
        self.ask("echelonner", {"count": "3"})
        self.ask(
            "echelonner", {"count": "2"}
        )  # a second click, or another tab: the first one counts
        plan = self.first.plan_id
        self.assertEqual((plan.state, len(plan.line_ids)), ("running", 3))
        agreed = self.page(f"/ma-note/{self.token}/accord").text
        self.assertIn("vous payez en", agreed)
        page = self.page(f"/ma-note/{self.token}").text
        self.assertIn("/echeance", page)
        self.assertNotIn(f"/ma-note/{self.token}/echelonner", page)
        reference = self.transaction(path="echeance")["reference"]
        self.simulate(reference)
        receipt = self.page(f"/ma-note/{self.token}/recu/{reference}").text
        self.assertIn("30,00", receipt)
        self.assertIn("60,00", receipt)
        plan.line_ids.invalidate_recordset()
        self.assertEqual(
            [cents(line.left) for line in plan.line_ids.sorted("due_date")], [0, 3000, 3000]
        )
        # everything at once stays possible, and the rest is then what it is
        shares, amount = self.link._to_pay("all")
        self.assertEqual(amount, 6000)
        self.assertTrue(shares)

    def test_another_wish_waits_for_a_person(self):
        self.late("000342", patient=9000)
        self.ask("echelonner", {"count": "other"}, status=422)
        self.ask("echelonner", {"count": "other", "message": "15 € par mois"})
        self.assertEqual((self.requests().kind, self.requests().message), ("plan", "15 € par mois"))
        self.assertFalse(self.first.plan_id)
        self.assertIn("Une personne", self.page(f"/ma-note/{self.token}/accord").text)

    def test_small_sum_is_not_spread_but_may_be_spoken_of(self):
        form = self.page(f"/ma-note/{self.token}/echelonner").text
        self.assertNotIn('name="count"', form)
        self.ask("echelonner", {"message": "10 € le 5"})
        self.assertEqual(self.requests().kind, "plan")
