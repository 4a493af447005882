from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import DAY, CollectionsCommon


@tagged("post_install", "-at_install")
class TestAccess(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mine = cls.late("000401")
        cls.other = cls.late("000402", company=cls.physio, patient_id=cls.physio_patient.id)
        for company in cls.nurse + cls.physio:
            company._health_run_reminders(DAY)
        cls.links = cls.env["health.payment.link"].search([])
        cls.biller = cls.make_user("c_biller", "health_billing.group_biller")
        cls.manager = cls.make_user("c_manager", "health_billing.group_manager")
        cls.practitioner = cls.make_user("c_nurse", "health_billing.group_practitioner", cls.nurse)
        cls.accountant = cls.make_user("c_accountant", "health_billing.group_accountant", cls.nurse)
        cls.stranger = new_test_user(
            cls.env, "c_stranger", groups="base.group_user", company_id=cls.agency.id
        )

    def as_user(self, user, model):
        return self.env(
            user=user, context={"allowed_company_ids": user.company_ids.ids, "lang": "en_US"}
        )[model]

    def test_biller(self):
        self.assertTrue(self.as_user(self.biller, "credit.control.line").search([]))
        patient = self.as_user(self.biller, "res.partner").browse(self.patient.id)
        action = patient.action_payment_link()
        link = self.as_user(self.biller, "health.payment.link").browse(
            action["context"]["default_link_id"]
        )
        link.action_revoke()
        self.assertEqual(link.state, "revoked")
        with self.assertRaises(AccessError):
            link.read(["token_hash"])
        with self.assertRaises(AccessError):
            self.as_user(self.biller, "credit.control.policy").search([]).write({"name": "x"})
        self.assertTrue(self.as_user(self.biller, "health.cockpit")._cards_patients(DAY))
        letters = self.as_user(self.biller, "credit.control.communication")
        waiting = letters.search(letters._letters_domain())
        self.assertTrue(waiting)
        self.assertTrue(waiting.action_health_print_letters())

    def test_biller_sends_link(self):
        patient = self.as_user(self.biller, "res.partner").browse(self.patient.id)
        action = patient.action_payment_link()
        wizard = (
            self.as_user(self.biller, "health.payment.link.wizard")
            .with_context(**action["context"])
            .create({})
        )
        wizard.action_send()
        self.assertTrue(self.env["health.contact"].search([("kind", "=", "link")]))

    def test_manager(self):
        policy = self.as_user(self.manager, "credit.control.policy").browse(
            self.nurse.credit_policy_id.id
        )
        policy.level_ids[:1].delay_days = 15
        self.assertEqual(policy.level_ids[:1].delay_days, 15)

    def test_practitioner_sees_own_only_and_changes_nothing(self):
        lines = self.as_user(self.practitioner, "credit.control.line").search([])
        self.assertEqual(lines.company_id, self.nurse)
        links = self.as_user(self.practitioner, "health.payment.link").search([])
        self.assertEqual(links.company_id, self.nurse)
        with self.assertRaises(AccessError):
            links[:1].action_revoke()
        with self.assertRaises(AccessError):
            self.as_user(self.practitioner, "res.partner").browse(
                self.patient.id
            ).action_payment_link()
        with self.assertRaises(AccessError):
            self.as_user(self.practitioner, "credit.control.communication").search(
                []
            ).action_health_print_letters()
        with self.assertRaises(AccessError):
            self.as_user(self.practitioner, "health.payment.link").browse(
                (
                    self.links.filtered(lambda link: link.company_id == self.physio)
                    or self.make_physio_link()
                ).ids
            ).read(["partner_id"])
        share = self.as_user(self.practitioner, "health.share").browse(self.mine.id)
        self.assertEqual(share.dunning_hold, self.mine.dunning_hold)
        self.assertTrue(share.dunning_last_contact)

    def make_physio_link(self):
        return self.env["health.payment.link"]._make_one(self.physio_patient, "hand")[0]

    def test_accountant_sees_no_link(self):
        with self.assertRaises(AccessError):
            self.as_user(self.accountant, "health.payment.link").search([])
        self.assertTrue(
            self.as_user(self.accountant, "health.share").browse(self.mine.id).dunning_last_contact
        )

    def test_stranger_sees_nothing(self):
        for model in (
            "health.payment.link",
            "health.payment.link.wizard",
            "credit.control.line",
            "credit.control.communication",
            "credit.control.run",
        ):
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.as_user(self.stranger, model).search([])
        with self.assertRaises(AccessError):
            self.as_user(self.stranger, "res.partner").browse(self.patient.id).action_payment_link()
        with self.assertRaises(AccessError):
            self.as_user(self.stranger, "health.share").browse(self.mine.id).action_payment_link()

    def test_public_sees_nothing(self):
        public = self.env.ref("base.public_user")
        for model in ("health.payment.link", "health.share", "credit.control.line"):
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(public).search([])
