from odoo import fields, models


class HealthInboxIssue(models.Model):
    """A row of a received file that was not taken: where, and why."""

    _name = "health.inbox.issue"
    _description = "Inbox Issue"
    _order = "inbox_id, row, id"
    _rec_name = "reason"

    inbox_id = fields.Many2one("health.inbox", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="inbox_id.company_id", store=True, index=True)
    row = fields.Integer()
    column = fields.Char()
    reference = fields.Char(help="FSE number, settlement reference … of the row.")
    reason = fields.Char(required=True)
    is_closed = fields.Boolean("Dealt with")

    def action_close(self):
        self.is_closed = True
