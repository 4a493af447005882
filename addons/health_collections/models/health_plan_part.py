from odoo import fields, models


class HealthPlanPart(models.Model):
    """One share of a payment plan, with what it was before."""

    _name = "health.plan.part"
    _description = "Share of a Payment Plan"
    _order = "plan_id, sequence, id"
    _rec_name = "share_id"

    plan_id = fields.Many2one(
        "health.plan", required=True, index=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="plan_id.company_id", store=True, index=True, string="Practitioner"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    share_id = fields.Many2one(
        "health.share", required=True, index=True, readonly=True, ondelete="restrict"
    )
    patient_id = fields.Many2one(related="share_id.partner_id", string="Patient")
    sequence = fields.Integer(readonly=True)
    amount = fields.Monetary("Owed at the start", required=True, readonly=True)
    left = fields.Monetary(related="share_id.amount_residual", string="Left to pay")
    original_due = fields.Date("Was due on", required=True, readonly=True)
    line_id = fields.Many2one(
        "health.plan.line",
        string="Settled by the instalment of",
        readonly=True,
        ondelete="set null",
    )
