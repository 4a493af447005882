from collections import Counter

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
        problem = self.env["res.company"]._health_other_followup()
        if problem:
            return [problem]
        amount, channels, held, sentences = 0, Counter(), Counter(), []
        companies = self.env["res.company"].sudo().search([("health_provider_no", "!=", False)])
        for company in companies:
            result = company._health_run_reminders(day)
            amount += result["amount"]
            channels.update(result["channels"])
            held.update(result["held"])
            if result["problem"]:
                sentences.append(result["problem"])
        if channels:
            sentences.insert(
                0,
                self.env._(
                    "%(count)s people reminded, %(amount)s: %(channels)s.",
                    count=channels.total(),
                    amount=format_cents(amount),
                    channels=self._reminder_channels_text(channels),
                ),
            )
        if held:
            sentences.append(
                self.env._(
                    "%(count)s shares held back: %(reasons)s.",
                    count=held.total(),
                    reasons=self.env["health.share"]._dunning_count_text(held),
                )
            )
        return sentences or [self.env._("nobody is to be reminded.")]

    def _reminder_channels_text(self, channels):
        """How many messages by each means, the most frequent first."""
        texts = {
            "email": self.env._("%s by e-mail"),
            "sms": self.env._("%s by SMS"),
            "letter": self.env._("%s letters to print"),
            "registered": self.env._("%s registered letters"),
            "phone": self.env._("%s calls to make"),
        }
        return ", ".join(texts[channel] % count for channel, count in channels.most_common())
