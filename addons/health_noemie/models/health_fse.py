from odoo import models


class HealthFse(models.Model):
    _inherit = "health.fse"

    def _correct(self, parts=None, vals=None):
        """Override of `health_billing`: the rejections of the parts billed again are dealt with."""
        made = super()._correct(parts, vals)
        self.env["health.rejection"].sudo()._follow(dict(zip(self, made, strict=True)))
        return made

    def _give_back_to_replaced(self):
        """Override of `health_billing`: a correction given up leaves its rejections open."""
        rejections = self.env["health.rejection"].sudo().search([("new_fse_id", "in", self.ids)])
        result = super()._give_back_to_replaced()
        rejections.write(
            {"state": "open", "new_fse_id": False, "route": False, "closing_reason": False}
        )
        return result
