from odoo import api, fields, models, tools
from odoo.exceptions import UserError


class HealthParameter(models.Model):
    """A number of the trade (a delay, a threshold) with its source: data, never code."""

    _name = "health.parameter"
    _description = "Health Parameter"
    _order = "code"

    code = fields.Char(required=True, index=True)
    name = fields.Char(required=True)
    value = fields.Integer(required=True)
    unit = fields.Char(required=True)
    source = fields.Text()
    grade = fields.Selection(
        [("A", "Official text"), ("B", "Secondary source"), ("C", "Unconfirmed")],
        required=True,
        default="C",
    )

    _code_uniq = models.Constraint("UNIQUE(code)", "This parameter code exists already.")

    @api.model
    @tools.ormcache("code")
    def value_of(self, code):
        """Value of the parameter ``code``, in the unit it was declared with.

        :raises UserError: when no such parameter exists.
        """
        parameter = self.sudo().search([("code", "=", code)], limit=1)
        if not parameter:
            raise UserError(self.env._("Unknown parameter: %s", code))
        return parameter.value

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        result = super().write(vals)
        if "value" in vals and any(code.startswith("forclusion_") for code in self.mapped("code")):
            self.env["health.share"]._forclusion_recompute()
        return result

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()
