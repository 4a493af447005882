from collections import Counter
from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.health_billing.tools import QUIET, cents, format_cents

from ..booking import Booking
from ..matching import Credit, OpenShare, Settled, match
from ..matching import labels as text

#: shares that no transfer can pay: not sent, announced by a return, or closed otherwise
NOT_OPEN = (
    "draft",
    "to_send",
    "announced",
    "paid",
    "rejected",
    "arl_refused",
    "replaced",
    "written_off",
    "disputed",
)


class AccountBankStatementLine(models.Model):
    """The matching step: asks the pure matcher, books what it decides, gives the rest its reasons."""

    _inherit = "account.bank.statement.line"

    @api.model
    def _health_match(self, companies):
        """Match and book what can be, give every other credit its reason; safe to run at any time.

        :param companies: practitioners concerned
        :return: sentences for the summary, empty when there was nothing to look at
        """
        companies = companies.filtered("health_provider_no")
        self = self.with_context(allowed_company_ids=(companies | self.env.companies).ids, **QUIET)
        linked = self.env["health.settlement.line"]._link_waiting(companies)
        settlements = self.env["health.settlement"].search(
            [("company_id", "in", companies.ids), ("state", "=", "announced")]
        )
        adopted = settlements._adopt_credits()
        open_lines, settled = self._health_movements(companies)
        looked_at = open_lines.filtered(lambda line: not line.health_hold)
        if not looked_at:
            return self._health_summary([], linked, adopted, self)
        result = match(
            (settlements - adopted)._matcher_values(),
            [Credit(**line._health_matcher_values()) for line in open_lines],
            self._health_payer_names(),
            self._health_open_shares(open_lines.company_id),
            settled._health_settled_values(),
        )
        held = set((open_lines - looked_at).ids)
        bookings = [
            Booking(
                self.browse(decision.credit_ids),
                settlements.browse(decision.settlement_ids),
                self.env["health.share"].browse(decision.share_ids),
                decision.rule,
                decision.evidence,
                decision.runner_up,
            )
            for decision in result.decisions
            # a movement that a person took in hand still stands in the way of other readings
            if held.isdisjoint(decision.credit_ids)
        ]
        refused = self._health_book(bookings)
        booked = [booking for booking in bookings if booking.credits.ids[0] not in refused]
        reversed_ = self._health_reverse(
            [r for r in result.reversals if r.debit_id not in held and r.credit_id not in held]
        )
        looked_at._health_note_queue(result, refused)
        self.env.flush_all()  # recomputed here, where no note is written
        taken = companies._health_take_receipts()
        waiting = looked_at.filtered(lambda line: line.health_match_state == "queue")
        return self._health_summary(booked, linked, adopted, waiting, reversed_) + taken

    # -- what the matcher is told --------------------------------------------------------------------

    @api.model
    def _health_movements(self, companies):
        """Movements still to explain (debits of late, too), and those explained already."""
        ours = Domain("company_id", "in", companies.ids)
        queue = self.search(ours & Domain("health_match_state", "=", "queue"))
        newest = self.search(ours, order="date desc", limit=1).date
        if not newest:
            return queue, self
        days = self.env["health.parameter"].value_of("match_context_days")
        late = ours & Domain("date", ">=", newest - timedelta(days=days))
        debits = self.search(
            late
            & Domain("amount", "<", 0)
            & Domain("health_match_state", "=", False)
            & Domain("is_reconciled", "=", False)
        )
        settled = self.search(late & Domain("health_match_state", "=", "matched"))
        return queue | debits, settled

    def _health_matcher_values(self):
        self.ensure_one()
        return {
            "id": self.id,
            "payee": self.company_id.id,
            "date": self.date,
            "amount_cents": cents(self.amount),
            "label": self.payment_ref or "",
            "counterparty": self.partner_name or "",
            "reference": self.ref or "",
            "source": self.statement_id.name or "",
        }

    def _health_settled_values(self):
        """Explained movements as the matcher takes them."""
        values = []
        for line in self:
            settlements = line.health_settlement_ids
            references = {
                number
                for settlement in settlements
                for number in text.references(
                    (settlement.label1 or "", settlement.label2 or ""),
                    settlement._common_numbers(),
                    settlement.transfer_date,
                )
            }
            values.append(
                Settled(
                    **line._health_matcher_values(),
                    references=tuple(sorted(references)),
                    announced=bool(settlements),
                )
            )
        return values

    @api.model
    def _health_payer_names(self):
        """Every name under which a payer may appear at the bank."""
        return {name for _payer, name in self._health_payer_pairs()}

    @api.model
    def _health_open_shares(self, companies):
        """What patients and complementary insurers owe these practitioners and no return announces.

        A fund (AMO) always announces what it pays: its credits wait for their return.
        """
        Share = self.env["health.share"]
        # read as plain rows: there are thousands of them at every file received
        self.env.flush_all()
        query = Share._search(
            [
                ("company_id", "in", companies.ids),
                ("state", "not in", NOT_OPEN),
                ("amount_residual", ">", 0),
            ],
            order=Share._order,
        )
        fse = query.left_join(query.table, "fse_id", "health_fse", "id", "fse_id")
        move = query.left_join(query.table, "move_id", "account_move", "id", "move_id")
        columns = [
            *(
                SQL.identifier(query.table, name)
                for name in ("id", "company_id", "partner_id", "debtor_kind")
            ),
            SQL.identifier(query.table, "amount_residual"),
            SQL.identifier(query.table, "announced_amount"),
            SQL(
                "COALESCE(%s, %s)",
                SQL.identifier(query.table, "sent_on"),
                SQL.identifier(query.table, "fse_date"),
            ),
            SQL.identifier(fse, "name"),
            SQL.identifier(fse, "lot_no"),
            SQL.identifier(move, "name"),
        ]
        rows = [row for row in self.env.execute_query(query.select(*columns)) if not row[5]]
        names = {}
        for partner in self.env["res.partner"].browse({row[2] for row in rows}):
            known = [] if partner.health_to_complete else [partner.name or ""]
            known += (partner.health_bank_names or "").splitlines()
            names[partner.id] = tuple(name.strip() for name in known if name.strip())
        return [
            OpenShare(
                id=share,
                payee=company,
                payer_key=partner,
                payer_names=names[partner],
                references=tuple(filter(None, (number, invoice, lot and f"LOT {lot}"))),
                amount_cents=cents(residual),
                date=day,
                kind=kind,
            )
            for share, company, partner, kind, residual, _said, day, number, lot, invoice in rows
        ]

    # -- what it answers -----------------------------------------------------------------------------

    def _health_note_queue(self, result, refused):
        """Write what is missing on the movements left, only where it changed."""
        left = {unmatched.id: unmatched for unmatched in result.unmatched_credits}
        twice = {duplicate.credit_id: duplicate for duplicate in result.duplicates}
        planned = {
            credit: decision for decision in result.decisions for credit in decision.credit_ids
        }
        back = {
            movement: reversal.evidence
            for reversal in result.reversals
            for movement in (reversal.debit_id, reversal.credit_id)
        }
        changed, pairs = self.browse(), []
        for line in self:
            reason, candidates, of = False, [], False
            if line.is_reconciled:
                pass
            elif line.id in planned:
                decision = planned[line.id]
                reason = refused.get(line.id) or self.env._(
                    "Another movement of this reading is in a person's hands: decide both together."
                )
                candidates = [
                    {
                        "settlements": list(decision.settlement_ids),
                        "shares": list(decision.share_ids),
                        "credits": [i for i in decision.credit_ids if i != line.id],
                        "gap": 0,
                        "reasons": [decision.evidence],
                        "against": [reason],
                    }
                ]
            elif line.id in back:
                reason = back[line.id]
            elif line.id in twice:
                reason, of = twice[line.id].evidence, twice[line.id].of_credit_id
            elif line.id in left and (line.amount > 0 or left[line.id].candidates):
                reason = left[line.id].reason
                candidates = [
                    {
                        "settlements": list(candidate.settlement_ids),
                        "shares": list(candidate.share_ids),
                        "credits": list(candidate.credit_ids),
                        "gap": candidate.gap_cents,
                        "reasons": list(candidate.reasons),
                        "against": list(candidate.against),
                    }
                    for candidate in left[line.id].candidates
                ]
            values = {
                "health_queue_reason": reason,
                "health_candidates": candidates or False,
                "health_duplicate_of_id": of,
            }
            current = (
                line.health_queue_reason or False,
                line.health_candidates or False,
                line.health_duplicate_of_id.id,
            )
            if current != tuple(values.values()):
                line.sudo().write(values)
            wanted = sorted({i for c in candidates for i in c["settlements"]})
            if sorted(line.health_candidate_ids.ids) != wanted:
                changed += line
                pairs += [(line.id, settlement) for settlement in wanted]
        if changed:
            changed._health_set_pairs("health_candidate_ids", pairs)

    @api.model
    def _health_summary(self, booked, linked, adopted, waiting, reversed_=0):
        sentences = []
        if booked:
            labels = dict(self._fields["health_match_rule"]._description_selection(self.env))
            rules = Counter(labels[booking.rule] for booking in booked)
            sentences.append(
                self.env._(
                    "%(count)s bank credit(s) explained (%(amount)s): %(rules)s.",
                    count=sum(len(booking.credits) for booking in booked),
                    amount=format_cents(sum(booking.received for booking in booked)),
                    rules=", ".join(f"{rule} {count}" for rule, count in rules.most_common()),
                )
            )
        if adopted:
            sentences.append(
                self.env._("%s late return(s) found the credit that they announce.", len(adopted))
            )
        if reversed_:
            sentences.append(
                self.env._("%s credit(s) taken back by the bank: open again.", reversed_)
            )
        if linked:
            sentences.append(self.env._("%s part(s) found their FSE.", len(linked)))
        if waiting:
            sentences.append(
                self.env._(
                    "%(count)s credit(s) wait for a person (%(amount)s).",
                    count=len(waiting),
                    amount=format_cents(sum(cents(line.amount) for line in waiting)),
                )
            )
        return sentences
