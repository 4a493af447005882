from datetime import date

from odoo.tests import tagged

from .common import HealthCommon


@tagged("post_install", "-at_install")
class TestCockpit(HealthCommon):
    def lane(self, code, companies=None):
        cockpit = self.env["health.cockpit"].with_context(
            allowed_company_ids=(companies or self.companies).ids
        )
        return next(lane for lane in cockpit.data()["lanes"] if lane["code"] == code)

    def test_forclusion_shows_the_last_useful_day(self):
        self.env["health.cycle"].run("2028-11-20")
        self.make_fse(self.nurse, "1", amo=600)
        self.make_fse(
            self.physio,
            "2",
            amo=500,
            fse_date=date(2028, 10, 5),
            patient_id=self.patient_of(self.physio).id,
        )
        lane = self.lane("deadlines")
        self.assertEqual((lane["count"], lane["amount"]), (1, "6,00 €"))
        self.assertEqual(lane["cards"][0]["deadline"], "31/12/2028")
        self.assertFalse(self.lane("deadlines", self.agency + self.physio)["cards"])

    def test_one_card_speaks_for_many_practitioners(self):
        third = self.make_practitioner(
            "Third Test", "infirmier", "75690003", "FR7630004000031234567890143"
        )
        visits = self.env["health.visit"].create(
            [
                {"patient_id": patient.id, "day": "2026-10-05", "state": "done"}
                for patient in (
                    self.patient,
                    self.patient_of(self.physio),
                    self.make_patient(third, "GRAND Luc", "1990199999003"),
                )
            ]
        )
        self.env["health.cycle"].run("2026-11-20")
        both = self.lane("deadlines")["cards"]
        self.assertEqual([card["count"] for card in both], [1, 1], "two still stand side by side")
        [card] = self.lane("deadlines", self.companies + third)["cards"]
        self.assertEqual((card["count"], card["deadline"]), (3, "31/12/2028"))
        for company in visits.company_id:
            self.assertIn(company.name, card["practitioner"])
        self.assertEqual(self.env["health.visit"].search(card["action"]["domain"]), visits)

    def patient_of(self, company):
        return self.make_patient(company, "PETIT Jean", "1990199999002")

    def test_file_to_review_is_a_card_until_dealt_with(self):
        inbox = self.env["health.inbox"].ingest(
            "j.csv", self.journal({"fse_no": "1", "act_amount": "1.00"})
        )
        keys = [card["key"] for card in self.lane("to_complete")["cards"]]
        self.assertIn(f"inbox-{inbox.id}", keys)
        inbox.issue_ids.action_close()
        keys = [card["key"] for card in self.lane("to_complete")["cards"]]
        self.assertNotIn(f"inbox-{inbox.id}", keys)

    def test_cycle_reports_a_failing_step_and_goes_on(self):
        Cycle = self.registry["health.cycle"]

        def broken(self, day):
            self.env["res.partner"].create({"name": "half"})
            raise ValueError("cassé")

        self.patch(Cycle, "_step_post", broken)
        count = self.env["res.partner"].search_count([])
        with self.assertLogs("odoo.addons.health_billing.models.health_cycle", "ERROR"):
            cycle = self.env["health.cycle"].run("2026-11-20")
        self.assertFalse(cycle.is_ok)
        self.assertIn("cassé", cycle.report)
        self.assertEqual(self.env["res.partner"].search_count([]), count)
        self.assertTrue(all(step["ok"] for step in cycle.summary if step["code"] != "post"))
