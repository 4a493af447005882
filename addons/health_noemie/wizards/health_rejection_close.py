from odoo import fields, models


class HealthRejectionClose(models.TransientModel):
    """Give rejections up, with the reason."""

    _name = "health.rejection.close"
    _description = "Abandon Rejections"

    rejection_ids = fields.Many2many("health.rejection", required=True)
    reason = fields.Char(required=True)

    def action_abandon(self):
        self.ensure_one()
        self.rejection_ids._close("abandoned", self.reason)
        return {"type": "ir.actions.act_window_close"}
