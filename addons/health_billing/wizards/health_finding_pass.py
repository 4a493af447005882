from odoo import api, fields, models


class HealthFindingPass(models.TransientModel):
    """Pass warnings with one reason: those chosen, or every open one of the same rule too."""

    _name = "health.finding.pass"
    _description = "Pass Findings with a Reason"

    finding_ids = fields.Many2many("health.finding", string="Findings", required=True)
    reason = fields.Char(required=True)
    with_alike = fields.Boolean("All open findings of the same rule")
    count = fields.Integer("Chosen", compute="_compute_counts")
    alike_count = fields.Integer("Alike", compute="_compute_counts")
    message = fields.Text(compute="_compute_counts")

    @api.depends("finding_ids")
    def _compute_counts(self):
        for wizard in self:
            wizard.count = len(wizard.finding_ids)
            wizard.alike_count = self.env["health.finding"].search_count(wizard._alike_domain())
            wizard.message = "\n".join(sorted(set(wizard.finding_ids.mapped("message")))[:5])

    def _alike_domain(self):
        return [
            ("state", "=", "open"),
            ("severity", "in", ("1", "2")),
            ("rule_code", "in", self.finding_ids.mapped("rule_code")),
        ]

    def action_pass(self):
        self.ensure_one()
        findings = self.finding_ids
        if self.with_alike:
            findings |= self.env["health.finding"].search(self._alike_domain())
        findings._pass(self.reason)
        return {"type": "ir.actions.act_window_close"}
