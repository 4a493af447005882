from odoo import models


class HealthShare(models.Model):
    _inherit = "health.share"

    def _dunning_guard(self, day, without=()):
        return super(HealthShare, self.with_context(health_without=without))._dunning_guard(day)

    def _dunning_guards(self):
        without = self.env.context.get("health_without", ())
        return [guard for guard in super()._dunning_guards() if guard not in without]
