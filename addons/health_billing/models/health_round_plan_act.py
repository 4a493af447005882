from odoo import fields, models


class HealthRoundPlanAct(models.Model):
    """One act of a round plan."""

    _name = "health.round.plan.act"
    _description = "Round Plan Act"
    _order = "sequence, id"

    plan_id = fields.Many2one("health.round.plan", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="plan_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    product_id = fields.Many2one("product.product", string="NGAP act", required=True)
    quantity = fields.Integer(default=1, required=True)
