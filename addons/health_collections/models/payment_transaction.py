from odoo import fields, models


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    health_payment_link_id = fields.Many2one(
        "health.payment.link",
        string="Payment link",
        index="btree_not_null",
        readonly=True,
        ondelete="set null",
    )
