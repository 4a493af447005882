import base64

from odoo import fields, models
from odoo.exceptions import UserError


class HealthContactPost(models.TransientModel):
    """A registered letter posted by hand, and what came back of it: number, day, scanned proof."""

    _name = "health.contact.post"
    _description = "Registered Letter by Hand"

    contact_id = fields.Many2one("health.contact", required=True, readonly=True, ondelete="cascade")
    step = fields.Selection(
        [("posted", "Posted"), ("back", "What came back")], required=True, default="posted"
    )
    partner_id = fields.Many2one(related="contact_id.partner_id")
    tracking_no = fields.Char("Tracking number")
    outcome = fields.Selection(
        [
            ("delivered", "Received: the notice came back signed"),
            ("unclaimed", "Not collected"),
            ("refused", "Refused"),
            ("unknown", "Unknown at this address"),
        ]
    )
    day = fields.Date("On", required=True, default=fields.Date.context_today)
    scan = fields.Binary("Scanned proof", attachment=False)
    scan_name = fields.Char()

    def action_save(self):
        self.ensure_one()
        contact = self.contact_id
        contact.check_access("write")
        contact = contact.sudo()
        if self.day > fields.Date.context_today(self):
            raise UserError(
                self.env._("This day is still to come: give the day of the post office.")
            )
        moment = fields.Datetime.to_datetime(self.day)
        if self.step == "posted":
            number = (self.tracking_no or "").strip()
            if not number:
                raise UserError(
                    self.env._("Give the tracking number: it is on the receipt of the post office.")
                )
            contact._set_state("sent", False, tracking_no=number, done_on=moment)
        elif not self.outcome:
            raise UserError(self.env._("Say what came back."))
        elif self.outcome == "delivered":
            contact._set_state("delivered", False, delivered_on=moment)
        else:
            label = dict(self._fields["outcome"]._description_selection(self.env))[self.outcome]
            contact._set_state("failed", self.env._("Came back: %s", label))
        if self.scan:
            name = self.scan_name or self.env._("Proof.pdf")
            contact._add_proof(name, base64.b64decode(self.scan))
        return {"type": "ir.actions.act_window_close"}
