from odoo import models


class HealthShare(models.Model):
    _inherit = "health.share"

    def _sync_announced_amount(self):
        """Extend: whatever the payer says, it is silent no more."""
        result = super()._sync_announced_amount()
        self.sudo().filtered("silent_on").write({"silent_on": False})
        return result
