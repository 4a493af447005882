import logging

from odoo import api, models

_logger = logging.getLogger(__name__)


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def _message_parse_extract_payload(self, message, message_dict, save_original=False):
        """Override of `mail`: a mail that is nothing but a file (EDI-consent) has an attachment."""
        if not message.is_multipart() and message.get_content_maintype() == "application":
            name = message.get_filename() or message.get("Content-Description") or "message"
            content = message.get_payload(decode=True) or b""
            attachment = self._Attachment(name.replace("/", "-"), content, {"encoding": None})
            return {"body": "", "attachments": [attachment]}
        # the reader turns text files into text of a guessed charset: their bytes are kept aside
        kept = {}
        for part in message.walk():
            if part.get_content_maintype() == "text" and part.get_filename():
                kept.setdefault(part.get_filename(), []).append(part.get_payload(decode=True))
        payload = super()._message_parse_extract_payload(message, message_dict, save_original)
        payload["attachments"] = [
            attachment._replace(content=kept[attachment.fname].pop(0) or b"")
            if isinstance(attachment.content, str) and kept.get(attachment.fname)
            else attachment
            for attachment in payload["attachments"]
        ]
        return payload

    @api.model
    def message_process(self, model, message, *args, **kwargs):
        """Override of `mail`: a mail for the received files that breaks the reader is kept whole."""
        if model != "health.inbox":
            return super().message_process(model, message, *args, **kwargs)
        try:
            with self.env.cr.savepoint():
                return super().message_process(model, message, *args, **kwargs)
        except Exception as error:
            # the mailbox forgets a mail once it was given to us, whatever became of it
            _logger.exception("A mail could not be read: it is kept for review")
            return self.env["health.inbox"]._keep_mail(message, error).id
