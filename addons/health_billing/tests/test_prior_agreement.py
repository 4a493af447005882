from datetime import date, timedelta

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import freeze_time, tagged

from .common import HealthCommon


@tagged("post_install", "-at_install")
class TestPriorAgreement(HealthCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.act = cls.env["product.product"].search(
            [("health_profession", "=", "infirmier"), ("health_key_letter", "=", "AMI")], limit=1
        )
        cls.prescription = cls.env["health.prescription"].create(
            {
                "patient_id": cls.patient.id,
                "date": "2026-10-01",
                "act_ids": [(0, 0, {"product_id": cls.act.id, "sessions": 20})],
            }
        )

    def make(self, **values):
        return self.env["health.prior.agreement"].create(
            {
                "patient_id": self.patient.id,
                "prescription_id": self.prescription.id,
                "product_ids": [(6, 0, self.act.ids)],
                "sent_on": "2026-10-01",
                **values,
            }
        )

    def cards(self, day):
        return {
            card["key"]: card
            for card in self.env["health.prior.agreement"]._cockpit_cards("to_complete", day)
        }

    def test_silence_day_by_day(self):
        request = self.make(received_on="2026-10-02")
        received = date(2026, 10, 2)
        for after in range(16):
            # the fund may still answer on the fifteenth day
            self.assertEqual(request._state_on(received + timedelta(days=after)), "waiting", after)
        self.assertEqual(str(request.silence_on), "2026-10-17")
        self.assertEqual(request._state_on(received + timedelta(days=16)), "silence")
        self.assertEqual(str(request.agreed_on), "2026-10-18")
        key = f"agreement-silence-{self.nurse.id}"
        seen = [d for d in range(10, 25) if key in self.cards(received + timedelta(days=d))]
        self.assertEqual(seen, [16])

    def test_not_received_never_becomes_agreement(self):
        request = self.make()
        self.assertEqual(request._state_on(date(2030, 1, 1)), "waiting")
        self.assertEqual(self.make(sent_on=False)._state_on(date(2030, 1, 1)), "to_send")

    def test_an_incomplete_request_starts_again_at_the_missing_piece(self):
        request = self.make(received_on="2026-10-02", answer="incomplete", answered_on="2026-10-09")
        self.assertEqual(request._state_on(date(2026, 12, 1)), "incomplete")
        self.assertFalse(request.agreed_on)
        request.completed_on = "2026-10-20"
        self.assertEqual(str(request.agreed_on), "2026-11-05")
        self.assertEqual(request._state_on(date(2026, 11, 4)), "waiting")
        self.assertEqual(request._state_on(date(2026, 11, 5)), "silence")

    def test_answers(self):
        granted = self.make(received_on="2026-10-02", answer="granted", answered_on="2026-10-06")
        self.assertEqual((str(granted.agreed_on), granted.state), ("2026-10-06", "granted"))
        refused = self.make(received_on="2026-10-02", answer="refused", answered_on="2026-10-10")
        self.assertEqual((refused.agreed_on, refused.is_late_answer), (False, False))
        late = self.make(received_on="2026-10-02", answer="refused", answered_on="2026-10-18")
        self.assertTrue(late.is_late_answer)
        self.assertEqual(self.make(is_emergency=True).state, "emergency")

    def test_dates_must_follow(self):
        with self.assertRaises(ValidationError):
            self.make(received_on="2026-09-30")

    def test_state_can_be_searched(self):
        request = self.make(received_on="2026-10-02")
        Agreement = self.env["health.prior.agreement"]
        with freeze_time("2026-10-17 10:00:00"):
            self.assertIn(request, Agreement.search([("state", "=", "waiting")]))
        self.env.invalidate_all()
        with freeze_time("2026-10-18 10:00:00"):
            self.assertIn(request, Agreement.search([("state", "=", "silence")]))

    def test_refused_with_care_planned(self):
        self.make(received_on="2026-10-02", answer="refused", answered_on="2026-10-10")
        key = f"agreement-refused-{self.nurse.id}"
        day = date(2026, 10, 12)
        self.assertNotIn(key, self.cards(day))
        self.env["health.visit"].create(
            {
                "patient_id": self.patient.id,
                "day": "2026-10-13",
                "prescription_id": self.prescription.id,
                "act_ids": [(0, 0, {"product_id": self.act.id})],
            }
        )
        self.assertIn(key, self.cards(day))

    def test_to_ask_two_sessions_before_the_first_that_needs_it(self):
        act = self.env["product.product"].search([("health_act_code", "=", "MK-RAM8,09-01")])
        patient = self.make_patient(self.physio, "PETIT Jean", "1990199999002")
        prescription = self.env["health.prescription"].create(
            {
                "patient_id": patient.id,
                "date": "2026-10-01",
                "act_ids": [(0, 0, {"product_id": act.id, "sessions": 30})],
            }
        )
        key = f"agreement-ask-{self.physio.id}"
        day = date(2026, 10, 1)
        # the sixteenth session is the first that needs it
        for done in range(1, 14):
            self.assertNotIn(key, self.cards(day), done)
            self.env["health.visit"].create(
                {
                    "patient_id": patient.id,
                    "day": day + timedelta(days=done),
                    "state": "done",
                    "prescription_id": prescription.id,
                    "act_ids": [(0, 0, {"product_id": act.id})],
                }
            )
            self.env.invalidate_all()
        self.assertIn(key, self.cards(day))
        self.env["health.prior.agreement"].create(
            {
                "patient_id": patient.id,
                "prescription_id": prescription.id,
                "product_ids": [(6, 0, act.ids)],
                "sent_on": "2026-10-15",
            }
        )
        self.assertNotIn(key, self.cards(day))

    def test_button_of_the_prescription(self):
        context = self.prescription.action_ask_agreement()["context"]
        request = self.env["health.prior.agreement"].with_context(**context).create({})
        self.assertEqual(request.product_ids, self.act)
        self.assertEqual((request.sessions, request.state), (20, "to_send"))
        self.assertEqual(self.prescription.agreement_count, 1)

    def test_rights(self):
        request = self.make()
        users = {
            name: self.make_user(name, f"health_billing.group_{name}", companies)
            for name, companies in (
                ("biller", None),
                ("practitioner", self.nurse),
                ("accountant", None),
            )
        }
        users["other"] = self.make_user("other", "health_billing.group_practitioner", self.physio)
        users["stranger"] = self.make_user("stranger", "base.group_user")

        def seen_by(name):
            return request.with_user(users[name]).with_context(
                allowed_company_ids=users[name].company_ids.ids
            )

        seen_by("biller").received_on = "2026-10-02"
        self.assertTrue(seen_by("practitioner").read(["state"]))
        with self.assertRaises(AccessError):
            seen_by("practitioner").received_on = "2026-10-03"
        for name in ("accountant", "other", "stranger"):
            with self.subTest(name), self.assertRaises(AccessError):
                seen_by(name).read(["state"])
