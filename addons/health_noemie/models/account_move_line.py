from odoo import fields, models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    # copied: the reversal of an entry belongs to the same file
    health_indu_id = fields.Many2one(
        "health.indu", string="Indu", index="btree_not_null", ondelete="restrict", readonly=True
    )
