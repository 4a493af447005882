"""Refused FSE go out again under a new number; what stays unpaid is lost or disputed; all of it undone exactly."""

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..tools import cents
from .common_fse import DAY, FseCommon


@tagged("post_install", "-at_install")
class TestCorrection(FseCommon):
    def share(self, fse, kind="amo"):
        return fse.share_ids.filtered(lambda share: share.debtor_kind == kind)

    def pay(self, share, amount=None):
        wizard = (
            self.env["account.payment.register"]
            .with_company(share.company_id)
            .with_context(active_model="account.move", active_ids=share.move_id.ids)
            .create({"amount": amount or share.amount_residual})
        )
        return wizard._create_payments()

    def refused(self, number="500", kind="amo", **values):
        fse = self.make_fse(
            self.nurse, number, **{"amo": 600, "amc": 300, "patient": 100, **values}
        )
        self.share(fse, kind).is_rejected = True
        return fse

    def facts(self, fses):
        """What an undo must bring back."""
        self.env.flush_all()
        self.env.invalidate_all()
        shares = fses.share_ids.sorted("id")
        return [
            (s.state, s.amount_residual, s.closing, s.closing_move_id, s.move_id.payment_state)
            for s in shares
        ] + [(f.state, f.amount_residual, f.replaced_by_ids, f.visit_ids) for f in fses]

    def balances(self):
        groups = self.env["account.move.line"]._read_group(
            [("company_id", "=", self.nurse.id), ("parent_state", "=", "posted")],
            ["account_id"],
            ["balance:sum", "amount_residual:sum"],
        )
        return {
            account.code: (cents(balance), cents(left))
            for account, balance, left in groups
            if cents(balance) or cents(left)
        }

    def test_refused_fse_is_billed_again_under_a_new_number(self):
        fse = self.refused()
        made = fse.with_user(self.biller)._correct()
        self.assertEqual(
            (fse.state, set(fse.share_ids.mapped("state"))), ("replaced", {"replaced"})
        )
        self.assertEqual(fse.amount_residual, 0)
        self.assertEqual((made.state, made.replaces_id, made.kind), ("entered", fse, "F"))
        self.assertFalse(made.sent_on or made.lot_no or made.validated_on)
        self.assertEqual(made.forclusion_date, fse.forclusion_date)
        names = ["act_date", "key_letter", "coefficient_hundredths", "quantity", "amount"]
        self.assertEqual(
            [[act[name] for name in names] for act in made.act_ids],
            [[act[name] for name in names] for act in fse.act_ids],
        )
        self.assertEqual(
            {share.debtor_kind: (share.amount, share.partner_id) for share in made.share_ids},
            {share.debtor_kind: (share.amount, share.partner_id) for share in fse.share_ids},
        )
        notes = fse.share_ids.closing_move_id
        self.assertEqual(sorted(notes.mapped("name")), ["RAMC/500", "RAMO/500", "RPAT/500"])
        self.assertEqual(set(notes.line_ids.mapped("name")), {"FSE 500"})
        self.assertEqual(set(fse.share_ids.move_id.mapped("payment_state")), {"reversed"})
        made.sudo().write({"validated_on": fields.Datetime.now()})
        made._number()
        made.share_ids._post_invoices()
        self.assertGreater(int(made.name), int(fse.name))
        with self.assertRaisesRegex(UserError, "validated|not deleted|booked"):
            fse._uncorrect()

    def test_entered_fse_goes_through_its_control_again_with_its_visits(self):
        visit = self.env["health.visit"].create(
            {
                "company_id": self.nurse.id,
                "patient_id": self.patient.id,
                "day": DAY,
                "state": "done",
                "prescription_id": self.prescription.id,
                "act_ids": [fields.Command.create({"product_id": self.blood.id})],
            }
        )
        fse = self.env["health.fse"]._create_from_visits(visit)
        fse.finding_ids.filtered(lambda f: f.severity == "2")._pass("seen")
        fse.action_validate()
        fse.sent_on = DAY
        self.share(fse).is_rejected = True
        total = fse.amount_total
        before = self.facts(fse)
        action = fse.with_user(self.biller).action_correct()
        made = self.env["health.fse"].browse(action["res_id"])
        self.assertEqual((visit.fse_id, made.prescription_id), (made, self.prescription))
        made._uncorrect()
        self.assertEqual(visit.fse_id, fse)
        self.assertEqual(visit.state, "billed")
        self.assertEqual(self.facts(fse), before)
        made = fse._correct()
        made._compute_all()
        made.finding_ids.filtered(lambda f: f.severity == "2")._pass("seen")
        made.action_validate()
        self.assertEqual((made.state, made.amount_total), ("to_send", total))
        self.assertEqual(self.prescription.sessions_used, 1)

    def test_undo_restores_everything(self):
        fses = self.refused("500") + self.refused("501")
        before, ledger = self.facts(fses), self.balances()
        made = fses._correct()
        self.assertNotEqual(self.balances(), ledger)
        self.assertEqual(made._uncorrect(), fses)
        self.assertFalse(made.exists())
        self.assertEqual(self.facts(fses), before)
        self.assertEqual(self.balances(), ledger)
        # and again, from the old ones, with credit notes of other numbers
        again = fses._correct()
        self.assertEqual(
            sorted(fses.share_ids.closing_move_id.mapped("name"))[:2], ["RAMC/500-2", "RAMC/501-2"]
        )
        again.action_discard()
        self.assertEqual(self.facts(fses), before)

    def test_insurer_alone_refused_makes_a_dre(self):
        self.coverage.write(
            {"amc_partner_id": self.mutuelle.id, "amc_rate": 100, "third_party_amc": True}
        )
        fse = self.refused(kind="amc")
        self.pay(self.share(fse))
        made = fse._correct()
        self.assertEqual((made.kind, made.share_ids.mapped("debtor_kind")), ("D", ["amc"]))
        self.assertEqual(
            [self.share(fse, kind).state for kind in ("amo", "amc", "patient")],
            ["paid", "replaced", "due"],
        )
        self.assertEqual(fse.state, "partial")
        self.assertIn("FSE 500", made.kept_note)
        # the patient still owes the first one
        self.assertFalse(self.share(fse, "patient").is_replaced)
        self.assertTrue(self.share(fse, "amc").is_replaced)
        replaced = self.env["health.share"].search([("is_replaced", "=", True)])
        self.assertEqual(replaced & fse.share_ids, self.share(fse, "amc"))
        made._split()
        self.assertEqual(
            {share.debtor_kind: cents(share.amount) for share in made.share_ids}, {"amc": 400}
        )
        self.pay(self.share(fse, "patient"))
        self.assertEqual(fse.state, "settled")

    def test_what_the_patient_paid_is_not_billed_twice(self):
        fse = self.refused()
        self.pay(self.share(fse, "patient"))
        made = fse._correct()
        self.assertEqual(set(made.share_ids.mapped("debtor_kind")), {"amo", "amc"})
        self.assertEqual((self.share(fse, "patient").state, fse.state), ("paid", "replaced"))
        # rights at 60 % without insurer: the patient owes 4 of 10 euros, 1 of which is paid
        made.coverage_id.amc_partner_id = False
        made._split()
        self.assertEqual(
            {share.debtor_kind: cents(share.amount) for share in made.share_ids},
            {"amo": 600, "patient": 300},
        )

    def test_what_may_not_go_out_again(self):
        fse = self.refused()
        self.share(fse).announced_amount = 6
        self.share(fse).is_rejected = False
        with self.assertRaisesRegex(UserError, "FSE 500.*announced"):
            fse._correct(parts={"amo"})
        paid = self.refused("501")
        self.pay(self.share(paid), 2)
        with self.assertRaisesRegex(UserError, "partly paid"):
            paid._correct()
        gone = self.refused("502")
        self.share(gone).forclusion_date = "2026-01-01"
        with self.assertRaisesRegex(UserError, "31/12/2025"):
            gone._correct()
        settled = self.make_fse(self.nurse, "503", amo=600)
        self.pay(self.share(settled))
        with self.assertRaisesRegex(UserError, "no payer owes"):
            settled._correct()
        twice = self.refused("504")
        twice._correct()
        with self.assertRaisesRegex(UserError, "no payer owes"):
            twice._correct()
        self.assertFalse((fse + paid + gone + settled).replaced_by_ids, "nothing half done")

    def test_one_bad_fse_holds_the_whole_batch_back(self):
        good, bad = self.refused("500"), self.refused("501")
        self.pay(self.share(bad), 2)
        before = self.facts(good)
        with self.assertRaises(UserError):
            (good + bad)._correct()
        self.assertEqual(self.facts(good), before)

    def test_queries_do_not_grow_with_the_number_of_fse(self):
        def spent(count, first):
            fses = self.env["health.fse"].union(
                *(self.refused(str(first + number)) for number in range(count))
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            made = fses._correct()
            self.env.flush_all()
            middle = self.env.cr.sql_log_count
            made._uncorrect()
            self.env.flush_all()
            return middle - before, self.env.cr.sql_log_count - middle

        spent(2, 100)
        few, many = spent(3, 200), spent(15, 300)
        self.assertLessEqual(many[0], few[0] + 30, f"correct: {few} {many}")
        self.assertLessEqual(many[1], few[1] + 30, f"undo: {few} {many}")

    def test_resend_of_another_program_is_proposed_never_linked_silently(self):
        old = self.refused("500")
        new = self.make_fse(
            self.nurse,
            "510",
            amo=600,
            amc=300,
            patient=100,
            sent_on=fields.Date.to_date("2026-10-20"),
        )
        other = self.make_fse(
            self.nurse, "511", amo=700, fse_date=fields.Date.to_date("2026-10-06")
        )
        self.assertEqual((new.twin_ids, other.twin_ids), (old, self.env["health.fse"]))
        self.assertFalse(new.replaces_id)
        before = self.facts(old)
        new.with_user(self.biller).action_link_twin()
        self.assertEqual((new.replaces_id, old.state, new.twin_ids.ids), (old, "replaced", []))
        self.assertEqual(new.state, "sent")
        new.action_unlink_twin()
        self.assertEqual(self.facts(old), before)

    # -- written off, disputed -----------------------------------------------------------------------

    def test_write_off_books_the_loss_and_is_undone(self):
        fses = self.refused("500") + self.refused("501")
        self.pay(self.share(fses[1]), 2)
        shares = self.share(fses[0]) + self.share(fses[1])
        before, ledger = self.facts(fses), self.balances()
        wizard = (
            self.env["health.share.write.off"]
            .with_user(self.biller)
            .with_context(**shares.with_user(self.biller).action_write_off()["context"])
            .create({"reason": "forfeited"})
        )
        self.assertEqual((wizard.count, wizard.amount), (2, 10.0))
        wizard.action_write_off()
        self.assertEqual(shares.mapped("state"), ["written_off"] * 2)
        self.assertEqual(len(shares.closing_move_id), 1)
        account = self.nurse._health_account("write_off")
        lost = shares.closing_move_id.line_ids.filtered(lambda item: item.account_id == account)
        self.assertEqual(cents(sum(lost.mapped("balance"))), 1000)
        self.assertEqual(set(lost.mapped("name")), {"FSE 500", "FSE 501"})
        self.assertEqual(shares.mapped("closing_reason"), ["forfeited"] * 2)
        shares[1].with_user(self.biller).action_undo_write_off()
        self.assertEqual([s.state for s in shares], ["written_off", "rejected"])
        shares[0].action_undo_write_off()
        self.assertEqual(self.facts(fses), before)
        self.assertEqual(self.balances(), ledger)
        kinds = self.share(fses[0]).decision_ids.mapped("kind")
        self.assertEqual(kinds, ["write_off_undone", "written_off"])

    def test_fse_lost_as_a_whole(self):
        fse = self.refused()
        fse.share_ids._write_off("the patient left")
        self.assertEqual((fse.state, fse.amount_residual), ("written_off", 0))

    def test_biller_writes_off_small_amounts_only(self):
        fse = self.refused(amo=5001)
        share = self.share(fse)
        with self.assertRaisesRegex(AccessError, "50,01.*50,00"):
            share.with_user(self.biller)._write_off("too old")
        with self.assertRaises(UserError):
            self.share(fse, "amc").with_user(self.biller)._write_off(" ")
        manager = self.make_user("chief", "health_billing.group_manager")
        share.with_user(manager)._write_off("too old")
        self.assertEqual(share.state, "written_off")
        with self.assertRaises(AccessError):
            share.with_user(self.biller).action_undo_write_off()
        with self.assertRaises(UserError):
            share._write_off("twice")

    def test_dispute_comes_first_and_ends(self):
        fse = self.refused()
        share = self.share(fse).with_user(self.biller)
        self.env["health.share.dispute"].with_user(self.biller).create(
            {"share_ids": share.ids, "reason": "letter of the 5th"}
        ).action_dispute()
        self.assertEqual((share.state, fse.state), ("disputed", "disputed"))
        with self.assertRaisesRegex(UserError, "dispute"):
            fse._correct()
        share.action_end_dispute()
        self.assertEqual((share.state, fse.state), ("rejected", "rejected"))
        with self.assertRaises(UserError):
            share.action_end_dispute()

    # -- what happened -------------------------------------------------------------------------------

    def test_timeline(self):
        fse = self.refused()
        self.pay(self.share(fse, "patient"))
        self.share(fse)._dispute("letter sent")
        self.share(fse).action_end_dispute()
        made = fse._correct()
        events = (fse + made)._events()
        kinds = [event["kind"] for event in events[fse.id]]
        self.assertEqual(
            sorted(set(kinds)),
            ["dispute_ended", "disputed", "imported", "received", "replaced", "sent"],
        )
        self.assertEqual([event["kind"] for event in events[made.id]], ["entered"])
        self.assertIn("FSE 500", events[made.id][0]["text"])
        patient = [event for event in events[fse.id] if event["kind"] == "received"]
        self.assertEqual([event["part"] for event in patient], ["patient"])
        self.assertIn("1,00", patient[0]["text"])
        self.assertIn("letter sent", str(fse.timeline))
        self.assertNotIn("1,00", str(self.share(fse).timeline))
        self.assertIn("1,00", str(self.share(fse, "patient").timeline))

    def test_timeline_queries_do_not_grow(self):
        fses = self.env["health.fse"].union(*(self.refused(str(n)) for n in range(600, 620)))
        fses[:10]._correct()

        def spent(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some._events()
            return self.env.cr.sql_log_count - before

        spent(fses[:1])
        self.assertLessEqual(spent(fses), spent(fses[:2]) + 3)

    # -- rights --------------------------------------------------------------------------------------

    def test_who_may(self):
        fse = self.refused()
        share = self.share(fse)
        share._dispute("letter")
        accountant = self.make_user("books", "health_billing.group_accountant")
        nurse = self.make_user("nurse", "health_billing.group_practitioner", self.nurse)
        other = self.make_user("other", "health_billing.group_practitioner", self.physio)
        plain = self.make_user("plain", "base.group_user")
        for user in (accountant, nurse):
            mine = share.with_user(user).with_context(allowed_company_ids=user.company_ids.ids)
            self.assertEqual(mine.decision_ids.reason, "letter")
            self.assertIn("letter", str(mine.timeline))
            for act in (
                lambda mine=mine: mine._write_off("x"),
                lambda mine=mine: mine._dispute("x"),
                mine.action_end_dispute,
                mine.action_undo_write_off,
                lambda user=user: fse.with_user(user)._correct(),
            ):
                with self.assertRaises(AccessError):
                    act()
            with self.assertRaises(AccessError):
                self.env["health.share.write.off"].with_user(user).create(
                    {"share_ids": share.ids, "reason": "x"}
                )
            with self.assertRaises(AccessError):
                mine.decision_ids.write({"reason": "y"})
        for user in (other, plain):
            with self.assertRaises(AccessError):
                share.decision_ids.with_user(user).with_context(
                    allowed_company_ids=user.company_ids.ids
                ).read(["reason"])
        with self.assertRaises(AccessError):
            share.with_user(self.biller).write({"closing": "written_off"})
        with self.assertRaises(AccessError):
            share.with_user(self.biller).write({"silent_on": DAY})
        with self.assertRaises(AccessError):
            share.decision_ids.with_user(self.biller).unlink()
