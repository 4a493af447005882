from odoo import fields, models
from odoo.tools import format_date


class HealthShare(models.Model):
    _inherit = "health.share"

    contact_ids = fields.Many2many(
        "health.contact",
        string="Contacts",
        readonly=True,
        copy=False,
        groups="health_billing.group_biller,health_billing.group_practitioner",
    )

    def _dunning_guards(self):
        """Override: whoever promised to pay has the time they asked for."""
        guards = super()._dunning_guards()
        guards.insert(guards.index("_guard_plan"), "_guard_promise")
        return guards

    def _guard_promise(self, day):
        """On the phone somebody said when they pay: until that day, and a little longer, nothing is asked."""
        return {
            share: (
                "promise",
                self.env._(
                    "Promised to pay by %(promise)s: nothing before %(next)s.",
                    promise=format_date(self.env, promise),
                    next=format_date(self.env, until),
                ),
            )
            for share, (promise, until) in self._dunning_promises(day).items()
        }

    def _dunning_promises(self, day):
        """Promises that still run on that day.

        :return: dict of share → (day promised, first day on which it may be asked again).
        """
        grace = self.env["health.contact"]._promise_grace()
        contacts = (
            self.env["health.contact"]
            .sudo()
            .search_fetch(
                [("share_ids", "in", self.ids), ("promise_on", ">", day - grace)],
                ["promise_on", "share_ids"],
                order="promise_on, id",
            )
        )
        return {
            share: (contact.promise_on, contact.promise_on + grace)
            for contact in contacts
            for share in contact.share_ids & self.sudo()
        }
