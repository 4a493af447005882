from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    health_lateness_scope = fields.Selection(
        [
            ("off", "Not followed"),
            ("secured", "Secured FSE only"),
            ("all", "Every electronic claim"),
        ],
        string="Late payment of AMO shares",
        default="secured",
        required=True,
        help="Claims whose AMO share is followed by the working-day rule. The rule is written for FSE that the "
        "card secured; whether it holds for the others is not established.",
    )
