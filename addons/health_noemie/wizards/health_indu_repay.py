from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents, format_cents

#: contexts under which the counterpart of a bank line may change
COUNTERPART = {
    "skip_account_move_synchronization": True,
    "skip_readonly_check": True,
    "tracking_disable": True,
}


class HealthInduRepay(models.TransientModel):
    """Say which bank movements (cheque, transfer) paid an overpayment back."""

    _name = "health.indu.repay"
    _description = "Repayment of an Overpayment"

    indu_id = fields.Many2one("health.indu", required=True)
    company_id = fields.Many2one(related="indu_id.company_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    balance = fields.Monetary(related="indu_id.balance")
    statement_line_ids = fields.Many2many(
        "account.bank.statement.line",
        string="Bank movements",
        compute="_compute_statement_line_ids",
        store=True,
        readonly=False,
        domain="[('company_id', '=', company_id), ('amount', '<', 0), ('is_reconciled', '=', False)]",
    )
    chosen = fields.Monetary(compute="_compute_chosen")

    @api.depends("indu_id")
    def _compute_statement_line_ids(self):
        """Propose the one movement of that very amount or that names the debt; never a choice of two."""
        for wizard in self:
            indu = wizard.indu_id
            lines = self.env["account.bank.statement.line"].search(
                [
                    ("company_id", "=", indu.company_id.id),
                    ("amount", "<", 0),
                    ("is_reconciled", "=", False),
                ]
            )
            keys = {indu._debt_key(indu.debt_ref), indu._debt_key(indu.reference)} - {False}
            named = lines.filtered(
                lambda line, keys=keys: any(
                    key in "".join((line.payment_ref or "").split()).upper() for key in keys
                )
            )
            wizard.statement_line_ids = named if len(named) == 1 else False

    @api.depends("statement_line_ids.amount")
    def _compute_chosen(self):
        for wizard in self:
            wizard.chosen = -sum(wizard.statement_line_ids.mapped("amount"))

    def action_confirm(self):
        """Book the movements on the account of retentions, and reconcile them with the debt.

        :raises UserError: nothing chosen, more than is left, or a movement that is explained already
        """
        self.ensure_one()
        indu, lines = self.indu_id, self.statement_line_ids
        indu.check_access("write")
        if not lines:
            raise UserError(self.env._("Choose the bank movements that paid it back."))
        wrong = lines.filtered(
            lambda line: (
                line.company_id != indu.company_id or line.amount >= 0 or line.is_reconciled
            )
        )
        if wrong:
            raise UserError(
                self.env._(
                    "The movement of %s is no open debit of this practitioner.",
                    wrong[0].date.strftime("%d/%m/%Y"),
                )
            )
        total = sum(cents(-line.amount) for line in lines)
        if total > cents(indu.balance):
            raise UserError(
                self.env._(
                    "%(chosen)s were chosen, %(left)s are left to pay back.",
                    chosen=format_cents(total),
                    left=format_cents(cents(indu.balance)),
                )
            )
        Booking = self.env["health.indu.booking"]
        account = indu.company_id._health_account("retention")
        items = self.env["account.move.line"].sudo()
        for line in lines.sudo():
            _liquidity, suspense, _others = line._seek_for_lines()
            items |= suspense
        items.with_context(**COUNTERPART).write(
            {
                "account_id": account.id,
                "partner_id": indu.payer_id.id,
                "name": Booking._label(indu),
                "health_indu_id": indu.id,
            }
        )
        Booking._book(indu)
        return {"type": "ir.actions.act_window_close"}
