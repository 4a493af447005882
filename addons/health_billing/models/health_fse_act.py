from odoo import api, fields, models


class HealthFseAct(models.Model):
    """One act of an FSE. Care is only shown here and to those who bill it, never in the ledger."""

    _name = "health.fse.act"
    _description = "FSE Act"
    _order = "fse_id, act_date, sequence, id"

    fse_id = fields.Many2one("health.fse", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="fse_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="fse_id.currency_id")
    sequence = fields.Integer(default=10)
    act_date = fields.Date("Date of the act", required=True)
    key_letter = fields.Char(required=True)
    coefficient_hundredths = fields.Integer("Coefficient (hundredths)", required=True)
    coefficient = fields.Char(compute="_compute_coefficient")
    quantity = fields.Integer(default=1, required=True)
    complement = fields.Selection([("N", "Night"), ("F", "Sunday or holiday"), ("U", "Emergency")])
    product_id = fields.Many2one("product.product", string="NGAP act")
    amount = fields.Monetary("Fee")
    amo_rate = fields.Integer("AMO rate (%)")
    amo_amount = fields.Monetary("AMO")
    amc_amount = fields.Monetary("AMC")
    patient_amount = fields.Monetary("Patient")

    @api.depends("coefficient_hundredths")
    def _compute_coefficient(self):
        for act in self:
            whole, rest = divmod(act.coefficient_hundredths, 100)
            act.coefficient = f"{whole},{rest:02d}".rstrip("0").rstrip(",") if rest else str(whole)
