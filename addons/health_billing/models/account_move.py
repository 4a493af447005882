from odoo import api, fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    health_share_id = fields.Many2one(
        "health.share", string="Share", index="btree_not_null", copy=False, readonly=True
    )

    @api.depends("health_share_id")
    def _compute_made_sequence_gap(self):
        """Override of `account`: an invoice of a share bears the number of its FSE.

        Not every FSE has a share for every kind of debtor, so a missing number means nothing there.
        """
        shares = self.filtered("health_share_id")
        shares.made_sequence_gap = False
        return super(AccountMove, self - shares)._compute_made_sequence_gap()
