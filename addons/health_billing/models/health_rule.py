from odoo import api, fields, models

from .. import ngap
from ..ngap.catalogue import rows


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
    severity = fields.Selection(
        selection=lambda self: self.env["health.finding"]._severities(),
        help="The most it does. By the proof grade: official text blocks, a secondary source warns, the rest "
        "advises; our own controls say it themselves.",
    )
    is_checked = fields.Boolean("Controlled")
    why_unchecked = fields.Char("Why it is not checked")
    finding_count = fields.Integer("Open findings", compute="_compute_finding_count")

    _code_uniq = models.Constraint("UNIQUE(code)", "This rule exists already.")

    def _compute_finding_count(self):
        counts = dict(
            self.env["health.finding"]._read_group(
                [("rule_code", "in", self.mapped("code")), ("state", "=", "open")],
                ["rule_code"],
                ["__count"],
            )
        )
        for rule in self:
            rule.finding_count = counts.get(rule.code, 0)

    @api.model
    def _texts(self):
        """Values of every rule: those of the nomenclature, then our own controls (rights, quotes, tariff)."""
        for text in ngap.rule_texts().values():
            is_checked = text.code in ngap.RULES
            yield {
                "code": text.code,
                "profession": text.profession,
                "statement": text.statement,
                "message": text.message,
                "reference": text.reference,
                "grade": text.grade,
                "severity": str(int(text.severity)),
                "is_checked": is_checked,
                "why_unchecked": False if is_checked else text.why_unchecked or False,
            }
        for row in rows("own_rules.csv"):
            yield {
                "code": row["id"],
                "profession": row["profession"],
                "statement": row["statement_fr"],
                "message": row["error_message_fr"],
                "reference": row["legal_reference"],
                "grade": row["grade"],
                "severity": row["severity"],
                "is_checked": True,
                "why_unchecked": False,
            }

    @api.model
    def _load(self):
        """Write the rules as the data files word them; called at every installation and update."""
        known = {rule.code: rule for rule in self.search([])}
        new = []
        for vals in self._texts():
            rule = known.pop(vals["code"], None)
            if rule is None:
                new.append(vals)
            elif any(rule[name] != value for name, value in vals.items()):
                rule.write(vals)
        self.create(new)
        self.union(*known.values()).unlink()
        return True

    def action_open_findings(self):
        self.ensure_one()
        return self.env["health.finding"]._action_of_rule(self.code)
