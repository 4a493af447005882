from odoo import fields, models


class MailTemplate(models.Model):
    _inherit = "mail.template"

    def _health_render(self, records, url_by_id):
        """Subject and body of one message per record.

        :param records: records of the template's model.
        :param url_by_id: dict of record id → address of the payment page.
        :return: dict of record id → (subject, body).
        """
        template = self.sudo().with_context(health_urls=url_by_id)
        bodies = template._render_field("body_html", records.ids, compute_lang=True)
        subjects = template._render_field("subject", records.ids, compute_lang=True)
        return {rid: (subjects[rid], bodies[rid]) for rid in records.ids}

    def _health_mail_values(self, records, url_by_id):
        """Values of one queued e-mail per record, in the practitioner's own name, without
        attachment.

        The address of the payment page is only in the body that leaves; the copy kept in the
        history has it
        blotted out, and the queued mail is deleted once sent.

        :param records: records of the template's model that have `company_id` and `partner_id`.
        :param url_by_id: dict of record id → address of the payment page.
        """
        texts = self._health_render(records, url_by_id)
        moment = self.env["res.company"]._health_reminder_time(fields.Date.context_today(self))
        values = []
        for record in records:
            company = record.company_id
            subject, body = texts[record.id]
            url = url_by_id[record.id]
            sender = (
                company.partner_id.email_formatted
                or company.catchall_formatted
                or self.env.user.email_formatted
            )
            values.append(
                {
                    "model": records._name,
                    "res_id": record.id,
                    "record_name": record.partner_id.name,
                    "subject": subject,
                    "body_html": body,
                    "body": body.replace(url, url.rsplit("/", 1)[0] + "/…"),
                    "author_id": company.partner_id.id,
                    "email_from": sender,
                    "reply_to": company.email_formatted or sender,
                    "recipient_ids": [fields.Command.link(record.partner_id.id)],
                    "message_type": "email_outgoing",
                    "is_notification": True,
                    "auto_delete": True,
                    "scheduled_date": moment,
                    "state": "outgoing",
                }
            )
        return values
