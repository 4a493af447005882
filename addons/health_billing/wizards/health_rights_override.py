from markupsafe import Markup

from odoo import fields, models
from odoo.exceptions import UserError


class HealthRightsOverride(models.TransientModel):
    """Let FSE leave without a recent proof of rights: somebody says why, and it is kept."""

    _name = "health.rights.override"
    _description = "Send without a Proof of Rights"

    fse_ids = fields.Many2many("health.fse", string="FSE", required=True)
    reason = fields.Char(required=True)

    def action_override(self):
        """Note reason and person on each FSE, and in the log of each patient."""
        self.ensure_one()
        fses = self.fse_ids
        fses.check_access("write")
        reason = (self.reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why these FSE may leave without a proof of rights."))
        sent = fses.filtered("sent_on")
        if sent:
            raise UserError(
                self.env._("FSE %s has left already: nothing stands against it.", sent[0].name)
            )
        fses.write({"rights_override_reason": reason, "rights_override_user_id": self.env.uid})
        fses.patient_id._message_log_batch(
            bodies={
                patient.id: Markup("<p>%s</p>")
                % self.env._(
                    "FSE %(numbers)s may leave without a recent proof of rights: %(reason)s",
                    numbers=", ".join(group.mapped("name")),
                    reason=reason,
                )
                for patient, group in fses.grouped("patient_id").items()
            }
        )
        return {"type": "ir.actions.act_window_close"}
