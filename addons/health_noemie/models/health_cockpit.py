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
        """Rejections to fix: one card per cause and payer, whoever the practitioners are."""
        Lane = self.env["health.rejection.lane"]
        if not Lane.has_access("read"):
            return super()._cards_rejects(day)
        lanes = Lane.search([("company_id", "in", self.env.companies.ids)])
        who = dict(
            self.env["health.reject.family"]._fields["fixed_by"]._description_selection(self.env)
        )
        may_fix = self.env["health.rejection"].has_access("write")
        fix = may_fix and self.env["ir.actions.actions"]._for_xml_id(
            "health_noemie.action_fix_lanes"
        )
        cards = super()._cards_rejects(day)
        for (family, payer), group in lanes.grouped(
            lambda lane: (lane.family_id, lane.partner_id)
        ).items():
            limit = min(filter(None, group.mapped("forclusion_date")), default=False)
            action = (
                {**fix, "context": {"active_model": Lane._name, "active_ids": group.ids}}
                if may_fix
                else self._act_window(family.name, "health.rejection", group._open_domain())
            )
            cards.append(
                {
                    "key": f"reject-{family.id}-{payer.id}",
                    "title": f"{family.name} · {payer.name}",
                    "why": " · ".join(
                        filter(
                            None,
                            [
                                self.env._("%s rejection(s)", sum(group.mapped("count"))),
                                who.get(family.fixed_by),
                                family.procedure,
                            ],
                        )
                    ),
                    "practitioner": ", ".join(group.company_id.mapped("name")),
                    "count": sum(group.mapped("count")),
                    "amount": sum(group.mapped("amount")),
                    "deadline": limit and limit - timedelta(days=1),
                    "action": action,
                    "button": family._button() if may_fix else self.env._("See"),
                }
            )
        return cards

    @api.model
    def _cards_to_complete(self, day):
        """What rejections teach: codes to classify, controls to decide."""
        cards = super()._cards_to_complete(day)
        for source in ("health.reject.code", "health.reject.watch"):
            if self.env[source].has_access("read"):
                cards += self.env[source]._cockpit_cards("to_complete", day)
        return cards

    @api.model
    def _cards_silent(self, day):
        """Shares that the night found silent: one card per payer and practitioner, with their age."""
        # what stands on a list of its payer has the card of that list
        domain = [
            ("company_id", "in", self.env.companies.ids),
            ("state", "=", "silent"),
            *self.env["health.share"]._unchased_domain(),
        ]
        return super()._cards_silent(day) + [
            {
                "key": f"silent-{payer.id}-{company.id}",
                "title": self.env._("No answer: %s", payer.name),
                "why": self.env._(
                    "Neither payment nor rejection after this payer's usual delay; the oldest left %s days ago.",
                    (day - first).days,
                ),
                "practitioner": company.name,
                "count": count,
                "amount": amount,
                "deadline": limit and limit - timedelta(days=1),
                "action": self._act_window(
                    self.env._("No answer"),
                    "health.share",
                    domain + [("partner_id", "=", payer.id), ("company_id", "=", company.id)],
                ),
                "button": self.env._("Chase the payer"),
            }
            for payer, company, count, amount, first, limit in self.env["health.share"]._read_group(
                domain,
                ["partner_id", "company_id"],
                ["__count", "amount_residual:sum", "sent_on:min", "forclusion_date:min"],
            )
        ]

    @api.model
    def _cards_indus(self, day):
        """Overpayments that payers claim back, by next step, with their clock."""
        return super()._cards_indus(day) + self.env["health.indu"]._cockpit_cards("indus", day)
