import base64
import csv
import io
import re
from datetime import datetime

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .health_arl import RESULTS, RowError

#: a profile is tried on the first lines of a file
TRIED = 20
#: no line of a list of acknowledgements is longer, and no expression is run on a longer one
MAX_LINE = 600
MAX_LINES = 20_000
DATES = {
    "iso": "%Y-%m-%d",
    "slash": "%d/%m/%Y",
    "dash": "%d-%m-%Y",
    "ymd8": "%Y%m%d",
    "dmy8": "%d%m%Y",
    "ymd6": "%y%m%d",
    "dmy6": "%d%m%y",
}


class HealthArlProfile(models.Model):
    """Where a list of acknowledgements of some program or front end says what: shown once.

    No layout of ARL is public; a person shows it on a file, sees what is read, and from then on
    every file that reads the same way is taken.
    """

    _name = "health.arl.profile"
    _description = "ARL Profile"
    _order = "name"

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    is_used = fields.Boolean("In use", readonly=True, copy=False)
    company_id = fields.Many2one(
        "res.company",
        string="Practitioner",
        domain=[("health_provider_no", "!=", False)],
        help="Whose acknowledgements these are, where the file does not give the billing number.",
    )
    kind = fields.Selection(
        [
            ("csv", "Columns with a separator"),
            ("fixed", "Columns of fixed width"),
            ("regex", "Text read by an expression"),
        ],
        required=True,
        default="csv",
    )
    delimiter = fields.Char("Separator", default=";", help="One character, or “tab”.")
    has_header = fields.Boolean("First line has the names", default=True)
    encoding = fields.Selection(
        [("utf-8", "UTF-8"), ("cp1252", "Windows")], required=True, default="utf-8"
    )
    skip_lines = fields.Integer("Lines to skip", help="At the top of the file.")
    line_start = fields.Char(
        "Lines read begin with", help="Empty: all. The others are passed over in silence."
    )
    expression = fields.Char(
        help="Python expression with a named group per fact: (?P<lot_no>[0-9]{3})"
    )
    date_format = fields.Selection(
        [
            ("iso", "2026-12-31"),
            ("slash", "31/12/2026"),
            ("dash", "31-12-2026"),
            ("ymd8", "20261231"),
            ("dmy8", "31122026"),
            ("ymd6", "261231"),
            ("dmy6", "311226"),
        ],
        string="Dates",
        required=True,
        default="slash",
    )
    positive_words = fields.Char("Means accepted", default="positif, ok, accepté")
    negative_words = fields.Char("Means refused", default="négatif, ko, refusé, rejeté")
    result_default = fields.Selection(
        [("positif", "Accepted"), ("negatif", "Refused")],
        string="Without a result",
        help="What a line means when it gives no result (a list of refusals only, for example).",
    )
    column_ids = fields.One2many(
        "health.arl.profile.column", "profile_id", string="Columns", copy=True
    )
    trial_file = fields.Binary("File to try on", attachment=True)
    trial_filename = fields.Char()
    preview = fields.Html(compute="_compute_preview", sanitize=False)
    inbox_id = fields.Many2one(
        "health.inbox", string="Shown on", readonly=True, ondelete="set null"
    )

    @api.constrains("kind", "expression", "delimiter", "column_ids")
    def _check_readable(self):
        for profile in self:
            if profile.kind == "regex":
                try:
                    re.compile(profile.expression or "")
                except re.error as error:
                    raise ValidationError(
                        self.env._("The expression cannot be read: %s.", error)
                    ) from error
            if profile.kind == "csv" and len(profile._separator()) != 1:
                raise ValidationError(self.env._("The separator is one character, or “tab”."))
            if any(column.start < 1 or column.width < 1 for column in profile.column_ids):
                raise ValidationError(
                    self.env._("Characters are counted from 1, and a column has at least one.")
                )

    def _separator(self):
        text = self.delimiter or ""
        return "\t" if text.lower() == "tab" else text

    # -- reading ---------------------------------------------------------------------------------

    def _lines(self, content):
        """The lines that hold acknowledgements, with their number in the file."""
        try:
            text = content.decode("utf-8-sig" if self.encoding == "utf-8" else self.encoding)
        except UnicodeDecodeError:
            return []
        lines = text.splitlines()
        if len(lines) > MAX_LINES:
            return []
        start = self.line_start or ""
        return [
            (number, line)
            for number, line in enumerate(lines, 1)
            if number > (self.skip_lines or 0)
            and line.strip()
            and len(line) <= MAX_LINE
            and line.startswith(start)
        ]

    def _raw_rows(self, content):
        """Facts as the file writes them: ``[(line number, {target: text})]``; [] when it does not fit."""
        lines = self._lines(content)
        if self.kind == "csv":
            return self._raw_csv(lines)
        if self.kind == "fixed":
            return [
                (
                    number,
                    {
                        column.target: line[
                            column.start - 1 : column.start - 1 + column.width
                        ].strip()
                        for column in self.column_ids
                    },
                )
                for number, line in lines
            ]
        return self._raw_expression(lines)

    def _raw_csv(self, lines):
        if not lines:
            return []
        try:
            table = list(
                csv.reader(
                    io.StringIO("\n".join(line for _n, line in lines)), delimiter=self._separator()
                )
            )
        except csv.Error:
            return []
        names = [name.strip() for name in table[0]] if self.has_header else []
        places = {}
        for column in self.column_ids:
            source = (column.source or "").strip()
            if source in names:
                places[column.target] = names.index(source)
            elif source.isdigit() and 0 < int(source) <= len(table[0]) and not self.has_header:
                places[column.target] = int(source) - 1
            else:
                return []
        first = 1 if self.has_header else 0
        return [
            (
                number,
                {
                    target: row[place].strip() if place < len(row) else ""
                    for target, place in places.items()
                },
            )
            for (number, _line), row in list(zip(lines, table, strict=False))[first:]
        ]

    def _raw_expression(self, lines):
        pattern = re.compile(self.expression or "")
        targets = dict(self.env["health.arl.profile.column"]._fields["target"].selection)
        rows = []
        for number, line in lines:
            found = pattern.search(line)
            if found:
                rows.append(
                    (
                        number,
                        {
                            name: (text or "").strip()
                            for name, text in found.groupdict().items()
                            if name in targets
                        },
                    )
                )
            elif self.line_start:
                # a line that should be one and is not
                rows.append((number, {}))
        return rows

    def _rows(self, content):
        """Rows as lists of ARL write them (see ``health.arl``), with their line number."""
        provider = self.company_id.health_provider_no or ""
        rows = []
        for number, raw in self._raw_rows(content):
            row = {"provider_no": provider, "lot_no": "", "result": "", "date": "", **raw}
            row["provider_no"] = row["provider_no"] or provider
            for name in ("date", "lot_date"):
                if row.get(name):
                    row[name] = self._iso(row[name])
            row["result"] = self._result(row["result"])
            rows.append((number, row))
        return rows

    def _iso(self, text):
        try:
            return datetime.strptime(text, DATES[self.date_format]).date().isoformat()
        except ValueError:
            return text

    def _result(self, text):
        if not text:
            return self.result_default or ""
        for words, result in (
            (self.positive_words, "positif"),
            (self.negative_words, "negatif"),
        ):
            if text.lower() in [word.strip().lower() for word in (words or "").split(",")]:
                return result
        return text

    def _is_good(self, row):
        """Whether a row can be recorded, as far as its shape tells."""
        try:
            self.env["health.arl"]._day(row["date"], "date", required=True)
            self.env["health.arl"]._day(row.get("lot_date"), "lot_date")
        except RowError:
            return False
        return bool(re.fullmatch(r"[0-9]{1,3}", row["lot_no"])) and row["result"] in RESULTS

    def _fits(self, content):
        """Whether a file reads like the one this profile was shown on: its first lines all do."""
        rows = [row for _number, row in self._rows(content)][:TRIED]
        return bool(rows) and (
            any(self._is_good(row) for row in rows)
            if self.kind == "csv" and self.has_header
            else all(self._is_good(row) for row in rows)
        )

    @api.model
    def _for_file(self, content):
        """The profiles in use that read this file."""
        if len(content) > MAX_LINES * MAX_LINE or b"\x00" in content[:1024]:
            return self.browse()
        return self.search([("is_used", "=", True)]).filtered(
            lambda profile: profile._fits(content)
        )

    # -- trial -----------------------------------------------------------------------------------

    def _trial_content(self):
        content = self.with_context(bin_size=False).trial_file
        return base64.b64decode(content) if content else b""

    def _trial_rows(self):
        try:
            return [row for _number, row in self._rows(self._trial_content())]
        except (re.error, csv.Error, TypeError):
            return []

    @api.depends(
        "trial_file",
        "kind",
        "delimiter",
        "has_header",
        "encoding",
        "skip_lines",
        "line_start",
        "expression",
        "date_format",
        "positive_words",
        "negative_words",
        "result_default",
        "company_id",
        "column_ids.target",
        "column_ids.source",
        "column_ids.start",
        "column_ids.width",
    )
    def _compute_preview(self):
        targets = dict(
            self.env["health.arl.profile.column"]._fields["target"]._description_selection(self.env)
        )
        for profile in self:
            rows = profile._trial_rows()
            text = profile._trial_content()[:4000].decode(
                "cp1252" if profile.encoding == "cp1252" else "utf-8", "replace"
            )
            lines = Markup("<pre class='border p-2'>%s</pre>") % "\n".join(text.splitlines()[:8])
            if not any(row["lot_no"] or row["date"] for row in rows):
                profile.preview = lines + Markup("<p>%s</p>") % self.env._(
                    "Nothing is read yet: show where the lot number, the date and the result are."
                )
                continue
            names = [name for name in targets if any(row.get(name) for row in rows)]
            body = Markup("").join(
                Markup("<tr class='%s'>%s</tr>")
                % (
                    "" if profile._is_good(row) else "table-warning",
                    Markup("").join(Markup("<td>%s</td>") % (row.get(n) or "") for n in names),
                )
                for row in rows[:TRIED]
            )
            good = sum(profile._is_good(row) for row in rows)
            profile.preview = (
                lines
                + Markup("<p>%s</p>")
                % self.env._(
                    "%(good)s of %(count)s line(s) can be recorded.", good=good, count=len(rows)
                )
                + Markup("<table class='table table-sm'><thead><tr>%s</tr></thead>%s</table>")
                % (Markup("").join(Markup("<th>%s</th>") % targets[name] for name in names), body)
            )

    def action_use(self):
        """Read every like file from now on, those that wait included."""
        self.ensure_one()
        if self.kind == "regex" and not self.env.user.has_group("health_billing.group_manager"):
            # a careless expression can hold the server up on every file
            raise UserError(self.env._("An expression is put to use by a manager."))
        rows = self._trial_rows()
        if not any(self._is_good(row) for row in rows) or not self._fits(self._trial_content()):
            raise UserError(
                self.env._(
                    "The trial file is not read as a list of ARL: lot number, date and result are "
                    "needed on each line (see the preview)."
                )
            )
        self.is_used = True
        if self.inbox_id.state in ("review", "refused") and self.inbox_id.content:
            self.inbox_id.state = "review"
            self.inbox_id.action_retry()
        return True

    def action_stop(self):
        """Read no file with these profiles any more."""
        self.is_used = False
        return True

    def write(self, vals):
        """Override: what was tried is what is used; a change is tried again first."""
        if "is_used" not in vals and not {"name", "active", "inbox_id"} >= vals.keys():
            vals = {**vals, "is_used": False}
        return super().write(vals)
