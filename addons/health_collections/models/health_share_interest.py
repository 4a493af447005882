from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.health_billing.tools import cents, euros

from ..dunning.interest import known_until, legal_interest


class HealthShare(models.Model):
    """Legal interest on what patients owe: off unless the practitioner wants it, never before a formal notice."""

    _inherit = "health.share"

    notice_date = fields.Date(
        "Formal notice on", compute="_compute_legal_interest", compute_sudo=True
    )
    legal_interest = fields.Monetary(compute="_compute_legal_interest", compute_sudo=True)
    legal_interest_until = fields.Date(
        "Interest until (excluded)",
        compute="_compute_legal_interest",
        compute_sudo=True,
        help="Today, or the day from which no rate is known.",
    )

    @api.depends("amount_residual", "company_id.health_legal_interest")
    def _compute_legal_interest(self):
        notices = self._notice_days()
        counted = self._legal_interest(fields.Date.context_today(self), notices)
        for share in self:
            share.notice_date = notices.get(share)
            amount, until = counted.get(share, (0, False))
            share.legal_interest = euros(amount)
            share.legal_interest_until = until

    def _notice_days(self):
        """Day of the first formal notice that left for each of these shares: dict, without those that got none."""
        contacts = self.env["health.contact"].search_fetch(
            [
                ("share_ids", "in", self.ids),
                ("kind", "=", "notice"),
                ("state", "in", ("sent", "delivered")),
            ],
            ["day", "share_ids"],
        )
        days = {}
        for contact in contacts:
            for share in contact.share_ids & self:
                days[share] = min(contact.day, days.get(share, contact.day))
        return days

    def _legal_interest(self, day, notices=None):
        """Interest run up until that day on what is left to pay, from the day after the formal notice.

        What was paid meanwhile bears none here: less than the law allows, never more. It stops where no rate is
        known.

        :param notices: answer of `_notice_days` where it is known already.
        :return: dict of share → (cents, first day not counted), without the shares that bear none.
        """
        wanted = self.filtered(
            lambda share: share.debtor_kind == "patient" and share.company_id.health_legal_interest
        )
        if not wanted:
            return {}
        if notices is None:
            notices = wanted._notice_days()
        rates = self.env["health.interest.rate"]._rates()
        found = {}
        for share in wanted:
            if share not in notices:
                continue
            start = notices[share] + timedelta(days=1)
            until = min(day, known_until(start, rates))
            if until > start:
                found[share] = (
                    legal_interest(cents(share.amount_residual), start, until, rates),
                    until,
                )
        return found
