from odoo import fields, models


class HealthVisitAct(models.Model):
    """One act done at a visit."""

    _name = "health.visit.act"
    _description = "Visit Act"
    _order = "sequence, id"

    visit_id = fields.Many2one("health.visit", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="visit_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    product_id = fields.Many2one("product.product", string="NGAP act", required=True)
    quantity = fields.Integer(default=1, required=True)
