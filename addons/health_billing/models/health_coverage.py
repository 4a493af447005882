from odoo import fields, models


class HealthCoverage(models.Model):
    """Rights of a patient for a period: who pays what. Periods are half-open and do not overlap."""

    _name = "health.coverage"
    _description = "Patient Coverage"
    _order = "patient_id, date_from desc"
    _check_company_auto = True

    patient_id = fields.Many2one(
        "res.partner", required=True, index=True, ondelete="cascade", check_company=True
    )
    company_id = fields.Many2one(
        related="patient_id.company_id", store=True, index=True, string="Practitioner"
    )
    date_from = fields.Date(required=True)
    date_to = fields.Date(
        "Until (excluded)", help="First day on which the rights are no longer open."
    )
    case_id = fields.Many2one("health.coverage.case", required=True)
    amo_partner_id = fields.Many2one("res.partner", string="Sickness fund")
    amo_org = fields.Char("Regime, fund and centre", size=9)
    amo_rate = fields.Integer("AMO rate (%)")
    insurance_nature = fields.Selection(
        selection=lambda self: self.env["health.fse"]._insurance_natures(),
        default="10",
        required=True,
    )
    exemption = fields.Char("Exemption code", default="0")
    third_party_amo = fields.Boolean("Third-party payment, AMO", default=True)
    amc_partner_id = fields.Many2one("res.partner", string="Complementary insurer")
    amc_org = fields.Char("AMC number", size=10)
    amc_member = fields.Char("AMC member number")
    amc_contract = fields.Char("AMC contract")
    amc_date_from = fields.Date("AMC from")
    amc_date_to = fields.Date("AMC until (excluded)")
    amc_rate = fields.Integer(
        "AMC rate (%)", default=100, help="Part of what the AMO leaves that the contract pays."
    )
    third_party_amc = fields.Boolean("Third-party payment, AMC")
    origin = fields.Selection(
        [("manual", "Entered"), ("journal", "Read on an FSE"), ("proof", "Rights check")],
        default="manual",
        required=True,
    )
    proof_ids = fields.One2many("health.rights.proof", "coverage_id", string="Proofs")
