from datetime import date, datetime, timedelta

from odoo.fields import Command
from odoo.tests import tagged

from .common import DAY, CollectionsCommon


@tagged("post_install", "-at_install")
class TestGuardCases(CollectionsCommon):
    """Each reason to hold a reminder back: it holds, says why, and lets go when it is over."""

    def hold(self, share, day=DAY, **context):
        held = share.with_context(**context)._dunning_guard(day)
        return held.get(share, (False, False))[0]

    def assertHeld(self, share, code, *said, day=DAY):
        held = share._dunning_refresh(day)
        self.assertEqual(held.get(share, (False,))[0], code)
        self.assertEqual(share.dunning_hold, code)
        for words in said:
            self.assertIn(words, share.dunning_hold_reason)

    def credit(self, label="VIR SEPA", amount=12.60, day=DAY, company=None, **values):
        journal = self.env["account.journal"].search(
            [("company_id", "=", (company or self.nurse).id), ("type", "=", "bank")], limit=1
        )
        return self.env["account.bank.statement.line"].create(
            {
                "journal_id": journal.id,
                "date": day,
                "payment_ref": label,
                "amount": amount,
                **values,
            }
        )

    # -- people ------------------------------------------------------------------------------------

    def test_c2s_on_the_day_of_care_or_today(self):
        share = self.late("000101", checked=False)
        c2s = self.env.ref("health_billing.coverage_case_c2s")
        coverage = self.make_coverage(self.patient, case_id=c2s.id, date_to=date(2026, 10, 6))
        self.assertHeld(share, "protected", "Patient protégé")
        # nothing of the rights in what an accountant reads
        self.assertNotIn("C2S", share.dunning_hold_reason)
        self.assertIn("C2S", share.dunning_hold_detail)
        coverage.date_to = date(2026, 10, 5)
        self.assertFalse(self.hold(share), "the rights ended on the day before the care")
        self.make_coverage(
            self.patient,
            case_id=self.env.ref("health_billing.coverage_case_ame").id,
            date_from=DAY,
        )
        self.assertHeld(share, "protected")
        self.assertFalse(self.hold(share, DAY - timedelta(days=1)))

    def test_legal_protection(self):
        share = self.late("000102")
        self.patient.health_legal_protection = "curatorship"
        self.assertHeld(share, "protected")
        self.assertIn("uratelle", share.dunning_hold_detail)
        self.patient.health_legal_protection = False
        self.assertFalse(self.hold(share))

    def test_who_settles_is_protected_too(self):
        share = self.late("000103")
        parent = self.make_patient(self.nurse, "DURAND Paul", "1700199999003")
        self.patient.health_debtor_id = parent
        self.assertFalse(self.hold(share))
        parent.health_legal_protection = "guardianship"
        self.assertEqual(self.hold(share), "protected")
        parent.health_legal_protection = False
        parent.health_deceased_on = DAY
        self.assertEqual(self.hold(share), "deceased")

    def test_deceased(self):
        share = self.late("000104")
        self.patient.health_deceased_on = DAY - timedelta(days=90)
        self.assertHeld(share, "deceased", "décédé")

    def test_in_hospital(self):
        share = self.late("000105")
        stay = self.env["health.stay"].create(
            {"patient_id": self.patient.id, "kind": "hospital", "date_from": DAY}
        )
        self.assertHeld(share, "protected")
        self.assertNotIn("ôpital", share.dunning_hold_reason)
        self.assertFalse(self.hold(share, DAY - timedelta(days=1)), "not yet")
        stay.date_to = DAY + timedelta(days=3)
        self.assertFalse(self.hold(share, DAY + timedelta(days=3)), "back home that day")
        stay.write({"kind": "ehpad_global", "date_to": False})
        self.assertFalse(self.hold(share), "where one lives is no hindrance")

    def test_palliative(self):
        share = self.late("000106")
        self.patient.health_is_palliative = True
        self.assertEqual(self.hold(share), "protected")

    def test_fragile_and_a_small_sum(self):
        share = self.late("000107", checked=False)
        ald = self.env.ref("health_billing.coverage_case_ald")
        self.make_coverage(self.patient, case_id=ald.id)
        self.assertHeld(share, "human_only", "Par une personne")
        self.assertNotIn("ALD", share.dunning_hold_reason)
        self.assertIn("ALD", share.dunning_hold_detail)
        more = self.late("000108", patient=4000, checked=False)
        self.assertFalse((share | more)._dunning_guard(DAY), "52,60 € in all are no small sum")
        # a look at one of them only does not make the sum small
        self.assertFalse(self.hold(share))

    def test_noted_as_fragile(self):
        share = self.late("000109", patient=90000)
        self.patient.health_is_fragile = True
        self.assertHeld(share, "human_only")

    # -- the debt ----------------------------------------------------------------------------------

    def test_dispute(self):
        share, other = self.late("000111"), self.late("000112")
        share._dispute("the patient was away that day")
        self.assertHeld(share, "disputed")
        self.assertFalse(self.hold(other))
        share.action_end_dispute()
        self.assertFalse(self.hold(share))

    def test_quote_not_signed_or_refused(self):
        share = self.late("000113")
        quote = self.env["sale.order"].create(
            {"health_patient_id": self.patient.id, "partner_id": self.patient.id}
        )
        share.fse_id.quote_id = quote
        self.assertHeld(share, "quote", quote.name, "signé")
        quote.action_cancel()
        self.assertHeld(share, "quote", quote.name, "refusé")
        quote.action_draft()
        quote.write({"signed_on": datetime(2026, 10, 1), "signed_by": "Anne", "state": "sale"})
        self.assertFalse(self.hold(share))

    def test_quote_missing_by_control(self):
        share = self.late("000114")
        finding = self.env["health.finding"].create(
            {
                "fse_id": share.fse_id.id,
                "rule_code": "DEV-01",
                "severity": "2",
                "message": "no quote",
            }
        )
        self.assertHeld(share, "quote")
        finding.write({"state": "passed", "reason": "signed on paper"})
        self.assertFalse(self.hold(share))

    def test_question_to_the_practitioner(self):
        share, other = self.late("000115"), self.late("000116")
        question = self.env["health.question"].create(
            {
                "company_id": self.nurse.id,
                "patient_id": self.patient.id,
                "text": "?",
                "fse_id": share.fse_id.id,
            }
        )
        self.assertHeld(share, "question")
        self.assertFalse(self.hold(other), "another FSE of the same patient")
        question.state = "answered"
        self.assertEqual(self.hold(share), "question", "answered is not worked in yet")
        question.state = "processed"
        self.assertFalse(self.hold(share))

    def test_too_old(self):
        share = self.late("000117", fse_date=date(2024, 11, 14), checked=False)
        self.assertFalse(self.hold(share, date(2026, 11, 13)))
        self.assertHeld(share, "time_barred", "14/11/2026")

    # -- payers ------------------------------------------------------------------------------------

    def test_correction_of_the_funds_part_still_open(self):
        """The fund's part was sent again under a new number; the patient's stays on the old one."""
        share = self.late("000121", amo=1890)
        fix = self.make_fse(
            self.nurse, "000122", amo=1890, replaces_id=share.fse_id.id, billed_parts="amo"
        )
        self.assertFalse(share.is_replaced)
        self.assertHeld(share, "amo_pending")
        self.pay(self.share(fix, "amo"))
        self.assertFalse(self.hold(share))

    def test_old_part_of_a_corrected_fse_still_open(self):
        old = self.make_fse(self.nurse, "000123", amo=1890, amc=600)
        self.pay(self.share(old, "amo"))
        share = self.late("000124", replaces_id=old.id, billed_parts="patient")
        self.assertHeld(share, "amc_pending")
        self.pay(self.share(old, "amc"))
        self.assertFalse(self.hold(share))

    def test_insurer_in_dispute(self):
        share = self.late("000125", amo=1890, amc=600, settled=False)
        self.pay(self.share(share.fse_id, "amo"))
        self.share(share.fse_id, "amc")._dispute("says the contract ended")
        self.assertHeld(share, "amc_disputed")

    def test_written_off_payer_is_over(self):
        share = self.late("000126", amo=1890, settled=False)
        self.share(share.fse_id, "amo")._write_off("too late to claim")
        self.assertFalse(self.hold(share))

    # -- the bank ----------------------------------------------------------------------------------

    def test_credit_of_the_exact_amount(self):
        share = self.late("000131")
        line = self.credit(day=date(2026, 11, 2))
        self.assertHeld(share, "bank_credit", "12,60 €", "02/11/2026", "même montant")
        line.amount = 12.61
        self.assertFalse(self.hold(share))

    def test_credit_of_the_sum_of_several_shares(self):
        one, two = self.late("000132"), self.late("000133", patient=740)
        self.credit(amount=20.00)
        self.assertEqual(set((one | two)._dunning_guard(DAY)), {one, two})

    def test_credit_with_a_name(self):
        share = self.late("000134")
        other = self.late("000135", company=self.physio, patient_id=self.physio_patient.id)
        line = self.credit("VIR M. PAUL DURAND", amount=50.00)
        self.assertHeld(share, "bank_credit", "son nom")
        self.assertFalse(self.hold(other), "another practitioner's account")
        line.unlink()
        self.assertFalse(self.hold(share))

    def test_credit_with_the_name_of_who_settles(self):
        share = self.late("000136")
        parent = self.make_patient(self.nurse, "MOREAU Marc", "1700199999004")
        self.patient.health_debtor_id = parent
        self.credit("VIR MOREAU", amount=5.00)
        self.assertEqual(self.hold(share), "bank_credit")

    def test_credit_with_a_number(self):
        share = self.late("000137")
        self.credit("VIREMENT FSE 000137", amount=5.00)
        self.assertHeld(share, "bank_credit", "son numéro")

    def test_credit_with_the_patient_reference(self):
        share = self.late("000138")
        self.credit(f"VIR {self.patient.ref}", amount=5.00)
        self.assertEqual(self.hold(share), "bank_credit")

    def test_credit_of_a_payer_says_nothing(self):
        share = self.late("000139")
        self.credit("VIR SEPA CPAM TEST 2625")
        self.assertFalse(self.hold(share))
        self.credit("VIR", partner_id=self.mutuelle.id)
        self.assertFalse(self.hold(share))

    def test_explained_credit_says_nothing(self):
        share = self.late("000140")
        line = self.credit("VIR DURAND", amount=5.00)
        line.is_reconciled = True
        line.flush_recordset()
        self.assertFalse(self.hold(share))

    def test_money_that_went_out_says_nothing(self):
        share = self.late("000141")
        self.credit("PRLV DURAND", amount=-12.60)
        self.assertFalse(self.hold(share))

    # -- what was said -----------------------------------------------------------------------------

    def test_request_of_the_patient(self):
        share, other = self.late("000151"), self.late("000152")
        request = self.env["health.debtor.request"].create(
            {
                "company_id": self.nurse.id,
                "partner_id": self.patient.id,
                "kind": "callback",
                "share_ids": [Command.link(share.id)],
            }
        )
        self.assertHeld(share, "request", "Demande du")
        self.assertEqual(self.hold(other), "request", "nobody is pressed while they wait for us")
        request.state = "done"
        self.assertFalse(self.hold(share))

    def test_request_of_who_settles(self):
        share = self.late("000153")
        parent = self.make_patient(self.nurse, "MOREAU Marc", "1700199999005")
        self.patient.health_debtor_id = parent
        self.env["health.debtor.request"].create(
            {"company_id": self.nurse.id, "partner_id": parent.id, "kind": "insurer"}
        )
        self.assertEqual(self.hold(share), "request")

    def test_plan(self):
        share = self.late("000154", patient=12000)
        plan = self.env["health.plan"]._ask(self.patient, self.nurse, share, 3, DAY)
        self.assertEqual(plan.state, "running")
        # whenever it falls due, and whatever instalment is late: the plan speaks for itself
        self.assertEqual(self.hold(share, DAY + timedelta(days=200)), "plan")
        self.assertTrue(share.interruption_ids, "a plan acknowledges the debt")
        self.assertEqual(share.prescription_date, date(2028, 11, 14))

    def test_agreement(self):
        share, other = self.late("000172", patient=9000), self.late("000173")
        agreement = (
            self.env["health.agreement"]
            .sudo()
            .create(
                {
                    "company_id": self.nurse.id,
                    "partner_id": self.patient.id,
                    "kind": "reduction",
                    "state": "asked",
                    "owed": 90,
                    "reduction": 30,
                    "reason": "hardship",
                    "asked_on": DAY,
                    "line_ids": [
                        Command.create({"share_id": share.id, "owed": 90, "reduction": 30})
                    ],
                }
            )
        )
        self.assertHeld(share, "agreement", "accord")
        self.assertFalse(self.hold(other))
        agreement.state = "refused"
        self.assertFalse(self.hold(share))

    def test_contact_by_any_channel(self):
        share = self.late("000155")
        common = {
            "company_id": self.nurse.id,
            "partner_id": self.patient.id,
            "channel": "phone",
            "day": DAY - timedelta(days=6),
        }
        contact = self.env["health.contact"]._record([{**common, "kind": "reminder"}])
        self.assertHeld(share, "recent_contact", "15/11/2026")
        for values in (
            {"state": "failed"},
            {"state": "cancelled"},
            {"state": "sent", "kind": "receipt"},
            {"kind": "reminder", "direction": "in"},
        ):
            contact.write(values)
            self.assertFalse(self.hold(share), values)

    def test_contact_with_another_of_the_household(self):
        share = self.late("000156")
        parent = self.make_patient(self.nurse, "MOREAU Marc", "1700199999006")
        sister = self.make_patient(self.nurse, "DURAND Lise", "2120199999007")
        (self.patient | sister).health_debtor_id = parent
        link, _url = self.env["health.payment.link"]._make_one(sister, "email")
        link.sent_on = DAY - timedelta(days=1)
        self.assertEqual(self.hold(share), "recent_contact")

    def test_small_sums_of_a_household_add_up(self):
        sister = self.make_patient(self.nurse, "DURAND Lise", "2120199999008")
        one = self.late("000157", patient=200)
        two = self.late("000158", patient=200, patient_id=sister.id)
        self.assertEqual(len((one | two)._dunning_guard(DAY)), 2)
        sister.health_debtor_id = self.patient
        self.assertFalse((one | two)._dunning_guard(DAY))

    # -- the clock ---------------------------------------------------------------------------------

    def test_hour_of_what_leaves_at_once(self):
        share = self.late("000161")
        for moment, code in (
            (datetime(2026, 11, 14, 6, 59), "wrong_hour"),  # 7:59 in Paris
            (datetime(2026, 11, 14, 7, 0), False),
            (datetime(2026, 11, 14, 19, 0), "wrong_hour"),  # 20:00
            (datetime(2026, 11, 15, 11, 0), "wrong_hour"),  # Sunday
            (datetime(2026, 11, 11, 11, 0), "wrong_hour"),  # armistice
        ):
            with self.subTest(moment=moment):
                self.assertEqual(self.hold(share, dunning_moment=moment), code)
        held = share.with_context(dunning_moment=datetime(2026, 11, 14, 20, 0))._dunning_guard(DAY)
        self.assertIn("16/11/2026 à 09:00", held[share][1])

    def test_next_moment_is_never_on_a_holiday(self):
        Company = self.env["res.company"]
        eve = datetime(2026, 12, 24, 22, 0)
        self.assertEqual(
            Company._health_reminder_time(date(2026, 12, 25), eve), datetime(2026, 12, 26, 8, 0)
        )
        self.assertFalse(self.nurse._health_may_leave(datetime(2026, 12, 25, 10, 0)))
        self.assertTrue(self.nurse._health_may_leave(datetime(2026, 12, 26, 10, 0)))

    def test_hours_of_mayotte(self):
        self.nurse.health_zone = "mayotte"
        self.nurse.partner_id.tz = "Indian/Mayotte"
        # 8:30 there, 6:30 in Paris
        self.assertTrue(self.nurse._health_may_leave(datetime(2026, 11, 14, 5, 30)))
        self.assertFalse(self.physio._health_may_leave(datetime(2026, 11, 14, 5, 30)))

    # -- together ----------------------------------------------------------------------------------

    def test_without(self):
        share = self.late("000171", patient=200)
        link, _url = self.env["health.payment.link"]._make_one(self.patient, "email")
        link.sent_on = DAY
        self.assertEqual(self.hold(share), "recent_contact")
        held = share._dunning_guard(DAY, without=("_guard_recent_contact",))
        self.assertEqual(held[share][0], "small_amount")
        self.assertFalse(
            share._dunning_guard(DAY, without=("_guard_recent_contact", "_guard_small_amount"))
        )

    def test_every_code_has_a_french_label_and_every_guard_exists(self):
        Share = self.env["health.share"].with_context(lang="fr_FR")
        english = dict(self.env["health.share"]._fields["dunning_hold"].selection)
        french = dict(Share._fields["dunning_hold"]._description_selection(Share.env))
        self.assertEqual([code for code in english if english[code] == french[code]], [])
        for name in Share._dunning_guards():
            self.assertTrue(callable(getattr(Share, name)), name)

    def test_same_number_of_queries_for_many(self):
        """Situations of every kind, three times and thirty times."""

        ald = self.env.ref("health_billing.coverage_case_ald")
        journal = self.env["account.journal"].search(
            [("company_id", "=", self.nurse.id), ("type", "=", "bank")], limit=1
        )

        def make(start, count):
            ranks = range(start, start + count)
            patients = self.make_patients(ranks)
            shares = self.late_many(patients, amo=0)
            patients[::3].health_is_fragile = True
            self.env["health.coverage"].create(
                [
                    {"patient_id": one.id, "case_id": ald.id, "date_from": date(2026, 1, 1)}
                    for one in patients[1::3]
                ]
            )
            self.env["account.bank.statement.line"].create(
                [
                    {
                        "journal_id": journal.id,
                        "date": DAY,
                        "payment_ref": f"VIR {one.name.split()[0]}",
                        "amount": 1.0,
                    }
                    for one in patients[2::3]
                ]
            )
            return shares

        few, many = make(0, 3), make(100, 30)
        self.env.flush_all()
        few._dunning_guard(DAY)

        def queries(shares):
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            held = shares._dunning_guard(DAY)
            self.assertEqual(len(held), len(shares))
            return self.env.cr.sql_log_count - start

        self.assertEqual(queries(few), queries(many))
