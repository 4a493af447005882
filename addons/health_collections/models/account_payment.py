from odoo import api, models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    @api.model
    def _health_overpaid_domain(self):
        """Online payments of patients that found nothing (or not enough) left to pay: to be given
        back.
        """
        return [
            ("payment_transaction_id.health_payment_link_id", "!=", False),
            ("state", "in", ("in_process", "paid")),
            ("is_reconciled", "=", False),
        ]
