from odoo import fields, models


class HealthInduKind(models.Model):
    """Nature of a debt as NOEMIE codes it: why the payer takes money back."""

    _name = "health.indu.kind"
    _description = "Nature of an Overpayment"
    _order = "name"

    code = fields.Char(required=True, index=True)
    name = fields.Char(required=True)
    source = fields.Char()
    grade = fields.Selection(
        [("A", "Official text"), ("B", "Secondary source"), ("C", "Unconfirmed")],
        required=True,
        default="C",
    )

    _code_uniq = models.Constraint("UNIQUE(code)", "This nature exists already.")
