from odoo import fields, models
from odoo.exceptions import UserError


class HealthArlRecord(models.TransientModel):
    """An acknowledgement read elsewhere, noted by hand on one or several lots."""

    _name = "health.arl.record"
    _description = "Record an ARL"

    lot_ids = fields.Many2many("health.lot", string="Lots", required=True)
    result = fields.Selection(
        [("positive", "Positive"), ("negative", "Negative")], required=True, default="positive"
    )
    date = fields.Date(required=True, default=fields.Date.context_today)
    fse_ids = fields.Many2many(
        "health.fse",
        string="Only these FSE",
        domain="[('lot_id', 'in', lot_ids)]",
        help="Those that the front end refused; empty: the whole lot.",
    )
    code = fields.Char()
    label = fields.Char()

    def action_record(self):
        """Make the acknowledgements; a lot that was not sent can have none."""
        self.ensure_one()
        unsent = self.lot_ids.filtered(lambda lot: not lot.sent_on)
        if unsent:
            raise UserError(
                self.env._("Lot %s was not sent: mark it as sent first.", unsent[0].display_name)
            )
        if self.fse_ids and (self.result == "positive" or self.fse_ids.lot_id - self.lot_ids):
            raise UserError(
                self.env._("Only FSE of these lots can be named, and only when they are refused.")
            )
        pairs = [(fse.lot_id, fse) for fse in self.fse_ids]
        pairs = pairs or [(lot, self.fse_ids) for lot in self.lot_ids]
        self.env["health.arl"].create(
            [
                {
                    "company_id": lot.company_id.id,
                    "lot_id": lot.id,
                    "lot_no": lot.name,
                    "lot_date": lot.date,
                    "result": self.result,
                    "date": self.date,
                    "code": self.code,
                    "label": self.label,
                    "fse_id": fse.id,
                    "fse_no": fse.name,
                }
                for lot, fse in pairs
            ]
        )
        return {"type": "ir.actions.act_window_close"}
