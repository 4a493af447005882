from odoo import fields, models
from odoo.exceptions import UserError


class ResPartner(models.Model):
    _inherit = "res.partner"

    health_payment_link_ids = fields.One2many(
        "health.payment.link", "partner_id", string="Payment links"
    )
    health_contact_count = fields.Integer(
        compute="_compute_health_contact_count", string="Reminders"
    )

    def _compute_health_contact_count(self):
        counts = {}
        patients = self.filtered(lambda partner: partner.health_kind == "patient")
        if patients and self.env["credit.control.communication"].has_access("read"):
            counts = dict(
                self.env["credit.control.communication"]._read_group(
                    [("partner_id", "in", patients.ids)], ["partner_id"], ["__count"]
                )
            )
        for partner in self:
            partner.health_contact_count = counts.get(partner, 0)

    def action_payment_link(self):
        """Make a payment link and show it once, to be copied or sent."""
        self.ensure_one()
        if self.health_kind != "patient":
            raise UserError(self.env._("Only a patient gets a payment link."))
        self.check_access("write")
        link, url = self.env["health.payment.link"]._make_one(self, channel="hand")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Payment link"),
            "res_model": "health.payment.link.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_link_id": link.id, "default_url": url},
        }

    def action_health_contacts(self):
        """History of the reminders to this patient."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reminders"),
            "res_model": "credit.control.communication",
            "view_mode": "list,form",
            "domain": [("partner_id", "=", self.id)],
        }
