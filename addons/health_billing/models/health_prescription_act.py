from odoo import fields, models


class HealthPrescriptionAct(models.Model):
    """One act that a prescription orders."""

    _name = "health.prescription.act"
    _description = "Prescribed Act"

    prescription_id = fields.Many2one(
        "health.prescription", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="prescription_id.company_id", store=True, index=True)
    product_id = fields.Many2one("product.product", string="NGAP act", required=True)
    sessions = fields.Integer()
