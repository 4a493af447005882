from odoo import fields, models


class HealthCatalogueUpdate(models.Model):
    """An update of acts and values from data files: what it changes, what it costs or brings, who applied it."""

    _name = "health.catalogue.update"
    _description = "NGAP Catalogue Update"
    _order = "id desc"

    name = fields.Char(required=True)
    state = fields.Selection(
        [("draft", "To check"), ("done", "Applied")], default="draft", required=True
    )
    line_ids = fields.One2many("health.catalogue.update.line", "update_id", string="Changes")
    applied_by_id = fields.Many2one("res.users", readonly=True)
    applied_on = fields.Datetime(readonly=True)
