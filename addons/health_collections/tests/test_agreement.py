"""Agreements: what is forgiven is approved, booked to the cent, and can be undone."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.health_billing.tools import cents, euros

from .common import CollectionsCommon


@tagged("post_install", "-at_install")
class TestAgreement(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Agreement = cls.env["health.agreement"]
        cls.today = fields.Date.context_today(cls.Agreement)
        cls.one = cls.late("000000301", patient=3333, fse_date=cls.today - timedelta(days=90))
        cls.two = cls.late("000000302", patient=6668, fse_date=cls.today - timedelta(days=60))
        cls.shares = cls.one + cls.two
        cls.biller = cls.make_user("biller_agreement", "health_billing.group_biller")
        cls.manager = cls.make_user("manager_agreement", "health_billing.group_manager")

    def ask(self, amount, when="at_once", user=None, **values):
        values = {"consent": "yes, by phone today", "first_date": self.today, **values}
        return (
            self.Agreement.with_user(user or self.manager)
            ._ask_reduction(
                self.shares.with_user(user or self.manager), amount, "hard times", when, **values
            )
            .sudo()
        )

    def losses(self):
        account = self.nurse._health_account("write_off")
        items = self.env["account.move.line"].search(
            [("account_id", "=", account.id), ("parent_state", "=", "posted")]
        )
        return sum(cents(item.balance) for item in items)

    def pay_cents(self, amount):
        Receipt = self.env["health.receipt"]
        parts, _over = Receipt._allocation(amount, self.shares, self.today)
        Receipt._receive(self.nurse, self.patient, "cash", self.today, amount, parts)

    def night(self, day=None):
        self.env["health.plan"]._run(day or self.today)
        return self.Agreement._run(day or self.today)

    def test_a_part_forgiven_at_once_is_a_loss_to_the_cent(self):
        agreement = self.ask(2000)
        self.assertEqual(agreement.state, "done")
        self.assertEqual(self.losses(), 2000)
        self.assertEqual([cents(line.booked) for line in agreement.line_ids], [667, 1333])
        self.assertEqual([cents(share.amount_residual) for share in self.shares], [2666, 5335])
        self.assertEqual(set(self.shares.mapped("state")), {"partial"})
        # what is left may be paid as ever
        self.pay_cents(8001)
        self.assertEqual(set(self.shares.mapped("state")), {"paid"})

    def test_undone_the_whole_is_owed_again_and_nothing_is_erased(self):
        agreement = self.ask(2000)
        entry = agreement.move_id
        agreement.with_user(self.manager).action_undo()
        self.assertEqual(self.losses(), 0)
        self.assertEqual([cents(share.amount_residual) for share in self.shares], [3333, 6668])
        self.assertEqual(set(self.shares.mapped("state")), {"due"})
        self.assertEqual(entry.state, "posted")
        receivable = (entry + agreement.undo_move_id).line_ids.filtered(
            lambda item: item.account_id.account_type == "asset_receivable"
        )
        self.assertTrue(all(item.reconciled for item in receivable))
        with self.assertRaises(UserError):
            agreement.with_user(self.manager).action_undo()

    def test_once_the_rest_is_paid_the_remainder_is_lost(self):
        agreement = self.ask(2000, "once_paid", count=2)
        self.assertEqual((agreement.state, agreement.plan_id.state), ("open", "running"))
        self.assertCents(agreement.plan_id.amount, 8001)
        self.assertEqual(self.losses(), 0)
        self.pay_cents(8000)
        self.assertEqual(self.night(), {"done": 0, "failed": 0})
        self.pay_cents(1)
        self.assertEqual(self.night(), {"done": 1, "failed": 0})
        self.assertEqual(agreement.state, "done")
        self.assertEqual(self.losses(), 2000)
        self.assertEqual((self.one.state, self.two.state), ("paid", "written_off"))
        self.assertEqual(self.night(), {"done": 0, "failed": 0})
        # and undone, that share owes it again
        agreement.with_user(self.manager).action_undo()
        self.assertCents(self.two.amount_residual, 2000)
        self.assertEqual(self.two.state, "partial")
        self.assertEqual(self.losses(), 0)

    def test_a_write_off_undone_on_the_share_is_not_undone_twice(self):
        agreement = self.ask(2000, "once_paid")
        self.pay_cents(8001)
        self.night()
        self.two.with_user(self.manager).action_undo_write_off()
        self.assertEqual(self.losses(), 0)
        agreement.with_user(self.manager).action_undo()
        self.assertEqual(self.losses(), 0)
        self.assertCents(self.two.amount_residual, 2000)

    def test_not_kept_the_whole_stays_owed(self):
        agreement = self.ask(2000, "once_paid")
        due = self.one.due_date
        self.assertEqual(due, self.today)
        day = self.today + timedelta(days=6)
        self.night(day)
        self.assertEqual(agreement.plan_id.notice_on, day)
        self.assertEqual(self.night(day + timedelta(days=11)), {"done": 0, "failed": 1})
        self.assertEqual(agreement.state, "failed")
        self.assertEqual(self.losses(), 0)
        self.assertEqual([cents(share.amount_residual) for share in self.shares], [3333, 6668])
        self.assertFalse(self.shares.plan_id)

    def test_more_than_a_biller_may_give_up_waits_for_a_manager(self):
        limit = self.env["health.parameter"].value_of("write_off_limit")
        small = self.ask(limit - 1, user=self.biller)
        self.assertEqual(small.state, "done")
        small.with_user(self.manager).action_undo()
        agreement = self.ask(limit + 1, user=self.biller)
        self.assertEqual(agreement.state, "asked")
        self.assertEqual(self.losses(), 0)
        with self.assertRaises(AccessError):
            agreement.with_user(self.biller).action_approve()
        # two at once over the same shares would be one too many
        with self.assertRaises(UserError):
            self.ask(100, user=self.biller)
        agreement.with_user(self.manager).action_approve()
        self.assertEqual(self.losses(), limit + 1)
        self.assertEqual(agreement.decided_by_id, self.manager)

    def test_once_asked_for_nothing_more_asks_for_the_old_sum(self):
        """A call or a letter that waited is stopped at once, not by the next night."""
        [contact] = self.env["health.contact"]._record(
            [
                {
                    "company_id": self.nurse.id,
                    "partner_id": self.patient.id,
                    "channel": "phone",
                    "kind": "reminder",
                    "state": "planned",
                    "share_ids": [fields.Command.set(self.shares.ids)],
                }
            ]
        )
        self.ask(6000, user=self.biller)
        self.assertEqual(contact.state, "cancelled")
        self.assertTrue(contact.state_reason)
        self.assertEqual(set(self.shares.mapped("dunning_hold")), {"agreement"})

    def test_what_changed_since_is_not_approved(self):
        agreement = self.ask(5001, user=self.biller)
        self.pay_cents(1000)
        with self.assertRaises(UserError):
            agreement.with_user(self.manager).action_approve()
        agreement.with_user(self.manager).action_refuse()
        self.assertEqual(agreement.state, "refused")
        self.assertEqual(self.losses(), 0)

    def test_it_is_the_practitioners_money(self):
        floor = self.env["health.parameter"].value_of("agreement_consent_from")
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.ask(floor, consent=" ")
        self.assertEqual(self.ask(floor - 1, consent="").state, "done")

    def test_what_makes_no_agreement_is_refused(self):
        for amount in (0, -1, 10001, 20000):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                self.ask(amount)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.ask(100, "once_paid", first_date=self.today - timedelta(days=1))
        with self.assertRaises(UserError):
            self.Agreement._ask_reduction(self.shares, 100, " ", "at_once")
        self.assertFalse(self.Agreement.search([("partner_id", "=", self.patient.id)]))

    def test_a_conciliation_holds_the_reminders_and_stops_the_clock(self):
        agreement = self.Agreement.with_user(self.biller)._open_mediation(
            self.shares.with_user(self.biller), "Conciliateur de justice, Lyon", "the amount"
        )
        self.assertEqual(set(self.shares.mapped("state")), {"disputed"})
        held = self.shares._dunning_guard(self.today)
        self.assertEqual(set(held), set(self.shares))
        with self.assertRaises(UserError):
            agreement._end_mediation(True, "")
        agreement._end_mediation(False, "nobody came")
        self.assertEqual((agreement.state, agreement.outcome), ("failed", "nobody came"))
        self.assertEqual(set(self.shares.mapped("state")), {"due"})
        stops = self.env["health.debt.interruption"].search(
            [("share_ids", "in", self.shares.ids), ("kind", "=", "suspension")]
        )
        self.assertEqual(stops.share_ids, self.shares)

    def test_the_letter_says_what_was_agreed(self):
        agreement = self.ask(2000, "once_paid", count=2)
        html = (
            self.env["ir.actions.report"]
            ._render_qweb_html("health_collections.agreement_letter", agreement.ids)[0]
            .decode()
        )
        for text in ("80,01", "20,00", "000000301", agreement.name):
            self.assertIn(text, html)
        contact = self.env["health.contact"].search(
            [("kind", "=", "agreement"), ("partner_id", "=", self.patient.id)]
        )
        self.assertIn("80,01", contact.body)

    def test_the_wizard_and_the_cockpit(self):
        action = self.shares.with_user(self.biller).action_agreement()
        wizard = (
            self.env["health.agreement.make"]
            .with_user(self.biller)
            .with_context(**action["context"])
            .create(
                {
                    "reduction": euros(6000),
                    "reason": "hard times",
                    "consent": "mail",
                    "when": "at_once",
                }
            )
        )
        self.assertCents(wizard.to_pay, 4001)
        wizard.action_make()
        cards = self.env["health.cockpit"]._cards_patients(self.today)
        card = next(c for c in cards if c["key"] == f"agreements-asked-{self.nurse.id}")
        self.assertEqual((card["count"], cents(card["amount"])), (1, 6000))
