from odoo import api, models


class HealthCycle(models.Model):
    _inherit = "health.cycle"

    @api.model
    def _steps(self):
        """Override of `health_billing`: silence is looked at once returns and credits are in."""
        return super()._steps() + [
            (45, "silence", self.env._("Payers that do not answer"), "_step_silence")
        ]

    @api.model
    def _step_silence(self, day):
        Delay = self.env["health.payer.delay"].sudo()
        Delay._learn(day)
        found, over = Delay._note_silence(self.env.companies.filtered("health_provider_no"), day)
        lines = []
        if found:
            lines.append(
                self.env._("%s share(s) without answer after the payer's usual delay.", len(found))
            )
        if over:
            lines.append(self.env._("%s share(s) silent no more.", len(over)))
        return lines or [self.env._("no new silence.")]
