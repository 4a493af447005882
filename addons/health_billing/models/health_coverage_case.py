from odoo import api, fields, models


class HealthCoverageCase(models.Model):
    """A situation of coverage (common scheme, ALD, C2S, maternity …): rates and prohibitions as data."""

    _name = "health.coverage.case"
    _description = "Coverage Case"
    _order = "sequence, code"

    code = fields.Char(required=True, index=True)
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    amo_rate = fields.Integer("AMO rate (%)", required=True)
    exemption = fields.Char("Exemption code", default="0", required=True)
    insurance_nature = fields.Selection(
        string="Nature of insurance",
        selection=lambda self: self.env["health.fse"]._insurance_natures(),
        default="10",
        required=True,
    )
    pays_rest = fields.Boolean(
        "Public funds pay the rest",
        help="C2S, AME: nothing is left to the patient nor to a contract.",
    )
    forbids_overrun = fields.Boolean("No overrun")
    requires_third_party = fields.Boolean("Third-party payment is a right")
    is_franchise_exempt = fields.Boolean("No medical franchise")
    source = fields.Text()
    grade = fields.Selection(
        [("A", "Official text"), ("B", "Secondary source"), ("C", "Unconfirmed")],
        string="Source of the rates",
        required=True,
        default="C",
    )
    active = fields.Boolean(default=True)

    _code_uniq = models.Constraint("UNIQUE(code)", "This coverage case exists already.")

    @api.model
    def _index(self):
        """Cases by what an FSE bears: dict of (nature, exemption, rate) → case; ``None`` → “to be made precise”.

        Where several cases bear the same codes, the first one is taken, but never the C2S nor the AME: an
        FSE does not say that somebody has them.
        """
        unclear = self.env.ref("health_billing.coverage_case_unclear", raise_if_not_found=False)
        cases = self.search([("active", "=", True)])
        groups = (cases - (unclear or self)).grouped(
            lambda case: (case.insurance_nature, case.exemption, case.amo_rate)
        )
        index = {
            signs: unclear or group[0] if group[0].pays_rest else group[0]
            for signs, group in groups.items()
        }
        index[None] = unclear or cases[:1]
        return index
