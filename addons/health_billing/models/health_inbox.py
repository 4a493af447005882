import base64
import hashlib
import logging

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..journal import Journal, JournalError, looks_like_journal, looks_like_table, read_journal
from ..tools import QUIET, format_cents

_logger = logging.getLogger(__name__)

#: the last file that jobs of this process read, so that each practitioner's job need not read it again
_PARSED = {}
#: a file beyond this size is refused whole, before anything reads it
MAX_BYTES = 50 * 1024 * 1024


class InboxRefusal(UserError):
    """Nothing in the file can be used; the message tells the biller what to do."""


class InboxReview(UserError):
    """The file may be good but a person must look first; nothing of it is booked."""


class HealthInbox(models.Model):
    """Every file the agency receives, whatever the road: kept, recognised, worked once.

    Drop zone, mailbox, watched folder and scripts all end in :meth:`ingest`. An addon teaches a new kind of
    file by extending the selection ``kind``, :meth:`_recognise` and a method ``_ingest_<kind>``.
    """

    _name = "health.inbox"
    _description = "Received File"
    _order = "id desc"
    _rec_name = "filename"

    filename = fields.Char(required=True)
    content = fields.Binary(attachment=True)
    checksum = fields.Char(index=True, readonly=True)
    size = fields.Integer(readonly=True, help="Bytes.")
    kind = fields.Selection([("fse", "FSE journal"), ("unknown", "Not recognised")], readonly=True)
    state = fields.Selection(
        [
            ("queued", "Being worked"),
            ("done", "Done"),
            ("review", "To review"),
            ("duplicate", "Already received"),
            ("refused", "Refused"),
        ],
        readonly=True,
        index=True,
    )
    message = fields.Text(readonly=True)
    counts = fields.Json(readonly=True)
    company_id = fields.Many2one("res.company", string="Practitioner", readonly=True, index=True)
    original_id = fields.Many2one(
        "health.inbox", string="First received as", readonly=True, index="btree_not_null"
    )
    issue_ids = fields.One2many("health.inbox.issue", "inbox_id", string="Rows to review")
    open_issue_count = fields.Integer(compute="_compute_open_issue_count")

    part_ids = fields.One2many("health.inbox.part", "inbox_id", string="Practitioners of the file")
    progress = fields.Char(compute="_compute_progress")
    progress_percent = fields.Integer(compute="_compute_progress")

    # two workers that receive one file at the same moment: the second one finds it known
    _checksum_uniq = models.UniqueIndex(
        "(checksum) WHERE state IN ('queued', 'done', 'review')", "This file was received already."
    )

    @api.depends("issue_ids.is_closed")
    def _compute_open_issue_count(self):
        for inbox in self:
            inbox.open_issue_count = len(
                inbox.issue_ids.filtered(lambda issue: not issue.is_closed)
            )

    @api.depends("part_ids.state")
    def _compute_progress(self):
        for inbox in self:
            total = len(inbox.part_ids)
            ended = len(inbox.part_ids.filtered(lambda part: part.state != "queued"))
            inbox.progress_percent = 100 * ended // total if total else 0
            if inbox.state != "queued" or not total:
                inbox.progress = False
            elif inbox.part_ids._is_any_started() or ended:
                inbox.progress = self.env._(
                    "Being worked: %(done)s of %(total)s practitioner(s) done",
                    done=ended,
                    total=total,
                )
            else:
                inbox.progress = self.env._("In the queue: %s practitioner(s)", total)

    @api.model
    def ingest(self, filename, content, company=None, background=False):
        """Take one file in: recognise it, do its work once, say what came of it.

        :param filename: its name, shown to people; it decides nothing that the content can tell.
        :param content: bytes.
        :param company: the practitioner, where the file itself does not say.
        :param background: whether a large file may be worked by jobs, one per practitioner: it is read and its totals
            are checked at once, ``state`` is then *queued* until the jobs are done.
        :return: one ``health.inbox`` record: ``state`` is *done*, *review* (kept, a person must look: wholly, or
            some rows), *duplicate* (the same bytes came before, nothing was done) or *refused* (unusable).
        """
        self.check_access("create")
        checksum = hashlib.sha256(content).hexdigest()
        original = self.sudo().search(
            [("checksum", "=", checksum), ("state", "in", ("queued", "done", "review"))], limit=1
        )
        inbox = self.create(
            {
                "filename": filename or self.env._("unnamed"),
                "checksum": checksum,
                "size": len(content),
                "kind": original.kind or "unknown",
                "company_id": company.id if company else False,
            }
        )
        if original:
            inbox.write(
                {
                    "state": "duplicate",
                    "original_id": original.id,
                    "company_id": original.company_id.id,
                    "message": self.env._(
                        "This file was received on %(day)s under the name %(name)s: nothing was done again.",
                        day=fields.Datetime.context_timestamp(self, original.create_date).strftime(
                            "%d/%m/%Y %H:%M"
                        ),
                        name=original.filename,
                    ),
                }
            )
            return inbox
        if content and len(content) <= MAX_BYTES:
            inbox.content = base64.b64encode(content)
        inbox._work(content, company, background)
        return inbox

    @api.model
    def action_ingest(self, filename, data, company_id=False):
        """The drop zone's entry: ``data`` is base64; answers what the screen shows."""
        company = self.env["res.company"].browse(company_id) if company_id else None
        inbox = self.ingest(filename, base64.b64decode(data), company, background=True)
        return {
            "id": inbox.id,
            "filename": inbox.filename,
            "kind": inbox._kind_label(),
            "state": inbox.state,
            "state_label": dict(self._fields["state"]._description_selection(self.env)).get(
                inbox.state
            ),
            "message": inbox.progress or inbox.message,
        }

    def _kind_label(self):
        return dict(self._fields["kind"]._description_selection(self.env)).get(self.kind)

    def _work(self, content, company, background=False):
        """Recognise and do the work in a savepoint: whatever fails leaves no trace but its message."""
        self.ensure_one()
        # a file may be for practitioners that the user has not ticked in the company menu
        companies = self.env.companies | self.env.user.company_ids
        self = self.with_context(allowed_company_ids=companies.ids, **QUIET)
        try:
            if not content:
                raise InboxRefusal(
                    self.env._("The file is empty: export it again and drop it here.")
                )
            if len(content) > MAX_BYTES:
                raise InboxRefusal(self.env._("The file is larger than 50 MB: split it by period."))
            self.kind = self._recognise(self.filename, content) or "unknown"
            self.flush_recordset()  # what it is stays known even when its work is rolled back
            with self.env.cr.savepoint():
                if self.kind == "unknown" and looks_like_table(content):
                    raise InboxReview(
                        self.env._(
                            "This table comes from a program Facturière does not know yet: create a mapping of its "
                            "columns (button above), and it will be read, now and every time."
                        )
                    )
                if self.kind == "unknown":
                    raise InboxRefusal(
                        self.env._(
                            "This file is none of those Facturière reads (FSE journal, B2, NOEMIE, ARL list, "
                            "CAMT.053 bank statement): check that it is the right one."
                        )
                    )
                if background and not company and self._is_large(content):
                    parts = self._split(content)
                    if parts:
                        self._queue(parts)
                        self.env.flush_all()
                        return
                result = getattr(self, f"_ingest_{self.kind}")(content)
                company = result.get("company") or company
                # what a person must look at inside a good file makes the file "to review"
                state = result.get("state") or ("review" if self.issue_ids else "done")
                self.write(
                    {
                        "state": state,
                        "message": result["message"],
                        "counts": result.get("counts") or {},
                        "company_id": company.id if company else False,
                    }
                )
                self.env.flush_all()
        except InboxRefusal as error:
            self._set_failed("refused", error)
        except UniqueViolation:
            self._set_failed(
                "duplicate", self.env._("Another worker received the same file at this moment.")
            )
        except (InboxReview, UserError, ValidationError) as error:
            self._set_failed("review", error)
        except Exception as error:  # a fault of ours must not lose the file
            _logger.exception("Inbox: %s could not be processed", self.filename)
            self._set_failed(
                "review",
                self.env._(
                    "The file could not be processed (%s). It is kept; nothing of it was recorded.",
                    error,
                ),
            )

    def _set_failed(self, state, error):
        self.invalidate_recordset()
        self.write({"state": state, "message": str(error), "counts": {}})

    def action_retry(self):
        """Work files again that wait for review (after a practitioner, a payer or a bank account was added)."""
        for inbox in self.filtered(lambda record: record.state == "review" and record.content):
            if inbox.part_ids:  # what is done stays done, the rest is tried again
                inbox.part_ids._retry()
                continue
            inbox.issue_ids.unlink()
            inbox._work(base64.b64decode(inbox.content), inbox.company_id)

    # -- large files, worked by jobs -----------------------------------------------------------------

    def _is_large(self, content):
        return len(content) > 1024 * self.env["health.parameter"].value_of("inbox_job_kilobytes")

    def _split(self, content):
        """Practitioners that a file concerns, its totals checked as a whole; empty when it cannot be split.

        What several practitioners share (payers) is made here, so that their jobs do not wait for each other.
        """
        method = getattr(self, f"_split_{self.kind}", None)
        return method(content) if method else self.env["res.company"]

    def _queue(self, companies):
        """One part, and one job, per practitioner."""
        self.ensure_one()
        self.write(
            {
                "state": "queued",
                "message": self.env._(
                    "Large file: read and its totals checked; it is now recorded practitioner by practitioner."
                ),
                "counts": {},
                "company_id": companies.id if len(companies) == 1 else False,
            }
        )
        self.env["health.inbox.part"].sudo().create(
            [{"inbox_id": self.id, "company_id": company.id} for company in companies]
        )._delay()

    def _part_company(self):
        """The practitioner whose part of the file is worked, empty when the whole file is."""
        return self.env["res.company"].browse(self.env.context.get("health_part_company", []))

    def _parsed(self, content, read):
        """What ``read(content)`` gives; the jobs of one file in one process read it once."""
        if not self._part_company():
            return read(content)
        key = (self.env.cr.dbname, self.checksum, self.kind)
        if key not in _PARSED:
            _PARSED.clear()
            _PARSED[key] = read(content)
        return _PARSED[key]

    def _finish(self):
        """Close the file once the last of its parts is: called by a job of its own after each part."""
        for inbox in self.filtered(lambda record: record.state == "queued"):
            parts = inbox.part_ids
            if not parts or any(part.state == "queued" for part in parts):
                continue
            failed = parts.filtered(lambda part: part.state == "failed")
            lines = [
                f"{part.company_id.name} : {part.message}" if len(parts) > 1 else part.message
                for part in failed + (parts - failed)
            ]
            if failed:
                lines.insert(
                    0,
                    self.env._(
                        "%(done)s of %(total)s practitioner(s) recorded. Mend what is said below, then try again: "
                        "only what is missing is worked.",
                        done=len(parts) - len(failed),
                        total=len(parts),
                    ),
                )
            counts = {}
            for part in parts:
                for key, value in (part.counts or {}).items():
                    counts[key] = counts.get(key, 0) + value
            # the rows to review belong to the file: counted once
            if "issues" in counts:
                counts["issues"] = len(inbox.issue_ids)
            inbox.write(
                {
                    "state": "review" if failed or inbox.issue_ids else "done",
                    "message": "\n".join(lines),
                    "counts": counts,
                }
            )

    def action_work_now(self):
        """Work what waits here and now, without the workers."""
        self.part_ids.filtered(lambda part: part.state == "queued")._work_now()

    def _add_issues(self, vals_list):
        """Note many rows that were not taken, in one batch."""
        self.ensure_one()
        self.env["health.inbox.issue"].create([{"inbox_id": self.id, **vals} for vals in vals_list])

    # -- kinds of files ------------------------------------------------------------------------------

    @api.model
    def _recognise(self, filename, content):
        """Kind of a file by its content, or ``None``; extend it, super first."""
        if looks_like_journal(filename, content):
            return "fse"
        return "fse" if self.env["health.import.mapping"].sudo()._for_file(content) else None

    def _ingest_fse(self, content):
        try:
            journal = self._parsed(content, self._read_fse)
        except JournalError as error:
            raise InboxRefusal(str(error)) from error
        part = self._part_company()
        if part:
            mine = [fse for fse in journal.fses if fse.provider_no == part.health_provider_no]
            journal = Journal(mine, [], journal.rows)
        else:
            self._note_journal_issues(journal)
        counts = self.env["health.fse"]._import_journal(journal, self)
        companies = self.env["res.company"].search(
            [("health_provider_no", "in", list({fse.provider_no for fse in journal.fses}))]
        )
        message = [
            self.env._(
                "%(created)s FSE recorded (%(amount)s), %(known)s already known, %(issues)s row(s) to review.",
                created=counts["created"],
                amount=format_cents(counts["amount"]),
                known=counts["known"],
                issues=len(self.issue_ids),
            )
        ]
        return self._table_result(message, counts, companies)

    def _note_journal_issues(self, journal):
        self._add_issues(
            [
                {
                    "row": issue.row,
                    "column": issue.column,
                    "reason": issue.reason,
                    "reference": issue.fse_no,
                }
                for issue in journal.issues
            ]
        )

    def _split_fse(self, content):
        try:
            journal = self._read_fse(content)
        except JournalError as error:
            raise InboxRefusal(str(error)) from error
        companies = self.env["res.company"].search(
            [("health_provider_no", "in", list({fse.provider_no for fse in journal.fses}))]
        )
        if not companies:
            return companies  # worked at once: all of it goes to review
        self._note_journal_issues(journal)
        self.env["health.fse"]._companies_of(journal, self)  # notes the rows of nobody
        numbers = set(companies.mapped("health_provider_no"))
        rows = [fse for fse in journal.fses if fse.provider_no in numbers]
        Partner = self.env["res.partner"]
        Partner._health_payers("amo", {row.amo_org[:5] for row in rows})
        Partner._health_payers("amc", {row.amc_org for row in rows if row.amc_org})
        return companies

    def _read_fse(self, content):
        """The journal in the file: its own columns, or those of another program by their mapping."""
        if looks_like_journal(self.filename, content):
            return read_journal(content)
        mappings = self.env["health.import.mapping"].sudo()._for_file(content, self.company_id)
        if len(mappings) > 1:
            raise InboxReview(
                self.env._(
                    "Several practitioners have a mapping of this file (%s) and it does not say whose it is: archive "
                    "all but one, or add the billing number to the export.",
                    ", ".join(mappings.company_id.mapped("name")),
                )
            )
        if not mappings:
            raise InboxReview(
                self.env._("No mapping of this practitioner fits the file: create one.")
            )
        return mappings._read(content)

    def action_create_mapping(self):
        """Open a new mapping on the columns of this file."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Mapping of the columns"),
            "res_model": "health.import.mapping",
            "views": [[False, "form"]],
            "context": {"default_inbox_id": self.id},
        }

    def _table_result(self, sentences, counts, companies):
        """What a handler of a table answers: its sentences, and the first rows that were not taken."""
        sentences = sentences + [
            self.env._(
                "Row %(row)s, %(column)s: %(reason)s",
                row=issue.row,
                column=issue.column,
                reason=issue.reason,
            )
            for issue in self.issue_ids[:5]
        ]
        return {
            "message": "\n".join(sentences),
            "counts": {**counts, "issues": len(self.issue_ids)},
            "company": companies if len(companies) == 1 else None,
        }
