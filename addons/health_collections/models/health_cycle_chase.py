from odoo import models

from odoo.addons.health_billing.tools import cents, format_cents


class HealthCycle(models.Model):
    _inherit = "health.cycle"

    def _steps(self):
        """Override of `health_billing`: payers are asked before patients, once the money of the day is known."""
        return [
            *super()._steps(),
            (50, "chases", self.env._("Late payers"), "_step_chases"),
            (52, "lateness", self.env._("Late payment of AMO shares"), "_step_lateness"),
        ]

    def _step_chases(self, day):
        companies = self.env.companies.filtered("health_provider_no")
        fresh, due = self.env["health.chase"]._night(companies, day)
        lines = []
        if fresh:
            lines.append(
                self.env._("%s late share(s) put on the lists of their payers.", len(fresh))
            )
        if due:
            lines.append(
                self.env._(
                    "%(count)s payer(s) to be chased, %(amount)s.",
                    count=len(due),
                    amount=format_cents(sum(cents(chase.amount) for chase in due)),
                )
            )
        return lines or [self.env._("no payer is to be chased.")]

    def _step_lateness(self, day):
        companies = self.env.companies.filtered("health_provider_no")
        found = self.env["health.lateness"]._night(companies, day)
        if not found:
            return [self.env._("no new late payment of a fund.")]
        return [
            self.env._(
                "%(count)s AMO share(s) late by the working-day rule, %(amount)s of penalties.",
                count=len(found),
                amount=format_cents(sum(cents(one.penalty) for one in found)),
            )
        ]
