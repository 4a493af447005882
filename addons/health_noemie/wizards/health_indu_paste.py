import re
from datetime import datetime
from decimal import Decimal, InvalidOperation

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents, euros, format_cents

#: separators of a table copied from a letter, a spreadsheet or typed by hand
SEPARATOR = re.compile(r"\t|;|\s{3,}")
AMOUNT = re.compile(r"-?[\d\s\u00a0\u202f]*\d([.,]\d{1,2})?\s*(€|EUR)?")
DAY = re.compile(r"\d{1,2}[/.]\d{1,2}[/.]\d{4}|\d{4}-\d{2}-\d{2}")


class HealthInduPaste(models.TransientModel):
    """Copy the table of a letter into lines: number, day of care, amount, ground, one claim per row."""

    _name = "health.indu.paste"
    _description = "Lines of an Overpayment Letter"

    indu_id = fields.Many2one("health.indu", required=True)
    text = fields.Text(
        "Table",
        required=True,
        help="One claim per row: FSE number; day of care; amount; ground. Copied from a spreadsheet, it does too.",
    )
    part = fields.Selection([("amo", "AMO"), ("amc", "AMC")], required=True, default="amo")
    replace = fields.Boolean("Replace the lines of the file")
    preview = fields.Text(compute="_compute_preview")

    @api.depends("text")
    def _compute_preview(self):
        for wizard in self:
            rows, errors = wizard._rows()
            total = format_cents(sum(row["cents"] for row in rows))
            found = [self.env._("%(count)s line(s), %(total)s", count=len(rows), total=total)]
            wizard.preview = "\n".join(found + errors) if wizard.text else False

    def _rows(self):
        """The rows as values, and what is wrong with the others."""
        rows, errors = [], []
        for number, text in enumerate((self.text or "").splitlines(), start=1):
            cells = [cell.strip() for cell in SEPARATOR.split(text.strip()) if cell.strip()]
            if not cells or (number == 1 and not any(char.isdigit() for char in text)):
                continue
            row, reason = self._row(cells)
            if reason:
                errors.append(
                    self.env._("Row %(number)s: %(reason)s", number=number, reason=reason)
                )
            else:
                rows.append(row)
        return rows, errors

    def _row(self, cells):
        row = {"number": cells[0], "day": False, "cents": 0, "reason": []}
        for cell in cells[1:]:
            if not row["day"] and DAY.fullmatch(cell):
                row["day"] = self._day(cell)
                if not row["day"]:
                    return row, self.env._("“%s” is no date.", cell)
            elif not row["cents"] and AMOUNT.fullmatch(cell):
                row["cents"] = self._amount(cell)
            else:
                row["reason"].append(cell)
        if row["cents"] <= 0:
            return row, self.env._("an amount above zero is missing.")
        return row, ""

    def _amount(self, text):
        bare = re.sub(r"[\s\u00a0\u202f€]|EUR", "", text).replace(",", ".")
        try:
            return cents(Decimal(bare))
        except InvalidOperation:
            return 0

    def _day(self, text):
        for pattern in ("%d/%m/%Y", "%Y-%m-%d"):
            try:
                return datetime.strptime(text.replace(".", "/"), pattern).date()
            except ValueError:
                continue
        return False

    def action_add(self):
        """Add the lines; all or nothing.

        :raises UserError: with every row that cannot be read
        """
        self.ensure_one()
        indu = self.indu_id
        indu.check_access("write")
        rows, errors = self._rows()
        if errors or not rows:
            raise UserError("\n".join(errors) or self.env._("There is no line to add."))
        if self.replace:
            # what came with a transfer is a fact, not a line of the letter
            indu.line_ids.filtered(lambda line: not line.settlement_line_id).unlink()
        last = max(indu.line_ids.mapped("sequence"), default=0)
        self.env["health.indu.line"].create(
            [
                {
                    "indu_id": indu.id,
                    "sequence": last + rank,
                    "fse_number": row["number"],
                    "part": self.part,
                    "care_day": row["day"],
                    "amount": euros(row["cents"]),
                    "reason": " ".join(row["reason"]) or False,
                }
                for rank, row in enumerate(rows, start=1)
            ]
        )
        return {"type": "ir.actions.act_window_close"}
