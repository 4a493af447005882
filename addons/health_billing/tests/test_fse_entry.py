from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common_fse import DAY, PRESCRIBER, FseCommon


@tagged("post_install", "-at_install")
class TestFseEntry(FseCommon):
    # -- entry and price ------------------------------------------------------------------------------

    def test_form_prices_splits_and_validates(self):
        with Form(self.env["health.fse"].with_user(self.biller)) as form:
            form.company_id = self.nurse
            form.patient_id = self.patient
            form.fse_date = DAY
            form.prescription_id = self.prescription
            with form.act_ids.new() as act:
                act.act_date = DAY
                act.product_id = self.blood
                act.act_time = "07:30"
                act.place = "home"
        fse = form.record
        self.assertEqual(fse.state, "entered")
        self.assertTrue(fse.name.startswith("*"), "a provisional number until it is validated")
        self.assertEqual((fse.act_ids.key_letter, fse.act_ids.coefficient), ("AMI", "1,5"))
        self.assertEqual(fse.prescriber_no, PRESCRIBER)
        fse.action_compute()
        priced = self.amounts(fse)
        self.assertEqual(priced["AMI"], 4.73)
        self.assertEqual(priced["IFD"], 2.75)
        self.assertEqual(fse.amount_total, sum(priced.values()))
        self.assertEqual(
            {share.debtor_kind: share.state for share in fse.share_ids},
            {"amo": "draft", "patient": "draft"},
        )
        self.assertEqual(sum(fse.share_ids.mapped("amount")), fse.amount_total)
        self.assertFalse(fse.share_ids.move_id, "nothing is booked before validation")
        self.env["health.cycle"].run("2026-10-05")
        self.assertFalse(fse.share_ids.move_id, "the night does not book it either")
        fse.finding_ids.filtered(lambda f: f.severity == "2")._pass("seen")
        self.assertFalse(fse.blocking_count, fse.finding_ids.mapped("message"))
        fse.action_validate()
        self.assertEqual(fse.state, "to_send")
        self.assertTrue(fse.name.isdigit())
        self.assertEqual(set(fse.share_ids.move_id.mapped("state")), {"posted"})

    def test_the_patient_brings_practitioner_rights_and_the_one_prescription(self):
        coverage = self.env["health.coverage"]._on({(self.patient.id, DAY)})[self.patient.id, DAY]
        coverage = coverage or self.make_coverage(self.patient, DAY)
        with Form(self.env["health.fse"].with_user(self.biller)) as form:
            self.assertFalse(form.company_id, "the agency itself bills nothing")
            form.fse_date = DAY
            form.patient_id = self.patient
            self.assertEqual(form.company_id, self.nurse)
            self.assertEqual(form.coverage_id, coverage)
            self.assertEqual(form.prescription_id, self.prescription)
        fse = form.record
        self.assertEqual((fse.coverage_id, fse.amo_partner_id), (coverage, coverage.amo_partner_id))
        self.assertEqual(fse.amo_rate, coverage.amo_rate)

    def test_of_several_valid_prescriptions_none_is_chosen(self):
        self.prescription.copy()
        with Form(self.env["health.fse"].with_user(self.biller)) as form:
            form.fse_date = DAY
            form.patient_id = self.patient
            self.assertFalse(form.prescription_id)

    def test_pricing_again_changes_nothing(self):
        fse = self.enter()
        fse._compute_all()
        before = fse.act_ids.read(["id", "amount", "why", "quantity"])
        findings = fse.finding_ids.ids
        fse._compute_all()
        self.assertEqual(fse.act_ids.read(["id", "amount", "why", "quantity"]), before)
        self.assertEqual(fse.finding_ids.ids, findings)

    def test_one_session_on_two_fse_is_priced_as_one(self):
        first = self.enter(acts=[(self.blood, "07:30")])
        second = self.enter(acts=[(self.injection, "07:30")])
        (first + second)._compute_all()
        travel = (first + second).act_ids.filtered(lambda act: act.key_letter == "IFD")
        self.assertEqual(len(travel), 1, "one way, one travel")
        first.action_discard()
        second._compute_all()
        self.assertEqual(second.act_ids.filtered("is_added").mapped("key_letter").count("IFD"), 1)

    def test_posted_fse_is_never_priced_again(self):
        posted = self.make_fse(self.nurse, "7", amo=600, sent_on=False)
        fse = self.enter()
        (posted + fse)._compute_all()
        self.assertEqual(posted.act_ids.mapped("amount"), [6.0])
        self.assertEqual(posted.amount_total, 6.0)

    def test_overrun_is_the_patients(self):
        fse = self.enter(overrun_qualifier="DE")
        fse.act_ids.overrun = 10
        fse._compute_all()
        act = fse.act_ids.filtered(lambda a: a.product_id == self.blood)
        self.assertEqual((act.amount, fse.overrun), (14.73, 10.0))
        shares = {share.debtor_kind: share.amount for share in fse.share_ids}
        self.assertGreaterEqual(shares["patient"], 10)
        self.assertEqual(round(sum(shares.values()), 2), fse.amount_total)

    # -- validation -----------------------------------------------------------------------------------

    def test_numbers_follow_the_highest_of_the_practitioner(self):
        self.make_fse(self.nurse, "41", amo=600, fse_date=DAY - timedelta(days=30))
        self.make_fse(self.nurse, "X99", amo=600, fse_date=DAY - timedelta(days=30))
        self.assertEqual(self.validated().name, "42")

    def test_validated_fse_is_read_only(self):
        fse = self.validated()
        for change in (
            lambda: fse.write({"amount_total": 1}),
            lambda: fse.act_ids[0].write({"quantity": 2}),
            lambda: fse.act_ids[0].unlink(),
            lambda: self.env["health.fse.act"].create(
                {"fse_id": fse.id, "act_date": DAY, "product_id": self.blood.id}
            ),
            fse.unlink,
        ):
            with self.assertRaises(UserError):
                change()
        total = fse.amount_total
        fse._compute_all()
        self.assertEqual(fse.amount_total, total)

    def test_blocking_finding_refuses_validation_and_passing(self):
        fse = self.enter(prescription_id=False)
        fse.act_ids.prescription_id = False
        fse._compute_all()
        blocking = fse.finding_ids.filtered(lambda f: f.severity == "3")
        self.assertIn("GEN-01", blocking.mapped("rule_code"))
        with self.assertRaises(UserError) as refused:
            fse.action_validate()
        self.assertIn("GEN-01", str(refused.exception))
        manager = self.make_user("manager", "health_billing.group_manager")
        for user in (self.biller, manager):
            with self.assertRaises(UserError):
                blocking.with_user(user).action_pass()
            with self.assertRaises(UserError):
                blocking.with_user(user)._pass("no")
            with self.assertRaises(AccessError):
                blocking.with_user(user).write({"severity": "1"})
        self.assertEqual(fse._obstacles(DAY)[fse.id][0].count("GEN-01"), 1)
        self.assertFalse(fse.share_ids.move_id)

    def test_several_at_once_validate_what_can_be(self):
        good, bad = self.enter(), self.enter(acts=[(self.injection, "18:00")])
        bad.prescription_id = bad.act_ids.prescription_id = False
        (good + bad)._compute_all()
        good.finding_ids.filtered(lambda f: f.severity == "2")._pass("seen")
        answer = (good + bad).action_validate()
        self.assertEqual(answer["tag"], "display_notification")
        self.assertEqual((good.state, bad.state), ("to_send", "entered"))

    # -- from visits ----------------------------------------------------------------------------------

    def make_visits(self, patient, days, prescription=None, products=None, **values):
        return self.env["health.visit"].create(
            [
                {
                    "patient_id": patient.id,
                    "day": day,
                    "time": "07:30",
                    "prescription_id": prescription.id if prescription else False,
                    "state": "done",
                    "act_ids": [
                        (0, 0, {"product_id": product.id}) for product in products or self.blood
                    ],
                    **values,
                }
                for day in days
            ]
        )

    def test_visits_become_fse_once(self):
        days = [DAY + timedelta(days=n) for n in range(16)]
        visits = self.make_visits(self.patient, days, self.prescription)
        visits |= self.make_visits(self.patient, [DAY], passage=2, time="18:00")
        visits |= self.make_visits(self.patient, [DAY - timedelta(days=1)], state="planned")
        fses = self.env["health.fse"]._create_from_visits(visits)
        self.assertEqual(
            sorted(len(set(fse.visit_ids.mapped("day"))) for fse in fses),
            [1, 2, 14],
            "by prescription, at most fourteen days of care each",
        )
        self.assertEqual(set(fses.mapped("state")), {"entered"})
        self.assertTrue(all(fse.amount_total > 0 for fse in fses))
        self.assertEqual(set((visits - visits[-1]).mapped("state")), {"billed"})
        self.assertEqual(visits[-1].state, "planned")
        self.assertEqual(fses.coverage_id, self.coverage)
        self.assertFalse(self.env["health.fse"]._create_from_visits(visits), "billed once")
        fses[0].action_discard()
        again = self.env["health.fse"]._create_from_visits(visits)
        self.assertEqual(len(again), 1, "what was given up is to bill again")

    def test_biller_bills_visits_and_practitioner_may_not(self):
        visits = self.make_visits(self.patient, [DAY], self.prescription)
        practitioner = self.make_user("nurse", "health_billing.group_practitioner", self.nurse)
        with self.assertRaises(AccessError):
            self.env["health.fse"].with_user(practitioner)._create_from_visits(visits)
        fse = (
            self.env["health.fse"]
            .with_user(self.biller)
            ._create_from_visits(visits.with_user(self.biller))
        )
        self.assertTrue(fse.amount_total)

    def test_queries_do_not_grow_with_visits(self):
        def queries(count, week):
            patients = [
                self.make_patient(self.nurse, f"P{week}{n}", f"29901{week:02d}999{n:03d}")
                for n in range(count)
            ]
            visits = self.env["health.visit"]
            for patient in patients:
                prescription = self.make_prescription(patient)
                self.give_rights(patient)
                visits |= self.make_visits(patient, [DAY + timedelta(days=7 * week)], prescription)
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            fses = self.env["health.fse"]._create_from_visits(visits)
            self.env.flush_all()
            self.assertEqual(len(fses), count)
            return self.env.cr.sql_log_count - start

        queries(2, 1)
        few, many = queries(3, 2), queries(30, 3)
        self.assertLessEqual(many, few + 5, f"{few} queries for 3 visits, {many} for 30")

    def test_who_pays_now_and_the_franchise_stand_on_the_fse(self):
        """Third-party and direct payment side by side, in words that a biller says on the phone."""
        fse = self.enter()
        fse._compute_all()
        self.coverage.write({"amc_partner_id": self.mutuelle.id, "third_party_amc": True})
        self.coverage.action_resplit()
        shares = {share.debtor_kind: share.amount for share in fse.share_ids}
        self.assertEqual(set(shares), {"amo", "amc"})
        self.assertEqual(fse.who_pays.count("€"), 2)
        self.assertIn(self.mutuelle.name, fse.who_pays)
        self.assertNotIn("first", fse.who_pays)
        # the insurer refunds the patient, the fund still pays the professional
        self.coverage.third_party_amc = False
        self.assertEqual(self.coverage.unsent_fse_ids, fse, "the change lists what it touches")
        self.coverage.action_resplit()
        direct = {share.debtor_kind: share.amount for share in fse.share_ids}
        self.assertEqual(direct, {"amo": shares["amo"], "patient": shares["amc"]})
        self.assertIn("the patient pays the insurer's part first", fse.who_pays)
        self.coverage.third_party_amo = False
        self.coverage.action_resplit()
        self.assertEqual(fse.share_ids.mapped("debtor_kind"), ["patient"])
        self.assertIn("the patient pays first", fse.who_pays)
        self.assertIn("1,00 €", fse.franchise_note)
        self.assertEqual(sum(fse.share_ids.mapped("amount")), fse.amount_total)

    def test_minutes_and_group_reach_the_rules(self):
        visit = self.env["health.visit"].create(
            {
                "patient_id": self.patient.id,
                "day": DAY,
                "time": "07:30",
                "state": "done",
                "duration": 45,
                "group_size": 3,
                "prescription_id": self.prescription.id,
                "act_ids": [(0, 0, {"product_id": self.blood.id})],
            }
        )
        fse = self.env["health.fse"]._create_from_visits(visit)
        [claim] = self.env["health.ngap"]._book(fse).claims
        line = next(line for line in claim.lines if line.key_letter == "AMI")
        self.assertEqual((line.duration, line.group_size), (45, 3))
