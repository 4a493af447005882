from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.health_billing.tools import cents, euros


class HealthDeposit(models.Model):
    """Cheques brought to the bank together: the slip that goes with them, and the credit that they become."""

    _name = "health.deposit"
    _description = "Cheque Deposit"
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char("Number", required=True, readonly=True, copy=False, default="/")
    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, index=True, readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date("Brought on", required=True, readonly=True)
    receipt_ids = fields.One2many("health.receipt", "deposit_id", "Cheques", readonly=True)
    amount = fields.Monetary(compute="_compute_amount", store=True)
    count = fields.Integer("How many", compute="_compute_amount", store=True)
    state = fields.Selection(
        [("draft", "To bring"), ("brought", "Brought to the bank"), ("credited", "Credited")],
        compute="_compute_state",
        store=True,
        index=True,
    )
    is_brought = fields.Boolean(readonly=True)
    user_id = fields.Many2one("res.users", string="By", readonly=True)

    @api.depends("receipt_ids.amount", "receipt_ids.state")
    def _compute_amount(self):
        for deposit in self:
            # a cheque that bounced was on the slip all the same
            deposit.count = len(deposit.receipt_ids)
            deposit.amount = euros(sum(cents(receipt.amount) for receipt in deposit.receipt_ids))

    @api.depends("is_brought", "receipt_ids.is_in_bank", "receipt_ids.state")
    def _compute_state(self):
        for deposit in self:
            receipts = deposit.receipt_ids
            waited = receipts.filtered(lambda one: one.state == "booked")
            if receipts and all(waited.mapped("is_in_bank")):
                deposit.state = "credited"
            else:
                deposit.state = "brought" if deposit.is_brought else "draft"

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                vals["name"] = self.env["ir.sequence"].sudo().next_by_code("health.deposit") or "/"
        return super().create(vals_list)

    @api.model
    def _make(self, receipts):
        """One slip per practitioner for the cheques chosen.

        :raises UserError: none can be brought, or one is on a slip already.
        """
        receipts.check_access("read")
        if not self.env.su and not self.env.user.has_group("health_billing.group_biller"):
            raise AccessError(self.env._("Only the billing agency prepares deposits."))
        wrong = receipts.filtered(
            lambda one: (
                one.mode != "cheque" or one.state != "booked" or one.deposit_id or one.is_in_bank
            )
        )
        if wrong or not receipts:
            raise UserError(
                self.env._("%s is no cheque that waits for a deposit.", wrong[0].name)
                if wrong
                else self.env._("Choose the cheques to bring to the bank.")
            )
        deposits = self.sudo()
        for company, own in receipts.sudo().grouped("company_id").items():
            deposit = self.sudo().create(
                {
                    "company_id": company.id,
                    "date": fields.Date.context_today(self),
                    "user_id": self.env.uid,
                }
            )
            own.write({"deposit_id": deposit.id})
            deposits |= deposit
        return deposits.with_env(self.env)

    def _check_draft(self):
        self.check_access("read")
        if not self.env.su and not self.env.user.has_group("health_billing.group_biller"):
            raise AccessError(self.env._("Only the billing agency prepares deposits."))
        wrong = self.filtered(lambda deposit: deposit.state != "draft")
        if wrong:
            raise UserError(self.env._("%s was brought to the bank already.", wrong[0].name))

    def action_bring(self):
        """The cheques are at the bank: their credit is waited for."""
        self._check_draft()
        self.sudo().write({"is_brought": True, "date": fields.Date.context_today(self)})
        return True

    def action_empty(self):
        """Take the slip apart: its cheques may go on another one."""
        self._check_draft()
        self.sudo().receipt_ids.write({"deposit_id": False})
        self.sudo().unlink()
        return self.env["ir.actions.act_window"]._for_xml_id("health_collections.action_deposit")

    def _bank_account(self):
        """IBAN of the practitioner's account, by groups of four; empty when none is known."""
        self.ensure_one()
        link = self.env["health.payment.link"].new({"company_id": self.company_id.id})
        return link._bank_transfer().get("iban", "")

    def action_print(self):
        self.check_access("read")
        return self.env.ref("health_collections.action_report_deposit").report_action(
            self, config=False
        )
