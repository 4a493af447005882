from odoo import api, models
from odoo.fields import Domain

from ..dunning.interest import half_year


class HealthCockpit(models.AbstractModel):
    _inherit = "health.cockpit"

    @api.model
    def _cards_deadlines(self, day):
        """Override of `health_billing`: what patients owe and will soon be too old to ask for."""
        return [
            *super()._cards_deadlines(day),
            *self._cards_prescription(day),
            *self._cards_interest(day),
        ]

    @api.model
    def _cards_prescription(self, day):
        """One card per practitioner for what nears the limit, one for what is past it."""
        Share = self.env["health.share"]
        near = Domain(Share._prescription_domain(day)) & Domain(
            "company_id", "in", self.env.companies.ids
        )
        coming = {
            "key": "prescription-near",
            "title": self.env._("Patients' debts: prescription is near"),
            "why": self.env._(
                "The careful limit comes: agree on a plan, have the debt acknowledged, go to court or write it off. "
                "A letter does not stop the clock."
            ),
        }
        over = {
            "key": "prescription-past",
            "title": self.env._("Patients' debts: careful limit passed"),
            "why": self.env._("No longer asked for by themselves: a person decides."),
        }
        parts = (
            (coming, Domain("prescription_date", ">", day)),
            (over, Domain("prescription_date", "<=", day)),
        )
        views = [
            [self.env.ref("health_collections.view_share_prescription_list").id, "list"],
            [False, "form"],
        ]
        return [
            {
                **texts,
                "key": f"{texts['key']}-{company.id}",
                "practitioner": company.name,
                "count": count,
                "amount": amount,
                "deadline": first,
                "action": {
                    **self._act_window(
                        texts["title"],
                        "health.share",
                        list(near & part & Domain("company_id", "=", company.id)),
                    ),
                    "views": views,
                },
                "button": self.env._("See the shares"),
            }
            for texts, part in parts
            for company, count, amount, first in Share._read_group(
                near & part,
                ["company_id"],
                ["__count", "amount_residual:sum", "prescription_date:min"],
            )
        ]

    @api.model
    def _cards_interest(self, day):
        """Practitioners count legal interest and the rate of the half-year is not known."""
        Rate = self.env["health.interest.rate"]
        wanting = self.env.companies.filtered("health_legal_interest")
        if not wanting or not Rate.has_access("create"):
            return []
        start, _end = half_year(day)
        if Rate.search_count([("date_from", "<=", day), ("date_to", ">", day)], limit=1):
            return []
        return [
            {
                "key": "interest-rate",
                "title": self.env._("Legal interest: a rate is missing"),
                "why": self.env._(
                    "No rate is known from %s on: the interest stops there until it is written.",
                    start.strftime("%d/%m/%Y"),
                ),
                "practitioner": "",
                "count": len(wanting),
                "amount": 0.0,
                "deadline": False,
                "action": self._act_window(
                    self.env._("Legal interest rates"), "health.interest.rate", []
                ),
                "button": self.env._("Write the rate"),
            }
        ]
