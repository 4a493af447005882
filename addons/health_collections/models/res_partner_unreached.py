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

    health_e_registered_on = fields.Date(
        "Agreed to electronic registered letters on",
        help="Without the recorded consent of the person, registered letters go on paper.",
    )
    health_e_registered_how = fields.Char("Consent kept as", help="Where the proof of it is.")

    def _health_reachable(self, company):
        """Override: no SMS to whom said STOP."""
        result = super()._health_reachable(company)
        refused = self.env["health.contact"]._refused_numbers(self.mapped("phone_sanitized"))
        for partner, channels in result.items():
            if not partner.phone_sanitized or partner.phone_sanitized in refused:
                channels.discard("sms")
        return result

    def _health_refused_emails(self):
        """Override: addresses from which messages came back are not written to either."""
        return super()._health_refused_emails() | set(
            filter(None, self.mapped("health_email_failed"))
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
