from datetime import date, timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from ..ngap import Terms, split
from ..tools import cents
from .common import HealthCommon

DAY = date(2026, 10, 5)


@tagged("post_install", "-at_install")
class CoverageCommon(HealthCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Coverage = cls.env["health.coverage"]

    def case(self, code):
        return self.env.ref(f"health_billing.coverage_case_{code}")

    def ingest(self, *rows):
        inbox = self.env["health.inbox"].ingest("journal.csv", self.journal(*rows))
        self.assertEqual(inbox.state, "done", inbox.message)
        return self.env["health.fse"].search(
            [("name", "in", [row["fse_no"] for row in rows])], order="fse_date, id"
        )

    def row(self, number, day="2026-10-05", rate=60, **values):
        amo = 1260 * rate // 100
        return {
            "fse_no": number,
            "fse_date": day,
            "act_date": day,
            "sent_on": "",
            "lot_no": "",
            "amo_rate": str(rate),
            "amo_amount": f"{amo // 100}.{amo % 100:02d}",
            "patient_amount": f"{(1260 - amo) // 100}.{(1260 - amo) % 100:02d}",
            **values,
        }

    def codes(self, fses):
        return sorted({found["rule_code"] for found in self.Coverage._findings(fses)})

    def periods(self, patient=None):
        coverages = (patient or self.patient).health_coverage_ids.sorted("date_from")
        return coverages.mapped(lambda c: (str(c.date_from), str(c.date_to or ""), c.amo_rate))


@tagged("post_install", "-at_install")
class TestCoverage(CoverageCommon):
    def test_each_case_shares_a_real_fse(self):
        """12.60 €: what fund, insurer and patient owe in each situation."""
        expected = {
            "common": (756, 504, 0),
            "ald": (1260, 0, 0),
            "exempt_care": (1260, 0, 0),
            "maternity": (1260, 0, 0),
            "work": (1260, 0, 0),
            "c2s": (1260, 0, 0),
            "c2s_insurer": (756, 504, 0),
            "ame": (1260, 0, 0),
            "local": (1134, 126, 0),
            "local_ald": (1260, 0, 0),
            "disability": (1260, 0, 0),
            "pension": (1260, 0, 0),
            "military": (1260, 0, 0),
            "special": (1260, 0, 0),
            "aspa": (1260, 0, 0),
            "newborn": (1260, 0, 0),
            "prevention": (1260, 0, 0),
            "unclear": (1260, 0, 0),
        }
        cases = self.env["health.coverage.case"].search([])
        self.assertEqual(set(cases.mapped("code")), set(expected))
        fse = self.make_fse(self.nurse, "1", amo=756, amc=504, checked=False)
        for case in cases:
            with self.subTest(case.code):
                self.assertTrue(case.source)
                coverage = self.make_coverage(
                    self.patient,
                    case_id=case.id,
                    third_party_amc=case.code in ("common", "c2s_insurer", "local"),
                )
                terms = self.Coverage._terms_on({(self.patient.id, DAY)})[self.patient.id, DAY]
                shared = split(cents(fse.act_ids.amount), terms)
                self.assertEqual((shared.amo, shared.amc, shared.patient), expected[case.code])
                coverage.unlink()

    def test_case_fills_the_rates_and_a_person_may_change_them(self):
        coverage = self.make_coverage(self.patient, case_id=self.case("local").id)
        self.assertEqual(
            (coverage.amo_rate, coverage.insurance_nature, coverage.amo_org, coverage.amc_org),
            (90, "13", "019990000", "0099999999"),
        )
        coverage.amo_rate = 85
        self.assertEqual(coverage._terms(DAY), Terms(85, 100, True, False))
        with Form(coverage) as form:
            form.case_id = self.case("ald")
        self.assertEqual((coverage.amo_rate, coverage.exemption), (100, "4"))

    def test_contract_counts_while_it_lasts(self):
        coverage = self.make_coverage(
            self.patient, third_party_amc=True, amc_date_to=date(2026, 10, 10), amc_rate=80
        )
        self.assertEqual(coverage._terms(date(2026, 10, 9)), Terms(60, 80, True, True))
        self.assertEqual(coverage._terms(date(2026, 10, 10)), Terms(60, 0, True, False))
        self.assertIn("Mutuelle Test 32 %", coverage._who_pays(DAY))
        self.assertIn("Patient 8 %", coverage._who_pays(DAY))
        self.assertIn("Patient 40 %", coverage._who_pays(date(2026, 10, 10)))

    def test_wrong_rights_are_refused(self):
        coverage = self.make_coverage(self.patient, date_to=date(2026, 11, 1))
        for values in (
            {"date_from": date(2026, 10, 31)},
            {"date_from": date(2025, 1, 1)},
            {"date_from": date(2027, 1, 1), "date_to": date(2026, 12, 1)},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.make_coverage(self.patient, **values)
        for values in (
            {"amo_rate": 101},
            {"amo_org": "111110000"},
            {"amc_org": "12"},
            {"exemption": "Z"},
            {"case_id": self.case("c2s").id, "third_party_amo": False},
            {"amc_date_from": date(2026, 5, 1), "amc_date_to": date(2026, 5, 1)},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                coverage.write(values)
        self.assertTrue(
            self.make_coverage(self.patient, date_from=date(2026, 11, 1)),
            "the day on which one period ends may begin the next",
        )

    def test_messages_are_french(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        coverage = self.make_coverage(self.patient).with_context(lang="fr_FR")
        with self.assertRaisesRegex(ValidationError, "a deux prises en charge le 01/06/2026"):
            coverage.copy({"date_from": date(2026, 6, 1)})

    def test_on_is_one_query_for_three_or_thirty(self):
        patients = self.env["res.partner"].union(
            *(self.make_patient(self.nurse, f"P{n}", f"29901999990{n:02d}") for n in range(10, 40))
        )
        for patient in patients:
            self.make_coverage(patient)
        for chosen in (patients[:3], patients):
            pairs = {(patient.id, DAY) for patient in chosen} | {(chosen[0].id, date(2020, 1, 1))}
            self.env.flush_all()
            self.env.invalidate_all()
            with self.assertQueryCount(1):
                found = self.Coverage._on(pairs)
            self.assertFalse(found[chosen[0].id, date(2020, 1, 1)])
            self.assertEqual(found[chosen[1].id, DAY].patient_id, chosen[1])

    def test_franchise_is_told_and_never_billed(self):
        coverage = self.make_coverage(self.patient)
        fse = self.make_fse(self.nurse, "1", amo=756, patient=504)
        self.env["health.fse.act"].create(
            {
                "fse_id": fse.id,
                "act_date": DAY,
                "key_letter": "IFD",
                "coefficient_hundredths": 100,
                "amount": 2.75,
            }
        )
        self.assertEqual(self.Coverage._franchise(fse), {self.patient.id: {DAY: 100}})
        coverage.case_id = self.case("c2s")
        self.assertEqual(self.Coverage._franchise(fse), {})
        coverage.case_id = self.case("ald")
        self.assertTrue(self.Coverage._franchise(fse), "the ALD does not exempt")
        self.patient.health_birth_date = DAY - timedelta(days=365 * 10)
        self.assertEqual(self.Coverage._franchise(fse), {})


@tagged("post_install", "-at_install")
class TestCoverageFromFse(CoverageCommon):
    def test_the_same_rights_extend_one_period(self):
        fses = self.ingest(self.row("1"), self.row("2", "2026-10-07"))
        self.assertEqual(self.periods(), [("2026-10-05", "", 60)])
        coverage = self.patient.health_coverage_ids
        self.assertEqual((coverage.origin, str(coverage.seen_on)), ("journal", "2026-10-07"))
        self.assertEqual(coverage.case_id, self.case("common"))
        self.assertEqual(fses.coverage_id, coverage)
        self.ingest(self.row("3", "2026-09-01"))
        self.assertEqual(self.periods(), [("2026-09-01", "", 60)], "an older FSE moves the start")

    def test_other_rights_end_the_period_and_tell_the_change(self):
        self.ingest(self.row("1"))
        late = self.ingest(self.row("2", "2026-10-20", rate=100, exemption="4"))
        self.assertEqual(
            self.periods(), [("2026-10-05", "2026-10-20", 60), ("2026-10-20", "", 100)]
        )
        self.assertEqual(late.coverage_id.case_id, self.case("ald"))
        self.assertIn("60", late.coverage_id.change)
        self.assertIn("100", late.coverage_id.change)

    def test_care_without_relation_to_the_ald_changes_no_rights(self):
        self.ingest(self.row("1", rate=100, exemption="4"))
        other = self.ingest(self.row("2", "2026-10-20"))
        self.assertEqual(self.periods(), [("2026-10-05", "", 100)])
        [found] = [f for f in self.Coverage._findings(other) if f["rule_code"] == "DRO-02"]
        self.assertEqual(found["severity"], "1")

    def test_what_a_person_entered_is_never_overwritten(self):
        coverage = self.make_coverage(self.patient, case_id=self.case("ald").id)
        fse = self.ingest(self.row("1", insurance_nature="13", rate=90))
        self.assertEqual(self.periods(), [("2026-01-01", "", 100)])
        self.assertEqual(fse.coverage_id, coverage)
        self.assertIn("DRO-02", self.codes(fse))

    def test_checked_rights_are_not_changed_by_an_fse(self):
        self.ingest(self.row("1"))
        self.make_proof(self.patient.health_coverage_ids, date=date(2026, 10, 6))
        fse = self.ingest(self.row("2", "2026-10-20", rate=100, exemption="4"))
        self.assertEqual(self.periods(), [("2026-10-05", "", 60)])
        self.assertIn("DRO-02", self.codes(fse))

    def test_c2s_is_never_guessed(self):
        fse = self.ingest(self.row("1", rate=100))
        self.assertEqual(fse.coverage_id.case_id, self.case("unclear"))

    def test_rights_closed_by_a_check_stay_closed(self):
        coverage = self.make_coverage(self.patient)
        self.make_proof(coverage, date=date(2026, 10, 2), result="closed")
        fse = self.ingest(self.row("1"))
        self.assertFalse(fse.coverage_id)
        self.assertEqual(self.codes(fse), ["DRO-03"])

    def test_second_import_changes_nothing(self):
        self.ingest(self.row("1"), self.row("2", "2026-10-20", rate=100, exemption="4"))
        before = self.periods()
        self.Coverage._from_fses(self.env["health.fse"].search([("name", "in", ("1", "2"))]))
        self.assertEqual(self.periods(), before)

    def test_queries_do_not_grow(self):
        def rows(first, count):
            return [
                self.row(f"{n}", nir=f"29901{n % 90 + 10:02d}{n:06d}"[:13], last_name=f"N{n}")
                for n in range(first, first + count)
            ]

        def queries(fses):
            fses.coverage_id = False
            fses.patient_id.health_coverage_ids.unlink()
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.Coverage._from_fses(fses)
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        few, many = self.ingest(*rows(1000, 3)), self.ingest(*rows(2000, 30))
        queries(few)
        self.assertEqual(queries(few), queries(many))


@tagged("post_install", "-at_install")
class TestCoverageFindings(CoverageCommon):
    def fse(self, number="1", **values):
        return self.make_fse(
            self.nurse,
            number,
            amo=756,
            patient=504,
            **{"checked": False, "sent_on": False, "amo_rate": 60, **values},
        )

    def test_good_rights_say_nothing(self):
        self.make_coverage(self.patient)
        self.assertEqual(self.codes(self.fse()), [])

    def test_no_rights_or_other_rights(self):
        fse = self.fse()
        self.assertEqual(self.codes(fse), ["DRO-01"])
        coverage = self.make_coverage(self.patient, case_id=self.case("local").id)
        [found] = self.Coverage._findings(fse)
        self.assertEqual((found["rule_code"], found["severity"]), ("DRO-02", "2"))
        self.assertIn("90", found["message"])
        coverage.write({"case_id": self.case("common").id})
        self.assertEqual(self.codes(fse), [])
        fse.write({"amc_partner_id": self.mutuelle.id, "amc_org": "0099999999"})
        coverage.amc_date_to = date(2026, 10, 1)
        self.assertEqual(self.codes(fse), ["DRO-04"])

    def test_closed_rights_block(self):
        fse = self.fse()
        coverage = self.make_coverage(self.patient)
        self.make_proof(coverage, date=date(2026, 10, 8), effective_on=DAY, result="closed")
        self.assertEqual(coverage.date_to, DAY)
        [found] = self.Coverage._findings(fse)
        self.assertEqual((found["rule_code"], found["severity"]), ("DRO-03", "3"))

    def test_no_overrun_under_c2s(self):
        self.make_coverage(self.patient, case_id=self.case("c2s").id)
        fse = self.fse(amo_rate=100, overrun=5)
        found = {f["rule_code"]: f for f in self.Coverage._findings(fse)}
        self.assertEqual(found["DRO-05"]["severity"], "3")
        self.assertIn("5,00 €", found["DRO-05"]["message"])
        fse.overrun_qualifier = "DE"
        found = {f["rule_code"]: f for f in self.Coverage._findings(fse)}
        self.assertEqual(
            found["DRO-05"]["severity"], "2", "an exceptional demand passes with a reason"
        )

    def test_wrong_numbers(self):
        self.make_coverage(self.patient)
        fse = self.fse(prescriber_no="10000000018", amo_org="119990000")
        self.patient.health_nir = False
        self.assertEqual(self.codes(fse), ["DRO-02", "DRO-06", "DRO-07", "DRO-08"])

    def test_queries_do_not_grow(self):
        fses = self.env["health.fse"]
        for n in range(10, 40):
            patient = self.make_patient(self.nurse, f"P{n}", f"29901999990{n:02d}")
            if n % 2:
                self.make_coverage(patient)
            fses |= self.fse(f"Q{n}", patient_id=patient.id)

        def queries(chosen, question):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            question(chosen)
            return self.env.cr.sql_log_count - start

        for question in (
            self.Coverage._findings,
            lambda chosen: self.Coverage._obstacles(chosen, DAY),
        ):
            queries(fses[:3], question)
            self.assertEqual(queries(fses[:3], question), queries(fses, question))


@tagged("post_install", "-at_install")
class TestRightsGate(CoverageCommon):
    def fse(self, number="1", **values):
        return self.make_fse(
            self.nurse,
            number,
            amo=756,
            patient=504,
            **{"checked": False, "sent_on": False, "amo_rate": 60, **values},
        )

    def policy(self, value):
        self.env.ref("health_billing.parameter_rights_proof_policy").value = value

    def test_no_fse_leaves_without_a_recent_proof(self):
        fse = self.fse()
        coverage = self.make_coverage(self.patient)
        self.assertIn(fse.id, fse._obstacles(DAY))
        proof = self.make_proof(coverage, date=date(2026, 9, 5))
        self.assertEqual(fse._obstacles(DAY), {}, "30 days old: still good")
        self.assertIn(fse.id, fse._obstacles(DAY + timedelta(days=1)))
        self.assertEqual((coverage.proof_date, coverage.proof_result), (proof.date, "open"))
        self.make_proof(coverage, date=DAY)
        self.assertEqual(fse._obstacles(DAY + timedelta(days=30)), {})

    def test_patient_who_pays_alone_needs_none(self):
        fse = self.make_fse(self.nurse, "2", patient=1260, checked=False, sent_on=False)
        self.assertEqual(fse._obstacles(DAY), {})

    def test_policy_off_warn_block(self):
        fse = self.fse()
        self.make_coverage(self.patient)
        self.policy(0)
        self.assertEqual((fse._obstacles(DAY), self.codes(fse)), ({}, []))
        self.policy(1)
        self.assertEqual((fse._obstacles(DAY), self.codes(fse)), ({}, ["DRO-09"]))
        self.policy(2)
        self.assertEqual((list(fse._obstacles(DAY)), self.codes(fse)), ([fse.id], []))

    def test_override_needs_a_reason_and_is_kept(self):
        fses = self.fse("1") | self.fse("2")
        biller = self.make_user("biller", "health_billing.group_biller")
        Wizard = self.env["health.rights.override"].with_user(biller)
        with self.assertRaises(UserError):
            Wizard.create({"fse_ids": fses.ids, "reason": "  "}).action_override()
        self.assertEqual(len(fses._obstacles(DAY)), 2)
        Wizard.create({"fse_ids": fses.ids, "reason": "Panne ADRi"}).action_override()
        self.assertEqual(fses._obstacles(DAY), {})
        self.assertEqual(fses.rights_override_user_id, biller)
        log = self.patient.message_ids[0]
        self.assertIn("Panne ADRi", log.body)
        self.assertIn("1, 2", log.body)
        self.assertEqual(log.author_id, biller.partner_id)
        sent = self.fse("3", sent_on=DAY)
        with self.assertRaises(UserError):
            Wizard.create({"fse_ids": sent.ids, "reason": "x"}).action_override()

    def test_many_proofs_in_one_go(self):
        other = self.make_patient(self.nurse, "PETIT Jean", "1990199999002")
        coverages = self.make_coverage(self.patient) | self.make_coverage(other)
        wizard = self.env["health.rights.proof.batch"].create(
            {
                "coverage_ids": coverages.ids,
                "date": DAY,
                "note": "Liste ADRi",
                "attachment": "YQ==",
                "attachment_name": "adri.pdf",
            }
        )
        wizard.action_record()
        proofs = coverages.proof_ids
        self.assertEqual(len(proofs), 2)
        self.assertEqual(proofs.mapped("note"), ["Liste ADRi"] * 2)
        self.assertEqual(proofs.attachment_ids.mapped("name"), ["adri.pdf"] * 2)
        self.assertEqual(proofs.user_id, self.env.user)
        with self.assertRaises(UserError):
            proofs[0].with_user(self.make_user("b", "health_billing.group_biller")).write(
                {"result": "closed"}
            )
        wizard.date = date(2999, 1, 1)
        with self.assertRaises(UserError):
            wizard.action_record()

    def test_changed_rights_go_on_under_the_new_situation(self):
        coverage = self.make_coverage(self.patient)
        wizard = self.env["health.rights.proof.batch"].create(
            {"coverage_ids": coverage.ids, "date": DAY, "result": "changed"}
        )
        with self.assertRaises(UserError):
            wizard.action_record()
        wizard.write({"new_case_id": self.case("c2s").id, "effective_on": date(2026, 10, 1)})
        action = wizard.action_record()
        fresh = self.Coverage.browse(action["res_id"])
        self.assertEqual(coverage.date_to, fresh.date_from)
        self.assertEqual((fresh.case_id, fresh.origin), (self.case("c2s"), "proof"))
        self.assertEqual(self.fse()._obstacles(DAY), {}, "the same check says that they are open")

    def test_change_touches_the_claims_that_wait(self):
        fse, sent = self.fse("1"), self.fse("2", sent_on=DAY)
        coverage = self.make_coverage(self.patient)
        self.assertEqual(coverage.unsent_fse_count, 1)
        self.assertNotIn("DRO-02", fse.finding_ids.mapped("rule_code"))
        coverage.case_id = self.case("ald")
        self.assertIn("DRO-02", fse.finding_ids.mapped("rule_code"))
        self.assertFalse(sent.finding_ids, "what has left is not touched")
        self.assertEqual(coverage.action_open_unsent()["domain"], [("id", "in", fse.ids)])
        coverage.case_id = self.case("common")
        self.assertNotIn("DRO-02", fse.finding_ids.mapped("rule_code"))
        with self.assertRaises(UserError):
            coverage.action_resplit()

    def test_entered_fse_are_shared_again_in_one_click(self):
        coverage = self.make_coverage(self.patient, third_party_amc=True)
        fse = self.env["health.fse"].create(
            {
                "name": "E1",
                "company_id": self.nurse.id,
                "patient_id": self.patient.id,
                "fse_date": DAY,
                "amount_total": 12.60,
                "act_ids": [
                    Command.create(
                        {
                            "act_date": DAY,
                            "key_letter": "AMI",
                            "coefficient_hundredths": 400,
                            "amount": 12.60,
                        }
                    )
                ],
            }
        )
        fse._split()
        shares = lambda: sorted(fse.share_ids.mapped(lambda s: (s.debtor_kind, s.amount)))  # noqa: E731
        self.assertEqual(shares(), [("amc", 5.04), ("amo", 7.56)])
        coverage.case_id = self.case("ald")
        self.assertEqual(shares(), [("amc", 5.04), ("amo", 7.56)], "a person decides")
        coverage.action_resplit()
        self.assertEqual(shares(), [("amo", 12.60)])
        self.assertEqual(fse.coverage_id, coverage)

    def test_cards_lead_to_the_rights(self):
        other = self.make_patient(self.nurse, "PETIT Jean", "1990199999002")
        self.fse("1")
        self.fse("2", patient_id=other.id)
        coverages = self.make_coverage(self.patient) | self.make_coverage(other)
        [card] = self.Coverage._cockpit_cards("to_complete", DAY)
        self.assertEqual(card["count"], 2)
        self.assertIn("CPAM Test", card["why"])
        self.assertEqual(self.Coverage.search(card["action"]["domain"]), coverages)
        self.make_proof(coverages, date=DAY)
        self.assertFalse(self.Coverage._cockpit_cards("to_complete", DAY))

    def test_rights_that_end_before_planned_care_make_a_card(self):
        coverage = self.make_coverage(self.patient, date_to=date(2026, 10, 20))
        self.assertFalse(self.Coverage._cockpit_cards("deadlines", DAY), "no care is planned")
        self.env["health.visit"].create({"patient_id": self.patient.id, "day": date(2026, 10, 22)})
        [card] = self.Coverage._cockpit_cards("deadlines", DAY)
        self.assertEqual((card["count"], card["deadline"]), (1, date(2026, 10, 22)))
        self.assertFalse(
            self.Coverage._cockpit_cards("deadlines", date(2026, 9, 1)), "too far away"
        )
        self.make_coverage(self.patient, date_from=coverage.date_to)
        self.assertFalse(self.Coverage._cockpit_cards("deadlines", DAY), "others follow")

    def test_badge_tells_the_age(self):
        coverage = self.make_coverage(self.patient)
        self.assertEqual(coverage.proof_state, "none")
        today = date.today()
        for age, state in ((31, "old"), (0, "fresh")):
            self.make_proof(coverage, date=today - timedelta(days=age))
            self.assertEqual(coverage.proof_state, state)
            self.assertIn(coverage, self.Coverage.search([("proof_state", "=", state)]))
            self.assertNotIn(coverage, self.Coverage.search([("proof_state", "=", "none")]))
        self.assertIn("CPAM Test 60 %", self.patient.health_who_pays)


@tagged("post_install", "-at_install")
class TestCoverageAccess(CoverageCommon):
    MODELS = ("health.coverage", "health.coverage.case", "health.rights.proof", "health.stay")
    WIZARDS = ("health.rights.proof.batch", "health.rights.override")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        other = cls.make_patient(cls.physio, "PETIT Jean", "1990199999002")
        cls.mine = cls.make_coverage(cls.patient, proof_on=DAY)
        cls.foreign = cls.make_coverage(other, proof_on=DAY)
        cls.stays = cls.env["health.stay"].create(
            [
                {"patient_id": patient.id, "kind": "hospital", "date_from": DAY}
                for patient in (cls.patient, other)
            ]
        )

    def as_user(self, user, record):
        return record.with_user(user).with_context(allowed_company_ids=user.company_ids.ids)

    def test_stranger_and_accountant_see_no_rights(self):
        for group in ("base.group_user", "health_billing.group_accountant"):
            user = self.make_user(group, group)
            for model in (*self.MODELS, *self.WIZARDS):
                with self.subTest(f"{group} {model}"), self.assertRaises(AccessError):
                    self.as_user(user, self.env[model]).check_access("create")
            for model in self.MODELS:
                with self.subTest(f"{group} {model}"), self.assertRaises(AccessError):
                    self.as_user(user, self.env[model]).search([])
            with self.assertRaises(AccessError):
                self.as_user(user, self.patient).read(["health_who_pays"])

    def test_practitioner_reads_their_own_only(self):
        user = self.make_user("nurse", "health_billing.group_practitioner", self.nurse)
        self.assertEqual(self.as_user(user, self.Coverage).search([]), self.mine)
        self.assertEqual(
            self.as_user(user, self.env["health.rights.proof"]).search([]), self.mine.proof_ids
        )
        self.assertEqual(self.as_user(user, self.env["health.stay"]).search([]), self.stays[0])
        self.assertIn("CPAM Test", self.as_user(user, self.patient).health_who_pays)
        for record in (self.foreign, self.foreign.proof_ids, self.stays[1]):
            with self.assertRaises(AccessError):
                self.as_user(user, record).read(["patient_id"])
        for record, values in (
            (self.mine, {"amo_rate": 100}),
            (self.mine.proof_ids, {"note": "x"}),
            (self.stays[0], {"name": "x"}),
            (self.case("ald"), {"amo_rate": 50}),
        ):
            with self.assertRaises(AccessError):
                self.as_user(user, record).write(values)
        for model in self.WIZARDS:
            with self.assertRaises(AccessError):
                self.as_user(user, self.env[model]).create({})

    def test_biller_works_and_manager_sets_the_cases(self):
        biller = self.make_user("biller", "health_billing.group_biller")
        self.as_user(biller, self.mine).amo_rate = 100
        self.as_user(biller, self.mine).action_check()
        with self.assertRaises(AccessError):
            self.as_user(biller, self.case("ald")).write({"amo_rate": 50})
        with self.assertRaises(AccessError):
            self.as_user(biller, self.mine.proof_ids).unlink()
        manager = self.make_user("manager", "health_billing.group_manager")
        self.as_user(manager, self.case("ald")).source = "Texte lu"

    def test_wrong_stay_and_wrong_numbers_of_partners(self):
        with self.assertRaises(ValidationError):
            self.stays[0].date_to = DAY
        with self.assertRaises(ValidationError):
            self.cpam.health_org_no = "11999"
        with self.assertRaises(ValidationError):
            self.mutuelle.health_org_no = "12"
        doctor = self.env["res.partner"].create(
            {"name": "Dr", "health_kind": "prescriber", "health_prescriber_no": "10000000017"}
        )
        with self.assertRaises(ValidationError):
            doctor.health_prescriber_no = "10000000018"
        self.patient.health_nir = "7990199999001"
        self.assertTrue(self.patient.health_is_temporary_nir)
