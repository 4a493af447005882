from odoo import fields, models
from odoo.tools import format_date


class HealthShare(models.Model):
    _inherit = "health.share"

    dunning_level_id = fields.Many2one(
        "credit.control.policy.level",
        string="Last step",
        compute="_compute_dunning_scale",
        help="The last step of the scale that was taken for this share.",
    )
    dunning_next = fields.Char(
        "Next step",
        compute="_compute_dunning_scale",
        help="What comes next if nothing is paid and nothing holds it, and the first day for it.",
    )

    def _compute_dunning_scale(self):
        can_read = self.env["credit.control.policy.level"].has_access("read")
        scale = self.sudo()._dunning_scale() if can_read else {}
        for share in self:
            last, coming, day = scale.get(share.sudo(), (False, False, False))
            share.dunning_level_id = last
            if coming:
                share.dunning_next = self.env._(
                    "%(step)s, from %(day)s", step=coming.name, day=format_date(self.env, day)
                )
            else:
                share.dunning_next = last and self.env._("The scale is at its end")

    def _dunning_scale(self, waiting=False):
        """How far each of these patients' shares is on the scale of its practitioner.

        :param waiting: tell, instead of the day, whether the last step still waits to be brought out.
        :return: dict of open share → (last level or empty, next level or empty, first day for it).
        """
        open_shares = self.filtered(
            lambda share: share.debtor_kind == "patient" and share.state in ("due", "partial")
        )
        result = {}
        for company, shares in open_shares.grouped("company_id").items():
            policy = company._health_policy("patient")
            level_by_rank = {level.level: level for level in policy.level_ids}
            items = shares.move_id.line_ids.filtered(
                lambda item: item.display_type == "payment_term" and not item.reconciled
            )
            last, coming = policy._health_last_steps(items), policy._health_next_steps(items)
            nothing = policy.level_ids[:0]
            for item in items:
                rank, _day, waits = last.get(item.id, (None, None, False))
                step, first = coming.get(item.id, (None, False))
                result[item.move_id.health_share_id] = (
                    level_by_rank.get(rank, nothing),
                    level_by_rank[step.rank] if step else nothing,
                    waits if waiting else first,
                )
        return result

    def _dunning_exhausted(self):
        """Those of these shares for which the last step of the scale was taken, and has left."""
        return self.browse(
            share.id
            for share, (last, coming, waits) in self.sudo()._dunning_scale(waiting=True).items()
            if last and not coming and not waits
        )
