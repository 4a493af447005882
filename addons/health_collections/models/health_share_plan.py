from odoo import fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.models.health_share import FAST


class HealthShare(models.Model):
    """Shares paid in instalments: their due date is that of the instalment that settles them."""

    _inherit = "health.share"

    plan_id = fields.Many2one(
        "health.plan",
        string="Payment plan",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The plan that was asked for, runs, or settled this share.",
    )

    # by this the amounts of plans are found for a batch of shares at once, not share by share
    plan_part_ids = fields.One2many(
        "health.plan.part", "share_id", string="In payment plans", bypass_search_access=True
    )

    def _put_off(self, day_by_share):
        """Give shares another due date, in the books too: on their invoice and its receivable item.

        :param day_by_share: dict of share → date; the number of queries depends on how many dates there are.
        """
        shares = self.browse().union(*day_by_share).sudo()
        if not shares:
            return
        items = shares.filtered(lambda share: share.move_id.state == "posted")._receivable_items()
        by_day = {}
        for share in shares:
            by_day.setdefault(day_by_share[share], self.browse())
            by_day[day_by_share[share]] |= share
        for day, group in by_day.items():
            group = group.sudo()
            group.write({"due_date": day})
            moves = group.move_id.with_context(**FAST)
            moves.write({"invoice_date_due": day})
            own = [items[share.id].id for share in group if share.id in items]
            self.env["account.move.line"].sudo().browse(own).with_context(**FAST).write(
                {"date_maturity": day}
            )

    def action_plan(self):
        """Spread what is left to pay of these shares over instalments."""
        self.check_access("write")
        return self.env["health.plan.make"]._open(self)

    def action_receive(self):
        """Book a payment that the patient made at the practice or by post; these shares come first."""
        self.check_access("write")
        shares = self.filtered(lambda share: share.debtor_kind == "patient")
        debtors = self.env["health.plan"]._debtors(shares)
        if len(debtors) != 1 or len(shares.company_id) != 1:
            raise UserError(
                self.env._(
                    "A payment is from one person to one practitioner: choose their shares only."
                )
            )
        return self.env["health.patient.payment"]._open(debtors, shares.company_id, shares)

    def action_agreement(self):
        """Forgive a part of what these shares owe, or note that a conciliator was called."""
        self.check_access("write")
        return self.env["health.agreement.make"]._open(self)
