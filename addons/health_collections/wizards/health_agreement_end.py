from odoo import fields, models


class HealthAgreementEnd(models.TransientModel):
    """What came out of a conciliation."""

    _name = "health.agreement.end"
    _description = "End a Conciliation"

    agreement_ids = fields.Many2many("health.agreement", string="Agreements", required=True)
    result = fields.Selection(
        [("settled", "Both sides agreed"), ("failed", "No agreement")],
        required=True,
        default="settled",
    )
    outcome = fields.Char("What came out", required=True)

    def action_end(self):
        self.ensure_one()
        self.agreement_ids._end_mediation(self.result == "settled", self.outcome)
        return {"type": "ir.actions.act_window_close"}
