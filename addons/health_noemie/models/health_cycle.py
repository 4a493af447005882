from odoo import api, models


class HealthCycle(models.Model):
    _inherit = "health.cycle"

    @api.model
    def _steps(self):
        """Override of `health_billing`: match what payers announced with what the bank received."""
        return super()._steps() + [
            (40, "match", self.env._("Transfers and bank credits"), "_step_match")
        ]

    @api.model
    def _step_match(self, day):
        companies = self.env.companies.filtered("health_provider_no")
        lines = self.env["account.bank.statement.line"]._health_match(companies)
        return lines or [
            self.env._("nothing new; every bank credit is explained or waits with its reason.")
        ]
