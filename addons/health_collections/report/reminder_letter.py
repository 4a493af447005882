import base64
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents

#: what the letter is about, by the tone of the level
SUBJECTS = {
    "neutral": "Une somme reste à régler",
    "kind": "Une somme reste à régler, nous pouvons l'étaler",
    "firm": "Une somme reste due malgré nos messages",
    "formal": "Mise en demeure de payer",
}
#: the letter's first words, for a level without a text of its own
TEXTS = {
    "neutral": "Sauf erreur de notre part, la somme ci-dessous reste à régler. Si vous venez de le faire, "
    "merci de ne pas tenir compte de cette lettre.",
    "kind": "Nous revenons vers vous au sujet de la somme ci-dessous, qui reste à régler. Si elle est difficile "
    "à payer en une fois, dites-le-nous : nous chercherons une solution avec vous.",
    "firm": "La somme ci-dessous reste due. Nous vous remercions de la régler, ou de nous dire ce qui l'empêche, "
    "avant le {limit}.",
    "formal": "Malgré nos messages, la somme ci-dessous reste due.",
}
#: and its last ones
TEXTS_AFTER = {
    "neutral": "Si ce règlement vous pose une difficulté, dites-le-nous simplement.",
    "kind": "Une question, un désaccord, une mutuelle qui aurait dû payer ? Dites-le-nous : les rappels s'arrêtent le "
    "temps de vous répondre.",
    "firm": "Si vous contestez cette somme, ou si votre mutuelle doit la prendre en charge, dites-le-nous : nous le "
    "vérifierons avant toute suite.",
    "formal": "Vous pouvez nous demander un règlement en plusieurs fois, ou nous dire que cette somme ne vous paraît "
    "pas due : nous vous répondrons avant toute suite. Sans règlement ni réponse de votre part dans ce délai, nous "
    "pourrons en demander le paiement par la procédure simplifiée confiée à un commissaire de justice, ou en justice.",
}


class ReminderLetter(models.AbstractModel):
    """Reminder letters: each printing carries a fresh payment link, as a QR code and as text."""

    _name = "report.health_collections.reminder_letter"
    _description = "Reminder Letter"

    @api.model
    def _get_report_values(self, docids, data=None):
        communications = self.env["credit.control.communication"].browse(docids)
        communications.check_access("read")
        # days may pass between the reminder and its printing: whoever has paid gets no letter
        communications = communications.sudo().filtered(lambda one: one._health_open_lines())
        if not communications:
            raise UserError(
                self.env._(
                    "Nothing is left to pay of these reminders: there is no letter to print."
                )
            )
        urls = self.env["health.payment.link"]._make(
            [(one.partner_id, one.company_id) for one in communications], "letter", communications
        )
        return {
            "doc_ids": communications.ids,
            "doc_model": "credit.control.communication",
            "docs": communications,
            "letters": self._letters(communications, urls),
        }

    @api.model
    def _letters(self, communications, urls):
        """What each letter says, as plain texts.

        :return: dict of communication id → dict.
        """
        today = fields.Date.context_today(self)
        Partner, Link = self.env["res.partner"], self.env["health.payment.link"]
        delay = self.env["health.parameter"].value_of("letter_answer_days")
        limit = Partner._health_day_text(today + timedelta(days=delay))
        before = self._messages_before(communications, today)
        # all that the letters tell, read once
        shares = communications._health_open_lines().invoice_id.health_share_id
        shares.mapped("fse_id.amount_total")
        shares.mapped("patient_id.name")
        accounts = self._accounts(communications.company_id)
        senders = communications._health_senders()
        letters = {}
        for communication, url in zip(communications, urls, strict=True):
            company, partner = communication.company_id, communication.partner_id
            level = communication.policy_level_id
            tone = self._tone(level)
            lines = communication._health_open_lines()
            shares = lines.invoice_id.health_share_id.sorted(lambda one: (one.fse_date, one.id))
            total = sum(cents(line.move_line_id.amount_residual) for line in lines)
            texts = [text or "" for text in (level.custom_text, level.custom_text_after_details)]
            letters[communication.id] = {
                "sender": senders[communication.id],
                "day": f"Le {Partner._health_day_text(today)}",
                "reference": partner.ref or "",
                "subject": self._subject(level, tone, total),
                "delivery": self._delivery(communication),
                "is_notice": tone == "formal",
                "before": before[communication.id],
                "text": texts[0].strip() or TEXTS[tone].format(limit=limit),
                "text_after": texts[1].strip() or TEXTS_AFTER[tone],
                "delay": delay,
                "limit": limit,
                "for_several": len(shares.patient_id) > 1 or shares.patient_id != partner,
                "rows": [self._row(share) for share in shares],
                "any_paid": any(
                    cents(share.amount) != cents(share.amount_residual) for share in shares
                ),
                "total": Link._money(total),
                "offers": self._offers(level, shares, today),
                "url": url,
                "code": self._code(url),
                "transfer": accounts.get(company),
                "order_of": company.name,
            }
        return letters

    @api.model
    def _tone(self, level):
        if level.health_is_notice:
            return "formal"
        # a letter that is no formal notice must not look like one
        return "firm" if level.health_tone == "formal" else level.health_tone

    @api.model
    def _subject(self, level, tone, total):
        money = self.env["health.payment.link"]._money(total)
        words = level.health_subject or SUBJECTS[tone]
        # a formal notice says its name, whatever the level's own words are
        if tone == "formal" and "mise en demeure" not in words.lower():
            words = SUBJECTS[tone]
        return f"{words} ({money})"

    @api.model
    def _delivery(self, communication):
        registered = {"registered"} & set(communication.credit_control_line_ids.mapped("channel"))
        return "Lettre recommandée avec avis de réception" if registered else ""

    @api.model
    def _row(self, share):
        money = self.env["health.payment.link"]._money
        asked, left = cents(share.amount), cents(share.amount_residual)
        total = cents(share.fse_id.amount_total)
        return {
            "number": share.fse_id.name,
            "day": share.fse_date.strftime("%d/%m/%Y") if share.fse_date else "",
            "patient": share.patient_id.name,
            "total": money(total),
            "covered": money(total - asked),
            "paid": money(asked - left),
            "left": money(left),
        }

    @api.model
    def _accounts(self, companies):
        """Account on which transfers arrive, the practitioner's own: dict of company → holder and iban."""
        journals = (
            self.env["account.journal"]
            .sudo()
            .search(
                [
                    ("company_id", "in", companies.ids),
                    ("type", "=", "bank"),
                    ("bank_account_id", "!=", False),
                ]
            )
        )
        accounts = {}
        for journal in journals:
            account = journal.bank_account_id
            iban = account.sanitized_acc_number or ""
            accounts.setdefault(
                journal.company_id,
                {
                    "holder": account.acc_holder_name or journal.company_id.name,
                    "iban": "\N{NO-BREAK SPACE}".join(
                        iban[start : start + 4] for start in range(0, len(iban), 4)
                    ),
                },
            )
        return accounts

    @api.model
    def _code(self, url):
        png = self.env["ir.actions.report"].barcode("QR", url, width=300, height=300)
        return base64.b64encode(png).decode()

    @api.model
    def _messages_before(self, communications, today):
        """Days on which the debtor was already written to for these amounts, in words.

        What has not left, a call and the letter itself (printed days after it was decided) are no former letters.

        :return: dict of communication id → "14 octobre 2026 et 2 novembre 2026", or "".
        """
        by_share = {}
        shares = communications.credit_control_line_ids.invoice_id.health_share_id
        contacts = (
            self.env["health.contact"]
            .sudo()
            .search(
                [
                    ("share_ids", "in", shares.ids),
                    ("direction", "=", "out"),
                    ("kind", "in", ("reminder", "notice")),
                    ("channel", "!=", "phone"),
                    ("state", "in", ("sent", "delivered")),
                    ("day", "<", today),
                ]
            )
        )
        for contact in contacts:
            for share in contact.share_ids:
                by_share.setdefault(share, set()).add((contact.day, contact.communication_id.id))
        result = {}
        for communication in communications:
            own = communication.credit_control_line_ids.invoice_id.health_share_id
            days = sorted(
                {
                    day
                    for share in own
                    for day, letter in by_share.get(share, ())
                    if letter != communication.id
                }
            )
            texts = [self.env["res.partner"]._health_day_text(day) for day in days[-4:]]
            result[communication.id] = " et ".join(
                filter(None, (", ".join(texts[:-1]), *texts[-1:]))
            )
        return result

    @api.model
    def _offers(self, level, shares, today):
        """Instalments that the debtor may choose: texts like "en 3 fois : 20,00 € le …"."""
        if (
            not level._fields.get("health_offers_plan")
            or not level.health_offers_plan
            or "health.plan" not in self.env
        ):
            return []
        link, partner = self.env["health.payment.link"], self.env["res.partner"]
        return [
            f"en {offer['count']} fois : "
            + ", ".join(
                f"{link._money(amount)} le {partner._health_day_text(day)}"
                for amount, day in zip(offer["amounts"], offer["dates"], strict=True)
            )
            for offer in self.env["health.plan"].sudo()._offers(shares, today)[:3]
        ]
