from odoo import fields, models


class HealthRightsProof(models.Model):
    """What was consulted about a patient's rights, when, by whom, and what came of it."""

    _name = "health.rights.proof"
    _description = "Rights Proof"
    _order = "date desc, id desc"

    coverage_id = fields.Many2one("health.coverage", required=True, index=True, ondelete="cascade")
    patient_id = fields.Many2one(related="coverage_id.patient_id", store=True, index=True)
    company_id = fields.Many2one(
        related="coverage_id.company_id", store=True, index=True, string="Practitioner"
    )
    date = fields.Date(required=True, default=fields.Date.context_today, index=True)
    method = fields.Selection(
        [
            ("adri", "ADRi (online rights of the fund)"),
            ("card", "Vitale card"),
            ("certificate", "Certificate of rights"),
            ("amc_online", "Online service of the insurer"),
            ("amc_card", "Insurer's card"),
            ("phone", "Phone call"),
        ],
        required=True,
        default="adri",
    )
    result = fields.Selection(
        [("open", "Rights open"), ("closed", "Rights closed"), ("changed", "Rights changed")],
        required=True,
        default="open",
    )
    user_id = fields.Many2one("res.users", default=lambda self: self.env.user, required=True)
    note = fields.Char()
    attachment_ids = fields.Many2many("ir.attachment", string="Documents")
