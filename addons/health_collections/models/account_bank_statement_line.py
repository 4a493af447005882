from odoo import models


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    def action_undo_reconciliation(self):
        """Override of `account`: what was booked on the line as a patient's payment is owed again."""
        receipts = (
            self.env["health.receipt"]
            .sudo()
            .search([("statement_line_id", "in", self.ids), ("state", "=", "booked")])
        )
        result = super().action_undo_reconciliation()
        if receipts:
            receipts._note_undone("undone", self.env._("The match with the bank was undone."))
        return result
