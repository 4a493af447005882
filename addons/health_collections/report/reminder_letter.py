import base64

from odoo import api, fields, models
from odoo.tools import format_date


class ReminderLetter(models.AbstractModel):
    """Reminder letters: each printing carries a fresh payment link, as a QR code and as text."""

    _name = "report.health_collections.reminder_letter"
    _description = "Reminder Letter"

    @api.model
    def _get_report_values(self, docids, data=None):
        communications = self.env["credit.control.communication"].browse(docids)
        communications.check_access("read")
        communications = communications.sudo()
        urls = self.env["health.payment.link"]._make(
            [(one.partner_id, one.company_id) for one in communications], "letter", communications
        )
        Report = self.env["ir.actions.report"]
        return {
            "doc_ids": docids,
            "doc_model": "credit.control.communication",
            "docs": communications,
            "address": self.env["health.payment.link"]._address_lines,
            "urls": dict(zip(communications.ids, urls, strict=True)),
            "codes": {
                one.id: base64.b64encode(Report.barcode("QR", url, width=180, height=180)).decode()
                for one, url in zip(communications, urls, strict=True)
            },
            "today": format_date(
                self.env, fields.Date.context_today(self), date_format="d MMMM yyyy"
            ),
        }
