from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from .health_handover import HELD


class HealthShare(models.Model):
    _inherit = "health.share"

    handover_line_ids = fields.One2many("health.handover.line", "share_id", string="Hand-overs")

    @api.model
    def _dunning_guards(self):
        """Override: a debt that somebody else asks for is not asked for twice."""
        return ["_guard_handover", *super()._dunning_guards()]

    def _guard_handover(self, day):
        lines = (
            self.env["health.handover.line"]
            .sudo()
            .search(
                [
                    ("share_id", "in", self.ids),
                    "|",
                    ("handover_id.state", "in", HELD),
                    # given back, and on the way to somebody else
                    "&",
                    ("handover_id.state", "=", "proposed"),
                    ("handover_id.previous_id", "!=", False),
                ]
            )
        )
        lines.handover_id.fetch(["name", "recipient_id"])
        held = {}
        for line in lines:
            file = line.handover_id
            reason = self.env._(
                "File %(file)s is handed over, or about to be: nobody reminds meanwhile.",
                file=file.name,
            )
            held[line.share_id.with_env(self.env)] = ("handed_over", reason)
        return held

    def _handover_last_messages(self, policies):
        """Day on which the last level of the scale was sent for each of these shares.

        :param policies: dict of company → policy.
        :return: dict of share id → date; a share that did not reach the end of its scale is missing.
        """
        last_levels = self.env["credit.control.policy.level"]
        for policy in policies.values():
            last_levels |= policy.level_ids.sorted("level")[-1:]
        if not last_levels or not self:
            return {}
        shares = {share.move_id.id: share.id for share in self if share.move_id}
        lines = self.env["credit.control.line"].sudo()
        return {
            shares[move.id]: sent or day
            for move, sent, day in lines._read_group(
                [
                    ("invoice_id", "in", list(shares)),
                    ("policy_level_id", "in", last_levels.ids),
                    ("state", "=", "sent"),
                ],
                ["invoice_id"],
                ["date_sent:max", "date:max"],
            )
        }

    def action_hand_over(self):
        """Propose to hand these shares over: the assistant says what stands against it."""
        shares = self.filtered(
            lambda share: share.debtor_kind == "patient" and share.state in ("due", "partial")
        )
        if not shares:
            raise UserError(self.env._("Choose shares that patients still owe."))
        shares.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Hand over"),
            "res_model": "health.handover.propose",
            "view_mode": "form",
            "target": "new",
            "context": {"default_share_ids": [Command.set(shares.ids)]},
        }
