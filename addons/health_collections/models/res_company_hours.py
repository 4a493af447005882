from datetime import datetime, time
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from odoo import api, fields, models

from odoo.addons.health_billing.ngap.calendar import is_holiday

from ..dunning.hours import Hours, next_moment

UTC = ZoneInfo("UTC")
PARIS = "Europe/Paris"


@cache
def _zones():
    """Time zones this machine knows; looking walks the disk."""
    return available_timezones()


class ResCompany(models.Model):
    """When the people who owe this practitioner may be written to or called."""

    _inherit = "res.company"

    def _health_clock(self):
        """(time zone, hours, test of a closed day) of the place where the practitioner works."""
        zone = self.health_zone or "metropole"
        name = self.partner_id.tz if zone != "metropole" else PARIS
        value_of = self.env["health.parameter"].value_of
        hours = Hours(*(value_of(f"contact_{which}_hour") for which in ("first", "last", "usual")))
        place = ZoneInfo(name if name in _zones() else PARIS)
        return place, hours, lambda day: is_holiday(day, zone)

    def _health_next_moment(self, moment):
        """The first moment from this one on at which something may leave: both naive UTC."""
        place, hours, closed = self._health_clock()
        local = moment.replace(tzinfo=UTC).astimezone(place)
        later = next_moment(local, hours, closed)
        return moment if later == local else later.astimezone(UTC).replace(tzinfo=None)

    def _health_may_leave(self, moment=None):
        """Whether something may leave for a patient at that moment (naive UTC; default: now)."""
        moment = moment or fields.Datetime.now()
        return self._health_next_moment(moment) == moment

    def _health_moment_text(self, moment):
        """A moment (naive UTC) as a person reads it there, e.g. « 23/11/2026 à 09:00 »."""
        local = moment.replace(tzinfo=UTC).astimezone(self._health_clock()[0])
        return self.env._(
            "%(day)s at %(time)s", day=local.strftime("%d/%m/%Y"), time=local.strftime("%H:%M")
        )

    @api.model
    def _health_reminder_time(self, day, now=None):
        """When a reminder decided on that day may leave: by daylight, never on a Sunday or a holiday.

        :param date day: the day of the run.
        :return: naive UTC datetime, not before now.
        """
        place, hours, _closed = self._health_clock()
        usual = datetime.combine(day, time(hours.usual), place).astimezone(UTC)
        now = now or fields.Datetime.now()
        return self._health_next_moment(max(now, usual.replace(tzinfo=None)))
