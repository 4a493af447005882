import csv

from odoo import api, models
from odoo.tools import file_open


class HealthRule(models.Model):
    _inherit = "health.rule"

    @api.model
    def _texts(self):
        """Override of `health_billing`: the controls that past rejections teach."""
        yield from super()._texts()
        with file_open("health_noemie/data/reject_rules.csv") as file:
            for row in csv.DictReader(file):
                yield {**row, "is_checked": True, "why_unchecked": False}
