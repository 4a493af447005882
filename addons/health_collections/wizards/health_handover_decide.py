from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents, euros

from ..models.health_handover_event import STATUSES


class HealthHandoverDecide(models.TransientModel):
    """Decide about files, with the reason; or note what the professional says."""

    _name = "health.handover.decide"
    _description = "Decide about Hand-overs"

    handover_ids = fields.Many2many("health.handover", string="Files", required=True)
    decision = fields.Selection(
        [
            ("approve", "Approve"),
            ("consent", "Signed agreement"),
            ("refuse", "Refuse"),
            ("status", "News"),
            ("withdraw", "Withdraw"),
            ("write_off", "Write off"),
        ],
        required=True,
    )
    refused_by = fields.Selection(
        [("agency", "The agency"), ("practitioner", "The practitioner")],
        default="agency",
    )
    reason = fields.Char("Why")
    status = fields.Selection(STATUSES, string="What they say")
    status_amount = fields.Monetary("Paid to them")
    status_on = fields.Date("On", default=fields.Date.context_today)
    attachment_ids = fields.Many2many("ir.attachment", string="Signed agreement")
    count = fields.Integer("Number of files", compute="_compute_count")
    amount = fields.Monetary("Left to pay", compute="_compute_count")
    currency_id = fields.Many2one("res.currency", compute="_compute_count")
    caution = fields.Text(compute="_compute_count")
    needs_manager = fields.Boolean(compute="_compute_count")

    @api.depends("handover_ids")
    def _compute_count(self):
        for wizard in self:
            files = wizard.handover_ids
            wizard.count = len(files)
            wizard.amount = euros(sum(cents(file.amount_left) for file in files))
            wizard.currency_id = files.currency_id[:1]
            wizard.caution = "\n".join(
                f"{file.name} : {file.caution}" for file in files if file.caution
            )
            wizard.needs_manager = not files._may_lose()

    def action_decide(self):
        self.ensure_one()
        getattr(self, f"_do_{self.decision}")()
        return {"type": "ir.actions.act_window_close"}

    def _do_approve(self):
        self.handover_ids._approve(self.reason)

    def _do_consent(self):
        self.handover_ids._consent("paper", self.attachment_ids)

    def _do_refuse(self):
        self.handover_ids.check_access("write")
        self.handover_ids._refuse(self.refused_by or "agency", self.reason)

    def _do_status(self):
        files = self.handover_ids
        files.check_access("write")
        day = self.status_on or fields.Date.context_today(self)
        if not self.status:
            raise UserError(self.env._("Choose what the professional says."))
        if day > fields.Date.context_today(self):
            raise UserError(self.env._("News are of today or before: mend the date."))
        if self.status == "paid" and len(files) > 1:
            raise UserError(self.env._("Note a payment file by file."))
        files._set_status(self.status, day, cents(self.status_amount), self.reason)

    def _do_withdraw(self):
        self.handover_ids._withdraw(self.reason)

    def _do_write_off(self):
        self.handover_ids._ask_loss(self.reason)
