from datetime import timedelta

from odoo.tests import tagged

from odoo.addons.health_billing.tools import cents

from .common import DAY, CollectionsCommon


@tagged("post_install", "-at_install")
class TestCockpit(CollectionsCommon):
    def cards(self, day=DAY):
        return {
            card["key"].rsplit("-", 1)[0]: card
            for card in self.env["health.cockpit"]._cards_patients(day)
            if card["key"].endswith(f"-{self.nurse.id}")
        }

    def overdue(self, day=DAY):
        return next(
            figure
            for figure in self.env["health.cockpit"]._figures(day)
            if figure["code"] == "patients_overdue"
        )

    def found(self, card):
        return self.env[card["action"]["res_model"]].search(card["action"]["domain"])

    def test_nothing_late_no_card(self):
        self.assertFalse(self.cards())
        self.assertTrue(self.overdue()["value"].startswith("0,00"))

    def test_late_and_held(self):
        free = self.late("000501")
        held = self.late("000502", amo=1890, settled=False)
        self.nurse._health_run_reminders(DAY)
        self.assertIn("25,20", self.overdue()["value"])
        cards = self.cards()
        self.assertEqual(self.found(cards["patients-held"]), held)
        self.assertIn("1 × AMO part not settled", cards["patients-held"]["why"])
        self.assertEqual(cents(cards["patients-held"]["amount"]), 1260)
        self.assertNotIn("patients-late", cards, "reminded today: nothing to do but wait")
        # the second reminder has left a week ago and nobody has paid: a person may call
        for offset in (8, 16):
            self.nurse._health_run_reminders(DAY + timedelta(days=offset))
        cards = self.cards(DAY + timedelta(days=16))
        self.assertEqual(self.found(cards["patients-late"]), free)

    def test_letters(self):
        self.patient.email = False
        share = self.late("000503")
        self.nurse._health_run_reminders(DAY)
        card = self.cards()["patients-letters"]
        self.assertEqual((card["count"], cents(card["amount"])), (1, 1260))
        communication = self.found(card)
        self.assertEqual(communication, self.lines(share).communication_id)
        communication.action_health_print_letters()
        self.assertNotIn("patients-letters", self.cards())

    def test_screen_data_is_complete(self):
        self.late("000504", amo=1890, settled=False)
        self.nurse._health_run_reminders(DAY)
        lanes = {lane["code"]: lane for lane in self.env["health.cockpit"].data()["lanes"]}
        for card in lanes["patients"]["cards"]:
            self.assertTrue(card["title"] and card["why"] and card["button"] and card["action"])
