from odoo import api, models
from odoo.fields import Domain


class HealthCockpit(models.AbstractModel):
    _inherit = "health.cockpit"

    @api.model
    def _cards_patients(self, day):
        """Override: who cannot be written to, and reminders that keep off."""
        return [
            *self._cards_other_followup(),
            *super()._cards_patients(day),
            *self._cards_without_address(),
        ]

    @api.model
    def _cards_other_followup(self):
        problem = self.env["res.company"]._health_other_followup()
        if not problem:
            return []
        return [
            {
                "key": "patients-other-followup",
                "practitioner": "",
                "deadline": False,
                "title": self.env._("Reminders keep off"),
                "why": problem,
                "count": 1,
                "amount": 0,
                "action": {
                    **self._act_window(
                        self.env._("Reminder scales"),
                        "credit.control.policy",
                        [("health_debtor_kind", "!=", False), ("company_id", "!=", False)],
                    ),
                    "views": [
                        [self.env.ref("health_collections.view_policy_list").id, "list"],
                        [self.env.ref("health_collections.view_policy_form").id, "form"],
                    ],
                },
                "button": self.env._("See the scales"),
            }
        ]

    @api.model
    def _cards_without_address(self):
        """Letters wait for people whose address nobody knows: they stop the scale there."""
        Line = self.env["credit.control.line"]
        read = ("credit.control.line", "credit.control.communication", "account.move.line")
        if not all(self.env[model].has_access("read") for model in read):
            return []
        domain = Domain(Line._letters_domain()) & Domain(
            "communication_id.partner_id.city", "=", False
        )
        cards = []
        for company, people, amount in Line._read_group(
            domain & Domain("company_id", "in", self.env.companies.ids),
            ["company_id"],
            ["communication_id:array_agg", "balance_due:sum"],
        ):
            debtors = self.env["credit.control.communication"].browse(people).partner_id
            cards.append(
                self._patient_card(
                    "patients-no-address",
                    company,
                    title=self.env._("No way to write to them"),
                    why=self.env._(
                        "Neither a working e-mail address nor a postal one: ask for them at the "
                        "next visit. The reminders wait."
                    ),
                    count=len(debtors),
                    amount=amount,
                    action=self._act_window(
                        self.env._("No way to write to them"),
                        "res.partner",
                        [("id", "in", debtors.ids)],
                    ),
                    button=self.env._("Complete the addresses"),
                )
            )
        return cards
