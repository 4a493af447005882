from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents, euros


class HealthPaymentLinkWizard(models.TransientModel):
    """Shows a new payment link once: its address is kept nowhere, not even here."""

    _name = "health.payment.link.wizard"
    _description = "Payment Link"

    link_id = fields.Many2one(
        "health.payment.link", required=True, readonly=True, ondelete="cascade"
    )
    url = fields.Char("Address", store=False)
    partner_id = fields.Many2one(related="link_id.partner_id")
    company_id = fields.Many2one(related="link_id.company_id")
    expires_on = fields.Date(related="link_id.expires_on")
    email = fields.Char(related="link_id.partner_id.email")
    amount = fields.Monetary("Left to pay", compute="_compute_amount")
    currency_id = fields.Many2one(related="link_id.company_id.currency_id")

    @api.depends("link_id")
    def _compute_amount(self):
        for wizard in self:
            shares = wizard.link_id._open_shares() if wizard.link_id else self.env["health.share"]
            wizard.amount = euros(sum(cents(share.amount_residual) for share in shares))

    def action_send(self):
        """Send the patient a link by e-mail. The one shown was not copied, so it is replaced by
        that of the mail.
        """
        self.ensure_one()
        link = self.link_id
        link.check_access("write")
        if not link.partner_id.email:
            raise UserError(
                self.env._(
                    "%s has no e-mail address: copy the link, "
                    "or write the address on the patient first.",
                    link.partner_id.name,
                )
            )
        sent, url = self.env["health.payment.link"]._make_one(link.partner_id, "email")
        sent._send(url)
        if not link.access_count:
            link.action_revoke()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("The e-mail to %s is queued.", link.partner_id.name),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def action_revoke(self):
        self.link_id.action_revoke()
        return {"type": "ir.actions.act_window_close"}
