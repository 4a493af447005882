"""Overpayments claimed back: files, clocks, states, positions."""

from datetime import date, timedelta

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged

from odoo.addons.health_billing.tools import cents

from .common import DAY
from .common_indu import InduCommon


@tagged("post_install", "-at_install")
class TestIndu(InduCommon):
    # -- opening

    def test_retentions_of_one_debt_feed_one_file(self):
        self.withhold(self.debt(1500, balance=2500))
        self.withhold(
            self.debt(2500, ref="d123456789"),
            number="000000102",
            ref="262850099999",
            day=DAY + timedelta(days=7),
        )
        indu = self.indus()
        self.assertEqual(len(indu), 1)
        self.assertEqual(len(indu.movement_ids), 2)
        self.assertEqual((indu.payer_id, indu.kind_id.code), (self.cpam, "IND"))
        self.assertEqual(
            (indu.amount_claimed, indu.amount_withheld, indu.payer_balance, indu.balance),
            (40.0, 40.0, 0.0, 0.0),
        )
        self.assertTrue(indu.is_unnotified)
        self.assertEqual((indu.state, indu.step), ("open", "notification"))
        self.assertIn("notif", indu.warning.lower())

    def test_two_debts_are_two_files_and_lump_sums_none(self):
        self.withhold(self.debt(1500), self.debt(500, ref="D2"))
        self.assertEqual(self.indus().mapped("amount_claimed"), [15.0, 5.0])

    def test_nothing_twice(self):
        settlement = self.withhold(self.debt(1500))
        self.env["health.indu"]._from_settlements(settlement)
        self.env["health.cycle"]._step_indus(DAY)
        self.assertEqual(len(self.indus()), 1)
        self.assertEqual(len(self.indus().movement_ids), 1)

    def test_night_opens_what_has_no_file(self):
        self.withhold(self.debt(1500))
        self.indus().unlink()
        self.assertFalse(self.indus())
        self.env["health.cycle"]._step_indus(DAY)
        self.assertEqual(self.indus().amount_withheld, 15.0)

    def test_part_taken_back_is_a_line_of_its_claim(self):
        fse = self.make_fse(self.nurse, "000000101", amo=6000)
        self.make_fse(self.nurse, "000000102", amo=9000)
        self.drop(self.noemie(self.settlement(self.paid("000000101", amo=6000))))
        self.drop(
            self.noemie(
                self.settlement(
                    self.paid("000000101", amo=-6000),
                    self.paid("000000102", amo=9000),
                    ref="262850077777",
                ),
                file_id="F00002",
            )
        )
        indu = self.indus()
        self.assertEqual((indu.amount_claimed, indu.amount_withheld), (60.0, 60.0))
        self.assertEqual(indu.line_ids.share_id, self.share(fse))
        self.assertEqual((indu.line_ids.amount_paid, indu.line_ids.paid_on), (60.0, DAY))
        self.assertTrue(indu.is_unnotified)

    def test_part_taken_back_and_paid_again_is_no_indu(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        self.drop(
            self.noemie(
                self.settlement(self.paid("000000101", amo=-6000), self.paid("000000101", amo=6500))
            )
        )
        self.assertFalse(self.indus())

    def test_letter_that_names_the_debt_takes_its_retentions(self):
        settlement = self.withhold(self.debt(1500))
        self.indus().unlink()
        indu = self.make_indu(("000000101", 6000, "todo"), debt_ref="d 123456789")
        self.assertEqual(indu.movement_ids, settlement.movement_ids)
        self.assertFalse(indu.is_unnotified)
        self.assertEqual((indu.amount_claimed, indu.balance), (60.0, 45.0))

    def test_merge_of_letter_and_retention(self):
        self.withhold(self.debt(1500, balance=4500))
        retained = self.indus()
        lettered = self.make_indu(("000000101", 6000, "todo"))
        (retained + lettered).action_merge()
        self.assertFalse(retained.exists())
        self.assertEqual((lettered.amount_withheld, lettered.balance), (15.0, 45.0))
        self.assertEqual(lettered.debt_ref, "D123456789")
        self.withhold(self.debt(500), number="000000103", ref="262850055555")
        self.assertEqual(lettered.amount_withheld, 20.0)
        with self.assertRaises(UserError):
            (lettered + self.make_indu(("1", 100, "todo"))).action_merge()

    def test_retention_after_closing_opens_again(self):
        self.withhold(self.debt(1500))
        indu = self.indus()
        indu.write({"closed_on": DAY, "closing_reason": "x"})
        self.assertEqual(indu.state, "closed")
        self.withhold(self.debt(700), number="000000102", ref="262850044444")
        self.assertNotEqual(indu.state, "closed")
        self.assertEqual(indu.amount_withheld, 22.0)

    # -- clocks

    def test_delays_in_months_end_on_the_same_day_or_the_last(self):
        cases = {
            date(2026, 3, 15): date(2026, 5, 15),
            date(2026, 12, 31): date(2027, 2, 28),
            date(2027, 12, 31): date(2028, 2, 29),
            date(2026, 7, 31): date(2026, 9, 30),
            date(2026, 12, 30): date(2027, 2, 28),
            date(2027, 12, 29): date(2028, 2, 29),
            # a Sunday, a holiday (1 May, 14 July, 25 December): the last day stays that day
            date(2026, 3, 1): date(2026, 5, 1),
            date(2026, 5, 14): date(2026, 7, 14),
            date(2026, 10, 25): date(2026, 12, 25),
            date(2026, 6, 15): date(2026, 8, 15),
        }
        for received, last in cases.items():
            indu = self.make_indu(("1", 100, "todo"), notified_on=received, received_on=received)
            self.assertEqual(indu.contest_deadline, last, received)
            self.assertEqual(indu.deadline, last)

    def test_clock_runs_from_receipt_else_from_the_letter(self):
        indu = self.make_indu(("1", 100, "todo"), received_on=False)
        self.assertEqual(indu.contest_deadline, date(2026, 12, 1))
        self.assertTrue(indu.warning)
        indu.received_on = date(2026, 10, 5)
        self.assertEqual(indu.contest_deadline, date(2026, 12, 5))
        indu.write({"received_on": False, "notified_on": False})
        self.assertFalse(indu.deadline)

    def test_complementary_insurer_has_the_delay_of_its_letter_only(self):
        indu = self.make_indu(("1", 100, "todo"), payer_id=self.mutuelle.id)
        self.assertFalse(indu.deadline)
        indu.answer_by = date(2026, 11, 2)
        self.assertEqual(indu.deadline, date(2026, 11, 2))
        self.assertFalse(indu.contest_deadline)

    def test_contestation_starts_the_payers_clock(self):
        indu = self.make_indu(("1", 100, "contest"))
        self.send(indu, "contest", date(2026, 11, 30))
        self.assertEqual(indu.state, "contested")
        self.assertEqual(indu.answer_due_on, date(2027, 1, 30))
        self.assertEqual((indu.court_deadline, indu.deadline), (date(2027, 3, 30),) * 2)
        indu.contest_received_on = date(2026, 12, 31)
        self.assertEqual(
            (indu.answer_due_on, indu.court_deadline), (date(2027, 2, 28), date(2027, 4, 28))
        )
        self.assertEqual(indu._next_step(date(2027, 2, 28)), "wait")
        self.assertEqual(indu._next_step(date(2027, 3, 1)), "silence")
        indu.write({"decision": "upheld", "decision_on": date(2027, 1, 10)})
        self.assertEqual((indu.court_deadline, indu.deadline), (date(2027, 3, 10),) * 2)
        self.assertEqual(indu._next_step(date(2027, 1, 11)), "court")

    def test_formal_notice_and_writ_come_first(self):
        indu = self.make_indu(("1", 100, "todo"))
        indu.formal_notice_on = date(2026, 10, 10)
        self.assertEqual(indu.deadline, date(2026, 11, 10))
        indu.constraint_on = date(2026, 10, 12)
        self.assertEqual(indu.deadline, date(2026, 10, 27))

    def test_delays_are_data(self):
        self.env["health.parameter"].search([("code", "=", "indu_contest_months")]).value = 3
        indu = self.make_indu(("1", 100, "todo"))
        self.assertEqual(indu.contest_deadline, date(2027, 1, 5))
        parameters = self.env["health.parameter"].search([("code", "=like", "indu_%")])
        self.assertTrue(all(one.source and one.grade in "BC" for one in parameters))

    # -- states

    def test_states_follow_the_facts(self):
        indu = self.make_indu(("1", 6000, "todo"))
        self.assertEqual((indu.state, indu.step), ("open", "decide"))
        self.send(indu, "observations", DAY)
        self.assertEqual(indu.state, "observations")
        indu.line_ids.action_accept()
        self.assertEqual(indu.step, "accept")
        letter = self.send(indu, "accept", DAY)
        self.assertEqual((indu.state, indu.step, indu.deadline), ("accepted", "repay", False))
        letter.action_not_sent()
        self.assertEqual(indu.state, "observations")
        indu.line_ids.action_contest()
        self.send(indu, "contest", DAY)
        self.assertEqual(indu.state, "contested")
        self.assertTrue(indu.deadline)
        indu.write({"decision": "cancelled", "decision_on": DAY, "amount_cancelled": 60.0})
        self.assertEqual((indu.balance, indu.state, indu.court_deadline), (0.0, "repaid", False))

    def test_money_withheld_does_not_end_a_contestation(self):
        self.withhold(self.debt(6000), amo=9000)
        indu = self.indus()
        indu.write({"received_on": DAY, "notified_on": DAY})
        self.env["health.indu.line"].create(
            {"indu_id": indu.id, "fse_number": "000000101", "amount": 60.0, "decision": "contest"}
        )
        self.assertEqual((indu.balance, indu.state, indu.step), (0.0, "open", "contest"))
        self.assertTrue(indu.deadline)
        self.send(indu, "contest", DAY)
        self.assertEqual(indu.state, "contested")
        self.assertTrue(indu.warning)
        indu.line_ids.action_accept()
        indu.letter_ids.action_not_sent()
        self.assertEqual((indu.state, indu.step), ("repaid", "finish"))

    def test_more_withheld_than_due_is_claimed_back(self):
        self.withhold(self.debt(5000), amo=9000)
        indu = self.indus()
        indu.write({"received_on": DAY, "amount_notified": 30.0})
        self.assertEqual((indu.balance, indu.step), (-20.0, "refund"))
        self.assertTrue(indu.warning)

    def test_handed_over_and_closed_with_a_reason(self):
        indu = self.make_indu(("1", 6000, "contest"))
        Close = self.env["health.indu.close"]
        with self.assertRaises(UserError):
            Close.create({"indu_id": indu.id, "reason": " "}).action_confirm()
        action = Close.create(
            {"indu_id": indu.id, "kind": "hand_over", "lawyer": "Me Martin"}
        ).action_confirm()
        self.assertIn("dossier.zip", action["url"])
        self.assertEqual((indu.state, indu.step), ("handed_over", "lawyer"))
        self.assertEqual(indu.deadline, indu.contest_deadline)
        Close.create({"indu_id": indu.id, "reason": "Won"}).action_confirm()
        self.assertEqual((indu.state, indu.step, indu.deadline), ("closed", "none", False))
        indu.action_reopen()
        self.assertEqual(indu.state, "open")

    def test_answer_needs_its_day(self):
        indu = self.make_indu(("1", 6000, "contest"))
        with self.assertRaises(ValidationError):
            indu.decision = "upheld"

    # -- lines

    def test_positions_sum_to_the_claim(self):
        indu = self.make_indu(
            ("1", 1001, "accept"), ("2", 2002, "contest"), ("3", 3003, "prove"), ("4", 4004, "todo")
        )
        indu.amount_notified = 120.0
        parts = [
            indu.amount_accepted,
            indu.amount_contested,
            indu.amount_to_prove,
            indu.amount_undecided,
            indu.amount_unlisted,
        ]
        self.assertEqual(parts, [10.01, 20.02, 30.03, 40.04, 19.9])
        self.assertEqual(sum(map(cents, parts)), cents(indu.amount_claimed))
        self.assertIn("120,00 €", indu.warning)

    def test_lines_find_their_claims(self):
        fse = self.make_fse(self.nurse, "000000101", amo=6000)
        other = self.make_fse(
            self.physio,
            "000000102",
            amo=6000,
            patient_id=self.make_patient(self.physio, "X Y", "1990199999002").id,
        )
        indu = self.make_indu(("101", 6000, "todo"), ("000000102", 500, "todo"), ("", 100, "todo"))
        one, stranger, free = indu.line_ids
        self.assertEqual(
            (one.fse_id, one.share_id, one.care_day), (fse, self.share(fse), fse.fse_date)
        )
        self.assertFalse(stranger.fse_id, "another practitioner's claim")
        self.assertFalse(free.fse_id)
        one.fse_number = "999"
        self.assertFalse(one.fse_id)
        self.assertFalse(one.share_id)
        self.assertTrue(other)

    def test_old_payment_is_told(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        self.drop(self.noemie(self.settlement(self.paid("000000101", amo=6000))))
        indu = self.make_indu(("101", 6000, "todo"), notified_on=date(2029, 10, 12))
        self.assertFalse(indu.line_ids.is_old)
        indu.notified_on = date(2029, 10, 13)
        self.assertTrue(indu.line_ids.is_old)

    def test_table_of_the_letter(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        indu = self.make_indu()
        indu.amount_notified = 1297.35
        wizard = self.env["health.indu.paste"].create(
            {
                "indu_id": indu.id,
                "text": "Facture;Date;Montant;Motif\n"
                "000000101;05/10/2026;60,00 €;Prescription absente\n\n"
                "000000999\t2026-10-06\t1 234,50\tCumul; non permis\n"
                "7;2,85",
            }
        )
        wizard.action_add()
        self.assertEqual(indu.line_ids.mapped("amount"), [60.0, 1234.5, 2.85])
        self.assertEqual(indu.line_ids[0].reason, "Prescription absente")
        self.assertEqual(indu.line_ids[1].care_day, date(2026, 10, 6))
        self.assertFalse(indu.amount_unlisted)
        for text in ("000000101;60,00\n12;xx", "1;99/99/2026;5,00", "1;-5,00", "\n"):
            with self.assertRaises(UserError):
                self.env["health.indu.paste"].create(
                    {"indu_id": indu.id, "text": text}
                ).action_add()
        self.assertEqual(len(indu.line_ids), 3)
        self.env["health.indu.paste"].create(
            {"indu_id": indu.id, "text": "5;1,00", "replace": True}
        ).action_add()
        self.assertEqual(indu.line_ids.mapped("amount"), [1.0])

    def test_a_line_of_nothing_is_refused(self):
        with self.assertRaises(ValidationError):
            self.make_indu(("1", 0, "todo"))

    # -- letters

    def test_letters_say_what_the_file_says(self):
        self.withhold(self.debt(1500, balance=4500))
        indu = self.indus()
        Letter = self.env["health.indu.letter"]
        text = str(Letter._draw_up(indu, "details").body)
        self.assertIn("aucune notification", text)
        self.assertIn("15,00 €", text)
        self.assertIn("12/10/2026", text)
        indu.write({"received_on": date(2026, 10, 20), "notified_on": date(2026, 10, 17)})
        self.env["health.indu.paste"].create(
            {"indu_id": indu.id, "text": "000000101;40,00;A\n000000102;20,00;B"}
        ).action_add()
        indu.line_ids[0].write({"decision": "contest", "argument": "Soin du <5/10> & prouvé"})
        indu.line_ids[1].decision = "accept"
        letter = Letter._draw_up(indu, "contest")
        text = str(letter.body)
        self.assertIn("Commission de recours amiable", letter.recipient)
        for part in ("20/10/2026", "40,00 €", "20,00 €", "&lt;5/10&gt; &amp; prouvé", "000000101"):
            self.assertIn(part, text)
        self.assertNotIn("000000102", text)
        self.assertTrue(letter.cites)
        plan = str(Letter._draw_up(indu, "accept", 3, date(2026, 11, 30)).body)
        # 20,00 accepted less 15,00 withheld
        for part in ("1,66 €", "1,68 €", "30/12/2026", "30/01/2027"):
            self.assertIn(part, plan)
        indu.payer_id = self.mutuelle
        other = Letter._draw_up(indu, "contest")
        self.assertNotIn("recours amiable", other.recipient + str(other.body) + other.subject)
        self.assertFalse(other.cites)

    def test_a_sent_letter_is_sealed(self):
        indu = self.make_indu(("1", 6000, "todo"))
        letter = self.send(indu, "details", DAY)
        user = self.make_user("biller", "health_billing.group_biller")
        mine = letter.with_user(user)
        with self.assertRaises(UserError):
            mine.body = "<p>x</p>"
        with self.assertRaises(UserError):
            mine.unlink()
        mine.tracking_no = "1A 234"
        mine.action_not_sent()
        mine.body = "<p>x</p>"
        self.assertIn("x", letter.body)

    def test_letter_is_proposed_and_refused_without_a_contested_line(self):
        indu = self.make_indu(("1", 6000, "accept"))
        wizard = Form(self.env["health.indu.letter.write"].with_context(default_indu_id=indu.id))
        self.assertEqual(wizard.kind, "accept")
        wizard.kind = "contest"
        with self.assertRaises(UserError):
            wizard.save().action_write()
        Wizard = self.env["health.indu.letter.write"]
        mixed = self.make_indu(("1", 6000, "contest"), ("2", 500, "todo"))
        with self.assertRaises(UserError):  # what is left out of a contestation is lost
            Wizard.create({"indu_id": mixed.id, "kind": "contest"}).action_write()
        mixed.line_ids.action_contest()
        letter = Wizard.create({"indu_id": mixed.id, "kind": "contest"}).action_write()["res_id"]
        page, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "health_noemie.report_indu_letter", [letter]
        )
        for part in ("Lettre recommandée", "Commission de recours amiable", "65,00", "Nurse Test"):
            self.assertIn(part, page.decode())

    def test_chronology_is_in_order(self):
        self.withhold(self.debt(1500))
        indu = self.indus()
        indu.write({"notified_on": date(2026, 10, 14), "received_on": date(2026, 10, 16)})
        self.send(indu, "details", date(2026, 10, 13))
        days = [event["day"] for event in indu._events()[indu.id]]
        self.assertEqual(days, sorted(days))
        self.assertEqual(len(days), 4)
        self.assertIn("12/10/2026", indu.chronology)

    # -- cockpit

    def test_cockpit_says_what_is_next(self):
        cards = lambda day: {  # noqa: E731
            card["key"]: card for card in self.env["health.indu"]._cockpit_cards("indus", day)
        }
        self.withhold(self.debt(1500))
        card = cards(DAY)[f"indu-notification-{self.nurse.id}"]
        self.assertEqual((card["count"], card["amount"]), (1, 15.0))
        self.indus().unlink()
        self.make_indu(("1", 6000, "contest"))
        self.make_indu(("2", 4000, "contest"), received_on=date(2026, 9, 20), reference="B")
        card = cards(DAY)[f"indu-contest-{self.nurse.id}"]
        self.assertEqual(
            (card["count"], card["amount"], card["deadline"]), (2, 100.0, date(2026, 11, 20))
        )
        self.assertEqual(self.env["health.indu"].search_count(card["action"]["domain"]), 2)
        for indu in self.indus():
            self.send(indu, "contest", DAY)
        self.assertFalse(cards(DAY), "the payer's turn")
        later = cards(date(2026, 12, 13))
        self.assertEqual(later[f"indu-silence-{self.nurse.id}"]["count"], 2)
        self.assertIn("indu", str(self.env["health.cockpit"].data()))
