import logging
import time

from odoo import api, fields, models

_logger = logging.getLogger(__name__)


class HealthCycle(models.Model):
    """The unattended night: fetch, ingest, post, match, clocks, queue, reminders; one record per run."""

    _name = "health.cycle"
    _description = "Nightly Cycle"
    _order = "date desc, id desc"
    _rec_name = "date"

    date = fields.Date(required=True, index=True)
    is_ok = fields.Boolean("Went well")
    duration = fields.Float(help="Seconds.")
    summary = fields.Json(help="One entry per step: code, label, sentences, whether it went well.")
    report = fields.Text(compute="_compute_report")

    @api.depends("summary")
    def _compute_report(self):
        for cycle in self:
            cycle.report = "\n".join(
                f"{'✓' if step['ok'] else '✗'} {step['label']} : {' '.join(step['lines'])}"
                for step in cycle.summary or []
            )

    @api.model
    def run(self, date=None):
        """Work the night of ``date`` (default: today). Running it again changes nothing.

        A step that fails leaves no half-done work (savepoint), is reported, and the others still run.

        :return: the ``health.cycle`` record that tells what was done.
        """
        day = fields.Date.to_date(date) if date else fields.Date.context_today(self)
        start = time.monotonic()
        # the night works for every practitioner; a person who runs it by hand, for theirs
        Company = self.env["res.company"]
        companies = (
            Company.sudo().search([("active", "=", True)])
            if self.env.su
            else self.env.user.company_ids
        )
        self = self.with_context(allowed_company_ids=companies.ids)
        summary = []
        for _sequence, code, label, method in sorted(self._steps()):
            try:
                with self.env.cr.savepoint():
                    lines = getattr(self, method)(day) or []
                    self.env.flush_all()
                summary.append({"code": code, "label": label, "ok": True, "lines": lines})
            except Exception as error:
                _logger.exception("Cycle: step %s failed", code)
                summary.append({"code": code, "label": label, "ok": False, "lines": [str(error)]})
        return self.create(
            {
                "date": day,
                "is_ok": all(step["ok"] for step in summary),
                "duration": time.monotonic() - start,
                "summary": summary,
            }
        )

    @api.model
    def _steps(self):
        """Steps of the night as (sequence, code, label, method name); extend the list."""
        return [
            (12, "parts", self.env._("Large files left in the queue"), "_step_parts"),
            (20, "post", self.env._("Invoices of the shares"), "_step_post"),
            (25, "control", self.env._("Control of what will leave"), "_step_control"),
            (80, "forclusion", self.env._("Forclusion"), "_step_forclusion"),
            (80, "questions", self.env._("Questions to the practitioners"), "_step_questions"),
        ]

    @api.model
    def _step_parts(self, day):
        """What no worker took during the day is worked now: no file waits longer than a night."""
        parts = self.env["health.inbox.part"].search([("state", "=", "queued")])
        parts._work_now()
        if not parts:
            return [self.env._("no large file waits.")]
        done = len(parts.filtered(lambda part: part.state == "done"))
        return [
            self.env._(
                "%(done)s of %(total)s practitioner's part(s) of large files recorded.",
                done=done,
                total=len(parts),
            )
        ]

    @api.model
    def _step_control(self, day):
        """Every FSE not sent is controlled again: the day, the rights or the rules may have changed."""
        fses = self.env["health.fse"].search(
            [
                ("company_id", "in", self.env.companies.ids),
                ("sent_on", "=", False),
                ("state", "in", ("entered", "to_send")),
            ]
        )
        fses._control()
        blocked = len(fses._obstacles(day))
        if not fses:
            return [self.env._("no FSE waits to leave.")]
        return [
            self.env._(
                "%(count)s FSE controlled, %(blocked)s may not leave.",
                count=len(fses),
                blocked=blocked,
            )
        ]

    @api.model
    def _step_post(self, day):
        shares = self.env["health.share"].search(
            [
                ("state", "=", "draft"),
                ("move_id", "=", False),
                # what was entered here is booked when it is validated
                ("fse_id.state", "!=", "entered"),
            ]
        )
        moves = shares._post_invoices()
        if not moves:
            return [self.env._("every share has its invoice.")]
        return [self.env._("%s share invoices posted.", len(moves))]

    @api.model
    def _step_forclusion(self, day):
        return self.env["health.forclusion"]._night(day)

    @api.model
    def _step_questions(self, day):
        """Ask the practitioners for what is missing, and remind them of what is late."""
        asked, told = self.env["health.question"]._night(day)
        lines = []
        if asked:
            lines.append(self.env._("%s question(s) asked.", len(asked)))
        if told:
            lines.append(self.env._("%s practitioner(s) told by mail.", len(told)))
        return lines or [self.env._("nothing new to ask.")]

    @api.model
    def last_day(self):
        """The day the last night was worked for, else today: what the cockpit calls “today”."""
        last = self.sudo().search([], limit=1, order="date desc, id desc")
        return last.date or fields.Date.context_today(self)

    @api.model
    def _cron_run(self):
        self.run()
