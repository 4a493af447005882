from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents, format_cents


class HealthContact(models.Model):
    # calls, in a file of their own
    _inherit = "health.contact"

    phone = fields.Char(related="partner_id.phone")
    promise_on = fields.Date("Promised by", readonly=True, copy=False, index="btree_not_null")
    promise_amount = fields.Monetary("Promised", readonly=True, copy=False)
    promise_state = fields.Selection(
        [("running", "Running"), ("kept", "Kept"), ("broken", "Broken")],
        "Promise",
        compute="_compute_promise_state",
    )
    call_sheet = fields.Html(compute="_compute_call_sheet", sanitize=False)

    def _leave_by_phone(self, extras):
        """It waits for somebody to call: the contact itself is the task, with its call sheet."""

    @api.model
    def _promise_grace(self):
        return timedelta(days=self.env["health.parameter"].value_of("promise_grace_days"))

    @api.depends("promise_on", "promise_amount", "amount_written", "share_ids.amount_residual")
    def _compute_promise_state(self):
        today = fields.Date.context_today(self)
        grace = self._promise_grace()
        for contact in self:
            if not contact.promise_on:
                contact.promise_state = False
                continue
            left = sum(cents(share.amount_residual) for share in contact.share_ids)
            paid = cents(contact.amount_written) - left
            if left <= 0 or paid >= (
                cents(contact.promise_amount) or cents(contact.amount_written)
            ):
                contact.promise_state = "kept"
            else:
                late = today >= contact.promise_on + grace
                contact.promise_state = "broken" if late else "running"

    @api.depends("channel", "share_ids", "partner_id", "body")
    def _compute_call_sheet(self):
        for contact in self:
            contact.call_sheet = (
                self.env["ir.qweb"]._render(
                    "health_collections.call_sheet", contact.sudo()._call_sheet_values()
                )
                if contact.channel == "phone" and contact.id
                else False
            )

    def _call_sheet_values(self):
        """What the caller needs: who, what is owed to whom, what was said before, what may be offered."""
        self.ensure_one()
        shares = self.share_ids.sorted(lambda share: (share.fse_date, share.id))
        opened = shares.filtered(lambda share: cents(share.amount_residual) > 0)
        before = self.search(
            [
                ("partner_id", "=", self.partner_id.id),
                ("company_id", "=", self.company_id.id),
                ("id", "!=", self.id),
            ],
            limit=5,
        )
        labels = dict(self._fields["channel"]._description_selection(self.env))
        others = shares.patient_id - self.partner_id
        return {
            "partner": self.partner_id,
            "company": self.company_id,
            "others": ", ".join(others.mapped("name")),
            "total": format_cents(sum(cents(share.amount_residual) for share in opened)),
            "rows": [
                {
                    "number": share.fse_id.name,
                    "day": share.fse_date and share.fse_date.strftime("%d/%m/%Y"),
                    "patient": share.patient_id.name if others else "",
                    "why": self.env["health.payment.link"]._note_why(share.fse_id, share),
                    "left": format_cents(cents(share.amount_residual)),
                }
                for share in opened
            ],
            "before": [
                {
                    "day": contact.day.strftime("%d/%m/%Y"),
                    "channel": labels[contact.channel],
                    "subject": contact.subject or "",
                    "answer": contact.answer or "",
                }
                for contact in before
            ],
            "say": self.body or "",
            "offers": self._call_offers(opened),
        }

    def _call_offers(self, shares):
        """Instalments that may be offered at once, as texts."""
        if not shares:
            return []
        offers = self.env["health.plan"]._offers(shares, fields.Date.context_today(self))
        return [
            self.env._(
                "%(count)s × about %(amount)s",
                count=offer["count"],
                amount=format_cents(max(offer["amounts"])),
            )
            for offer in offers
        ]

    def action_outcome(self):
        """What came of the call."""
        self.ensure_one()
        self.check_access("write")
        if self.channel != "phone" or self.state != "planned":
            raise UserError(self.env._("This call is done already."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("What came of the call"),
            "res_model": "health.contact.outcome",
            "view_mode": "form",
            "target": "new",
            "context": {"default_contact_id": self.id},
        }
