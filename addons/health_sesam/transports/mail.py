"""The mail that carries a B2 file: the envelope of the norm, without any encryption."""

import contextlib
import gzip
import re
import smtplib
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from odoo import fields

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from .base import Session, TransportError

#: name of the member when the part is compressed
MEMBER = "B2.gz"


def subject(sender_no, moment, serial, invoices):
    """``IR/sender/time and serial/invoices``, each of its fixed width.

    >>> from datetime import datetime
    >>> subject("756900015", datetime(2026, 10, 6, 7, 8, 9), 12, 3)
    'IR/00000756900015/2026100607080900012/00003'
    """
    return f"IR/{sender_no.zfill(14)}/{moment:%Y%m%d%H%M%S}{serial % 100000:05d}/{invoices:05d}"


def message(content, *, sender, recipient, subject_line, compressed=False, test=False):
    """The whole message: one part ``application/EDI-consent`` in base64 that names its content."""
    mail = EmailMessage()
    mail["Subject"] = subject_line
    mail["From"] = sender
    mail["To"] = recipient
    mail["Date"] = formatdate(localtime=False)
    mail["Message-Id"] = make_msgid("b2")
    if compressed:
        # no time inside: the same lot is the same bytes
        content = gzip.compress(content, mtime=0)
    mail.set_content(
        content,
        maintype="application",
        subtype="EDI-consent",
        cte="base64",
        filename=MEMBER if compressed else None,
    )
    description = "IRISTEST/B2" if test else "IRIS/B2"
    mail["Content-Description"] = description + ("/Z" if compressed else "")
    return mail


class MailSession(Session):
    smtp = None

    def open(self):
        transport = self.transport.sudo()
        server = transport.mail_server_id
        try:
            self.smtp = transport.env["ir.mail_server"]._connect__(mail_server_id=server.id)
        except (OSError, smtplib.SMTPException, MailDeliveryException) as error:
            raise TransportError(
                transport.env._("The mail server “%s” cannot be reached.", server.name)
            ) from error

    def close(self):
        if self.smtp is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self.smtp.quit()

    def describe(self):
        return self.transport.env._(
            "The mail server “%s” takes the connection; nothing was sent.",
            self.transport.sudo().mail_server_id.name,
        )

    def _recipient(self, lot):
        """Address of the payer's front end, from the pattern and the number of the fund."""
        org = lot.payer_id.health_org_no or ""
        pattern = self.transport.recipient or ""
        if "{" in pattern and not re.match(r"[0-9]{5}", org):
            raise TransportError(
                self.transport.env._(
                    "Lot %s: the number of its payer does not give the address to write to.",
                    lot.display_name,
                )
            )
        return pattern.replace("{regime}", org[:2]).replace("{caisse}", org[2:5])

    def send(self, name, content, lot):
        transport = self.transport.sudo()
        recipient = self._recipient(lot)
        mail = message(
            content,
            sender=transport.mail_from or lot.company_id.email_formatted,
            recipient=recipient,
            subject_line=subject(
                lot.company_id.health_provider_no or "",
                fields.Datetime.context_timestamp(transport, fields.Datetime.now()),
                lot.id,
                lot.fse_count,
            ),
            compressed=transport.compress,
            test=transport.is_test,
        )
        try:
            transport.env["ir.mail_server"].send_email(
                mail, mail_server_id=transport.mail_server_id.id, smtp_session=self.smtp
            )
        except (OSError, smtplib.SMTPException, MailDeliveryException, AssertionError) as error:
            raise TransportError(
                transport.env._("The mail server did not take the message for %s.", recipient)
            ) from error
        return recipient
