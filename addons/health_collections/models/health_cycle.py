from odoo import models

from odoo.addons.health_billing.tools import format_cents


class HealthCycle(models.Model):
    _inherit = "health.cycle"

    def _steps(self):
        """Override of `health_billing`: patients are reminded last, once the money of the day is
        known.
        """
        return [
            *super()._steps(),
            (60, "reminders", self.env._("Reminders to patients"), "_step_reminders"),
        ]

    def _step_reminders(self, day):
        """Remind the late patients of every practitioner.

        :return: sentences for the summary.
        """
        emails = letters = amount = 0
        held, sentences = {}, []
        companies = self.env["res.company"].sudo().search([("health_provider_no", "!=", False)])
        for company in companies:
            result = company._health_run_reminders(day)
            emails += result["emails"]
            letters += result["letters"]
            amount += result["amount"]
            for code, count in result["held"].items():
                held[code] = held.get(code, 0) + count
            if result["problem"]:
                sentences.append(result["problem"])
        if emails or letters:
            sentences.insert(
                0,
                self.env._(
                    "%(count)s patients reminded, %(amount)s: %(emails)s by e-mail, "
                    "%(letters)s letters to print.",
                    count=emails + letters,
                    amount=format_cents(amount),
                    emails=emails,
                    letters=letters,
                ),
            )
        if held:
            sentences.append(
                self.env._(
                    "%(count)s shares held back: %(reasons)s.",
                    count=sum(held.values()),
                    reasons=self.env["health.share"]._dunning_count_text(held),
                )
            )
        return sentences or [self.env._("nobody is to be reminded.")]
