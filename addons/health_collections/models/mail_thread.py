from odoo import api, models


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def _routing_handle_bounce(self, email_message, message_dict):
        """Override of `mail`: a notice that delivery is only late is no bounce."""
        actions = {
            str(part.get("Action", "")).strip().lower()
            for report in email_message.walk()
            if report.get_content_type() == "message/delivery-status"
            for part in report.get_payload()
            if part.get("Action")
        }
        if actions and "failed" not in actions:
            return None
        return super()._routing_handle_bounce(email_message, message_dict)
