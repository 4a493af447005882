from odoo import fields, models


class HealthCoverageCase(models.Model):
    _inherit = "health.coverage.case"

    is_fragile = fields.Boolean(
        "Small sums by a person only",
        help="Long illness, disability: a small sum is never asked for by a machine nor handed over.",
    )
