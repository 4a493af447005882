from odoo import api, fields, models
from odoo.exceptions import ValidationError


class HealthDebtInterruption(models.Model):
    """What moves the delay of prescription: an acknowledgement, a plan, a claim in court; never a letter.

    Kept as it was noted: a mistake is taken away by a manager and noted anew.
    """

    _name = "health.debt.interruption"
    _description = "Interruption of Prescription"
    _order = "day desc, id desc"
    _rec_name = "kind"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", string="Practitioner", required=True, index=True)
    partner_id = fields.Many2one(
        "res.partner", string="Debtor", required=True, index=True, ondelete="restrict"
    )
    kind = fields.Selection(
        [
            ("acknowledgement", "Debt acknowledged"),
            ("plan", "Payment plan agreed"),
            ("court", "Claim in court, or enforcement"),
            ("suspension", "Suspended (conciliation, simplified procedure)"),
        ],
        required=True,
        help="Civil code, articles 2240, 2241, 2244 and 2238. A reminder, a registered letter or a formal notice "
        "interrupts nothing.",
    )
    day = fields.Date("On", required=True, default=fields.Date.context_today)
    until = fields.Date("Until (excluded)", help="Of a suspension; empty as long as it lasts.")
    note = fields.Char("What happened")
    share_ids = fields.Many2many(
        "health.share",
        "health_debt_interruption_share_rel",
        "interruption_id",
        "share_id",
        string="Shares",
        required=True,
        domain="[('company_id', '=', company_id), ('debtor_kind', '=', 'patient')]",
    )
    attachment_ids = fields.Many2many("ir.attachment", string="Proofs")
    user_id = fields.Many2one(
        "res.users", string="Noted by", readonly=True, default=lambda self: self.env.uid
    )

    @api.depends("kind", "day")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for act in self:
            day = act.day and act.day.strftime("%d/%m/%Y")
            act.display_name = " · ".join(filter(None, [kinds.get(act.kind), day]))

    @api.model_create_multi
    def create(self, vals_list):
        acts = super().create(vals_list)
        acts._check_not_to_come()
        return acts

    def write(self, vals):
        result = super().write(vals)
        if "day" in vals:
            self._check_not_to_come()
        return result

    def _check_not_to_come(self):
        """What people note has happened; the product itself notes the day of the night worked."""
        today = fields.Date.context_today(self)
        if not self.env.su and any(act.day > today for act in self):
            raise ValidationError(
                self.env._("What is to come interrupts nothing yet: choose today or a day before.")
            )

    @api.constrains("day", "until", "kind")
    def _check_days(self):
        for act in self:
            if act.until and act.kind != "suspension":
                raise ValidationError(
                    self.env._("Only a suspension has an end: leave “Until” empty.")
                )
            if act.until and act.until <= act.day:
                raise ValidationError(
                    self.env._("The suspension ends before it begins: mend one of the two days.")
                )

    @api.constrains("share_ids", "company_id")
    def _check_shares(self):
        for act in self:
            if not act.share_ids:
                raise ValidationError(self.env._("Say which shares are concerned."))
            if act.share_ids.company_id != act.company_id:
                raise ValidationError(
                    self.env._("These shares are not all of %s.", act.company_id.name)
                )
