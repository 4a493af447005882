from collections import Counter, defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.health_billing.tools import QUIET, cents, euros, format_cents

from ..matching import Credit, Due, match, match_dues

#: contexts under which the counterpart of a bank line is replaced (see `account`, `_seek_for_lines`)
REPLACE = {
    "skip_account_move_synchronization": True,
    "skip_invoice_sync": True,
    "skip_readonly_check": True,
    "force_delete": True,
    "check_move_validity": False,
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
    """A practitioner's bank credit: what paid it, by which rule, or why it waits."""

    _inherit = "account.bank.statement.line"

    health_match_state = fields.Selection(
        [("queue", "To explain"), ("matched", "Explained")],
        string="Matching",
        compute="_compute_health_match_state",
        store=True,
        index="btree_not_null",
    )
    health_match_rule = fields.Selection(
        [
            ("reference", "Reference and amount"),
            ("group", "One transfer for several settlements"),
            ("payer", "Payer, amount and days"),
            ("patient", "Patient's transfer"),
            ("person", "Decided by a person"),
        ],
        string="Rule",
        readonly=True,
        copy=False,
    )
    health_match_evidence = fields.Text("Why", readonly=True, copy=False)
    health_match_runner_up = fields.Text("Other reading set aside", readonly=True, copy=False)
    health_queue_reason = fields.Text("What is missing", readonly=True, copy=False)
    health_why = fields.Text("Explanation", compute="_compute_health_why")
    health_hold = fields.Boolean(
        "Undone by a person", readonly=True, copy=False, help="The matching step leaves it alone."
    )
    health_settlement_ids = fields.Many2many(
        "health.settlement",
        "health_settlement_bank_line_rel",
        "statement_line_id",
        "settlement_id",
        string="Settlements",
        readonly=True,
        copy=False,
    )
    health_candidate_ids = fields.Many2many(
        "health.settlement",
        "health_settlement_bank_line_candidate_rel",
        "statement_line_id",
        "settlement_id",
        string="Settlements to choose from",
        copy=False,
        domain="[('company_id', '=', company_id), ('state', '=', 'announced')]",
    )
    health_share_ids = fields.Many2many(
        "health.share", string="Shares paid", compute="_compute_health_share_ids"
    )

    @api.depends("amount", "is_reconciled", "company_id.health_provider_no")
    def _compute_health_match_state(self):
        for line in self:
            if not line.company_id.health_provider_no or line.amount <= 0:
                line.health_match_state = False
            else:
                line.health_match_state = "matched" if line.is_reconciled else "queue"

    @api.depends("health_match_evidence", "health_queue_reason", "health_match_state")
    def _compute_health_why(self):
        for line in self:
            if line.health_match_state == "queue":
                line.health_why = line.health_queue_reason
            else:
                line.health_why = line.health_match_evidence

    @api.depends("move_id.line_ids.matched_debit_ids")
    def _compute_health_share_ids(self):
        for line in self:
            paid = line.move_id.line_ids.matched_debit_ids.debit_move_id.move_id
            line.health_share_ids = paid.health_share_id

    # -- account_reconcile_oca -----------------------------------------------------------------------

    def _auto_reconcile(self):
        """Override of `account_reconcile_oca`: its matcher takes an amount for a proof; ours works here."""
        return super(
            AccountBankStatementLine,
            self.filtered(lambda line: not line.company_id.health_provider_no),
        )._auto_reconcile()

    def _retrieve_partner(self):
        """Override of `account_reconcile_oca`: no partner is guessed from a likeness of names."""
        return super(
            AccountBankStatementLine,
            self.filtered(lambda line: not line.company_id.health_provider_no),
        )._retrieve_partner()

    def action_undo_reconciliation(self):
        """Override of `account`: the settlements are announced again, and the match is not made anew."""
        # whoever may undo a bank entry may also bring its settlements back
        ours = self.filtered("health_match_rule").sudo()
        settlements = ours.health_settlement_ids
        result = super().action_undo_reconciliation()
        settlements.line_ids.filtered("is_paid_twice").write({"is_paid_twice": False})
        ours.write(
            {
                "health_settlement_ids": [fields.Command.clear()],
                "health_candidate_ids": [fields.Command.set(settlements.ids)]
                if len(ours) == 1
                else [],
                "health_match_rule": False,
                "health_match_evidence": False,
                "health_match_runner_up": False,
                "health_hold": True,
                "health_queue_reason": self.env._(
                    "%(name)s undid the match on %(day)s: decide by hand, or let the product look again.",
                    name=self.env.user.name,
                    day=fields.Date.context_today(self).strftime("%d/%m/%Y"),
                ),
            }
        )
        return result

    # -- actions -------------------------------------------------------------------------------------

    @api.model
    def _health_credit_action(self, name, domain, **context):
        """A window action on bank credits with our own list and form."""
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "account.bank.statement.line",
            "views": [
                [self.env.ref("health_noemie.view_bank_credit_list").id, "list"],
                [self.env.ref("health_noemie.view_bank_credit_form").id, "form"],
            ],
            "search_view_id": [self.env.ref("health_noemie.view_bank_credit_search").id, "search"],
            "domain": domain,
            "context": {"create": False, "delete": False, **context},
            "target": "current",
        }

    @api.model
    def _health_match_action(self, company=None, line=None):
        """The match screen, on one practitioner's credits or on one credit."""
        return {
            "type": "ir.actions.client",
            "tag": "health_noemie.match",
            "name": self.env._("Credits to explain"),
            "params": {
                "company_id": company.id if company else False,
                "line_id": line.id if line else False,
            },
        }

    def action_health_match(self):
        """Open the match screen on this credit."""
        self.ensure_one()
        return self._health_match_action(line=self)

    def _health_action(self, name):
        action = self._health_credit_action(name, [("id", "in", self.ids)])
        if len(self) == 1:
            action.update(res_id=self.id, views=action["views"][1:])
        return action

    def action_health_open_reconcile(self):
        """Open the reconciliation screen for what our matching leaves."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_reconcile_oca.action_bank_statement_line_reconcile"
        )
        action["domain"] = [("id", "=", self.id)]
        action["context"] = {
            "default_journal_id": self.journal_id.id,
            "view_ref": "account_reconcile_oca.bank_statement_line_form_reconcile_view",
        }
        return action

    def action_health_undo(self):
        self.action_undo_reconciliation()

    def action_health_look_again(self):
        """Let the matching step look at credits again that a person undid."""
        self.write({"health_hold": False, "health_queue_reason": False})
        self._health_match(self.company_id)

    def action_health_book_chosen(self):
        """A person says which settlements this credit is; their sum must be the credit.

        :raises UserError: nothing chosen, or the sum differs
        """
        self.ensure_one()
        chosen = self.health_candidate_ids.filtered(
            lambda settlement: settlement.state == "announced"
        )
        if not chosen:
            raise UserError(self.env._("Choose the settlements that this credit paid."))
        total = sum(cents(settlement.amount_expected) for settlement in chosen)
        if total != cents(self.amount):
            raise UserError(
                self.env._(
                    "The settlements chosen make %(total)s, the bank received %(received)s: choose others, or use the "
                    "reconciliation screen.",
                    total=format_cents(total),
                    received=format_cents(cents(self.amount)),
                )
            )
        evidence = self.env._(
            "%(name)s chose it on %(day)s.",
            name=self.env.user.name,
            day=fields.Date.context_today(self).strftime("%d/%m/%Y"),
        )
        refused = self._health_book([_Booking(self, chosen, rule="person", evidence=evidence)])
        if refused:
            raise UserError(refused[self.id])

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
        for line in queue:
            reason = reasons.get(line.id, False)
            if (line.health_queue_reason or False) != reason:
                line.health_queue_reason = reason
            wanted = candidates.get(line.id, []) if reason else []
            if line.health_candidate_ids.ids != sorted(wanted):
                line.health_candidate_ids = [fields.Command.set(wanted)]
        self.env.flush_all()  # recomputed here, where no note is written
        return self._health_summary(
            [booking for booking in bookings if booking.credit.id not in refused], linked, reasons
        )

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
            _Booking(
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
                _Booking(credit, settlements.browse(), share, decision.rule, decision.evidence)
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
                    amount=format_cents(sum(cents(booking.credit.amount) for booking in booked)),
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

    # -- booking -------------------------------------------------------------------------------------

    @api.model
    def _health_book(self, bookings):
        """Book the decisions: per credit one entry, per debtor one item, everything reconciled at once.

        The suspense item of the bank entry gives way to one receivable item per settlement and debtor (parts
        paid otherwise than owed have an item of their own, so that no other part takes their difference), one
        item per retention, one per lump sum.

        :return: dict of credit id → reason, for the decisions that cannot be booked
        """
        self._health_refresh_statistics(sum(len(b.settlements.line_ids) + 1 for b in bookings))
        refused, batch, size = {}, [], 0
        for booking in bookings:
            batch.append(booking)
            size += len(booking.settlements.line_ids) + 1
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
    def _health_book_batch(self, bookings):
        refused = {}
        open_items = self._health_open_items(bookings)
        left = {item.id: cents(item.amount_residual) for item in open_items.values()}
        rows = []
        for booking in bookings:
            own, reason = booking.rows(open_items, dict(left), self.env)
            if not reason and sum(row.amount for row in own) != cents(booking.credit.amount):
                reason = self.env._(
                    "The parts announced do not make the amount received: look at the settlement."
                )
            if reason:
                refused[booking.credit.id] = reason
                continue
            for row in own:
                for item in row.items:
                    left[item.id] -= min(left[item.id], row.amount)
            rows += own
        booked = [booking for booking in bookings if booking.credit.id not in refused]
        if not booked:
            return refused
        items = self._health_replace_suspense(booked, rows)
        plan = []
        lines_by_item = []
        for row, item in zip(rows, items, strict=True):
            if row.items:
                plan.append(item + self.env["account.move.line"].union(*row.items))
            if row.sources:
                lines_by_item.append((row.sources, item))
        self.env["account.move.line"].sudo().with_context(
            no_exchange_difference=True, no_cash_basis=True
        )._reconcile_plan(plan)
        for sources, item in lines_by_item:
            sources.sudo().move_line_id = item
        twice = self.env["health.settlement.line"].union(*[row.twice for row in rows if row.twice])
        twice.sudo().write({"is_paid_twice": True})
        for booking in booked:
            booking.credit.sudo().write(
                {
                    "health_settlement_ids": [fields.Command.set(booking.settlements.ids)],
                    "health_candidate_ids": [fields.Command.clear()],
                    "health_match_rule": booking.rule,
                    "health_match_evidence": booking.evidence,
                    "health_match_runner_up": booking.runner_up or False,
                    "health_queue_reason": False,
                    "health_hold": False,
                    "reconcile_data": False,
                }
            )
        return refused

    @api.model
    def _health_open_items(self, bookings):
        """dict of share id → its receivable item, for all bookings; a handful of queries."""
        shares = self.env["health.share"]
        shares = shares.union(*[b.settlements.line_ids.share_id | b.shares for b in bookings])
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
        return {
            share.id: by_move[share.move_id.id] for share in shares if share.move_id.id in by_move
        }

    @api.model
    def _health_replace_suspense(self, bookings, rows):
        """Replace the suspense items of the bank entries by the rows; the new items, in the order of rows."""
        credits = self.union(*[booking.credit for booking in bookings]).sudo()
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
                .create([row.values(self.env) for row in rows])
            )
        return items.with_env(self.env).sudo()


class _Row:
    """One item of a bank entry to come. `amount`: cents, positive on the credit side."""

    def __init__(self, credit, name, account, partner, amount, sources=None):
        self.credit = credit
        self.name = name
        self.account = account
        self.partner = partner
        self.amount = amount
        self.sources = sources
        self.items = []
        self.twice = None

    def values(self, env):
        return {
            "move_id": self.credit.move_id.id,
            "name": self.name,
            "account_id": self.account.id,
            "partner_id": self.partner.id,
            "currency_id": self.credit.company_id.currency_id.id,
            "balance": -euros(self.amount),
            "amount_currency": -euros(self.amount),
            "analytic_distribution": False,
        }


class _Booking:
    """One decision to book: a credit, and the settlements or the patient's share that it is."""

    def __init__(self, credit, settlements, shares=None, rule="", evidence="", runner_up=""):
        self.credit = credit
        self.settlements = settlements
        self.shares = shares if shares is not None else credit.env["health.share"]
        self.rule = rule
        self.evidence = evidence
        self.runner_up = runner_up

    def rows(self, open_items, left, env):
        """Items that replace the suspense item.

        :param open_items: dict of share id → receivable item
        :param left: dict of receivable item id → cents still open; a copy that this method may use up
        :return: (rows, reason in the user's language when it cannot be booked)
        """
        rows = []
        for share in self.shares:
            item = open_items.get(share.id)
            if not item:
                return [], env._("The invoice of FSE %s is not posted.", share.fse_id.name)
            row = _Row(
                self.credit,
                env._("FSE %s", share.fse_id.name),
                item.account_id,
                item.partner_id,
                cents(self.credit.amount),
            )
            row.items.append(item)
            rows.append(row)
        for settlement in self.settlements:
            own, reason = self._settlement_rows(settlement, open_items, left, env)
            if reason:
                return [], reason
            rows += own
        return rows, ""

    def _settlement_rows(self, settlement, open_items, left, env):
        rows, groups = [], defaultdict(list)
        paid_lines = settlement.line_ids.filtered(
            lambda line: line.in_transfer and cents(line.paid)
        )
        for line in paid_lines:
            item = open_items.get(line.share_id.id)
            amount = cents(line.paid)
            if item and 0 < amount == left[item.id]:
                groups[item.partner_id, item.account_id].append((line, item))
                left[item.id] = 0
                continue
            row = self._single_row(settlement, line, item, env)
            if row is None:
                return [], env._(
                    "The payer of this settlement is not known: enter it on the settlement."
                )
            if item and amount > 0 and left[item.id]:
                row.items.append(item)
                left[item.id] -= min(amount, left[item.id])
            elif item and amount > 0:
                row.twice = line
            rows.append(row)
        for (partner, account), cases in groups.items():
            lines = env["health.settlement.line"].union(*[line for line, _item in cases])
            row = _Row(
                self.credit,
                self._group_name(settlement, lines, env),
                account,
                partner,
                sum(cents(line.paid) for line in lines),
                lines,
            )
            row.items = [item for _line, item in cases]
            rows.append(row)
        for movement in settlement.movement_ids.filtered("is_withheld"):
            retained = movement.kind == "retention"
            account = self.credit.company_id._health_account(movement.kind)
            amount = cents(movement.amount)
            rows.append(
                _Row(
                    self.credit,
                    movement.label,
                    account,
                    settlement.payer_id,
                    -amount if retained else amount,
                    movement,
                )
            )
        return rows, ""

    def _single_row(self, settlement, line, item, env):
        """An item of its own for a part paid otherwise than owed, or whose FSE is not known."""
        name = env._("FSE %s", line.invoice_no.strip())
        if item:
            return _Row(self.credit, name, item.account_id, item.partner_id, cents(line.paid), line)
        if not settlement.payer_id:
            return None
        account = self.credit.company_id._health_account(line.part)
        return _Row(self.credit, name, account, settlement.payer_id, cents(line.paid), line)

    @staticmethod
    def _group_name(settlement, lines, env):
        if len(lines) == 1:
            return env._("FSE %s", lines.invoice_no.strip())
        return env._(
            "%(count)s FSE, transfer of %(day)s",
            count=len(lines),
            day=settlement.transfer_date.strftime("%d/%m/%Y"),
        )
