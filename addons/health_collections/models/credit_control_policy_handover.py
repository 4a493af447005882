from odoo import fields, models

from odoo.addons.health_billing.tools import cents


class CreditControlPolicy(models.Model):
    """What the policy says of the end of the scale."""

    _inherit = "credit.control.policy"

    health_handover_kind = fields.Selection(
        [
            ("none", "Nothing is handed over"),
            ("collector", "Collection company"),
            ("bailiff", "Commissaire de justice (up to 5,000 €)"),
            ("injunction", "Order to pay (court)"),
        ],
        string="At the end of the scale",
        default="collector",
        required=True,
    )
    health_handover_partner_id = fields.Many2one(
        "res.partner",
        string="Handed to",
        domain="[('health_recovery_kind', '=', health_handover_kind)]",
        ondelete="set null",
    )
    health_handover_days = fields.Integer(
        "Propose after (days)", help="Days after the due date. 0: as the agency's parameter says."
    )
    health_handover_least = fields.Monetary(
        "From (amount)",
        currency_field="health_currency_id",
        help="What a debtor owes in all. 0: as the agency's parameter says.",
    )
    health_currency_id = fields.Many2one(
        "res.currency", compute="_compute_health_currency", string="Currency"
    )

    def _compute_health_currency(self):
        for policy in self:
            policy.health_currency_id = (policy.company_id or self.env.company).currency_id

    def _health_handover_bounds(self, kind):
        """What a debt must be before it leaves the house by that road.

        :return: dict of the values of ``dunning.handover.Bounds``.
        """
        self.ensure_one()
        value_of = self.env["health.parameter"].value_of
        return {
            "age_days": self.health_handover_days or value_of("handover_age_days"),
            "quiet_days": value_of("handover_quiet_days"),
            "least_cents": cents(self.health_handover_least) or value_of("handover_least_amount"),
            "most_cents": value_of("handover_small_claim_limit") if kind == "bailiff" else None,
        }
