"""From the credit to the shares: to the cent, or in the queue with its reason."""

from datetime import timedelta

from odoo.tests import tagged

from odoo.addons.health_sesam.norms import noemie

from .common import DAY, REFERENCE, NoemieCommon


@tagged("post_install", "-at_install")
class TestBooking(NoemieCommon):
    def test_full_payment(self):
        fses = [self.make_fse(self.nurse, f"00000010{n}", amo=6000 + n) for n in range(3)]
        self.drop(
            self.noemie(
                self.settlement(*(self.paid(f.name, amo=6000 + n) for n, f in enumerate(fses)))
            )
        )
        inbox = self.drop(self.camt(self.entry(18003, f"VIR SEPA CPAM TEST {REFERENCE}")))
        self.assertEqual(inbox.state, "done")
        credit = self.credits()
        self.assertBooked(credit, "reference")
        self.assertIn(REFERENCE, credit.health_match_evidence)
        # one receivable item for the three parts
        item = credit.move_id.line_ids.filtered(
            lambda line: line.account_id == self.nurse._health_account("amo")
        )
        self.assertEqual((len(item), item.credit, item.partner_id), (1, 180.03, self.cpam))
        self.assertTrue(item.reconciled)
        self.assertNotIn("AMI", " ".join(credit.move_id.line_ids.mapped("name")))
        for fse in fses:
            self.assertEqual(self.share(fse).state, "paid")
            self.assertEqual(self.share(fse).move_id.payment_state, "paid")
            self.assertEqual(fse.state, "settled")
        self.assertEqual(self.settlements().state, "received")
        self.assertEqual(self.settlements().received_on, DAY + timedelta(days=1))
        self.assertEqual(
            credit.health_share_ids, self.env["health.share"].union(*[f.share_ids for f in fses])
        )

    def test_credit_before_its_return(self):
        fse = self.make_fse(self.nurse, "000000101", amo=6000)
        self.drop(self.camt(self.entry(6000, f"VIR CPAM TEST {REFERENCE}")))
        self.assertEqual(self.credits().health_match_state, "queue")
        self.assertTrue(self.credits().health_queue_reason)
        self.drop(self.noemie(self.settlement(self.paid("000000101", amo=6000))))
        self.assertBooked(self.credits(), "reference")
        self.assertEqual(self.share(fse).state, "paid")

    def test_amo_and_amc_in_one_settlement(self):
        fse = self.make_fse(self.nurse, "000000101", amo=6000, amc=4000)
        self.drop(self.noemie(self.settlement(self.paid("000000101", amo=6000, amc=4000))))
        self.drop(self.camt(self.entry(10000, f"VIR {REFERENCE}")))
        self.assertBooked(self.credits(), "reference")
        self.assertEqual(fse.share_ids.mapped("state"), ["paid", "paid"])
        partners = self.credits().move_id.line_ids.filtered("credit").partner_id
        self.assertEqual(partners, self.cpam + self.mutuelle)

    def test_partial_payment_stays_with_its_own_share(self):
        whole = self.make_fse(self.nurse, "000000101", amo=6000)
        short = self.make_fse(self.nurse, "000000102", amo=5000, fse_date=DAY - timedelta(days=30))
        self.drop(
            self.noemie(
                self.settlement(
                    self.paid("000000101", amo=6000), self.paid("000000102", amo=3000, asked=5000)
                )
            )
        )
        self.drop(self.camt(self.entry(9000, f"VIR {REFERENCE}")))
        self.assertBooked(self.credits(), "reference")
        self.assertEqual(self.share(whole).state, "paid")
        self.assertEqual(
            (self.share(short).state, self.share(short).amount_residual), ("partial", 20.0)
        )
        line = self.settlements().line_ids.filtered(lambda line: line.share_id == self.share(short))
        self.assertEqual(line.problem, "short")
        # the rest comes with another transfer
        self.drop(
            self.noemie(
                self.settlement(self.paid("000000102", amo=2000), ref="262860000001"), file_id="F2"
            )
        )
        self.drop(self.camt(self.entry(2000, "VIR 262860000001"), number="ST2"))
        self.assertEqual(self.share(short).state, "paid")
        self.assertFalse(line.problem)

    def test_overpayment_stays_open_on_the_payer(self):
        over = self.make_fse(self.nurse, "000000101", amo=6000)
        other = self.make_fse(self.nurse, "000000102", amo=5000)
        self.drop(
            self.noemie(
                self.settlement(self.paid("000000101", amo=7000), self.paid("000000102", amo=5000))
            )
        )
        self.drop(self.camt(self.entry(12000, f"VIR {REFERENCE}")))
        self.assertBooked(self.credits(), "reference")
        self.assertEqual((self.share(over).state, self.share(other).state), ("paid", "paid"))
        line = self.settlements().line_ids.filtered(lambda line: line.share_id == self.share(over))
        self.assertEqual(line.problem, "over")
        self.assertEqual(line.move_line_id.amount_residual, -10.0)

    def test_paid_twice_stays_open_on_the_payer(self):
        fse = self.make_fse(self.nurse, "000000101", amo=6000)
        for number, ref in enumerate(("262850000001", "262860000002")):
            self.drop(
                self.noemie(
                    self.settlement(self.paid("000000101", amo=6000), ref=ref), file_id=f"F{number}"
                )
            )
            self.drop(self.camt(self.entry(6000, f"VIR {ref}"), number=f"ST{number}"))
        self.assertEqual(self.credits().mapped("health_match_state"), ["matched", "matched"])
        self.assertEqual(self.share(fse).state, "paid")
        second = self.settlements()[1].line_ids
        self.assertEqual(second.problem, "paid_twice")
        self.assertEqual(second.move_line_id.amount_residual, -60.0)

    def test_one_transfer_for_two_settlements(self):
        one = self.make_fse(self.nurse, "000000101", amo=6000)
        two = self.make_fse(self.nurse, "000000102", amo=3500)
        self.drop(
            self.noemie(
                self.settlement(self.paid("000000101", amo=6000), ref=""),
                self.settlement(
                    self.paid("000000102", amo=3500), ref="", day=DAY + timedelta(days=1)
                ),
            )
        )
        self.drop(self.camt(self.entry(9500, "VIR SEPA CPAM TEST")))
        # two days and no number: another return may explain the credit better for a month
        credit = self.credits()
        self.assertEqual(credit.health_match_state, "queue")
        self.assertIn("un autre retour peut encore venir", credit.health_queue_reason)
        self.assertEqual(len(credit.health_candidate_ids), 2)
        later = self.entry(-100, "FRAIS", day=DAY + timedelta(days=40))
        self.drop(self.camt(later, start=109500, number="ST2"))
        self.assertBooked(credit, "group")
        self.assertEqual(credit.health_settlement_ids, self.settlements())
        self.assertEqual((self.share(one).state, self.share(two).state), ("paid", "paid"))
        self.assertEqual(self.settlements().mapped("state"), ["received", "received"])

    def test_retention_and_lump_sum(self):
        fse = self.make_fse(self.nurse, "000000101", amo=6000)
        self.drop(
            self.noemie(
                self.settlement(
                    self.paid("000000101", amo=6000),
                    movements=[
                        noemie.Movement(
                            debt_ref="D123456789",
                            debt_date=DAY,
                            debt_kind="IND",
                            operation="RPR",
                            amount=1500,
                        )
                    ],
                    lumps=[
                        noemie.LumpSum(code="00012", label="FORFAIT TELETRANSMISSION", amount=700)
                    ],
                )
            )
        )
        self.assertEqual(self.settlements().amount_expected, 52.0)
        self.drop(self.camt(self.entry(5200, f"VIR {REFERENCE}")))
        credit = self.credits()
        self.assertBooked(credit, "reference")
        by_account = {line.account_id: line.balance for line in credit.move_id.line_ids}
        self.assertEqual(by_account[self.nurse._health_account("retention")], 15.0)
        self.assertEqual(by_account[self.nurse._health_account("lump_sum")], -7.0)
        self.assertEqual(by_account[self.nurse._health_account("amo")], -60.0)
        self.assertEqual(self.share(fse).state, "paid")
        self.assertEqual(len(self.settlements().movement_ids.move_line_id), 2)

    def test_rejected_part_pays_nothing(self):
        paid = self.make_fse(self.nurse, "000000101", amo=6000)
        refused = self.make_fse(self.nurse, "000000102", amo=5000)
        self.drop(
            self.noemie(
                self.settlement(self.paid("000000101", amo=6000), self.rejected("000000102", 5000))
            )
        )
        self.drop(self.camt(self.entry(6000, f"VIR {REFERENCE}")))
        self.assertBooked(self.credits(), "reference")
        self.assertEqual((self.share(paid).state, self.share(refused).state), ("paid", "rejected"))

    def test_nobodys_credit_and_debits(self):
        self.drop(
            self.camt(self.entry(4321, "VIR M MARTIN LOYER"), self.entry(-950, "FRAIS BANCAIRES"))
        )
        credit = self.credits()
        self.assertEqual(credit.health_match_state, "queue")
        self.assertIn("ne nomme aucun payeur", credit.health_queue_reason)
        debit = self.env["account.bank.statement.line"].search(
            [("company_id", "=", self.nurse.id), ("amount", "<", 0)]
        )
        self.assertEqual((debit.health_match_state, debit.health_queue_reason), (False, False))

    def test_insurer_without_return(self):
        fse = self.make_fse(self.nurse, "000045101", amo=6000, amc=4000)
        self.drop(self.camt(self.entry(4000, "VIR MUTUELLE TEST 000045101")))
        self.assertBooked(self.credits(), "unannounced")
        self.assertEqual(self.share(fse, "amc").state, "paid")
        self.assertEqual(self.share(fse).state, "sent")

    def test_insurer_without_return_of_another_amount_waits(self):
        self.make_fse(self.nurse, "000000101", amo=6000, amc=4000)
        self.drop(self.camt(self.entry(3900, "VIR MUTUELLE TEST 000000101")))
        self.assertEqual(self.credits().health_match_state, "queue")
        self.assertTrue(self.credits().health_queue_reason)

    def test_equal_amounts_wait_for_a_person(self):
        fses = [self.make_fse(self.nurse, f"00000010{n}", amo=6000) for n in range(2)]
        self.drop(
            self.noemie(
                *(
                    self.settlement(
                        self.paid(fse.name, amo=6000), ref="", day=DAY + timedelta(days=n)
                    )
                    for n, fse in enumerate(fses)
                )
            )
        )
        self.drop(self.camt(self.entry(6000, "VIR CPAM TEST")))
        credit = self.credits()
        self.assertEqual(credit.health_match_state, "queue")
        self.assertEqual(credit.health_candidate_ids, self.settlements())
        credit.health_candidate_ids = self.settlements()[1]
        credit.action_health_book_chosen()
        self.assertBooked(credit, "person")
        self.assertEqual([self.share(fse).state for fse in fses], ["announced", "paid"])

    def test_patient_transfer(self):
        fse = self.make_fse(self.nurse, "000045678", amo=6000, patient=1520)
        self.make_fse(self.nurse, "000045679", patient=1520)
        self.drop(self.camt(self.entry(1520, "VIR MME DURAND ANNE FSE 45678")))
        self.assertBooked(self.credits(), "patient")
        self.assertEqual(self.share(fse, "patient").state, "paid")
        self.assertEqual(self.credits().health_share_ids, self.share(fse, "patient"))

    def test_patient_transfer_of_another_amount_waits(self):
        self.make_fse(self.nurse, "000045678", patient=1520)
        self.drop(self.camt(self.entry(1500, "VIR MME DURAND ANNE FSE 45678")))
        self.assertEqual(self.credits().health_match_state, "queue")

    def test_running_again_changes_nothing(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        self.make_fse(self.nurse, "000000102", amo=5000)
        content = self.noemie(
            self.settlement(self.paid("000000101", amo=6000), self.rejected("000000102", 5000))
        )
        statement = self.camt(self.entry(6000, f"VIR {REFERENCE}"), self.entry(77, "VIR INCONNU"))
        self.drop(content)
        self.drop(statement)
        before = self.snapshot()
        self.env["health.cycle"].run(DAY)
        self.env["health.cycle"].run(DAY + timedelta(days=1))
        self.assertEqual(self.drop(content).state, "duplicate")
        self.assertEqual(self.drop(statement).state, "duplicate")
        self.assertEqual(self.snapshot(), before)

    def test_cycle_tells_what_it_did(self):
        cycle = self.env["health.cycle"].run(DAY)
        step = next(step for step in cycle.summary if step["code"] == "match")
        self.assertTrue(step["ok"], step)
        self.assertTrue(step["lines"])

    def test_matcher_of_oca_is_off_for_practitioners(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        name = self.env["account.move"].search([("company_id", "=", self.nurse.id)]).name
        journal = self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", self.nurse.id)]
        )
        line = (
            self.env["account.bank.statement.line"]
            .with_context(_test_account_reconcile_oca=True)
            .create({"journal_id": journal.id, "payment_ref": name, "amount": 12.0, "date": DAY})
        )
        self.assertFalse(line.is_reconciled)
        self.assertFalse(line.reconcile_data)
        self.assertFalse(line.partner_id)
