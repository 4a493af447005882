from odoo import fields, models

from odoo.addons.health_billing.tools import QUIET


class HealthContact(models.Model):
    # what a contact changes on the scale of reminders, in a file of its own
    _inherit = "health.contact"

    def _after_state(self):
        """Override: the pause before the next step counts from the day on which this one really left."""
        result = super()._after_state()
        left = self.filtered(
            lambda contact: contact.communication_id and contact.state in ("sent", "delivered")
        )
        days = left.grouped(
            lambda contact: fields.Datetime.context_timestamp(
                contact.with_context(tz="Europe/Paris"), contact.done_on or fields.Datetime.now()
            ).date()
        )
        for day, contacts in days.items():
            lines = contacts.communication_id.credit_control_line_ids
            lines.filtered(lambda line: line.state == "sent" and not line.date_sent).with_context(
                **QUIET
            ).write({"date_sent": day})
        return result
