from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..dunning.interest import Rate, half_year


class HealthInterestRate(models.Model):
    """Rate of the legal interest of a half-year, as published; a half-year without one bears no interest."""

    _name = "health.interest.rate"
    _description = "Legal Interest Rate"
    _order = "date_from desc"
    _rec_name = "date_from"

    date_from = fields.Date("From", required=True)
    date_to = fields.Date("Until (excluded)", required=True)
    basis_points = fields.Integer(
        "Rate (hundredths of %)",
        required=True,
        help="262 for 2.62 % a year. The rate of the “other cases”: a professional is the creditor.",
    )
    rate = fields.Char("Rate a year", compute="_compute_rate")
    source = fields.Text()
    grade = fields.Selection(
        [("A", "Official text"), ("B", "Secondary source"), ("C", "Unconfirmed")],
        required=True,
        default="C",
    )

    _from_uniq = models.Constraint("UNIQUE(date_from)", "This half-year has its rate already.")

    @api.depends("basis_points")
    def _compute_rate(self):
        for one in self:
            whole, rest = divmod(one.basis_points, 100)
            one.rate = f"{whole},{rest:02d} %"

    @api.constrains("date_from", "date_to", "basis_points")
    def _check_rate(self):
        for rate in self:
            if rate.date_to <= rate.date_from:
                raise ValidationError(
                    self.env._("The rate ends before it begins: mend one of the two days.")
                )
            if not 0 <= rate.basis_points <= 2000:
                raise ValidationError(
                    self.env._(
                        "%s hundredths of a percent: no legal rate was ever so. Write 262 for 2.62 %%.",
                        rate.basis_points,
                    )
                )
        rates = self.search([], order="date_from")
        for before, after in zip(rates, rates[1:], strict=False):
            if before.date_to > after.date_from:
                raise ValidationError(
                    self.env._(
                        "Two rates hold on %s: end the first on that day.",
                        after.date_from.strftime("%d/%m/%Y"),
                    )
                )

    @api.model
    def _rates(self):
        """Every rate known, as the pure arithmetic takes them."""
        return [
            Rate(rate.date_from, rate.date_to, rate.basis_points)
            for rate in self.sudo().search_fetch([], ["date_from", "date_to", "basis_points"])
        ]

    @api.model
    def default_get(self, fields_list):
        """Override of `base`: the half-year after the last one known."""
        values = super().default_get(fields_list)
        last = self.search([], limit=1)
        start, end = half_year(last.date_to or fields.Date.context_today(self))
        return {"date_from": start, "date_to": end, **values}
