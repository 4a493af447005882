import re
from datetime import timedelta

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .test_question import DAY, QuestionCommon

JPEG = b"\xff\xd8\xff\xe0 a page"


@tagged("post_install", "-at_install")
class TestPortalPractitioner(QuestionCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.phone = cls.make_portal("phone", cls.nurse)
        cls.nurse.health_portal_user_ids = cls.phone
        cls.env["res.lang"]._activate_lang("fr_FR")

    @classmethod
    def make_portal(cls, login, companies):
        user = cls.make_user(login, "base.group_portal", companies)
        user.password = login
        return user

    def log_in(self, user):
        user.password = user.login
        self.authenticate(user.login, user.login)

    def get(self, path="", status=200):
        with mute_logger("odoo.http"):
            response = self.url_open(f"/mon-cabinet{path}", allow_redirects=False)
        self.assertEqual(response.status_code, status, response.text[:500])
        return response

    def post(self, path, data, files=None, status=303, token=None):
        if token is None:
            token = re.search(
                r'name="csrf_token" value="([^"]+)"', self.get(self.form_of(path)).text
            )[1]
        with mute_logger("odoo.http", "odoo.addons.base.models.ir_http"):
            response = self.url_open(
                f"/mon-cabinet{path}",
                data={**data, "csrf_token": token},
                files=files,
                allow_redirects=False,
            )
        self.assertEqual(response.status_code, status, response.text[:500])
        return response

    def form_of(self, path):
        return "/semaine" if "visite" in path else path.removesuffix("/repondre")

    def answer(self, question, data, **options):
        return self.post(f"/demande/{question.id}/repondre", data, **options)

    # -- the list

    def test_list_in_three_tabs_oldest_first(self):
        self.log_in(self.phone)
        late = self.ask(text="La plus ancienne", deadline=DAY)
        next_one = self.ask(text="La suivante", deadline=DAY + timedelta(days=999))
        self.ask(kind="question", text="Un détail ?")
        self.ask(company_id=self.physio.id, patient_id=self.other_patient.id, text="Pas la mienne")
        answered = self.ask(text="Déjà faite")
        answered._answer({"answer": "oui"})
        page = self.get().text
        self.assertLess(page.index("La plus ancienne"), page.index("La suivante"))
        self.assertEqual(re.findall(r"hp-count[^>]*>(\d+)<", page), ["2", "0", "1"])
        for absent in ("Pas la mienne", "Déjà faite", "Un détail", "DURAND"):
            self.assertNotIn(absent, page)
        self.assertIn("D. A.", page)
        self.assertIn(f"/mon-cabinet/demande/{late.id}?n=1&amp;sur=2", page)
        self.assertIn("Un détail ?", self.get("?onglet=question").text)
        self.assertIn("hp-card", self.get("?onglet=sign").text)
        self.assertIn("La suivante", self.get("?onglet=nimporte").text)
        self.assertIn("1 sur 2", self.get(f"/demande/{late.id}?n=1&sur=2").text)
        self.assertIn("2 sur 2", self.get(f"/demande/{next_one.id}").text)

    def test_title_and_address_name_neither_patient_nor_care(self):
        self.log_in(self.phone)
        fse = self.unsent_fse("1")
        question = self.ask(fse_ids=fse.ids)
        for path in ("", f"/demande/{question.id}", "/semaine"):
            response = self.get(path)
            title = re.search(r"<title>(.*?)</title>", response.text)[1]
            self.assertEqual(title, "Mon cabinet")
            self.assertEqual(response.headers["Cache-Control"], "no-store, private")
            self.assertEqual(response.headers["X-Frame-Options"], "DENY")
            self.assertNotRegex(
                " ".join(re.findall(r'href="([^"]*)"', response.text)), "AMI|DURAND"
            )
        # the care of the practitioner's own patient, inside the card
        self.assertIn("AMI 4", self.get(f"/demande/{question.id}").text)

    def test_figures_are_sums_of_the_shares_of_the_practice(self):
        self.log_in(self.phone)
        self.make_fse(self.nurse, "1", amo=123456, fse_date=self.day.replace(day=1))
        self.make_fse(self.nurse, "2", amo=1000, fse_date=DAY)
        self.make_fse(self.physio, "3", amo=777777, patient_id=self.other_patient.id)
        figures = re.findall(r"<dd>([^<]*)</dd>", self.get().text)
        self.assertEqual(figures, ["1 234,56 €", "0,00 €", "1 244,56 €"])

    def count_queries(self, path=""):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        self.get(path)
        return self.cr.sql_log_count - before

    def test_list_costs_the_same_for_three_and_thirty(self):
        self.log_in(self.phone)

        def more(number, start):
            patients = [
                self.make_patient(self.nurse, f"X{n} Y", f"29901999{n:05d}")
                for n in range(start, start + number)
            ]
            for patient in patients:
                visit = self.make_visit(patient)
                self.ask(patient_id=patient.id, visit_ids=visit.ids)

        more(3, 100)
        self.get()
        few = self.count_queries()
        more(27, 200)
        self.assertLessEqual(self.count_queries(), few + 1)
        self.assertEqual(self.get().text.count('class="hp-row"'), 30)

    # -- who

    def test_who_is_refused(self):
        mine = self.ask(expects="text")
        for login, group in (
            ("patient", "base.group_portal"),
            ("stranger", "base.group_user"),
            ("accountant", "health_billing.group_accountant"),
            ("biller", "health_billing.group_biller"),
        ):
            user = self.make_user(login, group, self.nurse)
            self.log_in(user)
            for path in ("", f"/demande/{mine.id}", "/semaine"):
                with self.subTest(login, path=path):
                    page = self.get(path, 403).text
                    self.assertNotIn("précision", page)
                    self.assertIn("réservée aux professionnels", page)
            token = self.csrf()
            self.post(f"/demande/{mine.id}/repondre", {"answer": "x"}, status=403, token=token)
            self.post("/visite/1/faite", {}, status=403, token=token)
        self.assertEqual(mine.state, "open")
        self.logout()
        self.assertIn("/web/login", self.get("", 303).headers["Location"])

    def csrf(self):
        """A token that is good for the session, from a page anyone has."""
        page = self.url_open("/web/login?redirect=/x").text
        found = re.search(r'csrf_token["\s:=]+(?:value=)?"([^"]+)"', page)
        return found[1]

    def test_practitioner_of_the_agency_sees_their_own(self):
        mine = self.ask(expects="text")
        user = self.make_user("nurse", "health_billing.group_practitioner", self.nurse)
        self.log_in(user)
        self.assertIn("précision", self.get().text)
        self.answer(mine, {"answer": "Oui"})
        self.assertEqual((mine.answer, mine.answered_by_id), ("Oui", user))

    def test_question_of_another_practice_is_not_there(self):
        self.log_in(self.phone)
        own = self.ask(expects="text")
        other = self.ask(
            company_id=self.physio.id, patient_id=self.other_patient.id, expects="text"
        )
        token = re.search(r'csrf_token" value="([^"]+)', self.get(f"/demande/{own.id}").text)[1]
        for question_id in (other.id, 10**8):
            self.assertNotIn("PETIT", self.get(f"/demande/{question_id}", 404).text)
            self.post(f"/demande/{question_id}/repondre", {"answer": "x"}, status=404, token=token)
        self.assertEqual((other.state, other.answer), ("open", False))
        visit = self.make_visit(self.other_patient, state="planned")
        self.post(f"/visite/{visit.id}/faite", {}, status=404, token=token)
        self.assertEqual(visit.state, "planned")

    def test_form_of_another_site_is_refused(self):
        self.log_in(self.phone)
        question = self.ask(expects="text")
        for token in ("", "x" * 40):
            self.answer(question, {"answer": "x"}, status=400, token=token)
        self.assertEqual(question.state, "open")

    # -- answers

    def test_answers_follow_one_another_to_the_end(self):
        self.log_in(self.phone)
        first = self.ask(expects="text", deadline=DAY)
        second = self.ask(expects="yes_no", deadline=DAY + timedelta(days=1))
        third = self.ask(expects="hour", deadline=DAY + timedelta(days=2))
        to = self.answer(first, {"answer": "Oui", "n": "1", "sur": "3"}).headers["Location"]
        self.assertTrue(to.endswith(f"/mon-cabinet/demande/{second.id}?n=2&sur=3"), to)
        to = self.answer(second, {"answer": "no", "n": "2", "sur": "3"}).headers["Location"]
        self.assertTrue(to.endswith(f"/mon-cabinet/demande/{third.id}?n=3&sur=3"), to)
        to = self.answer(third, {"answer": "07:30", "n": "3", "sur": "3"}).headers["Location"]
        self.assertTrue(to.endswith("/mon-cabinet?onglet=complete&fini=1"), to)
        self.assertEqual((first | second | third).mapped("answer"), ["Oui", "Non", "07:30"])

    def test_counters_of_the_address_are_only_numbers(self):
        self.log_in(self.phone)
        question = self.ask(expects="text")
        for n, sur in (("9", "2"), ("<b>", "3"), ("-1", "1e9"), ("٣", "٤"), ("1" * 5000, "2")):
            page = self.get(f"/demande/{question.id}?n={n}&sur={sur}").text
            self.assertIn("1 sur 1", page)

    def test_photo_goes_to_the_prescription(self):
        self.log_in(self.phone)
        visit = self.make_visit()
        question = self.ask(expects="file", fills="prescription", visit_ids=visit.ids)
        self.answer(
            question, {"date": "2026-10-06"}, files={"photo": ("DURAND.jpg", JPEG, "image/jpeg")}
        )
        attachment = visit.prescription_id.attachment_ids
        self.assertEqual((attachment.raw, attachment.mimetype), (JPEG, "image/jpeg"))
        self.assertNotIn("DURAND", attachment.name)
        self.assertFalse(attachment.public)

    def test_wrong_and_too_large_files_are_refused_in_french(self):
        self.log_in(self.phone)
        self.env["health.parameter"].search([("code", "=", "question_file_mb")]).value = 1
        question = self.ask(expects="file", fills="prescription")
        cases = (
            ("x.jpg", b"<svg onload=alert(1)>", "Seule une photo"),
            ("x.pdf", b"MZ\x90\x00", "Seule une photo"),
            ("x.jpg", b"", "Seule une photo"),
            ("x.jpg", JPEG + b"0" * 1024 * 1024, "trop lourd"),
        )
        for name, content, message in cases:
            with self.subTest(name, size=len(content)):
                page = self.answer(
                    question, {}, files={"file": (name, content, "image/jpeg")}, status=422
                ).text
                self.assertIn(message, page)
                self.assertIn('role="alert"', page)
        self.assertIn("Prenez une photo", self.answer(question, {}, status=422).text)
        self.assertEqual(question.state, "open")
        self.assertFalse(self.env["ir.attachment"].search([("name", "like", f"-{question.id}-")]))

    def test_first_of_two_phones_wins(self):
        question = self.ask(expects="text")
        second = self.make_portal("phone2", self.nurse)
        self.nurse.health_portal_user_ids |= second
        self.log_in(self.phone)
        self.answer(question, {"answer": "premier"})
        page = self.get(f"/demande/{question.id}").text
        self.assertIn("Déjà répondu", page)
        self.assertNotIn("<form", page)
        other = self.ask(expects="text")
        self.log_in(second)
        token = re.search(r'csrf_token" value="([^"]+)', self.get(f"/demande/{other.id}").text)[1]
        page = self.answer(question, {"answer": "second"}, status=409, token=token).text
        self.assertIn("premier", page)
        self.assertEqual((question.answer, question.answered_by_id), ("premier", self.phone))

    def test_what_was_typed_stays_after_a_mistake(self):
        self.log_in(self.phone)
        question = self.ask(expects="hour", fills="hour", visit_id=self.make_visit().id)
        page = self.answer(question, {"answer": "99:99", "n": "1", "sur": "1"}, status=422).text
        self.assertIn('value="99:99"', page)
        page = self.answer(question, {"unable": "1", "reason": " "}, status=422).text
        self.assertIn("Dites pourquoi", page)
        self.answer(question, {"unable": "1", "reason": "Oublié <b>"})
        self.assertEqual((question.answer, question.is_unable), ("Oublié <b>", True))

    def test_lot_of_fse_is_confirmed_or_not(self):
        self.log_in(self.phone)
        fses = self.unsent_fse("000101") + self.unsent_fse("000102")
        question = self.ask(kind="sign", expects="sent", fse_ids=fses.ids, patient_id=False)
        page = self.get(f"/demande/{question.id}").text
        self.assertEqual(page.count('type="checkbox"'), 2)
        self.assertIn("000101", page)
        self.assertNotIn("AMI", page)
        page = self.answer(question, {"fse": [str(fses[0].id)]}, status=422).text
        # the one that did not leave is not ticked again behind the practitioner's back
        ticked = re.findall(r'name="fse" value="(\d+)" checked', page)
        self.assertEqual(ticked, [str(fses[0].id)])
        self.answer(question, {"fse": [str(fses[0].id)], "reason": "carte oubliée"})
        self.assertIn("000102", question.answer)

    # -- the week

    def test_week_and_done(self):
        self.log_in(self.phone)
        monday = self.day - timedelta(days=self.day.weekday())
        visit = self.make_visit(day=monday, state="planned", time="07:30")
        future = self.make_visit(day=self.day + timedelta(days=30), state="planned")
        hidden = self.make_visit(self.other_patient, day=monday, state="planned")
        page = self.get("/semaine").text
        self.assertEqual(page.count('class="hp-visit"'), 1)
        self.assertIn("07:30", page)
        token = re.search(r'csrf_token" value="([^"]+)', page)[1]
        for _tap in range(2):
            self.post(f"/visite/{visit.id}/faite", {}, token=token)
            self.assertEqual(visit.state, "done")
        self.post(f"/visite/{visit.id}/annuler", {}, token=token)
        self.assertEqual(visit.state, "planned")
        self.post(f"/visite/{future.id}/faite", {}, token=token)
        self.assertEqual((future.state, hidden.state), ("planned", "planned"))
        visit.write({"state": "billed", "fse_id": self.unsent_fse("20").id})
        self.post(f"/visite/{visit.id}/annuler", {}, token=token)
        self.assertEqual(visit.state, "billed")

    def test_week_costs_the_same_for_three_and_thirty(self):
        self.log_in(self.phone)
        patients = [
            self.make_patient(self.nurse, f"X{n} Y", f"29901999{n:05d}") for n in range(100, 130)
        ]
        for patient in patients[:3]:
            self.make_visit(patient, day=self.day)
        self.get("/semaine")
        few = self.count_queries("/semaine")
        for patient in patients[3:]:
            self.make_visit(patient, day=self.day)
        self.assertLessEqual(self.count_queries("/semaine"), few + 1)

    def test_log_in_leads_a_practitioner_to_their_page(self):
        for user, page in (
            (self.phone, "/mon-cabinet"),
            (self.make_portal("p", self.nurse), "/my"),
        ):
            user.password = user.login
            self.authenticate(None, None)
            token = self.csrf()
            response = self.url_open(
                "/web/login",
                data={"login": user.login, "password": user.login, "csrf_token": token},
                allow_redirects=False,
            )
            self.assertTrue(response.headers["Location"].endswith(page), response.headers)
