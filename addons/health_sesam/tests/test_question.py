from odoo.tests import tagged

from .common import SesamCommon


@tagged("post_install", "-at_install")
class TestQuestion(SesamCommon):
    def lots(self):
        self.unsent("101", "102")
        lots = self.build()
        # the night that builds a lot asks for its signature
        return lots, self.env["health.question"].search([("lot_id", "in", lots.ids)])

    def test_night_asks_once_to_sign_each_lot(self):
        lots, question = self.lots()
        self.assertEqual((question.kind, question.expects, question.fills), ("sign", "sent", "lot"))
        self.assertEqual(question.fse_ids, lots.fse_ids)
        self.assertIn(lots.name, question.text)
        self.build()
        again = self.env["health.question"].search([("lot_id", "!=", False)])
        self.assertEqual(again, question)

    def test_confirmation_marks_the_lot_as_sent(self):
        lots, question = self.lots()
        question._answer({"fse": [str(fse_id) for fse_id in lots.fse_ids.ids]})
        self.assertEqual((lots.state, question.state), ("sent", "answered"))
        self.assertTrue(all(lots.fse_ids.mapped("sent_on")))

    def test_part_of_a_lot_is_left_to_the_biller(self):
        lots, question = self.lots()
        question._answer({"fse": [str(lots.fse_ids[0].id)], "reason": "carte absente"})
        self.assertEqual((lots.state, question.is_unable), ("ready", True))
        self.assertFalse(lots.sent_on)

    def test_lot_that_left_otherwise_is_not_asked_about_any_more(self):
        lots, question = self.lots()
        lots.action_mark_sent()
        self.assertEqual(question.state, "cancelled")

    def test_lot_changed_since_is_not_marked(self):
        lots, question = self.lots()
        lots.fse_ids += self.unsent("103")
        question._answer({"fse": [str(fse_id) for fse_id in question.fse_ids.ids]})
        self.assertFalse(lots.sent_on)
        self.assertIn("other FSE", question.filled)

    def test_biller_asks_again_for_a_refused_lot(self):
        lots, question = self.lots()
        question._answer({"unable": "1", "reason": "logiciel en panne"})
        question.action_process()
        action = lots.action_ask_to_sign()
        again = self.env["health.question"].browse(action["res_id"])
        self.assertEqual((again.state, again.lot_id), ("open", lots))
        self.assertEqual(lots.action_ask_to_sign()["res_id"], again.id)
