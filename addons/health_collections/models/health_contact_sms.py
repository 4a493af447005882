from odoo import api, fields, models

from ..dunning.sms import segments, to_gsm


class HealthContact(models.Model):
    # SMS, in a file of its own
    _inherit = "health.contact"

    gateway_id = fields.Many2one("health.sms.gateway", readonly=True, ondelete="set null")
    gateway_ref = fields.Char(
        "Reference of the gateway", readonly=True, copy=False, index="btree_not_null"
    )

    @api.model
    def _history_text(self, vals):
        """Override: an SMS in the alphabet of phones, as it leaves."""
        text = super()._history_text(vals)
        return to_gsm(text).strip() if vals["channel"] == "sms" else text

    def _leave_by_sms(self, extras):
        """Put the SMS into Odoo's queue; what cannot leave says why."""
        refused = self._refused_numbers(self.partner_id.mapped("phone_sanitized"))
        most = self.env["health.parameter"].value_of("sms_most_segments")
        values = []
        for company, group in self.grouped("company_id").items():
            has_gateway = bool(self.env["health.sms.gateway"]._of(company))
            for contact in group:
                text = to_gsm(extras[contact.id]["html"]).strip()
                problem = contact._sms_problem(text, most, refused, has_gateway)
                if problem:
                    contact._set_state("failed", problem)
                    continue
                values.append(
                    {
                        "number": contact.partner_id.phone_sanitized,
                        "body": text,
                        "partner_id": contact.partner_id.id,
                        "health_contact_id": contact.id,
                        "health_leaves_at": contact._leaves_at(),
                    }
                )
        self.env["sms.sms"].sudo().create(values)
        cron = self.env.ref("sms.ir_cron_sms_scheduler_action")
        moments = {vals["health_leaves_at"] for vals in values} - {False}
        if moments:
            cron.sudo()._trigger(list(moments))

    def _sms_problem(self, text, most, refused, has_gateway):
        """Why this SMS cannot leave, or an empty text."""
        name = self.partner_id.name
        if not has_gateway:
            return self.env._("No SMS gateway is set up: see Settings, SMS gateways.")
        if not self.partner_id.phone_sanitized:
            return self.env._("%s has no mobile number that an SMS can reach.", name)
        if self.partner_id.phone_sanitized in refused:
            return self.env._("%s wants no SMS (STOP): choose another channel.", name)
        parts = segments(text)
        if not parts:
            return self.env._("The text of the SMS is empty.")
        if parts > most:
            return self.env._(
                "The text is too long: %(parts)s SMS, %(most)s at most. Shorten the text of the level.",
                parts=parts,
                most=most,
            )
        return ""

    @api.model
    def _refused_numbers(self, numbers):
        """Those of these numbers whose owners want no SMS."""
        found = (
            self.env["phone.blacklist"]
            .sudo()
            .search([("number", "in", list(filter(None, numbers)))])
        )
        return set(found.mapped("number"))

    @api.model
    def _refuse_sms(self, number):
        """The owner of this number wants no more SMS: what waits for them does not leave either."""
        self.env["phone.blacklist"].sudo()._add([number], message=self.env._("STOP by SMS."))
        waiting = self.sudo().search(
            [
                ("channel", "=", "sms"),
                ("state", "=", "queued"),
                ("partner_id.phone_sanitized", "=", number),
            ]
        )
        waiting._stop(dict.fromkeys(waiting, self.env._("This person wants no SMS (STOP).")))

    def _drop_queued(self):
        messages = self.filtered(lambda contact: contact.channel == "sms")
        self.env["sms.sms"].sudo().search(
            [("health_contact_id", "in", messages.ids), ("state", "in", ("outgoing", "error"))]
        ).unlink()
        return super()._drop_queued()
