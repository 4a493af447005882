from odoo import models


class HealthCycle(models.Model):
    _inherit = "health.cycle"

    def _steps(self):
        """Override: what waits is looked at again once the money of the day is known, before new reminders."""
        return [
            *super()._steps(),
            (55, "contacts", self.env._("Messages that wait"), "_step_contacts"),
        ]

    def _step_contacts(self, day):
        """Stop what is no longer owed, and read what carriers say of registered letters.

        :return: sentences for the summary.
        """
        stopped = self.env["health.contact"]._sweep()
        sentences = self.env["health.carrier"].sudo().search([("active", "=", True)])._fetch()
        if stopped:
            sentences.append(
                self.env._(
                    "%s message(s), letter(s) or call(s) stopped: settled or held since.",
                    len(stopped),
                )
            )
        return sentences or [self.env._("nothing waits in vain.")]
