from odoo import fields, models


class HealthShareDecision(models.Model):
    """What a person decided about a share, and why; it is never changed nor deleted."""

    _name = "health.share.decision"
    _description = "Decision on a Share"
    _order = "date desc, id desc"
    _rec_name = "kind"

    share_id = fields.Many2one(
        "health.share", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(
        related="share_id.company_id", store=True, index=True, string="Practitioner"
    )
    date = fields.Date(required=True, readonly=True, default=fields.Date.context_today)
    user_id = fields.Many2one(
        "res.users", string="By", readonly=True, default=lambda self: self.env.uid
    )
    kind = fields.Selection(
        [
            ("replaced", "Billed again under another number"),
            ("restored", "Correction undone"),
            ("written_off", "Written off"),
            ("write_off_undone", "Write-off undone"),
            ("disputed", "Dispute opened"),
            ("dispute_ended", "Dispute ended"),
        ],
        required=True,
        readonly=True,
    )
    reason = fields.Char(readonly=True)
