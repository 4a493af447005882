from odoo import fields, models


class HealthFinding(models.Model):
    """One objection or advice about an FSE; a warning passes with a reason, which is kept."""

    _name = "health.finding"
    _description = "Finding"
    _order = "severity desc, rule_code, id"
    _check_company_auto = True

    fse_id = fields.Many2one("health.fse", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(
        related="fse_id.company_id", store=True, index=True, string="Practitioner"
    )
    act_id = fields.Many2one("health.fse.act", ondelete="cascade", index="btree_not_null")
    rule_code = fields.Char("Rule", required=True, index=True)
    severity = fields.Selection(
        [("1", "Advice"), ("2", "Warning"), ("3", "Blocking")], required=True, index=True
    )
    message = fields.Text(required=True)
    reference = fields.Char("Legal reference")
    proposal = fields.Json("Proposal data")
    proposal_label = fields.Char("Proposal")
    state = fields.Selection(
        [("open", "Open"), ("passed", "Passed with a reason"), ("applied", "Proposal applied")],
        default="open",
        required=True,
        index=True,
    )
    reason = fields.Char()
    user_id = fields.Many2one("res.users", string="Passed by")
    passed_on = fields.Datetime()
