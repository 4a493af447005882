import json
import re
import secrets
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..dunning.sms import is_stop
from ..sms_gateways import GatewayError, HttpGateway

MANAGER = "health_billing.group_manager"
PATH = "/facturiere/sms"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: what phones show as the sender: letters and digits, no more than eleven
SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]{3,11}|\+?[0-9]{3,15}")


class HealthSmsGateway(models.Model):
    """How SMS leave: a gateway that the agency has a contract with. Without one, no SMS leaves.

    Each kind is a small class (see ``health_collections/sms_gateways``). Odoo's own paid service is
    never used: numbers of patients go to the agency's own processor only.
    """

    _name = "health.sms.gateway"
    _description = "SMS Gateway"
    _order = "sequence, id"

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    kind = fields.Selection([("http", "HTTP")], required=True, default="http")
    company_ids = fields.Many2many(
        "res.company",
        string="Practitioners",
        domain=[("health_provider_no", "!=", False)],
        help="Empty: all of them.",
    )
    sender = fields.Char(
        help="What the phone shows: 3 to 11 letters and digits, or a number. Never the care."
    )
    url = fields.Char("Address", groups=MANAGER)
    method = fields.Selection([("POST", "POST"), ("GET", "GET")], required=True, default="POST")
    body = fields.Selection(
        [("json", "JSON"), ("form", "Form")], "Written as", required=True, default="json"
    )
    auth = fields.Selection(
        [
            ("none", "None"),
            ("bearer", "Token (Bearer)"),
            ("basic", "Login and password"),
            ("header", "Header of its own"),
        ],
        "Identification",
        required=True,
        default="bearer",
    )
    login = fields.Char("Login or header", groups=MANAGER, copy=False)
    secret = fields.Char("Password or token", groups=MANAGER, copy=False)
    pattern = fields.Text(
        "What is asked",
        required=True,
        default='{"to": "{number}", "from": "{sender}", "text": "{text}", "reference": "{reference}"}',
        help="JSON whose values hold, in braces: number (+33…), digits (33…), sender, text, reference "
        "(ours, the same when it is tried again), callback (our address for reports).",
    )
    reference_path = fields.Char(
        "Their reference", default="id", help="Where it is in the answer, e.g. messages.0.id."
    )
    answer_path = fields.Char("State in the answer", help="Empty: the HTTP status is enough.")
    answer_good = fields.Char("States that mean taken", default="ok, queued, accepted, sent")
    report_reference = fields.Char("Reference in reports", default="id")
    report_status = fields.Char("State in reports", default="status")
    report_delivered = fields.Char("States that mean received", default="delivered, delivrd")
    report_failed = fields.Char(
        "States that mean lost",
        default="failed, undeliverable, undeliv, rejected, rejectd, expired",
    )
    incoming_number = fields.Char("Number in messages received", default="from")
    incoming_text = fields.Char("Text in messages received", default="text")
    token = fields.Char(
        default=lambda self: secrets.token_urlsafe(24), readonly=True, copy=False, groups=MANAGER
    )
    callback = fields.Char(
        "Address for reports and answers", compute="_compute_callback", groups=MANAGER
    )
    last_run = fields.Datetime(readonly=True, copy=False)
    last_result = fields.Char(readonly=True, copy=False)
    is_ok = fields.Boolean("Went well", readonly=True, copy=False)

    _token_uniq = models.Constraint("UNIQUE(token)", "This address for reports exists already.")

    @api.depends("token")
    def _compute_callback(self):
        for gateway in self:
            gateway.callback = gateway._callback_address()

    def _callback_address(self):
        base = self.env["ir.config_parameter"].sudo().get_param("web.base.url").rstrip("/")
        return f"{base}{PATH}/{self.sudo().token}"

    @api.constrains("url", "kind")
    def _check_url(self):
        for gateway in self.filtered(lambda record: record.kind == "http"):
            parts = urlsplit(gateway.url or "")
            if not parts.hostname or not (
                parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
            ):
                raise ValidationError(
                    self.env._(
                        "The address of “%s” must begin with https://: numbers of patients go through it.",
                        gateway.name,
                    )
                )

    @api.constrains("pattern")
    def _check_pattern(self):
        for gateway in self:
            try:
                pattern = json.loads(gateway.pattern)
            except ValueError:
                pattern = None
            if not isinstance(pattern, dict) or not {"{text}"} <= set(
                re.findall(r"\{\w+\}", gateway.pattern)
            ):
                raise ValidationError(
                    self.env._(
                        "What “%s” is asked must be a JSON object in which {text} and the number stand.",
                        gateway.name,
                    )
                )

    @api.constrains("sender")
    def _check_sender(self):
        for gateway in self.filtered("sender"):
            if not SENDER.fullmatch(gateway.sender):
                raise ValidationError(
                    self.env._(
                        "“%s”: a sender is 3 to 11 letters or digits without accents nor spaces, or a number.",
                        gateway.sender,
                    )
                )

    @api.model
    def _of(self, company):
        """The gateway of a practitioner: their own first; empty when none is set up."""
        gateways = self.sudo().search([("company_ids", "in", (False, company.id))])
        return (gateways.filtered("company_ids") or gateways)[:1]

    def _gateway_class(self):
        """Class of this kind; an addon that adds a kind answers for it here."""
        self.ensure_one()
        return {"http": HttpGateway}[self.kind]

    def _gateway(self):
        return self._gateway_class()(self.sudo())

    def _note_result(self, ok, text):
        self.sudo().write({"last_run": fields.Datetime.now(), "is_ok": ok, "last_result": text})

    def _give(self, messages):
        """Give messages to the gateway, one by one.

        :param messages: list of (number, text, uuid).
        :return: list of results (see ``sms_gateways``).
        """
        self.ensure_one()
        gateway, results = self._gateway(), []
        for number, text, uuid in messages:
            results.append(gateway.send(number, text, uuid))
            if results[-1].outcome == "unreachable":
                # the rest is not tried in vain, one timeout after another
                break
        bad = next((result for result in results if result.outcome != "accepted"), None)
        if results:
            self._note_result(
                not bad,
                (bad.reason or bad.outcome) if bad else self.env._("Taken: %s.", len(results)),
            )
        return results

    def action_try(self):
        """Send one SMS to the person who presses, on their own phone."""
        self.ensure_one()
        if not self.env.su and not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Gateways are for managers."))
        number = self.env.user.partner_id._phone_format(fname="phone")
        if not number:
            raise UserError(
                self.env._(
                    "The test goes to your own phone: write your number in your preferences first."
                )
            )
        try:
            [result] = self._give(
                [(number, self.env._("Test of the gateway."), secrets.token_hex(16))]
            )
        except GatewayError as error:
            raise UserError(str(error)) from error
        good = result.outcome == "accepted"
        text = self.env._("Taken. Look at your phone.") if good else result.reason
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": text or result.outcome,
                "type": "success" if good else "warning",
                "sticky": not good,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # -- what the gateway calls us for ------------------------------------------------------------

    @api.model
    def _called(self, token, values):
        """A call of a gateway: a report on a message, or a message of somebody.

        :return: whether the token is known.
        """
        gateway = self.sudo().search([("token", "=", token or "-")], limit=1)
        if not gateway:
            return False
        reader = gateway._gateway()
        report, incoming = reader.read_report(values), reader.read_incoming(values)
        if report:
            gateway._take_report(report)
        elif incoming:
            gateway._take_incoming(incoming)
        return True

    def _take_report(self, report):
        contact = (
            self.env["health.contact"]
            .sudo()
            .search([("gateway_id", "=", self.id), ("gateway_ref", "=", report.reference)], limit=1)
        )
        if report.outcome == "delivered":
            contact._set_state("delivered")
        elif report.outcome == "failed" and contact.state in ("queued", "sent"):
            contact._set_state(
                "failed", self.env._("The phone did not receive it (%s).", report.reason)
            )

    def _take_incoming(self, incoming):
        number = self.env.user._phone_format(number=incoming.number) or incoming.number
        contact = (
            self.env["health.contact"]
            .sudo()
            .search(
                [
                    ("channel", "=", "sms"),
                    ("direction", "=", "out"),
                    ("partner_id.phone_sanitized", "=", number),
                    (
                        "company_id",
                        "in",
                        self.company_ids.ids or self.env["res.company"].sudo().search([]).ids,
                    ),
                ],
                order="date desc, id desc",
                limit=1,
            )
        )
        if is_stop(incoming.text):
            self.env["health.contact"]._refuse_sms(number)
            contact._note_incoming(incoming.text, hold=False)
        else:
            contact._note_incoming(incoming.text)
