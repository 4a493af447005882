from odoo import fields, models
from odoo.tools import email_normalize


class ResPartner(models.Model):
    _inherit = "res.partner"

    health_email_failed = fields.Char(
        "E-mail that came back",
        readonly=True,
        copy=False,
        help="Address that the last message could not reach. Another address is written to again.",
    )

    def _health_refused_emails(self):
        """Addresses that are not written to: their owner refused, or messages came back from there."""
        addresses = list(filter(None, self.mapped("email_normalized")))
        blocked = self.env["mail.blacklist"].sudo().search([("email", "in", addresses)])
        return set(blocked.mapped("email")) | set(
            self.filtered("health_email_failed").mapped("health_email_failed")
        )

    def _health_note_email_failed(self, email=None):
        """Remember that these people are not reached at their address; it is not written to again."""
        for partner in self.sudo():
            address = email_normalize(email or partner.email or "")
            if address and address == partner.email_normalized:
                partner.health_email_failed = address

    def write(self, vals):
        """Override: whoever types an address anew, even the same one, wants it tried again."""
        if "email" in vals and "health_email_failed" not in vals:
            vals = {**vals, "health_email_failed": False}
        return super().write(vals)
