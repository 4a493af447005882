from odoo import fields, models


class HealthImportMapping(models.Model):
    """How the columns of another program's export become those of the FSE journal; saved, used again."""

    _name = "health.import.mapping"
    _description = "Import Mapping"
    _order = "name"

    name = fields.Char(required=True)
    company_id = fields.Many2one("res.company", string="Practitioner", index=True)
    column_ids = fields.One2many(
        "health.import.mapping.column", "mapping_id", string="Columns", copy=True
    )
    active = fields.Boolean(default=True)
