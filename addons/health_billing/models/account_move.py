from odoo import fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    health_share_id = fields.Many2one(
        "health.share", string="Share", index="btree_not_null", copy=False, readonly=True
    )
