from odoo import fields, models


class HealthRule(models.Model):
    """A rule of the nomenclature as the product applies it: texts, source, proof grade."""

    _name = "health.rule"
    _description = "NGAP Rule"
    _order = "code"
    _rec_name = "code"

    code = fields.Char(required=True, index=True)
    profession = fields.Char()
    statement = fields.Text()
    message = fields.Text()
    reference = fields.Char("Legal reference")
    grade = fields.Selection(
        [("A", "Official text"), ("B", "Secondary source"), ("C", "Unconfirmed")], required=True
    )
    is_checked = fields.Boolean("Checked")
    why_unchecked = fields.Char("Why it is not checked")

    _code_uniq = models.Constraint("UNIQUE(code)", "This rule exists already.")
