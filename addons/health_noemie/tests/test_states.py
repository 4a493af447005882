"""The state of a share follows from facts alone, whatever the order of events; delays and silence are learnt."""

import random
from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.health_billing.tools import cents, euros

from .common import DAY, NoemieCommon

SENT = DAY - timedelta(days=7)


class Facts:
    """What happened to one share, and what its state must be: written apart from the product."""

    def __init__(self, amount):
        self.amount = amount
        self.paid = 0
        self.sent = False
        self.arl = ""
        self.announced = 0
        self.rejected = False
        self.silent = False
        self.disputed = False
        self.lost = False
        self.replaced = False

    @property
    def state(self):
        if self.replaced:
            return "replaced"
        if self.lost:
            return "written_off"
        if self.paid >= self.amount:
            return "paid"
        for name in ("disputed", "rejected"):
            if getattr(self, name):
                return name
        if self.paid:
            return "partial"
        if self.announced:
            return "announced"
        if not self.sent:
            return "to_send"
        if self.silent:
            return "silent"
        return {
            "negative": "arl_refused",
            "positive": "acknowledged",
            "missing": "arl_missing",
        }.get(self.arl, "sent")

    @property
    def left(self):
        return 0 if self.replaced or self.lost else self.amount - self.paid


@tagged("post_install", "-at_install")
class TestStates(NoemieCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.number = 700
        cls.silence = cls.env["health.payer.delay"]

    # -- events, each on the product and in the facts ------------------------------------------------

    def send(self, fse, facts, _dice):
        if not facts.sent and not facts.replaced:
            fse.lot_id = self.env["health.lot"].create(
                {
                    "name": fse.name.zfill(3),
                    "company_id": self.nurse.id,
                    "date": SENT,
                    "payer_id": self.cpam.id,
                }
            )
            fse.lot_id._set_sent(SENT)
            facts.sent = True

    def arl(self, fse, facts, dice):
        if facts.sent:
            result = dice.choice(("positive", "negative"))
            self.env["health.arl"].create(
                {
                    "company_id": self.nurse.id,
                    "lot_id": fse.lot_id.id,
                    "lot_no": "001",
                    "result": result,
                    "date": SENT + timedelta(days=2),
                }
            )
            facts.arl = result

    def arl_missing(self, fse, facts, _dice):
        if facts.sent and not facts.arl:
            fse.lot_id.arl_missed_on = SENT + timedelta(days=2)
            facts.arl = "missing"

    def night(self, fse, facts, _dice):
        """A night long after the usual delay."""
        self.silence._note_silence(self.nurse, DAY + timedelta(days=90))
        waits = facts.sent and facts.left and not (facts.announced or facts.rejected or facts.paid)
        if waits and not facts.disputed and facts.arl != "negative":
            facts.silent = True
        elif not waits or facts.disputed or facts.arl == "negative":
            facts.silent = False

    def answer(self, fse, facts, state, paid):
        number, self.number = self.number, self.number + 1
        settlement = self.env["health.settlement"].create(
            {
                "key": f"K{number}",
                "company_id": self.nurse.id,
                "transfer_date": DAY,
                "payer_id": self.cpam.id,
                "amount_expected": euros(paid),
            }
        )
        line = self.env["health.settlement.line"].create(
            {
                "settlement_id": settlement.id,
                "invoice_no": fse.name,
                "part": "amo",
                "asked": euros(facts.amount),
                "paid": euros(paid),
                "state": state,
                "fse_id": fse.id,
                "share_id": self.share(fse).id,
            }
        )
        line._announce()
        facts.silent = False
        return line

    def announce(self, fse, facts, dice):
        if facts.sent and not facts.announced:
            amount = dice.choice((facts.amount, facts.amount - 100))
            self.answer(fse, facts, "P", amount)
            facts.announced = amount
            facts.rejected = False

    def reject(self, fse, facts, _dice):
        if facts.sent and not facts.announced:
            line = self.answer(fse, facts, "R", 0)
            self.env["health.rejection"].create(
                {
                    "settlement_line_id": line.id,
                    "share_id": line.share_id.id,
                    "rejected_on": DAY,
                    "part": "amo",
                    "code": "0450",
                }
            )
            facts.rejected = True

    def defer(self, fse, facts, _dice):
        if facts.sent and not facts.announced:
            self.answer(fse, facts, "D", 0)

    def fix(self, fse, facts, _dice):
        self.share(fse).rejection_ids.filtered(lambda one: one.state == "open").action_fixed()
        facts.rejected = False

    def bank(self, fse, facts, dice):
        """Money arrives: an entry reconciled with the invoice, whatever its origin."""
        if not facts.left:
            return
        amount = dice.choice((facts.left, min(150, facts.left)))
        item = self.share(fse)._receivable_items()[self.share(fse).id]
        account = self.nurse._health_account("lump_sum")
        values = self.share(fse)._pair_values("VIR", item, account, -euros(amount))
        move = self.share(fse)._post_entry(self.nurse, "VIR", values, DAY)
        (item + move.line_ids.sorted("id")[0]).reconcile()
        facts.paid += amount

    def undo_bank(self, fse, facts, _dice):
        share = self.share(fse)
        item = share._receivable_items()[share.id]
        partials = item.matched_credit_ids.filtered(
            lambda one: one.credit_move_id.move_id != share.closing_move_id
        )
        if partials and not facts.replaced and not facts.lost:
            partials.unlink()
            facts.paid = 0

    def dispute(self, fse, facts, _dice):
        if facts.left and not facts.disputed:
            self.share(fse)._dispute("why")
            facts.disputed = True

    def end(self, fse, facts, _dice):
        if facts.disputed:
            self.share(fse).action_end_dispute()
            facts.disputed = False

    def lose(self, fse, facts, _dice):
        if facts.left and facts.state != "announced":
            self.share(fse)._write_off("why")
            facts.lost = True
            facts.silent = False

    def find(self, fse, facts, _dice):
        if facts.lost:
            self.share(fse).action_undo_write_off()
            facts.lost = False

    def correct(self, fse, facts, _dice):
        share = self.share(fse)
        if facts.left and facts.sent and share.id not in share._resend_refusals():
            fse._correct()
            facts.replaced = True
            facts.silent = False

    def uncorrect(self, fse, facts, _dice):
        if facts.replaced:
            fse._uncorrect()
            facts.replaced = False
            # whether its rejections open again is theirs to say
            facts.rejected = self.share(fse).is_rejected

    #: with their weights: what opens again comes more often, so that few cases end early
    EVENTS = {
        "send": 6,
        "arl": 2,
        "arl_missing": 2,
        "night": 3,
        "announce": 2,
        "reject": 3,
        "defer": 1,
        "fix": 2,
        "bank": 1,
        "undo_bank": 3,
        "dispute": 1,
        "end": 4,
        "lose": 1,
        "find": 4,
        "correct": 2,
        "uncorrect": 3,
    }

    def test_any_order_of_events(self):
        seen = set()
        for seed in range(6):
            dice = random.Random(seed)
            fse = self.make_fse(self.nurse, str(seed + 1), amo=600, sent_on=False, lot_no=False)
            facts, told = Facts(600), []
            for _step in range(18):
                [event] = dice.choices([*self.EVENTS], [*self.EVENTS.values()])
                told.append(event)
                getattr(self, event)(fse, facts, dice)
                share = self.share(fse)
                seen.add(share.state)
                self.assertEqual(
                    (share.state, cents(share.amount_residual)),
                    (facts.state, facts.left),
                    f"seed {seed}: {' '.join(told)}",
                )
            # what is stored is what the facts make now
            stored = fse.share_ids.mapped("state"), fse.state
            self.env.add_to_compute(fse.share_ids._fields["state"], fse.share_ids)
            self.env.add_to_compute(fse._fields["state"], fse)
            self.assertEqual((fse.share_ids.mapped("state"), fse.state), stored)
        self.assertGreaterEqual(len(seen), 8, seen)

    # -- delays --------------------------------------------------------------------------------------

    def answered(self, count, first, days):
        """FSE sent on a day and answered so many days later."""
        fses = [
            self.make_fse(self.nurse, str(first + n), amo=600, fse_date=SENT) for n in range(count)
        ]
        for fse, late in zip(fses, days, strict=True):
            line = self.answer(fse, Facts(600), "P", 600)
            line.settlement_id.transfer_date = SENT + timedelta(days=late)

    def test_delays_are_learnt_and_silence_follows_them(self):
        self.env["health.parameter"].search([("code", "=", "delay_samples_min")]).value = 10
        day = SENT + timedelta(days=30)
        self.answered(9, 1000, [4] * 9)
        self.silence._learn(day)
        delay = self.silence.search([("payer_id", "=", self.cpam.id), ("part", "=", "amo")])
        self.assertEqual((delay.sample_count, delay.source, delay.usual_days), (9, "prior", 10))
        self.answered(1, 1100, [9])
        self.silence._learn(day)
        self.assertEqual(
            (delay.sample_count, delay.median_days, delay.p90_days, delay.source, delay.usual_days),
            (10, 4, 4, "learnt", 7),
        )
        self.assertEqual(
            self.silence._usual(self.cpam + self.mutuelle, "F", "amo")[self.cpam.id], 7
        )
        self.assertEqual(self.silence._usual(self.mutuelle, "F", "amc"), {self.mutuelle.id: 30})
        waiting, young = (
            self.share(self.make_fse(self.nurse, number, amo=600, fse_date=sent, lot_no=False))
            for number, sent in (("1200", SENT), ("1201", day - timedelta(days=7)))
        )
        self.env["health.cycle"].run(day)
        self.assertEqual((waiting.state, waiting.silent_on, young.state), ("silent", day, "sent"))
        self.env["health.cycle"].run(day)
        self.assertEqual(waiting.silent_on, day)
        # whoever knows better
        manager = self.make_user("chief", "health_billing.group_manager")
        delay.with_user(manager).override_days = 40
        self.assertEqual((delay.source, delay.usual_days), ("manual", 40))
        self.silence._note_silence(self.nurse, day)
        self.assertEqual((waiting.state, waiting.silent_on), ("sent", False))
        delay.override_days = 0
        self.silence._note_silence(self.nurse, day)
        self.assertEqual(waiting.state, "silent")
        # put off by its payer: it answered, and is waited for as long again
        line = self.answer(waiting.fse_id, Facts(600), "D", 0)
        line.settlement_id.transfer_date = day - timedelta(days=3)
        self.assertEqual(waiting.state, "sent")
        self.silence._note_silence(self.nurse, day)
        self.assertEqual(waiting.state, "sent")
        # answers too old teach nothing
        self.silence._learn(day + timedelta(days=400))
        self.assertEqual((delay.sample_count, delay.source), (0, "prior"))

    def test_silence_in_two_writes(self):
        def spent(count, first):
            for number in range(count):
                self.make_fse(self.nurse, str(first + number), amo=600, fse_date=SENT)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.silence._learn(DAY)
            found, _over = self.silence._note_silence(self.nurse, SENT + timedelta(days=50))
            self.env.flush_all()
            self.assertEqual(len(found), count)
            return self.env.cr.sql_log_count - before

        few = spent(3, 2000)
        self.assertLessEqual(spent(20, 2100), few + 3)

    # -- timeline and rights -------------------------------------------------------------------------

    def test_timeline_tells_what_the_payer_said_to_who_may_know(self):
        fse = self.make_fse(self.nurse, "000000900", amo=600, lot_no="001")
        self.drop(
            self.noemie(self.settlement(self.rejected("000000900", 600, label="ALD INCONNUE")))
        )
        biller = self.make_user("biller", "health_billing.group_biller")
        accountant = self.make_user("books", "health_billing.group_accountant")
        share = self.share(fse)
        self.assertIn("ALD INCONNUE", str(share.with_user(biller).timeline))
        self.env.invalidate_all()
        told = str(share.with_user(accountant).timeline)
        self.assertIn("Rejected", told)
        self.assertNotIn("ALD", told)
        kinds = [event["kind"] for event in fse._events()[fse.id]]
        self.assertEqual(sorted(kinds), ["imported", "rejected", "sent"])

    def test_who_may_set_a_delay(self):
        delay = self.silence.create({"payer_id": self.cpam.id, "flow": "F", "part": "amo"})
        for group in ("biller", "practitioner"):
            user = self.make_user(group, f"health_billing.group_{group}")
            self.assertEqual(delay.with_user(user).usual_days, 10)
            with self.assertRaises(AccessError):
                delay.with_user(user).override_days = 5
        for group in ("health_billing.group_accountant", "base.group_user"):
            with self.assertRaises(AccessError):
                delay.with_user(self.make_user(group, group)).read(["usual_days"])
