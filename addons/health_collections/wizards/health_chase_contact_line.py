from odoo import api, fields, models

from ..models.health_chase_line import OUTCOMES, RESTS


class HealthChaseContactLine(models.TransientModel):
    """One claim on the call sheet, and what the payer says of it."""

    _name = "health.chase.contact.line"
    _description = "Claim on a Call Sheet"

    wizard_id = fields.Many2one("health.chase.contact", required=True, ondelete="cascade")
    line_id = fields.Many2one("health.chase.line", required=True, readonly=True)
    fse_id = fields.Many2one(related="line_id.fse_id")
    patient_id = fields.Many2one(related="line_id.patient_id")
    fse_date = fields.Date(related="line_id.fse_date", string="Of")
    sent_on = fields.Date(related="line_id.sent_on")
    lot_no = fields.Char(related="line_id.lot_no")
    proof = fields.Char(related="line_id.proof")
    has_proof = fields.Boolean(related="line_id.has_proof")
    currency_id = fields.Many2one(related="line_id.currency_id")
    amount_residual = fields.Monetary(related="line_id.amount_residual")
    outcome = fields.Selection(OUTCOMES, string="Reply")
    until = fields.Date(
        compute="_compute_until",
        store=True,
        readonly=False,
        help="Nothing is asked again before that day is over.",
    )
    note = fields.Char("Reference, reason")

    @api.depends("outcome")
    def _compute_until(self):
        value_of = self.env["health.parameter"].value_of
        for line in self:
            rest = RESTS.get(line.outcome)
            line.until = rest and fields.Date.add(line.wizard_id.day, days=value_of(rest))
