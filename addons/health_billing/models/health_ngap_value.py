import csv
import re
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools.misc import file_open

from ..ngap import LetterValue, Tariff
from ..tools import cents

GRADE_RE = re.compile(r"\[([ABC])")


class HealthNgapValue(models.Model):
    """Value of a key letter in a zone, for a period, with its source and proof grade."""

    _name = "health.ngap.value"
    _description = "NGAP Key Letter Value"
    _order = "key_letter, zone, date_from desc"

    key_letter = fields.Char(required=True, index=True)
    zone = fields.Char(required=True)
    value = fields.Monetary(required=True)
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.ref("base.EUR")
    )
    date_from = fields.Date(required=True)
    date_to = fields.Date(help="First day on which the value no longer applies.")
    source = fields.Text()
    grade = fields.Selection(
        [("A", "Official text"), ("B", "Secondary source"), ("C", "Unconfirmed")],
        required=True,
        default="C",
    )

    is_confirmed = fields.Boolean("Confirmed", help="The agency confirmed this unconfirmed value.")
    confirmed_by_id = fields.Many2one("res.users", readonly=True)
    confirmed_on = fields.Datetime(readonly=True)

    _period_uniq = models.Constraint(
        "UNIQUE(key_letter, zone, date_from)",
        "This key letter already has a value from that day in that zone.",
    )

    @api.model
    def _tariff(self):
        """All values as the pure package wants them."""
        return Tariff(
            LetterValue(
                value.key_letter,
                value.zone,
                cents(value.value),
                value.date_from,
                value.date_to or None,
                value.source or "",
                value.grade,
                value.is_confirmed,
            )
            for value in self.sudo().search([])
        )

    @api.model
    def _load_catalogue(self):
        """Load acts and values from the data files; what is there already stays as it is."""
        self._load_values()
        self.env["product.product"]._load_ngap_acts()

    @api.model
    def _load_values(self):
        known = {(v.key_letter, v.zone, v.date_from) for v in self.search([])}
        vals_list = []
        for row in self._read_csv("ngap_values.csv"):
            start = self._parse_day(row["valid_from"]) or date(2000, 1, 1)
            if (row["key_letter"], row["zone"], start) in known:
                continue
            known.add((row["key_letter"], row["zone"], start))
            grade = GRADE_RE.search(row["source"])
            last_day = self._parse_day(row["valid_to"])
            vals_list.append(
                {
                    "key_letter": row["key_letter"],
                    "zone": row["zone"],
                    "value": str(Decimal(row["value_eur"].replace(",", "."))),
                    "date_from": start,
                    "date_to": last_day and last_day + timedelta(days=1),
                    "source": row["source"],
                    "grade": grade[1] if grade else "C",
                }
            )
        return self.create(vals_list)

    @api.model
    def _parse_day(self, text):
        """A day of the data files, or ``None`` where they leave it empty or say “unknown”."""
        return date.fromisoformat(text) if text[:1].isdigit() else None

    @api.model
    def _read_csv(self, name):
        with file_open(f"health_billing/data/ngap/{name}", "r") as file:
            return [defaultdict(str, row) for row in csv.DictReader(file)]
