from odoo import api, models


class CreditControlLine(models.Model):
    _inherit = "credit.control.line"

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
