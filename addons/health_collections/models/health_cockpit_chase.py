from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain

from ..dunning.lateness import half_year


class HealthCockpit(models.AbstractModel):
    _inherit = "health.cockpit"

    @api.model
    def _cards_silent(self, day):
        """Override of `health_billing`: payers to call or write to, disputes to follow up, penalties to claim."""
        return [
            *super()._cards_silent(day),
            *self._cards_chases(day),
            *self._cards_lateness(day),
        ]

    @api.model
    def _chase_card(self, key, chase, title, why, button, **values):
        limit = chase.forclusion_date
        card = self._card(
            f"{key}-{chase.id}",
            title,
            why,
            chase.company_id,
            chase.share_count,
            {
                **self._act_window(chase.payer_id.name, "health.chase", [("id", "=", chase.id)]),
            },
            button,
            amount=chase.amount,
            deadline=limit and limit - timedelta(days=1),
        )
        return {**card, **values}

    @api.model
    def _cards_chases(self, day):
        Chase = self.env["health.chase"]
        if not Chase.has_access("read"):
            return []
        chases = Chase.search(
            [("company_id", "in", self.env.companies.ids), ("is_open", "=", True)]
        )
        gap = timedelta(days=self.env["health.parameter"].value_of("chase_gap_days"))
        buttons = {
            "phone": self.env._("Call"),
            "email": self.env._("Write"),
            "letter": self.env._("Write"),
            "registered": self.env._("Write"),
        }
        cards = []
        for chase in chases:
            payer = chase.payer_id.name
            if chase.resend_count:
                cards.append(
                    self._chase_card(
                        "chase-resend",
                        chase,
                        self.env._("To send again: %s", payer),
                        self.env._("The payer says it never received them."),
                        self.env._("See the claims"),
                        count=chase.resend_count,
                        amount=0.0,
                    )
                )
            if chase.dispute_next_on and chase.dispute_next_on <= day:
                cards.append(
                    self._chase_card(
                        "chase-dispute",
                        chase,
                        self.env._("Dispute to follow up: %s", payer),
                        self.env._("No position of the payer since we contested: write or call."),
                        self.env._("Follow up"),
                        amount=chase.amount_disputed,
                    )
                )
            # what was announced, refused or disputed since the night is not asked for any more
            if chase.amount and chase.next_on and chase.next_on <= day:
                level = chase.next_level_id.sudo()
                cards.append(
                    self._chase_card(
                        "chase",
                        chase,
                        self.env._("Chase %s", payer),
                        self.env._(
                            "Neither payment nor rejection; the oldest left %(days)s days ago. %(step)s",
                            days=(day - chase.first_sent_on).days if chase.first_sent_on else "?",
                            step=level.name or "",
                        ),
                        buttons.get(chase.next_channel, self.env._("Chase the payer")),
                    )
                )
            elif (
                not chase.next_on
                and chase.amount
                and not chase.resend_count
                and chase.last_contact_on
                and chase.last_contact_on + gap <= day
            ):
                cards.append(
                    self._chase_card(
                        "chase-end",
                        chase,
                        self.env._("Every step taken: %s", payer),
                        self.env._(
                            "Asked by every means without result: claim form, dispute, or write-off."
                        ),
                        self.env._("Decide"),
                    )
                )
        return cards

    @api.model
    def _cards_lateness(self, day):
        """Penalties of half-years that are over and that nobody claimed yet: they are asked for once."""
        Lateness = self.env["health.lateness"]
        if not Lateness.has_access("write"):
            return []
        domain = Domain(
            [
                ("company_id", "in", self.env.companies.ids),
                ("state", "=", "counted"),
                ("period", "<", half_year(day)),
            ]
        )
        return [
            self._card(
                f"lateness-{payer.id}-{company.id}",
                self.env._("Late-payment penalties: %s", payer.name),
                self.env._("AMO shares paid after the working-day limit; the half-year is over."),
                company,
                count,
                self._act_window(
                    self.env._("Late payments"),
                    "health.lateness",
                    list(
                        domain
                        & Domain("payer_id", "=", payer.id)
                        & Domain("company_id", "=", company.id)
                    ),
                ),
                self.env._("Claim them"),
                amount=amount,
            )
            for payer, company, count, amount in Lateness._read_group(
                domain, ["payer_id", "company_id"], ["__count", "penalty:sum"]
            )
        ]
