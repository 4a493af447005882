from odoo import api, models

from odoo.addons.health_billing.tools import cents, format_cents


class HealthCycle(models.Model):
    _inherit = "health.cycle"

    def _steps(self):
        """Override: after the reminders, what no reminder brings is proposed for a hand-over."""
        return [
            *super()._steps(),
            (65, "handover", self.env._("Hand-over"), "_step_handover"),
        ]

    @api.model
    def _step_handover(self, day):
        proposed, closed = self.env["health.handover"]._night(day)
        lines = []
        if proposed:
            lines.append(
                self.env._(
                    "%(count)s file(s) to approve, %(amount)s.",
                    count=len(proposed),
                    amount=format_cents(sum(cents(file.amount_left) for file in proposed)),
                )
            )
        if closed:
            lines.append(self.env._("%s file(s) closed, nothing is left to pay.", len(closed)))
        return lines or [self.env._("nothing is ripe to be handed over.")]
