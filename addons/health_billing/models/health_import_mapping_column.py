from odoo import fields, models


class HealthImportMappingColumn(models.Model):
    """One column of an import mapping."""

    _name = "health.import.mapping.column"
    _description = "Import Mapping Column"
    _order = "sequence, id"

    mapping_id = fields.Many2one(
        "health.import.mapping", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="mapping_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    source = fields.Char("Column of the file")
    target = fields.Char("Column of the FSE journal", required=True)
    constant = fields.Char("Fixed value")
