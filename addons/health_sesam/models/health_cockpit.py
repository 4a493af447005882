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
        cards += self._transport_cards()
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

    @api.model
    def _transport_cards(self):
        """Roads that broke the last time, and lots of which nobody knows whether they left."""
        cards = []
        if not self.env["health.transport"].has_access("read"):
            return cards
        for road in self.env["health.transport"].search(
            [("last_run", "!=", False), ("is_ok", "=", False)]
        ):
            action = self._act_window(road.name, "health.transport", [("id", "=", road.id)])
            cards.append(
                self._card(
                    f"transport-{road.id}",
                    self.env._("Transport that does not work: %s", road.name),
                    (road.last_result or "").split("\n")[0],
                    road.company_ids,
                    1,
                    {**action, "res_id": road.id, "views": [[False, "form"]]},
                    self.env._("See the transport"),
                )
            )
        lots = self.env["health.lot"].search(
            [
                ("company_id", "in", self.env.companies.ids),
                ("sent_on", "=", False),
                ("transmission_ids", "any", [("state", "=", "started")]),
            ]
        )
        if lots:
            cards.append(
                self._card(
                    "transmission-unknown",
                    self.env._("Lots that may have left"),
                    self.env._(
                        "Their sending was cut: look at the other side, then send again or mark as sent."
                    ),
                    lots.company_id,
                    len(lots),
                    self._act_window(
                        self.env._("Lots that may have left"),
                        "health.lot",
                        [("id", "in", lots.ids)],
                    ),
                    self.env._("See the lots"),
                )
            )
        return cards
