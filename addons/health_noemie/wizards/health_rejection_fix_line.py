from odoo import fields, models


class HealthRejectionFixLine(models.TransientModel):
    """One rejection to correct: the claim before and after, and what stands against it."""

    _name = "health.rejection.fix.line"
    _description = "Rejection to Correct"
    _order = "chosen desc, id"

    wizard_id = fields.Many2one("health.rejection.fix", required=True, ondelete="cascade")
    rejection_id = fields.Many2one(
        "health.rejection", required=True, readonly=True, ondelete="cascade"
    )
    chosen = fields.Boolean("Do it", default=True)
    share_id = fields.Many2one(related="rejection_id.share_id")
    fse_id = fields.Many2one(related="rejection_id.fse_id")
    patient_id = fields.Many2one(related="rejection_id.patient_id")
    company_id = fields.Many2one(related="rejection_id.company_id")
    currency_id = fields.Many2one(related="rejection_id.currency_id")
    part = fields.Selection(related="rejection_id.part")
    label = fields.Char(related="rejection_id.label")
    amount = fields.Monetary("Refused", related="rejection_id.residual")
    last_day = fields.Date(related="share_id.last_day")
    before = fields.Char(readonly=True)
    after = fields.Char(readonly=True)
    amount_after = fields.Monetary("Billed again", readonly=True)
    problem = fields.Text("What stands against it", readonly=True)
    problem_kind = fields.Selection(
        [
            ("refused", "Not again"),
            ("blocking", "Blocked"),
            ("warning", "To decide"),
            ("held", "No lot yet"),
        ],
        string="State",
        readonly=True,
    )
    nir = fields.Char("NIR", size=13, groups="health_billing.group_nir")
    birth_date = fields.Date(groups="health_billing.group_nir")
    birth_rank = fields.Integer()
    amc_member = fields.Char("AMC member number")
    settlement_line_id = fields.Many2one("health.settlement.line", readonly=True)
    twin_share_id = fields.Many2one("health.share", readonly=True)
