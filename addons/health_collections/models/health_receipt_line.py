from odoo import fields, models


class HealthReceiptLine(models.Model):
    """What one share got of a receipt; without share: what was paid too much."""

    _name = "health.receipt.line"
    _description = "Share Paid by a Receipt"
    _order = "receipt_id, id"
    _rec_name = "share_id"

    receipt_id = fields.Many2one(
        "health.receipt", required=True, index=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="receipt_id.company_id", store=True, index=True, string="Practitioner"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    share_id = fields.Many2one("health.share", index="btree_not_null", readonly=True)
    patient_id = fields.Many2one(related="share_id.partner_id", string="Patient")
    amount = fields.Monetary(required=True, readonly=True)
    item_id = fields.Many2one(
        "account.move.line", "Journal item", readonly=True, ondelete="set null"
    )
