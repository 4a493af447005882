from datetime import date, timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import HealthCommon

DAY = date(2026, 10, 8)
NIR = "2990199999001"


class QuestionCommon(HealthCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Question = cls.env["health.question"]
        cls.day = fields.Date.context_today(cls.Question)
        cls.other_patient = cls.make_patient(cls.physio, "PETIT Jean", "1990199999002")

    @classmethod
    def ask(cls, **values):
        values = {
            "company_id": cls.nurse.id,
            "kind": "complete",
            "text": "Une précision, s'il vous plaît",
            "patient_id": cls.patient.id,
            **values,
        }
        return cls.Question._ask([values])

    @classmethod
    def make_visit(cls, patient=None, day=DAY, **values):
        return cls.env["health.visit"].create(
            {"patient_id": (patient or cls.patient).id, "day": day, "state": "done", **values}
        )

    @classmethod
    def unsent_fse(cls, number, company=None, **values):
        values = {"amo": 600, "sent_on": False, "lot_no": False, "origin": "entry"} | values
        return cls.make_fse(company or cls.nurse, number, **values)


@tagged("post_install", "-at_install")
class TestQuestion(QuestionCommon):
    # -- the night

    def test_night_asks_once_per_patient_for_the_missing_prescription(self):
        visits = self.make_visit() + self.make_visit(day=DAY + timedelta(days=1))
        other = self.make_visit(self.other_patient)
        asked, _told = self.Question._night(DAY + timedelta(days=2))
        self.assertEqual(asked.mapped("patient_id"), self.patient + self.other_patient)
        ours = asked.filtered(lambda one: one.company_id == self.nurse)
        self.assertEqual(
            (ours.visit_ids, ours.expects, ours.fills), (visits, "file", "prescription")
        )
        self.assertEqual((asked - ours).visit_ids, other)
        self.assertEqual(self.Question.search_count([]), 2)
        # the same night again asks nothing; a new visit joins the question that waits
        self.assertFalse(self.Question._night(DAY + timedelta(days=2))[0])
        third = self.make_visit(day=DAY + timedelta(days=2))
        self.assertEqual(self.Question._night(DAY + timedelta(days=2))[0], ours)
        self.assertEqual(ours.visit_ids, visits + third)
        # what the biller cancelled is not asked again
        ours.action_cancel()
        self.assertFalse(self.Question._night(DAY + timedelta(days=2))[0])

    def test_night_leaves_alone_what_is_not_missing(self):
        prescription = self.env["health.prescription"].create(
            {"patient_id": self.patient.id, "date": DAY}
        )
        prescription.attachment_ids = self.env["ir.attachment"].create(
            {"name": "scan.pdf", "raw": b"%PDF-1.4"}
        )
        self.make_visit(prescription_id=prescription.id)
        self.make_visit(state="planned")
        self.make_visit(day=DAY - timedelta(days=90))
        # the journal of another program knows no prescription: its FSE are not asked about
        self.unsent_fse("1", origin="journal")
        self.assertFalse(self.Question._night(DAY)[0])
        fse = self.unsent_fse("2")
        self.assertEqual(self.Question._night(DAY)[0].fse_ids, fse)

    def test_night_asks_for_the_scan_and_the_hour(self):
        prescription = self.env["health.prescription"].create(
            {"patient_id": self.patient.id, "date": DAY}
        )
        fse = self.unsent_fse("3", prescription_id=prescription.id)
        visit = self.make_visit(prescription_id=prescription.id, fse_id=fse.id)
        self.env["health.finding"].create(
            {"fse_id": fse.id, "rule_code": "INF-40", "severity": "3", "message": "Heure absente."}
        )
        asked, _told = self.Question._night(DAY)
        scan, hour = asked.sorted("expects")
        self.assertEqual((scan.expects, scan.prescription_id), ("file", prescription))
        self.assertEqual((hour.expects, hour.visit_id), ("hour", visit))
        self.assertFalse(self.Question._night(DAY)[0])

    def test_night_costs_the_same_for_three_and_thirty(self):
        def count(number, offset):
            patients = [
                self.make_patient(self.nurse, f"X{n} Y", f"29901999{n:05d}")
                for n in range(offset, offset + number)
            ]
            self.env["health.visit"].create(
                [{"patient_id": p.id, "day": DAY, "state": "done"} for p in patients]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            asked, _told = self.Question._night(DAY)
            self.env.flush_all()
            self.assertEqual(len(asked), number)
            return self.env.cr.sql_log_count - before

        count(1, 100)
        few, many = count(3, 200), count(30, 300)
        self.assertLessEqual(many, few + 2)

    def test_cycle_reports_its_step(self):
        self.make_visit(day=date(2026, 11, 19))
        cycle = self.env["health.cycle"].run("2026-11-20")
        self.assertTrue(cycle.is_ok, cycle.report)
        self.assertIn("1 question(s) asked.", cycle.report)
        self.assertEqual(self.Question.search([]).deadline, date(2026, 11, 22))

    def test_mail_says_how_many_and_never_what(self):
        user = self.make_user("phone", "base.group_portal", self.nurse)
        self.nurse.health_portal_user_ids = user
        first = self.ask(text="Pansement lourd", deadline=DAY)
        self.ask(company_id=self.physio.id, patient_id=self.other_patient.id)
        self.assertEqual(self.Question._notify(DAY), self.nurse)
        mail = self.env["mail.mail"].search([("recipient_ids", "in", user.partner_id.ids)])
        self.assertIn("/mon-cabinet", mail.body_html)
        for secret in ("Pansement", "DURAND", "Anne", NIR):
            self.assertNotIn(secret, mail.body_html + mail.subject)
        self.assertEqual((first.notified_on, first.reminder_count), (DAY, 0))
        # late: reminded every two days, three times, then a person calls
        for days, reminders in ((0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (6, 3), (8, 3), (20, 3)):
            self.Question._notify(DAY + timedelta(days=days))
            self.assertEqual(first.reminder_count, reminders, days)

    # -- answers

    def answer(self, question, answer="", files=(), **values):
        question._answer({"answer": answer, **values}, files)
        return question

    def test_photo_with_its_date_makes_the_prescription_and_links_the_care(self):
        before, after = self.make_visit(day=DAY - timedelta(days=7)), self.make_visit()
        fse = self.unsent_fse("4", fse_date=DAY)
        question = self.ask(
            expects="file",
            fills="prescription",
            visit_ids=(before + after).ids,
            fse_ids=fse.ids,
        )
        self.answer(question, files=[("x", b"\xff\xd8\xff page")], date="2026-10-06")
        prescription = question.prescription_id
        self.assertEqual(prescription.date, date(2026, 10, 6))
        self.assertEqual(prescription.attachment_ids.mimetype, "image/jpeg")
        self.assertEqual(prescription.attachment_ids.res_id, prescription.id)
        self.assertEqual(after.prescription_id, prescription)
        self.assertFalse(before.prescription_id)
        self.assertEqual(
            (fse.prescription_id, fse.prescription_date), (prescription, date(2026, 10, 6))
        )
        self.assertEqual(question.state, "answered")

    def test_photo_without_a_date_waits_for_the_biller(self):
        visit = self.make_visit()
        question = self.ask(expects="file", fills="prescription", visit_ids=visit.ids)
        self.answer(question, files=[("x", b"%PDF-1.7 page"), ("y", b"\x89PNG\r\n\x1a\n")])
        self.assertFalse(visit.prescription_id)
        self.assertEqual(len(question.attachment_ids), 2)
        context = question.action_make_prescription()["context"]
        self.assertEqual(context["default_attachment_ids"], question.attachment_ids.ids)

    def test_scan_goes_to_its_prescription(self):
        prescription = self.env["health.prescription"].create(
            {"patient_id": self.patient.id, "date": DAY}
        )
        question = self.ask(expects="file", fills="prescription", prescription_id=prescription.id)
        self.answer(question, files=[("x", b"\xff\xd8\xff")])
        self.assertEqual(prescription.attachment_ids, question.attachment_ids)

    def test_sent_fse_is_never_touched(self):
        fse = self.make_fse(self.nurse, "5", amo=600)
        question = self.ask(expects="date", fills="prescription_date", fse_ids=fse.ids)
        self.answer(question, "2026-10-01")
        self.assertFalse(fse.prescription_date)
        self.assertIn("No FSE", question.filled)
        unsent = self.unsent_fse("6")
        question = self.ask(expects="date", fills="prescription_date", fse_ids=unsent.ids)
        self.answer(question, "2026-10-01")
        self.assertEqual(unsent.prescription_date, date(2026, 10, 1))

    def test_hour_and_place_fill_the_visit(self):
        visit = self.make_visit()
        for text, hour in (("7h30", "07:30"), ("21:05", "21:05")):
            visit.time = False
            self.answer(self.ask(expects="hour", fills="hour", visit_id=visit.id), text)
            self.assertEqual(visit.time, hour)
        question = self.ask(expects="hour", fills="hour", visit_id=visit.id)
        self.assertIn("see it", self.answer(question, "08:00").filled)
        self.assertEqual(visit.time, "21:05")
        question = self.ask(expects="choice", fills="place", visit_ids=visit.ids)
        self.answer(question, "office")
        self.assertEqual((visit.place, question.answer), ("office", "At the practice"))

    def test_hour_of_a_billed_visit_goes_to_the_acts_that_wait(self):
        fse = self.unsent_fse("9")
        visit = self.make_visit(state="billed", fse_id=fse.id)
        fse.act_ids.visit_id = visit
        self.answer(self.ask(expects="hour", fills="hour", visit_id=visit.id), "06:15")
        self.assertEqual((fse.act_ids.act_time, visit.time), ("06:15", False))

    def test_nir_goes_to_the_patient_and_nowhere_else(self):
        self.patient.health_nir = False
        question = self.ask(expects="text", fills="nir")
        with self.assertRaisesRegex(UserError, "social security number"):
            self.answer(question, "1234")
        self.answer(question, "2 99 01 99 999 001")
        self.assertEqual(self.patient.health_nir, NIR)
        self.assertNotIn("99", question.answer + question.filled)

    def test_wrong_answers_are_refused_and_change_nothing(self):
        tomorrow = (self.day + timedelta(days=1)).isoformat()
        cases = [
            ({"expects": "text"}, {"answer": "  "}, ()),
            ({"expects": "date"}, {"answer": "32/13"}, ()),
            ({"expects": "date"}, {"answer": tomorrow}, ()),
            ({"expects": "date"}, {"answer": "1026-10-01"}, ()),
            ({"expects": "hour"}, {"answer": "25:00"}, ()),
            ({"expects": "yes_no"}, {"answer": "maybe"}, ()),
            ({"expects": "file"}, {}, ()),
            ({"expects": "file"}, {}, [("a.jpg", b"<html>")]),
            ({"expects": "file"}, {}, [("a.jpg", b"\xff\xd8\xff")] * 6),
            ({"expects": "text"}, {"unable": "1", "reason": ""}, ()),
        ]
        for asked, values, files in cases:
            question = self.ask(**asked)
            with self.subTest(asked=asked, values=values), self.assertRaises(UserError):
                question._answer(values, files)
            self.assertEqual((question.state, question.answer), ("open", False))

    def test_unable_says_why_and_fills_nothing(self):
        visit = self.make_visit()
        question = self.ask(expects="hour", fills="hour", visit_id=visit.id)
        self.answer(question, "08:00", unable="1", reason="Je ne sais plus")
        self.assertEqual((question.answer, question.is_unable), ("Je ne sais plus", True))
        self.assertFalse(visit.time)

    def test_what_cannot_be_recorded_is_told_and_the_answer_stays(self):
        visit = self.make_visit()
        question = self.ask(expects="hour", fills="hour", visit_id=visit.id)

        refusal = "le dossier est verrouillé"

        def broken(self, data):
            self.visit_id.note = "half"
            raise UserError(refusal)

        self.patch(self.registry["health.question"], "_fill_hour", broken)
        self.answer(question, "08:00")
        self.assertIn("verrouillé", question.filled)
        self.assertEqual((question.answer, question.state), ("08:00", "answered"))
        visit.invalidate_recordset()
        self.assertFalse(visit.note)

    def test_signed_and_sent_all_or_which_not(self):
        fses = self.unsent_fse("7") + self.unsent_fse("8")
        question = self.ask(kind="sign", expects="sent", fse_ids=fses.ids, patient_id=False)
        with self.assertRaisesRegex(UserError, "Say why"):
            self.answer(question, fse=[str(fses[0].id)])
        with self.assertRaisesRegex(UserError, "Nothing is ticked"):
            self.answer(question, fse=[])
        self.answer(question, fse=[str(fses[0].id)], reason="carte absente")
        self.assertEqual(question.answer, "Signed and sent, but not 8: carte absente")
        self.assertTrue(question.is_unable)
        again = self.ask(kind="sign", expects="sent", fse_ids=fses.ids, patient_id=False)
        self.answer(again, fse=[str(fse.id) for fse in fses])
        self.assertEqual(again.answer, "Signed and sent")
        # the product never says by itself that an FSE left
        self.assertFalse(any(fses.mapped("sent_on")))

    # -- back to the biller

    def lane(self, user):
        cockpit = (
            self.env["health.cockpit"]
            .with_user(user)
            .with_context(allowed_company_ids=user.company_ids.ids)
        )
        lane = next(one for one in cockpit.data()["lanes"] if one["code"] == "to_complete")
        return {card["key"]: card for card in lane["cards"]}

    def test_answer_comes_back_to_the_queue_and_goes_with_one_click(self):
        biller = self.make_user("biller", "health_billing.group_biller")
        practitioner = self.make_user("nurse", "health_billing.group_practitioner", self.nurse)
        key, waits = f"answers-{self.nurse.id}", f"question-complete-{self.nurse.id}"
        question = self.ask(expects="text")
        self.assertEqual(self.lane(practitioner)[waits]["count"], 1)
        self.assertNotIn(key, self.lane(biller))
        self.answer(question, "Oui, le 3")
        self.assertNotIn(waits, self.lane(practitioner))
        card = self.lane(biller)[key]
        self.assertEqual((card["count"], card["practitioner"]), (1, self.nurse.name))
        self.assertEqual(self.Question.search(card["action"]["domain"]), question)
        question.with_user(biller).action_process()
        self.assertEqual((question.state, question.processed_by_id), ("processed", biller))
        self.assertNotIn(key, self.lane(biller))

    def test_late_question_is_a_card_of_the_biller(self):
        biller = self.make_user("biller", "health_billing.group_biller")
        day = self.env["health.cycle"].last_day()
        self.ask(deadline=day)
        self.assertNotIn(f"unanswered-{self.nurse.id}", self.lane(biller))
        self.ask(deadline=day - timedelta(days=1))
        self.assertEqual(self.lane(biller)[f"unanswered-{self.nurse.id}"]["count"], 1)

    def test_asked_again_shows_the_first_answer(self):
        visit = self.make_visit()
        question = self.ask(expects="text", visit_ids=visit.ids, key="free-1")
        with self.assertRaises(UserError):
            question.action_ask_again()
        self.answer(question, "Oui")
        again = self.Question.browse(question.action_ask_again()["res_id"])
        self.assertEqual(
            (again.state, again.previous_id, again.visit_ids), ("open", question, visit)
        )
        self.assertEqual(question.state, "processed")
        self.assertFalse(again.answer)

    # -- asking by hand

    def wizard(self, records, **values):
        return (
            self.env["health.question.ask"]
            .with_context(active_model=records._name, active_ids=records.ids)
            .create(values)
        )

    def test_ask_from_fse_visit_finding_patient(self):
        fses = self.unsent_fse("10") + self.unsent_fse("11")
        fses |= self.unsent_fse("12", company=self.physio, patient_id=self.other_patient.id)
        wizard = self.wizard(fses, kind="complete", topic="prescription_date")
        self.assertEqual(wizard.question_count, 2)
        wizard.action_ask()
        made = self.Question.search([])
        self.assertEqual(made.mapped("company_id"), self.nurse + self.physio)
        self.assertEqual({len(question.fse_ids) for question in made}, {1, 2})
        self.assertEqual(set(made.mapped("expects")), {"date"})
        visits = self.make_visit() + self.make_visit(day=DAY + timedelta(days=1))
        self.assertEqual(self.wizard(visits, kind="complete", topic="hour").question_count, 2)
        self.assertEqual(self.wizard(visits, kind="complete", topic="place").question_count, 1)
        finding = self.env["health.finding"].create(
            {"fse_id": fses[0].id, "rule_code": "X", "severity": "2", "message": "Quel bras ?"}
        )
        wizard = self.wizard(finding, kind="question")
        self.assertEqual(wizard.text, "Quel bras ?")
        question = self.Question.browse(wizard.action_ask()["res_id"])
        self.assertEqual((question.finding_id, question.fse_ids), (finding, fses[0]))
        wizard = self.wizard(self.patient, kind="question", text="Adresse ?")
        question = self.Question.browse(wizard.action_ask()["res_id"])
        self.assertEqual((question.patient_id, question.expects), (self.patient, "text"))
        with self.assertRaises(UserError):
            self.wizard(self.cpam, kind="question", text="?").action_ask()

    def test_ask_to_sign_what_waits_only(self):
        fses = self.unsent_fse("13") + self.unsent_fse("14")
        question = self.Question.browse(self.wizard(fses, kind="sign").action_ask()["res_id"])
        self.assertEqual((question.expects, question.fse_ids), ("sent", fses))
        sent = self.make_fse(self.nurse, "15", amo=100)
        with self.assertRaisesRegex(UserError, "15"):
            self.wizard(fses + sent, kind="sign").action_ask()

    # -- rights

    def test_rights_by_role(self):
        mine = self.ask()
        other = self.ask(company_id=self.physio.id, patient_id=self.other_patient.id)
        users = {
            role: self.make_user(role, group, companies)
            for role, group, companies in (
                ("biller", "health_billing.group_biller", self.companies),
                ("nurse", "health_billing.group_practitioner", self.nurse),
                ("accountant", "health_billing.group_accountant", self.companies),
                ("stranger", "base.group_user", self.companies),
                ("phone", "base.group_portal", self.nurse),
                ("patient", "base.group_portal", self.nurse),
            )
        }
        self.nurse.health_portal_user_ids = users["phone"]

        def seen(role):
            user = users[role]
            return self.Question.with_user(user).with_context(
                allowed_company_ids=user.company_ids.ids
            )

        self.assertEqual(seen("biller").search([]), mine + other)
        self.assertEqual(seen("nurse").search([]), mine)
        self.assertEqual(seen("phone").search([]), mine)
        self.assertFalse(seen("patient").search([]))
        for role in ("accountant", "stranger"):
            with self.subTest(role), self.assertRaises(AccessError):
                seen(role).search([])
        for role in ("nurse", "phone"):
            with self.subTest(role), self.assertRaises(AccessError):
                seen(role).browse(other.id).read(["text"])
            with self.subTest(role), self.assertRaises(AccessError):
                seen(role).browse(mine.id).write({"answer": "x"})
        with self.assertRaises(AccessError):
            seen("phone").env["health.visit"].search([])
        for role in ("nurse", "phone", "stranger"):
            with self.subTest(role), self.assertRaises(AccessError):
                seen(role).env["health.question.ask"].create({"text": "?"})

    def test_phone_access_is_given_and_withdrawn_by_the_manager(self):
        manager = self.make_user("manager", "health_billing.group_manager")
        biller = self.make_user("biller", "health_billing.group_biller")
        self.nurse.email = "Infirmiere@Example.org"
        with self.assertRaises(AccessError):
            self.nurse.with_user(biller).action_health_give_phone_access()
        self.nurse.with_user(manager).action_health_give_phone_access()
        user = self.nurse.health_portal_user_ids
        self.assertEqual((user.login, user._is_portal()), ("infirmiere@example.org", True))
        self.assertEqual(user.company_ids, self.nurse)
        # again: the same user; for a second practice: one user for both
        self.nurse.with_user(manager).action_health_give_phone_access()
        self.physio.email = "infirmiere@example.org"
        self.physio.with_user(manager).action_health_give_phone_access()
        self.assertEqual(self.nurse.health_portal_user_ids, self.physio.health_portal_user_ids)
        practices = self.env["res.company"].with_user(user)._health_own_practices()
        self.assertEqual(practices, self.nurse + self.physio)
        self.nurse.with_user(manager).action_health_withdraw_phone_access()
        self.assertEqual(
            self.env["res.company"].with_user(user)._health_own_practices(), self.physio
        )
        self.physio.with_user(manager).action_health_withdraw_phone_access()
        self.assertFalse(user.active)
        self.nurse.with_user(manager).action_health_give_phone_access()
        self.assertTrue(user.active)

    def test_phone_access_is_never_given_to_somebody_else(self):
        self.make_user("taken", "base.group_user")
        self.nurse.email = "taken"
        with self.assertRaises(UserError):
            self.nurse.action_health_give_phone_access()
        self.env["res.users"].browse(self.make_user("p", "base.group_portal").id).write(
            {"login": "p@example.org", "partner_id": self.patient.id}
        )
        self.nurse.email = "p@example.org"
        with self.assertRaisesRegex(UserError, "another user"):
            self.nurse.action_health_give_phone_access()
