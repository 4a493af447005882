from odoo import api, fields, models
from odoo.exceptions import ValidationError


class HealthStay(models.Model):
    """A period in which another than the funds pays for care (hospital, HAD, SSIAD, care home with global fee)."""

    _name = "health.stay"
    _description = "Patient Stay"
    _inherit = ["health.control.trigger"]
    _order = "date_from desc"
    _check_company_auto = True
    _control_fields = frozenset({"patient_id", "kind", "date_from", "date_to"})

    patient_id = fields.Many2one(
        "res.partner", required=True, index=True, ondelete="cascade", check_company=True
    )
    company_id = fields.Many2one(related="patient_id.company_id", store=True, index=True)
    kind = fields.Selection(
        [
            ("hospital", "Hospital"),
            ("had", "Hospital at home (HAD)"),
            ("ssiad", "Home nursing service (SSIAD)"),
            ("ehpad_global", "Care home with global fee"),
        ],
        required=True,
    )
    date_from = fields.Date("From", required=True)
    date_to = fields.Date("Until (excluded)")
    name = fields.Char("Establishment")

    @api.constrains("date_from", "date_to")
    def _check_dates(self):
        for stay in self:
            if stay.date_to and stay.date_to <= stay.date_from:
                raise ValidationError(
                    self.env._(
                        "The stay of %(patient)s ends on %(end)s, before it begins on %(start)s: mend a date.",
                        patient=stay.patient_id.name,
                        end=stay.date_to.strftime("%d/%m/%Y"),
                        start=stay.date_from.strftime("%d/%m/%Y"),
                    )
                )
