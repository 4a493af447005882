from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.health_billing.tools import cents

from ..booking import Booking, Facts

#: contexts under which the counterpart of a bank line is replaced (see `account`, `_seek_for_lines`)
REPLACE = {
    "skip_account_move_synchronization": True,
    "skip_invoice_sync": True,
    "skip_readonly_check": True,
    "force_delete": True,
    "check_move_validity": False,
    "tracking_disable": True,
}
#: contexts of a reconciliation in one currency and without taxes
RECONCILE = {
    "no_exchange_difference": True,
    "no_cash_basis": True,
    # nothing of an invoice changes but what is left of it: no tax line to look for, one query per invoice
    "skip_invoice_sync": True,
    "tracking_disable": True,
}
#: parts booked together: memory stays flat
BATCH = 1000
#: tables that reconciliation joins: with the statistics of empty ones the planner takes minutes
ANALYZED = (
    "account_move",
    "account_move_line",
    "account_partial_reconcile",
    "account_bank_statement_line",
    "health_share",
    "health_settlement_line",
)


class AccountBankStatementLine(models.Model):
    """Booking and its undoing."""

    _inherit = "account.bank.statement.line"

    health_booking = fields.Json(
        readonly=True,
        copy=False,
        help="What undoing must know: cents per settlement, parts cut, shares opened again, what was replaced.",
    )

    # -- booking -------------------------------------------------------------------------------------

    @api.model
    def _health_book(self, bookings):
        """Book the decisions: per credit one entry, per debtor one item, everything reconciled at once.

        The suspense item of the bank entry gives way to one receivable item per settlement and debtor (parts
        paid otherwise than owed have an item of their own, so that no other part takes their difference), one
        item per retention, one per lump sum.

        :return: dict of credit id → reason, for the decisions that cannot be booked
        """
        self._health_refresh_statistics(sum(booking.size for booking in bookings))
        refused, batch, size = {}, [], 0
        for booking in bookings:
            batch.append(booking)
            size += booking.size
            if size >= BATCH:
                refused |= self._health_book_batch(batch)
                batch, size = [], 0
        if batch:
            refused |= self._health_book_batch(batch)
        return refused

    @api.model
    def _health_refresh_statistics(self, size):
        """Tell the planner how full the tables are, when a booking is large beside what it knows."""
        [(known,)] = self.env.execute_query(
            SQL("SELECT reltuples FROM pg_class WHERE oid = 'account_partial_reconcile'::regclass")
        )
        if size * 5 > max(known, 0) and size > 20:
            self.env.flush_all()
            for table in ANALYZED:
                self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))

    @api.model
    def _health_facts(self, bookings):
        """What the books say of everything these bookings touch; a handful of queries."""
        settlements = self.env["health.settlement"].union(*[b.settlements for b in bookings])
        shares = self.env["health.share"].union(*[b.shares for b in bookings])
        shares |= settlements.line_ids.share_id
        items = (
            self.env["account.move.line"]
            .sudo()
            .search(
                [
                    ("move_id", "in", shares.move_id.ids),
                    ("parent_state", "=", "posted"),
                    ("account_id.account_type", "=", "asset_receivable"),
                ]
            )
        )
        by_move = {item.move_id.id: item for item in items}
        by_share = {
            share.id: by_move[share.move_id.id] for share in shares if share.move_id.id in by_move
        }
        return Facts(by_share, settlements._booked_pieces())

    @api.model
    def _health_layout(self, bookings):
        """The items to come.

        :return: (rows, dict of credit id → reason of those that cannot be booked)
        """
        facts = self._health_facts(bookings)
        rows, refused = [], {}
        for booking in bookings:
            trial = facts.trial()
            own, reason = booking.rows(trial)
            if reason:
                refused |= dict.fromkeys(booking.credits.ids, reason)
                continue
            facts.keep(trial)
            rows += own
        return rows, refused

    @api.model
    def _health_book_batch(self, bookings):
        rows, refused = self._health_layout(bookings)
        booked = [booking for booking in bookings if booking.credits.ids[0] not in refused]
        if not booked:
            return refused
        undo = {
            credit.id: {
                "settlements": {},
                "lines": {},
                "movements": {},
                "with": booking.credits.ids,
                "candidates": credit.health_candidate_ids.ids,
            }
            for booking in booked
            for credit in booking.credits
        }
        items = self._health_replace_suspense(booked, rows)
        self._health_reconcile(rows, items, undo)
        self._health_note_sources(rows, items, undo)
        self._health_note_credits(booked, undo)
        return refused

    @api.model
    def _health_replace_suspense(self, bookings, rows):
        """Replace the suspense items of the bank entries by the rows; the new items, in the order of rows."""
        credits = self.browse().union(*[booking.credits for booking in bookings]).sudo()
        moves = credits.move_id
        suspense = self.env["account.move.line"].sudo()
        for credit in credits:
            _liquidity, waiting, others = credit._seek_for_lines()
            suspense |= waiting | others
        with moves._check_balanced({"records": moves}):
            suspense.with_context(**REPLACE).unlink()
            items = (
                self.env["account.move.line"]
                .sudo()
                .with_context(**REPLACE)
                .create([row.values() for row in rows])
            )
        return items.with_env(self.env).sudo()

    @api.model
    def _health_reconcile(self, rows, items, undo):
        """Every row meets the items it pays, all in one plan; what is taken back opens its share again."""
        plan, taken_back = [], []
        for row, item in zip(rows, items, strict=True):
            if row.pieces[0].pays:
                due = self.env["account.move.line"].union(*[piece.item for piece in row.pieces])
                plan.append(item + due)
            elif row.pieces[0].item and row.amount < 0:
                taken_back.append((row, item))
        Item = self.env["account.move.line"].sudo().with_context(**RECONCILE)
        Item._reconcile_plan(plan)
        if taken_back:
            self._health_take_back(taken_back, undo)

    @api.model
    def _health_take_back(self, taken_back, undo):
        """The payer takes money back: the payment is undone for that much and the share is open again.

        What nobody had paid stays open on the payer.
        """
        Item = self.env["account.move.line"].sudo().with_context(**RECONCILE)
        for row, item in taken_back:
            due = row.pieces[0].item
            for partial in due.matched_credit_ids.sorted("id", reverse=True):
                if item.reconciled:
                    break
                paid = partial.credit_move_id
                if not paid.statement_line_id:
                    continue
                partial.unlink()
                Item._reconcile_plan([item + paid])
                if not paid.reconciled:
                    Item._reconcile_plan([paid + due])
                undo[row.credit.id].setdefault("reopened", []).append([due.id, paid.id])

    @api.model
    def _health_note_sources(self, rows, items, undo):
        """Tell each part which journal item paid it, and how much of a part that was cut."""
        by_item = defaultdict(list)
        twice = []
        for row, item in zip(rows, items, strict=True):
            note = undo[row.credit.id]
            for piece in row.pieces:
                if piece.settlement:
                    amounts = note["settlements"]
                    key = str(piece.settlement.id)
                    amounts[key] = amounts.get(key, 0) + piece.amount
                if not piece.source:
                    continue
                by_item[item, piece.source._name].append(piece.source.id)
                if piece.is_cut:
                    kind = "lines" if piece.source._name.endswith("line") else "movements"
                    amounts = note[kind]
                    key = str(piece.source.id)
                    amounts[key] = amounts.get(key, 0) + piece.amount
                    if kind == "lines":
                        note.setdefault("items", {})[key] = item.id
                elif piece.item and piece.amount > 0 and not piece.pays:
                    note.setdefault("twice", []).append(piece.source.id)
                    twice.append(piece.source.id)
        for (item, model), ids in by_item.items():
            self.env[model].sudo().browse(ids).write({"move_line_id": item.id})
        self.env["health.settlement.line"].sudo().browse(twice).write({"is_paid_twice": True})

    @api.model
    def _health_note_credits(self, bookings, undo):
        """Write on the credits what they are; their settlements in one statement."""
        pairs = []
        for booking in bookings:
            for credit in booking.credits:
                note = undo[credit.id]
                note["shares"] = booking.shares.ids
                note["gap"] = booking.gap or False
                pairs += [(credit.id, int(key)) for key in note["settlements"]]
                credit.sudo().write(
                    {
                        "health_match_rule": booking.rule,
                        "health_match_evidence": booking.evidence,
                        "health_match_runner_up": booking.runner_up or False,
                        "health_queue_reason": False,
                        "health_hold": False,
                        "health_aside": False,
                        "health_candidates": False,
                        "health_duplicate_of_id": False,
                        "health_booking": note,
                        "reconcile_data": False,
                    }
                )
        credits = self.browse().union(*[booking.credits for booking in bookings]).sudo()
        credits._health_set_pairs("health_settlement_ids", pairs)
        credits._health_set_pairs("health_candidate_ids", [])
        settlements = self.env["health.settlement"].browse({pair[1] for pair in pairs})
        settlements.sudo().modified(["statement_line_ids"])
        settlements.filtered("waiting_reason").sudo().write({"waiting_reason": False})

    def _health_set_pairs(self, name, pairs):
        """Replace the settlements of these credits in one of their lists, whatever their number, by two queries.

        :param pairs: (credit id, settlement id)
        """
        field = self._fields[name]
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "DELETE FROM %s WHERE %s IN %s",
                SQL.identifier(field.relation),
                SQL.identifier(field.column1),
                tuple(self.ids or [0]),
            )
        )
        if pairs:
            self.env.cr.execute(
                SQL(
                    "INSERT INTO %s (%s, %s) SELECT * FROM unnest(%s, %s) ON CONFLICT DO NOTHING",
                    SQL.identifier(field.relation),
                    SQL.identifier(field.column1),
                    SQL.identifier(field.column2),
                    [pair[0] for pair in pairs],
                    [pair[1] for pair in pairs],
                )
            )
        self.invalidate_recordset([name])
        self.env["health.settlement"].invalidate_model(["statement_line_ids"], flush=False)

    # -- credits taken back by the bank --------------------------------------------------------------

    @api.model
    def _health_reverse(self, reversals):
        """A debit takes a credit back: what the credit had paid is open again, the two face each other.

        :param reversals: `matching.Reversal`, of movements that no person took in hand
        :return: how many
        """
        debits = self.browse([reversal.debit_id for reversal in reversals]).sudo()
        credits = self.browse([reversal.credit_id for reversal in reversals]).sudo()
        pairs = [
            (debit, credit, reversal.evidence)
            for debit, credit, reversal in zip(debits, credits, reversals, strict=True)
            if credit.health_match_rule != "reversal"
            and (credit.health_match_rule or not credit.is_reconciled)
            and debit.journal_id.suspense_account_id.reconcile
            and debit.journal_id.suspense_account_id == credit.journal_id.suspense_account_id
        ]
        if not pairs:
            return 0
        before = {credit.id: credit._health_decision() for _debit, credit, _why in pairs}
        matched = self.browse().union(
            *[credit for _d, credit, _w in pairs if credit.health_match_rule]
        )
        for _debit, credit, why in pairs:
            credit.health_settlement_ids.waiting_reason = why
        if matched:
            others = matched._health_whole() - matched
            matched.action_undo_reconciliation()
            others.write({"health_hold": False, "health_queue_reason": False})
        plan = []
        for debit, credit, _why in pairs:
            plan.append(debit._seek_for_lines()[1] + credit._seek_for_lines()[1])
        Item = self.env["account.move.line"].sudo().with_context(**RECONCILE)
        Item._reconcile_plan(plan)
        for debit, credit, why in pairs:
            for line in (debit, credit):
                line.write(
                    {
                        "health_match_rule": "reversal",
                        "health_match_evidence": why,
                        "health_match_runner_up": False,
                        "health_queue_reason": False,
                        "health_candidates": False,
                        "health_hold": False,
                        "health_booking": {
                            "settlements": {},
                            "with": [debit.id, credit.id],
                            "before": before[credit.id],
                        },
                    }
                )
        (debits | credits)._health_set_pairs("health_candidate_ids", [])
        return len(pairs)

    def _health_decision(self):
        """What this credit's booking was, to book it again; nothing for an open credit."""
        self.ensure_one()
        note = self.health_booking
        if not self.health_match_rule or not note:
            return False
        whole = self._health_whole()
        return {
            "credits": whole.ids,
            "settlements": whole.health_settlement_ids.ids,
            "shares": note.get("shares", []),
            "gap": note.get("gap"),
            "rule": self.health_match_rule,
            "evidence": self.health_match_evidence,
            "runner_up": self.health_match_runner_up,
        }

    @api.model
    def _health_book_before(self, decision):
        """Book again what stood before a reversal that turned out to be none; left open when it cannot be."""
        booking = Booking(
            self.browse(decision["credits"]).exists(),
            self.env["health.settlement"].browse(decision["settlements"]).exists(),
            self.env["health.share"].browse(decision["shares"]).exists(),
            decision["rule"],
            decision["evidence"],
            decision["runner_up"],
            decision["gap"] or None,
        )
        self.env.flush_all()
        self.env.invalidate_all()  # the entries were just written anew
        if any(line.is_reconciled for line in booking.credits):
            return
        self._health_book([booking])
        booking.settlements.waiting_reason = False

    # -- undoing -------------------------------------------------------------------------------------

    def _health_whole(self):
        """These lines and those that were decided together with them."""
        ids = {other for line in self for other in (line.health_booking or {}).get("with", ())}
        return self | self.browse(ids).exists()

    def action_undo_reconciliation(self):
        """Override of `account`: the settlements are announced again, and the match is not made anew."""
        # whoever may undo a bank entry may also bring its settlements back
        ours = self.filtered("health_match_rule").sudo()._health_whole()
        notes = {line.id: line.health_booking or {} for line in ours}
        settlements = {line.id: line.health_settlement_ids for line in ours}
        result = super(AccountBankStatementLine, self | ours).action_undo_reconciliation()
        if not ours:
            return result
        lines = self.env["health.settlement.line"].sudo()
        for line in ours:
            note = notes[line.id]
            lines |= (
                lines.browse(note.get("twice", ()))
                if note
                else settlements[line.id].line_ids.filtered("is_paid_twice")
            )
        lines.exists().write({"is_paid_twice": False})
        ours._health_pay_again(notes)
        candidates = [
            (line.id, settlement)
            for line in ours
            for settlement in {
                *settlements[line.id].ids,
                *self.env["health.settlement"]
                .browse(notes[line.id].get("candidates", ()))
                .exists()
                .ids,
            }
        ]
        ours.write(
            {
                "health_match_rule": False,
                "health_match_evidence": False,
                "health_match_runner_up": False,
                "health_booking": False,
                "health_hold": True,
                "health_candidates": False,
                "health_queue_reason": self.env._(
                    "%(name)s undid the match on %(day)s: decide by hand, or let the product look again.",
                    name=self.env.user.name,
                    day=fields.Date.context_today(self).strftime("%d/%m/%Y"),
                ),
            }
        )
        ours._health_set_pairs("health_candidate_ids", candidates)
        ours._health_set_pairs("health_settlement_ids", [])
        touched = self.env["health.settlement"].union(*settlements.values()).sudo()
        touched.modified(["statement_line_ids"])
        touched._restore_items()
        for decision in {
            line.id: notes[line.id]["before"] for line in ours if notes[line.id].get("before")
        }.values():
            self.sudo()._health_book_before(decision)
        return result

    def _health_pay_again(self, notes):
        """What a take-back had opened is paid again, as it was."""
        Item = self.env["account.move.line"].sudo().with_context(**RECONCILE)
        for line in self:
            for due_id, paid_id in reversed(notes[line.id].get("reopened", ())):
                due, paid = Item.browse(due_id).exists(), Item.browse(paid_id).exists()
                if due and paid:
                    due.matched_credit_ids.filtered(
                        lambda partial, paid=paid: partial.credit_move_id == paid
                    ).unlink()
                    Item._reconcile_plan([due + paid])

    def _health_lock(self, settlements):
        """Nobody else decides on these credits and settlements meanwhile.

        :raises UserError: another person is at it, or was faster
        """
        if not (
            len(self.sudo().try_lock_for_update()) == len(self)
            and len(settlements.sudo().try_lock_for_update()) == len(settlements)
        ):
            raise UserError(
                self.env._(
                    "Somebody else is booking this credit or settlement at this very moment: reload in a few seconds."
                )
            )

    def _health_book_by_hand(self, settlements, shares, gap):
        """Book what a person decided on these credits.

        :raises UserError: it cannot be booked, or somebody was faster
        """
        self._health_lock(settlements)
        booking = self._health_decision_by_hand(settlements, shares, gap)
        refused = self._health_book([booking])
        if refused:
            raise UserError(next(iter(refused.values())))

    def _health_decision_by_hand(self, settlements, shares, gap):
        """A booking by a person, with its evidence."""
        evidence = self.env._(
            "%(name)s chose it on %(day)s.",
            name=self.env.user.name,
            day=fields.Date.context_today(self).strftime("%d/%m/%Y"),
        )
        labels = {
            "open": self.env._("The difference stays open on the payer."),
            "lump_sum": self.env._("The difference is a lump sum."),
            "retention": self.env._("The difference is a retention."),
            "bank_fees": self.env._("The difference is bank fees."),
        }
        received = sum(cents(credit.amount) for credit in self)
        booking = Booking(self, settlements, shares, "person", evidence, gap=gap)
        total = sum(cents(s.amount_left) for s in settlements) + sum(
            cents(share.amount_residual) for share in shares
        )
        if gap and received != total:
            booking.evidence += f" {labels[gap]}"
        return booking
