from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthFormatField(models.Model):
    """Where one field of a format stands, in one version; corrected in a draft only."""

    _name = "health.format.field"
    _description = "Field of an Exchange Format"
    _order = "layout_id, record_code, start, id"

    layout_id = fields.Many2one(
        "health.format.layout", required=True, readonly=True, index=True, ondelete="cascade"
    )
    state = fields.Selection(related="layout_id.state")
    record_code = fields.Char("Record", readonly=True)
    record_label = fields.Char("Kind of record", readonly=True)
    key = fields.Char(readonly=True)
    name = fields.Char("Field", readonly=True)
    start = fields.Integer("Position", required=True, aggregator=None)
    size = fields.Integer("Length", required=True)
    base_start = fields.Integer("Position before", readonly=True, aggregator=None)
    base_size = fields.Integer("Length before", readonly=True)
    type = fields.Selection(
        [("N", "Digits"), ("A", "Text"), ("D", "Date"), ("M", "Amount")], readonly=True
    )
    certainty = fields.Selection(
        [("A", "A, official text"), ("B", "B, two decoders"), ("C", "C, one source")], readonly=True
    )
    sources = fields.Char(readonly=True)
    meaning = fields.Char(readonly=True)
    is_moved = fields.Boolean("Moved", compute="_compute_is_moved", store=True)

    @api.depends("start", "size", "base_start", "base_size")
    def _compute_is_moved(self):
        for row in self:
            row.is_moved = (row.start, row.size) != (row.base_start, row.base_size)

    def write(self, vals):
        if vals.keys() & {"start", "size"}:
            self.layout_id._check_manager()
            if any(layout.state != "draft" for layout in self.layout_id):
                raise UserError(
                    self.env._(
                        "This version is in use or was: copy it to a draft, correct the draft."
                    )
                )
            # what was tried is no longer what stands here
            self.layout_id.filtered("is_tried").is_tried = False
        return super().write(vals)
