"""Ledger of AMO shares paid late: counted in working days, summed by half-year, claimed."""

import io
from datetime import date, timedelta

from openpyxl import load_workbook

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.health_billing.tools import cents

from .common_payer import PayerCommon

#: Monday; the seventh working day after it is Thursday 19 November, the 11th being a holiday
SENT = date(2026, 11, 9)


@tagged("post_install", "-at_install")
class TestLateness(PayerCommon):
    def late_on(self, day, companies=None):
        return self.env["health.lateness"]._night(companies or self.companies, day)

    def rows(self):
        return self.env["health.lateness"].search([("company_id", "in", self.companies.ids)])

    def amo(self, number, amo=6000, **values):
        fse = self.make_fse(self.nurse, number, **{"amo": amo, "fse_date": SENT, **values})
        return fse.share_ids

    def pay_on(self, share, day):
        journal = self.env["account.journal"].search(
            [("company_id", "=", share.company_id.id), ("type", "=", "bank")], limit=1
        )
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=share.move_id.ids
        ).create({"journal_id": journal.id, "payment_date": day}).action_create_payments()

    def test_paid_in_time_or_late(self):
        days = {"000801": 19, "000802": 20, "000803": 23, "000804": 24}
        for number, day in days.items():
            self.pay_on(self.amo(number), date(2026, 11, day))
        self.late_on(date(2026, 11, 30))
        found = {row.fse_no: row for row in self.rows()}
        self.assertEqual(
            {number: (row.days, cents(row.penalty)) for number, row in found.items()},
            {"000802": (8, 100), "000803": (9, 100), "000804": (10, 600)},
        )
        row = found["000804"]
        self.assertEqual(
            (row.start_on, row.start_proof, row.due_on, row.settled_on, row.period, row.state),
            (SENT, "sent", date(2026, 11, 19), date(2026, 11, 24), "2026-S2", "counted"),
        )
        # again: nothing new, nothing looked at twice
        self.assertFalse(self.late_on(date(2026, 11, 30)))
        self.assertEqual(len(self.rows()), 3)

    def test_runs_until_it_is_paid(self):
        share = self.amo("000805")
        self.assertFalse(self.late_on(date(2026, 11, 19)))
        self.late_on(date(2026, 11, 20))
        row = self.rows()
        self.assertEqual((row.state, row.days, cents(row.penalty)), ("running", 8, 100))
        self.late_on(date(2026, 12, 1))
        self.assertEqual((row.state, cents(row.penalty)), ("running", 600))
        self.pay_on(share, date(2026, 12, 2))
        self.late_on(date(2026, 12, 3))
        self.assertEqual((row.state, row.settled_on), ("counted", date(2026, 12, 2)))

    def test_refused_is_not_late(self):
        share = self.amo("000806")
        self.late_on(date(2026, 11, 30))
        self.assertTrue(self.rows())
        share.sudo().is_rejected = True
        self.late_on(date(2026, 12, 1))
        self.assertFalse(self.rows())

    def test_counted_from_the_acknowledgement(self):
        if "health.lot" not in self.env:
            self.skipTest("needs the addon of lots")
        share = self.amo("000807")
        lot = self.env["health.lot"].create(
            {
                "name": "008",
                "company_id": self.nurse.id,
                "payer_id": self.cpam.id,
                "date": SENT,
                "sent_on": SENT,
                "origin": "journal",
                "fse_ids": [(6, 0, share.fse_id.ids)],
            }
        )
        self.env["health.arl"].create(
            {
                "company_id": self.nurse.id,
                "lot_id": lot.id,
                "lot_no": "008",
                "result": "positive",
                "date": SENT + timedelta(days=1),
            }
        )
        self.assertFalse(self.late_on(date(2026, 11, 20)))
        self.late_on(date(2026, 11, 23))
        row = self.rows()
        self.assertEqual((row.start_proof, row.start_on.day, row.due_on.day), ("arl", 10, 20))

    def test_the_payers_transfer_day_counts_not_the_bank(self):
        if "health.settlement" not in self.env:
            self.skipTest("needs the addon of returns")
        share = self.amo("000808")
        self.pay_on(share, date(2026, 11, 25))
        settlement = self.env["health.settlement"].create(
            {
                "company_id": self.nurse.id,
                "payer_id": self.cpam.id,
                "transfer_date": date(2026, 11, 20),
                "key": "test-lateness",
                "line_ids": [
                    (
                        0,
                        0,
                        {
                            "share_id": share.id,
                            "invoice_no": "000808",
                            "part": "amo",
                            "asked": 60.0,
                            "paid": 60.0,
                            "state": "P",
                        },
                    )
                ],
            }
        )
        self.assertTrue(settlement)
        self.late_on(date(2026, 11, 30))
        self.assertEqual((self.rows().settled_on, self.rows().days), (date(2026, 11, 20), 8))

    def test_scope_of_the_practitioner(self):
        self.amo("000809", kind="B")
        self.late_on(date(2026, 11, 30))
        self.assertFalse(self.rows())
        self.nurse.health_lateness_scope = "all"
        self.late_on(date(2026, 11, 30))
        self.assertEqual(self.rows().fse_no, "000809")
        self.nurse.health_lateness_scope = "off"
        self.late_on(date(2026, 11, 30))
        self.assertFalse(self.rows())

    def test_claim_letter_and_ledger(self):
        for number, day in (("000810", 20), ("000811", 25)):
            self.pay_on(self.amo(number), date(2026, 11, day))
        running = self.amo("000812")
        self.late_on(date(2026, 12, 1))
        rows = self.rows()
        cards = self.env["health.cockpit"]._cards_lateness(date(2026, 12, 31))
        self.assertFalse(cards, "the half-year is not over")
        [card] = self.env["health.cockpit"]._cards_lateness(date(2027, 1, 2))
        self.assertEqual((card["count"], cents(card["amount"])), (2, 700))
        rows.action_claim()
        claim = rows.claim_id
        self.assertEqual(
            (claim.period, claim.share_count, cents(claim.amount)), ("2026-S2", 2, 700)
        )
        self.assertFalse(rows.filtered(lambda row: row.share_id == running).claim_id)
        with self.assertRaises(UserError):
            rows.action_claim()
        claim.action_letter()
        self.assertEqual((claim.state, set(claim.line_ids.mapped("state"))), ("sent", {"claimed"}))
        body = claim.contact_ids.letter_html
        for text in (
            "000810",
            "000811",
            "7,00 €",
            "161-13-3",
            "10 %".replace(" ", "\xa0"),
            "20/11/2026",
        ):
            self.assertIn(text, body)
        for text in ("000812", "DURAND", "AMI"):
            self.assertNotIn(text, body)
        content, name = claim._ledger()
        self.assertEqual(name, "penalites-cpam-test-2026-S2.xlsx")
        book = load_workbook(io.BytesIO(content))
        values = list(book["Retards"].values)
        self.assertEqual([row[0] for row in values[4:6]], ["000810", "000811"])
        self.assertEqual(cents(sum(row[8] for row in values[4:6])), 700)
        self.assertNotIn("DURAND", str(values))
        self.assertEqual(len(list(book["Règle appliquée"].values)), 7)
        with self.assertRaises(UserError):
            claim.action_refused()
        with self.assertRaises(UserError):
            rows.filtered("claim_id")[0].action_leave_out()
        # a night does not change what was claimed
        self.late_on(date(2026, 12, 20))
        self.assertEqual(cents(claim.amount), 700)
        claim.action_received()
        self.assertEqual((claim.state, cents(claim.amount_received)), ("received", 700))
        with self.assertRaises(UserError):
            claim.unlink()

    def test_left_out(self):
        self.pay_on(self.amo("000813"), date(2026, 11, 25))
        self.late_on(date(2026, 12, 1))
        row = self.rows()
        row.action_leave_out()
        self.assertEqual(row.state, "left_out")
        with self.assertRaises(UserError):
            row.action_claim()
        self.late_on(date(2026, 12, 2))
        self.assertEqual(row.state, "left_out")
        row.action_take_back()
        self.assertEqual(row.state, "counted")

    def test_rights(self):
        self.pay_on(self.amo("000814"), date(2026, 11, 25))
        self.late_on(date(2026, 12, 1))
        self.rows().action_claim()
        biller = self.make_user("l_biller", "health_billing.group_biller")
        nurse = self.make_user("l_nurse", "health_billing.group_practitioner", self.nurse)
        physio = self.make_user("l_physio", "health_billing.group_practitioner", self.physio)
        accountant = self.make_user("l_accountant", "health_billing.group_accountant", self.nurse)
        stranger = new_test_user(
            self.env, "l_stranger", groups="base.group_user", company_id=self.agency.id
        )

        def as_user(user, model):
            return self.env(
                user=user, context={"allowed_company_ids": user.company_ids.ids, "lang": "en_US"}
            )[model]

        for model in ("health.lateness", "health.lateness.claim"):
            for user in (biller, nurse, accountant):
                with self.subTest(model=model, user=user.login):
                    self.assertEqual(len(as_user(user, model).search([])), 1)
            self.assertFalse(as_user(physio, model).search([]))
            with self.assertRaises(AccessError):
                as_user(stranger, model).search([])
        for user in (nurse, accountant):
            with self.assertRaises(AccessError):
                as_user(user, "health.lateness").search([]).action_leave_out()
            with self.assertRaises(AccessError):
                as_user(user, "health.lateness.claim").search([]).action_letter()
        self.assertTrue(as_user(accountant, "health.lateness.claim").search([])._ledger()[0])
        as_user(biller, "health.lateness.claim").search([]).action_letter()
        self.assertEqual(self.rows().state, "claimed")

    def test_queries_do_not_grow(self):
        def spent(first, count):
            shares = [self.amo(f"{first + n:09d}") for n in range(count)]
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            found = self.late_on(date(2026, 12, 1))
            self.env.flush_all()
            self.assertEqual(len(found), len(shares))
            return self.env.cr.sql_log_count - before

        spent(1000, 2)
        self.assertLessEqual(spent(3000, 30), spent(2000, 3) + 2)
