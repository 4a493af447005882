from odoo import api, fields, models

from .credit_control_policy_level import MORE_CHANNELS


class CreditControlLine(models.Model):
    _inherit = "credit.control.line"

    channel = fields.Selection(
        selection_add=MORE_CHANNELS,
        # the reminders of this addon's channels stay in the history as letters when it goes
        ondelete={
            code: lambda lines: lines.write({"channel": "letter"}) for code, _ in MORE_CHANNELS
        },
    )

    @api.model
    def _letters_domain(self):
        """Reminders that wait for somebody to print them: no e-mail address, or an e-mail that
        failed.
        """
        return [
            ("communication_id", "!=", False),
            ("partner_id.health_kind", "=", "patient"),
            # whoever has paid since gets no letter
            ("move_line_id.reconciled", "=", False),
            "|",
            "&",
            ("state", "=", "to_be_sent"),
            ("channel", "=", "letter"),
            ("state", "in", ("error", "email_error")),
        ]
