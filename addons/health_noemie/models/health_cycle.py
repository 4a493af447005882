from odoo import api, models


class HealthCycle(models.Model):
    _inherit = "health.cycle"

    @api.model
    def _steps(self):
        """Override of `health_billing`: match what payers announced with what the bank received."""
        return super()._steps() + [
            (40, "match", self.env._("Transfers and bank credits"), "_step_match"),
            (45, "indus", self.env._("Indus"), "_step_indus"),
        ]

    @api.model
    def _step_match(self, day):
        companies = self.env.companies.filtered("health_provider_no")
        lines = self.env["account.bank.statement.line"]._health_match(companies)
        return lines or [
            self.env._("nothing new; every bank credit is explained or waits with its reason.")
        ]

    @api.model
    def _step_indus(self, day):
        """Open files for retentions that have none, and settle booked debts with what was withheld since."""
        companies = self.env.companies.filtered("health_provider_no")
        loose = self.env["health.settlement.movement"].search(
            [
                ("company_id", "in", companies.ids),
                ("kind", "=", "retention"),
                ("indu_id", "=", False),
            ]
        )
        touched = self.env["health.indu"]._from_settlements(loose.settlement_id)
        live = self.env["health.indu"].search(
            [("company_id", "in", companies.ids), ("item_ids", "!=", False)]
        )
        self.env["health.indu.booking"]._reconcile(live)
        if not touched:
            return [self.env._("no new retention.")]
        return [self.env._("%s file(s) opened or completed from retentions.", len(touched))]
