from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..tools import QUIET, cents, format_cents
from .health_share import BATCH, CLOSED, FAST

#: contexts of a reconciliation in one currency, without taxes on payment nor lines to make again
PLAIN = {"no_exchange_difference": True, "no_cash_basis": True, "skip_invoice_sync": True}


class HealthShare(models.Model):
    """Shares that end otherwise than by a payment: billed again, written off; and those in dispute.

    Each closing is an entry reconciled with the invoice, so that the books say the same as the state. Undoing it
    frees the invoice and books the opposite entry: nothing that was posted disappears.
    """

    _inherit = "health.share"

    # -- what may go out again -----------------------------------------------------------------------

    def _resend_refusals(self):
        """Why shares must not be billed again: dict of share id → reason; extend it, super first.

        What may go out again is missing from the dict.
        """
        today = max(fields.Date.context_today(self), self.env["health.cycle"].last_day())
        texts = {
            "draft": self.env._("is not booked yet: change it where it is"),
            "paid": self.env._("is paid already"),
            "replaced": self.env._("is billed again already"),
            "written_off": self.env._("is written off: undo that first"),
            "announced": self.env._("is announced as paid: wait for the money"),
            "disputed": self.env._("is in dispute: end the dispute first"),
        }
        found = {}
        for share in self:
            if share.state in texts:
                found[share.id] = texts[share.state]
            elif share._is_partly_paid():
                found[share.id] = self.env._(
                    "is partly paid: open a dispute over the rest, or write it off"
                )
            elif share.forclusion_date and share.forclusion_date <= today:
                found[share.id] = self.env._(
                    "can no longer be claimed: its last day was %s",
                    (share.forclusion_date - timedelta(days=1)).strftime("%d/%m/%Y"),
                )
        return found

    def _is_partly_paid(self):
        self.ensure_one()
        return self.currency_id.compare_amounts(self.amount_residual, self.amount) < 0

    # -- closing -------------------------------------------------------------------------------------

    def _receivable_items(self):
        """dict of share id → receivable item of its invoice, in one query."""
        items = (
            self.env["account.move.line"]
            .sudo()
            .search(
                [
                    ("move_id", "in", self.sudo().move_id.ids),
                    ("parent_state", "=", "posted"),
                    ("account_id.account_type", "=", "asset_receivable"),
                ]
            )
        )
        by_move = {item.move_id.id: item for item in items}
        return {share.id: by_move[share.move_id.id] for share in self.sudo()}

    def _close_replaced(self, reason):
        """Take what is left to pay away with one credit note per share, all in one go."""
        items = self._receivable_items()
        Move = self.env["account.move"].sudo().with_context(**FAST)
        day = fields.Date.context_today(self)
        names = self._credit_note_names()
        for company, own in self.sudo().grouped("company_id").items():
            journals = {kind: company._health_journal(kind) for kind in ("amo", "amc", "patient")}
            income = company._health_account("income")
            for start in range(0, len(own), BATCH):
                batch = own[start : start + BATCH]
                notes = Move.with_company(company).create(
                    [
                        share._prepare_credit_note(
                            journals, income, items[share.id], names[share.id], day
                        )
                        for share in batch
                    ]
                )
                notes.action_post()
                taken = notes.line_ids.filtered(lambda item: item.display_type == "payment_term")
                by_move = {item.move_id: item for item in taken}
                self._reconcile_pairs(
                    [
                        items[share.id] + by_move[note]
                        for share, note in zip(batch, notes, strict=True)
                    ]
                )
                # given earlier, posting would reconcile the notes one by one
                self._link_credit_notes(notes, batch.move_id)
                for share, note in zip(batch, notes, strict=True):
                    share.write(share._closing_values("replaced", note, reason, day))
        self._decide("replaced", reason)

    @api.model
    def _link_credit_notes(self, notes, invoices):
        """Say which invoice each credit note reverses: a link that changes nothing in the books."""
        notes.flush_recordset()
        self.env.cr.execute(
            SQL(
                """
                UPDATE account_move note SET reversed_entry_id = pair.invoice
                  FROM unnest(%s, %s) AS pair (note, invoice) WHERE note.id = pair.note
                """,
                notes.ids,
                invoices.ids,
            )
        )
        notes.invalidate_recordset(["reversed_entry_id"])
        invoices.invalidate_recordset(["reversal_move_ids"])

    def _closing_values(self, closing, move, reason, day):
        return {
            "closing": closing,
            "closing_move_id": move.id,
            "closing_reason": reason,
            "closed_on": day,
            "closed_by_id": self.env.uid,
            "silent_on": False,
        }

    @api.model
    def _reconcile_pairs(self, plan):
        self.env.flush_all()
        if len(plan) > 100:
            # with the statistics of an empty table the planner takes minutes over what should be instant
            for table in ("account_move", "account_move_line", "account_partial_reconcile"):
                self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
        self.env["account.move.line"].sudo().with_context(**PLAIN)._reconcile_plan(plan)

    def _credit_note_names(self):
        """dict of share id → number of its credit note: that of the FSE, and a rank when it was taken once."""
        wanted = {share.id: f"R{share.move_id.name}" for share in self.sudo() if share.move_id.name}
        taken = set(
            self.env["account.move"]
            .sudo()
            .search(
                [
                    ("company_id", "in", self.company_id.ids),
                    ("reversed_entry_id", "in", self.sudo().move_id.ids),
                ]
            )
            .mapped("name")
        )
        names = {}
        for share in self:
            name, rank = wanted.get(share.id), 1
            base = name
            while name in taken:
                rank += 1
                name = f"{base}-{rank}"
            names[share.id] = name or False
        return names

    def _prepare_credit_note(self, journals, income, item, name, day):
        self.ensure_one()
        label = self.env._("FSE %s", self.fse_id.name)
        amount = self.amount_residual
        common = {"name": label, "analytic_distribution": False}
        return {
            "move_type": "out_refund",
            "journal_id": journals[self.debtor_kind].id,
            "company_id": self.company_id.id,
            "currency_id": self.currency_id.id,
            "partner_id": self.partner_id.id,
            "name": name,
            "ref": label,
            "payment_reference": label,
            "invoice_date": day,
            "date": day,
            "invoice_date_due": day,
            "line_ids": [
                fields.Command.create(
                    {
                        **common,
                        "display_type": "product",
                        "account_id": income.id,
                        "quantity": 1,
                        "price_unit": amount,
                        "balance": amount,
                        "amount_currency": amount,
                        "tax_ids": [],
                    }
                ),
                fields.Command.create(
                    {
                        **common,
                        "display_type": "payment_term",
                        "account_id": item.account_id.id,
                        "balance": -amount,
                        "amount_currency": -amount,
                        "date_maturity": day,
                        "tax_ids": [],
                    }
                ),
            ],
        }

    def _write_off(self, reason):
        """Book what is left to pay as a loss, one entry per practitioner for all of these shares.

        :raises UserError: no reason, or a share that is not lost
        :raises AccessError: more than a biller may give up
        """
        self._check_may_write_off(reason)
        items = self._receivable_items()
        day = fields.Date.context_today(self)
        for company, own in self.sudo().grouped("company_id").items():
            account = company._health_account("write_off")
            values = []
            for share in own:
                item, amount = items[share.id], share.amount_residual
                values += self._pair_values(
                    self.env._("FSE %s", share.fse_id.name), item, account, -amount
                )
            move = self._post_entry(company, self.env._("Losses on shares"), values, day)
            # items are created in the order of their values: receivable, then loss
            taken = move.line_ids.sorted("id")[::2]
            self._reconcile_pairs(
                [items[share.id] + other for share, other in zip(own, taken, strict=True)]
            )
            own.write(own._closing_values("written_off", move, reason, day))
        self._decide("written_off", reason)

    def _check_may_write_off(self, reason):
        self.check_access("write")
        if not (reason or "").strip():
            raise UserError(self.env._("Say why: the reason stays with the share."))
        for share in self:
            if share.state in ("draft", "announced", *CLOSED):
                raise UserError(
                    self.env._(
                        "%(share)s is not lost (%(state)s): nothing is written off.",
                        share=share.name,
                        state=share._state_label(),
                    )
                )
        limit = self.env["health.parameter"].value_of("write_off_limit")
        most = max((cents(share.amount_residual) for share in self), default=0)
        if most > limit and not self.env.user.has_group("health_billing.group_manager"):
            raise AccessError(
                self.env._(
                    "%(amount)s is more than a biller may write off (%(limit)s): ask a manager.",
                    amount=format_cents(most),
                    limit=format_cents(limit),
                )
            )

    def _state_label(self):
        return dict(self._fields["state"]._description_selection(self.env))[self.state]

    @api.model
    def _pair_values(self, label, item, account, amount):
        """Two items of an entry: ``amount`` on the account and partner of ``item``, its opposite on ``account``."""
        common = {
            "name": label,
            "partner_id": item.partner_id.id,
            "analytic_distribution": False,
            "tax_ids": [],
        }
        return [
            {
                **common,
                "account_id": item.account_id.id,
                "balance": amount,
                "amount_currency": amount,
            },
            {**common, "account_id": account.id, "balance": -amount, "amount_currency": -amount},
        ]

    @api.model
    def _post_entry(self, company, label, values, day):
        journal = (
            self.env["account.journal"]
            .sudo()
            .search(
                [("company_id", "=", company.id), ("type", "=", "general")],
                order="sequence, id",
                limit=1,
            )
        )
        if not journal:
            raise UserError(
                self.env._(
                    "%s has no journal of miscellaneous entries: make the practitioner ready to bill.",
                    company.name,
                )
            )
        move = (
            self.env["account.move"]
            .sudo()
            .with_company(company)
            .with_context(**QUIET)
            .create(
                {
                    "move_type": "entry",
                    "journal_id": journal.id,
                    "company_id": company.id,
                    "date": day,
                    "ref": label,
                    "line_ids": [fields.Command.create(vals) for vals in values],
                }
            )
        )
        move.action_post()
        return move

    # -- undoing -------------------------------------------------------------------------------------

    def _undo_closing(self, kind):
        """Free the invoices of closed shares and book the opposite of what had closed them.

        :param kind: what is noted as the decision
        """
        closed = self.sudo().filtered("closing_move_id")
        items = closed._receivable_items()
        partials = self.env["account.partial.reconcile"].sudo()
        taken = {}
        for share in closed:
            partial = items[share.id].matched_credit_ids.filtered(
                lambda one, share=share: one.credit_move_id.move_id == share.closing_move_id
            )
            partials |= partial
            taken[share.id] = partial.credit_move_id
        partials.with_context(**PLAIN).unlink()
        day = fields.Date.context_today(self)
        for company, own in closed.grouped("company_id").items():
            own = own.filtered(lambda share: taken[share.id])
            accounts = {
                "replaced": company._health_account("income"),
                "written_off": company._health_account("write_off"),
            }
            values = []
            for share in own:
                item = taken[share.id]
                values += self._pair_values(item.name, item, accounts[share.closing], -item.balance)
            if not values:
                continue
            move = self._post_entry(company, self.env._("Shares open again"), values, day)
            given = move.line_ids.sorted("id")[::2]
            self._reconcile_pairs(
                [taken[share.id] + other for share, other in zip(own, given, strict=True)]
            )
        closed.write(
            {
                "closing": False,
                "closing_move_id": False,
                "closing_reason": False,
                "closed_on": False,
                "closed_by_id": False,
            }
        )
        closed._decide(kind, False)

    def _decide(self, kind, reason):
        """Note a decision of the user about each of these shares."""
        self.env["health.share.decision"].sudo().create(
            [
                {
                    "share_id": share.id,
                    "kind": kind,
                    "reason": reason or False,
                    "user_id": self.env.uid,
                }
                for share in self
            ]
        )

    # -- actions -------------------------------------------------------------------------------------

    def action_write_off(self):
        """Ask for the reason, then book the loss."""
        return self._open_wizard("health.share.write.off", self.env._("Write off"))

    def action_undo_write_off(self):
        """The debtor pays after all, or it was a mistake: what was lost is owed again."""
        self.check_access("write")
        wrong = self.filtered(lambda share: share.closing != "written_off")
        if wrong:
            raise UserError(self.env._("%s is not written off.", wrong[0].name))
        limit = self.env["health.parameter"].value_of("write_off_limit")
        # what only a manager may give up, only a manager takes back
        if any(cents(share.amount) > limit for share in self) and not self.env.user.has_group(
            "health_billing.group_manager"
        ):
            raise AccessError(self.env._("Ask a manager to undo this write-off."))
        self._undo_closing("write_off_undone")
        return True

    def action_dispute(self):
        """Ask what the dispute is about."""
        return self._open_wizard("health.share.dispute", self.env._("Open a dispute"))

    def action_end_dispute(self):
        """The dispute is over: the share is again what the other facts make it."""
        self.check_access("write")
        disputed = self.filtered("disputed_on")
        if not disputed:
            raise UserError(self.env._("None of these shares is in dispute."))
        disputed.sudo().write(
            {"disputed_on": False, "dispute_reason": False, "disputed_by_id": False}
        )
        disputed._decide("dispute_ended", False)
        return True

    def _dispute(self, reason):
        self.check_access("write")
        if not (reason or "").strip():
            raise UserError(self.env._("Say why: the reason stays with the share."))
        wrong = self.filtered(lambda share: share.state in ("draft", *CLOSED))
        if wrong:
            raise UserError(
                self.env._(
                    "%(share)s is not open (%(state)s): there is nothing to dispute.",
                    share=wrong[0].name,
                    state=wrong[0]._state_label(),
                )
            )
        self.sudo().write(
            {
                "disputed_on": fields.Date.context_today(self),
                "dispute_reason": reason.strip(),
                "disputed_by_id": self.env.uid,
            }
        )
        self._decide("disputed", reason.strip())

    def _open_wizard(self, model, title):
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": model,
            "view_mode": "form",
            "target": "new",
            "context": {"default_share_ids": [fields.Command.set(self.ids)]},
        }

    # -- timeline ------------------------------------------------------------------------------------

    timeline = fields.Html(compute="_compute_timeline", compute_sudo=True, sanitize=False)

    def _compute_timeline(self):
        fses = self.fse_id
        events = fses._events()
        for share in self:
            own = [
                event
                for event in events.get(share.fse_id.id, [])
                if event["part"] in ("", share.debtor_kind)
            ]
            share.timeline = fses._timeline_html(own)
