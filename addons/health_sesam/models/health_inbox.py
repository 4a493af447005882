import base64

from odoo import api, fields, models

from odoo.addons.health_billing.models.health_inbox import InboxRefusal, InboxReview
from odoo.addons.health_billing.tools import cents, format_cents

from ..norms import NormError, b2, envelope
from .health_arl import MANDATORY


class HealthInbox(models.Model):
    _inherit = "health.inbox"

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

    @api.model
    def _recognise(self, filename, content):
        """Override of `health_billing`: B2 by its header, lists of ARL by their columns."""
        kind = super()._recognise(filename, content)
        if kind:
            return kind
        if self.env["health.arl"]._read_table(content)[0]:
            return "arl"
        return "b2" if envelope.recognise(content) == "b2" else None

    def _ingest_arl(self, content):
        Arl = self.env["health.arl"]
        header, rows = Arl._read_table(content)
        missing = [name for name in MANDATORY if name not in header]
        if missing:
            raise InboxRefusal(
                self.env._(
                    "Column(s) missing in the list of ARL: %s. Export it again with these columns.",
                    ", ".join(missing),
                )
            )
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
