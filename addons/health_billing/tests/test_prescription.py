import base64
from datetime import date, timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import HealthCommon, with_key

PDF = b"%PDF-1.4\n%ordonnance\n%%EOF\n"


@tagged("post_install", "-at_install")
class TestPrescription(HealthCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.acts = cls.env["product.product"].search(
            [("health_profession", "=", "infirmier"), ("health_key_letter", "=", "AMI")], limit=3
        )
        cls.doctor = cls.env["res.partner"].create(
            {"name": "Dr Martin", "health_kind": "prescriber"}
        )
        cls.number = with_key("75100001")

    def make(self, **values):
        return self.env["health.prescription"].create(
            {
                "patient_id": self.patient.id,
                "date": "2026-10-01",
                "prescriber_id": self.doctor.id,
                "prescriber_no": self.number,
                "act_ids": [(0, 0, {"product_id": self.acts[0].id, "sessions": 10})],
                **values,
            }
        )

    def visit(self, day, state="done", act=None, **values):
        return self.env["health.visit"].create(
            {
                "patient_id": self.patient.id,
                "day": day,
                "state": state,
                "act_ids": [(0, 0, {"product_id": (act or self.acts[0]).id})],
                **values,
            }
        )

    def cards(self, day):
        return {
            card["key"]: card
            for card in self.env["health.prescription"]._cockpit_cards("to_complete", day)
        }

    def test_until_healed_ends_after_three_months(self):
        self.assertFalse(self.make().date_end)
        healed = self.make(until_healed=True)
        # the last day of the three months still counts
        self.assertEqual(str(healed.date_end), "2027-01-02")
        healed.date_to = "2026-11-01"
        self.assertEqual(str(healed.date_end), "2026-11-01")

    def test_number_of_the_prescriber_is_checked(self):
        with self.assertRaisesRegex(ValidationError, "123456789"):
            self.make(prescriber_no="123456789")

    def test_sessions_used_count_each_passage_once(self):
        prescription = self.make(sessions=10)
        for day in ("2026-10-01", "2026-10-02"):
            self.visit(day, prescription_id=prescription.id)
        self.visit("2026-10-02", prescription_id=prescription.id, passage=2)
        self.visit("2026-10-03", "planned", prescription_id=prescription.id)
        fse = self.make_fse(
            self.nurse, "1", amo=600, fse_date=date(2026, 10, 2), prescription_id=prescription.id
        )
        self.assertEqual(fse.act_ids.passage, 1)
        # the claim bills the first passage of the second day, already counted by its visit
        self.assertEqual((prescription.sessions_used, prescription.sessions_left), (3, 7))

    def test_sessions_of_the_acts_and_renewals(self):
        self.assertEqual(self.make(renewals=2).sessions_allowed, 30)
        self.assertEqual(self.make(sessions=12, renewals=2).sessions_allowed, 12)

    def test_state_of_a_day(self):
        prescription = self.make(until_healed=True)
        self.assertEqual(prescription._state_on(date(2026, 10, 5)), "valid")
        self.assertEqual(prescription._state_on(date(2026, 12, 30)), "ending")
        self.assertEqual(prescription._state_on(date(2027, 1, 1)), "ending")
        self.assertEqual(prescription._state_on(date(2027, 1, 2)), "expired")
        used = self.make(sessions=1)
        self.visit("2026-10-01", prescription_id=used.id)
        self.assertEqual(used._state_on(date(2026, 10, 2)), "expired")

    def test_scan_makes_a_draft_to_complete_once(self):
        Prescription = self.env["health.prescription"].with_company(self.nurse)
        action = Prescription.action_from_scan("o.pdf", base64.b64encode(PDF).decode())
        scan = Prescription.browse(action["res_id"])
        self.assertEqual((scan.state, scan.company_id), ("to_complete", self.nurse))
        self.assertEqual((scan.attachment_ids.name, scan.attachment_ids.raw), ("o.pdf", PDF))
        self.assertEqual(Prescription.action_from_scan("again.pdf", PDF)["res_id"], scan.id)
        self.assertIn(f"prescription-scan-{self.nurse.id}", self.cards(date(2026, 10, 5)))
        with self.assertRaises(UserError):
            scan.action_complete()
        scan.write({"patient_id": self.patient.id, "prescriber_no": self.number})
        scan.action_complete()
        self.assertNotEqual(scan.state, "to_complete")
        with self.assertRaisesRegex(UserError, "virus.exe"):
            Prescription.action_from_scan("virus.exe", b"MZ\x90\x00")

    def test_renewal_copies_the_acts_and_waits_for_its_scan(self):
        prescription = self.make(sessions=10)
        renewal = prescription.browse(prescription.action_renew()["res_id"])
        self.assertEqual(renewal.act_ids.product_id, prescription.act_ids.product_id)
        self.assertEqual((renewal.state, renewal.renewed_id), ("to_complete", prescription))
        self.assertFalse(renewal.attachment_ids)

    def test_prescriptions_that_end_before_the_planned_care_are_told(self):
        day = date(2026, 12, 22)
        prescription = self.make(until_healed=True)
        key = f"prescription-short-{self.nurse.id}"
        self.assertNotIn(key, self.cards(day))
        self.visit("2027-01-04", "planned", prescription_id=prescription.id)
        card = self.cards(day)[key]
        self.assertEqual(card["deadline"], date(2027, 1, 1))
        prescription.action_renew()
        self.assertNotIn(key, self.cards(day))
        short = self.make(sessions=2)
        for offset in range(3):
            self.visit(day + timedelta(days=offset), "planned", prescription_id=short.id)
        self.assertIn(short.id, self.cards(day)[key]["action"]["domain"][0][2])
        plan = self.make(date_to="2026-12-30")
        self.env["health.round.plan"].create(
            {"patient_id": self.patient.id, "date_from": "2026-12-01", "prescription_id": plan.id}
        )
        self.assertIn(plan.id, self.cards(day)[key]["action"]["domain"][0][2])

    def test_care_that_no_prescription_covers_is_found_before_billing(self):
        covered = self.visit("2026-10-05")
        other_act = self.visit("2026-10-06", act=self.acts[1])
        early = self.visit("2026-09-30")
        find = self.env["health.prescription"]._uncovered_visits
        self.assertEqual(find(self.companies), covered + other_act + early)
        prescription = self.make(until_healed=True)
        self.assertEqual(find(self.companies), other_act + early)
        prescription.act_ids.unlink()
        self.assertEqual(find(self.companies), early)
        prescription.is_to_complete = True
        self.assertEqual(len(find(self.companies)), 3)
        self.assertFalse(find(self.physio))

    def test_rights(self):
        prescription = self.make()
        biller = self.make_user("b", "health_billing.group_biller")
        nurse = self.make_user("n", "health_billing.group_practitioner", self.nurse)
        physio = self.make_user("k", "health_billing.group_practitioner", self.physio)
        accountant = self.make_user("a", "health_billing.group_accountant")
        stranger = self.make_user("s", "base.group_user")
        for user in (biller, nurse):
            record = prescription.with_user(user).with_context(
                allowed_company_ids=user.company_ids.ids
            )
            self.assertTrue(record.read(["date", "state", "sessions_left"]))
            record.note = user.login
            action = record.browse().action_from_scan("o.pdf", PDF + user.login.encode())
            self.assertTrue(record.browse(action["res_id"]).attachment_ids.name)
        for user in (physio, accountant, stranger):
            with self.subTest(user.login), self.assertRaises(AccessError):
                prescription.with_user(user).with_context(
                    allowed_company_ids=user.company_ids.ids
                ).read(["date"])
        with self.assertRaises(AccessError):
            prescription.with_user(stranger).action_from_scan("o.pdf", PDF)

    def test_title_names_no_care(self):
        self.assertNotIn(self.acts[0].name, self.make().display_name)

    def test_number_of_queries_does_not_grow(self):
        def count(records):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            records.mapped("state")
            self.cards(date(2026, 10, 5))
            return self.env.cr.sql_log_count - before

        few = self.env["health.prescription"].concat(*(self.make() for _ in range(3)))
        for prescription in few:
            self.visit("2026-10-06", "planned", prescription_id=prescription.id)
        count(few)
        expected = count(few)
        many = few.concat(*(self.make() for _ in range(27)))
        for prescription in many[3:]:
            self.visit("2026-10-06", "planned", prescription_id=prescription.id)
        self.assertEqual(count(many), expected)

    def test_a_scan_chosen_before_saving_is_read_by_everyone_who_reads_the_prescription(self):
        biller = self.make_user("b2", "health_billing.group_biller")
        nurse = self.make_user("n2", "health_billing.group_practitioner", self.nurse)
        scan = (
            self.env["ir.attachment"]
            .with_user(biller)
            .create({"name": "o.pdf", "raw": PDF, "res_model": "health.prescription", "res_id": 0})
        )
        prescription = self.make()
        prescription.with_user(biller).attachment_ids = scan
        self.env.invalidate_all()
        seen = scan.with_user(nurse).with_context(allowed_company_ids=self.nurse.ids)
        self.assertEqual(seen.raw, PDF)
