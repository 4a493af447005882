from odoo import fields, models


class HealthCatalogueUpdateLine(models.Model):
    """One act or value that a catalogue update adds, ends or changes."""

    _name = "health.catalogue.update.line"
    _description = "NGAP Catalogue Change"
    _order = "update_id, target desc, kind, id"

    update_id = fields.Many2one(
        "health.catalogue.update", required=True, index=True, ondelete="cascade"
    )
    target = fields.Selection([("act", "Act"), ("value", "Value")], required=True)
    kind = fields.Selection(
        [("added", "Added"), ("ended", "Ended"), ("changed", "Changed")], required=True
    )
    name = fields.Char("What", required=True)
    profession = fields.Selection(
        selection=lambda self: self.env["product.product"]._health_professions()
    )
    zone = fields.Char()
    zone_label = fields.Char("Where")
    day = fields.Date("From day", help="First day on which something is different.")
    before = fields.Char()
    after = fields.Char()
    source = fields.Text()
    grade = fields.Selection(
        [("A", "Official text"), ("B", "Secondary source"), ("C", "Unconfirmed")], string="Proof"
    )
    act_count = fields.Integer("Acts touched")
    amount = fields.Monetary("Difference")
    currency_id = fields.Many2one(related="update_id.currency_id")
