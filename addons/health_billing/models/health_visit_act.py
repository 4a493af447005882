from odoo import api, fields, models


class HealthVisitAct(models.Model):
    """One act done at a visit."""

    _name = "health.visit.act"
    _description = "Visit Act"
    _order = "sequence, id"

    visit_id = fields.Many2one("health.visit", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="visit_id.company_id", store=True, index=True)
    profession = fields.Selection(related="visit_id.profession")
    sequence = fields.Integer(default=10)
    product_id = fields.Many2one(
        "product.product",
        string="NGAP act",
        required=True,
        domain="[('health_key_letter', '!=', False), ('health_profession', '=?', profession)]",
    )
    quantity = fields.Integer(default=1, required=True)

    _quantity_positive = models.Constraint("CHECK(quantity > 0)", "The quantity is 1 or more.")

    @api.model_create_multi
    def create(self, vals_list):
        acts = super().create(vals_list)
        acts.visit_id._check_open()
        return acts

    def write(self, vals):
        self.visit_id._check_open()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_open_only(self):
        self.visit_id._check_open()

    @api.model
    def _short_writing(self, acts):
        """Letter, coefficient and quantity of acts (of a visit or a plan) on one line: ``AMI 4 + 2 × AMI 1``."""
        return " + ".join(
            (f"{act.quantity} × " if act.quantity != 1 else "") + act.product_id._health_short()
            for act in acts
        )
