from collections import defaultdict
from datetime import date, timedelta

from odoo import api, models
from odoo.fields import Domain

from ..tools import cents, format_cents
from .health_share import CLOSED

#: models that bring their own cards: a method ``_cockpit_cards(lane, day)`` that returns a list of cards
SOURCES = (
    "health.fse",
    "health.coverage",
    "health.prescription",
    "health.prior.agreement",
    "health.question",
    "health.ngap.value",
    "sale.order",
)
#: so many cards of one kind still stand side by side, one per practitioner
ALIKE = 2
LANES = ("deadlines", "cash", "rejects", "silent", "patients", "indus", "to_complete")


class HealthCockpit(models.AbstractModel):
    """The one question on opening the product: what must I do now?

    Nothing is stored: each addon reads the facts and adds its cards to a lane, one card for many alike
    cases. A card is a dict: key, title, why, practitioner, count, amount (euros), deadline (date or False),
    action (window action), button.
    """

    _name = "health.cockpit"
    _description = "Cockpit"

    @api.model
    def data(self):
        """What the cockpit shows for the practitioners that the user has selected."""
        self.check_access_cockpit()
        day = self.env["health.cycle"].last_day()
        lanes = []
        for lane in LANES:
            cards = getattr(self, f"_cards_{lane}")(day)
            for source in SOURCES:
                # the accountant sees the money, and no card of what they may not open
                if self.env[source].has_access("read"):
                    cards += self.env[source]._cockpit_cards(lane, day)
            cards = self._gather(cards)
            cards.sort(key=lambda card: self._rank(card, day))
            lanes.append(
                {
                    "code": lane,
                    "label": self._lane_labels()[lane],
                    "empty": self._lane_empty()[lane],
                    "count": sum(card["count"] for card in cards),
                    "amount": self._lane_amount(cards),
                    "cards": [self._present(card, day) for card in cards],
                }
            )
        last = self.env["health.cycle"].sudo().search([], limit=1, order="date desc, id desc")
        return {
            "day": day.isoformat(),
            "figures": self._figures(day),
            "lanes": lanes,
            "night": {"ok": last.is_ok, "report": last.report or ""} if last else False,
            "practitioners": len(self.env.companies.filtered("health_provider_no")),
            "may_ingest": self.env["health.inbox"].has_access("create"),
        }

    @api.model
    def _gather(self, cards):
        """One card instead of many that say the same for several practitioners."""
        kinds = defaultdict(list)
        for card in cards:
            action = card["action"]
            is_list = bool(action.get("domain")) and not action.get("res_id")
            kinds[(card["title"], action.get("res_model")) if is_list else card["key"]].append(card)
        gathered = []
        for alike in kinds.values():
            if len(alike) <= ALIKE:
                gathered += alike
                continue
            first = min(alike, key=lambda card: (card["deadline"] or date.max, -card["amount"]))
            names = list(dict.fromkeys(card["practitioner"] for card in alike))
            why = first["why"]
            if len({card["why"] for card in alike}) > 1:
                why = self.env._("First %(who)s: %(why)s", who=first["practitioner"], why=why)
            domain = Domain.OR([card["action"]["domain"] for card in alike])
            gathered.append(
                {
                    **first,
                    "why": why,
                    "practitioner": ", ".join(filter(None, names)),
                    "count": sum(card["count"] for card in alike),
                    "amount": sum(card["amount"] for card in alike),
                    "action": {**first["action"], "domain": list(domain)},
                }
            )
        return gathered

    @api.model
    def _lane_amount(self, cards):
        total = sum(cents(card["amount"]) for card in cards)
        return format_cents(total) if total else ""

    @api.model
    def check_access_cockpit(self):
        """Refuse whoever has no part in the agency's work."""
        self.env["health.share"].check_access("read")

    @api.model
    def _lane_labels(self):
        return {
            "deadlines": self.env._("Deadlines"),
            "cash": self.env._("Money received"),
            "rejects": self.env._("Rejections"),
            "silent": self.env._("Silent"),
            "patients": self.env._("Patients"),
            "indus": self.env._("Indus"),
            "to_complete": self.env._("To complete"),
        }

    @api.model
    def _lane_empty(self):
        return {
            "deadlines": self.env._("No claim expires within 90 days."),
            "cash": self.env._("Every bank credit is explained."),
            "rejects": self.env._("No rejection waits."),
            "silent": self.env._("Every payer answers within its usual delay."),
            "patients": self.env._("No patient is late."),
            "indus": self.env._("No fund takes money back."),
            "to_complete": self.env._("Nothing is missing."),
        }

    @api.model
    def _rank(self, card, day):
        """A deadline within ten working days comes first, then the most euros."""
        deadline = card["deadline"]
        urgent = bool(deadline) and deadline <= day + timedelta(days=14)
        return (not urgent, deadline if urgent else day, -card["amount"], card["title"])

    @api.model
    def _present(self, card, day):
        deadline = card["deadline"]
        return {
            **card,
            "amount": format_cents(cents(card["amount"])) if card["amount"] else "",
            "deadline": deadline.strftime("%d/%m/%Y") if deadline else "",
            "is_urgent": bool(deadline) and deadline <= day + timedelta(days=14),
        }

    @api.model
    def _card(self, key, title, why, company, count, action, button, amount=0.0, deadline=False):
        """One card; ``company`` may be empty or several, then it names nobody."""
        return {
            "key": key,
            "title": title,
            "why": why,
            "practitioner": company.name if len(company) == 1 else "",
            "count": count,
            "amount": amount,
            "deadline": deadline,
            "action": action,
            "button": button,
        }

    @api.model
    def _card_of(self, key, title, why, records, button, deadline=False):
        """One card of many alike records of one practitioner, which it opens."""
        company = records.company_id[:1]
        action = self._act_window(title, records._name, [("id", "in", records.ids)])
        return self._card(
            f"{key}-{company.id}",
            title,
            why,
            company,
            len(records),
            action,
            button,
            deadline=deadline,
        )

    @api.model
    def _act_window(self, name, model, domain, **context):
        """A window action that opens what a card speaks of."""
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "views": [[False, "list"], [False, "form"]],
            "domain": domain,
            "context": context,
            "target": "current",
        }

    @api.model
    def _figures(self, day):
        """Figures of the header: list of dict(code, label, value, hint)."""
        company_domain = [("company_id", "in", self.env.companies.ids)]
        [(open_amount,)] = self.env["health.share"]._read_group(
            company_domain + [("state", "not in", ("draft", *CLOSED))], [], ["amount_residual:sum"]
        )
        # a count and a sum of one's own practitioners: the accountant opens no claim, but may add them up
        [(sent_count, sent_amount)] = (
            self.env["health.fse"]
            .sudo()
            ._read_group(
                company_domain
                + [
                    ("fse_date", ">", day - timedelta(days=30)),
                    ("fse_date", "<=", day),
                    # care billed again under another number is billed once
                    ("replaced_by_ids", "=", False),
                ],
                [],
                ["__count", "amount_total:sum"],
            )
        )
        [(paid,)] = self.env["health.share"]._read_group(
            company_domain + [("state", "=", "paid")], [], ["amount:sum"]
        )
        return [
            {
                "code": "billed",
                "label": self.env._("Billed, 30 days"),
                "value": format_cents(cents(sent_amount)),
                "hint": self.env._("%s FSE", sent_count),
            },
            {
                "code": "paid",
                "label": self.env._("Received"),
                "value": format_cents(cents(paid)),
                "hint": self.env._("proven by a payment"),
            },
            {
                "code": "open",
                "label": self.env._("Still due"),
                "value": format_cents(cents(open_amount)),
                "hint": self.env._("all debtors together"),
            },
        ]

    # -- lanes ---------------------------------------------------------------------------------------

    @api.model
    def _cards_deadlines(self, day):
        """What is lost if nobody claims it in time."""
        if not self.env["health.fse"].has_access("read"):
            return []
        return self.env["health.forclusion"]._cards(day)

    @api.model
    def _cards_to_complete(self, day):
        """Files and rows that wait for a person, and payers known by their number only."""
        cards = []
        if not self.env["health.inbox"].has_access("write"):
            return cards
        files = self.env["health.inbox"].search(
            [("state", "=", "review"), ("company_id", "in", [*self.env.companies.ids, False])]
        )
        for inbox in files:
            issues = inbox.open_issue_count
            if inbox.issue_ids and not issues:
                continue
            cards.append(
                {
                    "key": f"inbox-{inbox.id}",
                    "title": inbox.filename,
                    "why": self.env._("%s row(s) were not recorded.", issues)
                    if issues
                    else (inbox.message or "").split("\n")[0],
                    "practitioner": inbox.company_id.name or "",
                    "count": issues or 1,
                    "amount": 0.0,
                    "deadline": False,
                    "action": {
                        **self._act_window(
                            self.env._("Received files"), "health.inbox", [("id", "=", inbox.id)]
                        ),
                        "res_id": inbox.id,
                        "views": [[False, "form"]],
                    },
                    "button": self.env._("Look at the file"),
                }
            )
        payers = self.env["res.partner"].search_count([("health_to_complete", "=", True)])
        if payers:
            cards.append(
                {
                    "key": "payers",
                    "title": self.env._("Payers without a name"),
                    "why": self.env._("Known by their number only: name and address are missing."),
                    "practitioner": "",
                    "count": payers,
                    "amount": 0.0,
                    "deadline": False,
                    "action": self._act_window(
                        self.env._("Payers"), "res.partner", [("health_to_complete", "=", True)]
                    ),
                    "button": self.env._("Complete"),
                }
            )
        return cards

    @api.model
    def _cards_cash(self, day):
        return []

    @api.model
    def _cards_rejects(self, day):
        return []

    @api.model
    def _cards_silent(self, day):
        return []

    @api.model
    def _cards_patients(self, day):
        return []

    @api.model
    def _cards_indus(self, day):
        return []
