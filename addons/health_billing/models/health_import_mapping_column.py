from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..journal import COLUMNS, DATE_FORMATS, MANDATORY, PARTS, Rule

#: between the names of several columns that are summed or joined
PLUS = " + "


class HealthImportMappingColumn(models.Model):
    """One column of an import mapping."""

    _name = "health.import.mapping.column"
    _description = "Import Mapping Column"
    _order = "sequence, id"

    mapping_id = fields.Many2one(
        "health.import.mapping", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="mapping_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    source = fields.Char(
        "Column of the file", help="Several are summed (amounts) or joined: “Fee + Travel”."
    )
    target = fields.Char("Column of the FSE journal", required=True)
    label = fields.Char("Becomes", compute="_compute_label")
    is_mandatory = fields.Boolean(compute="_compute_label")
    constant = fields.Char(
        "Fixed value", help="Where the file has no such column, or nothing in it."
    )
    date_format = fields.Selection(
        selection=lambda self: list(DATE_FORMATS.items()), help="Empty: day before month."
    )
    translations = fields.Char(
        "Values",
        help="What the file writes = what the journal wants, separated by semicolons: "
        "“Night = N ; Sunday = F”.",
    )
    is_part = fields.Boolean(
        "Split", help="The column holds “AMI 4” or “DURAND Anne”: this part of it is taken."
    )

    _target_uniq = models.Constraint(
        "UNIQUE(mapping_id, target)", "This column of the journal is mapped already."
    )

    @api.depends("target")
    @api.depends_context("lang")
    def _compute_label(self):
        labels = self._labels()
        for column in self:
            column.label = labels.get(column.target, column.target)
            column.is_mandatory = column.target in MANDATORY

    @api.constrains("target", "is_part", "translations")
    def _check_target(self):
        for column in self:
            if column.target not in COLUMNS:
                raise ValidationError(
                    self.env._("“%s” is no column of the FSE journal.", column.target)
                )
            if column.is_part and column.target not in PARTS:
                raise ValidationError(
                    self.env._("Only letter, coefficient and names can be split off a column.")
                )
            column._translation_pairs()

    @api.model
    def _labels(self):
        """What people call the columns of the journal."""
        return {
            "provider_no": self.env._("Billing number of the practitioner"),
            "fse_no": self.env._("FSE number"),
            "fse_date": self.env._("FSE date"),
            "nir": self.env._("NIR"),
            "last_name": self.env._("Last name"),
            "first_name": self.env._("First name"),
            "birth_date": self.env._("Birth date"),
            "birth_rank": self.env._("Birth rank"),
            "act_date": self.env._("Date of the act"),
            "key_letter": self.env._("Key letter"),
            "coefficient": self.env._("Coefficient"),
            "quantity": self.env._("Quantity"),
            "complement": self.env._("Complement (N, F, U)"),
            "act_amount": self.env._("Fee"),
            "amo_org": self.env._("Fund (9 digits)"),
            "amo_rate": self.env._("AMO rate (%)"),
            "amo_amount": self.env._("AMO share"),
            "amc_org": self.env._("Complementary insurer (number)"),
            "amc_member": self.env._("AMC member number"),
            "amc_amount": self.env._("AMC share"),
            "patient_amount": self.env._("Patient share"),
            "lot_no": self.env._("Lot"),
            "kind": self.env._("Kind (F, B, D, P)"),
            "sent_on": self.env._("Sent on"),
            "insurance_nature": self.env._("Nature of insurance"),
            "exemption": self.env._("Exemption code"),
            "prescriber_no": self.env._("Prescriber number"),
            "prescription_date": self.env._("Prescribed on"),
        }

    def _translation_pairs(self):
        """dict of the values to translate.

        :raises ValidationError: on a pair without “=”.
        """
        self.ensure_one()
        pairs = {}
        for pair in filter(None, map(str.strip, (self.translations or "").split(";"))):
            key, mark, value = pair.partition("=")
            if not mark or not key.strip():
                raise ValidationError(
                    self.env._("“%s”: write “value of the file = value of the journal”.", pair)
                )
            pairs[key.strip()] = value.strip()
        return pairs

    def _rules(self, header, company):
        """Plain rules for :mod:`..journal.mapping`; a column the file has as such is not taken apart at “+”."""
        rules = []
        for column in self:
            source = (column.source or "").strip()
            sources = (source,) if source in header else tuple(source.split(PLUS))
            constant = (column.constant or "").strip()
            if column.target == "provider_no":
                constant = constant or company.health_provider_no or ""
            rules.append(
                Rule(
                    column.target,
                    tuple(filter(None, map(str.strip, sources))),
                    constant,
                    column.date_format or "",
                    column._translation_pairs(),
                    PARTS.get(column.target, "") if column.is_part else "",
                )
            )
        return rules
