import base64
import logging

from psycopg2 import OperationalError
from psycopg2.errors import UniqueViolation

from odoo import fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.service.model import PG_CONCURRENCY_ERRORS_TO_RETRY

from odoo.addons.queue_job.exception import RetryableJobError

from ..tools import QUIET

_logger = logging.getLogger(__name__)

#: tries of a part that meets another worker on the same rows
MAX_RETRIES = 20


class HealthInboxPart(models.Model):
    """What a large received file holds for one practitioner: one job, done whole or not at all."""

    _name = "health.inbox.part"
    _description = "Part of a Received File"
    _order = "inbox_id, id"
    _rec_name = "company_id"

    inbox_id = fields.Many2one("health.inbox", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(
        "res.company", "Practitioner", required=True, index=True, ondelete="cascade"
    )
    state = fields.Selection(
        [("queued", "In the queue"), ("done", "Done"), ("failed", "Failed")],
        required=True,
        default="queued",
        index=True,
    )
    message = fields.Text()
    counts = fields.Json()
    job_uuid = fields.Char(groups="base.group_system")

    _part_uniq = models.Constraint(
        "UNIQUE(inbox_id, company_id)", "This practitioner's part of the file is there already."
    )

    def _delay(self):
        """A job for each part; a part never has two jobs that wait."""
        for part in self:
            companies = self.env.companies | self.env.user.company_ids
            job = (
                part.sudo(False)
                .with_context(allowed_company_ids=companies.ids)
                .with_delay(
                    identity_key=f"health.inbox.part-{part.id}",
                    max_retries=MAX_RETRIES,
                    description=self.env._(
                        "%(file)s, %(practitioner)s",
                        file=part.inbox_id.filename,
                        practitioner=part.company_id.name,
                    ),
                )
                ._run()
            )
            part.sudo().job_uuid = job.uuid

    def _is_any_started(self):
        uuids = [uuid for uuid in self.sudo().mapped("job_uuid") if uuid]
        return bool(
            self.env["queue.job"]
            .sudo()
            .search_count([("uuid", "in", uuids), ("state", "in", ("started", "done"))], limit=1)
        )

    def _run(self):
        """Work this part; the job's transaction holds all of it, its result and the call to close the file.

        Another worker on the same practitioner, or on rows that several practitioners share, is waited for: the
        job is tried again. Whatever else goes wrong is told on the part and leaves nothing behind.
        """
        self.ensure_one()
        if not self._lock():
            raise RetryableJobError("another worker", seconds=2, ignore_retry=True)
        if self.state != "queued":
            return
        try:
            with self.env.cr.savepoint():
                result = self._work()
                self.env.flush_all()
        except OperationalError as error:
            if error.pgcode in PG_CONCURRENCY_ERRORS_TO_RETRY:
                raise RetryableJobError(str(error)) from error
            self._fail(error)
        except UniqueViolation as error:
            raise RetryableJobError(str(error)) from error
        except (UserError, ValidationError) as error:
            self._fail(error)
        except Exception as error:  # a fault of ours must not lose the file
            _logger.exception("Inbox: part of %s could not be processed", self.inbox_id.filename)
            self._fail(
                self.env._(
                    "The part could not be processed (%s); nothing of it was recorded.", error
                )
            )
        else:
            self.sudo().write(
                {
                    "state": "done",
                    "message": result["message"],
                    "counts": result.get("counts") or {},
                }
            )
        # after this transaction, so that the last part to end sees all the others
        self.inbox_id.with_delay(max_retries=MAX_RETRIES)._finish()

    def _lock(self):
        """Whether this transaction is the only one at work for this practitioner and this part."""
        self.env.cr.execute(
            "SELECT pg_try_advisory_xact_lock(hashtext('health.inbox.part'), %s)",
            [self.company_id.id],
        )
        if not self.env.cr.fetchone()[0]:
            return False
        self.env.cr.execute(
            "SELECT id FROM health_inbox_part WHERE id = %s FOR UPDATE SKIP LOCKED", [self.id]
        )
        return bool(self.env.cr.fetchone())

    def _work(self):
        inbox = self.inbox_id.with_context(health_part_company=self.company_id.ids, **QUIET)
        content = base64.b64decode(inbox.with_context(bin_size=False).content)
        return getattr(inbox, f"_ingest_{inbox.kind}")(content)

    def _fail(self, error):
        self.invalidate_recordset()
        self.sudo().write({"state": "failed", "message": str(error), "counts": {}})

    def _on_job_failed(self, exc_message=None, **_details):
        """The job gave up: say so on the part, so that the file does not wait for ever."""
        for part in self.filtered(lambda record: record.state == "queued"):
            part._fail(
                self.env._("The work did not end after many tries (%s): try again.", exc_message)
            )
        self.inbox_id._finish()

    def _retry(self):
        """Queue what failed again; what is done stays."""
        failed = self.filtered(lambda part: part.state == "failed")
        failed.sudo().write({"state": "queued", "message": False})
        failed.inbox_id.write({"state": "queued"})
        failed._delay()

    def _work_now(self):
        """Work parts in this transaction (the night, or a person who does not wait for the workers)."""
        for part in self:
            if part._lock() and part.state == "queued":
                try:
                    part._run()
                except RetryableJobError:
                    _logger.info("Inbox: part %s is left to the workers", part.id)
        self.inbox_id._finish()
