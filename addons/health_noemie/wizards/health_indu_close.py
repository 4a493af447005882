from odoo import fields, models
from odoo.exceptions import UserError


class HealthInduClose(models.TransientModel):
    """End a file with its reason, or hand it over to a lawyer."""

    _name = "health.indu.close"
    _description = "Close an Overpayment File"

    indu_id = fields.Many2one("health.indu", required=True)
    kind = fields.Selection(
        [("close", "Close the file"), ("hand_over", "Hand over to a lawyer")],
        required=True,
        default="close",
    )
    day = fields.Date(required=True, default=fields.Date.context_today)
    reason = fields.Char()
    lawyer = fields.Char(help="Name and town: the substance is theirs to defend.")

    def action_confirm(self):
        """Note the end; what is booked follows at the next booking."""
        self.ensure_one()
        self.indu_id.check_access("write")
        if self.kind == "close":
            if not (self.reason or "").strip():
                raise UserError(self.env._("Say why: the reason stays with the file."))
            self.indu_id.write({"closed_on": self.day, "closing_reason": self.reason.strip()})
            return {"type": "ir.actions.act_window_close"}
        if not (self.lawyer or "").strip():
            raise UserError(self.env._("Name the lawyer who takes the file over."))
        self.indu_id.write({"handed_on": self.day, "lawyer": self.lawyer.strip()})
        return self.indu_id.action_pack() | {"close": True}
