from odoo import api, fields, models

#: kinds that ask for money: in the agency's name, their first word is a letter
ASKING = ("plan", "agreement")


class HealthTold(models.AbstractModel):
    """Something that the debtor is told about: a plan, an agreement, a receipt.

    Needs `company_id`, `partner_id`, `share_ids` and `_told_amount()`.
    """

    _name = "health.told"
    _description = "What a Debtor Is Told"

    def _told_amount(self):
        """Euros that the message speaks of."""
        self.ensure_one()
        return 0.0

    def _told_report(self):
        """xml id of the letter, for whom no e-mail reaches."""
        return False

    def _told_channel(self):
        """The patient's wish where it can be met, then what reaches them: e-mail, else letter."""
        self.ensure_one()
        partner = self.partner_id
        if partner.health_contact_channel == "letter" or not partner.email:
            return "letter"
        return "email"

    def _told_by_letter(self, kind):
        """Those of which nothing was said by letter yet, where the agency writes in its own name."""
        result = self.browse()
        if kind in ASKING:
            for company, group in self.grouped("company_id").items():
                unwritten = company._health_without_letter(group.share_ids)
                result += group.filtered(lambda one, left=unwritten: one.share_ids & left)
        return result

    @api.model
    def _told_templates(self, code):
        return self.env.ref(f"health_collections.mail_template_{code}")

    def _tell(self, code, kind, day=None):
        """Tell each debtor, in one batch, and keep it in the history of contacts.

        :param code: name of the mail template, after ``mail_template_``.
        :param kind: kind of `health.contact`.
        :return: the contacts.
        """
        Contact = self.env["health.contact"].sudo()
        if not self:
            return Contact
        day = day or fields.Date.context_today(self)
        records = self.sudo()
        owners = [(one.partner_id, one.company_id) for one in records]
        urls = dict(
            zip(
                records.ids,
                self.env["health.payment.link"]._make(owners, "email", day=day),
                strict=True,
            )
        )
        template = self._told_templates(code).sudo().with_context(health_urls=urls)
        bodies = template._render_field("body_html", records.ids, compute_lang=True)
        subjects = template._render_field("subject", records.ids, compute_lang=True)
        by_letter = records._told_by_letter(kind)
        values = []
        for one in records:
            channel = "letter" if one in by_letter else one._told_channel()
            report = one._told_report()
            values.append(
                {
                    "company_id": one.company_id.id,
                    "partner_id": one.partner_id.id,
                    "channel": channel,
                    "kind": kind,
                    "subject": subjects[one.id],
                    "body": bodies[one.id],
                    "share_ids": one.share_ids.ids,
                    "amount": one._told_amount(),
                    "urls": [urls[one.id]],
                    "day": day,
                    "report": (one, report) if report else False,
                }
            )
        return Contact._send(values)
