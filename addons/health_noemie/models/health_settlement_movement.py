from odoo import fields, models


class HealthSettlementMovement(models.Model):
    """Money of a transfer that belongs to no share: withheld debt (250), lump sum (261/262)."""

    _name = "health.settlement.movement"
    _description = "Retention or Lump Sum"
    _order = "settlement_id, id"
    _rec_name = "label"

    settlement_id = fields.Many2one(
        "health.settlement", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="settlement_id.company_id", store=True, index=True)
    payer_id = fields.Many2one(related="settlement_id.payer_id", store=True)
    transfer_date = fields.Date(related="settlement_id.transfer_date", store=True)
    settlement_state = fields.Selection(related="settlement_id.state", string="Transfer")
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(
        [("retention", "Retention"), ("lump_sum", "Lump sum")], required=True, index=True
    )
    code = fields.Char(help="Operation of the debt, or code of the payment.")
    label = fields.Char()
    debt_ref = fields.Char("Debt reference")
    debt_date = fields.Date()
    debt_kind = fields.Char()
    is_withheld = fields.Boolean(
        "Moves money",
        default=True,
        help="Unset: the debt is only stated and the transfer is whole.",
    )
    amount = fields.Monetary(
        required=True,
        help="Retention: positive when taken from the transfer. Lump sum: positive when paid.",
    )
    balance = fields.Monetary("Debt left")
    move_line_id = fields.Many2one(
        "account.move.line",
        string="Journal item",
        ondelete="set null",
        index="btree_not_null",
        copy=False,
    )
    indu_id = fields.Many2one(
        "health.indu", index="btree_not_null", ondelete="set null", copy=False
    )
