import hashlib
import hmac
import ipaddress
from datetime import timedelta

from odoo import api, fields, models


class HealthNoteTry(models.Model):
    """What was tried on the patients' pages, so that guessing and abuse are slowed down whatever worker answers.

    One row per try, never changed: two tries at once do not wait for each other. No address of a visitor is kept,
    only a seal of it, and for a day.
    """

    _name = "health.note.try"
    _description = "Try on a Patient's Page"
    _log_access = False

    kind = fields.Selection(
        [
            ("miss", "Unknown link"),
            ("payment", "Payment started"),
            ("request", "Request"),
            ("renewal", "New link asked"),
        ],
        required=True,
    )
    key = fields.Char(required=True)
    moment = fields.Datetime(required=True)

    _recent = models.Index("(key, kind, moment)")

    #: kind → (parameter of the number allowed, minutes in which)
    _LIMITS = {
        "miss": ("note_misses", 10),
        "payment": ("note_payments", 60),
        "request": ("note_requests", 1440),
        "renewal": ("note_renewals", 1440),
    }

    @api.model
    def _key(self, what):
        """Seal of what is counted (an address, a link): it cannot be read back."""
        secret = self.env["ir.config_parameter"].sudo().get_param("database.secret")
        return hmac.new(secret.encode(), str(what).encode(), hashlib.sha256).hexdigest()[:32]

    @api.model
    def _visitor(self, address):
        """Who counts as one visitor: an IPv4 address, or the network of an IPv6 one (a subscriber has billions)."""
        try:
            parsed = ipaddress.ip_address(address or "")
        except ValueError:
            return "unknown"
        if parsed.version == 6:
            if parsed.ipv4_mapped:
                return str(parsed.ipv4_mapped)
            return str(ipaddress.ip_network((parsed, 64), strict=False))
        return str(parsed)

    @api.model
    def _is_too_many(self, kind, what):
        """Whether that visitor or link has used up its tries of that kind."""
        parameter, minutes = self._LIMITS[kind]
        since = fields.Datetime.now() - timedelta(minutes=minutes)
        most = self.env["health.parameter"].value_of(parameter)
        tries = self.sudo().search_count(
            [("kind", "=", kind), ("key", "=", self._key(what)), ("moment", ">", since)],
            limit=most,
        )
        return tries >= most

    @api.model
    def _note(self, kind, what):
        self.sudo().create({"kind": kind, "key": self._key(what), "moment": fields.Datetime.now()})

    @api.autovacuum
    def _gc_tries(self):
        longest = max(minutes for _parameter, minutes in self._LIMITS.values())
        self.sudo().search(
            [("moment", "<", fields.Datetime.now() - timedelta(minutes=longest))]
        ).unlink()
