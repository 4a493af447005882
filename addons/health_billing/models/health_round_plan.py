from odoo import fields, models


class HealthRoundPlan(models.Model):
    """Recurring care of one patient: which days, at what hour, which acts."""

    _name = "health.round.plan"
    _description = "Round Plan"
    _order = "company_id, time, patient_id"
    _check_company_auto = True

    patient_id = fields.Many2one(
        "res.partner", required=True, index=True, ondelete="cascade", check_company=True
    )
    company_id = fields.Many2one(
        related="patient_id.company_id", store=True, index=True, string="Practitioner"
    )
    date_from = fields.Date(required=True)
    date_to = fields.Date("Until (excluded)")
    monday = fields.Boolean(default=True)
    tuesday = fields.Boolean(default=True)
    wednesday = fields.Boolean(default=True)
    thursday = fields.Boolean(default=True)
    friday = fields.Boolean(default=True)
    saturday = fields.Boolean()
    sunday = fields.Boolean()
    time = fields.Char("Hour", size=5, help="HH:MM")
    passage = fields.Integer(default=1)
    place = fields.Selection(
        selection=lambda self: self.env["health.fse.act"]._places(), default="home", required=True
    )
    prescription_id = fields.Many2one("health.prescription", check_company=True)
    act_ids = fields.One2many("health.round.plan.act", "plan_id", string="Acts", copy=True)
    active = fields.Boolean(default=True)
