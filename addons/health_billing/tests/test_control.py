from datetime import date, timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .. import ngap
from .common_fse import DAY, FseCommon


@tagged("post_install", "-at_install")
class TestControl(FseCommon):
    """Findings: written, kept, passed, applied; seen by those concerned only."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.practitioner = cls.make_user(
            "nurse_user", "health_billing.group_practitioner", cls.nurse
        )
        cls.other = cls.make_user("physio_user", "health_billing.group_practitioner", cls.physio)
        cls.accountant = cls.make_user("accountant", "health_billing.group_accountant")
        cls.stranger = cls.make_user("stranger", "base.group_user")

    def as_user(self, user, record):
        return record.with_user(user).with_context(allowed_company_ids=user.company_ids.ids)

    # -- writing ------------------------------------------------------------------------------------

    def test_rules_are_listed_with_their_source(self):
        rules = self.env["health.rule"].search([])
        own = rules.filtered(lambda rule: rule.code[:3] in ("DRO", "DEV", "TAR"))
        self.assertEqual(len(own), 13)
        self.assertTrue(all(own.mapped("reference")) and all(own.mapped("statement")))
        # controls taught by rejections are listed by the addon that knows rejections
        rules -= own + rules.filtered(lambda rule: rule.code.startswith("REJ"))
        self.assertEqual(set(rules.mapped("code")), set(ngap.rule_texts()))
        checked = rules.filtered("is_checked")
        self.assertEqual(set(checked.mapped("code")), set(ngap.RULES))
        for rule in rules - checked:
            self.assertEqual(rule.why_unchecked or "", ngap.rule_texts()[rule.code].why_unchecked)
        blocking = rules.filtered(lambda rule: rule.grade == "A")
        self.assertEqual(set(blocking.mapped("severity")), {"3"})
        rules[0].statement = "other"
        self.env["health.rule"]._load()
        self.assertEqual(rules[0].statement, ngap.rule_texts()[rules[0].code].statement)
        for user in (self.biller, self.practitioner):
            with self.assertRaises(AccessError):
                self.as_user(user, rules[0]).write({"severity": "1"})

    def test_same_act_twice_is_found_in_what_was_billed_before(self):
        first = self.validated()
        again = self.enter(acts=[(self.blood, "07:30")])
        again._compute_all()
        found = again.finding_ids.filtered(lambda f: f.rule_code == "GEN-16")
        self.assertEqual(
            (found.severity, found.reference),
            (
                str(int(ngap.rule_texts()["GEN-16"].severity)),
                ngap.rule_texts()["GEN-16"].reference,
            ),
        )
        self.assertFalse(first.finding_ids.filtered(lambda f: f.rule_code == "GEN-16"))

    def test_history_of_the_year_is_looked_at(self):
        """A dependence assessment within the year of another, billed long before, is objected to."""
        products = self.env["health.ngap"]._product_by_code()
        acts = self.env["health.ngap"]._acts()
        code = next(
            code
            for code, act in sorted(acts.items())
            if act.profession == "infirmier" and "bsi_initial" in act.tags and code in products
        )
        product = self.env["product.product"].browse(products[code])
        past = self.make_fse(self.nurse, "11", amo=2500, fse_date=DAY - timedelta(days=120))
        past.act_ids.write(
            {
                "product_id": product.id,
                "key_letter": product.health_key_letter,
                "coefficient_hundredths": product.health_coefficient_hundredths,
            }
        )
        now = self.enter(acts=[(product, "08:00")])
        now._compute_all()
        self.assertIn("INF-12", now.finding_ids.mapped("rule_code"))
        past.act_ids.write({"act_date": DAY - timedelta(days=900)})
        now._control()
        self.assertNotIn("INF-12", now.finding_ids.mapped("rule_code"))

    def test_replaced_fse_counts_no_longer(self):
        refused = self.validated()
        again = self.enter(acts=[(self.blood, "07:30")], replaces_id=refused.id)
        again._compute_all()
        self.assertNotIn("GEN-16", again.finding_ids.mapped("rule_code"))

    def test_passed_stays_passed_and_what_no_longer_holds_goes(self):
        fse = self.enter()
        coverage = self.coverage
        coverage.unlink()
        fse._compute_all()
        warning = fse.finding_ids.filtered(lambda f: f.severity == "2")[:1]
        self.assertTrue(warning, fse.finding_ids.mapped("rule_code"))
        with self.assertRaises(ValidationError):
            warning._pass("  ")
        self.as_user(self.biller, warning)._pass("phoned the fund")
        fse._control()
        self.assertEqual(
            (warning.state, warning.reason, warning.user_id),
            ("passed", "phoned the fund", self.biller),
        )
        self.give_rights(self.patient)
        fse._compute_all()
        self.assertFalse(warning.exists(), "the objection no longer holds")

    def test_many_alike_pass_with_one_reason(self):
        self.coverage.unlink()
        fses = self.env["health.fse"].union(
            *(self.enter(acts=[(self.blood, f"{7 + n:02d}:30")]) for n in range(4))
        )
        for number, fse in enumerate(fses):
            fse.act_ids.passage = number + 1
        fses._compute_all()
        alike = fses.finding_ids.filtered(lambda f: f.rule_code == "DRO-01")
        self.assertEqual(len(alike.fse_id), 4)
        action = self.as_user(self.biller, alike[0]).action_pass()
        wizard = (
            self.env["health.finding.pass"]
            .with_user(self.biller)
            .with_context(**action["context"])
            .create({"reason": "rights seen on paper", "with_alike": True})
        )
        self.assertEqual((wizard.count, wizard.alike_count), (1, len(alike)))
        wizard.action_pass()
        self.assertEqual(set(alike.mapped("state")), {"passed"})
        self.assertEqual(set(alike.mapped("reason")), {"rights seen on paper"})

    # -- proposals ----------------------------------------------------------------------------------

    def propose(self, fse, kind, line=None, **proposal):
        return self.env["health.finding"].create(
            {
                "fse_id": fse.id,
                "act_id": line.id if line else False,
                "rule_code": "INF-01",
                "severity": "1",
                "message": "Another coding is better.",
                "proposal": {
                    "kind": kind,
                    "label": "x",
                    "line": line.id if line else False,
                    **proposal,
                },
                "proposal_label": "x",
            }
        )

    def test_one_click_changes_the_act_and_prices_again(self):
        fse = self.enter()
        fse._compute_all()
        act = fse.act_ids.filtered(lambda a: a.product_id == self.blood)
        finding = self.propose(fse, "replace", act, act="INF-AMI1-02")
        self.as_user(self.biller, finding).action_apply()
        self.assertEqual((act.product_id, act.amount), (self.injection, 3.15))
        self.assertEqual(sum(fse.share_ids.mapped("amount")), fse.amount_total)
        self.assertEqual(finding.state, "applied")
        count = len(fse.act_ids.filtered(lambda a: not a.is_added))
        added = self.propose(fse, "add", act, act="INF-AMI1,5-01")
        added.action_apply()
        self.assertEqual(len(fse.act_ids.filtered(lambda a: not a.is_added)), count + 1)
        new = fse.act_ids.filtered(lambda a: a.product_id == self.blood)
        self.assertEqual(new.act_time, "07:30")
        removed = self.propose(fse, "remove", new)
        removed.action_apply()
        self.assertFalse(new.exists())
        self.assertEqual(len(fse.act_ids.filtered(lambda a: not a.is_added)), count)

    def test_renewal_that_is_taken_is_one_for_pricing_too(self):
        fse = self.enter()
        act = fse.act_ids.filtered(lambda a: a.product_id == self.blood)
        self.propose(fse, "replace", act, factor=70, value="renewal").action_apply()
        self.assertTrue(act.is_renewal)

    def test_proposal_on_an_fse_of_another_program_is_only_shown(self):
        fse = self.make_fse(self.nurse, "21", amo=600, sent_on=False, origin="journal")
        finding = self.propose(fse, "replace", fse.act_ids, act="INF-AMI1-02")
        with self.assertRaises(UserError) as refused:
            finding.action_apply()
        self.assertIn("21", str(refused.exception))
        self.assertEqual(fse.act_ids.mapped("amount"), [6.0])

    # -- imported -----------------------------------------------------------------------------------

    def test_imported_fse_are_controlled_unless_sent(self):
        self.env["health.inbox"].ingest(
            "j.csv",
            self.journal(
                {"fse_no": "51", "sent_on": "", "lot_no": ""},
                {"fse_no": "52", "sent_on": "", "lot_no": ""},
                {"fse_no": "53"},
            ),
        )
        fses = self.env["health.fse"].search([("name", "in", ("51", "52", "53"))]).sorted("name")
        self.assertEqual([bool(fse.controlled_on) for fse in fses], [True, True, False])
        self.assertEqual(set(fses.mapped("amount_total")), {12.6}, "prices are facts")
        twice = fses.finding_ids.filtered(lambda f: f.rule_code == "GEN-16")
        self.assertTrue(twice, "the same act twice on a day, one of the claims not sent")

    # -- rights -------------------------------------------------------------------------------------

    def test_each_role_sees_its_own(self):
        fse = self.enter(prescription_id=False)
        fse.act_ids.prescription_id = False
        fse._compute_all()
        finding = fse.finding_ids[0]
        self.assertTrue(self.as_user(self.biller, finding).read(["message"]))
        self.assertTrue(self.as_user(self.practitioner, finding).read(["message"]))
        for user in (self.other, self.stranger, self.accountant):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.as_user(user, finding).read(["message"])
        for method in ("action_pass", "action_apply"):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(self.as_user(self.practitioner, finding), method)()
        with self.assertRaises(AccessError):
            self.as_user(self.practitioner, finding)._pass("no")
        for model in ("health.finding", "health.rule", "health.finding.pass"):
            with self.subTest(model), self.assertRaises(AccessError):
                self.as_user(self.stranger, self.env[model]).search([])
        for user in (self.stranger, self.other):
            with self.assertRaises(AccessError):
                self.as_user(user, fse)._control()
        with self.assertRaises(AccessError):
            self.as_user(self.practitioner, fse).action_validate()

    # -- cockpit ------------------------------------------------------------------------------------

    def test_cockpit_groups_by_rule(self):
        fses = self.env["health.fse"]
        for hour in ("07:30", "12:00"):
            fses |= self.enter(acts=[(self.blood, hour)], prescription_id=False)
        fses.act_ids.prescription_id = False
        fses[1].act_ids.passage = 2
        fses._compute_all()
        data = self.as_user(self.biller, self.env["health.cockpit"]).data()
        lane = next(lane for lane in data["lanes"] if lane["code"] == "to_complete")
        card = next(card for card in lane["cards"] if card["key"] == "finding-3-GEN-01")
        self.assertEqual(card["count"], 2)
        self.assertIn("€", card["amount"])
        self.assertTrue(
            self.env[card["action"]["res_model"]].search_count(card["action"]["domain"])
        )
        entered = next(c for c in lane["cards"] if c["key"] == f"entered-{self.nurse.id}")
        self.assertEqual(entered["count"], 2)

    # -- what was mended elsewhere ------------------------------------------------------------------

    def codes(self, fse):
        return set(fse.open_finding_ids.mapped("rule_code"))

    def test_an_objection_goes_when_its_cause_is_mended(self):
        """Prescription, rights, agreement, stay: the FSE not sent follow at once, the sent ones stay."""
        sent = self.make_fse(self.nurse, "77", amo=600, checked=False)
        fse = self.enter()
        fse._compute_all()
        self.assertFalse(self.codes(fse) & {"GEN-01", "DRO-01", "GEN-17"}, self.codes(fse))
        biller = self.as_user(self.biller, self.prescription)
        biller.date_to = DAY
        self.assertIn("GEN-01", self.codes(fse))
        biller.date_to = False
        self.assertNotIn("GEN-01", self.codes(fse))
        self.coverage.unlink()
        self.assertIn("DRO-01", self.codes(fse))
        self.give_rights(self.patient)
        self.assertNotIn("DRO-01", self.codes(fse))
        before = self.codes(fse)
        stay = self.env["health.stay"].create(
            {
                "patient_id": self.patient.id,
                "kind": "hospital",
                "date_from": DAY - timedelta(days=2),
                "date_to": DAY + timedelta(days=2),
            }
        )
        self.assertTrue(self.codes(fse) - before, "care during a stay in hospital")
        stay.date_from = DAY + timedelta(days=1)
        self.assertEqual(self.codes(fse), before)
        self.assertFalse(sent.controlled_on)

    def test_an_agreement_lifts_the_objection(self):
        needing = self.env["product.product"].search(
            [
                ("health_profession", "=", "infirmier"),
                ("health_agreement_from", "=", 1),
                ("health_date_from", "=", False),
            ],
            limit=1,
        )
        self.assertTrue(needing)
        fse = self.enter(acts=[(needing, "07:30")])
        fse._compute_all()
        self.assertIn("GEN-03", self.codes(fse))
        agreement = self.env["health.prior.agreement"].create(
            {
                "patient_id": self.patient.id,
                "prescription_id": self.prescription.id,
                "received_on": DAY - timedelta(days=30),
            }
        )
        self.assertNotIn("GEN-03", self.codes(fse))
        agreement.write({"answer": "refused", "answered_on": DAY - timedelta(days=25)})
        self.assertIn("GEN-03", self.codes(fse))

    def test_what_the_agency_changes_of_an_act_reaches_the_rules(self):
        fse = self.enter()
        fse._compute_all()
        self.assertNotIn("GEN-03", self.codes(fse))
        self.blood.health_agreement_from = 1
        self.assertEqual(self.env["health.ngap"]._acts()["INF-AMI1,5-01"].agreement_from, 1)
        fse._control()
        self.assertIn("GEN-03", self.codes(fse))
        self.blood.write({"health_agreement_from": 0, "health_tags": "bilan", "health_minutes": 30})
        act = self.env["health.ngap"]._acts()["INF-AMI1,5-01"]
        self.assertEqual(
            (act.agreement_from, act.tags, act.minutes), (None, frozenset({"bilan"}), 30)
        )
        self.blood.health_date_to = DAY
        self.assertEqual(self.env["health.ngap"]._acts()["INF-AMI1,5-01"].end, DAY)

    def test_every_finding_leads_to_its_rule(self):
        fse = self.enter()
        self.coverage.unlink()
        self.prescription.date_to = DAY
        fse._compute_all()
        self.assertTrue({"DRO-01", "GEN-01"} <= self.codes(fse))
        for finding in fse.finding_ids:
            action = self.as_user(self.practitioner, finding).action_open_rule()
            rule = self.env["health.rule"].browse(action["res_id"])
            self.assertEqual(rule.code, finding.rule_code)
            self.assertTrue(rule.statement and rule.reference)

    def test_mending_many_costs_the_same(self):
        Prescription = self.env["health.prescription"]

        def queries(count, week):
            day = date(2026, 6, 1) + timedelta(days=7 * week)
            patients = [
                self.make_patient(self.nurse, f"M{week}{n}", f"29903{week:02d}999{n:03d}")
                for n in range(count)
            ]
            for number, patient in enumerate(patients):
                self.make_fse(
                    self.nurse,
                    f"9{week}0{number}",
                    amo=600,
                    fse_date=day,
                    sent_on=False,
                    patient_id=patient.id,
                )
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            Prescription.create([{"patient_id": one.id, "date": day} for one in patients])
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        queries(2, 1)
        few, many = queries(3, 2), queries(30, 3)
        self.assertLessEqual(many, few + 3, f"{few} queries for 3, {many} for 30")

    # -- cost ---------------------------------------------------------------------------------------

    def test_queries_do_not_grow_with_fse(self):
        def queries(count, week):
            day = date(2026, 6, 1) + timedelta(days=7 * week)
            fses = self.env["health.fse"].union(
                *(
                    self.make_fse(
                        self.nurse,
                        f"{week}0{n}",
                        amo=600,
                        fse_date=day,
                        sent_on=False,
                        patient_id=self.make_patient(
                            self.nurse, f"Q{week}{n}", f"29902{week:02d}999{n:03d}"
                        ).id,
                    )
                    for n in range(count)
                )
            )
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            fses._control()
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        queries(2, 1)
        few, many = queries(3, 2), queries(30, 3)
        self.assertLessEqual(many, few + 3, f"{few} queries for 3 FSE, {many} for 30")
