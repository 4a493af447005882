import csv
import io

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError
from odoo.tools import file_open, format_date, html2plaintext

from odoo.addons.health_billing.tools import QUIET, cents, euros

from ..dunning.care_words import Words, find

#: states in which a contact counts: something went, or will go, to the debtor
COUNTED = ("planned", "queued", "sent", "delivered")
#: states in which a contact has not left yet, and can still be stopped
WAITING = ("planned", "queued")
#: kinds that ask for money: stopped when it was paid meanwhile
ASKING = ("reminder", "notice", "link", "chase")
#: kinds that are looked at again before they leave: a plan's messages speak of what is left too
CHECKED = (*ASKING, "plan")
#: of these, kinds that the product sends by itself to patients: stopped when the guard holds them meanwhile
GUARDED = ("reminder", "notice")
#: guards that a message which is on its way would meet because of itself, or that only make it wait
WITHOUT = ("_guard_recent_contact", "_guard_small_amount", "_guard_hour")
#: kinds that answer what the person has just done: they leave at any hour
AT_ONCE = ("receipt", "request")
#: channels that a carrier or a person brings out later
BY_HAND = ("letter", "registered", "e_registered", "phone")
#: what a person may not change afterwards
HISTORY = frozenset(
    "company_id partner_id date day direction channel kind state state_reason done_on delivered_on tries subject "
    "body amount amount_written share_ids user_id communication_id proof_ids tracking_no promise_on "
    "promise_amount gateway_id gateway_ref carrier_id printed_on report_model report_record report_name is_seen".split()
)
#: contacts made ready at a time
BATCH = 500
#: entries of the values given to `_send` that are not fields
NOT_STORED = ("urls", "report", "html")


class HealthContact(models.Model):
    """One exchange with somebody who owes: when, by what means, what was said, the proof, the answer.

    The history that the agency can show. It is written by the product, never changed by hand except for the
    answer, and never deleted.
    """

    _name = "health.contact"
    _description = "Contact"
    _inherit = ["mail.thread"]
    _order = "date desc, id desc"
    _rec_name = "subject"
    _check_company_auto = True
    # a reply of the patient, or the bounce of a mail, is posted by the mail gateway
    _mail_post_access = "read"

    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, index=True, readonly=True
    )
    partner_id = fields.Many2one(
        "res.partner", string="With", required=True, index=True, readonly=True, ondelete="restrict"
    )
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    day = fields.Date(
        required=True,
        readonly=True,
        default=fields.Date.context_today,
        help="Day that counts for the gap between two contacts: the day of the night worked.",
    )
    direction = fields.Selection(
        [("out", "To the debtor"), ("in", "From the debtor")],
        required=True,
        readonly=True,
        default="out",
    )
    channel = fields.Selection(
        [
            ("email", "E-mail"),
            ("sms", "SMS"),
            ("letter", "Letter"),
            ("registered", "Registered letter"),
            ("e_registered", "Electronic registered letter"),
            ("phone", "Phone"),
            ("portal", "Patient's page"),
            ("hand", "By hand"),
        ],
        required=True,
        readonly=True,
    )
    kind = fields.Selection(
        [
            ("reminder", "Reminder"),
            ("notice", "Formal notice"),
            ("link", "Payment link"),
            ("receipt", "Receipt"),
            ("plan", "Payment plan"),
            ("agreement", "Agreement"),
            ("request", "Request of the patient"),
            ("chase", "Chase of a payer"),
            ("handover", "Hand-over"),
            ("other", "Other"),
        ],
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        [
            ("planned", "To do"),
            ("queued", "Leaves soon"),
            ("sent", "Sent"),
            ("delivered", "Received"),
            ("failed", "Not delivered"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="sent",
        index=True,
    )
    done_on = fields.Datetime("Left on", readonly=True, copy=False)
    delivered_on = fields.Datetime("Received on", readonly=True, copy=False)
    tries = fields.Integer(
        readonly=True, copy=False, help="Times that sending it was tried in vain."
    )
    state_reason = fields.Char("Why", readonly=True, help="Why it failed or was cancelled.")
    subject = fields.Char(readonly=True)
    body = fields.Text("What was said", readonly=True, help="Any payment link is blotted out.")
    answer = fields.Text("Reply", help="What the debtor said or did.")
    amount = fields.Monetary("Amount asked", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    share_ids = fields.Many2many("health.share", string="Shares", readonly=True)
    user_id = fields.Many2one(
        "res.users", string="By", readonly=True, default=lambda self: self.env.uid
    )
    communication_id = fields.Many2one(
        "credit.control.communication", readonly=True, index="btree_not_null", ondelete="set null"
    )
    proof_ids = fields.Many2many("ir.attachment", string="Proofs", readonly=True)
    tracking_no = fields.Char("Tracking number", readonly=True)
    is_seen = fields.Boolean(
        "Seen to", readonly=True, copy=False, help="Somebody dealt with what did not arrive."
    )
    amount_written = fields.Monetary(
        "Left to pay when written",
        readonly=True,
        help="A message whose shares were paid meanwhile, even in part, does not leave.",
    )
    report_model = fields.Char(readonly=True)
    report_record = fields.Many2oneReference(model_field="report_model", readonly=True)
    report_name = fields.Char(readonly=True, help="Letter that is printed for it.")

    # -- writing it down --------------------------------------------------------------------------

    @api.model
    def _record(self, vals_list):
        """Write contacts into the history, in one batch, with full rights.

        :param vals_list: one dict of values per contact.
        :return: the contacts, in the same order.
        """
        return self.sudo().with_context(**QUIET).create(vals_list)

    def write(self, vals):
        """Override: the history is not written anew; a person adds what was answered, no more."""
        kept = {name for name in vals if name in HISTORY and not self.env.su}
        if kept:
            raise AccessError(
                self.env._(
                    "What was sent stays as it was. Write what the person answered in “Answer”."
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The history of contacts is never deleted."))

    # -- bringing it out --------------------------------------------------------------------------

    @api.model
    def _send(self, vals_list):
        """Bring prepared contacts out, each by its channel, and write them into the history.

        Nothing is lost: what cannot leave (no address, a text that tells of care) is in the history
        as not delivered, with the reason.

        :param vals_list: one dict per contact: company_id, partner_id, channel, kind, subject, body
            (HTML for an e-mail or a letter, text for an SMS or a call sheet), share_ids, amount, day;
            optional communication_id, proof_ids, urls (addresses of payment pages: in what leaves,
            never in the history), report ((record, xml id of its report) of a letter). Records or ids.
        :return: the contacts, in the same order.
        """
        contacts = self.browse()
        for start in range(0, len(vals_list), BATCH):
            contacts += self._send_batch(vals_list[start : start + BATCH])
        return contacts

    @api.model
    def _send_batch(self, vals_list):
        prepared = [self._plain_values(vals) for vals in vals_list]
        written = self._amounts_written(prepared)
        stored = [
            {
                **{name: value for name, value in vals.items() if name not in NOT_STORED},
                **self._report_values(vals.get("report")),
                "share_ids": [fields.Command.set(vals["share_ids"])],
                "body": self._history_text(vals),
                "state": "planned" if vals["channel"] in BY_HAND else "queued",
                "amount_written": euros(amount),
            }
            for vals, amount in zip(prepared, written, strict=True)
        ]
        contacts = self._record(stored)
        extras = dict(zip(contacts.ids, prepared, strict=True))
        contacts._stop_care_words(extras)
        for channel, group in contacts.grouped("channel").items():
            ready = group.filtered(lambda contact: contact.state in WAITING)
            leave = getattr(ready, f"_leave_by_{channel}", None)
            if leave is None and channel in BY_HAND:
                continue
            if leave is None:
                ready._set_state("sent")
            elif ready:
                leave(extras)
        return contacts

    @api.model
    def _plain_values(self, vals):
        """The same values with ids in the place of records, whatever way the caller wrote them."""
        vals = dict(vals)
        for name in ("company_id", "partner_id", "communication_id", "user_id"):
            if isinstance(vals.get(name), models.BaseModel):
                vals[name] = vals[name].id
        for name in ("share_ids", "proof_ids"):
            value = vals.get(name) or []
            if isinstance(value, models.BaseModel):
                value = value.ids
            elif value and not isinstance(value[0], int):
                value = [
                    rid
                    for command in value
                    for rid in (command[2] if command[0] == fields.Command.SET else [command[1]])
                ]
            vals[name] = list(value)
        vals["proof_ids"] = [fields.Command.set(vals["proof_ids"])]
        vals["urls"] = list(filter(None, vals.get("urls") or []))
        vals["html"] = vals.get("body") or ""
        if not vals.get("day"):
            vals["day"] = fields.Date.context_today(self)
        if not vals.get("amount"):
            vals["amount"] = 0
        return vals

    @api.model
    def _report_values(self, report):
        if not report:
            return {}
        record, name = report
        return {"report_model": record._name, "report_record": record.id, "report_name": name}

    @api.model
    def _amounts_written(self, prepared):
        """Cents left to pay of the shares of each contact."""
        shares = (
            self.env["health.share"]
            .sudo()
            .browse({share for vals in prepared for share in vals["share_ids"]})
        )
        left = {share.id: cents(share.amount_residual) for share in shares}
        return [sum(left[share] for share in vals["share_ids"]) for vals in prepared]

    @api.model
    def _blot(self, text, urls):
        """The same text without the keys of payment pages."""
        for url in urls:
            text = text.replace(url, url.rsplit("/", 1)[0] + "/…")
        return text

    @api.model
    def _history_text(self, vals):
        text = self._blot(vals["html"], vals["urls"])
        if vals["channel"] in ("email", "letter", "registered", "e_registered"):
            text = html2plaintext(text, include_references=False)
        return text

    # -- what may not be read ---------------------------------------------------------------------

    @api.model
    @tools.ormcache()
    def _care_words(self):
        with file_open("health_collections/data/care_words.csv") as file:
            rows = list(csv.DictReader(io.StringIO(file.read())))
        return Words(
            frozenset(row["word"] for row in rows if row["kind"] == "code"),
            tuple(row["word"] for row in rows if row["kind"] == "stem"),
        )

    def _stop_care_words(self, extras):
        """A message that tells of care never leaves, whoever wrote it."""
        words = self._care_words()
        for company, group in self.grouped("company_id").items():
            sender = company._health_sender()
            ours = (
                sender["name"],
                company.name,
                company.partner_id.name,
                *sender["address"].split("\n"),
            )
            for contact in group:
                names = (
                    *ours,
                    contact.partner_id.name,
                    *contact.share_ids.patient_id.mapped("name"),
                )
                text = f"{contact.subject or ''}\n{contact.body or ''}"
                found = find(text, words, names)
                if found:
                    contact._set_state(
                        "failed",
                        self.env._(
                            "Not sent: the text says “%s”, and a message never tells of care. Change the text "
                            "of the level or of the template, then send it again.",
                            found,
                        ),
                    )

    # -- states -----------------------------------------------------------------------------------

    def _set_state(self, state, reason=False, **values):
        """Follow what became of contacts; reminders they carry follow too.

        What was received stays so: a late report of the same message does not take it back.
        """
        contacts = self.filtered(
            lambda contact: (
                (values or (contact.state, contact.state_reason or False) != (state, reason))
                and not (contact.state == "delivered" and state == "sent")
            )
        )
        if not contacts:
            return contacts
        values = {"state": state, "state_reason": reason, **values}
        now = fields.Datetime.now()
        if state == "delivered":
            values.setdefault("delivered_on", now)
        contacts.sudo().write(values)
        if state in ("sent", "delivered"):
            contacts.sudo().filtered(lambda contact: not contact.done_on).write({"done_on": now})
        contacts.sudo()._after_state()
        return contacts

    def _after_state(self):
        """What follows the state of contacts: the reminders of the base addon."""
        line_states = {
            "queued": "queued",
            "sent": "sent",
            "delivered": "sent",
            "failed": "email_error",
            # the level is not done: the next run writes what is then owed
            "cancelled": "ignored",
        }
        for state, contacts in self.filtered("communication_id").grouped("state").items():
            if state not in line_states:
                continue
            for channel, group in contacts.grouped("channel").items():
                lines = group.communication_id.credit_control_line_ids.filtered(
                    lambda line, channel=channel: line.channel == channel
                )
                lines = lines.filtered(
                    lambda line, state=line_states[state]: line.state not in (state, "ignored")
                )
                if lines:
                    lines.with_context(**QUIET).write({"state": line_states[state]})

    # -- looked at again when it leaves -----------------------------------------------------------

    def _recheck(self):
        """Look again at contacts that are about to leave.

        :return: (dict of contact → why it must not leave any more, dict of contact → moment before
            which it must not leave).
        """
        stopped, later = {}, {}
        asking = self.sudo().filtered(
            lambda contact: (
                contact.kind in CHECKED and contact.direction == "out" and contact.share_ids
            )
        )
        plans = asking._instalment_plans()
        for contact in asking:
            left = sum(cents(share.amount_residual) for share in contact.share_ids)
            if left <= 0:
                stopped[contact] = self.env._("Everything was settled before it left.")
            elif left != cents(contact.amount_written) and (
                contact.kind != "plan" or contact in plans
            ):
                stopped[contact] = self.env._(
                    "The amount changed before it left: the next message says the new one."
                )
        guarded = asking.filtered(
            lambda contact: contact.kind in GUARDED and contact not in stopped
        )
        shares = guarded.share_ids.filtered(lambda share: share.debtor_kind == "patient")
        if shares:
            today = fields.Date.context_today(self.with_context(tz="Europe/Paris"))
            held = self._held(shares, today)
            for contact in guarded:
                answer = next((held[share] for share in contact.share_ids if share in held), None)
                if answer:
                    stopped[contact] = answer[1]
        now = fields.Datetime.now()
        for company, group in self.sudo().grouped("company_id").items():
            moment = company._health_next_moment(now)
            if moment > now:
                for contact in group:
                    if contact not in stopped and contact.kind not in AT_ONCE:
                        later[contact] = moment
        return stopped, later

    def _instalment_plans(self):
        """Messages on an instalment of a plan that runs, not those that tell its start or its end.

        :return: dict of contact → plan.
        """
        told = self.filtered(
            lambda contact: contact.kind == "plan" and contact.report_model == "health.plan"
        )
        plans = self.env["health.plan"].sudo().browse(told.mapped("report_record")).exists()
        by_id = {plan.id: plan for plan in plans if plan.state == "running"}
        return {
            contact: plan
            for contact in told
            if (plan := by_id.get(contact.report_record)) and plan.started_on < contact.day
        }

    @api.model
    def _held(self, shares, day):
        """Shares that the guard holds by now, the message under way left out of it."""
        french = self.env["res.lang"]._get_data(code="fr_FR")
        shares = shares.with_context(lang="fr_FR" if french else self.env.lang)
        return shares._dunning_guard(day, without=WITHOUT)

    def _leaves_at(self):
        """First moment at which it may leave: by daylight of the day it is for, or at once."""
        self.ensure_one()
        if self.kind in AT_ONCE:
            return False
        today = fields.Date.context_today(self.with_context(tz="Europe/Paris"))
        return self.company_id._health_reminder_time(max(self.day, today))

    @api.model
    def _cancel(self, shares, reason):
        """Stop what has not left yet and asks for these shares.

        :return: the contacts stopped.
        """
        waiting = self.sudo().search(
            [
                ("share_ids", "in", shares.ids),
                ("state", "in", WAITING),
                ("kind", "in", ASKING),
                ("direction", "=", "out"),
            ]
        )
        waiting._stop(dict.fromkeys(waiting, reason))
        return waiting

    def _stop(self, reasons):
        """Cancel contacts that wait, with what waits for them in the queues.

        :param reasons: dict of contact → reason.
        """
        contacts = self.browse().union(*reasons)
        contacts._drop_queued()
        # what they said of an instalment is told by the next one, with what is left then
        for contact, plan in contacts._instalment_plans().items():
            plan._forget_told(contact.day)
        for reason, group in contacts.grouped(lambda contact: reasons[contact]).items():
            group._set_state("cancelled", reason)

    def _drop_queued(self):
        """Take what waits for these contacts out of the queues; each channel adds its own."""

    @api.model
    def _sweep(self):
        """Every night: what waits and is no longer owed, or no longer to be asked, is stopped.

        :return: the contacts stopped.
        """
        waiting = self.sudo().search(
            [("state", "in", WAITING), ("kind", "in", CHECKED), ("direction", "=", "out")]
        )
        stopped, _later = waiting._recheck()
        waiting._stop(stopped)
        return waiting.browse().union(*stopped)

    def _is_of(self, record):
        """Whether this contact brings out that record: itself, its reminder, the plan or agreement it tells of."""
        self.ensure_one()
        return bool(record) and (
            record in (self, self.communication_id)
            or (record._name, record.id) == (self.report_model, self.report_record)
        )

    def _recalled(self):
        """This letter, as a later step recalls it."""
        self.ensure_one()
        left_on = self.done_on and fields.Datetime.context_timestamp(self, self.done_on).date()
        day = format_date(self.env, left_on or self.day)
        if not self.partner_id.ref:
            return self.env._("Our letter of %s.", day)
        return self.env._(
            "Our letter of %(day)s, reference %(reference)s.",
            day=day,
            reference=self.partner_id.ref,
        )

    def action_cancel(self):
        """A person decides that it does not leave."""
        self.check_access("write")
        if self.filtered(lambda contact: contact.state not in WAITING):
            raise UserError(self.env._("Only what has not left yet can be cancelled."))
        reason = self.env._("Cancelled by %s.", self.env.user.name)
        self.sudo()._stop(dict.fromkeys(self.sudo(), reason))
        return True

    def action_seen(self):
        """Somebody dealt with what did not arrive: it leaves the cockpit."""
        self.check_access("write")
        self.sudo().write({"is_seen": True})
        return True

    @api.model
    def _take_over_reminders(self):
        """Reminders sent before there was this history: they are written into it, once.

        :return: the contacts made.
        """
        states = {"sent": "sent", "queued": "sent", "email_error": "failed", "error": "failed"}
        known = self.sudo().search([("communication_id", "!=", False)]).communication_id
        reminders = (
            self.env["credit.control.communication"]
            .sudo()
            .search([("partner_id.health_kind", "=", "patient"), ("id", "not in", known.ids)])
        )
        values = []
        for reminder in reminders:
            lines = reminder.credit_control_line_ids
            state = next((states[line.state] for line in lines if line.state in states), None)
            if not state:
                continue
            day = max(line.date_sent or line.date for line in lines)
            values.append(
                {
                    "company_id": reminder.company_id.id,
                    "partner_id": reminder.partner_id.id,
                    "communication_id": reminder.id,
                    "channel": "letter" if "letter" in lines.mapped("channel") else "email",
                    "kind": "reminder",
                    "state": state,
                    "is_seen": True,
                    "date": fields.Datetime.to_datetime(day),
                    "day": day,
                    "subject": reminder.policy_level_id.name,
                    "amount": sum(lines.mapped("balance_due")),
                    "user_id": reminder.create_uid.id,
                    "share_ids": [fields.Command.set(lines.invoice_id.health_share_id.ids)],
                }
            )
        return self._record(values)
