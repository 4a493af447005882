from odoo import models


class CreditControlPolicy(models.Model):
    _inherit = "credit.control.policy"

    def _move_lines_domain(self, credit_control_run):
        """Override of `account_credit_control`: honour the hold flags of Odoo's own accounting."""
        return [
            *super()._move_lines_domain(credit_control_run),
            ("no_followup", "=", False),
            ("move_id.payment_state", "!=", "blocked"),
        ]

    def _get_move_lines_to_process(self, credit_control_run):
        """Override of `account_credit_control`: what the guard holds back is left out.

        Context `health_released_line_ids`: the answer of a guard that has just looked at the
        same lines.
        """
        released = self.env.context.get("health_released_line_ids")
        if released is not None:
            return self.env["account.move.line"].browse(released)
        lines = super()._get_move_lines_to_process(credit_control_run)
        if not self.env.context.get("health_guard", True):
            return lines
        return self._health_released(lines, credit_control_run.date)[0]

    def _health_released(self, lines, day):
        """Split the items by the guard, which notes its reasons on the shares.

        :return: (items that may be reminded, dict of held share → (code, reason)).
        """
        held = lines.move_id.health_share_id.filtered(
            lambda share: share.debtor_kind == "patient"
        )._dunning_refresh(day)
        return lines.filtered(lambda line: line.move_id.health_share_id not in held), held

    def _health_sort_lines(self, credit_control_run):
        """Look at everything that is overdue under this policy.

        :return: (items for which a level is reached today, items that may be reminded, held
            shares by reason).
        """
        self.ensure_one()
        unguarded = self.with_context(health_guard=False)
        lines = unguarded._get_move_lines_to_process(credit_control_run)
        lines -= self._lines_different_policy(lines)
        due = self.env["account.move.line"]
        for level in self.level_ids:
            due |= level.get_level_lines(credit_control_run.date, lines)
        released, held = self._health_released(lines, credit_control_run.date)
        return due, released, held
