from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from .health_share import WAITING


class HealthShare(models.Model):
    _inherit = "health.share"

    @api.model
    def _late_payer_domain(self, day):
        """Shares of payers for which the payer may be asked on that day: nothing came when it was due.

        An addon that knows how long each payer usually takes says it better.
        """
        return (
            Domain("debtor_kind", "in", ("amo", "amc"))
            & Domain("state", "in", (*WAITING, "partial"))
            & Domain("due_date", "<", day)
            & Domain("is_replaced", "=", False)
        )

    @api.model
    def _unchased_domain(self):
        """Shares that stand on no list of their payer yet; the addon that keeps such lists says which."""
        return Domain.TRUE

    def _settled_on(self):
        """Day on which each of these shares was settled in full, by the last entry that paid it.

        :return: dict of share → date, for those that are.
        """
        settled = self.filtered(lambda share: share.state == "paid")
        if not settled:
            return {}
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT share.id, max(paying.date)
                  FROM health_share share
                  JOIN account_move_line item ON item.move_id = share.move_id
                  JOIN account_partial_reconcile part ON part.debit_move_id = item.id
                  JOIN account_move_line paying ON paying.id = part.credit_move_id
                 WHERE share.id = ANY(%s)
              GROUP BY share.id
                """,
                settled.ids,
            )
        )
        return {self.browse(share): day for share, day in rows}
