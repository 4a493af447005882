from odoo import api, models


class HealthCockpit(models.AbstractModel):
    _inherit = "health.cockpit"

    @api.model
    def _lot_cards(self, state, title, why, button):
        """One card per practitioner that has lots in a state; none for who may not open lots."""
        if not self.env["health.lot"].has_access("read"):
            return []
        domain = [("company_id", "in", self.env.companies.ids), ("state", "=", state)]
        return [
            {
                "key": f"lot-{state}-{company.id}",
                "title": title,
                "why": why,
                "practitioner": company.name,
                "count": count,
                "amount": amount,
                "deadline": False,
                "action": self._act_window(
                    title, "health.lot", domain + [("company_id", "=", company.id)]
                ),
                "button": button,
            }
            for company, count, amount in self.env["health.lot"]._read_group(
                domain, ["company_id"], ["__count", "amount_total:sum"]
            )
        ]

    @api.model
    def _cards_silent(self, day):
        """Override of `health_billing`: lots whose acknowledgement does not come."""
        return super()._cards_silent(day) + self._lot_cards(
            "arl_missing",
            self.env._("Lots without their ARL"),
            self.env._(
                "Nothing shows that the fund received them: check the transmission in the software."
            ),
            self.env._("See the lots"),
        )

    @api.model
    def _cards_rejects(self, day):
        """Override of `health_billing`: lots refused as a whole."""
        return super()._cards_rejects(day) + self._lot_cards(
            "refused",
            self.env._("Lots refused (negative ARL)"),
            self.env._("None of their FSE reached the fund: mend the cause, send the lot again."),
            self.env._("See the lots"),
        )

    @api.model
    def _cards_to_complete(self, day):
        """Override of `health_billing`: lots to sign, and FSE that no lot can take."""
        cards = super()._cards_to_complete(day) + self._lot_cards(
            "ready",
            self.env._("Lots to sign and send"),
            self.env._("The practitioner signs and sends them in the approved software."),
            self.env._("See the lots"),
        )
        if not self.env["health.fse"].has_access("read"):
            return cards
        domain = [("company_id", "in", self.env.companies.ids), ("lot_issue", "!=", False)]
        for company, count, amount in self.env["health.fse"]._read_group(
            domain, ["company_id"], ["__count", "amount_total:sum"]
        ):
            cards.append(
                {
                    "key": f"lot-issue-{company.id}",
                    "title": self.env._("FSE that no lot can take"),
                    "why": self.env._(
                        "Something is missing or wrong in them: the reason stands on each one."
                    ),
                    "practitioner": company.name,
                    "count": count,
                    "amount": amount,
                    "deadline": False,
                    "action": self._act_window(
                        self.env._("FSE that no lot can take"),
                        "health.fse",
                        domain + [("company_id", "=", company.id)],
                    ),
                    "button": self.env._("See the claims"),
                }
            )
        return cards
