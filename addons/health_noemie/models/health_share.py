from datetime import timedelta

from odoo import fields, models


class HealthShare(models.Model):
    _inherit = "health.share"

    settlement_line_ids = fields.One2many(
        "health.settlement.line", "share_id", string="What the payer said"
    )
    rejection_ids = fields.One2many(
        "health.rejection",
        "share_id",
        string="Rejections",
        # a rejection says what was wrong with the care: the accountant sees the share, not why
        groups="health_billing.group_biller,health_billing.group_practitioner",
    )

    def _sync_is_rejected(self):
        """Write on the shares whether an open rejection stands against them."""
        held = (
            self.env["health.rejection"]
            .sudo()
            .search([("share_id", "in", self.ids), ("state", "=", "open")])
            .share_id
        )
        shares = self.sudo()
        (shares & held).filtered(lambda share: not share.is_rejected).write({"is_rejected": True})
        (shares - held).filtered("is_rejected").write({"is_rejected": False})

    def _sync_announced_amount(self):
        """Write on the shares what their returns announce, all returns together."""
        announced = dict(
            self.env["health.settlement.line"]
            .sudo()
            ._read_group(
                [("share_id", "in", self.ids), ("state", "=", "P")], ["share_id"], ["paid:sum"]
            )
        )
        by_amount = {}
        for share in self.sudo():
            amount = share.currency_id.round(announced.get(share, 0.0))
            if share.currency_id.compare_amounts(share.announced_amount, amount):
                by_amount.setdefault(amount, []).append(share.id)
        for amount, ids in by_amount.items():
            self.sudo().browse(ids).write({"announced_amount": amount})

    def _resend_refusals(self):
        """Override of `health_billing`: a payer that paid, announced or is still at work gets nothing twice."""
        refusals = super()._resend_refusals()
        rest = self.filtered(
            lambda share: share.id not in refusals and share.debtor_kind != "patient"
        )
        duplicates, deferred = rest._refused_as_paid(), rest._deferred()
        young = rest._answer_due()
        for share in rest:
            if share.id in duplicates:
                refusals[share.id] = self.env._(
                    "was paid already, the payer says: find the payment, never send it again"
                )
            elif share.id in deferred:
                refusals[share.id] = self.env._(
                    "is deferred by its payer since %s: wait for the answer",
                    f"{deferred[share.id]:%d/%m/%Y}",
                )
            elif share.id in young:
                refusals[share.id] = self.env._(
                    "left on %(sent)s and its payer usually answers by %(due)s: wait for the answer",
                    sent=f"{share.sent_on:%d/%m/%Y}",
                    due=f"{young[share.id]:%d/%m/%Y}",
                )
        return refusals

    def _answer_due(self):
        """dict of share id → day by which its payer usually answers, for those still within that delay.

        A part whose fund's part was refused is not processed any more: it waits for nothing.
        """
        today = max(fields.Date.context_today(self), self.env["health.cycle"].last_day())
        waiting = self.filtered(
            lambda share: (
                share.state in ("sent", "acknowledged")
                and not share.is_rejected
                and "rejected"
                not in share.fse_id.share_ids.filtered(lambda one: one.debtor_kind == "amo").mapped(
                    "state"
                )
            )
        )
        found = {}
        Delay = self.env["health.payer.delay"]
        groups = waiting.grouped(lambda share: (share.fse_id.kind, share.debtor_kind))
        for (flow, part), shares in groups.items():
            usual = Delay._usual(shares.partner_id, flow, part)
            for share in shares:
                due = share.sent_on + timedelta(days=usual[share.partner_id.id])
                if today <= due:
                    found[share.id] = due
        return found

    def _refused_as_paid(self):
        """Ids of those of these shares that an open rejection calls paid already."""
        return set(
            self.env["health.rejection"]
            .sudo()
            .search(
                [
                    ("share_id", "in", self.ids),
                    ("state", "=", "open"),
                    ("family_id.money", "=", "reconcile"),
                ]
            )
            .share_id.ids
        )

    def _deferred(self):
        """dict of share id → day on which its payer last put it off, without a refusal or payment since."""
        last = {}
        for line in (
            self.env["health.settlement.line"].sudo().search([("share_id", "in", self.ids)])
        ):
            day = line.settlement_id.transfer_date
            if line.share_id.id not in last or day >= last[line.share_id.id][0]:
                last[line.share_id.id] = (day, line.state)
        return {share: day for share, (day, state) in last.items() if state == "D"}

    def _write_off(self, reason):
        """Override of `health_billing`: what is lost is no rejection to fix any more."""
        result = super()._write_off(reason)
        rejections = (
            self.env["health.rejection"]
            .sudo()
            .search([("share_id", "in", self.ids), ("state", "=", "open")])
        )
        rejections._close("abandoned", reason)
        rejections.write({"route": "deadline"})
        return result

    def _undo_closing(self, kind):
        """Override of `health_billing`: owed again, the rejection waits again."""
        result = super()._undo_closing(kind)
        self.env["health.rejection"].sudo().search(
            [
                ("share_id", "in", self.ids),
                ("state", "=", "abandoned"),
                ("route", "=", "deadline"),
            ]
        ).write({"state": "open", "route": False, "closing_reason": False})
        return result
