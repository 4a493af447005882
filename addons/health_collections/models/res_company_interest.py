from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    health_legal_interest = fields.Boolean(
        "Count legal interest",
        help="From the formal notice on, and only then. It is shown to the biller and may be claimed in court; "
        "no reminder adds it.",
    )
