import re
from datetime import timedelta

from odoo import api, fields, models

CONTACT = "health.contact"
#: what a mail server says when it is only a matter of time
TRANSIENT = re.compile(r"\(4\d\d, ")


class MailMail(models.Model):
    _inherit = "mail.mail"

    def _health_contacts(self):
        """Contacts that these mails bring out."""
        ids = [mail.res_id for mail in self if mail.model == CONTACT and mail.res_id]
        return self.env[CONTACT].sudo().browse(ids).exists()

    def send(self, auto_commit=False, raise_exception=False, post_send_callback=None):
        """Override of `mail`: messages to debtors are looked at again as they leave."""
        stopped = self._health_stop()
        result = super(MailMail, self - stopped).send(
            auto_commit=auto_commit,
            raise_exception=raise_exception,
            post_send_callback=post_send_callback,
        )
        if stopped and post_send_callback:
            post_send_callback(stopped.ids)
        return result

    def _health_stop(self):
        """Cancel those whose reason to leave is gone, put off those that would leave at a wrong hour.

        :return: the mails that do not leave now.
        """
        ours = self.filtered(lambda mail: mail.model == CONTACT and mail.state == "outgoing")
        if not ours:
            return ours
        contacts = ours._health_contacts()
        stopped, later = contacts._recheck()
        mails = ours.grouped(lambda mail: self.env[CONTACT].sudo().browse(mail.res_id))
        held = self.browse()
        for contact in (*stopped, *later):
            held |= mails.get(contact, self.browse())
        for moment, group in contacts.browse().union(*later).grouped(later.get).items():
            self.browse().union(*(mails[contact] for contact in group)).write(
                {"scheduled_date": moment}
            )
        contacts._stop(stopped)
        return held

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        """Override of `mail`: the history follows; what a server could not take now is tried again."""
        contacts = self._health_contacts()
        if contacts and not failure_type:
            contacts._set_state("sent")
        elif contacts:
            reason = failure_reason or self[:1].failure_reason or ""
            transient = failure_type == "mail_smtp" or TRANSIENT.search(reason)
            most = self.env["health.parameter"].value_of("message_tries")
            again = contacts.filtered(lambda contact: transient and contact.tries + 1 < most)
            self._health_try_again(again)
            (contacts - again)._mail_failed(failure_type, reason)
            if len(again) == len(contacts):
                # still on its way: it is not a failure of the notification either
                return True
        return super()._postprocess_sent_message(
            success_pids=success_pids,
            success_emails=success_emails,
            failure_reason=failure_reason,
            failure_type=failure_type,
        )

    def _health_try_again(self, contacts):
        if not contacts:
            return
        wait = timedelta(minutes=self.env["health.parameter"].value_of("message_retry_minutes"))
        mails = self.filtered(lambda mail: mail.model == CONTACT and mail.res_id in contacts.ids)
        mails.write({"state": "outgoing", "scheduled_date": fields.Datetime.now() + wait})
        for tries, group in contacts.grouped("tries").items():
            group._set_state(
                "queued",
                self.env._("The mail server did not take it: it is tried again."),
                tries=tries + 1,
            )

    @api.model
    def process_email_queue(self, *args, **kwargs):
        """Override of `mail`: what a broken connection left half-way is tried again or told."""
        result = super().process_email_queue(*args, **kwargs)
        self._health_mend()
        return result

    @api.model
    def _health_mend(self):
        """Mails that failed without anybody being told: the line was cut in the middle."""
        broken = self.search([("model", "=", CONTACT), ("state", "=", "exception")])
        contacts = broken._health_contacts().filtered(lambda contact: contact.state == "queued")
        if contacts:
            broken.filtered(lambda mail: mail.res_id in contacts.ids)._postprocess_sent_message(
                [], [], failure_type="mail_smtp"
            )
