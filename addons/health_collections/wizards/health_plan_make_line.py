from odoo import fields, models


class HealthPlanMakeLine(models.TransientModel):
    """One instalment to come."""

    _name = "health.plan.make.line"
    _description = "Instalment to Come"
    _order = "due_date, id"

    wizard_id = fields.Many2one("health.plan.make", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    due_date = fields.Date("Due on", required=True)
    amount = fields.Monetary(required=True)
