from odoo.tests import tagged

from .common import HealthCommon


@tagged("post_install", "-at_install")
class TestShare(HealthCommon):
    def pay(self, share, amount=None):
        """A payment registered on the invoice of a share, as an accountant would."""
        wizard = (
            self.env["account.payment.register"]
            .with_company(share.company_id)
            .with_context(active_model="account.move", active_ids=share.move_id.ids)
            .create({"amount": amount or share.amount_residual})
        )
        return wizard._create_payments()

    def test_state_derives_from_facts(self):
        fse = self.make_fse(self.nurse, "1", amo=600, amc=300, patient=100, sent_on=False)
        amo, amc, patient = (
            fse.share_ids.filtered(lambda s, k=k: s.debtor_kind == k)
            for k in ("amo", "amc", "patient")
        )
        self.assertEqual(
            (amo.state, amc.state, patient.state, fse.state),
            ("to_send", "to_send", "due", "to_send"),
        )
        fse.sent_on = "2026-10-06"
        self.assertEqual((amo.state, fse.state), ("sent", "sent"))
        amo.announced_amount = 6
        self.assertEqual(amo.state, "announced")
        amc.is_rejected = True
        self.assertEqual((amc.state, fse.state), ("rejected", "rejected"))
        amc.is_rejected = False
        self.pay(amo, 2)
        self.assertEqual((amo.state, amo.amount_residual, fse.state), ("partial", 4, "partial"))
        self.pay(amo)
        self.pay(amc)
        self.pay(patient)
        self.assertEqual((amo.state, fse.state, fse.amount_residual), ("paid", "settled", 0))

    def test_undone_payment_reopens(self):
        fse = self.make_fse(self.nurse, "1", amo=600)
        self.pay(fse.share_ids)
        self.assertEqual(fse.state, "settled")
        fse.share_ids.move_id.line_ids.remove_move_reconcile()
        self.assertEqual((fse.share_ids.state, fse.state), ("sent", "sent"))

    def test_posting_again_changes_nothing(self):
        fse = self.make_fse(self.nurse, "1", amo=600, patient=400)
        moves = fse.share_ids.move_id
        self.assertFalse(fse.share_ids._post_invoices())
        self.assertEqual(fse.share_ids.move_id, moves)
        self.assertEqual(sorted(moves.mapped("name")), ["AMO/1", "PAT/1"])

    def test_missing_fse_numbers_are_no_irregularity(self):
        shares = self.make_fse(self.nurse, "10", amo=600).share_ids
        shares |= self.make_fse(self.nurse, "15", amo=600).share_ids
        self.env.flush_all()
        self.assertEqual(shares.mapped("move_id.made_sequence_gap"), [False, False])
        self.assertFalse(shares.move_id.journal_id.has_sequence_holes)

    def test_number_without_digit_is_posted_too(self):
        fse = self.make_fse(self.nurse, "ABC", amo=600)
        self.assertEqual(fse.share_ids.move_id.state, "posted")
        self.assertTrue(fse.share_ids.move_id.name)

    def test_forclusion_counts_from_the_quarter_after_the_care(self):
        fse = self.make_fse(self.nurse, "1", amo=600)
        self.assertEqual(str(fse.forclusion_date), "2029-01-01")
        self.env["health.parameter"].search([("code", "=", "forclusion_months")]).value = 12
        other = self.make_fse(self.nurse, "2", amo=600)
        self.assertEqual(str(other.forclusion_date), "2028-01-01")
