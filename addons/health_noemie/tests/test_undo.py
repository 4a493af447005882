"""Odoo's own undo restores everything, and the machine does not insist."""

from odoo.tests import tagged

from .common import DAY, REFERENCE, NoemieCommon


@tagged("post_install", "-at_install")
class TestUndo(NoemieCommon):
    def setUp(self):
        super().setUp()
        self.whole = self.make_fse(self.nurse, "000000101", amo=6000)
        self.short = self.make_fse(self.nurse, "000000102", amo=5000)
        self.drop(
            self.noemie(
                self.settlement(
                    self.paid("000000101", amo=6000), self.paid("000000102", amo=3000, asked=5000)
                )
            )
        )
        self.drop(self.camt(self.entry(9000, f"VIR {REFERENCE}")))
        self.credit = self.credits()
        self.assertBooked(self.credit, "reference")

    def test_undo_restores_everything(self):
        self.credit.action_undo_reconciliation()
        self.assertEqual(self.settlements().state, "announced")
        self.assertFalse(self.settlements().received_on)
        for fse in (self.whole, self.short):
            self.assertEqual(self.share(fse).state, "announced")
            self.assertEqual(self.share(fse).amount_residual, self.share(fse).amount)
        self.assertEqual(self.credit.health_match_state, "queue")
        self.assertFalse(self.credit.health_match_rule)
        self.assertFalse(self.credit.health_settlement_ids)
        self.assertIn(
            self.credit.journal_id.suspense_account_id, self.credit.move_id.line_ids.account_id
        )
        self.assertFalse(self.settlements().line_ids.move_line_id)

    def test_undone_match_is_not_made_again_by_the_night(self):
        self.credit.action_undo_reconciliation()
        before = self.snapshot()
        self.env["health.cycle"].run(DAY)
        self.assertEqual(self.snapshot(), before)
        self.credit.action_health_look_again()
        self.assertBooked(self.credit, "reference")
        self.assertEqual(self.share(self.whole).state, "paid")

    def test_taking_one_share_out_leaves_the_others_paid(self):
        item = self.share(self.short).move_id.line_ids.filtered("matched_credit_ids")
        item.remove_move_reconcile()
        self.assertEqual(self.share(self.short).state, "announced")
        self.assertEqual(self.share(self.whole).state, "paid")
        self.assertEqual(self.credit.health_match_state, "matched")

    def test_deleting_the_bank_line_opens_the_settlement(self):
        self.credit.statement_id.unlink()
        self.credit.unlink()
        self.assertEqual(self.settlements().state, "announced")
        self.assertEqual(self.share(self.whole).state, "announced")
