from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents, euros


class HealthPatientPayment(models.TransientModel):
    """A patient pays by cheque, in cash, at the card terminal or by transfer: which shares that closes."""

    _name = "health.patient.payment"
    _description = "Payment of a Patient"

    partner_id = fields.Many2one("res.partner", "Paid by", required=True)
    company_id = fields.Many2one("res.company", "Practitioner", required=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    mode = fields.Selection(
        [("cheque", "Cheque"), ("cash", "Cash"), ("card", "Card"), ("transfer", "Transfer")],
        "Means",
        required=True,
        default="cheque",
    )
    date = fields.Date("Received on", required=True, default=fields.Date.context_today)
    statement_line_id = fields.Many2one(
        "account.bank.statement.line",
        "Bank line",
        domain="[('company_id', '=', company_id), ('amount', '>', 0), ('is_reconciled', '=', False)]",
        help="The transfer, when the statement shows it already. Else it is waited for.",
    )
    amount = fields.Monetary("Amount received", required=True)
    reference = fields.Char("Number", help="Number of the cheque or of the terminal's ticket.")
    bank = fields.Char("Bank of the cheque")
    holder = fields.Char("Drawn by", help="Only when it is somebody else than who pays.")
    share_ids = fields.Many2many("health.share", string="Chosen first")
    line_ids = fields.One2many(
        "health.patient.payment.line",
        "wizard_id",
        "Shares paid",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    owed = fields.Monetary("Owed in all", compute="_compute_owed")
    excess = fields.Monetary("Paid too much", compute="_compute_excess")
    to_send = fields.Boolean("Send the receipt by e-mail")

    @api.model
    def _open(self, partner, company, shares=None):
        owed = self.env["health.receipt"]._owed(partner, company)
        if not owed:
            raise UserError(self.env._("%s owes nothing to pay here.", partner.name))
        chosen = (shares or owed.browse()) & owed
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Payment received"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_partner_id": partner.id,
                "default_company_id": company.id,
                "default_amount": euros(
                    sum(cents(share.amount_residual) for share in chosen or owed)
                ),
                "default_share_ids": [fields.Command.set(chosen.ids)],
                "default_to_send": bool(partner.email),
            },
        }

    @api.depends("partner_id", "company_id")
    def _compute_owed(self):
        for wizard in self:
            wizard.owed = euros(sum(cents(share.amount_residual) for share in wizard._owed()))

    def _owed(self):
        self.ensure_one()
        Receipt = self.env["health.receipt"]
        if not self.partner_id or not self.company_id:
            return self.env["health.share"]
        return Receipt._owed(self.partner_id._origin, self.company_id._origin).with_env(self.env)

    @api.onchange("statement_line_id")
    def _onchange_statement_line_id(self):
        if self.statement_line_id:
            self.mode = "transfer"
            self.amount = self.statement_line_id.amount
            self.date = self.statement_line_id.date

    @api.onchange("mode")
    def _onchange_mode(self):
        if self.mode != "transfer":
            self.statement_line_id = False

    @api.depends("partner_id", "company_id", "amount", "date", "share_ids")
    def _compute_line_ids(self):
        Receipt = self.env["health.receipt"]
        for wizard in self:
            commands = [fields.Command.clear()]
            owed = wizard._owed()
            if owed and wizard.date:
                parts, _over = Receipt._allocation(
                    max(cents(wizard.amount), 0), owed, wizard.date, wizard.share_ids._origin
                )
                paid = {share.id: part for share, part in parts}
                commands += [
                    fields.Command.create(
                        {"share_id": share.id, "amount": euros(paid.get(share.id, 0))}
                    )
                    for share in owed
                ]
            wizard.line_ids = commands

    @api.depends("amount", "line_ids.amount")
    def _compute_excess(self):
        for wizard in self:
            wizard.excess = euros(
                cents(wizard.amount) - sum(cents(line.amount) for line in wizard.line_ids)
            )

    def action_book(self):
        """Book the payment and show the receipt."""
        self.ensure_one()
        Receipt = self.env["health.receipt"]
        Receipt._check_person()
        self.line_ids.share_id.check_access("write")
        parts = [
            (line.share_id.sudo(), cents(line.amount))
            for line in self.line_ids
            if cents(line.amount)
        ]
        if self.partner_id not in Receipt._payers_of(self.line_ids.share_id) and parts:
            raise UserError(
                self.env._("These shares are not owed by %s: begin again.", self.partner_id.name)
            )
        if self.statement_line_id and self.mode == "transfer":
            self.statement_line_id.check_access("write")
            if cents(self.statement_line_id.amount) != cents(self.amount):
                raise UserError(self.env._("The bank line is not of that amount: choose it again."))
            receipt = Receipt._receive_line(self.statement_line_id, self.partner_id, parts)
        else:
            receipt = Receipt._receive(
                self.company_id,
                self.partner_id,
                self.mode,
                self.date,
                cents(self.amount),
                parts,
                reference=self.reference,
                bank=self.bank if self.mode == "cheque" else False,
                holder=self.holder if self.mode == "cheque" else False,
            )
        if self.to_send:
            receipt._tell("receipt", "receipt")
        return {
            "type": "ir.actions.act_window",
            "res_model": "health.receipt",
            "res_id": receipt.id,
            "view_mode": "form",
        }
