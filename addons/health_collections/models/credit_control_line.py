from odoo import api, fields, models

from odoo.addons.health_billing.tools import QUIET, cents

from .credit_control_policy_level import MORE_CHANNELS


class CreditControlLine(models.Model):
    _inherit = "credit.control.line"

    channel = fields.Selection(
        selection_add=[("phone", "Phone"), *MORE_CHANNELS],
        # the reminders of this addon's channels stay in the history as letters when it goes
        ondelete={
            code: lambda lines: lines.write({"channel": "letter"}) for code, _ in MORE_CHANNELS
        },
    )

    @api.model
    def _letters_domain(self):
        """Reminders that wait for somebody to print them: no e-mail address, or an e-mail that
        failed.
        """
        return [
            ("communication_id", "!=", False),
            ("partner_id.health_kind", "=", "patient"),
            # whoever has paid since gets no letter
            ("move_line_id.reconciled", "=", False),
            "|",
            "&",
            ("state", "=", "to_be_sent"),
            ("channel", "=", "letter"),
            ("state", "in", ("error", "email_error")),
        ]

    @api.model
    def _health_make(self, messages, run, default_vals):
        """Lines of tonight's messages, in one batch.

        :param messages: see `credit.control.policy._health_messages`.
        """
        company = run.company_id
        tolerance = cents(company.credit_control_tolerance)
        level_by_debtor = {debtor: level for debtor, level, _items in messages}
        debtors = self.env["res.partner"].union(*level_by_debtor)
        shares_by_debtor = {
            debtor: self.env["health.share"].union(
                *(item.move_id.health_share_id for item, _level in items)
            )
            for debtor, _level, items in messages
        }
        channels = debtors._health_channels(company, level_by_debtor, shares_by_debtor)
        values = []
        for debtor, _level, items in messages:
            for item, level in items:
                if cents(item.amount_residual) >= tolerance:
                    values.append(
                        {
                            **self._prepare_from_move_line(
                                item, level, run.date, item.amount_residual, default_vals
                            ),
                            "channel": channels[debtor],
                        }
                    )
        self._health_forget_drafts(values)
        return self.with_context(**QUIET).create(values)

    @api.model
    def _health_forget_drafts(self, values):
        """What stood ready on the same level of the same items and never left, is left for good."""
        levels = {(one["move_line_id"], one["policy_level_id"]) for one in values}
        drafts = self.search(
            [
                ("move_line_id", "in", [item for item, _level in levels]),
                ("state", "in", ("draft", "to_be_sent")),
            ]
        )
        drafts.filtered(
            lambda line: (line.move_line_id.id, line.policy_level_id.id) in levels
        ).with_context(**QUIET).write({"state": "ignored"})
