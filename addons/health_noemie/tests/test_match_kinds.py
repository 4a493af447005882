"""Every kind of decision, booked and taken back: to the cent, and exactly as before."""

from datetime import timedelta

from odoo.tests import tagged

from odoo.addons.health_billing.tools import cents
from odoo.addons.health_sesam.norms import noemie

from .common import DAY, REFERENCE, NoemieCommon


@tagged("post_install", "-at_install")
class TestMatchKinds(NoemieCommon):
    def setUp(self):
        super().setUp()
        self.Line = self.env["account.bank.statement.line"]

    def movements(self):
        return self.Line.search([("company_id", "=", self.nurse.id)], order="date, id")

    def facts(self):
        """All that a booking changes, without the ids of journal items."""
        self.env.flush_all()
        self.env.invalidate_all()
        companies = [("company_id", "in", self.companies.ids)]
        shares = self.env["health.share"].search(companies, order="id")
        settlements = self.env["health.settlement"].search(companies, order="id")
        return {
            "shares": [
                (s.state, s.amount_residual, s.announced_amount, s.move_id.payment_state)
                for s in shares
            ],
            "fse": shares.fse_id.mapped("state"),
            "settlements": [
                (s.state, s.amount_received, s.amount_left, s.received_on) for s in settlements
            ],
            "parts": [
                (line.problem, line.is_paid_twice, bool(line.move_line_id))
                for line in settlements.line_ids.sorted("id")
            ],
            "movements": [bool(m.move_line_id) for m in settlements.movement_ids.sorted("id")],
            "bank": [
                {
                    "rule": line.health_match_rule,
                    "state": line.health_match_state,
                    "reconciled": line.is_reconciled,
                    "settlements": line.health_settlement_ids.ids,
                    "candidates": line.health_candidate_ids.ids,
                    "booking": bool(line.health_booking),
                    "items": sorted(
                        (item.account_id.code, item.partner_id.id, item.balance)
                        for item in line.move_id.line_ids
                    ),
                    "open": sorted(
                        (item.account_id.code, item.amount_residual)
                        for item in line.move_id.line_ids
                        if item.account_id.reconcile
                    ),
                }
                for line in self.movements()
            ],
        }

    def assertUndone(self, before, lines, gap_candidates=True):
        """Undoing gives `before` back (an undone line proposes what it was), and looking again the booking."""
        booked = self.facts()
        self.Line.health_match_undo(lines[0].ids)
        undone = self.facts()
        for line in (*undone["bank"], *before["bank"]):
            line["candidates"] = line["state"] = None
        self.assertEqual(undone, before)
        for line in lines:
            self.assertNotEqual(line.health_match_state, "matched")
            self.assertTrue(line.health_hold)
        return booked

    def look_again(self, lines):
        lines.action_health_look_again()
        return self.facts()

    def by_account(self, lines):
        """dict of account kind → cents on the entries."""
        found = {}
        for kind in ("amo", "amc", "patient", "retention", "lump_sum", "bank_fees"):
            account = self.nurse._health_account(kind)
            items = lines.move_id.line_ids.filtered(lambda i, a=account: i.account_id == a)
            if items:
                found[kind] = sum(cents(item.balance) for item in items)
        return found

    def assertSound(self, lines):
        for line in lines:
            items = line.move_id.line_ids
            self.assertEqual(sum(cents(item.balance) for item in items), 0)
            bank = items.filtered("statement_line_id").filtered(
                lambda item: item.account_id.account_type == "asset_cash"
            )
            self.assertEqual(sum(cents(item.balance) for item in bank), cents(line.amount))

    # -- one settlement in several credits ---------------------------------------------------------

    def split(self):
        fses = [self.make_fse(self.nurse, f"00000020{n}", amo=6000) for n in range(3)]
        self.drop(self.noemie(self.settlement(*(self.paid(f.name, amo=6000) for f in fses))))
        before = self.facts()
        self.drop(
            self.camt(
                self.entry(10000, f"VIR CPAM TEST {REFERENCE}"),
                self.entry(8000, f"VIR CPAM TEST {REFERENCE} 2"),
            )
        )
        return fses, before, self.movements()

    def test_one_settlement_in_two_credits(self):
        fses, _before, lines = self.split()
        if lines[0].health_match_state == "queue":
            self.Line.health_match_book(lines.ids, [f"settlement-{self.settlements().id}"])
        self.assertEqual(set(lines.mapped("health_match_state")), {"matched"})
        self.assertSound(lines)
        self.assertEqual([self.share(f).state for f in fses], ["paid"] * 3)
        self.assertEqual(self.settlements().state, "received")
        # the second share is cut, its halves make the whole
        partials = self.share(fses[1]).move_id.line_ids.matched_credit_ids
        self.assertEqual(sorted(cents(p.amount) for p in partials), [2000, 4000])
        booked = self.facts()
        self.Line.health_match_undo(lines[0].ids)
        self.assertEqual([self.share(f).state for f in fses], ["announced"] * 3)
        self.assertEqual(
            (self.settlements().state, self.settlements().amount_left), ("announced", 180.0)
        )
        self.assertFalse(self.settlements().line_ids.move_line_id)
        self.assertEqual(set(lines.mapped("health_match_state")), {"queue"})
        self.Line.health_match_book(lines.ids, [f"settlement-{self.settlements().id}"])
        again = self.facts()
        for line in (*again["bank"], *booked["bank"]):
            line["rule"] = None
        self.assertEqual(again, booked)

    def test_settlement_received_in_two_steps(self):
        fses = [self.make_fse(self.nurse, f"00000020{n}", amo=6000) for n in range(2)]
        self.drop(self.noemie(self.settlement(*(self.paid(f.name, amo=6000) for f in fses))))
        settlement = self.settlements()
        key = f"settlement-{settlement.id}"
        self.drop(self.camt(self.entry(7000, "VIR INCONNU")))
        first = self.movements()
        before = self.facts()
        preview = self.Line.health_match_preview(first.ids, [key])
        self.assertFalse(preview["can_book"])
        self.assertEqual(preview["gap"], -5000)
        self.Line.health_match_book(first.ids, [key], "open")
        self.assertEqual(
            (settlement.state, settlement.amount_received, settlement.amount_left),
            ("announced", 70.0, 50.0),
        )
        self.assertEqual([self.share(f).amount_residual for f in fses], [0.0, 50.0])
        middle = self.facts()
        self.drop(self.camt(self.entry(5000, f"VIR CPAM TEST {REFERENCE}"), number="ST2"))
        second = self.movements() - first
        self.assertBooked(second, "reference")
        self.assertEqual([self.share(f).state for f in fses], ["paid", "paid"])
        self.assertEqual(settlement.state, "received")
        self.Line.health_match_undo(second.ids)
        again = self.facts()
        again["bank"] = again["bank"][:1]
        self.assertEqual(again, middle)
        self.Line.health_match_undo(first.ids)
        undone = self.facts()
        undone["bank"] = undone["bank"][:1]
        for line in (*undone["bank"], *before["bank"]):
            line["candidates"] = None
        self.assertEqual(undone, before)

    # -- several settlements and shares ------------------------------------------------------------

    def test_two_credits_two_settlements(self):
        one = self.make_fse(self.nurse, "000000201", amo=6000)
        two = self.make_fse(self.nurse, "000000202", amo=3500)
        self.drop(
            self.noemie(
                self.settlement(self.paid("000000201", amo=6000), ref="262850000001"),
                self.settlement(
                    self.paid("000000202", amo=3500),
                    ref="262850000002",
                    day=DAY + timedelta(days=1),
                ),
            )
        )
        self.drop(self.camt(self.entry(5000, "VIR A"), self.entry(4500, "VIR B")))
        lines = self.movements()
        before = self.facts()
        keys = [f"settlement-{s.id}" for s in self.settlements()]
        self.Line.health_match_book(lines.ids, keys)
        self.assertSound(lines)
        self.assertEqual((self.share(one).state, self.share(two).state), ("paid", "paid"))
        self.assertEqual(self.settlements().mapped("state"), ["received", "received"])
        self.assertUndone(before, lines)

    def test_shares_without_return(self):
        fses = [self.make_fse(self.nurse, f"00000030{n}", amc=2000 + n) for n in range(2)]
        self.drop(self.camt(self.entry(4001, "VIR INCONNU")))
        line = self.movements()
        before = self.facts()
        keys = [f"share-{self.share(f, 'amc').id}" for f in fses]
        self.Line.health_match_book(line.ids, keys)
        self.assertEqual([self.share(f, "amc").state for f in fses], ["paid", "paid"])
        self.assertEqual(self.by_account(line), {"amc": -4001})
        booked = self.assertUndone(before, line)
        self.Line.health_match_book(line.ids, keys)
        self.assertEqual(self.facts(), booked)

    def test_late_return_adopts_the_credit(self):
        fses = [self.make_fse(self.nurse, f"00000030{n}", amc=2000 + n) for n in range(2)]
        self.drop(self.camt(self.entry(4001, "VIR INCONNU")))
        line = self.movements()
        self.Line.health_match_book(line.ids, [f"share-{self.share(f, 'amc').id}" for f in fses])
        content = self.noemie(
            self.settlement(*(self.paid(f.name, amc=2000 + n) for n, f in enumerate(fses)))
        )
        self.drop(content)
        settlement = self.settlements()
        self.assertEqual((settlement.state, settlement.statement_line_ids), ("received", line))
        self.assertFalse(settlement.line_ids.filtered("problem"))
        self.assertEqual([self.share(f, "amc").state for f in fses], ["paid", "paid"])
        before = self.snapshot()
        self.env["health.cycle"].run(DAY)
        self.assertEqual(self.snapshot(), before)
        self.Line.health_match_undo(line.ids)
        self.assertEqual((settlement.state, settlement.amount_left), ("announced", 40.01))
        self.assertEqual([self.share(f, "amc").state for f in fses], ["announced"] * 2)

    # -- differences -------------------------------------------------------------------------------

    def difference(self, received, gap):
        fse = self.make_fse(self.nurse, "000000401", amo=6000)
        self.drop(self.noemie(self.settlement(self.paid(fse.name, amo=6000))))
        self.drop(self.camt(self.entry(received, "VIR INCONNU")))
        line = self.movements()
        before = self.facts()
        self.Line.health_match_book(line.ids, [f"settlement-{self.settlements().id}"], gap)
        self.assertSound(line)
        found = self.by_account(line), self.share(fse).amount_residual, self.settlements().state
        self.assertUndone(before, line)
        return found

    def test_too_much_stays_open_on_the_payer(self):
        self.assertEqual(self.difference(6500, "open"), ({"amo": -6500}, 0.0, "received"))

    def test_lump_sum(self):
        self.assertEqual(
            self.difference(6500, "lump_sum"), ({"amo": -6000, "lump_sum": -500}, 0.0, "received")
        )

    def test_retention(self):
        self.assertEqual(
            self.difference(5500, "retention"), ({"amo": -6000, "retention": 500}, 0.0, "received")
        )

    def test_bank_fees(self):
        self.assertEqual(
            self.difference(5985, "bank_fees"), ({"amo": -6000, "bank_fees": 15}, 0.0, "received")
        )

    def test_short_payment_of_a_share(self):
        fse = self.make_fse(self.nurse, "000000401", amc=6000)
        self.drop(self.camt(self.entry(5000, "VIR INCONNU")))
        line = self.movements()
        before = self.facts()
        self.Line.health_match_book(line.ids, [f"share-{self.share(fse, 'amc').id}"], "open")
        self.assertEqual(
            (self.share(fse, "amc").state, self.share(fse, "amc").amount_residual),
            ("partial", 10.0),
        )
        self.assertUndone(before, line)

    def test_retention_lump_and_short_come_back(self):
        self.make_fse(self.nurse, "000000501", amo=6000)
        self.make_fse(self.nurse, "000000502", amo=5000)
        self.make_fse(self.nurse, "000000503", amo=4000)
        self.drop(
            self.noemie(
                self.settlement(
                    self.paid("000000501", amo=6000),
                    self.paid("000000502", amo=3000, asked=5000),
                    self.paid("000000503", amo=4500, asked=4000),
                    movements=[
                        noemie.Movement(
                            debt_ref="D1",
                            debt_date=DAY,
                            debt_kind="IND",
                            operation="RPR",
                            amount=1500,
                        )
                    ],
                    lumps=[noemie.LumpSum(code="00012", label="FORFAIT", amount=700)],
                )
            )
        )
        before = self.facts()
        self.drop(self.camt(self.entry(12700, f"VIR CPAM TEST {REFERENCE}")))
        line = self.movements()
        self.assertBooked(line, "reference")
        self.assertEqual(
            self.by_account(line), {"amo": -13500, "retention": 1500, "lump_sum": -700}
        )
        booked = self.facts()
        self.Line.health_match_undo(line.ids)
        undone = self.facts()
        undone.pop("bank")
        before.pop("bank")
        self.assertEqual(undone, before)
        self.assertEqual(self.look_again(line), booked)

    # -- money taken back --------------------------------------------------------------------------

    def paid_then_taken_back(self, back):
        fses = [self.make_fse(self.nurse, f"00000060{n}", amo=6000) for n in range(2)]
        self.drop(self.noemie(self.settlement(*(self.paid(f.name, amo=6000) for f in fses))))
        self.drop(self.camt(self.entry(12000, f"VIR CPAM TEST {REFERENCE}")))
        self.assertEqual([self.share(f).state for f in fses], ["paid", "paid"])
        self.drop(
            self.noemie(
                self.settlement(
                    self.paid(fses[0].name, amo=-back),
                    ref="262990000001",
                    day=DAY + timedelta(days=9),
                ),
                file_id="F2",
            )
        )
        before = self.facts()
        self.drop(
            self.camt(
                self.entry(-back, "PRLV CPAM TEST 262990000001", day=DAY + timedelta(days=10)),
                number="ST2",
            )
        )
        return fses, before, self.movements()[-1]

    def test_negative_transfer_opens_the_share(self):
        fses, before, line = self.paid_then_taken_back(6000)
        self.assertBooked(line, "negative")
        self.assertSound(line)
        self.assertEqual(self.share(fses[0]).amount_residual, 60.0)
        self.assertEqual(self.share(fses[1]).state, "paid")
        self.assertEqual(self.settlements().mapped("state"), ["received", "received"])
        # nothing is left open on the bank side
        self.assertFalse(
            self.movements().move_id.line_ids.filtered(
                lambda i: i.account_id == self.nurse._health_account("amo") and not i.reconciled
            )
        )
        booked = self.facts()
        self.Line.health_match_undo(line.ids)
        undone = self.facts()
        del undone["bank"][-1]
        self.assertEqual(undone, before)
        self.assertEqual(self.look_again(line), booked)

    def test_part_of_a_payment_taken_back(self):
        fses, before, line = self.paid_then_taken_back(2500)
        self.assertBooked(line, "negative")
        self.assertEqual(
            (self.share(fses[0]).amount_residual, self.share(fses[0]).state), (25.0, "partial")
        )
        booked = self.facts()
        self.Line.health_match_undo(line.ids)
        undone = self.facts()
        del undone["bank"][-1]
        self.assertEqual(undone, before)
        self.assertEqual(self.look_again(line), booked)

    def test_reversal_of_a_credit(self):
        fse = self.make_fse(self.nurse, "000000701", amo=6000)
        self.drop(self.noemie(self.settlement(self.paid(fse.name, amo=6000))))
        self.drop(self.camt(self.entry(6000, f"VIR CPAM TEST {REFERENCE}")))
        credit = self.movements()
        self.assertBooked(credit, "reference")
        booked = self.facts()
        self.drop(
            self.camt(
                self.entry(
                    -6000, f"ANNULATION VIR CPAM TEST {REFERENCE}", day=DAY + timedelta(days=3)
                ),
                number="ST2",
            )
        )
        debit = self.movements() - credit
        self.assertEqual((credit | debit).mapped("health_match_rule"), ["reversal", "reversal"])
        self.assertEqual((credit | debit).mapped("health_match_state"), ["matched", "matched"])
        self.assertEqual(self.settlements().state, "announced")
        self.assertIn("annule", self.settlements().waiting_reason)
        self.assertEqual(self.share(fse).state, "announced")
        suspense = (credit | debit).move_id.line_ids.filtered(
            lambda i: i.account_id == credit.journal_id.suspense_account_id
        )
        self.assertEqual((len(suspense), set(suspense.mapped("reconciled"))), (2, {True}))
        before = self.snapshot()
        self.env["health.cycle"].run(DAY)
        self.assertEqual(self.snapshot(), before)
        # the payer pays again
        self.drop(
            self.camt(
                self.entry(6000, f"VIR CPAM TEST {REFERENCE}", day=DAY + timedelta(days=5)),
                number="ST3",
            )
        )
        again = self.movements()[-1]
        self.assertBooked(again, "reference")
        self.assertFalse(self.settlements().waiting_reason)
        self.Line.health_match_undo(again.ids)
        again.health_hold = True
        # it was no reversal after all: the first match is there again
        self.Line.health_match_undo(debit.ids)
        facts = self.facts()
        facts["bank"] = facts["bank"][:1]
        self.assertEqual(facts, booked)
        self.assertEqual(debit.health_match_state, "queue")

    # -- the same movement from two statements -----------------------------------------------------

    def test_duplicate_is_held_then_set_aside(self):
        fse = self.make_fse(self.nurse, "000000801", amo=6000)
        self.make_fse(self.nurse, "000000802", amo=6000)
        self.drop(self.noemie(self.settlement(self.paid(fse.name, amo=6000))))
        self.drop(self.camt(self.entry(6000, f"VIR CPAM TEST {REFERENCE}", ref="A1")))
        self.drop(self.camt(self.entry(6000, f"VIR CPAM TEST {REFERENCE}", ref="B9"), number="ST2"))
        first, second = self.movements()
        self.assertBooked(first, "reference")
        self.assertEqual(second.health_match_state, "queue")
        self.assertEqual(second.health_duplicate_of_id, first)
        self.assertIn("importé deux fois", second.health_queue_reason)
        before = self.facts()
        balances = self.movements().statement_id.mapped("balance_end")
        second.action_health_set_aside_duplicate()
        self.assertEqual(second.health_match_state, "aside")
        self.assertEqual(self.movements().statement_id.mapped("balance_end"), balances)
        self.env["health.cycle"].run(DAY)
        self.assertEqual(second.health_match_state, "aside")
        self.Line.health_match_undo(second.ids)
        self.assertEqual(self.facts(), before)

    # -- files late, twice, out of order -----------------------------------------------------------

    def test_any_order_of_files_gives_the_same(self):
        for n in range(3):
            self.make_fse(self.nurse, f"00000090{n}", amo=6000 + n)
        returns = [
            self.noemie(
                self.settlement(
                    self.paid(f"00000090{n}", amo=6000 + n),
                    ref=f"26285000000{n}",
                    day=DAY + timedelta(days=n),
                ),
                file_id=f"F{n}",
            )
            for n in range(3)
        ]
        wrapped = self.noemie(
            self.settlement(self.paid("000000900", amo=6000), ref="262850000000"),
            file_id="F9",
            framing="wrapped",
        )
        bank = [
            self.camt(
                self.entry(
                    6000 + n, f"VIR CPAM TEST 26285000000{n}", day=DAY + timedelta(days=n + 1)
                ),
                number=f"ST{n}",
            )
            for n in range(3)
        ]
        seen = set()
        for order in (
            [*returns, *bank, wrapped],
            [*reversed(bank), wrapped, *reversed(returns)],
            [bank[1], returns[2], bank[2], returns[0], wrapped, returns[1], bank[0]],
        ):
            with self.subTest(order=len(seen)):
                savepoint = self.env.cr.savepoint()
                for content in order:
                    self.drop(content)
                    self.drop(content)
                self.env["health.cycle"].run(DAY)
                facts = self.facts()
                self.assertEqual({line["rule"] for line in facts["bank"]}, {"reference"})
                seen.add(str((sorted(facts["shares"]), sorted(map(str, facts["bank"])))))
                savepoint.close(rollback=True)
                self.env.invalidate_all()
        self.assertEqual(len({s.count("paid") for s in seen}), 1)

    def test_held_line_is_left_alone_and_still_stands_in_the_way(self):
        fse = self.make_fse(self.nurse, "000000951", amo=6000)
        self.drop(self.noemie(self.settlement(self.paid(fse.name, amo=6000), ref="")))
        self.drop(self.camt(self.entry(6000, "VIR CPAM TEST")))
        first = self.movements()
        self.assertBooked(first, "payer")
        self.Line.health_match_undo(first.ids)
        self.drop(
            self.camt(self.entry(6000, "VIR CPAM TEST", day=DAY + timedelta(days=2)), number="ST2")
        )
        self.assertEqual(self.movements().mapped("health_match_state"), ["queue", "queue"])
