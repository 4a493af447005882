from odoo import api, models
from odoo.fields import Domain

from odoo.addons.health_billing.tools import cents, format_cents

#: reasons that pass by themselves: there is nothing to do about them
WAITING = ("recent_contact", "payment_pending", "promise", "plan", "wrong_hour")
LATE_CONTEXT = {"search_default_group_patient": 1}


class HealthCockpit(models.AbstractModel):
    _inherit = "health.cockpit"

    @api.model
    def _overdue_domain(self, day):
        return Domain("company_id", "in", self.env.companies.ids) & Domain(
            self.env["health.share"]._dunning_domain(day)
        )

    @api.model
    def _figures(self, day):
        """Override of `health_billing`: what patients owe past its due date."""
        [(amount, patients)] = self.env["health.share"]._read_group(
            self._overdue_domain(day), [], ["amount_residual:sum", "partner_id:count_distinct"]
        )
        return [
            *super()._figures(day),
            {
                "code": "patients_overdue",
                "label": self.env._("Overdue, patients"),
                "value": format_cents(cents(amount)),
                "hint": self.env._("%s patients past their due date", patients),
            },
        ]

    @api.model
    def _cards_patients(self, day):
        """Override of `health_billing`: late patients, released or held; letters to print;
        refunds.
        """
        return [
            *super()._cards_patients(day),
            *self._cards_patients_late(day),
            *self._cards_patients_letters(),
            *self._cards_patients_overpaid(),
        ]

    @api.model
    def _late_window(self, name, domain):
        """The list of late shares with its reasons, grouped by patient."""
        views = [
            [self.env.ref("health_collections.view_share_late_list").id, "list"],
            [False, "form"],
        ]
        search = self.env.ref("health_collections.view_share_late_search").id
        return {
            **self._act_window(name, "health.share", list(domain), **LATE_CONTEXT),
            "views": views,
            "search_view_id": [search],
        }

    @api.model
    def _patient_card(self, key, company, **values):
        return {
            "key": f"{key}-{company.id}",
            "practitioner": company.name,
            "deadline": False,
            **values,
        }

    @api.model
    def _late_domain(self, day):
        """What is overdue and still on its scale: what is proposed for a hand-over has a card of its own."""
        proposed = (
            self.env["health.handover.line"]
            .sudo()
            .search(
                [
                    ("handover_id.state", "=", "proposed"),
                    ("company_id", "in", self.env.companies.ids),
                ]
            )
        )
        return self._overdue_domain(day) & Domain("id", "not in", proposed.share_id.ids)

    @api.model
    def _cards_patients_late(self, day):
        Share = self.env["health.share"]
        domain = self._late_domain(day)
        released, held = {}, {}
        for company, hold, count, patients, amount in Share._read_group(
            domain & Domain("dunning_hold", "not in", WAITING),
            ["company_id", "dunning_hold"],
            ["__count", "partner_id:count_distinct", "amount_residual:sum"],
        ):
            if hold:
                held.setdefault(company, []).append((hold, count, amount))
            else:
                released[company] = (patients, amount)
        cards = [
            self._patient_card(
                "patients-late",
                company,
                title=self.env._("Late, nothing stands in the way"),
                why=self.env._(
                    "The next step of the scale leaves by itself on its day; a call may do better."
                ),
                count=patients,
                amount=amount,
                action=self._late_window(
                    self.env._("Late patients"),
                    domain
                    & Domain("company_id", "=", company.id)
                    & Domain("dunning_hold", "=", False),
                ),
                button=self.env._("See the patients"),
            )
            for company, (patients, amount) in released.items()
        ]
        cards += [
            self._patient_card(
                "patients-held",
                company,
                title=self.env._("Late, reminder held back"),
                why=Share._dunning_count_text({hold: count for hold, count, _amount in groups}),
                count=sum(count for _hold, count, _amount in groups),
                amount=sum(amount for _hold, _count, amount in groups),
                action=self._late_window(
                    self.env._("Held back"),
                    domain
                    & Domain("company_id", "=", company.id)
                    & Domain("dunning_hold", "not in", (*WAITING, False)),
                ),
                button=self.env._("See why"),
            )
            for company, groups in held.items()
        ]
        return cards

    @api.model
    def _cards_patients_letters(self):
        Line = self.env["credit.control.line"]
        # whether a line is a letter hangs on the journal items it reminds of
        if not Line.has_access("read") or not self.env["account.move.line"].has_access("read"):
            return []
        return [
            self._patient_card(
                "patients-letters",
                company,
                title=self.env._("Letters to print"),
                why=self.env._("No e-mail address, or the e-mail did not go through."),
                count=count,
                amount=amount,
                action={
                    **self._act_window(
                        self.env._("Letters to print"),
                        "credit.control.communication",
                        [
                            ("company_id", "=", company.id),
                            *self.env["credit.control.communication"]._letters_domain(),
                        ],
                    ),
                    "views": [
                        [
                            self.env.ref("health_collections.view_communication_letter_list").id,
                            "list",
                        ],
                        [False, "form"],
                    ],
                },
                button=self.env._("Print"),
            )
            for company, count, amount in Line._read_group(
                [("company_id", "in", self.env.companies.ids), *Line._letters_domain()],
                ["company_id"],
                ["communication_id:count_distinct", "balance_due:sum"],
            )
        ]

    @api.model
    def _cards_patients_overpaid(self):
        Payment = self.env["account.payment"]
        if not Payment.has_access("read"):
            return []
        domain = Domain("company_id", "in", self.env.companies.ids) & Domain(
            Payment._health_overpaid_domain()
        )
        return [
            self._patient_card(
                "patients-overpaid",
                company,
                title=self.env._("Paid twice"),
                why=self.env._("Online payments that found nothing left to pay: give them back."),
                count=count,
                amount=amount,
                action=self._act_window(
                    self.env._("Paid twice"),
                    "account.payment",
                    list(domain & Domain("company_id", "=", company.id)),
                ),
                button=self.env._("See the payments"),
            )
            for company, count, amount in Payment._read_group(
                domain, ["company_id"], ["__count", "amount:sum"]
            )
        ]
