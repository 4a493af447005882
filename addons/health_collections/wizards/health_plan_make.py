from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.health_billing.ngap.calendar import add_months
from odoo.addons.health_billing.tools import cents, euros, format_cents

from ..dunning import plan as plans


class HealthPlanMake(models.TransientModel):
    """Agree on instalments with a patient who calls or writes."""

    _name = "health.plan.make"
    _description = "Make a Payment Plan"

    partner_id = fields.Many2one("res.partner", "Paid by", required=True)
    company_id = fields.Many2one("res.company", "Practitioner", required=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    share_ids = fields.Many2many("health.share", string="Shares", required=True)
    amount = fields.Monetary("To spread", compute="_compute_amount")
    count = fields.Integer("Instalments", required=True, default=3)
    first_date = fields.Date("First instalment", required=True, default=fields.Date.context_today)
    agreed_by = fields.Selection(
        [("signed", "Signed paper"), ("email", "E-mail"), ("phone", "Phone")],
        required=True,
        default="phone",
        string="Agreed by",
    )
    line_ids = fields.One2many(
        "health.plan.make.line",
        "wizard_id",
        "Instalment lines",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    difference = fields.Monetary(compute="_compute_difference")

    @api.model
    def _open(self, shares):
        """:raises UserError: nothing to spread, or several practitioners or debtors."""
        shares = self.env["health.plan"]._in_order(
            self.env["health.plan"]._spreadable(shares).with_env(self.env)
        )
        if not shares:
            raise UserError(
                self.env._(
                    "None of these shares can be spread: paid, disputed or in a plan already."
                )
            )
        debtors = self.env["health.plan"]._debtors(shares)
        if len(debtors) != 1 or len(shares.company_id) != 1:
            raise UserError(
                self.env._(
                    "A plan is for one person and one practitioner: choose their shares only."
                )
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Pay in instalments"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_partner_id": debtors.id,
                "default_company_id": shares.company_id.id,
                "default_share_ids": [fields.Command.set(shares.ids)],
            },
        }

    @api.depends("share_ids")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = euros(sum(cents(s.amount_residual) for s in wizard.share_ids))

    @api.depends("amount", "count", "first_date")
    def _compute_line_ids(self):
        for wizard in self:
            total = cents(wizard.amount)
            commands = [fields.Command.clear()]
            if wizard.first_date and 1 <= wizard.count <= min(60, total):
                commands += [
                    fields.Command.create({"due_date": due, "amount": euros(amount)})
                    for due, amount in zip(
                        plans.dates(wizard.first_date, wizard.count),
                        plans.amounts(total, wizard.count),
                        strict=True,
                    )
                ]
            wizard.line_ids = commands

    @api.depends("amount", "line_ids.amount")
    def _compute_difference(self):
        for wizard in self:
            wizard.difference = euros(
                cents(wizard.amount) - sum(cents(line.amount) for line in wizard.line_ids)
            )

    def _check(self, day):
        self.ensure_one()
        lines = self.line_ids.sorted("due_date")
        if cents(self.difference):
            raise UserError(
                self.env._(
                    "The instalments do not make what is owed: %s is missing or too much.",
                    format_cents(cents(self.difference)),
                )
            )
        if not lines or min(cents(line.amount) for line in lines) <= 0:
            raise UserError(self.env._("Every instalment needs an amount."))
        if lines[0].due_date < day or len(set(lines.mapped("due_date"))) != len(lines):
            raise UserError(
                self.env._("The instalments need days of their own, none of them over already.")
            )
        value_of = self.env["health.parameter"].value_of
        if lines[-1].due_date > add_months(day, value_of("plan_months_ever")):
            raise UserError(
                self.env._(
                    "The last instalment is more than %s months away: choose fewer or larger ones.",
                    value_of("plan_months_ever"),
                )
            )
        if len(lines) > value_of("plan_most_biller") and not self.env.user.has_group(
            "health_billing.group_manager"
        ):
            raise AccessError(
                self.env._("More than %s instalments: ask a manager.", value_of("plan_most_biller"))
            )
        return lines

    def action_make(self):
        """Start the plan and write to the patient."""
        self.ensure_one()
        self.share_ids.check_access("write")
        day = fields.Date.context_today(self)
        lines = self._check(day)
        Plan = self.env["health.plan"]
        shares = self.share_ids.sudo()
        if len(shares.try_lock_for_update()) != len(shares):
            raise UserError(self.env._("Somebody else is at these shares: try again in a moment."))
        good = Plan._check_shares(self.partner_id, self.company_id, shares)
        if good != Plan._in_order(shares):
            raise UserError(
                self.env._(
                    "One of these shares can no longer be spread: close this and begin again."
                )
            )
        plan = Plan._make_plan(
            self.partner_id,
            self.company_id,
            good,
            [(line.due_date, cents(line.amount)) for line in lines],
            day,
            agreed_by=self.agreed_by,
            state="asked",
        )
        plan._start(day)
        plan._tell("plan_started", "plan", day)
        return {
            "type": "ir.actions.act_window",
            "res_model": "health.plan",
            "res_id": plan.id,
            "view_mode": "form",
        }
