from odoo import api, fields, models


class CreditControlPolicy(models.Model):
    """What a practitioner grants their patients without being asked: payment in instalments."""

    _inherit = "credit.control.policy"

    health_plan_currency_id = fields.Many2one(
        "res.currency", compute="_compute_health_plan_currency_id"
    )
    health_plan_refused = fields.Boolean(
        "No instalments at once",
        help="Every request for instalments waits for a person.",
    )
    health_plan_most = fields.Integer(
        "Instalments at most", help="Granted at once up to this number; 0: the usual number."
    )
    health_plan_least = fields.Monetary(
        "Least instalment",
        currency_field="health_plan_currency_id",
        help="Granted at once from this amount a month on; 0: the usual amount.",
    )

    @api.depends("company_id")
    def _compute_health_plan_currency_id(self):
        for policy in self:
            policy.health_plan_currency_id = (policy.company_id or self.env.company).currency_id
