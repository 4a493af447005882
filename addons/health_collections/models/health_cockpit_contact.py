from odoo import api, models
from odoo.fields import Domain

#: what waits for a person: code, channels, states
LANES = {
    "calls": (("phone",), ("planned",)),
    "registered": (("registered", "e_registered"), ("planned",)),
    "failed": (("email", "sms", "phone", "registered", "e_registered"), ("failed",)),
}


class HealthCockpit(models.AbstractModel):
    _inherit = "health.cockpit"

    @api.model
    def _cards_patients(self, day):
        """Override: calls to make, registered letters to post, what did not arrive."""
        return [*super()._cards_patients(day), *self._cards_contacts(day)]

    @api.model
    def _contact_domain(self, lane, day):
        channels, states = LANES[lane]
        domain = (
            Domain("company_id", "in", self.env.companies.ids)
            & Domain("direction", "=", "out")
            & Domain("channel", "in", channels)
            & Domain("state", "in", states)
        )
        if lane == "calls":
            domain &= Domain("day", "<=", day)
        if lane == "failed":
            # looked at, or owed no more: nothing to do about it
            domain &= Domain("is_seen", "=", False) & Domain(
                "share_ids.state", "in", ("due", "partial", "disputed")
            )
        return domain

    @api.model
    def _cards_contacts(self, day):
        Contact = self.env["health.contact"]
        if not Contact.has_access("write"):
            return []
        texts = {
            "calls": (
                self.env._("Calls to make"),
                self.env._("The call sheet says why, how much and what may be offered."),
                self.env._("Call"),
            ),
            "registered": (
                self.env._("Registered letters to send"),
                self.env._("To print and post, or to give to the carrier."),
                self.env._("See the letters"),
            ),
            "failed": (
                self.env._("Messages that did not arrive"),
                self.env._(
                    "Wrong address or number, refused text: correct it or choose another way."
                ),
                self.env._("See why"),
            ),
        }
        cards = []
        for lane, (title, why, button) in texts.items():
            domain = self._contact_domain(lane, day)
            for company, count, amount in Contact._read_group(
                domain, ["company_id"], ["__count", "amount:sum"]
            ):
                cards.append(
                    self._patient_card(
                        f"contacts-{lane}",
                        company,
                        title=title,
                        why=why,
                        count=count,
                        amount=amount,
                        action=self._act_window(
                            title,
                            "health.contact",
                            list(domain & Domain("company_id", "=", company.id)),
                        ),
                        button=button,
                    )
                )
        return cards
