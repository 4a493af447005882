import base64

from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthFormatTrial(models.TransientModel):
    """A draft of a format tried on a received file: what reads differently, and do the totals agree."""

    _name = "health.format.trial"
    _description = "Trial of an Exchange Format"

    layout_id = fields.Many2one("health.format.layout", required=True, readonly=True)
    code = fields.Char(related="layout_id.code")
    inbox_id = fields.Many2one(
        "health.inbox",
        "Received file",
        required=True,
        domain="[('kind', '=', code), ('size', '>', 0), ('state', 'in', ('done', 'review'))]",
    )
    problems = fields.Text(related="layout_id.problems")
    before = fields.Text("Now", compute="_compute_result")
    after = fields.Text("With the draft", compute="_compute_result")
    is_before_right = fields.Boolean(compute="_compute_result")
    is_after_right = fields.Boolean(compute="_compute_result")
    difference = fields.Html(compute="_compute_result", sanitize=False)

    @api.depends("layout_id", "inbox_id")
    def _compute_result(self):
        for trial in self:
            trial.before = trial.after = trial.difference = False
            trial.is_before_right = trial.is_after_right = False
            if not trial.inbox_id or trial.problems:
                continue
            layout = trial.layout_id
            content = base64.b64decode(trial.inbox_id.with_context(bin_size=False).content or b"")
            now = layout._layouts()
            then = {**now, **layout._as_argument()}
            trial.is_before_right, trial.before = layout._reading(layout.code, content, now)
            trial.is_after_right, trial.after = layout._reading(layout.code, content, then)
            trial.difference = layout._compare_html(content, now, then)

    def action_confirm(self):
        """Note that the draft reads this file with right totals; approval is the next step."""
        self.ensure_one()
        self.layout_id._check_manager()
        if self.problems or not self.is_after_right:
            raise UserError(
                self.env._(
                    "The totals of this file do not come out right with the draft: correct the draft."
                )
            )
        self.layout_id.write({"is_tried": True, "trial_inbox_id": self.inbox_id.id})
        self.layout_id.message_post(
            body=self.env._(
                "Tried on %(file)s: %(result)s", file=self.inbox_id.filename, result=self.after
            )
        )
        return {"type": "ir.actions.act_window_close"}
