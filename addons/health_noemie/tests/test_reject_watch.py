"""After three equal rejections a control before sending is proposed, confirmed or dismissed."""

from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged

from .common_fix import CARE, TODAY, FixCommon


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestRejectWatch(FixCommon):
    def watches(self):
        return self.env["health.reject.watch"].search([("company_id", "=", self.nurse.id)])

    def refused(self, count, first, patient=None, label="PRESCRIPTEUR INCONNU", **values):
        fses = self.env["health.fse"]
        for number in range(count):
            who = patient or self.make_patient(self.nurse, "X", f"29901999{first + number:05d}")
            fses |= self.make_fse(
                self.nurse,
                f"{first + number:09d}",
                amo=600,
                patient_id=who.id,
                **{"prescriber_no": "123456782", **values},
            )
        return self.refuse(fses, "0333", label)

    def codes(self, fse):
        fse._control()
        return {
            finding.rule_code: finding.severity
            for finding in fse.finding_ids
            if finding.rule_code.startswith("REJ") and finding.state == "open"
        }

    def test_three_of_one_practitioner(self):
        self.refused(2, 101)
        self.assertFalse(self.watches())
        self.refused(1, 201)
        watch = self.watches()
        self.assertEqual((watch.state, watch.count, watch.patient_id.id), ("proposed", 3, False))
        cards = {card["key"]: card for card in self.env["health.cockpit"]._cards_to_complete(CARE)}
        self.assertEqual(cards[f"watch-{self.nurse.id}"]["count"], 1)
        alike = self.enter(prescriber_no="123456782", amo_partner_id=self.cpam.id)
        other = self.enter(prescriber_no="987654324", amo_partner_id=self.cpam.id)
        self.assertEqual((self.codes(alike), self.codes(other)), ({"REJ-01": "1"}, {}))
        watch.action_confirm()
        self.assertEqual(self.codes(alike), {"REJ-01": "2"})
        message = alike.finding_ids.filtered(lambda f: f.rule_code == "REJ-01").message
        self.assertIn("000000201", message)
        self.assertIn("CPAM Test", message)
        self.assertEqual(watch.finding_count, 1)
        rule = self.env["health.rule"].search([("code", "=", "REJ-01")])
        self.assertTrue(rule.statement)

    def test_three_of_one_patient(self):
        self.refused(3, 101, self.patient, "NIR INCONNU")
        watch = self.watches()
        self.assertEqual(watch.patient_id, self.patient)
        alike = self.enter(amo_partner_id=self.cpam.id)
        self.assertEqual(self.codes(alike), {"REJ-02": "1"})

    def test_dismissed_until_three_more(self):
        self.refused(3, 101)
        watch = self.watches()
        watch.with_user(self.biller).action_dismiss()
        self.assertEqual((watch.state, watch.decided_by_id), ("dismissed", self.biller))
        self.assertFalse(self.codes(self.enter(prescriber_no="123456782")))
        self.refused(2, 201)
        self.assertEqual((watch.state, watch.count), ("dismissed", 5))
        self.refused(1, 301)
        self.assertEqual((watch.state, watch.count), ("proposed", 6))

    def test_unknown_cause_teaches_nothing_before_it_is_classified(self):
        rejections = self.refused(3, 101, label="MOTIF ZZZ")
        self.assertFalse(self.watches())
        action = rejections.code_id.action_classify()
        wizard = self.env["health.reject.classify"].browse(action["res_id"])
        wizard.line_ids.family_id = self.family("rights")
        wizard.action_apply()
        self.assertEqual(self.watches().count, 3)

    def test_who_may_decide(self):
        self.refused(3, 101)
        nurse = self.make_user("nurse", "health_billing.group_practitioner", self.nurse)
        physio = self.make_user("physio", "health_billing.group_practitioner", self.physio)
        with self.assertRaises(AccessError):
            self.watches().with_user(nurse).with_context(
                allowed_company_ids=self.nurse.ids
            ).action_confirm()
        self.assertFalse(
            self.watches()
            .with_user(physio)
            .with_context(allowed_company_ids=self.physio.ids)
            .search([])
        )

    def test_queries_do_not_grow(self):
        def spent(count, first):
            fses = self.env["health.fse"].union(
                *(
                    self.make_fse(
                        self.nurse,
                        f"{first + number:09d}",
                        amo=600,
                        prescriber_no="123456782",
                        sent_on=False,
                    )
                    for number in range(count)
                )
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            found = self.env["health.reject.watch"]._findings(fses)
            self.assertEqual(len(found), count)
            return self.env.cr.sql_log_count - before

        self.refused(3, 101)
        spent(1, 700)
        self.assertLessEqual(spent(30, 900), spent(3, 800))
