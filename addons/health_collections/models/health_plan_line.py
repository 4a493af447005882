from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.health_billing.tools import cents, euros

from ..dunning import plan as plans


class HealthPlanLine(models.Model):
    """One instalment of a payment plan; what is paid of it follows from the shares, nobody types it."""

    _name = "health.plan.line"
    _description = "Instalment"
    _order = "plan_id, due_date, id"
    _rec_name = "due_date"

    plan_id = fields.Many2one(
        "health.plan", required=True, index=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="plan_id.company_id", store=True, index=True, string="Practitioner"
    )
    partner_id = fields.Many2one(related="plan_id.partner_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    due_date = fields.Date("Due on", required=True, readonly=True)
    amount = fields.Monetary(required=True, readonly=True)
    settled = fields.Monetary("Paid", compute="_compute_settled", store=True)
    left = fields.Monetary("Left to pay", compute="_compute_settled", store=True)
    announced_on = fields.Date(
        readonly=True, help="Day on which the debtor was told that it falls due soon."
    )
    missed_on = fields.Date(readonly=True, help="Day on which the debtor was told that it is late.")
    state = fields.Selection(
        [("coming", "To come"), ("today", "Due"), ("late", "Late"), ("paid", "Paid")],
        compute="_compute_state",
    )

    @api.depends(
        "amount",
        "due_date",
        "plan_id.line_ids.amount",
        "plan_id.line_ids.due_date",
        "plan_id.part_ids.amount",
        "plan_id.part_ids.share_id.amount_residual",
    )
    def _compute_settled(self):
        for plan in self.plan_id:
            paid = sum(
                cents(part.amount) - cents(part.share_id.sudo().amount_residual)
                for part in plan.part_ids
            )
            lines = plan.line_ids.sorted(lambda line: (line.due_date, line._origin.id))
            amounts = [cents(line.amount) for line in lines]
            for line, part, amount in zip(
                lines, plans.settled(paid, amounts), amounts, strict=True
            ):
                line.settled = euros(part)
                line.left = euros(amount - part)

    @api.depends("due_date", "left")
    def _compute_state(self):
        today = fields.Date.context_today(self)
        for line in self:
            if not cents(line.left):
                line.state = "paid"
            elif line.due_date == today:
                line.state = "today"
            else:
                line.state = "late" if line.due_date < today else "coming"

    @api.model
    def _late_domain(self, day):
        """Instalments that were not paid although the days of grace are over."""
        grace = timedelta(days=self.env["health.parameter"].value_of("plan_grace_days"))
        return [
            ("plan_id.state", "=", "running"),
            ("due_date", "<", day - grace),
            ("left", ">", 0),
        ]
