"""What waits shows in its lane, grouped."""

from datetime import timedelta

from odoo.tests import tagged

from odoo.addons.health_sesam.norms import noemie

from .common import DAY, REFERENCE, NoemieCommon


@tagged("post_install", "-at_install")
class TestCockpit(NoemieCommon):
    def cards(self, lane, day=DAY):
        return {
            card["key"]: card for card in getattr(self.env["health.cockpit"], f"_cards_{lane}")(day)
        }

    def test_silent_shares_by_payer(self):
        sent = DAY - timedelta(days=11)
        for number in range(3):
            self.make_fse(self.nurse, f"00000010{number}", amo=6000, amc=1000, fse_date=sent)
        self.env["health.cycle"]._step_silence(DAY - timedelta(days=2))
        self.assertFalse([key for key in self.cards("silent") if key.startswith("silent")])
        self.env["health.cycle"]._step_silence(DAY)
        cards = self.cards("silent")
        card = cards[f"silent-{self.cpam.id}-{self.nurse.id}"]
        self.assertEqual((card["count"], card["amount"]), (3, 180.0))
        self.assertIn("11", card["why"])
        self.assertEqual(self.env["health.share"].search_count(card["action"]["domain"]), 3)
        self.assertNotIn(f"silent-{self.mutuelle.id}-{self.nurse.id}", cards)
        self.env["health.cycle"]._step_silence(DAY + timedelta(days=20))
        self.assertIn(
            f"silent-{self.mutuelle.id}-{self.nurse.id}",
            self.cards("silent", DAY + timedelta(days=20)),
        )

    def test_announced_and_not_received(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        self.drop(self.noemie(self.settlement(self.paid("000000101", amo=6000))))
        self.assertFalse(self.cards("cash", DAY + timedelta(days=5)))
        [card] = self.cards("cash", DAY + timedelta(days=6)).values()
        self.assertEqual((card["count"], card["amount"]), (1, 60.0))
        self.drop(self.camt(self.entry(6000, f"VIR {REFERENCE}")))
        self.assertFalse(self.cards("cash", DAY + timedelta(days=6)))

    def test_credits_to_explain(self):
        self.drop(
            self.camt(
                self.entry(6000, "VIR A"), self.entry(500, "VIR B"), self.entry(-300, "FRAIS")
            )
        )
        card = self.cards("cash")[f"credits-{self.nurse.id}"]
        self.assertEqual((card["count"], card["amount"]), (2, 65.0))
        # the card opens the matching screen on this practitioner
        self.assertEqual(card["action"]["tag"], "health_noemie.match")
        domain = [("company_id", "=", card["action"]["params"]["company_id"])]
        queue = self.env["account.bank.statement.line"].health_match_queue(domain)
        self.assertEqual([row["amount"] for row in queue], [6000, 500])

    def test_partial_payment(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        self.drop(self.noemie(self.settlement(self.paid("000000101", amo=5000, asked=6000))))
        self.drop(self.camt(self.entry(5000, f"VIR {REFERENCE}")))
        card = self.cards("cash")[f"problem-short-{self.nurse.id}"]
        self.assertEqual((card["count"], card["amount"]), (1, 10.0))

    def test_rejections_by_cause_and_payer(self):
        for number in range(2):
            self.make_fse(self.nurse, f"00000010{number}", amo=6000)
        self.drop(
            self.noemie(self.settlement(*(self.rejected(f"00000010{n}", 6000) for n in range(2))))
        )
        [card] = self.cards("rejects").values()
        self.assertEqual((card["count"], card["amount"]), (2, 120.0))

    def test_retentions(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        debt = noemie.Movement(
            debt_ref="D1", debt_date=DAY, debt_kind="IND", operation="RPR", amount=1500
        )
        self.drop(self.noemie(self.settlement(self.paid("000000101", amo=6000), movements=[debt])))
        [card] = self.cards("indus").values()
        self.assertEqual((card["count"], card["amount"]), (1, 15.0))

    def test_whole_cockpit(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        self.drop(self.noemie(self.settlement(self.rejected("000000101", 6000))))
        data = self.env["health.cockpit"].data()
        self.assertIn("explained", [figure["code"] for figure in data["figures"]])
        self.assertTrue(next(lane for lane in data["lanes"] if lane["code"] == "rejects")["cards"])
