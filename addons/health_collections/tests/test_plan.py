"""Payment plans: what is granted, what it does to due dates and books, how it ends."""

from datetime import date, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.health_billing.tools import cents, euros

from .common import DAY, CollectionsCommon

PARIS_NIGHT = timedelta(days=1)


@tagged("post_install", "-at_install")
class TestPlan(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Plan = cls.env["health.plan"]
        # those of another practice would be counted too
        cls.Plan.search([("state", "=", "running")]).write({"state": "cancelled"})
        cls.one = cls.late("000000101", patient=4000)
        cls.two = cls.late("000000102", patient=5001, fse_date=date(2026, 10, 6))
        cls.shares = cls.one + cls.two

    def ask(self, count=3, shares=None, day=DAY):
        return self.Plan._ask(self.patient, self.nurse, shares or self.shares, count, day)

    def due_in_books(self, share):
        item = share.move_id.line_ids.filtered(lambda line: line.display_type == "payment_term")
        return share.due_date, item.date_maturity, share.move_id.invoice_date_due

    def receive(self, share, amount):
        """A payment of so many cents for that share."""
        journal = self.env["account.journal"].search(
            [("company_id", "=", share.company_id.id), ("type", "=", "bank")], limit=1
        )
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=share.move_id.ids
        ).create({"journal_id": journal.id, "amount": euros(amount)}).action_create_payments()

    def run_from(self, day, days):
        """Every night of so many days; what happened, summed."""
        found = {}
        for n in range(days):
            for key, count in self.Plan._run(day + timedelta(days=n)).items():
                found[key] = found.get(key, 0) + count
        return found

    # -- offers --------------------------------------------------------------------------------------

    def test_offers_stay_within_the_policy(self):
        offers = self.Plan._offers(self.shares, DAY)
        self.assertEqual([offer["count"] for offer in offers], [2, 3, 4])
        for offer in offers:
            self.assertEqual(sum(offer["amounts"]), 9001)
            self.assertEqual(offer["dates"][0], DAY + timedelta(days=7))
        policy = self.Plan._policy(self.nurse)
        policy.write({"health_plan_most": 3, "health_plan_least": 45.01})
        self.assertFalse(self.Plan._offers(self.shares, DAY))
        policy.health_plan_least = 45
        self.assertEqual([offer["count"] for offer in self.Plan._offers(self.shares, DAY)], [2])
        policy.health_plan_refused = True
        self.assertFalse(self.Plan._offers(self.shares, DAY))

    def test_nothing_is_offered_on_what_is_small_paid_or_disputed(self):
        self.pay(self.two)
        self.assertEqual(
            [o["amounts"] for o in self.Plan._offers(self.shares, DAY)], [[2000, 2000]]
        )
        self.one._dispute("not mine")
        self.assertFalse(self.Plan._offers(self.shares, DAY))
        small = self.late("000000103", patient=2900)
        self.assertFalse(self.Plan._offers(small, DAY))

    # -- running -------------------------------------------------------------------------------------

    def test_a_plan_moves_the_due_dates_in_the_books(self):
        plan = self.ask(3)
        self.assertEqual(plan.state, "running")
        self.assertEqual([cents(line.amount) for line in plan.line_ids], [3001, 3000, 3000])
        dates = plan.line_ids.mapped("due_date")
        self.assertEqual(dates[0], DAY + timedelta(days=7))
        # 40 € are reached by the second instalment, 90.01 € by the third
        self.assertEqual(set(self.due_in_books(self.one)), {dates[1]})
        self.assertEqual(set(self.due_in_books(self.two)), {dates[2]})
        self.assertEqual(self.shares.plan_id, plan)
        self.assertEqual(plan.share_ids, self.shares)
        self.assertFalse(self.Plan._offers(self.shares, DAY))
        with self.assertRaises(UserError):
            self.ask(2)
        # what is not due is not late
        late = self.env["health.share"].search(self.env["health.share"]._dunning_domain(DAY))
        self.assertFalse(late & self.shares)

    def test_the_patient_is_told_and_the_history_keeps_it_without_the_link(self):
        plan = self.ask(3)
        contact = self.env["health.contact"].search(
            [("partner_id", "=", self.patient.id), ("kind", "=", "plan")]
        )
        self.assertEqual(contact.share_ids, self.shares)
        self.assertCents(contact.amount, 9001)
        self.assertIn("30,01", contact.body)
        self.assertIn("/ma-note/…", contact.body)
        mail = self.env["mail.mail"].search([("recipient_ids", "in", self.patient.ids)])
        self.assertEqual(len(mail), 1)
        self.assertIn("/ma-note/", mail.body_html)
        for word in ("AMI", "soin infirmier", "kiné"):
            self.assertNotIn(word, mail.body_html)
        self.assertIn(plan._day_text(plan.line_ids[0].due_date), mail.body_html)

    def test_payments_by_any_road_fill_the_instalments(self):
        plan = self.ask(3)
        self.receive(self.one, 3501)
        self.assertEqual([cents(line.left) for line in plan.line_ids], [0, 2500, 3000])
        self.assertCents(plan.settled, 3501)
        self.assertEqual(plan.next_date, plan.line_ids[1].due_date)
        self.pay(self.shares)
        self.assertEqual([cents(line.left) for line in plan.line_ids], [0, 0, 0])
        self.assertEqual(self.Plan._run(DAY)["done"], 1)
        self.assertEqual(plan.state, "done")
        self.assertEqual(set(self.shares.mapped("state")), {"paid"})
        # a bounced payment opens it all again, and the instalments say so
        self.one.move_id.line_ids.filtered("matched_credit_ids").remove_move_reconcile()
        self.assertCents(plan.left, 4000)

    def test_more_than_is_granted_waits_for_a_person(self):
        plan = self.ask(6)
        self.assertEqual(plan.state, "asked")
        self.assertTrue(plan.reason)
        before = date(2026, 11, 4)
        self.assertEqual(set(self.due_in_books(self.one)), {before})
        self.assertEqual(self.one.plan_id, plan)
        self.assertEqual(
            self.Plan._run(DAY), dict.fromkeys(("done", "broken", "missed", "announced"), 0)
        )
        plan.line_ids[0].sudo().due_date = date.today() + timedelta(days=1)
        for n, line in enumerate(plan.line_ids):
            line.sudo().due_date = date.today() + timedelta(days=30 * n + 1)
        plan.action_accept()
        self.assertEqual(plan.state, "running")
        self.assertEqual(set(self.due_in_books(self.two)), {plan.line_ids[-1].due_date})
        with self.assertRaises(UserError):
            plan.action_accept()

    def test_a_refused_plan_leaves_everything_as_it_was(self):
        plan = self.ask(6)
        with self.assertRaises(UserError):
            plan._close_by_person("  ")
        plan._close_by_person("too long")
        self.assertEqual((plan.state, plan.reason), ("refused", "too long"))
        self.assertFalse(self.shares.plan_id)
        self.assertEqual(set(self.due_in_books(self.one)), {date(2026, 11, 4)})
        self.assertTrue(self.Plan._offers(self.shares, DAY))

    def test_what_changed_since_it_was_asked_is_not_granted_blindly(self):
        plan = self.ask(6)
        self.receive(self.one, 100)
        with self.assertRaises(UserError):
            plan.action_accept()
        self.assertEqual(plan.state, "asked")

    # -- not kept ------------------------------------------------------------------------------------

    def test_a_plan_not_kept_gives_the_old_dates_back_after_a_notice(self):
        plan = self.ask(3)
        first = plan.line_ids[0].due_date
        self.assertEqual(self.run_from(DAY + PARIS_NIGHT, 6)["announced"], 1)
        self.assertEqual(
            self.run_from(first, 6), {"done": 0, "broken": 0, "missed": 0, "announced": 0}
        )
        missed = first + timedelta(days=6)
        self.assertEqual(self.Plan._run(missed)["missed"], 1)
        self.assertEqual(self.Plan._run(missed)["missed"], 0)
        self.assertEqual(plan.notice_on, missed)
        self.assertEqual(plan.state, "running")
        found = self.run_from(missed + PARIS_NIGHT, 10)
        self.assertEqual((found["broken"], found["missed"]), (0, 0))
        self.assertEqual(self.Plan._run(missed + timedelta(days=11))["broken"], 1)
        self.assertEqual(plan.state, "broken")
        for share in self.shares:
            self.assertEqual(
                set(self.due_in_books(share)),
                {plan.part_ids.filtered(lambda p, s=share: p.share_id == s).original_due},
            )
        self.assertFalse(self.shares.plan_id)
        day = missed + timedelta(days=12)
        late = self.env["health.share"].search(self.env["health.share"]._dunning_domain(day))
        self.assertEqual(late & self.shares, self.shares)
        # the next one is for a person to grant
        self.assertFalse(self.Plan._offers(self.shares, day))
        again = self.ask(2, day=day)
        self.assertEqual(again.state, "asked")

    def told(self):
        return self.env["health.contact"].search(
            [("partner_id", "=", self.patient.id), ("kind", "=", "plan")], order="id"
        )

    def test_an_announcement_does_not_leave_once_the_instalment_is_paid(self):
        self.ask(3)
        night = DAY + PARIS_NIGHT
        self.assertEqual(self.run_from(night, 6)["announced"], 1)
        start, announced = self.told()
        Contact = self.env["health.contact"]
        self.assertFalse(Contact._sweep() & (start + announced))
        self.receive(self.one, 1000)
        self.assertIn(announced, Contact._sweep())
        # what tells the start of the plan still holds
        self.assertEqual((start.state, announced.state), ("queued", "cancelled"))
        self.assertFalse(
            self.env["mail.mail"].search(
                [("model", "=", "health.contact"), ("res_id", "=", announced.id)]
            )
        )
        # the rest of the instalment is announced anew, with what is left
        self.assertEqual(self.Plan._run(announced.day + PARIS_NIGHT)["announced"], 1)
        again = self.told()[-1]
        self.assertCents(again.amount, 8001)
        self.receive(self.one, 2001)
        self.assertIn(again, Contact._sweep())
        self.assertEqual(self.Plan._run(announced.day + 2 * PARIS_NIGHT)["announced"], 0)
        self.pay(self.shares)
        self.assertIn(start, Contact._sweep())

    def test_a_notice_stopped_by_a_payment_is_told_anew_before_the_plan_ends(self):
        plan = self.ask(3)
        missed = plan.line_ids[0].due_date + timedelta(days=6)
        self.assertEqual(self.Plan._run(missed)["missed"], 1)
        self.receive(self.one, 500)
        self.assertIn(self.told()[-1], self.env["health.contact"]._sweep())
        self.assertFalse(plan.notice_on)
        self.assertEqual(self.Plan._run(missed + PARIS_NIGHT)["missed"], 1)
        self.assertEqual(plan.notice_on, missed + PARIS_NIGHT)

    def test_whoever_pays_after_the_notice_goes_on_with_the_plan(self):
        plan = self.ask(3)
        missed = plan.line_ids[0].due_date + timedelta(days=6)
        self.Plan._run(missed)
        self.receive(self.one, 3001)
        self.assertEqual(self.Plan._run(missed + timedelta(days=11))["broken"], 0)
        self.assertEqual(plan.state, "running")
        self.assertFalse(plan.notice_on)

    def test_only_what_is_still_owed_gets_its_old_date_back(self):
        plan = self.ask(3)
        put_off = self.one.due_date
        self.pay(self.one)
        plan._close_by_person("paid at once")
        self.assertEqual(self.one.due_date, put_off)
        self.assertEqual(set(self.due_in_books(self.two)), {date(2026, 11, 5)})

    # -- who may -------------------------------------------------------------------------------------

    def test_a_plan_is_for_one_person_and_one_practitioner(self):
        other = self.make_patient(self.nurse, "AUTRE Paul", "1550175999003")
        foreign = self.late("000000104", patient=6000, patient_id=other.id)
        with self.assertRaises(UserError):
            self.ask(2, shares=self.shares + foreign)
        with self.assertRaises(UserError):
            self.Plan._ask(self.patient, self.physio, self.shares, 2, DAY)
        for count in (0, 1, 13, "3", True, None, 2.0):
            with self.assertRaises(UserError):
                self.ask(count)
        self.assertFalse(self.Plan.search([("partner_id", "=", self.patient.id)]))
        # a parent settles for the child
        other.health_debtor_id = self.patient
        plan = self.ask(2, shares=self.shares + foreign)
        self.assertEqual(plan.share_ids, self.shares + foreign)

    def test_a_started_payment_is_waited_for(self):
        provider = self.demo_provider(self.nurse)
        if not provider:
            self.skipTest("payment_demo is not installed")
        self.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": provider.payment_method_ids[:1].id,
                "reference": "NOTE-PLAN",
                "amount": 40,
                "currency_id": self.nurse.currency_id.id,
                "partner_id": self.patient.id,
                "invoice_ids": [(6, 0, self.one.move_id.ids)],
                "state": "pending",
            }
        )
        with self.assertRaises(UserError):
            self.ask(2)

    def test_the_agency_makes_a_plan_by_hand(self):
        biller = self.make_user("biller_plan", "health_billing.group_biller")
        action = self.shares.with_user(biller).action_plan()
        wizard = (
            self.env["health.plan.make"]
            .with_user(biller)
            .with_context(**action["context"])
            .create({"count": 3, "agreed_by": "phone"})
        )
        self.assertEqual([cents(line.amount) for line in wizard.line_ids], [3001, 3000, 3000])
        wizard.line_ids[0].amount = 10
        with self.assertRaises(UserError):
            wizard.action_make()
        wizard.line_ids[1].amount = 50.01
        plan = self.Plan.browse(wizard.action_make()["res_id"])
        self.assertEqual(plan.state, "running")
        self.assertEqual(plan.agreed_by, "phone")
        self.assertEqual([cents(line.amount) for line in plan.line_ids], [1000, 5001, 3000])
        more = self.late("000000105", patient=15000)
        action = more.with_user(biller).action_plan()
        values = {"count": 11, "agreed_by": "signed"}
        Make = self.env["health.plan.make"].with_context(**action["context"])
        with self.assertRaises(AccessError):
            Make.with_user(biller).create(values).action_make()
        manager = self.make_user("manager_plan", "health_billing.group_manager")
        Make.with_user(manager).create(values).action_make()
        self.assertEqual(more.plan_id.count, 11)

    # -- size ----------------------------------------------------------------------------------------

    def test_the_night_costs_the_same_queries_for_many_plans(self):
        def night(first, count):
            made = self.Plan
            for n in range(count):
                patient = self.make_patient(
                    self.nurse,
                    f"PATIENT {first + n}",
                    f"15501759{first + n:05d}",
                    email=f"p{first + n}@example.org",
                )
                share = self.late(f"{first + n:09d}", patient=6000, patient_id=patient.id)
                made |= self.Plan._ask(patient, self.nurse, share, 2, DAY)
            missed = made.line_ids[:1].due_date + timedelta(days=6)
            counts = []
            for day in (missed, missed + timedelta(days=11)):
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                self.Plan._run(day)
                self.env.flush_all()
                counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(set(made.mapped("state")), {"broken"})
            return counts

        night(10000, 1)
        few, many = night(20000, 2), night(30000, 6)
        for small, large in zip(few, many, strict=True):
            self.assertLessEqual(large, small + 6, (few, many))
