from odoo import fields, models


class HealthCatalogueUpdateLine(models.Model):
    """One act or value that a catalogue update adds, ends or changes."""

    _name = "health.catalogue.update.line"
    _description = "NGAP Catalogue Change"
    _order = "update_id, kind, id"

    update_id = fields.Many2one(
        "health.catalogue.update", required=True, index=True, ondelete="cascade"
    )
    kind = fields.Selection(
        [("added", "Added"), ("ended", "Ended"), ("changed", "Changed")], required=True
    )
    name = fields.Char(required=True)
