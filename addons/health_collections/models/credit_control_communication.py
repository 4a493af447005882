from markupsafe import Markup

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_amount, format_date, html2plaintext

from odoo.addons.health_billing.tools import QUIET, cents, euros, format_cents

#: messages rendered and queued at a time
BATCH = 200
#: channels that leave by a queue, without anybody's hand
AT_ONCE = ("email", "sms")
PAPER = ("letter", "registered")
STYLE = "padding: 5px; border: 1px solid black;"


class CreditControlCommunication(models.Model):
    _inherit = "credit.control.communication"

    health_channel = fields.Selection(
        [
            ("email", "E-mail"),
            ("sms", "SMS"),
            ("letter", "Letter"),
            ("registered", "Registered letter"),
            ("phone", "Phone"),
        ],
        compute="_compute_health_channel",
        string="Sent by",
    )
    health_debtor_kind = fields.Selection(related="policy_id.health_debtor_kind", string="For")
    health_tone = fields.Selection(related="policy_level_id.health_tone")
    health_is_notice = fields.Boolean(related="policy_level_id.health_is_notice")
    health_to_print = fields.Boolean(
        "To print", compute="_compute_health_to_print", search="_search_health_to_print"
    )

    def _compute_health_to_print(self):
        waiting = self.search([("id", "in", self.ids), *self._letters_domain()])
        for communication in self:
            communication.health_to_print = communication in waiting

    @api.model
    def _search_health_to_print(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = Domain(self._letters_domain())
        return domain if True in value else ~domain

    @api.depends("credit_control_line_ids.channel")
    def _compute_health_channel(self):
        for communication in self:
            channels = set(communication.credit_control_line_ids.mapped("channel"))
            # a message has one channel; where an e-mail failed, the letter that replaces it
            communication.health_channel = (
                "letter" if len(channels) > 1 else next(iter(channels), False)
            )

    def _health_of_patients(self):
        """Those that go to patients, or to who settles for them."""
        return self.filtered(lambda one: one.policy_id.health_debtor_kind == "patient")

    @api.model
    def _letters_domain(self):
        """Letters to print, and e-mails that did not go through."""
        return [
            ("credit_control_line_ids", "any", self.env["credit.control.line"]._letters_domain())
        ]

    def _health_is_letter(self):
        return self.health_channel == "letter"

    def _health_open_lines(self):
        """Those of the reminded items that are still to be paid: a letter may be printed days later."""
        return self.credit_control_line_ids.filtered(lambda line: not line.move_line_id.reconciled)

    def _health_amount_text(self):
        """What is left to pay of this reminder, as a French text, e.g. ``12,34 €``."""
        return format_cents(
            sum(cents(line.move_line_id.amount_residual) for line in self._health_open_lines())
        )

    def _health_shares(self):
        return self._health_open_lines().invoice_id.health_share_id

    def _health_fse_numbers(self):
        return sorted(self._health_shares().fse_id.mapped("name"))

    def _health_for_whom(self):
        """Names of the patients concerned, where somebody else settles for them; else empty."""
        patients = self._health_shares().patient_id
        return "" if patients <= self.partner_id else ", ".join(sorted(patients.mapped("name")))

    def _health_subject(self):
        """Subject of the message, without a word on the care."""
        return self.policy_level_id.health_subject or self.env._(
            "Reminder: an amount is left to pay"
        )

    def _health_sender(self):
        """In whose name this reminder is, with what the law asks to say to this debtor.

        Context `health_senders`: dict of id → the same, made for all in one go.
        """
        self.ensure_one()
        known = self.env.context.get("health_senders", {}).get(self.id)
        return known or self._health_senders()[self.id]

    def _health_senders(self):
        """:return: dict of id → see `_health_sender`."""
        senders = {}
        for company, group in self.grouped("company_id").items():
            found = company._health_senders([(one.partner_id, one) for one in group])
            senders.update(zip(group.ids, found, strict=True))
        return senders

    def _health_sms_text(self, url):
        """Text of the SMS with the link in it."""
        sender = self._health_sender()
        return (self.policy_level_id.health_sms_text or "").format(
            praticien=sender["name"],
            montant=self._health_amount_text(),
            lien=url,
            telephone=sender["phone"],
        )

    @api.model
    def _aggregate_credit_lines(self, lines):
        """Replace `account_credit_control`: one message per debtor, without one search per group.

        What one person settles for several patients is one message, at the highest level of what
        is in it.
        """
        debtor_by_patient = lines.partner_id._health_debtor()

        def key(line):
            is_ours = line.policy_id.health_debtor_kind == "patient"
            return (
                line.policy_level_id.browse() if is_ours else line.policy_level_id,
                line.currency_id or line.company_id.currency_id,
                line.company_id or self.env.company,
                debtor_by_patient[line.partner_id] if is_ours else line.partner_id,
            )

        values = []
        for (level, currency, company, partner), members in lines.grouped(key).items():
            top = level or max(members.policy_level_id, key=lambda one: one.level)
            values.append(
                {
                    "credit_control_line_ids": [fields.Command.set(members.ids)],
                    "partner_id": partner.id,
                    "policy_level_id": top.id,
                    "currency_id": currency.id,
                    "company_id": company.id,
                    # the day of the run, which need not be the day of the machine
                    "report_date": max(members.mapped("date")),
                    "contact_address_id": False if level else partner.id,
                }
            )
        return values

    @api.model
    def _onchange_partner_id(self):
        """Override of `account_credit_control`: a patient is written to in person, no contact is
        searched.
        """
        # theirs is set as they are made
        patients = self._health_of_patients()
        return super(CreditControlCommunication, self - patients)._onchange_partner_id()

    def _get_credit_control_communication_table(self):
        """Replace `account_credit_control`: the same table with every value escaped."""
        heads = (
            self.env._("Invoice number"),
            self.env._("Payment reference"),
            self.env._("Invoice date"),
            self.env._("Due date"),
            self.env._("Invoice amount"),
            self.env._("Amount due"),
        )
        rows = Markup().join(
            Markup("<tr>%s</tr>")
            % Markup().join(
                Markup("<td style='%s'>%s</td>") % (STYLE, value or "")
                for value in (
                    line.invoice_id.name,
                    line.invoice_id.payment_reference,
                    format_date(self.env, line.date_entry),
                    format_date(self.env, line.date_due),
                    format_amount(self.env, line.amount_due, line.currency_id),
                    format_amount(self.env, line.balance_due, line.currency_id),
                )
            )
            for line in self.credit_control_line_ids
        )
        return Markup(
            "<br/><h3>%s</h3>"
            "<table style='border-collapse: collapse; width: 100%%; text-align: center;'>"
            "<tr>%s</tr>%s</table>"
        ) % (
            self.env._("Invoices summary"),
            Markup().join(Markup("<th style='%s'>%s</th>") % (STYLE, head) for head in heads),
            rows,
        )

    def _generate_emails(self):
        """Override of `account_credit_control`: the messages to patients are made in batches,
        without PDF.
        """
        patients = self._health_of_patients()
        patients._health_bring_out()
        return super(CreditControlCommunication, self - patients)._generate_emails()

    def _health_bring_out(self):
        """Each message goes its way: e-mails and SMS to their queues; letters and calls wait for
        somebody; all of them are in the history of contacts.
        """
        lines = self.credit_control_line_ids.filtered(
            lambda line: line.state == "to_be_sent" and line.channel in AT_ONCE
        ).with_context(**QUIET)
        for day, group in lines.grouped("date").items():
            group.write({"state": "queued", "date_sent": day})
        for start in range(0, len(self), BATCH):
            self[start : start + BATCH]._health_bring_out_batch()

    def _health_bring_out_batch(self):
        """Prepare the contacts of these reminders, by their channel, and bring them out.

        The link is in the message that leaves, and nowhere else: what stays in the history has
        it blotted out. A letter gets its own when it is printed.
        """
        self = self.with_context(health_senders=self._health_senders())  # pylint: disable=self-cls-assignment
        at_once = self.filtered(lambda one: one.health_channel in AT_ONCE)
        url_by_id = {}
        for day, group in at_once.grouped("report_date").items():
            owners = [(one.partner_id, one.company_id) for one in group]
            urls = self.env["health.payment.link"]._make(
                owners, "reminder", communications=group, day=day
            )
            url_by_id.update(zip(group.ids, urls, strict=True))
        texts = {}
        for channel, communications in self.grouped("health_channel").items():
            texts.update(
                getattr(
                    communications, f"_health_texts_{channel}", communications._health_texts_letter
                )(url_by_id)
            )
        self.env["health.contact"]._send(
            [one._health_contact_values(*texts[one.id], url_by_id) for one in self]
        )
        at_once._health_log_on_patients()

    def _health_texts_email(self, url_by_id):
        """Subject and HTML of each message."""
        texts = {}
        for template, communications in self.grouped(
            lambda one: one.policy_level_id.email_template_id
        ).items():
            texts.update(template._health_render(communications, url_by_id))
        return texts

    def _health_texts_sms(self, url_by_id):
        return {
            one.id: (one._health_subject(), one._health_sms_text(url_by_id[one.id])) for one in self
        }

    def _health_texts_letter(self, url_by_id):
        """What the letter says, for the history; the letter itself is printed later."""
        return {
            one.id: (
                one._health_subject(),
                Markup("<p>%s</p><p>%s</p><p>%s</p>")
                % (
                    one.policy_level_id.custom_text or "",
                    one._health_amount_text(),
                    one.policy_level_id.custom_text_after_details or "",
                ),
            )
            for one in self
        }

    def _health_texts_phone(self, url_by_id):
        """What to say, for whoever calls."""
        return {
            one.id: (
                one.policy_level_id.name,
                "\n".join(
                    filter(
                        None,
                        (
                            self.env._(
                                "%(amount)s left to pay, FSE %(numbers)s.",
                                amount=one._health_amount_text(),
                                numbers=", ".join(one._health_fse_numbers()),
                            ),
                            one._health_for_whom(),
                            one.policy_level_id.health_call_text,
                        ),
                    )
                ),
            )
            for one in self
        }

    def _health_contact_values(self, subject, body, url_by_id):
        """What `health.contact._send` needs to bring this reminder out."""
        self.ensure_one()
        shares = self._health_shares()
        values = {
            "company_id": self.company_id.id,
            "partner_id": self.partner_id.id,
            "communication_id": self.id,
            "channel": self.health_channel,
            "kind": "notice" if self.policy_level_id.health_is_notice else "reminder",
            "subject": subject,
            "body": body,
            "urls": [url_by_id[self.id]] if self.id in url_by_id else [],
            "share_ids": shares.ids,
            "amount": euros(sum(cents(share.amount_residual) for share in shares)),
            "day": self.report_date,
        }
        if self.health_channel in PAPER:
            values["report"] = (self, "health_collections.action_report_reminder_letter")
        return values

    def _health_log_on_patients(self):
        """One note in the history of each patient: when, how, how much."""
        notes = {}
        channels = {
            "email": self.env._("e-mail"),
            "sms": self.env._("SMS"),
            "letter": self.env._("letter"),
            "registered": self.env._("registered letter"),
            "phone": self.env._("phone"),
        }
        for communication in self:
            notes.setdefault(communication.partner_id.id, []).append(
                self.env._(
                    "Reminder by %(channel)s: %(amount)s, %(count)s FSE.",
                    channel=channels[communication.health_channel],
                    amount=communication._health_amount_text(),
                    count=len(communication._health_open_lines()),
                )
            )
        self.partner_id._message_log_batch(
            bodies={partner: Markup("<br/>").join(texts) for partner, texts in notes.items()}
        )

    def action_health_print_letters(self):
        """Print the letters and mark them as sent."""
        self.check_access("read")
        self.env["health.payment.link"].check_access("write")
        lines = self.sudo().credit_control_line_ids.filtered(
            lambda line: line.state in ("to_be_sent", "email_error", "error")
        )
        lines.write(
            {"state": "sent", "channel": "letter", "date_sent": fields.Date.context_today(self)}
        )
        printed = lines.communication_id
        printed._health_note_printed()
        printed._health_log_on_patients()
        return self.env.ref("health_collections.action_report_reminder_letter").report_action(
            self, config=False
        )

    def _health_note_printed(self):
        """These letters left: the history says so; where an e-mail failed, the letter is a new contact."""
        Contact = self.env["health.contact"].sudo()
        waiting = Contact.search(
            [
                ("communication_id", "in", self.ids),
                ("channel", "=", "letter"),
                ("state", "=", "planned"),
            ]
        )
        waiting._set_state("sent")
        rest = self - waiting.communication_id
        texts = rest._health_texts_letter({})
        values = [one._health_contact_values(*texts[one.id], {}) for one in rest]
        today = fields.Date.context_today(self)
        for value in values:
            report, name = value.pop("report")
            value.pop("urls")
            value.update(
                channel="letter",
                state="sent",
                day=today,
                done_on=fields.Datetime.now(),
                body=html2plaintext(value["body"]),
                share_ids=[fields.Command.set(value["share_ids"])],
                report_model=report._name,
                report_record=report.id,
                report_name=name,
            )
        Contact._record(values)
