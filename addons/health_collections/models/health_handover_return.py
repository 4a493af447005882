import base64
import hashlib

from odoo import fields, models

from odoo.addons.health_billing.journal.reader import JournalError, xlsx_lines
from odoo.addons.health_billing.tools import cents, euros, format_cents

from ..dunning.handover import MAX_BYTES, StatusError, csv_lines, read_statuses

#: lines that could not be taken, shown at most
SHOWN = 100


class HealthHandoverReturn(models.Model):
    """A table that a professional sent back: where the files stand. Read again, it changes nothing."""

    _name = "health.handover.return"
    _description = "News of Handed Over Files"
    _order = "date desc, id desc"
    _rec_name = "filename"

    date = fields.Date("Received on", required=True, default=fields.Date.context_today)
    recipient_id = fields.Many2one(
        "res.partner", string="From", domain="[('health_recovery_kind', '!=', False)]"
    )
    company_id = fields.Many2one(
        "res.company", string="Practitioner", index=True, help="Empty: for several practitioners."
    )
    content = fields.Binary("Table", required=True, attachment=True)
    filename = fields.Char("Name")
    state = fields.Selection(
        [
            ("draft", "To read"),
            ("done", "Read"),
            ("problem", "Read in part"),
            ("failed", "Not readable"),
        ],
        required=True,
        readonly=True,
        default="draft",
    )
    event_ids = fields.One2many("health.handover.event", "return_id", string="News", readonly=True)
    new_count = fields.Integer("New", readonly=True)
    known_count = fields.Integer("Known already", readonly=True)
    amount = fields.Monetary("Announced", readonly=True)
    currency_id = fields.Many2one(
        "res.currency", default=lambda self: self.env.ref("base.EUR"), readonly=True
    )
    issues = fields.Text("Not taken", readonly=True)

    def action_read(self):
        """Read the file: what it says is noted on the files, what it does not say well is told."""
        for record in self:
            record.check_access("write")
            record._read_one()
        return True

    def _read_one(self):
        content = self.with_context(bin_size=False).content
        raw = base64.b64decode(content) if content else b""
        try:
            statuses, issues = self._parse(raw)
        except (StatusError, JournalError) as error:
            self.write({"state": "failed", "issues": str(error)})
            return
        problems = [
            self.env._("Line %(row)s: %(reason)s", row=issue.row, reason=issue.reason)
            for issue in issues
        ]
        new, known, told = self._take(statuses)
        problems += told
        text = "\n".join(problems[:SHOWN])
        if len(problems) > SHOWN:
            text += "\n" + self.env._("… and %s more.", len(problems) - SHOWN)
        self.write(
            {
                "state": "problem" if problems else "done",
                "issues": text or False,
                "new_count": self.new_count + len(new),
                "known_count": known,
                "amount": euros(sum(cents(event.amount) for event in self.event_ids)),
            }
        )

    def _parse(self, raw):
        if len(raw) > MAX_BYTES:
            raise StatusError(self.env._("The file is too large: cut it in pieces."))
        lines = xlsx_lines(raw) if raw[:4] == b"PK\x03\x04" else csv_lines(raw)
        return read_statuses(lines, fields.Date.context_today(self))

    def _take(self, statuses):
        """Note what is new.

        :return: (statuses taken, number of those known already, sentences on those that could not be taken).
        """
        Handover = self.env["health.handover"]
        files = Handover.search([("name", "in", list({status.file for status in statuses}))])
        by_name = {file.name: file for file in files}
        known = set(
            self.env["health.handover.event"]
            .search([("handover_id", "in", files.ids), ("key", "!=", False)])
            .mapped(lambda event: (event.handover_id.id, event.key))
        )
        new, again, problems = [], 0, []
        for status in sorted(statuses, key=lambda one: (one.day, one.row)):
            file = by_name.get(status.file)
            key = hashlib.sha256(
                repr((status.kind, status.day, status.cents or 0, status.note)).encode()
            ).hexdigest()
            if not file:
                why = self.env._("there is no file %s.", status.file)
            elif (file.id, key) in known:
                again += 1
                continue
            elif self.recipient_id and file.recipient_id != self.recipient_id:
                why = self.env._("%s was handed over to somebody else.", status.file)
            elif file.state not in ("handed", "returned"):
                labels = dict(file._fields["state"]._description_selection(self.env))
                why = self.env._(
                    "%(file)s is “%(state)s”.", file=status.file, state=labels[file.state]
                )
            elif status.kind == "paid" and (status.cents or 0) > cents(file.amount):
                why = self.env._(
                    "%(file)s: %(paid)s is more than what was handed over.",
                    file=status.file,
                    paid=format_cents(status.cents),
                )
            else:
                known.add((file.id, key))
                new.append((file, status, key))
                continue
            problems.append(self.env._("Line %(row)s: %(reason)s", row=status.row, reason=why))
        self._note(new)
        return new, again, problems

    def _note(self, new):
        """Write what is new: events in one batch, then the files by status."""
        self.env["health.handover.event"].sudo().create(
            [
                {
                    "handover_id": file.id,
                    "kind": status.kind,
                    "date": status.day,
                    "amount": euros(status.cents or 0),
                    "note": status.note or False,
                    "return_id": self.id,
                    "key": key,
                    "user_id": self.env.uid,
                }
                for file, status, key in new
            ]
        )
        groups = {}
        for file, status, _key in new:
            # the newest of a file comes last
            groups.setdefault((status.kind, status.day), self.env["health.handover"])
            groups[status.kind, status.day] |= file
        for (kind, day), files in sorted(groups.items(), key=lambda item: item[0][1]):
            files._follow(kind, day)
