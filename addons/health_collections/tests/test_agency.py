from datetime import timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common_handover import TODAY, HandoverCommon


@tagged("post_install", "-at_install")
class TestAgency(HandoverCommon):
    def switch(self, agreement):
        self.as_user(self.manager, agreement).action_switch_on()

    def test_default_is_the_practitioner_s_own_name(self):
        sender = self.nurse._health_sender()
        self.assertEqual((sender["name"], sender["mentions"]), ("Nurse Test", ""))

    def test_nothing_is_switched_on_before_everything_stands(self):
        agreement = self.set_agreement()
        with self.assertRaises(ValidationError):
            self.switch(agreement)
        setup = self.set_agency()
        for field, value in (
            ("insurer", False),
            ("policy_no", False),
            ("insured_until", TODAY - timedelta(days=1)),
            ("insurance_ids", [(5,)]),
            ("declared_on", TODAY + timedelta(days=1)),
            ("court", False),
            ("declaration_ids", [(5,)]),
            ("account_id", False),
            ("is_account_apart", False),
        ):
            with self.subTest(field=field), self.env.cr.savepoint() as savepoint:
                setup[field] = value
                self.assertTrue(setup.missing)
                with self.assertRaises(ValidationError):
                    self.switch(agreement)
                savepoint.rollback()
                self.env.invalidate_all()
        for field, value in (
            ("date_from", TODAY + timedelta(days=1)),
            ("date_to", TODAY - timedelta(days=1)),
            ("signed_on", TODAY + timedelta(days=1)),
            ("claims", False),
            ("guarantee", False),
            ("fee", False),
            ("remit", False),
            ("remit_days", 0),
            ("remit_days", 32),
            ("document_ids", [(5,)]),
        ):
            with self.subTest(field=field), self.env.cr.savepoint() as savepoint:
                agreement[field] = value
                self.assertTrue(agreement.missing)
                with self.assertRaises(ValidationError):
                    self.switch(agreement)
                savepoint.rollback()
                self.env.invalidate_all()
        self.assertFalse(setup.missing or agreement.missing)
        self.switch(agreement)
        self.assertTrue(self.nurse.health_agent_mode)
        self.assertFalse(self.physio.health_agent_mode)

    def test_the_mode_has_no_back_door(self):
        self.set_agency()
        agreement = self.set_agreement()
        with self.assertRaises(AccessError):
            self.nurse.with_user(self.manager).health_agent_mode = True
        with self.assertRaises(AccessError):
            self.env["res.company"].with_user(self.env.ref("base.user_admin")).browse(
                self.nurse.id
            ).health_agent_mode = True
        with self.assertRaises(AccessError):
            self.as_user(self.biller, agreement).action_switch_on()
        with self.assertRaises(ValidationError):
            self.physio.sudo().health_agent_mode = True

    def test_letters_say_what_the_law_asks(self):
        self.set_agency()
        self.switch(self.set_agreement())
        sender = self.nurse._health_sender()
        self.assertIn(self.agency.name, sender["name"])
        self.assertIn("Nurse Test", sender["name"])
        self.assertIn("5 avenue de l'Agence", sender["address"])
        mentions = sender["mentions"]
        for text in (
            "exerce une activité de recouvrement amiable",
            "pour le compte de Nurse Test",
            "3 rue du Cabinet, 69001 Lyon",
            "5 avenue de l'Agence, 69001 Lyon",
            "Les frais de recouvrement entrepris sans titre exécutoire restent à la charge du créancier",
            "Toute stipulation contraire est réputée non écrite, sauf disposition législative contraire",
            "à la charge du débiteur de mauvaise foi",
        ):
            self.assertIn(text, mentions)
        self.assertNotIn("<", mentions)
        self.assertEqual(self.physio._health_sender()["mentions"], "")

    def test_later_steps_recall_the_first_letter(self):
        self.set_agency()
        self.switch(self.set_agreement())
        self.assertNotIn("Notre lettre", self.nurse._health_sender(self.patient)["mentions"])
        self.patient.ref = "P0042"
        self.env["health.contact"]._record(
            [
                {
                    "company_id": self.nurse.id,
                    "partner_id": self.patient.id,
                    "day": TODAY - timedelta(days=age),
                    "channel": "letter",
                    "kind": "reminder",
                }
                for age in (40, 5, 2)
            ]
        )
        french = self.nurse.with_context(lang="fr_FR")
        self.assertIn(
            "Notre lettre du 24/02/2027, référence P0042.",
            french._health_sender(self.patient)["mentions"],
        )
        self.assertNotIn("24/02/2027", french._health_sender()["mentions"])

    def night(self, offset):
        day = TODAY + timedelta(days=offset)
        with freeze_time(f"{day} 03:00:00"):
            self.nurse._health_run_reminders(day)
        return self.env["credit.control.communication"].search(
            [("company_id", "=", self.nurse.id), ("report_date", "=", day)]
        )

    def mentions(self, communications):
        Report = self.env["report.health_collections.reminder_letter"]
        letters = Report._get_report_values(communications.ids)["letters"]
        return [letters[one.id]["sender"]["mentions"] for one in communications]

    def test_first_contact_of_a_debt_is_a_letter_that_later_ones_recall(self):
        self.set_agency()
        self.switch(self.set_agreement())
        self.patient.write({"health_contact_channel": "email", "ref": "P0042"})
        self.late("000990", patient=9000)
        first = self.night(0)
        self.assertEqual(first.health_channel, "letter")
        with freeze_time(f"{TODAY + timedelta(days=1)} 10:00:00"):
            first.action_health_print_letters()
            # it does not recall itself, even when it is printed again
            [text] = self.mentions(first)
        self.assertIn("Article L111-8", text)
        self.assertNotIn("Notre lettre", text)
        second = self.night(9)
        self.assertEqual(second.health_channel, "email")
        mail = self.env["mail.mail"].search([("model", "=", "health.contact")], limit=1)
        recalled = "Notre lettre du 02/03/2027, référence P0042."
        self.assertIn(recalled, mail.body_html)
        self.assertIn(self.agency.name, mail.body_html)
        # a debt of which nobody has had a letter is told by one, though the person is known
        self.late("000991", patient=9000)
        third = self.night(18)
        self.assertEqual(third.health_channel, "letter")
        self.assertIn(recalled, self.mentions(third)[0])

    def test_in_the_practitioner_s_name_the_first_contact_is_as_the_step_says(self):
        self.late("000992", patient=9000)
        self.assertEqual(self.night(0).health_channel, "email")

    def test_a_plan_is_first_told_by_letter(self):
        self.set_agency()
        self.switch(self.set_agreement())
        share = self.late("000993", patient=9000)
        plan = self.env["health.plan"]._ask(self.patient, self.nurse, share, 2, TODAY)
        [contact] = self.env["health.contact"].search([("kind", "=", "plan")])
        self.assertEqual((contact.channel, contact.state), ("letter", "planned"))
        html = self.env["ir.actions.report"]._render_qweb_html(
            "health_collections.plan_letter", plan.ids
        )[0]
        self.assertIn("L111-8", html.decode())
        self.assertNotIn("Notre lettre", html.decode())
        plan._tell("plan_announced", "plan", TODAY)
        last = self.env["health.contact"].search([("kind", "=", "plan")], order="id desc", limit=1)
        self.assertEqual(last.channel, "email")

    def test_queries_do_not_grow_with_who_is_written_to(self):
        self.set_agency()
        self.switch(self.set_agreement())

        def cost(ranks):
            shares = self.late_many(self.make_patients(ranks))
            debtors = self.env["res.partner"].browse(shares.partner_id.ids)
            debtors.email = "zoe@example.org"
            level = self.nurse._health_policy("patient").level_ids[:1]
            by_debtor = {
                debtor: shares.filtered(lambda s, d=debtor: s.partner_id == d) for debtor in debtors
            }
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            channels = debtors._health_channels(
                self.nurse, dict.fromkeys(debtors, level), by_debtor
            )
            self.assertEqual(set(channels.values()), {"letter"})
            self.nurse._health_senders([(debtor, None) for debtor in debtors])
            return self.env.cr.sql_log_count - before

        cost(range(2))
        self.assertEqual(cost(range(10, 13)), cost(range(20, 50)))

    def test_what_lapses_gives_the_name_back_and_is_told(self):
        setup = self.set_agency()
        agreement = self.set_agreement()
        self.switch(agreement)
        cards = self.as_user(self.manager, self.env["health.cockpit"])._cards_agency
        self.assertFalse(cards(TODAY))
        setup.insured_until = TODAY + timedelta(days=45)
        [card] = cards(TODAY)
        self.assertEqual(card["deadline"], TODAY + timedelta(days=45))
        setup.insured_until = TODAY - timedelta(days=1)
        self.assertEqual(self.nurse._health_sender()["name"], "Nurse Test")
        self.assertTrue(cards(TODAY))
        setup.insured_until = TODAY + timedelta(days=300)
        agreement.date_to = TODAY + timedelta(days=10)
        self.assertEqual([card["deadline"] for card in cards(TODAY)], [agreement.date_to])
        self.assertFalse(self.as_user(self.biller, self.env["health.cockpit"])._cards_agency(TODAY))

    def test_what_serves_is_not_deleted(self):
        setup, agreement = self.set_agency(), self.set_agreement()
        self.switch(agreement)
        for record in (setup, agreement):
            with self.assertRaises(UserError):
                record.unlink()
        self.as_user(self.manager, agreement).action_switch_off()
        self.assertFalse(self.nurse.health_agent_mode)
        (agreement + agreement).unlink()
        setup.unlink()

    def test_set_up_is_that_of_the_agency(self):
        with self.assertRaises(ValidationError):
            self.env["health.agency.setup"].create({"company_id": self.nurse.id})
        with self.assertRaises(ValidationError):
            self.set_agreement(company_id=self.agency.id)
        with self.assertRaises(ValidationError):
            self.set_agreement(date_to=TODAY - timedelta(days=20))


@tagged("post_install", "-at_install")
class TestHandoverAccess(HandoverCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ripe("000981")
        cls.ripe("000982", company=cls.physio, patient_id=cls.physio_patient.id)
        cls.files = cls.propose(cls.nurse + cls.physio)
        cls.hand(cls.files)
        cls.set_agency()
        cls.set_agreement()
        cls.set_agreement(company_id=cls.physio.id)
        cls.news = cls.env["health.handover.return"].create({"content": b"YQ=="})
        cls.users = {
            "practitioner": cls.make_user(
                "h_nurse", "health_billing.group_practitioner", cls.nurse
            ),
            "accountant": cls.make_user("h_accountant", "health_billing.group_accountant"),
            "internal": cls.make_user("h_internal", "base.group_user"),
            "phone": cls.phone,
            "biller": cls.biller,
            "manager": cls.manager,
        }
        cls.models = (
            "health.handover",
            "health.handover.line",
            "health.handover.event",
            "health.handover.pack",
        )

    def test_practitioner_sees_their_own_and_changes_nothing(self):
        user = self.users["practitioner"]
        for model in (*self.models, "health.agency.agreement"):
            with self.subTest(model=model):
                found = self.as_user(user, self.env[model]).search([])
                self.assertEqual(found.company_id, self.nurse)
                with self.assertRaises(AccessError):
                    found[:1].write({"company_id": self.nurse.id})
        theirs = self.files.filtered(lambda file: file.company_id == self.nurse)
        other = self.files - theirs
        with self.assertRaises(AccessError):
            self.as_user(user, other).read(["name"])
        file = self.as_user(user, theirs)
        for act in (
            lambda: file.action_approve(),
            lambda: file.action_make_pack(),
            lambda: file.action_told(),
            lambda: file._withdraw("x"),
            lambda: file._ask_loss("x"),
            lambda: file.action_look_for(),
            lambda: file.pack_id.action_download(),
        ):
            with self.assertRaises(AccessError):
                act()

    def test_others_see_nothing(self):
        for role in ("accountant", "internal", "phone"):
            for model in (
                *self.models,
                "health.handover.return",
                "health.handover.decide",
                "health.handover.propose",
                "health.agency.setup",
                "health.agency.agreement",
            ):
                with self.subTest(role=role, model=model), self.assertRaises(AccessError):
                    self.as_user(self.users[role], self.env[model]).search([])

    def test_zip_is_not_for_strangers(self):
        pack = self.files.pack_id[:1]
        for role in ("accountant", "internal", "phone"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                self.as_user(self.users[role], pack.attachment_id).read(["raw"])

    def test_biller_works_and_manager_keeps_the_papers(self):
        biller, manager = self.users["biller"], self.users["manager"]
        self.assertTrue(self.as_user(biller, self.files)[:1].action_status())
        for model in ("health.agency.setup", "health.agency.agreement"):
            record = self.env[model].search([], limit=1)
            self.assertTrue(self.as_user(biller, record).read(["name"]))
            with self.assertRaises(AccessError):
                self.as_user(biller, record).write({"company_id": record.company_id.id})
            self.as_user(manager, record).write({"company_id": record.company_id.id})
        with self.assertRaises(AccessError):
            self.as_user(biller, self.news).unlink()
        for model in ("health.handover.event", "health.handover.line"):
            with self.assertRaises(AccessError):
                self.as_user(manager, self.env[model].search([], limit=1)).unlink()
