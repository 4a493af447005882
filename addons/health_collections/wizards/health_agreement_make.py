from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents, euros


class HealthAgreementMake(models.TransientModel):
    """Settle with a debtor: forgive a part, or note that a conciliator was called."""

    _name = "health.agreement.make"
    _description = "Make an Agreement"

    share_ids = fields.Many2many("health.share", string="Shares", required=True)
    currency_id = fields.Many2one("res.currency", compute="_compute_owed")
    owed = fields.Monetary("Owed", compute="_compute_owed")
    kind = fields.Selection(
        [("reduction", "Forgive a part"), ("mediation", "Conciliator or mediator called")],
        required=True,
        default="reduction",
    )
    reduction = fields.Monetary("Forgiven")
    to_pay = fields.Monetary("Stays to be paid", compute="_compute_to_pay")
    when = fields.Selection(
        [("once_paid", "Once the rest is paid"), ("at_once", "At once")],
        string="The loss is booked",
        required=True,
        default="once_paid",
    )
    count = fields.Integer("Instalments", default=1)
    first_date = fields.Date("To be paid from", default=fields.Date.context_today)
    reason = fields.Char(required=True)
    consent = fields.Char("Consent of the practitioner")
    with_whom = fields.Char("Conciliator or mediator")

    @api.model
    def _open(self, shares):
        good = self.env["health.plan"]._spreadable(shares)
        if not good:
            raise UserError(
                self.env._("None of these shares is open: paid, disputed or in a plan already.")
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Make an agreement"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {"default_share_ids": [fields.Command.set(good.ids)]},
        }

    @api.depends("share_ids")
    def _compute_owed(self):
        for wizard in self:
            shares = wizard.share_ids
            wizard.currency_id = shares.currency_id[:1] or self.env.company.currency_id
            wizard.owed = euros(sum(cents(share.amount_residual) for share in shares))

    @api.depends("owed", "reduction")
    def _compute_to_pay(self):
        for wizard in self:
            wizard.to_pay = euros(cents(wizard.owed) - cents(wizard.reduction))

    def action_make(self):
        self.ensure_one()
        Agreement = self.env["health.agreement"]
        if self.kind == "mediation":
            agreement = Agreement._open_mediation(self.share_ids, self.with_whom, self.reason)
        else:
            agreement = Agreement._ask_reduction(
                self.share_ids,
                cents(self.reduction),
                self.reason,
                self.when,
                self.consent,
                self.count,
                self.first_date,
            )
        return {
            "type": "ir.actions.act_window",
            "res_model": "health.agreement",
            "res_id": agreement.id,
            "view_mode": "form",
        }
