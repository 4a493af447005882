from collections import defaultdict
from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain

from ..ngap.forclusion import windows
from ..tools import cents, euros, format_cents
from .health_share import CLOSED

#: how many visits the cockpit prices to say what they are worth
PRICED_VISITS = 500


class HealthForclusion(models.AbstractModel):
    """Watch over what is lost when it is not claimed in time: open shares, claims not sent, care not billed.

    Everything is read from facts each time it is asked for, so that nothing can be forgotten in a list.
    """

    _name = "health.forclusion"
    _description = "Forclusion Watch"

    @api.model
    def _share_domain(self):
        """Shares of payers that can still be lost: not settled, and not of a claim that another replaced."""
        return Domain("state", "not in", CLOSED) & Domain("is_replaced", "=", False)

    @api.model
    def _share_windows(self, day):
        """Open shares by horizon, nearest first: list of (horizon, domain)."""
        found = []
        for limit, start, end in windows(day):
            domain = self._share_domain() & Domain("forclusion_date", "<", end)
            if start:
                domain &= Domain("forclusion_date", ">=", start)
            found.append((limit, domain))
        return found

    @api.model
    def _cards(self, day):
        """Cards of the cockpit: per practitioner and horizon, then claims not sent and care not billed."""
        mine = Domain("company_id", "in", self.env.companies.ids)
        cards = []
        for limit, domain in self._share_windows(day):
            domain &= mine
            for company, count, amount, first in self.env["health.share"]._read_group(
                domain, ["company_id"], ["__count", "amount_residual:sum", "forclusion_date:min"]
            ):
                cards.append(
                    {
                        "key": f"forclusion-{company.id}-{limit}",
                        "title": self.env._("Forclusion within %s days", limit)
                        if limit
                        else self.env._("Forclusion is past"),
                        "why": self.env._(
                            "%s share(s) can no longer be claimed after that day.", count
                        )
                        if limit
                        else self.env._("%s share(s): the last day to claim is over.", count),
                        "practitioner": company.name,
                        "count": count,
                        "amount": amount,
                        "deadline": first - timedelta(days=1),
                        "action": self._window(
                            self.env._("Forclusion"),
                            "health.share",
                            "share_forclusion",
                            domain,
                            company,
                        ),
                        "button": self.env._("See the shares"),
                    }
                )
        return cards + self._cards_unsent(day) + self._cards_unbilled(day)

    @api.model
    def _window(self, name, model, views, domain, company):
        """A window action on the views of this watch, for one practitioner."""
        action = self.env["health.cockpit"]._act_window(
            name, model, list(domain & Domain("company_id", "=", company.id))
        )
        if views:
            action["views"] = [
                [self.env.ref(f"health_billing.view_{views}_list").id, "list"],
                [False, "form"],
                [self.env.ref(f"health_billing.view_{views}_pivot").id, "pivot"],
            ]
        return action

    @api.model
    def _cards_unsent(self, day):
        delay = self.env["health.parameter"].value_of("unsent_alert_days")
        domain = Domain(
            [
                ("company_id", "in", self.env.companies.ids),
                ("origin", "=", "entry"),
                ("sent_on", "=", False),
                ("state", "in", ("entered", "draft", "to_send")),
                ("fse_date", "<=", day - timedelta(days=delay)),
                ("replaced_by_ids", "=", False),
            ]
        )
        return [
            {
                "key": f"unsent-{company.id}",
                "title": self.env._("FSE entered, not sent"),
                "why": self.env._("The oldest is of %s.", oldest.strftime("%d/%m/%Y")),
                "practitioner": company.name,
                "count": count,
                "amount": amount,
                "deadline": first - timedelta(days=1),
                "action": self._window(
                    self.env._("FSE entered, not sent"), "health.fse", False, domain, company
                ),
                "button": self.env._("See the FSE"),
            }
            for company, count, amount, oldest, first in self.env["health.fse"]._read_group(
                domain,
                ["company_id"],
                ["__count", "amount_total:sum", "fse_date:min", "forclusion_date:min"],
            )
        ]

    @api.model
    def _cards_unbilled(self, day):
        if not self.env["health.visit"].has_access("read"):
            return []
        delay = self.env["health.parameter"].value_of("unbilled_alert_days")
        clock = self.env["health.share"]._forclusion_clocks()["amo"]
        domain = Domain(
            [
                ("company_id", "in", self.env.companies.ids),
                ("state", "=", "done"),
                ("fse_id", "=", False),
                ("day", "<=", day - timedelta(days=delay)),
            ]
        )
        visits = self.env["health.visit"].search(domain, limit=PRICED_VISITS + 1)
        # beyond that many, the cockpit would wait for the prices
        prices = (
            self.env["health.round.week"]._expected(visits) if len(visits) <= PRICED_VISITS else {}
        )
        expected = defaultdict(int)
        for visit in visits:
            expected[visit.company_id.id] += prices.get(visit.id, 0)
        return [
            {
                "key": f"unbilled-{company.id}",
                "title": self.env._("Care done, not billed"),
                "why": self.env._("The oldest is of %s.", oldest.strftime("%d/%m/%Y")),
                "practitioner": company.name,
                "count": count,
                "amount": euros(expected[company.id]),
                "deadline": clock.first_forfeited([oldest]) - timedelta(days=1),
                "action": self._window(
                    self.env._("Care done, not billed"),
                    "health.visit",
                    "visit_unbilled",
                    domain,
                    company,
                ),
                "button": self.env._("See the visits"),
            }
            for company, count, oldest in self.env["health.visit"]._read_group(
                domain, ["company_id"], ["__count", "day:min"]
            )
        ]

    @api.model
    def _night(self, day):
        """What the night found, in sentences; shares whose last day was never counted are counted now."""
        Share = self.env["health.share"]
        blind = Share.search(
            [
                ("forclusion_date", "=", False),
                ("debtor_kind", "in", list(Share._forclusion_clocks())),
            ]
        )
        self.env.add_to_compute(Share._fields["forclusion_date"], blind)
        lines = []
        for limit, domain in self._share_windows(day):
            [(count, amount)] = Share._read_group(domain, [], ["__count", "amount_residual:sum"])
            if count:
                what = (
                    self.env._("within %s days", limit)
                    if limit
                    else self.env._("past the last day")
                )
                lines.append(
                    self.env._(
                        "%(count)s share(s) %(what)s, %(amount)s.",
                        count=count,
                        what=what,
                        amount=format_cents(cents(amount)),
                    )
                )
        return lines or [self.env._("no share is lost within 90 days.")]
