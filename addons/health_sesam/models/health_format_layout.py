import json
from collections import Counter

from markupsafe import Markup

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError

from ..norms import NormError, b2, codec, dump, noemie

#: records that one page of a dump shows field by field, and those shown as raw text after them
PAGE = 50
RAW = 1000


class HealthFormatLayout(models.Model):
    """A version of the table that says where each field of an exchange format stands.

    The codec reads the approved version. A manager copies it to a draft, moves a field, tries the draft on a file
    that was received, and approves it; files that were read before keep the version they were read with.
    """

    _name = "health.format.layout"
    _description = "Exchange Format"
    _inherit = ["mail.thread"]
    _order = "code, version desc"

    code = fields.Char(required=True, readonly=True, index=True)
    version = fields.Integer(required=True, readonly=True)
    state = fields.Selection(
        [("draft", "Draft"), ("approved", "Approved"), ("replaced", "Replaced")],
        required=True,
        readonly=True,
        default="draft",
        index=True,
        tracking=True,
    )
    date_from = fields.Date("Used from", readonly=True)
    date_to = fields.Date("Until", readonly=True)
    source = fields.Text(help="Where a correction comes from: document, page, payer.")
    document = fields.Text(required=True, readonly=True, default="{}", help="The table, in JSON.")
    is_shipped = fields.Boolean(readonly=True)
    base_id = fields.Many2one("health.format.layout", "Made from", readonly=True)
    field_ids = fields.One2many("health.format.field", "layout_id", "Fields")
    moved_ids = fields.One2many(
        "health.format.field",
        "layout_id",
        "Fields corrected",
        readonly=True,
        domain=[("is_moved", "=", True)],
    )
    field_count = fields.Integer(compute="_compute_counts")
    changed_count = fields.Integer("Fields moved", compute="_compute_counts")
    problems = fields.Text(compute="_compute_problems")
    trial_inbox_id = fields.Many2one(
        "health.inbox", "Tried on", readonly=True, ondelete="set null", copy=False
    )
    is_tried = fields.Boolean(
        "Tried with right totals", readonly=True, help="On a received file, with these positions."
    )

    _version_uniq = models.Constraint(
        "UNIQUE(code, version)", "This version of the format exists already."
    )
    _approved_uniq = models.UniqueIndex(
        "(code) WHERE state = 'approved'", "Only one version of a format is approved at a time."
    )

    @api.depends("code", "version")
    def _compute_display_name(self):
        for layout in self:
            layout.display_name = self.env._(
                "%(code)s, version %(version)s", code=layout._norm(), version=layout.version
            )

    def _norm(self):
        return (self.code or "").upper().replace("_", " ")

    @api.depends("field_ids.is_moved")
    def _compute_counts(self):
        for layout in self:
            layout.field_count = len(layout.field_ids)
            layout.changed_count = len(layout.field_ids.filtered("is_moved"))

    @api.depends("field_ids.start", "field_ids.size", "document", "state")
    def _compute_problems(self):
        for layout in self:
            found = codec.defects(layout._text()) if layout.state == "draft" else []
            layout.problems = "\n".join(found[:20])

    @api.model_create_multi
    def create(self, vals_list):
        layouts = super().create(vals_list)
        layouts._make_fields()
        self.env.registry.clear_cache()
        return layouts

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"state", "document"}:
            self.env.registry.clear_cache()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_drafts_only(self):
        if any(layout.state != "draft" for layout in self):
            raise UserError(self.env._("Files were read with this version: it stays as a proof."))

    # -- the versions the codec uses -------------------------------------------------------------------

    @api.model
    def _load_shipped(self):
        """Take in the tables that come with the product, each new text as a version of its own."""
        known = self.search([("code", "in", codec.shipped_names())])
        today = fields.Date.context_today(self)
        vals_list, replaced = [], self.browse()
        for code in codec.shipped_names():
            text = codec.shipped_text(code)
            mine = known.filtered(lambda layout, code=code: layout.code == code)
            if any(layout.is_shipped and layout.document == text for layout in mine):
                continue
            current = mine.filtered(lambda layout: layout.state == "approved")
            # what the agency approved itself stays in use: a person compares first
            own = bool(current and not current.is_shipped)
            replaced |= self.browse() if own else current
            vals_list.append(
                {
                    "code": code,
                    "version": max(mine.mapped("version"), default=0) + 1,
                    "state": "draft" if own else "approved",
                    "document": text,
                    "is_shipped": True,
                    "base_id": current.id,
                    "source": json.loads(text)["about"],
                    "date_from": False if own or not mine else today,
                }
            )
        replaced.write({"state": "replaced", "date_to": today})
        replaced.flush_recordset()
        self.with_context(mail_create_nolog=True).create(vals_list)

    @api.model
    @tools.ormcache()
    def _approved(self):
        """(code, id, JSON) of each approved version."""
        return tuple(
            (layout.code, layout.id, layout.document)
            for layout in self.sudo().search([("state", "=", "approved")])
        )

    @api.model
    def _layouts(self):
        """The approved tables, as the codec takes them: dict of ``norms.codec.Layout`` by name."""
        return {code: codec.parse(code, document) for code, _id, document in self._approved()}

    @api.model
    def _current(self, code):
        """The approved version of a format, as a record."""
        return self.browse([id_ for name, id_, _document in self._approved() if name == code])

    def _as_argument(self):
        """This one version, as the codec takes it."""
        self.ensure_one()
        return {self.code: codec.parse(self.code, self._text())}

    # -- positions ---------------------------------------------------------------------------------------

    def _make_fields(self):
        """The rows on which a person reads and corrects the positions, from the document."""
        vals_list = []
        for layout in self:
            for code, record in json.loads(layout.document).get("records", {}).items():
                for field in record["fields"]:
                    vals_list.append(
                        {
                            "layout_id": layout.id,
                            "record_code": code,
                            "record_label": f"{code} · {record['label']}",
                            "key": field["key"],
                            "name": self._field_label(code, field["key"]),
                            "start": field["start"],
                            "size": field["length"],
                            "base_start": field["start"],
                            "base_size": field["length"],
                            "type": field["type"],
                            "certainty": field.get("certainty", "C"),
                            "sources": ", ".join(field.get("sources", ())),
                            "meaning": field.get("meaning", ""),
                        }
                    )
        self.env["health.format.field"].create(vals_list)

    @api.model
    def _field_label(self, record, key):
        names = codec.labels()["fields"]
        return names.get(f"{record}.{key}") or names.get(key, key)

    def _text(self):
        """The document with the positions of the rows; a delimited record is as long as its fields."""
        self.ensure_one()
        if self.state != "draft":
            return self.document
        document = json.loads(self.document)
        rows = {(row.record_code, row.key): row for row in self.field_ids}
        for code, record in document.get("records", {}).items():
            delimited = False
            for field in record["fields"]:
                row = rows.get((code, field["key"]))
                if row:
                    field["start"], field["length"] = row.start, row.size
                delimited = delimited or (field["key"] == "end" and field.get("value"))
            if delimited:
                record["length"] = max(
                    item["start"] + item["length"] - 1 for item in record["fields"]
                )
        document["version"] = str(self.version)
        return json.dumps(document, ensure_ascii=False, indent=1)

    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group("health_billing.group_manager"):
            raise AccessError(
                self.env._("Only the manager of the agency changes exchange formats.")
            )

    def action_copy_to_draft(self):
        """A draft of this version, to correct and try."""
        self.ensure_one()
        self._check_manager()
        last = self.search([("code", "=", self.code)], order="version desc", limit=1)
        draft = self.create(
            {
                "code": self.code,
                "version": last.version + 1,
                "document": self._text(),
                "base_id": self.id,
            }
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": draft.id,
            "views": [[False, "form"]],
        }

    def action_open_fields(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Fields of %s", self.display_name),
            "res_model": "health.format.field",
            "views": [[False, "list"]],
            "domain": [("layout_id", "=", self.id)],
            "context": {"search_default_by_record": 1, "create": False},
        }

    def action_try(self):
        """Choose a received file and see what the draft changes on it."""
        self.ensure_one()
        self._check_manager()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Try on a received file"),
            "res_model": "health.format.trial",
            "views": [[False, "form"]],
            "target": "new",
            "context": {"default_layout_id": self.id},
        }

    def action_approve(self):
        """Put a tried draft in use; what changed is written in the log."""
        self._check_manager()
        for layout in self:
            if layout.state != "draft":
                raise UserError(self.env._("Only a draft can be approved."))
            if layout.problems:
                raise UserError(self.env._("This draft cannot be used:\n%s", layout.problems))
            if not layout.is_tried:
                raise UserError(
                    self.env._(
                        "Try the draft first on a received file whose totals come out right with it."
                    )
                )
            today = fields.Date.context_today(self)
            current = self._current(layout.code)
            moves = [
                self.env._(
                    "%(record)s, %(field)s: %(before)s becomes %(after)s",
                    record=row.record_code,
                    field=row.name,
                    before=f"{row.base_start}+{row.base_size}",
                    after=f"{row.start}+{row.size}",
                )
                for row in layout.field_ids.filtered("is_moved")
            ]
            document = layout._text()
            current.write({"state": "replaced", "date_to": today})
            current.flush_recordset()
            layout.write({"document": document, "state": "approved", "date_from": today})
            layout.message_post(
                body=Markup("<p>%s</p><ul>%s</ul>")
                % (
                    self.env._(
                        "Approved; tried on %s.",
                        layout.trial_inbox_id.filename or self.env._("a file"),
                    ),
                    Markup("").join(Markup("<li>%s</li>") % move for move in moves),
                )
            )
        return True

    # -- screens -----------------------------------------------------------------------------------------

    @api.model
    def _dumped_kinds(self):
        """Kinds of received files that a dump can show."""
        return ("b2", "noemie")

    @api.model
    def _dump_html(self, content, page=0, layouts=None, rest=RAW):
        """One page of a file, record by record and field by field, with how sure each field is."""
        layouts = self._layouts() if layouts is None else layouts
        try:
            records = dump.dump(content, page * PAGE, PAGE + rest, layouts=layouts)
        except NormError as error:
            return Markup("<p>%s</p>") % str(error)
        if not records:
            return False
        self._hide_nir(records)
        shown = Markup("").join(self._record_html(record) for record in records[:PAGE])
        others = Markup("").join(
            Markup(
                "<tr><td>%s</td><td>%s</td><td style='white-space: pre'><code>%s</code></td></tr>"
            )
            % (record.number, record.label, record.raw)
            for record in records[PAGE:]
        )
        if others:
            shown += Markup("<table class='table table-sm mt-3'><tbody>%s</tbody></table>") % others
        return Markup("<div class='o_health_dump'>%s</div>") % shown

    @api.model
    def _dump_goes_on(self, content, page, layouts):
        try:
            return bool(dump.dump(content, (page + 1) * PAGE, 1, layouts=layouts))
        except NormError:
            return False

    @api.model
    def _hide_nir(self, records):
        """A NIR is shown to who may see it; for the others dots stand in its place, also in the raw text."""
        if self.env.user.has_group("health_billing.group_nir"):
            return
        hidden = codec.codes()["nir_keys"]["values"]
        for record in records:
            for item in record.fields:
                if item.key in hidden and item.raw.strip(" 0"):
                    item.raw = "•" * item.length
                    item.value = "•••"
            if record.fields:
                record.raw = "".join(item.raw for item in record.fields)

    def _record_html(self, record, changed=()):
        """A record that opens on its fields; the fields in ``changed`` stand out."""
        if record.code is None:
            return Markup("<details><summary>%s · <b>%s</b></summary><pre>%s</pre></details>") % (
                record.number,
                record.label,
                record.raw,
            )
        rows = Markup("").join(
            Markup(
                "<tr class='%s'><td>%s</td><td class='text-muted text-nowrap'>%s</td>"
                "<td style='white-space: pre'><code>%s</code></td><td>%s</td><td>%s</td></tr>"
            )
            % (
                "table-warning"
                if item.key in changed
                else ("" if item.readable else "table-danger"),
                item.label,
                f"{item.start}-{item.start + item.length - 1}",
                item.raw,
                item.value,
                self._badge(item),
            )
            for item in record.fields
            if item.key in changed or item.raw.strip() and item.start > 1
        )
        return Markup(
            "<details %s><summary>%s · <b>%s</b> <span class='text-muted'>%s</span> %s</summary>"
            "<table class='table table-sm ms-3 w-auto'><thead><tr><th>%s</th><th>%s</th><th>%s</th><th>%s</th>"
            "<th>%s</th></tr></thead><tbody>%s</tbody></table></details>"
        ) % (
            Markup("open='open'") if changed else "",
            record.number,
            record.label,
            record.code,
            self._short(record),
            self.env._("Field"),
            self.env._("Position"),
            self.env._("In the file"),
            self.env._("Meaning"),
            self.env._("Certainty"),
            rows,
        )

    def _badge(self, item):
        colours = {"A": "text-bg-success", "B": "text-bg-info", "C": "text-bg-warning"}
        return Markup("<span class='badge rounded-pill %s' title='%s'>%s</span>") % (
            colours.get(item.certainty, "text-bg-secondary"),
            self.env._(
                "%(grade)s (sources: %(sources)s)",
                grade=self._certainty().get(item.certainty, item.certainty),
                sources=", ".join(item.sources),
            ),
            item.certainty,
        )

    @api.model
    def _certainty(self):
        return {
            "A": self.env._("Confirmed by an official text"),
            "B": self.env._("Two public decoders agree"),
            "C": self.env._("One source only, not confirmed"),
        }

    @api.model
    def _short(self, record):
        """The few values that tell records apart, on the line of the record."""
        wanted = codec.codes()["summary_keys"]["values"]
        values = {item.key: item.value for item in record.fields}
        return " · ".join(dict.fromkeys(values[key] for key in wanted if values.get(key)))

    @api.model
    def _reading(self, code, content, layouts):
        """(whether the totals are right, a sentence) of a whole file read with these tables."""
        try:
            if code == "b2":
                lots = [lot for file in b2.read_all(content, layouts) for lot in file.lots]
                count = sum(len(lot.invoices) for lot in lots)
                total = sum(lot.total_fee for lot in lots)
            else:
                files = noemie.read(content, layouts)
                count = sum(len(s.invoices) for file in files for s in file.settlements)
                total = sum(file.expected for file in files)
        except NormError as error:
            return False, str(error)
        return True, self.env._(
            "Totals are right: %(count)s invoices, %(total)s.",
            count=count,
            total=codec.euros(total),
        )

    @api.model
    def _compare_html(self, content, before, after):
        """What a draft changes on a file: the records that read differently, both ways."""
        limit = 4000
        pairs = dump.compare(
            dump.dump(content, 0, limit, before), dump.dump(content, 0, limit, after)
        )
        if not pairs:
            return Markup("<p>%s</p>") % self.env._("Nothing reads differently on this file.")
        kinds = Counter((new or old).code or "?" for old, new, _keys in pairs)
        for old, new, _keys in pairs:
            self._hide_nir([record for record in (old, new) if record])
        head = self.env._(
            "%(count)s record(s) read differently: %(kinds)s",
            count=len(pairs),
            kinds=", ".join(f"{code} ({number})" for code, number in kinds.most_common()),
        )
        body = Markup("").join(
            Markup(
                "<div class='row'><div class='col-6'><b>%s</b>%s</div><div class='col-6'><b>%s</b>%s</div></div>"
            )
            % (
                self.env._("Now"),
                self._record_html(old, keys) if old else "",
                self.env._("With the draft"),
                self._record_html(new, keys) if new else "",
            )
            for old, new, keys in pairs[:10]
        )
        return Markup("<p>%s</p>%s") % (head, body)
