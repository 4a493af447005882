from odoo import fields, models


class HealthDebtorRequest(models.Model):
    """What a patient asked or told from their page: reminders wait until somebody has answered."""

    _name = "health.debtor.request"
    _description = "Request of a Patient"
    _order = "date desc, id desc"
    _rec_name = "kind"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, index=True, readonly=True
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Patient",
        required=True,
        index=True,
        readonly=True,
        ondelete="cascade",
    )
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    kind = fields.Selection(
        [
            ("insurer", "My complementary insurer should pay"),
            ("dispute", "I do not agree"),
            ("callback", "Call me"),
            ("plan", "Pay in instalments"),
            ("other", "Other"),
        ],
        required=True,
        readonly=True,
    )
    message = fields.Text(readonly=True)
    phone = fields.Char(readonly=True)
    share_ids = fields.Many2many("health.share", string="Shares", readonly=True)
    attachment_ids = fields.Many2many("ir.attachment", string="Photos", readonly=True)
    state = fields.Selection(
        [("open", "Open"), ("done", "Answered")],
        required=True,
        readonly=True,
        default="open",
        index=True,
    )
    answer = fields.Text()
    done_on = fields.Datetime("Answered on", readonly=True)
    done_by_id = fields.Many2one("res.users", string="Answered by", readonly=True)
