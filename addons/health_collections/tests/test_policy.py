from datetime import datetime, timedelta
from importlib.util import module_from_spec, spec_from_file_location

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger
from odoo.tools.misc import file_path

from .common import DAY, CollectionsCommon


class ScaleCommon(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls.nurse.credit_policy_id
        cls.levels = cls.policy.level_ids.sorted("level")

    def run_day(self, day=DAY, company=None):
        with freeze_time(datetime.combine(day, datetime.min.time()) + timedelta(hours=3)):
            return (company or self.nurse)._health_run_reminders(day)

    def everything_left(self):
        """Letters are printed, calls are made."""
        lines = self.env["credit.control.line"].search([("state", "=", "to_be_sent")])
        for day, group in lines.grouped("date").items():
            group.write({"state": "sent", "date_sent": day})

    def messages(self):
        return self.env["credit.control.communication"].search(
            [("company_id", "=", self.nurse.id)], order="id"
        )

    def child(self, name, number, **values):
        values = {"health_debtor_id": self.patient.id, "lang": "fr_FR", **values}
        return self.make_patient(self.nurse, name, number, **values)


@tagged("post_install", "-at_install")
class TestScale(ScaleCommon):
    def test_a_household_has_one_message_with_one_link(self):
        children = self.child("DURAND Léa", "2150199999002") + self.child(
            "DURAND Tom", "1170199999003", email="tom@example.org"
        )
        shares = self.late("000701") + self.late("000702", patient_id=children[0].id, patient=840)
        shares += self.late("000703", patient_id=children[1].id, patient=500)
        result = self.run_day()
        self.assertEqual((result["emails"], result["amount"]), (1, 2600))
        message = self.messages()
        self.assertEqual(message.partner_id, self.patient)
        self.assertEqual(message._health_shares(), shares)
        self.assertEqual(message._health_for_whom(), "DURAND Anne, DURAND Léa, DURAND Tom")
        links = self.env["health.payment.link"].search([("company_id", "=", self.nurse.id)])
        self.assertEqual((len(links), links.partner_id), (1, self.patient))
        mail = self.env["mail.mail"].search([("model", "=", "health.contact")])
        self.assertEqual(mail.recipient_ids, self.patient)
        self.assertIn("26,00 €", mail.body_html)
        self.assertIn("DURAND Léa", mail.body_html)
        self.assertEqual(mail.subject, "Rappel : une somme reste à régler")
        self.assertNotIn("plusieurs fois", mail.body_html)

    def test_debts_of_several_ages_go_in_one_kind_message_each_at_its_own_step(self):
        old = self.late("000704")
        self.run_day()
        young = self.late("000705", patient_id=self.child("DURAND Léa", "2150199999002").id)
        result = self.run_day(DAY + timedelta(days=7))
        self.assertEqual(result["emails"], 1)
        message = self.messages()[-1]
        self.assertEqual(message.policy_level_id, self.levels[1])
        levels = {
            line.invoice_id.health_share_id: line.level for line in message.credit_control_line_ids
        }
        self.assertEqual(levels, {old: 2, young: 1})
        mail = self.env["mail.mail"].search([("model", "=", "health.contact")], limit=1)
        self.assertEqual(mail.subject, self.levels[1].health_subject)
        self.assertIn("en plusieurs fois", mail.body_html)
        contacts = self.env["health.contact"].search([("partner_id", "=", self.patient.id)])
        self.assertEqual(set(contacts.mapped("kind")), {"reminder"})
        self.assertEqual(len(contacts), 2)

    def test_a_firm_letter_leaves_out_what_had_no_reminder(self):
        old = self.late("000706", patient=5000)
        for offset in (0, 8, 21):
            self.run_day(DAY + timedelta(days=offset))
            self.everything_left()
        young = self.late("000707", patient=5000)
        self.run_day(DAY + timedelta(days=36))
        message = self.messages()[-1]
        self.assertEqual(message.policy_level_id, self.levels[3])
        self.assertEqual(message._health_shares(), old)
        self.everything_left()
        # the other has its first reminder once the gap between two contacts is over
        self.run_day(DAY + timedelta(days=44))
        message = self.messages()[-1]
        self.assertEqual((message._health_shares(), message.policy_level_id.level), (young, 1))

    def test_formal_notice_only_from_its_least_amount(self):
        small = self.late("000708", patient=2999)
        big = self.late(
            "000709",
            patient=3000,
            patient_id=self.make_patient(
                self.nurse, "MEUNIER Jean", "1600275999003", email="j@example.org"
            ).id,
        )
        for offset in range(0, 90, 8):
            self.run_day(DAY + timedelta(days=offset))
            self.everything_left()
        self.assertEqual(max(self.lines(small).mapped("level")), 4)
        self.assertEqual(max(self.lines(big).mapped("level")), 5)
        notice = self.messages().filtered("health_is_notice")
        self.assertEqual(notice._health_shares(), big)
        contact = self.env["health.contact"].search([("communication_id", "=", notice.id)])
        self.assertEqual((contact.kind, len(contact)), ("notice", 1))
        self.assertIn("mettons en demeure", contact.body)
        self.assertEqual(self.env["health.share"].union(small, big)._dunning_exhausted(), big)
        self.assertIn("Mise en demeure", small.dunning_next)
        self.assertEqual(small.dunning_level_id, self.levels[3])

    def test_an_old_debt_released_today_still_goes_step_by_step_with_pauses(self):
        share = self.late("000710", patient=9000)
        nights = {}
        for offset in range(200, 241):
            self.run_day(DAY + timedelta(days=offset))
            self.everything_left()
        for line in self.lines(share).sorted("id"):
            nights[line.level] = (line.date - DAY).days
        self.assertEqual(nights, {1: 200, 2: 207, 3: 214, 4: 224, 5: 239})

    def test_means_wish_first_then_the_step_then_what_reaches(self):
        address = {"street": "1 rue Haute", "zip": "75001", "city": "Paris"}
        first, call, letter, notice = (self.levels[place] for place in (0, 2, 3, 4))
        everything = {**address, "email": "x@example.org", "phone": "01 23 45 67 89"}
        cases = [
            (everything, first, "email"),
            ({**everything, "health_contact_channel": "letter"}, first, "letter"),
            ({**everything, "health_contact_channel": "phone"}, first, "phone"),
            (everything, call, "phone"),
            (everything, letter, "letter"),
            ({**everything, "health_contact_channel": "email"}, letter, "email"),
            # a registered letter is the proof: the wish does not replace it
            ({**everything, "health_contact_channel": "email"}, notice, "registered"),
            ({"email": "x@example.org"}, notice, "letter"),
            (address, first, "letter"),
            ({"phone": "01 23 45 67 89"}, first, "phone"),
            # no gateway for SMS is set up here
            ({"phone": "06 12 34 56 78", "health_contact_channel": "sms"}, first, "phone"),
            ({"email": "x@example.org", "health_contact_channel": "letter"}, first, "email"),
            ({}, call, "letter"),
            ({"email": "no address at all"}, first, "letter"),
        ]
        for number, (values, level, expected) in enumerate(cases):
            person = self.make_patient(self.nurse, f"P{number}", f"16002759{number:05d}", **values)
            with self.subTest(values=values, level=level.name):
                channels = person._health_channels(self.nurse, {person: level})
                self.assertEqual(channels, {person: expected})

    def test_who_refuses_mails_gets_a_letter(self):
        self.env["mail.blacklist"].sudo()._add(self.patient.email)
        self.late("000711")
        result = self.run_day()
        self.assertEqual(result["channels"], {"letter": 1})

    def test_subject_and_sms_are_those_of_the_step(self):
        self.late("000712")
        self.run_day()
        message = self.messages()
        self.assertEqual(message._health_subject(), "Rappel : une somme reste à régler")
        text = message._health_sms_text("https://x.fr/ma-note/abc")
        self.assertIn("12,60 €", text)
        self.assertTrue(text.endswith("https://x.fr/ma-note/abc"))
        self.assertNotIn("{", text)

    def test_wrong_settings_are_told(self):
        level = self.levels[0]
        with self.assertRaises(ValidationError):
            level.health_sms_text = "Bonjour {nir}"
        with self.assertRaises(ValidationError):
            level.health_sms_text = "Bonjour {"
        with self.assertRaises(ValidationError):
            level.delay_days = -1
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.cr.savepoint():
            level.health_pause_days = -1
            self.env.flush_all()

    def test_enterprise_follow_up_keeps_ours_off(self):
        share = self.late("000713")
        module = self.env["ir.module.module"].search([("name", "=", "account_followup")])
        module = module or self.env["ir.module.module"].create({"name": "account_followup"})
        module.state = "installed"
        result = self.run_day()
        self.assertIn("Enterprise", result["problem"])
        [sentence] = self.env["health.cycle"]._step_reminders(DAY)
        self.assertEqual(sentence, result["problem"])
        self.assertEqual(self.policy.health_problem, result["problem"])
        cards = self.env["health.cockpit"]._cards_patients(DAY)
        self.assertIn("patients-other-followup", [card["key"] for card in cards])
        run = self.env["credit.control.run"].create(
            {"date": DAY, "company_id": self.nurse.id, "policy_ids": [(6, 0, self.policy.ids)]}
        )
        with self.assertRaises(UserError):
            run.generate_credit_lines()
        self.assertFalse(self.lines(share))
        module.state = "uninstalled"
        self.assertFalse(self.run_day()["problem"])
        self.assertTrue(self.lines(share))

    def test_whom_no_address_is_known_of_shows_as_a_card(self):
        self.late("000715")
        nobody = self.make_patient(self.nurse, "PERDU Paul", "1600275999004")
        self.late("000716", patient_id=nobody.id)
        self.run_day()
        key = f"patients-no-address-{self.nurse.id}"
        cards = {card["key"]: card for card in self.env["health.cockpit"]._cards_patients(DAY)}
        self.assertEqual(cards[key]["count"], 1)
        self.assertEqual(self.env["res.partner"].search(cards[key]["action"]["domain"]), nobody)
        nobody.write({"street": "1 rue Haute", "zip": "75001", "city": "Paris"})
        cards = [card["key"] for card in self.env["health.cockpit"]._cards_patients(DAY)]
        self.assertNotIn(key, cards)

    def test_payers_scales_write_to_nobody(self):
        self.late("000714", amo=1890, amc=600, settled=False)
        run = self.env["credit.control.run"].create(
            {
                "date": DAY + timedelta(days=100),
                "company_id": self.nurse.id,
                "policy_ids": [
                    (6, 0, [self.nurse._health_policy(kind).id for kind in ("amc", "amo")])
                ],
            }
        )
        run.generate_credit_lines()
        self.assertFalse(run.line_ids)

    def test_queries_do_not_grow_with_the_shares(self):
        def cost(first, count):
            shares = self.env["health.share"]
            for number in range(first, first + count):
                patient = self.make_patient(
                    self.nurse,
                    f"PATIENT {number}",
                    f"16002{number:08d}",
                    email=f"p{number}@example.org",
                    lang="fr_FR",
                )
                shares += self.late(f"{number:06d}", patient_id=patient.id)
            items = shares.move_id.line_ids.filtered(lambda i: i.display_type == "payment_term")
            run = self.env["credit.control.run"].create(
                {"date": DAY, "company_id": self.nurse.id, "policy_ids": [(6, 0, self.policy.ids)]}
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            messages = self.policy._health_messages(items, DAY)
            lines = self.env["credit.control.line"]._health_make(messages, run, {})
            lines.state = "to_be_sent"
            made = self.env["credit.control.communication"]._generate_comm_from_credit_lines(lines)
            shares.mapped("dunning_next")
            self.env.flush_all()
            self.assertEqual(len(made), count)
            return self.env.cr.sql_log_count - before

        cost(1, 2)  # warm caches
        self.assertEqual(cost(100, 3), cost(200, 30))


@tagged("post_install", "-at_install")
class TestScaleMigration(ScaleCommon):
    """The script that brings a database of the version before to this one."""

    def migrate(self):
        path = file_path("health_collections/migrations/19.0.4.0.0/post-scale.py")
        spec = spec_from_file_location("post_scale", path)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        self.env.flush_all()
        module.migrate(self.env.cr, "19.0.3.0.0")
        self.env.invalidate_all()

    def as_before(self):
        """One level per policy, no kinds, no scales of payers."""
        Policy = self.env["credit.control.policy"].with_context(active_test=False)
        Policy.search(
            [("health_debtor_kind", "in", ("amc", "amo")), ("company_id", "!=", False)]
        ).unlink()
        ours = Policy.search([("health_debtor_kind", "=", "patient")])
        ours.filtered("company_id").level_ids.filtered(lambda level: level.level > 1).unlink()
        ours.level_ids.filtered(lambda level: level.level == 1).write(
            {"health_subject": False, "health_sms_text": False, "health_pause_days": 7}
        )
        ours.health_debtor_kind = False
        (self.nurse + self.physio).sudo().health_policy_token = False

    def test_one_level_becomes_the_scale_and_keeps_what_was_set(self):
        self.as_before()
        first = self.policy.level_ids
        first.write({"delay_days": 21, "custom_text": "Mon texte"})
        share = self.late("000720")
        for _again in range(2):
            self.migrate()
            self.assertEqual(self.policy.health_debtor_kind, "patient")
            self.assertEqual(
                self.policy.level_ids.sorted("level").mapped("channel"),
                ["email", "email", "phone", "letter", "registered"],
            )
            self.assertEqual((first.delay_days, first.custom_text), (21, "Mon texte"))
            self.assertTrue(first.health_subject)
            self.assertEqual(first.health_pause_days, 0)
            for kind in ("amc", "amo"):
                self.assertEqual(self.physio._health_policy(kind).company_id, self.physio)
            self.assertTrue(self.nurse.sudo().health_policy_token)
        self.run_day(DAY + timedelta(days=11))
        self.assertEqual(self.lines(share).policy_level_id, first)

    def test_the_mail_takes_its_subject_from_the_step_unless_somebody_rewrote_it(self):
        template = self.env.ref("health_collections.mail_template_reminder")
        old = "Rappel : une somme reste à régler"
        template.with_user(self.env.ref("base.user_root")).write(
            {"subject": old, "body_html": "<p>Ancien</p>"}
        )
        # what patients read is the French of it
        french = template.with_context(lang="fr_FR")
        french.with_user(self.env.ref("base.user_root")).write(
            {"subject": old, "body_html": "<p>Ancien aussi</p>"}
        )
        self.migrate()
        for one in (template, french):
            self.assertIn("_health_subject", one.subject)
            self.assertNotIn("Ancien", one.body_html)
            self.assertIn("_health_for_whom", one.body_html)
        manager = self.make_user("s_writer", "base.group_system")
        template.write({"subject": old, "body_html": "<p>Le mien</p>"})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mail_template SET write_uid = %s WHERE id = %s", [manager.id, template.id]
        )
        self.env.invalidate_all()
        self.migrate()
        self.assertEqual(template.subject, old)
        self.assertIn("Le mien", template.body_html)

    def test_a_scale_of_ones_own_is_left_alone(self):
        self.as_before()
        self.policy.level_ids.copy({"level": 2, "delay_days": 40, "name": "Le mien"})
        self.migrate()
        self.assertEqual(self.policy.level_ids.sorted("level").mapped("delay_days"), [10, 40])
        self.assertEqual(self.policy.health_debtor_kind, "patient")

    def test_an_old_reminder_goes_on_from_its_step(self):
        share = self.late("000721")
        self.run_day()
        self.as_before()
        self.migrate()
        self.run_day(DAY + timedelta(days=8))
        self.assertEqual(sorted(self.lines(share).mapped("level")), [1, 2])


@tagged("post_install", "-at_install")
class TestWrittenPolicy(HttpCase, ScaleCommon):
    def page(self, company, suffix=""):
        path = "/rappels/" + company.sudo().health_policy_url.rsplit("/", 1)[1] + suffix
        return self.url_open(path)

    def test_the_page_tells_the_settings_and_no_person(self):
        self.late("000730")
        self.levels[0].delay_days = 12
        self.levels[4].unlink()
        response = self.page(self.nurse)
        self.assertEqual(response.status_code, 200)
        text = response.text
        for expected in ("Nurse Test", "practice@example.org", "12", "10,00\xa0€", "3,00\xa0€"):
            self.assertIn(expected, text)
        for secret in ("DURAND", "2990199", "000730", "12,60", "infirm", "AMI"):
            self.assertNotIn(secret, text)
        self.assertNotIn(self.physio.name, text)
        # it is everybody's page
        self.assertNotIn("hc-safe", text)
        self.assertNotIn("hc-safe", self.url_open("/rappels/unknown").text)
        self.assertEqual(text.count("<li>", text.index("hc-steps"), text.index("</ol>")), 4)
        self.policy.do_nothing = True
        self.assertNotIn("hc-steps", self.page(self.nurse).text)

    def test_unknown_address(self):
        response = self.url_open("/rappels/unknown")
        self.assertEqual(response.status_code, 404)
        self.assertNotIn("Nurse Test", response.text)

    def test_sheet_to_print(self):
        html = (
            self.env["ir.actions.report"]
            .with_context(lang="fr_FR")
            ._render_qweb_html("health_collections.written_policy", self.nurse.ids)[0]
            .decode()
        )
        for expected in ("Nurse Test", "Mise en demeure", "30,00\xa0€", "/rappels/"):
            self.assertIn(expected, html)
        action = self.policy.action_health_print_written_policy()
        self.assertEqual(action["report_name"], "health_collections.written_policy")
        self.assertIn("/rappels/", self.policy.action_health_written_policy()["url"])

    def test_roles(self):
        biller = self.make_user("s_biller", "health_billing.group_biller")
        manager = self.make_user("s_manager", "health_billing.group_manager")
        mine = self.make_user("s_nurse", "health_billing.group_practitioner", self.nurse)
        stranger = new_test_user(
            self.env, "s_stranger", groups="base.group_user", company_id=self.agency.id
        )

        def as_user(user, record):
            return record.with_user(user).with_context(
                allowed_company_ids=user.company_ids.ids, lang="en_US"
            )

        as_user(manager, self.levels[0]).health_pause_days = 3
        self.assertEqual(self.levels[0].health_pause_days, 3)
        as_user(biller, self.policy).read(["health_debtor_kind", "health_problem", "level_ids"])
        as_user(mine, self.policy).read(["health_debtor_kind"])
        for user in (biller, mine, stranger):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                as_user(user, self.levels[0]).health_pause_days = 1
        with self.assertRaises(AccessError):
            as_user(stranger, self.policy).read(["name"])
        with self.assertRaises(AccessError):
            as_user(mine, self.physio.credit_policy_id).read(["name"])
        with self.assertRaises(AccessError):
            as_user(biller, self.nurse).read(["health_policy_token"])
        share = self.late("000731")
        self.assertTrue(as_user(biller, share).dunning_next)
        self.assertTrue(as_user(mine, share).dunning_next)
