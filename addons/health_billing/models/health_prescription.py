from odoo import fields, models


class HealthPrescription(models.Model):
    """A prescription: who ordered what, when, for how long; the scan comes along."""

    _name = "health.prescription"
    _description = "Prescription"
    _order = "date desc, id desc"
    _check_company_auto = True

    patient_id = fields.Many2one(
        "res.partner", required=True, index=True, ondelete="cascade", check_company=True
    )
    company_id = fields.Many2one(
        related="patient_id.company_id", store=True, index=True, string="Practitioner"
    )
    prescriber_id = fields.Many2one("res.partner", domain=[("health_kind", "=", "prescriber")])
    prescriber_no = fields.Char("Prescriber number")
    date = fields.Date("Prescribed on", required=True)
    date_from = fields.Date("Good from", help="Empty: from the day it was written.")
    date_to = fields.Date("Until (excluded)")
    act_ids = fields.One2many("health.prescription.act", "prescription_id", string="Acts")
    sessions = fields.Integer(help="Number of sessions ordered, renewals included; 0: not limited.")
    renewals = fields.Integer()
    mention_night = fields.Boolean("Night care needed")
    mention_daily = fields.Boolean("Every day, Sundays and holidays included")
    mention_home = fields.Boolean("At home")
    until_healed = fields.Boolean("Until healed")
    is_emergency = fields.Boolean("Emergency")
    is_hospital = fields.Boolean("Hospital prescriber")
    project = fields.Char(
        "Body area or project", help="What tells two treatments of one patient apart."
    )
    attachment_ids = fields.Many2many("ir.attachment", string="Scans")
    note = fields.Char()
    agreement_ids = fields.One2many(
        "health.prior.agreement", "prescription_id", string="Agreements"
    )
    active = fields.Boolean(default=True)
