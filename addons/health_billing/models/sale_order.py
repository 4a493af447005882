from odoo import fields, models


class SaleOrder(models.Model):
    """A quote given to a patient before care, signed on the portal, linked to the FSE it announced."""

    _inherit = "sale.order"

    health_patient_id = fields.Many2one("res.partner", index="btree_not_null", check_company=True)
    health_fse_ids = fields.One2many("health.fse", "quote_id", string="FSE")
