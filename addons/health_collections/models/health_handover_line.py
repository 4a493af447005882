from odoo import api, fields, models

from odoo.addons.health_billing.models.health_share import CLOSED


class HealthHandoverLine(models.Model):
    """One share of a file that is handed over."""

    _name = "health.handover.line"
    _description = "Handed Over Share"
    _order = "due_date, id"
    _rec_name = "number"

    handover_id = fields.Many2one(
        "health.handover", required=True, index=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="handover_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    share_id = fields.Many2one(
        "health.share", required=True, index=True, readonly=True, ondelete="restrict"
    )
    number = fields.Char(related="share_id.fse_id.name", related_sudo=True)
    date = fields.Date(related="share_id.fse_date")
    due_date = fields.Date(related="share_id.due_date", store=True)
    amount = fields.Monetary("Handed over", readonly=True, help="Left to pay on that day.")
    amount_left = fields.Monetary(related="share_id.amount_residual", string="Left to pay")
    state = fields.Selection(related="share_id.state")
    is_open = fields.Boolean(compute="_compute_is_open", store=True)

    _share_uniq = models.UniqueIndex(
        "(share_id) WHERE is_open",
        "This share is in another open hand-over file.",
    )

    @api.depends("handover_id.state")
    def _compute_is_open(self):
        for line in self:
            line.is_open = line.handover_id._is_open()

    def _is_lost(self):
        return self.share_id.state == "written_off"

    def _is_settled(self):
        return self.share_id.state in CLOSED
