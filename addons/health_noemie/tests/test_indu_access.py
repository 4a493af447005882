"""Who may see and do what with overpayments."""

from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from .common_indu import InduCommon

CARE_MODELS = ("health.indu.line", "health.indu.proof", "health.indu.letter")


@tagged("post_install", "-at_install")
class TestInduAccess(InduCommon):
    def setUp(self):
        super().setUp()
        self.make_fse(self.nurse, "000000101", amo=6000)
        self.indu = self.make_indu(("000000101", 6000, "contest"), note="Pansement")
        self.indu.action_gather()
        self.send(self.indu, "details", self.indu.received_on)

    def as_user(self, user, companies=None):
        return self.env(
            user=user, context={"allowed_company_ids": (companies or user.company_ids).ids}
        )

    def records(self, env):
        indu = self.indu.with_env(env)
        return {
            "health.indu": indu,
            "health.indu.line": self.indu.line_ids.with_env(env),
            "health.indu.proof": self.indu.proof_ids.with_env(env),
            "health.indu.letter": self.indu.letter_ids.with_env(env),
        }

    def test_biller_does_the_whole_path(self):
        user = self.make_user("biller", "health_billing.group_biller")
        env = self.as_user(user)
        form = Form(env["health.indu"])
        form.company_id = self.nurse.with_env(env)
        form.payer_id = self.cpam.with_env(env)
        form.reference = "X1"
        form.received_on = "2026-10-05"
        form.amount_notified = 60
        indu = form.save()
        self.assertEqual(indu.step, "lines")
        env["health.indu.paste"].create({"indu_id": indu.id, "text": "101;60,00"}).action_add()
        self.assertEqual(indu.line_ids.fse_id.name, "000000101")
        indu.line_ids.action_contest()
        indu.action_gather()
        indu.action_book()
        action = (
            env["health.indu.letter.write"]
            .create({"indu_id": indu.id, "kind": "contest"})
            .action_write()
        )
        letter = env["health.indu.letter"].browse(action["res_id"])
        letter.action_sent()
        self.assertEqual(indu.state, "contested")
        self.assertTrue(env["health.indu.pack"]._of(indu.id))
        self.assertTrue(env["health.cockpit"].data())
        indu.action_unbook()
        self.assertTrue(env["health.cycle"].run().is_ok)
        for model in CARE_MODELS:
            self.assertTrue(Form(self.records(env)[model][:1]))

    def test_practitioner_reads_own_and_writes_nothing(self):
        env = self.as_user(self.make_user("nurse", "health_billing.group_practitioner", self.nurse))
        for records in self.records(env).values():
            self.assertTrue(records.read())
            for operation in ("write", "create", "unlink"):
                with self.assertRaises(AccessError):
                    records.check_access(operation)
        self.assertTrue(Form(self.indu.with_env(env)))
        self.assertTrue(env["health.cockpit"].data())
        for method in ("action_book", "action_unbook", "action_gather"):
            with self.assertRaises(AccessError):
                getattr(self.indu.with_env(env), method)()
        with self.assertRaises(AccessError):
            env["health.indu.repay"].create({"indu_id": self.indu.id})

    def test_accountant_sees_amounts_and_no_care(self):
        env = self.as_user(self.make_user("acc", "health_billing.group_accountant"))
        records = self.records(env)
        indu = records.pop("health.indu")
        self.assertEqual((indu.amount_claimed, indu.amount_contested), (60.0, 60.0))
        for care in records.values():
            with self.assertRaises(AccessError):
                care.read()
        seen = str(indu.read())
        for care in ("Pansement", "000000101", "DURAND"):
            self.assertNotIn(care, seen)
        for name in ("note", "line_ids", "proof_ids", "letter_ids", "chronology"):
            self.assertNotIn(name, indu.fields_get())
        self.assertTrue(Form(indu))
        self.assertTrue(env["health.cockpit"].data())
        with self.assertRaises(AccessError):
            indu.action_book()
        with self.assertRaises(AccessError):
            env["health.indu.pack"]._of(indu.id)

    def test_other_practitioner_sees_nothing(self):
        env = self.as_user(
            self.make_user("physio", "health_billing.group_practitioner", self.physio)
        )
        for model, records in self.records(env).items():
            self.assertFalse(env[model].search([]))
            with self.assertRaises(AccessError):
                records.read()

    def test_biller_of_other_practices_sees_nothing(self):
        user = self.make_user("other", "health_billing.group_biller", self.agency + self.physio)
        for records in self.records(self.as_user(user)).values():
            with self.assertRaises(AccessError):
                records.read()

    def test_strangers_are_refused(self):
        for group in ("base.group_user", "base.group_portal"):
            user = new_test_user(self.env, f"stranger-{group}", groups=group)
            env = self.as_user(user)
            for records in self.records(env).values():
                with self.assertRaises(AccessError):
                    records.read()
            for attachment in self.indu.proof_ids.attachment_ids:
                with self.assertRaises(AccessError):
                    attachment.with_env(env).read(["raw"])

    def test_manager_may_delete(self):
        env = self.as_user(self.make_user("boss", "health_billing.group_manager"))
        self.indu.letter_ids.action_not_sent()
        self.indu.with_env(env).unlink()
        self.assertFalse(self.indu.exists())
