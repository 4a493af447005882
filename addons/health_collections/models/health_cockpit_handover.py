from odoo import api, models
from odoo.fields import Domain


class HealthCockpit(models.AbstractModel):
    _inherit = "health.cockpit"

    @api.model
    def _cards_patients(self, day):
        return [*super()._cards_patients(day), *self._cards_handover(day)]

    @api.model
    def _cards_deadlines(self, day):
        return [*super()._cards_deadlines(day), *self._cards_agency(day)]

    @api.model
    def _handover_steps(self, day):
        """(key, title, why, button, domain, sum) of what is to be done about files, by step."""
        steps = [
            (
                "agreed",
                self.env._("Packs to make"),
                self.env._(
                    "The practitioner agrees: make the pack and give it to the professional."
                ),
                self.env._("Hand over"),
                Domain("state", "=", "agreed"),
                "amount_left",
            ),
            (
                "news",
                self.env._("Handed over: ask where it stands"),
                self.env._("The professional said nothing for long, or a step is due."),
                self.env._("See the files"),
                Domain("state", "=", "handed") & Domain("deadline", "<=", day),
                "amount_left",
            ),
            (
                "returned",
                self.env._("Came back from the professional"),
                self.env._("Decide: another road, ours again, or a loss."),
                self.env._("Decide"),
                Domain("state", "=", "returned"),
                "amount_left",
            ),
            (
                "tell",
                self.env._("Paid directly: tell the professional"),
                self.env._("They must not ask for what was paid."),
                self.env._("See the files"),
                Domain("amount_to_tell", ">", 0) & Domain("pack_id", "!=", False),
                "amount_to_tell",
            ),
        ]
        if self.env.user.has_group("health_billing.group_manager"):
            steps[:0] = [
                (
                    "proposed",
                    self.env._("Hand-overs to approve"),
                    self.env._("The scale is at its end: approve or refuse."),
                    self.env._("Decide"),
                    Domain("state", "=", "proposed"),
                    "amount_left",
                ),
                (
                    "losses",
                    self.env._("Losses to approve"),
                    self.env._("Somebody asks to give up what is left."),
                    self.env._("Decide"),
                    Domain("loss_asked_on", "!=", False),
                    "amount_left",
                ),
            ]
        return steps

    @api.model
    def _cards_handover(self, day):
        Handover = self.env["health.handover"]
        if not Handover.has_access("write"):
            return []
        cards = []
        for key, title, why, button, domain, amount in self._handover_steps(day):
            domain &= Domain("company_id", "in", self.env.companies.ids)
            for company, count, total, deadline in Handover._read_group(
                domain, ["company_id"], ["__count", f"{amount}:sum", "deadline:min"]
            ):
                cards.append(
                    self._card(
                        f"handover-{key}-{company.id}",
                        title,
                        why,
                        company,
                        count,
                        self._act_window(
                            title,
                            "health.handover",
                            list(domain & Domain("company_id", "=", company.id)),
                        ),
                        button,
                        amount=total,
                        deadline=deadline if key == "news" else False,
                    )
                )
        return cards

    @api.model
    def _cards_agency(self, day):
        """The name of others needs papers that end."""
        if not self.env.user.has_group("health_billing.group_manager"):
            return []
        return [
            self._card(
                f"agency-{rank}",
                self.env._("Recovery in the agency's name"),
                why,
                record.company_id if record else self.env["res.company"],
                1,
                {
                    **self._act_window(
                        self.env._("Recovery in the agency's name"),
                        record._name,
                        [("id", "in", record.ids)],
                    ),
                    "res_id": record.id,
                    "views": [[False, "form"]],
                },
                self.env._("Renew"),
                deadline=last,
            )
            for rank, (record, why, last) in enumerate(
                self.env["health.agency.setup"]._lapsing(day)
            )
        ]
