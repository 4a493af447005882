import base64
import re
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from odoo.addons.health_billing.tools import cents, euros

from ..dunning.person import NATIONAL

#: longest text and most photos of one request
LONGEST, PHOTOS = 2000, 2
#: the same words sent again in that time are a second click
TWICE = timedelta(minutes=15)


class HealthDebtorRequest(models.Model):
    """What a patient asked or told from their page: reminders wait until somebody has answered."""

    _name = "health.debtor.request"
    _description = "Request of a Patient"
    _order = "date desc, id desc"
    _rec_name = "partner_id"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, index=True, readonly=True
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Patient",
        required=True,
        index=True,
        readonly=True,
        ondelete="cascade",
    )
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    kind = fields.Selection(
        [
            ("insurer", "My complementary insurer should pay"),
            ("dispute", "I do not agree"),
            ("callback", "Call me"),
            ("plan", "Pay in instalments"),
            ("other", "Other"),
        ],
        required=True,
        readonly=True,
    )
    message = fields.Text(readonly=True)
    phone = fields.Char(readonly=True)
    share_ids = fields.Many2many("health.share", string="Shares", readonly=True)
    amount = fields.Monetary("Left to pay", compute="_compute_amount")
    currency_id = fields.Many2one(related="company_id.currency_id")
    photo_ids = fields.One2many(
        "health.debtor.photo",
        "request_id",
        string="Photos",
        readonly=True,
        groups="health_billing.group_biller",
    )
    photo_count = fields.Integer("Photos sent", readonly=True)
    link_id = fields.Many2one("health.payment.link", readonly=True, ondelete="set null")
    contact_id = fields.Many2one("health.contact", readonly=True, ondelete="set null")
    state = fields.Selection(
        [("open", "Open"), ("done", "Answered")],
        required=True,
        readonly=True,
        default="open",
        index=True,
    )
    answer = fields.Text(
        "Your answer", help="The patient reads it on their page and receives it by e-mail."
    )
    done_on = fields.Datetime("Answered on", readonly=True)
    done_by_id = fields.Many2one("res.users", string="Answered by", readonly=True)

    @api.depends("share_ids.amount_residual")
    def _compute_amount(self):
        for request in self:
            request.amount = euros(sum(cents(share.amount_residual) for share in request.share_ids))

    # -- what the patient sends ---------------------------------------------------------------------

    @api.model
    def _take(self, link, kind, shares, message="", phone="", photos=()):
        """Keep what a patient asks, hold the reminders of what it is about, and note it in the history.

        The same words sent twice are one request.

        :param link: the link whose page it comes from.
        :param shares: what it is about; all that is open when empty.
        :param photos: contents of the photos, as bytes.
        :return: the request.
        :raises UserError: in French, when something is missing or cannot be read.
        """
        link.ensure_one()
        shares = shares or link._open_shares()
        message = (message or "").strip()[:LONGEST]
        phone = (phone or "").strip()[:30]
        self._check_taken(kind, shares, message, phone, photos)
        Request = self.sudo()
        again = Request.search(
            [
                ("partner_id", "=", link.partner_id.id),
                ("company_id", "=", link.company_id.id),
                ("kind", "=", kind),
                ("state", "=", "open"),
                ("message", "=", message or False),
                ("phone", "=", phone or False),
                ("date", ">", fields.Datetime.now() - TWICE),
            ],
            limit=1,
        ).filtered(lambda request: request.share_ids == shares)
        if again:
            return again
        Photo = self.env["health.debtor.photo"]
        cleaned = [Photo._clean(content) for content in photos[:PHOTOS]]
        request = Request.create(
            {
                "company_id": link.company_id.id,
                "partner_id": link.partner_id.id,
                "kind": kind,
                "message": message,
                "phone": phone,
                "share_ids": [fields.Command.set(shares.ids)],
                "link_id": link.id,
                "photo_count": len(cleaned),
            }
        )
        Photo.sudo().create(
            [
                {
                    "name": self.env._("Photo %s", position),
                    "request_id": request.id,
                    "image": base64.b64encode(content),
                }
                for position, content in enumerate(cleaned, start=1)
            ]
        )
        request._note_contact()
        self.env["health.contact"]._cancel(
            shares, self.env._("The patient wrote from their page: answer them first.")
        )
        shares._dunning_refresh(fields.Date.context_today(self))
        return request

    @api.model
    def _check_taken(self, kind, shares, message, phone, photos):
        if not shares:
            raise UserError(self.env._("Nothing is left to pay: there is nothing to ask for."))
        if kind == "callback" and len(re.sub(r"\D", "", phone)) < NATIONAL:
            raise UserError(self.env._("Write the phone number at which to call you: 10 digits."))
        if kind == "insurer" and not (message or photos):
            raise UserError(
                self.env._("Add a photo of your card, or write the name of your insurer.")
            )
        if kind in ("dispute", "plan", "other") and not message:
            raise UserError(self.env._("Write a few words, so that we can answer you."))

    def _note_contact(self):
        """Write these requests into the history of contacts."""
        labels = dict(self._fields["kind"]._description_selection(self.env))
        contacts = self.env["health.contact"]._record(
            [
                {
                    "company_id": request.company_id.id,
                    "partner_id": request.partner_id.id,
                    "direction": "in",
                    "channel": "portal",
                    "kind": "request",
                    "state": "delivered",
                    "subject": labels[request.kind],
                    "body": "\n".join(filter(None, (request.message, request.phone))),
                    "amount": request.amount,
                    "share_ids": [fields.Command.set(request.share_ids.ids)],
                }
                for request in self
            ]
        )
        for request, contact in zip(self, contacts, strict=True):
            request.contact_id = contact

    # -- what the biller answers ------------------------------------------------------------------------

    def action_answer(self):
        """The request is dealt with: the patient reads the answer, and reminders may go on."""
        self.check_access("write")
        waiting = self.filtered(lambda request: request.state == "open")
        silent = waiting.filtered(lambda request: not (request.answer or "").strip())
        if silent:
            raise UserError(
                self.env._(
                    "Write the answer to %s first: the patient reads it.",
                    ", ".join(silent.partner_id.mapped("name")),
                )
            )
        waiting.sudo().write(
            {"state": "done", "done_on": fields.Datetime.now(), "done_by_id": self.env.uid}
        )
        for answer, group in waiting.sudo().grouped("answer").items():
            group.contact_id.answer = answer
        waiting.sudo().share_ids._dunning_refresh(fields.Date.context_today(self))
        waiting._send_answers()
        return True

    def _send_answers(self):
        """Tell the answers by e-mail, each with a link of its own, or on the page alone; all are in the history.

        :raises UserError: when an answer tells of care: nobody is answered then.
        """
        requests = self.sudo()
        refused = requests.partner_id._health_refused_emails()
        urls = self.env["health.payment.link"]._make(
            [(request.partner_id, request.company_id) for request in requests], "email"
        )
        url_by_id = dict(zip(requests.ids, urls, strict=True))
        template = self.env.ref("health_collections.mail_template_answer")
        texts = template._health_render(requests, url_by_id)
        values = []
        for request in requests:
            email = request.partner_id.email_normalized
            subject, body = texts[request.id]
            values.append(
                {
                    "company_id": request.company_id.id,
                    "partner_id": request.partner_id.id,
                    "channel": "email" if email and email not in refused else "portal",
                    "kind": "request",
                    "subject": subject,
                    "body": body,
                    "share_ids": request.share_ids.ids,
                    "urls": [url_by_id[request.id]],
                }
            )
        for contact in self.env["health.contact"]._send(values):
            if contact.state == "failed":
                raise UserError(contact.state_reason)

    def action_reopen(self):
        self.check_access("write")
        done = self.filtered(lambda request: request.state == "done").sudo()
        done.write({"state": "open", "done_on": False, "done_by_id": False})
        done.share_ids._dunning_refresh(fields.Date.context_today(self))
        return True

    def action_open_patient(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": self.partner_id.id,
            "view_mode": "form",
        }

    def action_open_shares(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Shares"),
            "res_model": "health.share",
            "view_mode": "list,form",
            "domain": [("id", "in", self.share_ids.ids)],
        }

    # -- what the page tells --------------------------------------------------------------------------

    def _note_values(self):
        """What the patient's page says of their requests, the latest first."""
        titles = {
            "insurer": self.env._("You told us that your complementary insurer should pay"),
            "dispute": self.env._("You told us that you do not agree"),
            "callback": self.env._("You asked us to call you"),
            "plan": self.env._("You asked to pay in instalments"),
            "other": self.env._("You wrote to us"),
        }
        return [
            {
                "title": titles[request.kind],
                "date": format_date(self.env, request.date, date_format="d MMMM yyyy"),
                "is_open": request.state == "open",
                "holds": request.kind in ("insurer", "dispute"),
                "answer": request.answer or "" if request.state == "done" else "",
                "left": cents(request.amount),
            }
            for request in self
        ]
