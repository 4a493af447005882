from odoo.tests import tagged

from .common import DAY, SesamCommon


@tagged("post_install", "-at_install")
class TestSesamCockpit(SesamCommon):
    def cards(self, lane, start):
        cockpit = self.env["health.cockpit"].with_context(allowed_company_ids=self.companies.ids)
        lanes = {item["code"]: item["cards"] for item in cockpit.data()["lanes"]}
        return [card for card in lanes[lane] if card["key"].startswith(start)]

    def opened(self, card):
        action = card["action"]
        return self.env[action["res_model"]].search(action["domain"])

    def test_ready_then_silent_then_refused(self):
        self.unsent("1")
        lot = self.build()
        [card] = self.cards("to_complete", "lot-ready")
        self.assertEqual((card["count"], card["amount"], self.opened(card)), (1, "10,00 €", lot))
        lot._set_sent(DAY)
        self.assertFalse(self.cards("to_complete", "lot-ready"))
        self.assertFalse(self.cards("silent", "lot-"))
        self.env["health.cycle"].run("2026-10-09")
        [card] = self.cards("silent", "lot-")
        self.assertEqual(self.opened(card), lot)
        content = self.arl_list({"lot_date": "2026-10-06", "result": "negatif"})
        self.ingest("arl.csv", content)
        self.assertFalse(self.cards("silent", "lot-"))
        [card] = self.cards("rejects", "lot-")
        self.assertEqual((card["practitioner"], self.opened(card)), ("Nurse Test", lot))

    def test_fse_that_no_lot_can_take(self):
        fse = self.unsent("ABC")
        self.build()
        [card] = self.cards("to_complete", "lot-issue")
        self.assertEqual(self.opened(card), fse)
