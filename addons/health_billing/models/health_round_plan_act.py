from odoo import fields, models


class HealthRoundPlanAct(models.Model):
    """One act of a round plan."""

    _name = "health.round.plan.act"
    _description = "Round Plan Act"
    _order = "sequence, id"

    plan_id = fields.Many2one("health.round.plan", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="plan_id.company_id", store=True, index=True)
    profession = fields.Selection(related="plan_id.profession")
    sequence = fields.Integer(default=10)
    product_id = fields.Many2one(
        "product.product",
        string="NGAP act",
        required=True,
        domain="[('health_key_letter', '!=', False), ('health_profession', '=?', profession)]",
    )
    quantity = fields.Integer(default=1, required=True)

    _quantity_positive = models.Constraint("CHECK(quantity > 0)", "The quantity is 1 or more.")

    def _short(self):
        """The acts as a nurse writes them: ``AMI 4 + BSB``."""
        return self.env["health.visit.act"]._short_writing(self)
