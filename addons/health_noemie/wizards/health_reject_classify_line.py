from odoo import fields, models


class HealthRejectClassifyLine(models.TransientModel):
    """One code and the cause a person gives it."""

    _name = "health.reject.classify.line"
    _description = "Rejection Code to Classify"

    wizard_id = fields.Many2one("health.reject.classify", required=True, ondelete="cascade")
    code_id = fields.Many2one(
        "health.reject.code", string="Entry", required=True, readonly=True, ondelete="cascade"
    )
    code = fields.Char(related="code_id.code")
    part = fields.Selection(related="code_id.part")
    label = fields.Char(related="code_id.label")
    open_count = fields.Integer(related="code_id.open_count")
    payers = fields.Char(readonly=True)
    family_id = fields.Many2one(
        "health.reject.family", string="Cause", domain=[("code", "!=", "unknown")]
    )
    fixed_by = fields.Selection(related="family_id.fixed_by")
    payer_only = fields.Boolean("This payer only")
