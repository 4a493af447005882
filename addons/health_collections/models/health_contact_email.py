import re

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import html2plaintext

from .health_contact import AT_ONCE

#: what a mail server says of an address that does not exist
PERMANENT = re.compile(r"\((5\d\d), b?['\"](.*?)['\"]\)")


class HealthContact(models.Model):
    # e-mail, in a file of its own
    _inherit = "health.contact"

    def _leave_by_email(self, extras):
        """Queue the e-mails, in the practitioner's own name."""
        refused = self.partner_id._health_refused_emails()
        lost = self.filtered(
            lambda contact: (
                not contact.partner_id.email_normalized
                or contact.partner_id.email_normalized in refused
            )
        )
        for contact in lost:
            contact._set_state(
                "failed",
                self.env._(
                    "%(name)s has no working e-mail address: write a good one on their form, or choose "
                    "another channel.",
                    name=contact.partner_id.name,
                ),
            )
        ready = self - lost
        self.env["mail.mail"].sudo().create(
            [
                values
                for company, group in ready.grouped("company_id").items()
                for values in group._mail_values(company, extras)
            ]
        )

    def _mail_values(self, company, extras):
        """Values of the queued e-mails: the key of the page is in what leaves, not in what is kept."""
        sender = (
            company.partner_id.email_formatted
            or company.catchall_formatted
            or self.env.user.email_formatted
        )
        moments = {}
        for contact in self:
            extra = extras[contact.id]
            key = (contact.day, contact.kind in AT_ONCE)
            if key not in moments:
                moments[key] = contact._leaves_at()
            leaves_at = moments[key]
            body = Markup(extra["html"])
            yield {
                "model": self._name,
                "res_id": contact.id,
                "record_name": contact.partner_id.name,
                "record_company_id": company.id,
                "record_alias_domain_id": company.alias_domain_id.id,
                "subject": contact.subject,
                "body_html": body,
                "body": Markup(self._blot(body, extra["urls"])),
                "author_id": company.partner_id.id,
                "email_from": sender,
                "reply_to": company.email_formatted or sender,
                "recipient_ids": [fields.Command.link(contact.partner_id.id)],
                "attachment_ids": extra["proof_ids"],
                "message_type": "email_outgoing",
                "is_notification": True,
                "auto_delete": True,
                "scheduled_date": leaves_at,
                "state": "outgoing",
            }

    def _drop_queued(self):
        emails = self.filtered(lambda contact: contact.channel == "email")
        self.env["mail.mail"].sudo().search(
            [
                ("model", "=", self._name),
                ("res_id", "in", emails.ids),
                ("state", "in", ("outgoing", "exception")),
            ]
        ).unlink()
        return super()._drop_queued()

    def _message_receive_bounce(self, email, partner):
        """Override of `mail`: the mail came back."""
        contacts = self.sudo().filtered(lambda contact: contact.channel == "email")
        contacts._set_state(
            "failed",
            self.env._(
                "The e-mail came back: %s does not receive it.", email or self.env._("the address")
            ),
        )
        contacts.partner_id._health_note_email_failed(email)
        return super()._message_receive_bounce(email, partner)

    @api.model
    def _reply_text(self, message_dict):
        return html2plaintext(message_dict.get("body") or "", include_references=False).strip()

    def message_update(self, msg_dict, update_vals=None):
        """Override of `mail`: the person answered the e-mail; their words wait for somebody to read them."""
        for contact in self.sudo():
            text = self._reply_text(msg_dict)
            contact.answer = "\n\n".join(filter(None, (contact.answer, text)))
            contact._note_incoming(text)
        return super().message_update(msg_dict, update_vals=update_vals)

    def _note_incoming(self, text, hold=True):
        """What somebody wrote back: in the history, and a request that holds the reminders until answered.

        :param hold: whether it wants an answer (STOP wants none).
        """
        for contact in self.sudo():
            self._record(
                [
                    {
                        "company_id": contact.company_id.id,
                        "partner_id": contact.partner_id.id,
                        "direction": "in",
                        "channel": contact.channel,
                        "kind": "request",
                        "state": "delivered",
                        "subject": self.env._("Answer of %s", contact.partner_id.name),
                        "body": text,
                        "share_ids": [fields.Command.set(contact.share_ids.ids)],
                    }
                ]
            )
            if hold and contact.kind != "chase":
                self.env["health.debtor.request"].sudo().create(
                    {
                        "company_id": contact.company_id.id,
                        "partner_id": contact.partner_id.id,
                        "kind": "other",
                        "message": text,
                        "share_ids": [fields.Command.set(contact.share_ids.ids)],
                    }
                )

    def _mail_failed(self, failure_type, reason):
        """The mail servers refused for good: the address is not used again when it is its fault."""
        refused = PERMANENT.search(reason or "")
        detail = f"{refused.group(1)} {refused.group(2)}" if refused else ""
        if refused or failure_type in ("mail_email_invalid", "mail_email_missing"):
            self.partner_id._health_note_email_failed()
            text = self.env._(
                "The address of the e-mail is refused: %s", detail or self.env._("not valid")
            )
        elif failure_type == "mail_smtp":
            text = self.env._("The mail server could not be reached: see with an administrator.")
        else:
            text = self.env._("The e-mail did not leave: %s", (reason or "").split("\n")[0][:200])
        self._set_state("failed", text)
