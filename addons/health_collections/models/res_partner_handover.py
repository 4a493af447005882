from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    health_recovery_kind = fields.Selection(
        [
            ("collector", "Collection company"),
            ("bailiff", "Commissaire de justice"),
            ("injunction", "Court"),
        ],
        string="Recovery professional",
        index="btree_not_null",
        help="Who may be handed over what patients still owe when everything else has failed.",
    )
