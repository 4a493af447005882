from collections import Counter

from odoo import api, models

from odoo.addons.health_billing.tools import QUIET, cents, format_cents

from ..booking import Booking
from ..matching import Credit, Due, match, match_dues


class AccountBankStatementLine(models.Model):
    """The matching step: asks the pure matcher, books what it decides, gives the rest its reasons."""

    _inherit = "account.bank.statement.line"

    # -- matching ------------------------------------------------------------------------------------

    @api.model
    def _health_match(self, companies):
        """Match and book what can be, give every other credit its reason; safe to run at any time.

        :param companies: practitioners concerned
        :return: sentences for the summary, empty when there was nothing to look at
        """
        companies = companies.filtered("health_provider_no")
        self = self.with_context(allowed_company_ids=(companies | self.env.companies).ids, **QUIET)
        linked = self.env["health.settlement.line"]._link_waiting(companies)
        queue = self.search(
            [
                ("company_id", "in", companies.ids),
                ("health_match_state", "=", "queue"),
                ("health_hold", "=", False),
            ]
        )
        settlements = self.env["health.settlement"].search(
            [("company_id", "in", companies.ids), ("state", "=", "announced")]
        )
        bookings, reasons, candidates = queue._health_decide(settlements)
        refused = self._health_book(bookings)
        reasons |= refused
        queue._health_note_queue(reasons, candidates)
        self.env.flush_all()  # recomputed here, where no note is written
        return self._health_summary(
            [booking for booking in bookings if booking.credits.ids[0] not in refused],
            linked,
            reasons,
        )

    def _health_note_queue(self, reasons, candidates):
        """Write what is missing on the credits left, only where it changed."""
        changed, pairs = self.browse(), []
        for line in self:
            reason = reasons.get(line.id, False)
            if (line.health_queue_reason or False) != reason:
                line.health_queue_reason = reason
            wanted = candidates.get(line.id, []) if reason else []
            if line.health_candidate_ids.ids != sorted(wanted):
                changed += line
                pairs += [(line.id, settlement) for settlement in wanted]
        if changed:
            changed._health_set_pairs("health_candidate_ids", pairs)

    def _health_decide(self, settlements):
        """Ask the pure matcher about these credits.

        :return: (bookings, dict of credit id → reason, dict of credit id → ids of settlements to choose from)
        """
        credits = [
            Credit(
                id=line.id,
                payee=line.company_id.id,
                date=line.date,
                amount_cents=cents(line.amount),
                label=line.payment_ref or "",
                counterparty=line.partner_name or "",
                reference=line.ref or "",
            )
            for line in self
        ]
        payer_names = self._health_payer_names() if credits else ()
        result = match(settlements._matcher_values(), credits, payer_names)
        by_id = {line.id: line for line in self}
        bookings = [
            Booking(
                by_id[decision.credit_ids[0]],
                settlements.browse(decision.settlement_ids),
                rule=decision.rule,
                evidence=decision.evidence,
                runner_up=decision.runner_up,
            )
            for decision in result.decisions
        ]
        left = {unmatched.id: unmatched for unmatched in result.unmatched_credits}
        rest = [
            credit for credit in credits if credit.id in left and not left[credit.id].candidate_ids
        ]
        for decision in match_dues(self._health_dues(rest), rest, payer_names):
            credit = by_id[decision.credit_ids[0]]
            share = self.env["health.share"].browse(decision.settlement_ids)
            bookings.append(
                Booking(credit, settlements.browse(), share, decision.rule, decision.evidence)
            )
            del left[credit.id]
        return (
            bookings,
            {key: unmatched.reason for key, unmatched in left.items()},
            {key: list(unmatched.candidate_ids) for key, unmatched in left.items()},
        )

    @api.model
    def _health_payer_names(self):
        """Every name under which a payer may appear at the bank."""
        payers = self.env["res.partner"].search_fetch(
            [("health_kind", "in", ("amo", "amc"))], ["name", "health_bank_names"]
        )
        return {
            name.strip()
            for payer in payers
            for name in [payer.name or "", *(payer.health_bank_names or "").splitlines()]
            if name.strip()
        }

    @api.model
    def _health_dues(self, credits):
        """What patients owe the practitioners of these credits."""
        shares = self.env["health.share"]
        if credits:
            shares = shares.search(
                [
                    ("company_id", "in", list({credit.payee for credit in credits})),
                    ("debtor_kind", "=", "patient"),
                    ("state", "in", ("due", "partial")),
                ]
            )
        return [
            Due(
                id=share.id,
                payee=share.company_id.id,
                references=tuple(filter(None, [share.fse_id.name, share.move_id.name])),
                amount_cents=cents(share.amount_residual),
            )
            for share in shares
        ]

    @api.model
    def _health_summary(self, booked, linked, reasons):
        sentences = []
        if booked:
            labels = dict(self._fields["health_match_rule"]._description_selection(self.env))
            rules = Counter(labels[booking.rule] for booking in booked)
            sentences.append(
                self.env._(
                    "%(count)s bank credit(s) explained (%(amount)s): %(rules)s.",
                    count=len(booked),
                    amount=format_cents(sum(booking.received for booking in booked)),
                    rules=", ".join(f"{rule} {count}" for rule, count in rules.most_common()),
                )
            )
        if linked:
            sentences.append(self.env._("%s part(s) found their FSE.", len(linked)))
        if reasons:
            sentences.append(
                self.env._(
                    "%(count)s credit(s) wait for a person (%(amount)s).",
                    count=len(reasons),
                    amount=format_cents(
                        sum(cents(line.amount) for line in self.browse(list(reasons)))
                    ),
                )
            )
        return sentences
