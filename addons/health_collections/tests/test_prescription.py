import importlib.util
from datetime import date, timedelta
from pathlib import Path

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import DAY, CollectionsCommon

#: two years before the anniversary of the tests
CARE = date(2025, 3, 10)
ALERT, LIMIT = date(2026, 11, 10), date(2027, 3, 10)


@tagged("post_install", "-at_install")
class TestPrescription(CollectionsCommon):
    def old(self, number, company=None, **values):
        return self.late(number, company=company, fse_date=CARE, checked=False, **values)

    def cards(self, day, user=None):
        Cockpit = self.env["health.cockpit"]
        if user:
            Cockpit = Cockpit.with_user(user)
        return {
            card["key"]: card
            for card in Cockpit._cards_deadlines(day)
            if card["key"].startswith("prescription-")
        }

    def test_runs_from_the_first_act(self):
        share = self.old("000201", amo=1890)
        self.assertEqual(share.prescription_date, LIMIT)
        self.assertFalse(self.share(share.fse_id, "amo").prescription_date)
        share.fse_id.sudo().act_ids.act_date = CARE - timedelta(days=2)
        self.assertEqual(share.prescription_date, date(2027, 3, 8))

    def test_letters_interrupt_nothing(self):
        share = self.old("000202")
        self.env["health.contact"]._record(
            [
                {
                    "company_id": self.nurse.id,
                    "partner_id": self.patient.id,
                    "channel": "registered",
                    "kind": "notice",
                    "state": "delivered",
                    "day": date(2026, 5, 1),
                    "share_ids": [Command.set(share.ids)],
                }
            ]
        )
        self.nurse._health_run_reminders(DAY)
        self.assertEqual(share.prescription_date, LIMIT)

    def test_what_interrupts(self):
        shares = self.old("000203") | self.old("000204") | self.old("000205")
        one, two, three = shares
        one._interrupt_prescription(date(2026, 5, 1), "plan")
        two._interrupt_prescription(date(2026, 6, 1), "court", note="request filed")
        # any other words are those of an acknowledgement
        acts = three._interrupt_prescription(date(2026, 7, 1), "wrote that they will pay")
        self.assertEqual((acts.kind, acts.note), ("acknowledgement", "wrote that they will pay"))
        self.assertEqual(
            shares.mapped("prescription_date"),
            [date(2028, 5, 1), date(2028, 6, 1), date(2028, 7, 1)],
        )

    def test_noted_twice_counts_once(self):
        share = self.old("000206")
        first = share._interrupt_prescription(date(2026, 5, 1), "plan")
        self.assertEqual(share._interrupt_prescription(date(2026, 5, 1), "plan"), first)
        self.assertEqual(len(share.interruption_ids), 1)
        first.unlink()
        self.assertEqual(share.prescription_date, LIMIT)

    def test_only_patients(self):
        share = self.old("000207", amo=1890)
        self.assertFalse(
            self.share(share.fse_id, "amo")._interrupt_prescription(date(2026, 5, 1), "plan")
        )

    def test_suspension_counts_when_it_is_over(self):
        share = self.old("000208")
        act = share._interrupt_prescription(date(2027, 2, 1), "suspension")
        self.assertEqual(share.prescription_date, LIMIT)
        act.until = date(2027, 3, 1)
        # 28 days more would be 7 April; six months are left at least
        self.assertEqual(share.prescription_date, date(2027, 9, 1))

    def test_days_that_make_no_sense(self):
        share = self.old("000209")
        with self.assertRaisesRegex(ValidationError, "before it begins"):
            share._interrupt_prescription(date(2026, 5, 1), "suspension", until=date(2026, 5, 1))
        with self.assertRaisesRegex(ValidationError, "Only a suspension"):
            share._interrupt_prescription(date(2026, 5, 1), "plan", until=date(2026, 6, 1))
        other = self.late("000210", company=self.physio, patient_id=self.physio_patient.id)
        act = share._interrupt_prescription(date(2026, 5, 1), "plan")
        with self.assertRaisesRegex(ValidationError, "not all of"):
            act.share_ids |= other

    def test_another_delay_moves_what_is_open(self):
        share, paid = self.old("000211"), self.old("000212")
        self.pay(paid)
        self.env["health.parameter"].search([("code", "=", "debt_limit_months")]).value = 60
        self.assertEqual(share.prescription_date, date(2030, 3, 10))
        self.assertEqual(paid.prescription_date, LIMIT)

    def test_cockpit(self):
        share = self.old("000213")
        self.late("000214")
        key = f"prescription-near-{self.nurse.id}"
        self.assertFalse(self.cards(ALERT - timedelta(days=1)))
        card = self.cards(ALERT)[key]
        self.assertEqual((card["count"], card["amount"], card["deadline"]), (1, 12.60, LIMIT))
        self.assertEqual(self.env["health.share"].search(card["action"]["domain"]), share)
        self.assertEqual(
            set(self.cards(LIMIT)), {f"prescription-past-{self.nurse.id}"}, "the day has come"
        )
        share._interrupt_prescription(ALERT, "acknowledgement")
        self.assertFalse(self.cards(LIMIT))
        share.interruption_ids.unlink()
        self.pay(share)
        self.assertFalse(self.cards(LIMIT))

    def test_nothing_leaves_after_the_limit(self):
        share = self.old("000215")
        self.nurse._health_run_reminders(LIMIT)
        self.assertFalse(self.lines(share))
        self.assertEqual(share.dunning_hold, "time_barred")

    def test_same_number_of_queries_for_many(self):
        few = self.env["health.share"].union(*(self.old(f"0002{n}") for n in range(20, 23)))
        many = self.env["health.share"].union(*(self.old(f"0002{n}") for n in range(30, 60)))

        def queries(shares):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            shares._interrupt_prescription(date(2026, 5, 1), "plan")
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        queries(few)
        (few | many).interruption_ids.unlink()
        self.assertEqual(queries(few), queries(many))

    # -- rights ------------------------------------------------------------------------------------

    def test_who_may_note_what(self):
        share = self.old("000216")
        biller = self.make_user("p_biller", "health_billing.group_biller")
        nurse = self.make_user("p_nurse", "health_billing.group_practitioner", self.nurse)
        physio = self.make_user("p_physio", "health_billing.group_practitioner", self.physio)
        accountant = self.make_user("p_books", "health_billing.group_accountant", self.nurse)
        stranger = new_test_user(self.env, "p_stranger", groups="base.group_user")
        Act = self.env["health.debt.interruption"]
        values = share.with_user(biller).action_interrupt_prescription()["context"]
        act = (
            Act.with_user(biller)
            .with_context(**values, allowed_company_ids=self.companies.ids)
            .create({"kind": "acknowledgement", "day": date(2026, 5, 1)})
        )
        self.assertEqual(act.partner_id, self.patient)
        self.assertEqual(share.prescription_date, date(2028, 5, 1))
        with self.assertRaises(AccessError):
            act.day = date(2026, 6, 1)
        with self.assertRaises(AccessError):
            act.unlink()
        for user in (nurse, accountant):
            own = Act.with_user(user).with_context(allowed_company_ids=self.nurse.ids)
            self.assertEqual(own.search([]), act)
            with self.assertRaises(AccessError):
                own.create({"kind": "plan", "share_ids": [Command.set(share.ids)]})
        other = Act.with_user(physio).with_context(allowed_company_ids=self.physio.ids)
        self.assertFalse(other.search([]))
        with self.assertRaises(AccessError):
            other.browse(act.id).read(["note"])
        with self.assertRaises(AccessError):
            Act.with_user(stranger).search([])
        with self.assertRaises(AccessError):
            share.with_user(nurse).action_interrupt_prescription()

    def test_nobody_notes_what_is_to_come(self):
        share = self.old("000217")
        biller = self.make_user("p_biller2", "health_billing.group_biller")
        with self.assertRaisesRegex(ValidationError, "to come"):
            self.env["health.debt.interruption"].with_user(biller).with_context(
                allowed_company_ids=self.companies.ids
            ).create(
                {
                    "company_id": self.nurse.id,
                    "partner_id": self.patient.id,
                    "kind": "plan",
                    "day": date.today() + timedelta(days=2),
                    "share_ids": [Command.set(share.ids)],
                }
            )

    def test_what_protects_is_for_those_who_see_the_care(self):
        share = self.old("000218")
        self.patient.health_is_palliative = True
        share._dunning_refresh(DAY)
        accountant = self.make_user("p_books2", "health_billing.group_accountant", self.nurse)
        nurse = self.make_user("p_nurse2", "health_billing.group_practitioner", self.nurse)
        seen = share.with_user(accountant).with_context(allowed_company_ids=self.nurse.ids)
        self.assertEqual(
            seen.read(["dunning_hold_reason"])[0]["dunning_hold_reason"][:7], "Patient"
        )
        with self.assertRaises(AccessError):
            seen.read(["dunning_hold_detail"])
        with self.assertRaises(AccessError):
            seen.partner_id.read(["health_legal_protection"])
        own = share.with_user(nurse).with_context(allowed_company_ids=self.nurse.ids)
        self.assertTrue(own.read(["dunning_hold_detail"])[0]["dunning_hold_detail"])

    # -- what stands already -----------------------------------------------------------------------

    def test_migration_marks_the_cases(self):
        cases = self.env["health.coverage.case"].search([("is_fragile", "=", True)])
        self.assertEqual(set(cases.mapped("code")) & {"ald", "common"}, {"ald"})
        cases.is_fragile = False
        path = Path(__file__).parents[1] / "migrations/19.0.4.0.0/post-protections.py"
        spec = importlib.util.spec_from_file_location("post_protections", path)
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        for _again in range(2):
            script.migrate(self.env.cr, "19.0.3.0.0")
        self.env.invalidate_all()
        self.assertEqual(
            self.env["health.coverage.case"].search([("is_fragile", "=", True)]), cases
        )
