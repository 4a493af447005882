from odoo import fields, models


class HealthReceiptUndo(models.TransientModel):
    """Why a receipt no longer counts."""

    _name = "health.receipt.undo"
    _description = "Undo a Receipt"

    receipt_ids = fields.Many2many("health.receipt", string="Receipts", required=True)
    kind = fields.Selection(
        [("bounced", "The bank did not pay it"), ("undone", "It was booked by mistake")],
        "What happened",
        required=True,
        default="bounced",
    )
    reason = fields.Char(required=True)

    def action_undo(self):
        self.ensure_one()
        self.receipt_ids._undo(self.kind, self.reason)
        return {"type": "ir.actions.act_window_close"}
