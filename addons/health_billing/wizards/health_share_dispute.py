from odoo import fields, models


class HealthShareDispute(models.TransientModel):
    """Open a dispute about shares: what for stays with them."""

    _name = "health.share.dispute"
    _description = "Dispute Shares"

    share_ids = fields.Many2many("health.share", string="Shares", required=True)
    reason = fields.Char("What is disputed", required=True)

    def action_dispute(self):
        self.ensure_one()
        self.share_ids._dispute(self.reason)
        return {"type": "ir.actions.act_window_close"}
