from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class ResPartner(models.Model):
    _inherit = "res.partner"

    health_payment_link_ids = fields.One2many(
        "health.payment.link", "partner_id", string="Payment links"
    )
    health_debtor_id = fields.Many2one(
        "res.partner",
        string="Settled by",
        index="btree_not_null",
        help="Who is written to for this patient: a parent, a guardian, or another adult who said in "
        "writing that they settle. Empty: the patient.",
    )
    health_debtor_for_ids = fields.One2many(
        "res.partner", "health_debtor_id", string="Settles also for"
    )
    health_contact_channel = fields.Selection(
        [("email", "E-mail"), ("sms", "SMS"), ("letter", "Letter"), ("phone", "Phone")],
        string="Wishes to be contacted by",
    )
    health_contact_count = fields.Integer(
        compute="_compute_health_contact_count", string="Reminders"
    )

    @api.constrains("health_debtor_id")
    def _check_health_debtor(self):
        for partner in self.filtered("health_debtor_id"):
            debtor = partner.health_debtor_id
            if debtor == partner or debtor.health_debtor_id:
                raise ValidationError(
                    self.env._("“Settled by” must be a person who settles for themselves.")
                )
            if debtor.company_id and debtor.company_id != partner.company_id:
                raise ValidationError(
                    self.env._("“Settled by” must be a person known to the same practitioner.")
                )

    def _health_debtor(self):
        """Who is written to for these patients, one by one.

        :return: dict of patient → debtor (the patient themself unless somebody else settles).
        """
        return {partner: partner.health_debtor_id or partner for partner in self}

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
