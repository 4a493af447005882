"""Returns come in: what they announce, what is refused, what is known already."""

import gzip

from odoo.tests import tagged

from .common import DAY, REFERENCE, NoemieCommon


@tagged("post_install", "-at_install")
class TestNoemie(NoemieCommon):
    def test_announced_payment(self):
        fse = self.make_fse(self.nurse, "000000101", amo=6000, amc=4000)
        inbox = self.drop(self.noemie(self.settlement(self.paid("000000101", amo=6000))))
        self.assertEqual((inbox.kind, inbox.state), ("noemie", "done"), inbox.message)
        self.assertEqual(inbox.company_id, self.nurse)
        settlement = self.settlements()
        self.assertEqual(settlement.state, "announced")
        self.assertEqual(settlement.payer_id, self.cpam)
        self.assertEqual(settlement.amount_expected, 60.0)
        self.assertEqual(self.share(fse).state, "announced")
        self.assertEqual(self.share(fse).announced_amount, 60.0)
        self.assertEqual(self.share(fse, "amc").state, "sent")

    def test_both_framings_and_gzip(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        self.make_fse(self.nurse, "000000102", amo=7000)
        wrapped = self.noemie(self.settlement(self.paid("000000101", amo=6000)), framing="wrapped")
        self.assertEqual(self.drop(wrapped).state, "done")
        flat = self.noemie(self.settlement(self.paid("000000102", amo=7000), ref="262850099999"))
        self.assertEqual(self.drop(gzip.compress(flat)).state, "done")
        self.assertEqual(len(self.settlements()), 2)

    def test_truncated_file_goes_to_review_whole(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        content = self.noemie(self.settlement(self.paid("000000101", amo=6000)))
        inbox = self.drop(content[: len(content) // 2])
        self.assertEqual((inbox.kind, inbox.state), ("noemie", "review"))
        self.assertIn("Rien n'a été enregistré", inbox.message)
        self.assertFalse(self.settlements())

    def test_wrong_total_goes_to_review_whole(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        content = self.noemie(self.settlement(self.paid("000000101", amo=6000)))
        wrong = content.replace(b"00006000P00006000P", b"00006000P00006100P")
        wrong = content.replace(b"P00006000P", b"P00006100P") if wrong == content else wrong
        self.assertNotEqual(wrong, content)
        inbox = self.drop(wrong)
        self.assertEqual(inbox.state, "review")
        self.assertFalse(self.settlements())

    def test_unknown_payee_goes_to_review_and_is_worked_once_known(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        settlement = self.settlement(self.paid("000000101", amo=6000))
        settlement.payee_no = "000000123456782"
        inbox = self.drop(self.noemie(settlement))
        self.assertEqual(inbox.state, "review")
        self.assertIn("123456782", inbox.message)
        self.assertFalse(self.settlements())
        self.nurse.health_provider_no = "123456782"
        inbox.action_retry()
        self.assertEqual(inbox.state, "done", inbox.message)
        self.assertEqual(len(self.settlements()), 1)

    def test_several_practitioners_in_one_file(self):
        patient = self.make_patient(self.physio, "PETIT Paul", "1990199999002")
        self.make_fse(self.nurse, "000000101", amo=6000)
        self.make_fse(self.physio, "000000101", amo=5000, patient_id=patient.id)
        inbox = self.drop(
            self.noemie(
                self.settlement(self.paid("000000101", amo=6000)),
                self.settlement(
                    self.paid("000000101", amo=5000), company=self.physio, ref="262850055555"
                ),
            )
        )
        self.assertEqual(inbox.state, "done")
        self.assertFalse(inbox.company_id)
        self.assertEqual(self.settlements().company_id, self.nurse + self.physio)
        self.assertEqual(
            [line.fse_id.company_id for line in self.settlements().line_ids],
            [self.nurse, self.physio],
        )

    def test_same_settlement_in_another_file_is_not_doubled(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        first = self.settlement(self.paid("000000101", amo=6000))
        self.drop(self.noemie(first))
        before = self.snapshot()
        inbox = self.drop(self.noemie(first, file_id="F00002"))
        self.assertEqual(inbox.state, "done")
        self.assertEqual(inbox.counts["known"], 1)
        self.assertEqual(self.snapshot(), before)
        self.assertEqual(self.drop(self.noemie(first)).state, "duplicate")

    def test_two_transfers_of_a_day_without_reference_are_two(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        self.make_fse(self.nurse, "000000102", amo=6000)
        self.drop(
            self.noemie(
                self.settlement(self.paid("000000101", amo=6000), ref=""),
                self.settlement(self.paid("000000102", amo=6000), ref=""),
            )
        )
        self.assertEqual(len(self.settlements()), 2)

    def test_unknown_fse_waits_and_is_paid_when_it_comes(self):
        inbox = self.drop(
            self.noemie(
                self.settlement(self.paid("000000101", amo=6000), self.paid("102", amo=100))
            )
        )
        self.assertEqual(inbox.state, "review")
        self.assertEqual(inbox.issue_ids.mapped("reference"), ["000000101", "000000102"])
        self.assertEqual(self.settlements().line_ids.mapped("problem"), ["unknown_fse"] * 2)
        self.drop(self.camt(self.entry(6100, f"VIR {REFERENCE}")))
        self.assertBooked(self.credits(), "reference")
        fse = self.make_fse(self.nurse, "000000101", amo=6000)
        self.assertEqual(self.share(fse).state, "sent")
        self.env["health.cycle"].run(DAY)
        self.assertEqual(self.share(fse).state, "paid")
        self.assertEqual(self.settlements().line_ids.mapped("problem"), [False, "unknown_fse"])
        self.assertEqual(inbox.issue_ids.mapped("is_closed"), [True, False])

    def test_part_that_was_not_billed_is_told(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        inbox = self.drop(self.noemie(self.settlement(self.paid("000000101", amo=6000, amc=1000))))
        self.assertEqual(inbox.state, "review")
        self.assertEqual(self.settlements().line_ids.filtered("problem").problem, "no_share")

    def test_deferred_part_waits(self):
        fse = self.make_fse(self.nurse, "000000101", amo=6000)
        self.drop(
            self.noemie(self.settlement(self.rejected("000000101", 6000, code="", state="D")))
        )
        self.assertEqual(self.settlements().state, "nothing")
        self.assertEqual(self.settlements().line_ids.problem, "deferred")
        self.assertEqual(self.share(fse).state, "sent")

    def test_amc_of_another_transfer_is_not_expected_here(self):
        self.make_fse(self.nurse, "000000101", amo=6000, amc=4000)
        self.drop(
            self.noemie(self.settlement(self.paid("000000101", amo=6000, amc=4000, processing="V")))
        )
        self.assertEqual(self.settlements().amount_expected, 60.0)
        self.drop(self.camt(self.entry(6000, f"VIR {REFERENCE}")))
        self.assertBooked(self.credits(), "reference")
        lines = self.settlements().line_ids
        self.assertEqual(
            {line.part: line.in_transfer for line in lines}, {"amo": True, "amc": False}
        )

    def test_return_without_transfer(self):
        inbox = self.drop(self.noemie())
        self.assertEqual(inbox.state, "review")
