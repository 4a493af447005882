from odoo import api, models
from odoo.fields import Domain


class HealthShare(models.Model):
    _inherit = "health.share"

    @api.model
    def _late_payer_domain(self, day):
        """Override of `health_billing`: silent after this payer's own delay; what it paid in part and left there."""
        domain = super()._late_payer_domain(day)
        return domain & Domain("state", "=", "partial") | Domain("state", "=", "silent") & Domain(
            "is_replaced", "=", False
        )

    def _settled_on(self):
        """Override of `health_billing`: the day of the payer's transfer order, where its return tells it."""
        days = super()._settled_on()
        ordered = {}
        for line in (
            self.env["health.settlement.line"]
            .sudo()
            .search([("share_id", "in", [share.id for share in days]), ("state", "=", "P")])
        ):
            day = line.settlement_id.transfer_date
            if day:
                share = line.share_id.with_env(self.env)
                ordered[share] = max(day, ordered.get(share, day))
        # money cannot arrive before it is sent: an order after the credit speaks of something else
        days.update({share: min(day, days[share]) for share, day in ordered.items()})
        return days
