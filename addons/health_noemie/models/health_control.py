from odoo import api, models


class HealthControl(models.AbstractModel):
    _inherit = "health.control"

    @api.model
    def _wanted(self, fses):
        """Override of `health_billing`: what payers refused again and again is told before sending."""
        return super()._wanted(fses) + [
            {**finding, "proposal_label": False}
            for finding in self.env["health.reject.watch"]._findings(fses)
        ]
