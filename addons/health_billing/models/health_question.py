from odoo import fields, models


class HealthQuestion(models.Model):
    """What the agency asks of a practitioner: complete, sign, answer; answered on the phone."""

    _name = "health.question"
    _description = "Question to a Practitioner"
    _order = "is_answered, deadline, id"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", string="Practitioner", required=True, index=True)
    kind = fields.Selection(
        [("complete", "To complete"), ("sign", "To sign"), ("question", "Question")], required=True
    )
    text = fields.Text(required=True)
    fse_id = fields.Many2one(
        "health.fse", index="btree_not_null", ondelete="cascade", check_company=True
    )
    patient_id = fields.Many2one(
        "res.partner", index="btree_not_null", ondelete="cascade", check_company=True
    )
    asked_by_id = fields.Many2one("res.users", default=lambda self: self.env.user)
    deadline = fields.Date()
    is_answered = fields.Boolean(index=True)
    answer = fields.Text()
    answered_on = fields.Datetime()
