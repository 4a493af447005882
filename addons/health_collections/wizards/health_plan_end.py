from odoo import fields, models


class HealthPlanEnd(models.TransientModel):
    """Why a plan is refused, or ends before its time."""

    _name = "health.plan.end"
    _description = "End a Payment Plan"

    plan_ids = fields.Many2many("health.plan", string="Plans", required=True)
    reason = fields.Char(required=True)

    def action_end(self):
        self.ensure_one()
        self.plan_ids._close_by_person(self.reason)
        return {"type": "ir.actions.act_window_close"}
