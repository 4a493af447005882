"""Round plans, visits and the week screen's server side: what a biller would miss if it broke."""

import base64
from datetime import date

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from ..tools import cents, format_cents
from .common import HealthCommon

MONDAY = date(2026, 11, 9)  # its Wednesday is a holiday
NEXT = date(2026, 11, 16)


class RoundCommon(HealthCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        find = cls.env["product.product"].search
        nurse = [("health_profession", "=", "infirmier")]
        cls.ami4 = find(
            [
                *nurse,
                ("health_key_letter", "=", "AMI"),
                ("health_coefficient_hundredths", "=", 400),
            ],
            limit=1,
        )
        cls.bsb = find([*nurse, ("health_key_letter", "=", "BSB")], limit=1)
        cls.plan = cls.make_plan(cls.patient, time="730")

    @classmethod
    def make_plan(cls, patient, **values):
        return cls.env["health.round.plan"].create(
            {
                "patient_id": patient.id,
                "date_from": date(2026, 11, 1),
                "act_ids": [
                    (0, 0, {"product_id": cls.ami4.id}),
                    (0, 0, {"product_id": cls.bsb.id}),
                ],
                **values,
            }
        )

    @classmethod
    def make_patients(cls, count, first=1):
        return cls.env["res.partner"].create(
            [
                {
                    "name": f"PATIENT {number:03d}",
                    "health_kind": "patient",
                    "company_id": cls.nurse.id,
                }
                for number in range(first, first + count)
            ]
        )

    def make_visits(self, companies=None, start=MONDAY, end=NEXT):
        return self.env["health.round.plan"]._make_visits(companies or self.nurse, start, end)

    def visit(self, **values):
        return self.env["health.visit"].create(
            {
                "patient_id": self.patient.id,
                "day": MONDAY,
                "act_ids": [(0, 0, {"product_id": self.ami4.id})],
                **values,
            }
        )


@tagged("post_install", "-at_install")
class TestRound(RoundCommon):
    def test_a_plan_gives_one_visit_a_day_and_none_twice(self):
        made, notes = self.make_visits()
        self.assertEqual(made.mapped("day"), [date(2026, 11, 9 + n) for n in range(5)])
        self.assertEqual(set(made.mapped("time")), {"07:30"})
        self.assertEqual(made[0].acts_label, "AMI 4 + BSB")
        self.assertFalse(notes)
        made[0].action_cancel()
        self.assertFalse(self.make_visits()[0], "a cancelled visit counts as made")

    def test_period_is_half_open(self):
        self.plan.write({"date_from": date(2026, 11, 10), "date_to": date(2026, 11, 12)})
        made, _notes = self.make_visits(start=MONDAY, end=date(2026, 11, 11))
        self.assertEqual(made.mapped("day"), [date(2026, 11, 10)])
        made, _notes = self.make_visits()
        self.assertEqual(made.mapped("day"), [date(2026, 11, 11)])

    def test_no_visit_in_hospital_and_it_is_said(self):
        self.env["health.stay"].create(
            {
                "patient_id": self.patient.id,
                "kind": "hospital",
                "date_from": date(2026, 11, 10),
                "date_to": date(2026, 11, 12),
            }
        )
        made, notes = self.make_visits()
        self.assertEqual([day.day for day in made.mapped("day")], [9, 12, 13])
        self.assertEqual(notes, ["DURAND Anne is in hospital: no visit on 10/11, 11/11."])

    def test_other_practitioners_and_archived_plans_are_left_out(self):
        self.assertFalse(self.make_visits(self.physio)[0])
        self.plan.active = False
        self.assertFalse(self.make_visits()[0])

    def test_queries_do_not_grow_with_the_round(self):
        counts = []
        for first, size in ((1, 3), (4, 30)):
            self.env["health.round.plan"].search([]).active = False
            for patient in self.make_patients(size, first):
                self.make_plan(patient)
            self.env.flush_all()
            self.env.invalidate_all()
            with self.assertQueryCount(1000):
                start = self.cr.sql_log_count
                made, _notes = self.make_visits()
                self.env.flush_all()
                counts.append(self.cr.sql_log_count - start)
            self.assertEqual(len(made), size * 5)
        # the ORM inserts by hundreds: nothing else may grow
        self.assertLessEqual(counts[1] - counts[0], 8, counts)

    def test_hours_as_typed(self):
        for typed, kept in (
            ("730", "07:30"),
            ("7h", "07:00"),
            ("19:5", "19:05"),
            ("1930", "19:30"),
        ):
            with self.subTest(typed):
                self.assertEqual(self.visit(time=typed).time, kept)
        for typed in ("2530", "matin", "7:99"):
            with self.subTest(typed), self.assertRaises(ValidationError):
                self.visit(time=typed)
        with self.assertRaises(ValidationError):
            self.plan.time = "99"

    def test_plan_must_end_after_it_begins(self):
        with self.assertRaises(ValidationError):
            self.plan.date_to = self.plan.date_from

    def test_billed_visit_is_locked(self):
        visit = self.visit()
        fse = self.make_fse(self.nurse, "77", amo=1260)
        visit.write({"fse_id": fse.id, "state": "billed"})
        for change in (
            lambda: visit.write({"day": NEXT}),
            lambda: visit.write({"state": "done"}),
            lambda: visit.write({"state": "planned", "fse_id": False}),
            lambda: visit.act_ids.write({"quantity": 2}),
            lambda: visit.act_ids.unlink(),
            lambda: visit.write({"act_ids": [(0, 0, {"product_id": self.bsb.id})]}),
            visit.unlink,
            visit.action_cancel,
        ):
            with self.assertRaisesRegex(UserError, "FSE 77"):
                change()
        visit.note = "said by telephone"
        self.assertEqual((visit.day, visit.state, visit.acts_label), (MONDAY, "billed", "AMI 4"))

    def test_done_visits_become_an_fse(self):
        done, planned = self.visit(), self.visit(day=date(2026, 11, 10))
        done.action_done()
        action = (done + planned).action_bill()
        fse = self.env["health.fse"].search(action["domain"])
        self.assertEqual(fse.patient_id, self.patient)
        self.assertIn(self.ami4, fse.act_ids.product_id)
        self.assertEqual((done.state, done.fse_id, planned.state), ("billed", fse, "planned"))
        with self.assertRaisesRegex(UserError, "Nothing to bill"):
            (done + planned).action_bill()

    def test_only_what_was_done_is_billed(self):
        visit = self.visit()
        with self.assertRaisesRegex(UserError, "Nothing to bill"):
            visit.action_bill()
        visit.act_ids.unlink()
        visit.action_done()
        with self.assertRaisesRegex(UserError, "has no act"):
            visit.action_bill()

    def test_copy_of_yesterday(self):
        Visit = self.env["health.visit"]
        other = self.make_patients(1)
        third = self.make_patients(1, 2)
        self.visit(time="0800")
        self.visit(patient_id=other.id, time="0900")
        self.visit(patient_id=third.id, state="cancelled")
        present = self.visit(patient_id=other.id, day=date(2026, 11, 10), time="1000")
        made = Visit._copy_day(self.nurse, MONDAY, date(2026, 11, 10))
        self.assertEqual(made.patient_id, self.patient)
        self.assertEqual((made.time, made.state, made.acts_label), ("08:00", "planned", "AMI 4"))
        self.assertEqual(present.time, "10:00")
        self.assertFalse(Visit._copy_day(self.nurse, MONDAY, date(2026, 11, 10)))
        self.assertFalse(Visit._copy_day(self.nurse, MONDAY, MONDAY))

    def test_copy_takes_the_plan_along(self):
        self.make_visits(end=date(2026, 11, 10))
        made = self.env["health.visit"]._copy_day(self.nurse, MONDAY, date(2026, 11, 10))
        self.assertEqual(made.plan_id, self.plan)
        self.assertNotIn(date(2026, 11, 10), self.make_visits()[0].mapped("day"))


@tagged("post_install", "-at_install")
class TestRoundWeek(RoundCommon):
    def week(self, user=None):
        model = self.env["health.round.week"]
        return model.with_user(user) if user else model

    def cell(self, visits, known=(), day="2026-11-09", patient=None, passage=1):
        return {
            "patient_id": (patient or self.patient).id,
            "passage": passage,
            "day": day,
            "known": list(known),
            "visits": visits,
        }

    def save(self, *cells):
        return self.week().save(self.nurse.id, "2026-11-09", list(cells))

    def test_week_as_shown(self):
        self.make_visits()
        evening = self.make_plan(self.patient, time="19h", passage=2)
        data = self.week().data(self.nurse.id, "2026-11-12")
        self.assertEqual(data["monday"], "2026-11-09")
        self.assertEqual(
            [day["is_off"] for day in data["days"]], [False] * 2 + [True] + [False] * 3 + [True]
        )
        self.assertEqual([row["time"] for row in data["rows"]], ["07:30", "19:00"])
        morning = data["rows"][0]
        self.assertEqual(len(morning["cells"]), 5)
        self.assertEqual(morning["cells"]["2026-11-09"][0]["label"], "AMI 4 + BSB")
        self.assertEqual(morning["favourites"], [self.ami4.id, self.bsb.id])
        self.assertEqual(morning["badge"]["code"], "missing")
        self.assertEqual(data["rows"][1]["plan_ids"], evening.ids)
        letters = {act["letter"] for act in data["acts"]}
        self.assertIn("AMI", letters)
        self.assertNotIn("AMK", letters)

    def test_prescription_trouble(self):
        self.make_visits()
        prescription = self.env["health.prescription"].create(
            {
                "patient_id": self.patient.id,
                "date": date(2026, 10, 1),
                "date_to": date(2026, 11, 12),
            }
        )

        def badge():
            return self.week().data(self.nurse.id, "2026-11-09")["rows"][0]["badge"]

        self.assertEqual((badge()["code"], badge()["label"]), ("expired", "Rx ended 11/11"))
        prescription.date_to = date(2026, 11, 14)
        self.assertFalse(badge())

    def test_typing_marking_and_undoing(self):
        new = {"uid": "n1", "state": "planned", "time": "8h", "acts": [[self.ami4.id, 2]]}
        answer = self.save(self.cell([new], day="2026-11-14"))
        (visit,) = answer["cells"][0]["visits"]
        self.assertEqual(answer["created"], {"n1": visit["id"]})
        self.assertEqual((visit["time"], visit["label"]), ("08:00", "2 × AMI 4"))
        done = {**visit, "state": "done"}
        self.save(self.cell([done], [visit["id"]], day="2026-11-14"))
        record = self.env["health.visit"].browse(visit["id"])
        self.assertEqual(record.state, "done")
        self.save(self.cell([], [visit["id"]], day="2026-11-14"))
        self.assertFalse(record.exists())
        # undo: the same visit again, although its id is dead
        answer = self.save(self.cell([done], [visit["id"]], day="2026-11-14"))
        (again,) = answer["cells"][0]["visits"]
        self.assertEqual((again["state"], again["acts"]), ("done", [[self.ami4.id, 2]]))

    def test_saving_again_changes_nothing(self):
        (visit,) = self.save(self.cell([{"uid": "a", "acts": [[self.bsb.id, 1]]}]))["cells"][0][
            "visits"
        ]
        record = self.env["health.visit"].browse(visit["id"])
        acts = record.act_ids
        self.save(self.cell([visit], [visit["id"]]))
        self.assertEqual(record.act_ids, acts)

    def test_a_visit_that_came_meanwhile_is_left_alone(self):
        mine = self.visit()
        other = self.visit()
        self.save(self.cell([], [mine.id]))
        self.assertFalse(mine.exists())
        self.assertTrue(other.exists())

    def test_typed_cell_takes_the_plan_of_its_row(self):
        answer = self.save(self.cell([{"uid": "a", "acts": [[self.ami4.id, 1]]}]))
        visit = self.env["health.visit"].browse(answer["created"]["a"])
        self.assertEqual((visit.plan_id, visit.time), (self.plan, "07:30"))
        self.assertNotIn(MONDAY, self.make_visits()[0].mapped("day"))

    def test_the_screen_neither_bills_nor_touches_what_is_billed(self):
        visit = self.visit()
        sent = {"id": visit.id, "state": "billed"}
        with self.assertRaises(UserError):
            self.save(self.cell([sent], visit.ids))
        fse = self.make_fse(self.nurse, "77", amo=1260)
        visit.write({"fse_id": fse.id, "state": "billed"})
        for visits in ([], [{"id": visit.id, "state": "done"}], [{**sent, "acts": []}]):
            with self.assertRaises(UserError):
                self.save(self.cell(visits, visit.ids))

    def test_patient_of_another_practitioner_is_refused(self):
        stranger = self.make_patient(self.physio, "PETIT Jean", "1990199999002")
        with self.assertRaises(UserError):
            self.save(self.cell([{"uid": "a", "acts": []}], patient=stranger))

    def test_fill_copy_and_take_back(self):
        week = self.week()
        answer = week.prepare(self.nurse.id, "2026-11-11")
        self.assertEqual(len(answer["created"]), 5)
        self.assertEqual(week.prepare(self.nurse.id, "2026-11-11")["created"], [])
        answer = week.copy_day(self.nurse.id, "2026-11-13", "2026-11-14")
        self.assertEqual(len(answer["created"]), 1)
        answer = week.remove(self.nurse.id, "2026-11-09", answer["created"])
        self.assertNotIn("2026-11-14", answer["rows"][0]["cells"])

    def test_scan_dropped_on_a_row(self):
        scan = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF"
        data = base64.b64encode(scan).decode()
        before = self.env["health.prescription"].search([])
        self.week().scan(self.nurse.id, self.patient.id, "ordonnance.pdf", data)
        made = self.env["health.prescription"].search([]) - before
        self.assertEqual(made.patient_id, self.patient)
        self.assertEqual((made.attachment_ids.raw, made.is_to_complete), (scan, True))
        badge = self.week().data(self.nurse.id, "2026-11-09")["rows"][0]["badge"]
        self.assertEqual(badge["code"], "missing", "nobody has read the scan yet")
        for bad in ("", "###", base64.b64encode(b"<script>").decode()):
            with self.subTest(bad), self.assertRaises(UserError):
                self.week().scan(self.nurse.id, self.patient.id, "x.pdf", bad)

    def test_one_load_costs_the_same_for_any_round(self):
        counts = []
        for first, size in ((1, 3), (4, 30)):
            self.env["health.visit"].search([]).unlink()
            self.env["health.round.plan"].search([]).unlink()
            for patient in self.make_patients(size, first):
                self.make_plan(patient)
            self.make_visits()
            self.week().data(self.nurse.id, "2026-11-09")  # caches of the registry are warm
            counts.append(self._queries(lambda: self.week().data(self.nurse.id, "2026-11-09")))
        self.assertEqual(counts[0], counts[1])

    def test_saving_a_column_costs_the_same_for_any_round(self):
        counts = []
        self.save(self.cell([{"uid": "a", "acts": [[self.ami4.id, 1]]}]))  # warm caches
        for first, size in ((1, 3), (4, 30)):
            patients = self.make_patients(size, first)
            visits = self.env["health.visit"].create(
                [
                    {
                        "patient_id": patient.id,
                        "day": MONDAY,
                        "act_ids": [(0, 0, {"product_id": self.ami4.id})],
                    }
                    for patient in patients
                ]
            )
            cells = [
                self.cell(
                    [{"id": visit.id, "state": "done", "acts": [[self.bsb.id, 1]]}],
                    visit.ids,
                    patient=visit.patient_id,
                )
                for visit in visits
            ]
            counts.append(self._queries(lambda cells=cells: self.save(*cells)))
            self.assertEqual(set(visits.mapped("state")), {"done"})
            self.assertEqual(set(visits.mapped("acts_label")), {"BSB"})
        self.assertEqual(counts[0], counts[1])

    def test_euros_expected_are_those_that_are_billed(self):
        self.env["health.round.plan"].search([]).write({"time": "2130", "saturday": True})
        visits, _notes = self.make_visits()
        totals = self.week().data(self.nurse.id, "2026-11-09")["totals"]
        self.assertEqual(set(totals["days"]), {day.isoformat() for day in visits.mapped("day")})
        visits[0].action_cancel()
        (visits - visits[0]).action_done()
        week = self.week().data(self.nurse.id, "2026-11-09")["totals"]["week"]
        fses = self.env["health.fse"].search(
            self.week().bill(self.nurse.id, "2026-11-09")["domain"]
        )
        self.assertEqual(week, format_cents(sum(cents(fse.amount_total) for fse in fses)))

    def test_pasting_a_column_costs_the_same_for_any_round(self):
        counts = []
        self.save(self.cell([{"uid": "a", "acts": [[self.ami4.id, 1]]}]))  # warm caches
        for first, size in ((1, 3), (4, 30)):
            cells = [
                self.cell([{"uid": str(patient.id), "acts": [[self.bsb.id, 1]]}], patient=patient)
                for patient in self.make_patients(size, first)
            ]
            counts.append(self._queries(lambda cells=cells: self.save(*cells)))
        self.assertLessEqual(counts[1] - counts[0], 2, counts)

    def _queries(self, call):
        self.env.flush_all()
        self.env.invalidate_all()
        start = self.cr.sql_log_count
        call()
        self.env.flush_all()
        return self.cr.sql_log_count - start

    # -- roles -------------------------------------------------------------------------------------

    def test_practitioner_enters_the_visits_of_their_own_practice_only(self):
        user = self.make_user("nurse", "health_billing.group_practitioner", self.nurse)
        week = self.week(user).with_context(allowed_company_ids=self.nurse.ids)
        self.assertFalse(week.data(self.nurse.id, "2026-11-09")["may_bill"])
        answer = week.save(
            self.nurse.id,
            "2026-11-09",
            [self.cell([{"uid": "a", "state": "done", "acts": [[self.ami4.id, 1]]}])],
        )
        visit = self.env["health.visit"].browse(answer["created"]["a"])
        self.assertEqual(visit.create_uid, user)
        self.assertEqual(visit.state, "done")
        week.prepare(self.nurse.id, "2026-11-09")
        with self.assertRaises(UserError):
            week.bill(self.nurse.id, "2026-11-09")
        with self.assertRaises(UserError):
            week.data(self.physio.id, "2026-11-09")
        other = self.make_patient(self.physio, "PETIT Jean", "1990199999002")
        theirs = self.visit(patient_id=other.id)
        with self.assertRaises(AccessError):
            theirs.with_user(user).with_context(allowed_company_ids=self.nurse.ids).write(
                {"time": "0800"}
            )
        with self.assertRaises(AccessError):
            self.make_plan(other).with_user(user).with_context(
                allowed_company_ids=self.nurse.ids
            ).unlink()

    def test_biller_enters_for_every_practitioner(self):
        user = self.make_user("biller", "health_billing.group_biller")
        week = self.week(user).with_context(allowed_company_ids=self.companies.ids)
        self.assertTrue(week.data(self.nurse.id, "2026-11-09")["may_bill"])
        self.assertEqual(len(week.prepare(self.nurse.id, "2026-11-09")["created"]), 5)

    def test_accountant_and_stranger_see_no_visit(self):
        visit = self.visit()
        for group in ("health_billing.group_accountant", "base.group_user"):
            user = self.make_user(group, group)
            for record in (visit, visit.act_ids, self.plan, self.plan.act_ids):
                with self.subTest(f"{group} {record._name}"), self.assertRaises(AccessError):
                    record.with_user(user).read(["create_date"])
            with self.assertRaises(AccessError):
                self.week(user).data(self.nurse.id, "2026-11-09")
