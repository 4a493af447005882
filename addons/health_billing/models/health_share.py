from dataclasses import replace
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..ngap import Clock
from ..tools import QUIET

#: contexts that spare the accounting engine what our complete, untaxed, two-item invoices do not need
FAST = {**QUIET, "skip_invoice_sync": True}
#: invoices per batch of posting: memory stays flat
BATCH = 500
#: sent, and the payer has not said a word of the money yet
WAITING = ("sent", "acknowledged", "arl_missing", "silent")
#: nothing is left to pay, and nobody has to do anything
CLOSED = ("paid", "replaced", "written_off")
#: what only the product itself writes, through its own actions
SEALED_FIELDS = frozenset(
    {
        "closing",
        "closing_move_id",
        "closing_reason",
        "closed_on",
        "closed_by_id",
        "dispute_reason",
        "disputed_on",
        "disputed_by_id",
        "silent_on",
    }
)


class HealthShare(models.Model):
    """What one debtor (fund, complementary insurer, patient) owes for one FSE.

    A share is one customer invoice of its debtor. Its state is derived from facts: sent, acknowledged, announced
    by the payer, rejected, silent, disputed, closed otherwise than by a payment, and what is left to pay on the
    invoice; nobody types it.
    """

    _name = "health.share"
    _description = "FSE Share"
    _order = "fse_date desc, id desc"
    _rec_name = "name"

    name = fields.Char(compute="_compute_name", compute_sudo=True)
    fse_id = fields.Many2one(
        "health.fse", required=True, index=True, ondelete="cascade", string="FSE"
    )
    company_id = fields.Many2one(
        related="fse_id.company_id", store=True, index=True, string="Practitioner"
    )
    currency_id = fields.Many2one(related="fse_id.currency_id", store=True)
    patient_id = fields.Many2one(related="fse_id.patient_id", store=True, index=True)
    fse_date = fields.Date(related="fse_id.fse_date", store=True)
    sent_on = fields.Date(related="fse_id.sent_on", store=True)
    debtor_kind = fields.Selection(
        [("amo", "AMO"), ("amc", "AMC"), ("patient", "Patient")], required=True, index=True
    )
    partner_id = fields.Many2one("res.partner", string="Debtor", required=True, index=True)
    amount = fields.Monetary(required=True)
    due_date = fields.Date(required=True)
    forclusion_date = fields.Date(
        "Forfeited from",
        compute="_compute_forclusion_date",
        store=True,
        index="btree_not_null",
        help="First day on which the payer can no longer be asked; the share of a patient has none.",
    )
    last_day = fields.Date("Last day to claim", compute="_compute_last_day")
    days_left = fields.Integer(compute="_compute_last_day")
    move_id = fields.Many2one("account.move", string="Invoice", index="btree_not_null", copy=False)
    announced_amount = fields.Monetary(
        copy=False, help="What the payer's return says is paid, before the bank proves it."
    )
    is_rejected = fields.Boolean(
        "Rejected", copy=False, help="An open rejection stands against this share."
    )
    is_replaced = fields.Boolean(
        "Replaced",
        compute="_compute_is_replaced",
        compute_sudo=True,
        search="_search_is_replaced",
        help="Another FSE corrects this one. Who sees shares but no care asks by this field.",
    )
    closing = fields.Selection(
        [("replaced", "Billed again under another number"), ("written_off", "Written off")],
        string="Closed without payment",
        copy=False,
        readonly=True,
    )
    closing_move_id = fields.Many2one(
        "account.move",
        string="Closing entry",
        copy=False,
        readonly=True,
        index="btree_not_null",
        help="The credit note, or the entry of the loss, that took what was left to pay.",
    )
    closing_reason = fields.Char(copy=False, readonly=True)
    closed_on = fields.Date(copy=False, readonly=True)
    closed_by_id = fields.Many2one("res.users", copy=False, readonly=True)
    disputed_on = fields.Date("In dispute since", copy=False, readonly=True)
    dispute_reason = fields.Char(copy=False, readonly=True)
    disputed_by_id = fields.Many2one("res.users", copy=False, readonly=True)
    silent_on = fields.Date(
        "Silent since",
        copy=False,
        readonly=True,
        index="btree_not_null",
        help="Night that found no answer although the payer's usual delay was over.",
    )
    decision_ids = fields.One2many("health.share.decision", "share_id", string="Decisions")
    amount_residual = fields.Monetary("Left to pay", compute="_compute_state", store=True)
    state = fields.Selection(
        [
            ("draft", "To post"),
            ("to_send", "To send"),
            ("sent", "Sent"),
            ("acknowledged", "ARL received"),
            ("arl_refused", "Lot refused"),
            ("arl_missing", "ARL missing"),
            ("silent", "Silent"),
            ("announced", "Announced"),
            ("partial", "Partly paid"),
            ("rejected", "Rejected"),
            ("disputed", "In dispute"),
            ("due", "Patient to pay"),
            ("paid", "Paid"),
            ("replaced", "Replaced"),
            ("written_off", "Written off"),
        ],
        compute="_compute_state",
        store=True,
        index=True,
    )

    _debtor_uniq = models.Constraint(
        "UNIQUE(fse_id, debtor_kind)", "An FSE has one share per kind of debtor."
    )

    @api.depends("fse_id.name", "debtor_kind")
    def _compute_name(self):
        kinds = dict(self._fields["debtor_kind"]._description_selection(self.env))
        for share in self:
            share.name = f"{share.fse_id.name} · {kinds.get(share.debtor_kind, '')}"

    @api.depends(
        "amount",
        "move_id.state",
        "move_id.amount_residual",
        "sent_on",
        "announced_amount",
        "is_rejected",
        "debtor_kind",
        "closing",
        "closing_move_id.state",
        "disputed_on",
        "silent_on",
    )
    def _compute_state(self):
        for share in self:
            posted = share.move_id.state == "posted"
            share.amount_residual = share.move_id.amount_residual if posted else share.amount
            share.state = share._state_from_facts(posted)

    @api.depends(
        "debtor_kind",
        "partner_id.health_forclusion_months",
        "fse_id.fse_date",
        "fse_id.act_ids.act_date",
    )
    def _compute_forclusion_date(self):
        clocks = self._forclusion_clocks()
        for share in self:
            clock = clocks.get(share.debtor_kind)
            if clock and share.partner_id.health_forclusion_months:
                clock = replace(clock, months=share.partner_id.health_forclusion_months)
            days = [share.fse_id.fse_date, *share.fse_id.act_ids.mapped("act_date")]
            share.forclusion_date = clock and clock.first_forfeited(filter(None, days))

    @api.depends("debtor_kind", "fse_id.replaced_by_ids.billed_parts")
    def _compute_is_replaced(self):
        for share in self:
            share.is_replaced = any(
                share.debtor_kind in later._billed_kinds() for later in share.fse_id.replaced_by_ids
            )

    @api.model
    def _search_is_replaced(self, operator, value):
        if operator != "in":
            return NotImplemented
        Fse = self.env["health.fse"].sudo()
        domain = Domain.OR(
            Domain("debtor_kind", "=", kind)
            & Domain("fse_id", "in", Fse._search([("replaced_by_ids", "any", Fse._bills(kind))]))
            for kind in ("amo", "amc", "patient")
        )
        return domain if True in value else ~domain

    @api.depends("forclusion_date")
    def _compute_last_day(self):
        today = fields.Date.context_today(self)
        for share in self:
            limit = share.forclusion_date
            share.last_day = limit and limit - timedelta(days=1)
            share.days_left = (share.last_day - today).days if limit else 0

    @api.model
    def _forclusion_clocks(self):
        """Delay to claim, by kind of debtor; a debtor that is missing has none."""
        value_of = self.env["health.parameter"].value_of
        return {
            "amo": Clock(value_of("forclusion_months")),
            "amc": Clock(
                value_of("forclusion_amc_months"), bool(value_of("forclusion_amc_from_quarter"))
            ),
        }

    @api.model
    def _forclusion_recompute(self):
        """Count again what is still open, when a delay was changed."""
        shares = self.sudo().search(
            [
                ("state", "not in", CLOSED),
                ("debtor_kind", "in", list(self._forclusion_clocks())),
            ]
        )
        self.env.add_to_compute(self._fields["forclusion_date"], shares)
        fse_closed = ("settled", "replaced", "written_off")
        fses = self.env["health.fse"].sudo().search([("state", "not in", fse_closed)])
        self.env.add_to_compute(fses._fields["forclusion_date"], fses)

    def _state_from_facts(self, posted):
        """The state that the facts make; addons that know more facts refine `_state_of_sending`."""
        self.ensure_one()
        if not posted:
            return "draft"
        if self.currency_id.is_zero(self.amount_residual):
            return self.closing if self.closing_move_id.state == "posted" else "paid"
        if self.disputed_on:
            return "disputed"
        if self.is_rejected:
            return "rejected"
        if self.currency_id.compare_amounts(self.amount_residual, self.amount) < 0:
            return "partial"
        if self.debtor_kind == "patient":
            return "due"
        if not self.currency_id.is_zero(self.announced_amount):
            return "announced"
        return self._state_of_sending()

    def _state_of_sending(self):
        """State of a payer's share of whose money nothing is known yet."""
        self.ensure_one()
        if not self.sent_on:
            return "to_send"
        return "silent" if self.silent_on else "sent"

    @api.model
    def _due_date(self, debtor_kind, day):
        """Due date of a share of an FSE of that day: calendar days, by kind of debtor (parameters)."""
        return day + timedelta(
            days=self.env["health.parameter"].value_of(f"{debtor_kind}_due_days")
        )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_sealed(vals)
        return super().create(vals_list)

    def write(self, vals):
        """What a share's invoice says stays as it is booked."""
        self._check_sealed(vals)
        if {"fse_id", "debtor_kind", "partner_id", "amount", "move_id"} & vals.keys():
            self._check_not_booked()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_only_draft(self):
        self._check_not_booked()

    @api.model
    def _check_sealed(self, vals):
        if SEALED_FIELDS & vals.keys() and not self.env.su:
            raise AccessError(
                self.env._(
                    "A share is closed, disputed or silent through its actions, which keep the reason."
                )
            )

    def _check_not_booked(self):
        booked = self.filtered("move_id")
        if booked and not self.env.su:
            raise UserError(
                self.env._(
                    "The share %s is booked: correct it in the books, not here.", booked[0].name
                )
            )

    def _post_invoices(self):
        """Make and post the invoice of every share that has none, in batches.

        One receivable item and one income item each, labelled with the FSE number. The invoice number is
        the FSE number in the journal of its kind of debtor, so no sequence is locked.

        :return: the invoices made.
        """
        todo = self.filtered(lambda share: not share.move_id and share.amount)
        moves = self.env["account.move"].sudo()
        for company, shares in todo.grouped("company_id").items():
            journals = {kind: company._health_journal(kind) for kind in ("amo", "amc", "patient")}
            accounts = {
                kind: company._health_account(kind).id
                for kind in ("amo", "amc", "patient", "income")
            }
            Move = self.env["account.move"].sudo().with_company(company).with_context(**FAST)
            for start in range(0, len(shares), BATCH):
                batch = shares[start : start + BATCH]
                debtors = {
                    partner: partner._health_invoice_values(company) for partner in batch.partner_id
                }
                made = Move.create(
                    [
                        {
                            **share._prepare_invoice(journals, accounts),
                            **debtors[share.partner_id],
                        }
                        for share in batch
                    ]
                )
                made._health_post()
                for share, move in zip(batch, made, strict=True):
                    share.move_id = move
                moves += made
        self.env.flush_all()
        if len(moves) > BATCH:
            # with the statistics of an empty table the planner takes minutes over what should be instant
            for table in ("account_move", "account_move_line", "health_share", "health_fse"):
                self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
        return moves

    def _prepare_invoice(self, journals, accounts):
        self.ensure_one()
        fse = self.fse_id
        label = self.env._("FSE %s", fse.name)
        journal = journals[self.debtor_kind]
        return {
            "move_type": "out_invoice",
            "journal_id": journal.id,
            "company_id": self.company_id.id,
            "currency_id": self.currency_id.id,
            "partner_id": self.partner_id.id,
            # a number without any digit could not follow another: Odoo then numbers by itself
            "name": f"{journal.code}/{fse.name}" if any(map(str.isdigit, fse.name)) else False,
            "ref": label,
            "payment_reference": label,
            "invoice_date": fse.fse_date,
            "date": fse.fse_date,
            "invoice_date_due": self.due_date,
            "health_share_id": self.id,
            "line_ids": [
                fields.Command.create(
                    {
                        "display_type": "product",
                        "name": label,
                        "account_id": accounts["income"],
                        "quantity": 1,
                        "price_unit": self.amount,
                        "balance": -self.amount,
                        "amount_currency": -self.amount,
                        "tax_ids": [],
                        "analytic_distribution": False,
                    }
                ),
                fields.Command.create(
                    {
                        "display_type": "payment_term",
                        "name": label,
                        "account_id": accounts[self.debtor_kind],
                        "balance": self.amount,
                        "amount_currency": self.amount,
                        "date_maturity": self.due_date,
                        "analytic_distribution": False,
                    }
                ),
            ],
        }

    def action_open_invoice(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.move_id.id,
            "view_mode": "form",
        }
