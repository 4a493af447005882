from odoo import api, fields, models

#: what is complete on the invoice of a share before it is posted, and what posting leaves as it is
COMPLETE = (
    "amount_residual",
    "amount_residual_signed",
    "amount_tax",
    "amount_tax_signed",
    "amount_total",
    "amount_total_in_currency_signed",
    "amount_total_signed",
    "amount_untaxed",
    "amount_untaxed_in_currency_signed",
    "amount_untaxed_signed",
    "invoice_date_due",
    "payment_reference",
    "payment_state",
    "reconciled_payment_ids",
)


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

    def _health_post(self):
        """Post invoices of shares made a moment ago.

        Posting changes neither their amounts nor their dates, and nothing can have paid them: what says so is
        computed once, not searched for again. Balance, lock dates and numbers are checked as for any entry.
        """
        self.mapped("amount_total")
        names = [self._fields[name] for name in COMPLETE]
        with self.env.protecting(names, self):
            for name in (
                "invoice_date_due",
                "payment_reference",
            ):  # given, with the number and the debtor
                self.env.remove_to_compute(self._fields[name], self)
            self.payment_state = "not_paid"
            self.action_post()
