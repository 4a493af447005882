from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.health_billing.models.health_share_closing import PLAIN
from odoo.addons.health_billing.tools import QUIET, cents, euros, format_cents

from ..dunning.allocation import Debt, allocate

#: ways to pay whose money is on the way to the bank until a statement shows it
ON_THE_WAY = ("cheque", "card", "transfer")


class HealthReceipt(models.Model):
    """Money that a patient paid otherwise than on their page: cheque, cash, card terminal, transfer.

    One entry per receipt: what came in on one side, one item per share on the other, reconciled at once. Undoing it
    (a cheque that bounced, a mistake) frees the shares and books the opposite entry: nothing posted disappears.
    """

    _name = "health.receipt"
    _description = "Receipt"
    _inherit = ["health.told"]
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char("Number", required=True, readonly=True, copy=False, default="/")
    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, index=True, readonly=True
    )
    partner_id = fields.Many2one(
        "res.partner", string="Paid by", required=True, index=True, readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date("Received on", required=True, readonly=True)
    mode = fields.Selection(
        [("cheque", "Cheque"), ("cash", "Cash"), ("card", "Card"), ("transfer", "Transfer")],
        string="Means",
        required=True,
        readonly=True,
        index=True,
    )
    amount = fields.Monetary(required=True, readonly=True)
    reference = fields.Char(
        readonly=True, help="Number of the cheque, of the terminal's ticket, or of the transfer."
    )
    bank = fields.Char("Bank of the cheque", readonly=True)
    holder = fields.Char("Drawn by", readonly=True, help="Empty: whoever paid.")
    user_id = fields.Many2one("res.users", string="By", readonly=True)
    line_ids = fields.One2many("health.receipt.line", "receipt_id", "Shares paid", readonly=True)
    share_ids = fields.Many2many("health.share", string="Shares", compute="_compute_share_ids")
    move_id = fields.Many2one("account.move", "Entry", readonly=True, index="btree_not_null")
    statement_line_id = fields.Many2one(
        "account.bank.statement.line", "Bank line", readonly=True, index="btree_not_null"
    )
    deposit_id = fields.Many2one(
        "health.deposit", "Deposit", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    excess = fields.Monetary(
        "Paid too much",
        compute="_compute_excess",
        store=True,
        help="To be given back, or to be used later.",
    )
    is_in_bank = fields.Boolean("In the bank", compute="_compute_is_in_bank", store=True)
    state = fields.Selection(
        [("booked", "Booked"), ("bounced", "Unpaid"), ("undone", "Undone")],
        required=True,
        readonly=True,
        default="booked",
        index=True,
    )
    undo_move_id = fields.Many2one("account.move", "Opposite entry", readonly=True)
    undone_on = fields.Date(readonly=True)
    undo_reason = fields.Char("Why", readonly=True)

    @api.depends("line_ids.share_id")
    def _compute_share_ids(self):
        for receipt in self:
            receipt.share_ids = receipt.line_ids.share_id

    @api.depends("state", "move_id.line_ids.amount_residual", "line_ids.item_id")
    def _compute_excess(self):
        for receipt in self:
            items = receipt.sudo()._credit_items() if receipt.state == "booked" else ()
            receipt.excess = euros(sum(-cents(item.amount_residual) for item in items))

    @api.depends("state", "mode", "statement_line_id", "move_id.line_ids.reconciled")
    def _compute_is_in_bank(self):
        for receipt in self:
            receipt.is_in_bank = receipt.state == "booked" and (
                bool(receipt.statement_line_id)
                or (receipt.mode in ON_THE_WAY and receipt.sudo()._money_item().reconciled)
            )

    def _credit_items(self):
        """Receivable items of the entry: what was given to each share, and what was too much."""
        items = self.move_id.line_ids.filtered(
            lambda item: item.account_id.account_type == "asset_receivable"
        )
        if self.statement_line_id:
            # a statement line may hold more than this receipt
            return items & self.line_ids.item_id
        return items

    def _money_item(self):
        self.ensure_one()
        if self.statement_line_id:
            return self.move_id.line_ids.browse()
        return self.move_id.line_ids.filtered(
            lambda item: item.account_id.account_type != "asset_receivable"
        )[:1]

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                vals["name"] = self.env["ir.sequence"].sudo().next_by_code("health.receipt") or "/"
        return super().create(vals_list)

    # -- what is paid --------------------------------------------------------------------------------

    @api.model
    def _owed(self, partner, company):
        """What this person can pay this practitioner: their own shares and those they settle."""
        return (
            self.env["health.share"]
            .sudo()
            .search(
                [
                    ("debtor_kind", "=", "patient"),
                    ("partner_id", "in", partner._health_settles_for().ids),
                    ("company_id", "=", company.id),
                    ("move_id.state", "=", "posted"),
                    ("amount_residual", ">", 0),
                    ("state", "in", ("due", "partial", "disputed")),
                    ("is_replaced", "=", False),
                ],
                order="due_date, fse_date, id",
            )
        )

    @api.model
    def _payers_of(self, shares):
        """Who may pay these shares: their patients and whoever settles for them."""
        patients = shares.sudo().partner_id
        return patients | patients.health_debtor_id

    @api.model
    def _allocation(self, amount, shares, day, chosen=()):
        """Which shares an amount settles, in the order of the law: see `dunning.allocation`.

        :param chosen: shares that the payer named, in their order.
        :return: (list of (share, cents), cents that found nothing to pay)
        """
        debts = [
            Debt(
                share.id,
                cents(share.amount_residual),
                share.fse_date,
                share.due_date,
                # nobody wishes to settle first what they dispute
                weight=-1 if share.disputed_on else 0,
            )
            for share in shares
        ]
        parts, over = allocate(amount, debts, day, [share.id for share in chosen])
        by_id = {share.id: share for share in shares}
        return [(by_id[part.key], part.principal) for part in parts], over

    # -- booking -------------------------------------------------------------------------------------

    @api.model
    def _check_parts(self, company, parts, amount):
        """Nobody else books on these shares meanwhile, and they owe what is about to be paid.

        :raises UserError: what is wrong, where; nothing is then booked.
        """
        shares = self.env["health.share"].sudo().union(*[share.sudo() for share, _cents in parts])
        if len(shares.try_lock_for_update()) != len(shares):
            raise UserError(
                self.env._("Somebody else is booking on these shares: try again in a moment.")
            )
        shares.invalidate_recordset(["amount_residual", "state"])
        if shares.company_id - company:
            raise UserError(
                self.env._("A payment is for one practitioner: choose their shares only.")
            )
        for share, part in parts:
            if part <= 0 or part > cents(share.sudo().amount_residual):
                raise UserError(
                    self.env._(
                        "%(share)s still owes %(left)s: %(part)s cannot be booked on it.",
                        share=share.sudo().name,
                        left=format_cents(cents(share.sudo().amount_residual)),
                        part=format_cents(part),
                    )
                )
        if sum(part for _share, part in parts) > amount:
            raise UserError(
                self.env._(
                    "More is given to the shares than was received: lower one of the amounts."
                )
            )
        being_paid = shares._shares_being_paid()
        if being_paid:
            raise UserError(
                self.env._(
                    "A payment on the patient's page is under way for %s: wait for its outcome, or leave it out.",
                    being_paid[0].name,
                )
            )

    @api.model
    def _receive(self, company, partner, mode, day, amount, parts, **values):
        """Book money received, and close what it pays.

        :param amount: cents received.
        :param parts: list of (share, cents); what is over stays as a credit of the payer.
        :return: the receipt.
        """
        company = company.sudo()
        if amount <= 0:
            raise UserError(self.env._("Enter the amount received."))
        if day > fields.Date.context_today(self):
            raise UserError(self.env._("The day of the payment is still to come: correct it."))
        limit = self.env["health.parameter"].value_of("cash_limit")
        if mode == "cash" and amount > limit:
            raise UserError(
                self.env._(
                    "Cash above %s may not be taken by law: ask for a card, a cheque or a transfer.",
                    format_cents(limit),
                )
            )
        self._check_parts(company, parts, amount)
        Share = self.env["health.share"]
        items = Share.union(*[share for share, _part in parts])._receivable_items()
        receipt = self.sudo().create(
            {
                "company_id": company.id,
                "partner_id": partner.id,
                "mode": mode,
                "date": day,
                "amount": euros(amount),
                "user_id": self.env.uid,
                **values,
            }
        )
        rows = [(share, items[share.id].account_id, part) for share, part in parts]
        over = amount - sum(part for _share, part in parts)
        move, given = receipt._book_entry(rows, over, amount)
        Share._reconcile_pairs(
            [items[share.id] + item for (share, _part), item in zip(parts, given, strict=False)]
        )
        receipt._keep(move, parts, given)
        return receipt

    def _keep(self, move, parts, given):
        """Note what was paid by which item, and look at the reminders anew."""
        self.ensure_one()
        self.write(
            {
                "move_id": move.id,
                "line_ids": [
                    fields.Command.create(
                        {"share_id": share.id, "amount": euros(part), "item_id": item.id}
                    )
                    for (share, part), item in zip(parts, given, strict=False)
                ]
                + [
                    # what is over has no share
                    fields.Command.create({"amount": -item.balance, "item_id": item.id})
                    for item in given[len(parts) :]
                ],
            }
        )
        shares = self.line_ids.share_id
        self.env["health.contact"].sudo()._cancel(
            shares.filtered(lambda share: share.state == "paid"), self.env._("Paid meanwhile.")
        )
        shares._dunning_refresh(fields.Date.context_today(self))

    def _book_rows(self, rows, over):
        """Values of the receivable items: one per share, then what is too much."""
        common = {"analytic_distribution": False, "tax_ids": [], "currency_id": self.currency_id.id}
        values = [
            {
                **common,
                "name": self.env._("FSE %s", share.fse_id.name),
                "partner_id": share.partner_id.id,
                "account_id": account.id,
                "balance": -euros(part),
                "amount_currency": -euros(part),
            }
            for share, account, part in rows
        ]
        if over:
            values.append(
                {
                    **common,
                    "name": self.env._("Paid too much"),
                    "partner_id": self.partner_id.id,
                    "account_id": self.company_id._health_account("patient").id,
                    "balance": -euros(over),
                    "amount_currency": -euros(over),
                }
            )
        return values

    def _book_entry(self, rows, over, amount):
        """:return: (entry, its receivable items in the order of the rows)"""
        self.ensure_one()
        money = {
            "name": self._money_label(),
            "partner_id": self.partner_id.id,
            "account_id": self.company_id._health_account(self.mode).id,
            "balance": euros(amount),
            "amount_currency": euros(amount),
            "analytic_distribution": False,
            "tax_ids": [],
        }
        move = self._post([money, *self._book_rows(rows, over)], self.date, self.name)
        # items are created in the order of their values: money, shares, what is too much
        return move, move.line_ids.sorted("id")[1:]

    def _money_label(self):
        labels = dict(self._fields["mode"]._description_selection(self.env))
        return " ".join(filter(None, (labels[self.mode], self.reference)))

    def _post(self, values, day, label):
        company = self.company_id
        move = (
            self.env["account.move"]
            .sudo()
            .with_company(company)
            .with_context(**QUIET)
            .create(
                {
                    "move_type": "entry",
                    "journal_id": company._health_receipt_journal().id,
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

    def _check_person(self):
        self.check_access("read")
        if not self.env.su and not self.env.user.has_group("health_billing.group_biller"):
            raise AccessError(self.env._("Only the billing agency books payments of patients."))

    def action_undo(self):
        self._check_person()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Undo the receipt"),
            "res_model": "health.receipt.undo",
            "view_mode": "form",
            "target": "new",
            "context": {"default_receipt_ids": [fields.Command.set(self.ids)]},
        }

    def _undo(self, state, reason):
        """The shares are owed again, and the opposite entry is booked.

        :param state: bounced (the bank did not pay) or undone (a mistake).
        """
        self._check_person()
        if not (reason or "").strip():
            raise UserError(self.env._("Say why: the reason stays with the receipt."))
        wrong = self.filtered(lambda receipt: receipt.state != "booked")
        if wrong:
            raise UserError(self.env._("%s is undone already.", wrong[0].name))
        if len(self.sudo().try_lock_for_update()) != len(self):
            raise UserError(
                self.env._("Somebody else is booking on these receipts: try again in a moment.")
            )
        if state == "undone":
            gone = self.filtered(lambda one: one.deposit_id and one.deposit_id.state != "draft")
            if gone:
                raise UserError(
                    self.env._(
                        "%(receipt)s left with the deposit %(deposit)s: it is no mistake any more, only unpaid.",
                        receipt=gone[0].name,
                        deposit=gone[0].deposit_id.name,
                    )
                )
        for receipt in self.sudo():
            if receipt.statement_line_id:
                # this takes the receipt along: see `account.bank.statement.line`
                receipt.statement_line_id.with_env(self.env).sudo().action_undo_reconciliation()
                receipt._note_undone(state, reason)
            else:
                receipt._undo_entry(state, reason)
        shares = self.sudo().line_ids.share_id
        shares._dunning_refresh(fields.Date.context_today(self))
        return True

    def _undo_entry(self, state, reason):
        self.ensure_one()
        items = self.move_id.line_ids.sorted("id")
        credits = items.filtered(lambda item: item.account_id.account_type == "asset_receivable")
        credits.matched_debit_ids.with_context(**PLAIN).unlink()
        values = [
            {
                "name": item.name,
                "partner_id": item.partner_id.id,
                "account_id": item.account_id.id,
                "balance": -item.balance,
                "amount_currency": -item.balance,
                "analytic_distribution": False,
                "tax_ids": [],
            }
            for item in items
        ]
        day = fields.Date.context_today(self)
        move = self._post(values, day, self.env._("%s undone", self.name))
        self.env["health.share"]._reconcile_pairs(
            [
                item + other
                for item, other in zip(items, move.line_ids.sorted("id"), strict=True)
                # cash needs no reconciling; what the bank has paid already waits for its debit
                if item.account_id.reconcile and not item.reconciled
            ]
        )
        self._note_undone(state, reason, move)

    def _note_undone(self, state, reason, move=None):
        self.write(
            {
                "state": state,
                "undo_reason": (reason or "").strip(),
                "undone_on": fields.Date.context_today(self),
                "undo_move_id": move.id if move else False,
            }
        )
        draft = self.filtered(lambda one: one.deposit_id.state == "draft")
        draft.write({"deposit_id": False})

    # -- what was paid too much ----------------------------------------------------------------------

    def action_use_excess(self):
        """Give what was paid too much to what the payer owes now."""
        self._check_person()
        for receipt in self.sudo():
            item = receipt._credit_items().filtered(lambda one: not one.reconciled)
            owed = self._owed(receipt.partner_id, receipt.company_id)
            if not item or not owed:
                raise UserError(
                    self.env._(
                        "%s owes nothing that it could be given to.", receipt.partner_id.name
                    )
                )
            items = owed._receivable_items()
            parts, _over = self._allocation(
                cents(receipt.excess), owed, fields.Date.context_today(self)
            )
            for share, _part in parts:
                self.env["health.share"]._reconcile_pairs([items[share.id] + item])
            receipt.line_ids.create(
                [
                    {
                        "receipt_id": receipt.id,
                        "share_id": share.id,
                        "amount": euros(part),
                        "item_id": item.id,
                    }
                    for share, part in parts
                ]
            )
            extra = receipt.line_ids.filtered(lambda line: not line.share_id)
            extra.write({"amount": receipt.excess})
            extra.filtered(lambda line: not cents(line.amount)).unlink()
            owed._dunning_refresh(fields.Date.context_today(self))
        return True

    # -- paper ---------------------------------------------------------------------------------------

    def _told_amount(self):
        self.ensure_one()
        return self.amount

    def _told_report(self):
        return "health_collections.action_report_receipt"

    def _amount_text(self, amount):
        return self.env["health.payment.link"]._money(cents(amount))

    def _mode_text(self):
        """The means of payment, in French, for the paper: number of a cheque, never of a card."""
        self.ensure_one()
        names = {
            "cheque": "chèque",
            "cash": "espèces",
            "card": "carte bancaire",
            "transfer": "virement",
        }
        number = f" n° {self.reference}" if self.mode == "cheque" and self.reference else ""
        return names[self.mode] + number

    def action_print(self):
        self.check_access("read")
        return self.env.ref("health_collections.action_report_receipt").report_action(
            self, config=False
        )

    def action_deposit(self):
        """Put these cheques on a slip for the bank."""
        deposits = self.env["health.deposit"]._make(self)
        action = self.env["ir.actions.act_window"]._for_xml_id("health_collections.action_deposit")
        action["domain"] = [("id", "in", deposits.ids)]
        if len(deposits) == 1:
            action.update(res_id=deposits.id, views=[[False, "form"]])
        return action

    def action_send(self):
        """Send the payer their receipt."""
        self._check_person()
        gone = self.filtered(lambda receipt: receipt.state != "booked")
        if gone:
            raise UserError(self.env._("%s is undone: no receipt is sent for it.", gone[0].name))
        self._tell("receipt", "receipt")
        return True
