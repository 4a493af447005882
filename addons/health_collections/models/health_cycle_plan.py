from odoo import models


class HealthCycle(models.Model):
    _inherit = "health.cycle"

    def _steps(self):
        """Override of `health_billing`: plans are looked at once the money of the day is known, before anybody
        is reminded.
        """
        return [
            *super()._steps(),
            (50, "receipts", self.env._("Payments of patients in the bank"), "_step_receipts"),
            (55, "plans", self.env._("Payment plans"), "_step_plans"),
        ]

    def _step_receipts(self, day):
        """:return: sentences for the summary."""
        companies = self.env["res.company"].sudo().search([("health_provider_no", "!=", False)])
        return companies._health_take_receipts() or [
            self.env._("nothing new from patients in the bank.")
        ]

    def _step_plans(self, day):
        """:return: sentences for the summary."""
        found = self.env["health.plan"]._run(day)
        agreed = self.env["health.agreement"]._run(day)
        found |= {f"agreement_{key}": count for key, count in agreed.items()}
        texts = {
            "done": self.env._("%s payment plan(s) fully paid.", found["done"]),
            "announced": self.env._(
                "%s instalment(s) announced to the patient.", found["announced"]
            ),
            "missed": self.env._("%s instalment(s) missed: a notice left.", found["missed"]),
            "broken": self.env._(
                "%s plan(s) not kept: the shares are due as before.", found["broken"]
            ),
            "agreement_done": self.env._(
                "%s agreement(s) kept: what was forgiven is booked.", found["agreement_done"]
            ),
            "agreement_failed": self.env._(
                "%s agreement(s) not kept: the whole is owed.", found["agreement_failed"]
            ),
        }
        return [text for key, text in texts.items() if found[key]] or [
            self.env._("nothing new on the payment plans.")
        ]
