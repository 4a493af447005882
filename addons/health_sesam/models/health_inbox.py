import base64
import hashlib

from odoo import api, fields, models

from odoo.addons.health_billing.models.health_inbox import InboxRefusal, InboxReview
from odoo.addons.health_billing.tools import QUIET, cents, format_cents

from ..norms import NormError, b2, envelope
from .health_arl import MANDATORY

#: parts of a mail that are no file of the trade: pictures of a signature, cards, invitations
NO_FILES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".svg", ".ics", ".vcf", ".asc", ".p7s")


class HealthInbox(models.Model):
    """Received files may come by mail: each attachment is one, and the mail stays with the first."""

    _name = "health.inbox"
    _inherit = ["health.inbox", "mail.thread"]

    kind = fields.Selection(
        selection_add=[("b2", "B2 claims"), ("arl", "List of ARL")],
        ondelete={"b2": "set unknown", "arl": "set unknown"},
    )
    layout_id = fields.Many2one(
        "health.format.layout", "Read with", readonly=True, ondelete="set null"
    )
    dump = fields.Html("Records", compute="_compute_dump", sanitize=False)
    dump_page = fields.Integer(readonly=True)
    dump_more = fields.Boolean(compute="_compute_dump")

    @api.depends("content", "dump_page", "layout_id", "state")
    def _compute_dump(self):
        Layout = self.env["health.format.layout"].sudo()
        for inbox in self:
            inbox.dump, inbox.dump_more = False, False
            # a file that is worked is read again and again by the screen: its records are shown once it is done
            if inbox.kind not in Layout._dumped_kinds() or inbox.state == "queued":
                continue
            content = inbox.with_context(bin_size=False).content
            if not content:
                continue
            content = base64.b64decode(content)
            layouts = Layout._layouts()
            if inbox.layout_id:  # an old file keeps the version it was read with
                layouts = {**layouts, **inbox.layout_id.sudo()._as_argument()}
            inbox.dump = Layout._dump_html(content, inbox.dump_page, layouts, rest=0)
            inbox.dump_more = Layout._dump_goes_on(content, inbox.dump_page, layouts)

    def action_dump_next(self):
        self.dump_page += 1

    def action_dump_previous(self):
        self.dump_page = max(0, self.dump_page - 1)

    def _format_layouts(self):
        """The approved tables to read this file with, noted on it; old files keep theirs."""
        Layout = self.env["health.format.layout"].sudo()
        current = Layout._current(self.kind)
        if self.layout_id != current:  # the jobs of one file do not write on it
            self.layout_id = current
        return Layout._layouts()

    @api.model_create_multi
    def create(self, vals_list):
        """Override: a received file writes no history of its own; only mails do."""
        quiet = self.with_context(**QUIET)
        return super(HealthInbox, quiet).create(vals_list).with_env(self.env)

    # -- mails -----------------------------------------------------------------------------------

    @api.model
    def message_new(self, msg_dict, custom_values=None):
        """Override of `mail`: take the files of a mail in; without one, the mail is a task."""
        inboxes = self._take_mail(msg_dict)
        return inboxes.filtered(lambda inbox: inbox.state == "review")[:1] or inboxes[:1]

    def message_update(self, msg_dict, update_vals=None):
        """Override of `mail`: an answer may bring the file that was missing."""
        if msg_dict.get("attachments"):
            self._take_mail(msg_dict)
        return super().message_update(msg_dict, update_vals=update_vals)

    @api.model
    def _take_mail(self, msg_dict):
        """The received files that a mail brings, at least one.

        A mail of nobody that a mailbox is set up for is kept unread: anyone can write to us.
        """
        practitioners = self.env["res.company"].sudo().search([("active", "=", True)])
        self = self.with_context(allowed_company_ids=practitioners.ids)
        text = " ".join(filter(None, (msg_dict.get(key) for key in ("recipients", "to", "cc"))))
        sender = msg_dict.get("email_from") or ""
        road = self.env["health.transport"]._for_mail(
            text, sender, self.env.context.get("default_fetchmail_server_id")
        )
        company = road.company_ids if len(road.company_ids) == 1 else None
        files = [
            (name, content.encode() if isinstance(content, str) else content)
            for name, content, _info in msg_dict.get("attachments") or []
            if not name.lower().endswith(NO_FILES)
        ]
        inboxes = self.browse()
        for name, content in files:
            if road._trusts(sender):
                inboxes |= self.ingest(name, content, company)
            else:
                inboxes |= self._keep_unread(name, content, company, sender)
        if not inboxes:
            inboxes = self._keep_task(
                msg_dict.get("subject"),
                company,
                self.env._(
                    "Mail from %s without a file that can be read: read it below, and answer if one "
                    "is missing.",
                    sender,
                ),
            )
        elif all(inbox.state == "refused" for inbox in inboxes):
            inboxes[0].state = "review"
        self.env["health.transmission"].sudo().create(
            [
                {
                    "transport_id": road.id,
                    "direction": "in",
                    "user_id": self.env.uid,
                    "company_id": inbox.company_id.id,
                    "inbox_id": inbox.id,
                    "filename": inbox.filename,
                    "size": inbox.size,
                    "checksum": inbox.checksum,
                    "place": sender,
                    "state": "failed" if inbox.state in ("review", "refused") else "done",
                    "message": (inbox.message or "").split("\n")[0],
                }
                for inbox in inboxes
            ]
        )
        return inboxes

    @api.model
    def _keep_unread(self, name, content, company, sender):
        """Keep a file of an unknown sender without reading it: a person presses “Try again”."""
        checksum = hashlib.sha256(content).hexdigest()
        original = self.sudo().search(
            [("checksum", "=", checksum), ("state", "in", ("done", "review"))], limit=1
        )
        return self.create(
            {
                "filename": name,
                "content": base64.b64encode(content) if not original else False,
                "checksum": checksum,
                "size": len(content),
                "kind": "unknown",
                "state": "duplicate" if original else "review",
                "original_id": original.id,
                "company_id": company.id if company else False,
                "message": self.env._(
                    "The sender %s is not known to the transports: nothing was read. If you expected "
                    "this file, press “Try again”.",
                    sender,
                ),
            }
        )

    @api.model
    def _keep_task(self, name, company, message, content=None):
        """Something that a person must look at, until they say that it is dealt with."""
        inbox = self.create(
            {
                "filename": name or self.env._("Mail without a subject"),
                "content": base64.b64encode(content) if content else False,
                "checksum": hashlib.sha256(content).hexdigest() if content else False,
                "size": len(content or b""),
                "kind": "unknown",
                "state": "review",
                "company_id": company.id if company else False,
                "message": message,
            }
        )
        inbox._add_issues([{"row": 0, "column": self.env._("mail"), "reason": message}])
        return inbox

    @api.model
    def _keep_mail(self, message, error):
        """A mail that could not be read at all, kept with its bytes."""
        content = getattr(message, "data", message)
        content = content.encode() if isinstance(content, str) else bytes(content)
        text = self.env._("This mail could not be read (%s): it is kept whole.", error)
        return self._keep_task(self.env._("unreadable mail.eml"), None, text, content)

    # -- kinds of files --------------------------------------------------------------------------

    @api.model
    def _recognise(self, filename, content):
        """Override of `health_billing`: B2 by its header, lists of ARL by their columns."""
        kind = super()._recognise(filename, content)
        if kind:
            return kind
        if self.env["health.arl"]._read_table(content)[0]:
            return "arl"
        if envelope.recognise(content) == "b2":
            return "b2"
        return "arl" if self.env["health.arl.profile"].sudo()._for_file(content) else None

    def action_create_arl_profile(self):
        """Show, on this file, where a list of ARL says what."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("ARL profile"),
            "res_model": "health.arl.profile",
            "views": [[False, "form"]],
            "context": {
                "default_name": self.filename,
                "default_inbox_id": self.id,
                "default_trial_file": self.with_context(bin_size=False).content,
                "default_trial_filename": self.filename,
                "default_company_id": self.company_id.id,
            },
        }

    def _arl_rows(self, content):
        """Numbered rows of a list of ARL, by its own columns or by the one profile that fits.

        A profile that belongs to nobody takes the billing number of the file's practitioner.
        """
        header, rows = self.env["health.arl"]._read_table(content)
        if header:
            missing = [name for name in MANDATORY if name not in header]
            if missing:
                raise InboxRefusal(
                    self.env._(
                        "Column(s) missing in the list of ARL: %s. Export it again with these "
                        "columns.",
                        ", ".join(missing),
                    )
                )
            return list(enumerate(rows, 2))
        profiles = self.env["health.arl.profile"].sudo()._for_file(content)
        own = profiles.filtered(lambda p: p.company_id and p.company_id == self.company_id)
        profiles = own or profiles
        if len(profiles) != 1:
            raise InboxReview(
                self.env._(
                    "Several ARL profiles read this file (%s): it does not say which is right. Keep one.",
                    ", ".join(profiles.mapped("name")),
                )
            )
        provider = self.company_id.health_provider_no or ""
        return [
            (number, {**row, "provider_no": row["provider_no"] or provider})
            for number, row in profiles._rows(content)
        ]

    def _ingest_arl(self, content):
        Arl = self.env["health.arl"]
        rows = self._arl_rows(content)
        counts, companies = Arl._import_rows(rows, self)
        message = [
            self.env._(
                "%(positive)s lot(s) accepted, %(negative)s refused, %(known)s already known, "
                "%(issues)s row(s) to review.",
                positive=counts["positive"],
                negative=counts["negative"],
                known=counts["known"],
                issues=len(self.issue_ids),
            )
        ]
        if counts["unmatched"]:
            message.append(
                self.env._(
                    "%s ARL kept without a lot: their lot is not known yet.", counts["unmatched"]
                )
            )
        return self._table_result(message, counts, companies)

    def _ingest_b2(self, content):
        """A claims file tells what was sent: it is read, kept with its lot, and books nothing."""
        try:
            files = b2.read_all(content, self._format_layouts())
        except NormError as error:
            raise InboxReview(str(error)) from error
        lots = [lot for file in files for lot in file.lots]
        if not lots:
            raise InboxReview(
                self.env._("The B2 file is sound but holds no lot: nothing to record.")
            )
        found, sentences, differs = self.env["health.lot"], [], False
        companies = {
            company.health_provider_no: company
            for company in self.env["res.company"].search(
                [("health_provider_no", "in", list({lot.provider_id for lot in lots}))]
            )
        }
        known = self.env["health.lot"].search(
            [
                ("company_id", "in", [company.id for company in companies.values()]),
                ("name", "in", list({lot.lot_no for lot in lots})),
            ]
        )
        for lot in lots:
            company = companies.get(lot.provider_id)
            match = known.filtered(
                lambda record, lot=lot, company=company: (
                    record.company_id == company
                    and record.name == lot.lot_no
                    and lot.lot_date in (record.date, record.sent_on)
                )
            )[:1]
            found |= match
            sentence, same = self._lot_sentence(lot, company, match)
            sentences.append(sentence)
            differs = differs or not same
        found.b2_inbox_id = self
        counts = {
            "lots": len(lots),
            "matched": len(found),
            "invoices": sum(len(lot.invoices) for lot in lots),
            "amount": sum(lot.total_fee for lot in lots),
        }
        owners = self.env["res.company"].browse({company.id for company in companies.values()})
        return {
            "message": "\n".join(sentences),
            "counts": counts,
            "company": owners if len(owners) == 1 else None,
            "state": "review" if differs else "done",
        }

    def _lot_sentence(self, lot, company, match):
        """What a biller should know of one lot of a B2 file, and whether all is well with it."""
        values = {
            "number": lot.lot_no,
            "count": len(lot.invoices),
            "amount": format_cents(lot.total_fee),
            "provider": lot.provider_id,
        }
        if not company:
            text = self.env._(
                "Lot %(number)s (%(count)s invoices, %(amount)s): no practitioner has the billing "
                "number %(provider)s.",
                **values,
            )
            return text, False
        if not match:
            text = self.env._(
                "Lot %(number)s (%(count)s invoices, %(amount)s): kept, no lot of this number and "
                "day is known.",
                **values,
            )
            return text, True
        if (match.fse_count, cents(match.amount_total)) != (len(lot.invoices), lot.total_fee):
            text = self.env._(
                "Lot %(number)s: the file holds %(count)s invoices for %(amount)s, the lot known "
                "here %(known_count)s for %(known)s. Compare them before anything else.",
                known_count=match.fse_count,
                known=format_cents(cents(match.amount_total)),
                **values,
            )
            return text, False
        text = self.env._(
            "Lot %(number)s (%(count)s invoices, %(amount)s): same content as the lot known here.",
            **values,
        )
        return text, True
