import csv
import io
import re
from datetime import date, timedelta

from odoo import api, fields, models

#: columns that a list of ARL must have, beside lot_date, code and label (a profile of our own:
#: the byte layout of an ARL is not public)
MANDATORY = ("provider_no", "lot_no", "result", "date")
RESULTS = {
    "positif": "positive",
    "positive": "positive",
    "negatif": "negative",
    "negative": "negative",
}
#: a number is used again after 999 lots: without its day, a lot is looked for this far back
NUMBER_IS_FRESH = timedelta(days=60)


class RowError(Exception):
    """A row of an ARL list that cannot be recorded."""

    def __init__(self, column, reason):
        super().__init__(reason)
        self.column = column
        self.reason = reason


class HealthArl(models.Model):
    """A logical acknowledgement of a lot: the front end took it, or refused it.

    It promises no payment.
    """

    _name = "health.arl"
    _description = "Acknowledgement of a Lot (ARL)"
    _order = "date desc, id desc"
    _rec_name = "lot_no"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", string="Practitioner", required=True, index=True)
    lot_id = fields.Many2one(
        "health.lot", index="btree_not_null", check_company=True, ondelete="set null"
    )
    lot_no = fields.Char("Lot number", size=3, required=True)
    lot_date = fields.Date()
    result = fields.Selection([("positive", "Positive"), ("negative", "Negative")], required=True)
    date = fields.Date(required=True)
    fse_no = fields.Char("Refused FSE", help="Empty: the ARL speaks of the whole lot.")
    fse_id = fields.Many2one(
        "health.fse", string="FSE", index="btree_not_null", check_company=True, ondelete="set null"
    )
    code = fields.Char()
    label = fields.Char()
    source = fields.Selection(
        [("manual", "By hand"), ("file", "Received file")],
        required=True,
        default="manual",
        readonly=True,
    )
    inbox_id = fields.Many2one(
        "health.inbox", string="Came with", index="btree_not_null", readonly=True
    )
    is_superseded = fields.Boolean(
        readonly=True, help="The lot was sent again after this acknowledgement."
    )

    # -- list of ARL -----------------------------------------------------------------------------

    @api.model
    def _read_table(self, content):
        """Header and rows (dicts) of an ARL list, or ``(None, [])`` when it is none.

        CSV in UTF-8 (a BOM is accepted), ``;`` between columns, one header line.
        """
        try:
            text = content.decode("utf-8-sig")
            reader = csv.DictReader(io.StringIO(text), delimiter=";")
            header = reader.fieldnames = [(name or "").strip() for name in reader.fieldnames or []]
            if not {"provider_no", "lot_no", "result"} <= set(header) or "act_date" in header:
                return None, []
            return header, list(reader)
        except (UnicodeDecodeError, csv.Error):
            return None, []

    @api.model
    def _import_rows(self, rows, inbox):
        """Record the rows of an ARL list; rows that cannot be read become issues of ``inbox``.

        :param rows: pairs of a line number and a dict.
        :return: dict of counts (positive, negative, known, unmatched), practitioners concerned.
        """
        companies = {
            company.health_provider_no: company
            for company in self.env["res.company"].search(
                [
                    (
                        "health_provider_no",
                        "in",
                        [(row["provider_no"] or "").strip() for _number, row in rows],
                    )
                ]
            )
        }
        good, issues = [], []
        for number, row in rows:
            try:
                vals = self._row_vals(row, companies)
            except RowError as error:
                issues.append({"row": number, "column": error.column, "reason": error.reason})
            else:
                good.append({**vals, "source": "file", "inbox_id": inbox.id})
        inbox._add_issues(issues)
        practitioners = self.env["res.company"].browse({vals["company_id"] for vals in good})
        self.env["health.lot"]._collect_sent(practitioners)
        fresh = self._unknown(good, practitioners)
        self._attach(fresh)
        made = self.create(fresh)
        return {
            "positive": len(made.filtered(lambda arl: arl.result == "positive")),
            "negative": len(made.filtered(lambda arl: arl.result == "negative")),
            "known": len(good) - len(made),
            "unmatched": len(made.filtered(lambda arl: not arl.lot_id)),
        }, practitioners

    @api.model
    def _row_vals(self, row, companies):
        row = {
            key: (value or "").strip() for key, value in row.items() if isinstance(key, str) and key
        }
        number = row["provider_no"]
        if number not in companies:
            raise RowError(
                "provider_no",
                self.env._("No practitioner has the billing number “%s”: add them first.", number),
            )
        lot_no = row["lot_no"].zfill(3)
        if not re.fullmatch(r"[0-9]{3}", lot_no):
            raise RowError(
                "lot_no",
                self.env._("“%s” is not a lot number: 3 digits are expected.", row["lot_no"]),
            )
        result = RESULTS.get(row["result"].lower().replace("é", "e"))
        if not result:
            raise RowError(
                "result",
                self.env._("“%s” is no result: positif or negatif is expected.", row["result"]),
            )
        return {
            "company_id": companies[number].id,
            "lot_no": lot_no,
            "lot_date": self._day(row.get("lot_date"), "lot_date"),
            "result": result,
            "date": self._day(row.get("date"), "date", required=True),
            "code": row.get("code") or False,
            "label": row.get("label") or False,
            "fse_no": row.get("fse_no") or False,
        }

    @api.model
    def _day(self, text, column, required=False):
        if not text and not required:
            return False
        try:
            return date.fromisoformat(text or "")
        except ValueError:
            raise RowError(
                column, self.env._("“%s” is not a date: YYYY-MM-DD is expected.", text or "")
            ) from None

    @api.model
    def _unknown(self, vals_list, companies):
        """The rows that no earlier list gave: lists may overlap."""

        def key(vals):
            return tuple(
                vals[name] or False
                for name in ("company_id", "lot_no", "lot_date", "result", "date", "code", "fse_no")
            )

        days = [vals["date"] for vals in vals_list]
        known = set()
        if days:
            for arl in self.search(
                [
                    ("company_id", "in", companies.ids),
                    ("date", ">=", min(days)),
                    ("date", "<=", max(days)),
                ]
            ):
                known.add(
                    (
                        arl.company_id.id,
                        arl.lot_no,
                        arl.lot_date,
                        arl.result,
                        arl.date,
                        arl.code,
                        arl.fse_no,
                    )
                )
        fresh = []
        for vals in vals_list:
            if key(vals) not in known:
                known.add(key(vals))
                fresh.append(vals)
        return fresh

    @api.model
    def _attach(self, vals_list):
        """Find the lot of each acknowledgement: same number and day, or the only recent one."""
        lots = self.env["health.lot"].search(
            [
                ("company_id", "in", list({vals["company_id"] for vals in vals_list})),
                ("name", "in", list({vals["lot_no"] for vals in vals_list})),
                ("sent_on", "!=", False),
            ]
        )
        groups = lots.grouped(lambda lot: (lot.company_id.id, lot.name))
        for vals in vals_list:
            same = groups.get((vals["company_id"], vals["lot_no"]), self.env["health.lot"])
            day = vals["lot_date"]
            if day:
                found = same.filtered(lambda lot, day=day: day in (lot.date, lot.sent_on))
            else:
                last = vals["date"]
                found = same.filtered(
                    lambda lot, last=last: last - NUMBER_IS_FRESH <= lot.sent_on <= last
                )
            lot = found if len(found) == 1 else found.browse()
            vals["lot_id"] = lot.id
            number = (vals.get("fse_no") or "").lstrip("0")
            vals["fse_id"] = number and next(
                (fse.id for fse in lot.fse_ids if fse.name.lstrip("0") == number), False
            )

    @api.model
    def _attach_orphans(self, companies):
        """Give the acknowledgements that came before their lot the lot that has come since."""
        orphans = self.search([("company_id", "in", companies.ids), ("lot_id", "=", False)])
        vals_list = [
            {
                "company_id": arl.company_id.id,
                "lot_no": arl.lot_no,
                "lot_date": arl.lot_date,
                "date": arl.date,
                "fse_no": arl.fse_no,
            }
            for arl in orphans
        ]
        if vals_list:
            self._attach(vals_list)
        for arl, vals in zip(orphans, vals_list, strict=True):
            if vals["lot_id"]:
                arl.write({"lot_id": vals["lot_id"], "fse_id": vals["fse_id"]})
