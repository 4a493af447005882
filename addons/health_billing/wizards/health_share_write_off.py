from odoo import api, fields, models

from ..tools import cents, euros


class HealthShareWriteOff(models.TransientModel):
    """Give up what shares still owe, with the reason."""

    _name = "health.share.write.off"
    _description = "Write Shares Off"

    share_ids = fields.Many2many("health.share", string="Shares", required=True)
    reason = fields.Char(required=True)
    count = fields.Integer("Shares chosen", compute="_compute_amount")
    amount = fields.Monetary("Lost", compute="_compute_amount")
    currency_id = fields.Many2one("res.currency", compute="_compute_amount")

    @api.depends("share_ids")
    def _compute_amount(self):
        for wizard in self:
            shares = wizard.share_ids
            wizard.count = len(shares)
            wizard.currency_id = shares.currency_id[:1]
            wizard.amount = euros(sum(cents(share.amount_residual) for share in shares))

    def action_write_off(self):
        self.ensure_one()
        self.share_ids._write_off(self.reason)
        return {"type": "ir.actions.act_window_close"}
