from odoo import fields, models


class HealthPriorAgreement(models.Model):
    """A request for prior agreement; silence of the fund for 15 days after it was received means yes."""

    _name = "health.prior.agreement"
    _description = "Prior Agreement"
    _order = "sent_on desc, id desc"
    _check_company_auto = True

    patient_id = fields.Many2one(
        "res.partner", required=True, index=True, ondelete="cascade", check_company=True
    )
    company_id = fields.Many2one(
        related="patient_id.company_id", store=True, index=True, string="Practitioner"
    )
    prescription_id = fields.Many2one(
        "health.prescription", index=True, ondelete="cascade", check_company=True
    )
    product_ids = fields.Many2many("product.product", string="Acts")
    sessions = fields.Integer(help="Number of sessions asked for; 0: not limited.")
    sent_on = fields.Date()
    received_on = fields.Date(help="Day on which the fund received it; the 15 days run from here.")
    answer = fields.Selection(
        [("granted", "Granted"), ("refused", "Refused"), ("incomplete", "Incomplete request")]
    )
    answered_on = fields.Date()
    is_emergency = fields.Boolean("Emergency act")
    date_from = fields.Date("Good from")
    date_to = fields.Date("Until (excluded)")
    attachment_ids = fields.Many2many("ir.attachment", string="Documents")
