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
