import base64
import binascii
from itertools import islice

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..journal import (
    COLUMNS,
    JournalError,
    Rule,
    looks_like_journal,
    missing_columns,
    preview,
    read_mapped,
    read_table,
    signature,
    suggest,
)

SAMPLE_ROWS = 20
#: columns shown in the preview whatever the file has
SHOWN = (
    "fse_no",
    "fse_date",
    "nir",
    "last_name",
    "first_name",
    "act_date",
    "key_letter",
    "coefficient",
    "act_amount",
    "amo_org",
    "amo_amount",
    "amc_amount",
    "patient_amount",
)


class HealthImportMapping(models.Model):
    """How the columns of another program's export become those of the FSE journal; saved, used again."""

    _name = "health.import.mapping"
    _description = "Import Mapping"
    _order = "name"

    name = fields.Char(required=True)
    company_id = fields.Many2one(
        "res.company",
        string="Practitioner",
        index=True,
        domain=[("health_provider_no", "!=", False)],
        help="Empty: for the files of any practitioner; the file then says whose it is.",
    )
    column_ids = fields.One2many(
        "health.import.mapping.column", "mapping_id", string="Columns", copy=True
    )
    active = fields.Boolean(default=True)
    header = fields.Json(help="Columns of the file, in their order.")
    header_label = fields.Char("Columns of the file", compute="_compute_header_label")
    signature = fields.Char(index=True, readonly=True)
    #: care and NIR of a sample are not kept with the mapping
    sample = fields.Binary("Sample file", store=False)
    sample_name = fields.Char(store=False)
    inbox_id = fields.Many2one(
        "health.inbox", string="Made for the file", ondelete="set null", copy=False
    )
    preview = fields.Html(compute="_compute_preview", sanitize=False)

    @api.depends("header")
    def _compute_header_label(self):
        for mapping in self:
            mapping.header_label = ", ".join(mapping.header or ())

    @api.model
    def default_get(self, fields_list):
        """A mapping made from a received file starts with its columns."""
        values = super().default_get(fields_list)
        inbox = self.env["health.inbox"].browse(values.get("inbox_id")).exists()
        if inbox and inbox.content:
            values.update(self._from_sample(base64.b64decode(inbox.content), inbox.company_id))
            values.setdefault("company_id", inbox.company_id.id)
            values["name"] = values.get("name") or inbox.filename.rsplit(".", 1)[0]
        return values

    @api.onchange("sample")
    def _onchange_sample(self):
        if not self.sample:
            return None
        try:
            content = base64.b64decode(self.sample, validate=True)
            values = self._from_sample(content, self.company_id)
        except (JournalError, binascii.Error, ValueError) as error:
            self.sample = False
            return {"warning": {"title": self.env._("Unreadable file"), "message": str(error)}}
        self.update(values)
        self.name = self.name or (self.sample_name or "").rsplit(".", 1)[0]
        return None

    @api.onchange("company_id")
    def _onchange_company_id(self):
        """Whose files they are stands for the billing number that no column gives."""
        for column in self.column_ids:
            if column.target == "provider_no" and not column.source:
                column.constant = self.company_id.health_provider_no

    @api.model
    def _from_sample(self, content, company):
        """Header and suggested columns of a file.

        :raises JournalError: when there is no table in it.
        """
        if looks_like_journal("", content):
            raise JournalError(
                self.env._(
                    "This is an FSE journal already: drop it in the cockpit, it needs no mapping."
                )
            )
        table = read_table(content)
        rows = [
            cells
            for _number, cells in islice((line for line in table.rows if any(line[1])), SAMPLE_ROWS)
        ]
        found = suggest(table.header, rows)
        commands = [fields.Command.clear()]
        for number, target in enumerate(COLUMNS):
            rule = found.get(target, Rule(target))
            commands.append(
                fields.Command.create(
                    {
                        "sequence": number,
                        "target": target,
                        "source": rule.sources[0] if rule.sources else False,
                        "date_format": rule.date_format or False,
                        "is_part": bool(rule.part),
                        "constant": company.health_provider_no
                        if target == "provider_no" and not rule.sources
                        else False,
                    }
                )
            )
        return {
            "header": list(table.header),
            "signature": signature(table.header),
            "column_ids": commands,
        }

    # -- preview ---------------------------------------------------------------------------------------

    @api.depends(
        "sample",
        "inbox_id",
        "header",
        "company_id",
        "column_ids.source",
        "column_ids.constant",
        "column_ids.date_format",
        "column_ids.translations",
        "column_ids.is_part",
    )
    def _compute_preview(self):
        for mapping in self:
            mapping.preview = mapping._preview()

    def _content(self):
        """Bytes of the sample in the form, else of the received file."""
        data = self.sample or self.inbox_id.with_context(bin_size=False).content
        return base64.b64decode(data) if data else b""

    def _preview(self):
        content = self._content()
        if not content or not self.column_ids:
            return False
        try:
            rules = self._rules()
            rows = preview(content, rules)
        except (JournalError, ValidationError, binascii.Error) as error:
            return Markup('<p class="text-danger">%s</p>') % str(error)
        labels = self.column_ids._labels()
        missing = [labels[target] for target in missing_columns(rules)]
        wrong = {target for row in rows for target in row.errors}
        shown = [target for target in COLUMNS if target in SHOWN or target in wrong]
        head = Markup().join(Markup("<th>%s</th>") % labels[target] for target in shown)
        body = Markup().join(
            Markup("<tr><td>%s</td>%s</tr>")
            % (row.number, Markup().join(self._preview_cell(row, target) for target in shown))
            for row in rows
        )
        note = (
            Markup('<p class="text-danger fw-bold">%s</p>')
            % self.env._("Still missing: %s.", ", ".join(missing))
            if missing
            else Markup("")
        )
        return note + Markup(
            '<table class="table table-sm o_health_preview"><thead><tr><th>%s</th>%s</tr></thead>'
            "<tbody>%s</tbody></table>"
        ) % (self.env._("Row"), head, body)

    @api.model
    def _preview_cell(self, row, target):
        value = row.values.get(target, "")
        reason = row.errors.get(target)
        if not reason:
            return Markup("<td>%s</td>") % value
        return Markup('<td class="table-danger">%s<div class="small text-danger">%s</div></td>') % (
            value,
            reason,
        )

    # -- use -------------------------------------------------------------------------------------------

    @api.constrains("column_ids")
    def _check_columns(self):
        for mapping in self:
            rules = mapping._rules()
            missing = missing_columns(rules)
            if missing:
                labels = mapping.column_ids._labels()
                raise ValidationError(
                    self.env._(
                        "%(mapping)s does not fill: %(columns)s. Give each a column of the file or a fixed value.",
                        mapping=mapping.name,
                        columns=", ".join(labels[column] for column in missing),
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._signed(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._signed(vals))

    @api.model
    def _signed(self, vals):
        """The signature follows the header, whoever sets it."""
        return {**vals, "signature": signature(vals["header"])} if vals.get("header") else vals

    def _rules(self):
        self.ensure_one()
        return self.column_ids._rules(set(self.header or ()), self.company_id)

    @api.model
    def _for_file(self, content, company=None):
        """Mappings of the file's columns: those of the practitioner, else those for all.

        Several are left only where the file does not say whose it is.
        """
        try:
            mark = read_table(content).signature
        except JournalError:
            return self.browse()
        found = self.search([("signature", "=", mark)])
        own = found.filtered("company_id")
        if company:
            return (own.filtered(lambda one: one.company_id == company) or found - own)[:1]
        return (found - own)[:1] or own

    def _read(self, content):
        """The FSE journal in a file of this mapping.

        :raises JournalError: when the file as a whole cannot be used.
        """
        return read_mapped(content, self._rules(), self.column_ids._labels())

    def action_rework(self):
        """Work the file again that this mapping was made for, and show it."""
        self.ensure_one()
        inbox = self.inbox_id
        if not inbox:
            raise UserError(self.env._("This mapping was not made for a received file."))
        inbox.action_retry()
        return {
            "type": "ir.actions.act_window",
            "res_model": "health.inbox",
            "res_id": inbox.id,
            "views": [[False, "form"]],
        }
