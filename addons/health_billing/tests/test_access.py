from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import HealthCommon

MODELS = (
    "health.fse",
    "health.fse.act",
    "health.share",
    "health.inbox",
    "health.cycle",
    "health.parameter",
    "health.ngap.value",
)


@tagged("post_install", "-at_install")
class TestAccess(HealthCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fse = cls.make_fse(cls.nurse, "1", amo=600, patient=400)
        other = cls.make_patient(cls.physio, "PETIT Jean", "1990199999002")
        cls.other_fse = cls.make_fse(cls.physio, "2", amo=600, patient_id=other.id)
        cls.biller = cls.make_user("biller", "health_billing.group_biller")
        cls.accountant = cls.make_user("accountant", "health_billing.group_accountant")
        cls.practitioner = cls.make_user("nurse", "health_billing.group_practitioner", cls.nurse)
        cls.stranger = cls.make_user("stranger", "base.group_user")

    def as_user(self, user, record):
        return record.with_user(user).with_context(allowed_company_ids=user.company_ids.ids)

    def test_stranger_is_refused_everywhere(self):
        for model in MODELS:
            with self.subTest(model), self.assertRaises(AccessError):
                self.as_user(self.stranger, self.env[model]).search([])
        with self.assertRaises(AccessError):
            self.as_user(self.stranger, self.env["health.cockpit"]).data()
        with self.assertRaises(AccessError):
            self.as_user(self.stranger, self.env["health.inbox"]).ingest("a", b"b")
        with self.assertRaises(AccessError):
            self.as_user(self.stranger, self.patient).read(["health_nir"])

    def test_practitioner_sees_only_their_practice(self):
        found = self.as_user(self.practitioner, self.env["health.fse"]).search([])
        self.assertEqual(found, self.fse)
        with self.assertRaises(AccessError):
            self.as_user(self.practitioner, self.other_fse).read(["name"])
        with self.assertRaises(AccessError):
            self.as_user(self.practitioner, self.other_fse.patient_id).read(["name"])
        self.assertEqual(self.as_user(self.practitioner, self.patient).health_nir, "2990199999001")
        with self.assertRaises(AccessError):
            self.as_user(self.practitioner, self.fse).write({"sent_on": "2026-10-07"})
        data = self.as_user(self.practitioner, self.env["health.cockpit"]).data()
        self.assertFalse(data["may_ingest"])
        self.assertEqual(data["practitioners"], 1)

    def test_accountant_sees_money_but_neither_care_nor_nir(self):
        share = self.as_user(self.accountant, self.fse.share_ids[0])
        self.assertTrue(share.read(["name", "amount", "state"]))
        self.assertTrue(self.as_user(self.accountant, self.fse.share_ids.move_id).read(["name"]))
        with self.assertRaises(AccessError):
            self.as_user(self.accountant, self.fse.act_ids).read(["key_letter"])
        with self.assertRaises(AccessError):
            self.as_user(self.accountant, self.patient).read(["health_nir"])
        with self.assertRaises(AccessError):
            self.as_user(self.accountant, self.env["health.inbox"]).search([])

    def test_biller_works_every_practice_but_deletes_nothing(self):
        self.assertEqual(self.as_user(self.biller, self.env["health.fse"]).search_count([]), 2)
        inbox = self.as_user(self.biller, self.env["health.inbox"]).ingest(
            "j.csv", self.journal({"fse_no": "9"})
        )
        self.assertEqual(inbox.state, "done", inbox.message)
        for record in (self.fse, inbox, self.fse.share_ids[0]):
            with self.assertRaises(AccessError):
                self.as_user(self.biller, record).unlink()
        with self.assertRaises(AccessError):
            self.as_user(self.biller, self.env["health.parameter"].search([], limit=1)).write(
                {"value": 1}
            )
        self.assertTrue(self.as_user(self.biller, self.env["health.cockpit"]).data()["may_ingest"])
        self.assertTrue(self.as_user(self.biller, self.env["health.cycle"]).run("2026-11-20").is_ok)
