from datetime import timedelta

from odoo import api, models


class HealthCockpit(models.AbstractModel):
    _inherit = "health.cockpit"

    @api.model
    def _figures(self, day):
        figures = super()._figures(day)
        domain = [
            ("company_id", "in", self.env.companies.ids),
            ("health_match_state", "in", ("queue", "matched")),
        ]
        counts = dict(
            self.env["account.bank.statement.line"]
            .sudo()
            ._read_group(domain, ["health_match_state"], ["__count"])
        )
        matched = counts.get("matched", 0)
        figures.append(
            {
                "code": "explained",
                "label": self.env._("Credits explained"),
                "value": f"{matched} / {sum(counts.values())}",
                "hint": self.env._("bank credits reconciled with named shares, to the cent"),
            }
        )
        return figures

    @api.model
    def _cards_cash(self, day):
        return (
            super()._cards_cash(day)
            + self._cards_credits()
            + self._cards_not_received(day)
            + self._cards_problems()
        )

    @api.model
    def _cards_credits(self):
        """Credits to explain: one card per practitioner."""
        Line = self.env["account.bank.statement.line"]
        if not Line.has_access("read"):
            return []
        domain = [
            ("company_id", "in", self.env.companies.ids),
            ("health_match_state", "=", "queue"),
        ]
        may_match = self.env.user.has_group("health_billing.group_biller")
        return [
            {
                "key": f"credits-{company.id}",
                "title": self.env._("Bank credits to explain"),
                "why": self.env._(
                    "Nothing announced proves what they pay; each tells what is missing."
                ),
                "practitioner": company.name,
                "count": count,
                "amount": amount,
                "deadline": False,
                "action": Line._health_match_action(company)
                if may_match
                else Line._health_credit_action(
                    self.env._("Bank credits to explain"),
                    domain + [("company_id", "=", company.id)],
                ),
                "button": self.env._("Explain"),
            }
            for company, count, amount in Line._read_group(
                domain, ["company_id"], ["__count", "amount:sum"]
            )
        ]

    @api.model
    def _cards_not_received(self, day):
        """Transfers announced, and still not on the bank."""
        wait = self.env["health.parameter"].value_of("settlement_wait_days")
        domain = [
            ("company_id", "in", self.env.companies.ids),
            ("state", "=", "announced"),
            ("transfer_date", "<", day - timedelta(days=wait)),
        ]
        return [
            {
                "key": f"not-received-{company.id}-{payer.id}",
                "title": self.env._(
                    "Announced, not received: %s", payer.name or self.env._("unknown payer")
                ),
                "why": self.env._(
                    "The payer announced it more than %s days ago: ask for its trace.", wait
                ),
                "practitioner": company.name,
                "count": count,
                "amount": amount,
                "deadline": False,
                "action": self._act_window(
                    self.env._("Announced, not received"),
                    "health.settlement",
                    domain + [("company_id", "=", company.id), ("payer_id", "=", payer.id)],
                ),
                "button": self.env._("See the settlements"),
            }
            for company, payer, count, amount in self.env["health.settlement"]._read_group(
                domain, ["company_id", "payer_id"], ["__count", "amount_expected:sum"]
            )
        ]

    @api.model
    def _cards_problems(self):
        """Parts paid otherwise than billed, or received for an FSE that is not recorded: by kind."""
        labels = dict(
            self.env["health.settlement.line"]._fields["problem"]._description_selection(self.env)
        )
        domain = [
            ("company_id", "in", self.env.companies.ids),
            "|",
            ("problem", "in", ("short", "over", "paid_twice", "negative")),
            "&",
            ("problem", "in", ("unknown_fse", "no_share")),
            ("move_line_id", "!=", False),
        ]
        lines = self.env["health.settlement.line"].search(domain)
        cards = []
        for (company, problem), found in lines.grouped(
            lambda line: (line.company_id, line.problem)
        ).items():
            amount = sum(
                line.share_residual if line.problem == "short" else abs(line.paid - line._owed())
                for line in found
            )
            cards.append(
                {
                    "key": f"problem-{problem}-{company.id}",
                    "title": labels[problem],
                    "why": found[0].problem_text,
                    "practitioner": company.name,
                    "count": len(found),
                    "amount": amount,
                    "deadline": False,
                    "action": self._act_window(
                        labels[problem],
                        "health.settlement.line",
                        domain + [("company_id", "=", company.id), ("problem", "=", problem)],
                    ),
                    "button": self.env._("See the parts"),
                }
            )
        return cards

    @api.model
    def _cards_rejects(self, day):
        """Rejections to fix, one card per cause, payer and practitioner."""
        if not self.env["health.rejection"].has_access("read"):
            return super()._cards_rejects(day)
        domain = [("company_id", "in", self.env.companies.ids), ("state", "=", "open")]
        return super()._cards_rejects(day) + [
            {
                "key": f"reject-{family.id}-{payer.id}-{company.id}",
                "title": f"{family.name} · {payer.name}",
                "why": family.procedure or "",
                "practitioner": company.name,
                "count": count,
                "amount": amount,
                "deadline": False,
                "action": self._act_window(
                    self.env._("Rejections"),
                    "health.rejection",
                    domain
                    + [
                        ("family_id", "=", family.id),
                        ("partner_id", "=", payer.id),
                        ("company_id", "=", company.id),
                    ],
                ),
                "button": self.env._("Fix"),
            }
            for family, payer, company, count, amount in self.env["health.rejection"]._read_group(
                domain, ["family_id", "partner_id", "company_id"], ["__count", "amount:sum"]
            )
        ]

    @api.model
    def _cards_silent(self, day):
        """Parts sent for longer than the payer's usual delay without any answer, one card per payer."""
        cards = super()._cards_silent(day)
        for kind in ("amo", "amc"):
            delay = self.env["health.parameter"].value_of(f"{kind}_return_days")
            domain = [
                ("company_id", "in", self.env.companies.ids),
                ("debtor_kind", "=", kind),
                ("state", "=", "sent"),
                ("sent_on", "<", day - timedelta(days=delay)),
            ]
            for payer, companies, count, amount, first in self.env["health.share"]._read_group(
                domain,
                ["partner_id"],
                ["company_id:recordset", "__count", "amount_residual:sum", "sent_on:min"],
            ):
                cards.append(
                    {
                        "key": f"silent-{payer.id}",
                        "title": self.env._("No answer: %s", payer.name),
                        "why": self.env._(
                            "Sent for more than %(days)s days without payment nor rejection, since %(first)s.",
                            days=delay,
                            first=first.strftime("%d/%m/%Y"),
                        ),
                        "practitioner": ", ".join(companies.mapped("name")),
                        "count": count,
                        "amount": amount,
                        "deadline": False,
                        "action": self._act_window(
                            self.env._("No answer"),
                            "health.share",
                            domain + [("partner_id", "=", payer.id)],
                        ),
                        "button": self.env._("Chase the payer"),
                    }
                )
        return cards

    @api.model
    def _cards_indus(self, day):
        """Money that payers withheld: one card per payer and practitioner."""
        domain = [("company_id", "in", self.env.companies.ids), ("kind", "=", "retention")]
        return super()._cards_indus(day) + [
            {
                "key": f"retention-{company.id}-{payer.id}",
                "title": self.env._("Withheld by %s", payer.name or self.env._("unknown payer")),
                "why": self.env._(
                    "Check the debt; an overpayment claim is contested within two months."
                ),
                "practitioner": company.name,
                "count": count,
                "amount": amount,
                "deadline": False,
                "action": self._act_window(
                    self.env._("Retentions"),
                    "health.settlement.movement",
                    domain + [("company_id", "=", company.id), ("payer_id", "=", payer.id)],
                ),
                "button": self.env._("See the retentions"),
            }
            for company, payer, count, amount in self.env["health.settlement.movement"]._read_group(
                domain, ["company_id", "payer_id"], ["__count", "amount:sum"]
            )
        ]
