from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import SesamCommon


@tagged("post_install", "-at_install")
class TestSesamAccess(SesamCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        other = cls.make_patient(cls.physio, "PETIT Jean", "1990199999002")
        kw = {"amo": 600, "sent_on": False, "lot_no": False}
        cls.make_fse(cls.nurse, "1", **kw)
        cls.make_fse(cls.physio, "2", patient_id=other.id, **kw)
        cls.env["health.cycle"].run("2026-10-06")
        lots = cls.env["health.lot"].search([])
        cls.lot = lots.filtered(lambda lot: lot.company_id == cls.nurse)
        cls.other = lots.filtered(lambda lot: lot.company_id == cls.physio)
        cls.users = {
            name: cls.make_user(name, f"health_billing.group_{name}")
            for name in ("biller", "manager", "accountant")
        }
        cls.users["practitioner"] = cls.make_user(
            "prac", "health_billing.group_practitioner", cls.nurse
        )
        cls.users["stranger"] = cls.make_user("stranger", "base.group_user")

    def as_user(self, name, record):
        user = self.users[name]
        return record.with_user(user).with_context(allowed_company_ids=user.company_ids.ids)

    def test_stranger_and_accountant_are_refused(self):
        for name in ("stranger", "accountant"):
            for model in ("health.lot", "health.arl", "health.arl.record"):
                with self.subTest(f"{name} {model}"), self.assertRaises(AccessError):
                    self.as_user(name, self.env[model]).search([])
            with self.assertRaises(AccessError):
                self.as_user(name, self.lot).read(["b2_file"])

    def test_practitioner_reads_their_own_lots_only(self):
        lots = self.as_user("practitioner", self.env["health.lot"]).search([])
        self.assertEqual(lots, self.lot)
        self.assertTrue(lots.b2_file)
        self.assertIn("Fin de lot", lots.b2_dump)
        with self.assertRaises(AccessError):
            self.as_user("practitioner", self.other).read(["name"])
        with self.assertRaises(AccessError):
            lots.action_mark_sent()
        with self.assertRaises(AccessError):
            self.as_user("practitioner", self.env["health.arl"]).create(
                {
                    "company_id": self.nurse.id,
                    "lot_no": "001",
                    "result": "positive",
                    "date": "2026-10-07",
                }
            )

    def test_practitioner_reads_the_dump_of_a_received_file(self):
        content = self.lot.with_context(bin_size=False).b2_file
        inbox = self.env["health.inbox"].create(
            {"filename": "x", "content": content, "company_id": self.nurse.id}
        )
        self.lot.write({"b2_file": False, "b2_inbox_id": inbox.id})
        self.assertIn("Fin de lot", self.as_user("practitioner", self.lot).b2_dump)

    def test_biller_works_lots_but_deletes_none(self):
        lot = self.as_user("biller", self.lot)
        lot.action_mark_sent()
        self.as_user("biller", self.env["health.arl.record"]).create(
            {"lot_ids": [(6, 0, lot.ids)]}
        ).action_record()
        self.assertEqual(lot.state, "acknowledged")
        for record in (lot, lot.arl_ids):
            with self.assertRaises(AccessError):
                record.unlink()
        self.make_fse(self.nurse, "9", amo=100, sent_on=False, lot_no=False)
        self.assertTrue(self.as_user("biller", self.env["health.cycle"]).run("2026-10-07").is_ok)

    def test_biller_of_one_practice_sees_no_other(self):
        only = self.make_user("one", "health_billing.group_biller", self.nurse)
        lots = (
            self.env["health.lot"]
            .with_user(only)
            .with_context(allowed_company_ids=self.nurse.ids)
            .search([])
        )
        self.assertEqual(lots, self.lot)

    def test_manager_may_delete(self):
        self.as_user("manager", self.lot).unlink()
        self.assertFalse(self.lot.exists())

    def test_lots_keep_to_their_practitioner(self):
        fse = self.env["health.fse"].search([("company_id", "=", self.physio.id)], limit=1)
        with self.assertRaises(UserError):
            fse.lot_id = self.lot
