from odoo import fields, models


class HealthVisit(models.Model):
    """One passage at one patient: what was done, where and when; billed by an FSE later."""

    _name = "health.visit"
    _description = "Visit"
    _order = "day, time, passage, id"
    _check_company_auto = True

    patient_id = fields.Many2one(
        "res.partner", required=True, index=True, ondelete="cascade", check_company=True
    )
    company_id = fields.Many2one(
        related="patient_id.company_id", store=True, index=True, string="Practitioner"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    day = fields.Date(required=True, index=True)
    time = fields.Char("Hour", size=5, help="HH:MM")
    called_time = fields.Char("Call at", size=5, help="HH:MM; a night surcharge needs it.")
    passage = fields.Integer(default=1, required=True)
    place = fields.Selection(
        selection=lambda self: self.env["health.fse.act"]._places(), default="home", required=True
    )
    is_emergency = fields.Boolean("Emergency")
    prescription_id = fields.Many2one("health.prescription", check_company=True)
    plan_id = fields.Many2one("health.round.plan", index="btree_not_null", check_company=True)
    act_ids = fields.One2many("health.visit.act", "visit_id", string="Acts", copy=True)
    state = fields.Selection(
        [
            ("planned", "Planned"),
            ("done", "Done"),
            ("billed", "Billed"),
            ("cancelled", "Cancelled"),
        ],
        default="planned",
        required=True,
        index=True,
    )
    fse_id = fields.Many2one("health.fse", string="FSE", index="btree_not_null", copy=False)
    note = fields.Char()
