from odoo import models


class HealthParameter(models.Model):
    _inherit = "health.parameter"

    def write(self, vals):
        """Override of `health_billing`: another delay of prescription moves the clocks of what is open."""
        result = super().write(vals)
        if "value" in vals and any(code.startswith("debt_") for code in self.mapped("code")):
            self.env["health.share"]._prescription_recompute()
        return result
