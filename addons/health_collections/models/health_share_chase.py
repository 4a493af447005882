from odoo import api, fields, models
from odoo.fields import Domain

from .health_chase_line import LIVE


class HealthShare(models.Model):
    _inherit = "health.share"

    # who counts shares without seeing care (the accountant's cockpit) may not read these lists
    chase_line_ids = fields.One2many(
        "health.chase.line", "share_id", string="Chased with its payer", bypass_search_access=True
    )
    lateness_ids = fields.One2many("health.lateness", "share_id", string="Late payment")
    lateness_seen = fields.Boolean(
        copy=False, readonly=True, help="Settled, and looked at for its lateness."
    )

    @api.model
    def _unchased_domain(self):
        """Override of `health_billing`: what stands on the list of its payer has its card there."""
        return super()._unchased_domain() & Domain(
            "chase_line_ids", "not any", [("state", "in", LIVE)]
        )
