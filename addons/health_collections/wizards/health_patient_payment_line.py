from odoo import fields, models


class HealthPatientPaymentLine(models.TransientModel):
    """What one share gets of a payment."""

    _name = "health.patient.payment.line"
    _description = "Share of a Payment"

    wizard_id = fields.Many2one("health.patient.payment", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    share_id = fields.Many2one("health.share", required=True)
    patient_id = fields.Many2one(related="share_id.partner_id", string="Patient")
    fse_date = fields.Date(related="share_id.fse_date")
    due_date = fields.Date(related="share_id.due_date")
    left = fields.Monetary(related="share_id.amount_residual", string="Left to pay")
    amount = fields.Monetary("Paid now")
