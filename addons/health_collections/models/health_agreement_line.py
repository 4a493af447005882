from odoo import fields, models


class HealthAgreementLine(models.Model):
    """One share of an agreement: what was owed, and what of it is forgiven."""

    _name = "health.agreement.line"
    _description = "Share of an Agreement"
    _order = "agreement_id, id"
    _rec_name = "share_id"

    agreement_id = fields.Many2one(
        "health.agreement", required=True, index=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="agreement_id.company_id", store=True, index=True, string="Practitioner"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    share_id = fields.Many2one(
        "health.share", required=True, index=True, readonly=True, ondelete="restrict"
    )
    patient_id = fields.Many2one(related="share_id.partner_id", string="Patient")
    owed = fields.Monetary("Owed at the start", readonly=True)
    reduction = fields.Monetary("Forgiven", readonly=True)
    booked = fields.Monetary("Booked as a loss", readonly=True)
    left = fields.Monetary(related="share_id.amount_residual", string="Left to pay")
