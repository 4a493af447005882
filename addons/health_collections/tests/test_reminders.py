import re
from datetime import date, datetime, timedelta

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.health_billing.tools import cents

from .common import DAY, CollectionsCommon


@tagged("post_install", "-at_install")
class TestReminders(CollectionsCommon):
    def run_day(self, day=DAY):
        with freeze_time(datetime.combine(day, datetime.min.time()) + timedelta(hours=3)):
            return self.env["health.cycle"]._step_reminders(day)

    def mails(self):
        return self.env["mail.mail"].search([("model", "=", "health.contact")])

    def test_not_before_ten_days(self):
        share = self.late("000101")
        self.run_day(DAY - timedelta(days=1))
        self.assertFalse(self.lines(share))
        self.run_day()
        self.assertEqual(self.lines(share).mapped("state"), ["queued"])

    def test_one_message_for_all_the_shares_of_a_patient(self):
        shares = self.late("000102") + self.late("000103", patient=840)
        summary = self.run_day()
        communication = self.lines(shares).communication_id
        self.assertEqual(len(communication), 1)
        self.assertEqual(communication.company_id, self.nurse)
        self.assertEqual(
            sum(cents(line.balance_due) for line in communication.credit_control_line_ids), 2100
        )
        self.assertEqual(len(self.mails()), 1)
        self.assertIn("21,00 €", summary[0])

    def test_same_day_again_changes_nothing(self):
        share = self.late("000104")
        self.run_day()
        before = (
            self.lines(share).ids,
            self.mails().ids,
            self.env["credit.control.run"].search([]).ids,
        )
        self.run_day()
        after = (
            self.lines(share).ids,
            self.mails().ids,
            self.env["credit.control.run"].search([]).ids,
        )
        self.assertEqual(before, after)

    def test_each_level_comes_once_and_in_its_order(self):
        self.patient.write(
            {"phone": "+33 1 23 45 67 89", "street": "1 rue Haute", "zip": "75001", "city": "Paris"}
        )
        share = self.late("000105")
        for offset in range(0, 100, 3):
            self.run_day(DAY + timedelta(days=offset))
            # letters are printed, calls are made
            self.lines(share).filtered(lambda line: line.state == "to_be_sent").state = "sent"
        lines = self.lines(share).sorted("id")
        self.assertEqual(lines.mapped("level"), [1, 2, 3, 4])
        self.assertEqual(lines.mapped("channel"), ["email", "email", "phone", "letter"])
        # 10, 17, 30 and 45 days after the due date, each on the first night that comes
        self.assertEqual([(line.date - share.due_date).days for line in lines], [10, 19, 31, 46])
        # 12,60 € is not worth a formal notice
        self.assertEqual(len(self.mails()), 2)

    def test_a_level_that_never_left_holds_the_next_one(self):
        share = self.late("000130", company=self.physio, patient_id=self.physio_patient.id)
        for offset in range(0, 60, 7):
            self.run_day(DAY + timedelta(days=offset))
        line = self.lines(share)
        self.assertEqual((line.level, line.channel, line.state), (1, "letter", "to_be_sent"))
        with freeze_time(DAY + timedelta(days=60)):
            line.communication_id.action_health_print_letters()
        # the pause counts from the day on which the letter was printed
        self.run_day(DAY + timedelta(days=66))
        self.assertEqual(len(self.lines(share)), 1)
        self.run_day(DAY + timedelta(days=67))
        self.assertEqual(sorted(self.lines(share).mapped("level")), [1, 2])

    def test_what_came_late_on_the_same_day_is_taken(self):
        self.late("000106")
        self.run_day()
        other = self.late("000107", company=self.physio, patient_id=self.physio_patient.id)
        self.run_day()
        self.assertTrue(self.lines(other))

    def test_nobody_late_makes_no_run(self):
        self.assertEqual(len(self.run_day()), 1)
        self.assertFalse(
            self.env["credit.control.run"].search([("company_id", "=", self.nurse.id)])
        )

    def test_one_run_per_practitioner(self):
        self.late("000108")
        self.late("000109", company=self.physio, patient_id=self.physio_patient.id)
        self.run_day()
        runs = self.env["credit.control.run"].search([("date", "=", DAY)])
        self.assertEqual(runs.company_id, self.nurse + self.physio)
        self.assertEqual(len(runs), 2)

    def test_later_run_of_another_practitioner_does_not_block(self):
        self.late("000110", company=self.physio, patient_id=self.physio_patient.id)
        self.physio._health_run_reminders(DAY + timedelta(days=5))
        share = self.late("000111")
        self.run_day()
        self.assertTrue(self.lines(share))

    def test_earlier_date_after_a_later_run_is_told(self):
        self.late("000112")
        self.run_day(DAY + timedelta(days=5))
        share = self.late(
            "000113", patient_id=self.make_patient(self.nurse, "MEUNIER Jean", "1600275999003").id
        )
        summary = self.run_day(DAY)
        self.assertFalse(self.lines(share))
        self.assertTrue(any(self.nurse.name in sentence for sentence in summary))
        run = self.env["credit.control.run"].create({"date": DAY, "company_id": self.nurse.id})
        with self.assertRaises(UserError):
            run._check_run_date(DAY)

    def test_held_share_is_left_out_and_told(self):
        held = self.late("000114", amo=1890, settled=False)
        free = self.late(
            "000115",
            patient_id=self.make_patient(
                self.nurse, "MEUNIER Jean", "1600275999003", email="j@example.org"
            ).id,
        )
        summary = self.run_day()
        self.assertFalse(self.lines(held))
        self.assertTrue(self.lines(free))
        self.assertEqual(held.dunning_hold, "amo_pending")
        self.assertTrue(any(sentence.startswith("1 ") for sentence in summary[1:]), summary)

    def test_released_later_is_reminded_later(self):
        share = self.late("000116", amo=1890, settled=False)
        self.run_day()
        self.pay(self.share(share.fse_id, "amo"))
        self.run_day(DAY + timedelta(days=3))
        self.assertEqual(self.lines(share).mapped("date"), [DAY + timedelta(days=3)])

    def test_blocked_and_unfollowed_items_never_reach_the_policy(self):
        blocked, unfollowed = self.late("000117"), self.late("000118")
        blocked.move_id.action_toggle_block_payment()
        unfollowed.move_id.line_ids.filtered(
            lambda line: line.display_type == "payment_term"
        ).no_followup = True
        self.run_day()
        self.assertFalse(self.lines(blocked + unfollowed))

    def test_paid_share_is_not_reminded(self):
        share = self.late("000119")
        self.pay(share)
        self.run_day()
        self.assertFalse(self.lines(share))

    def test_payers_are_not_reminded(self):
        self.late("000120", amo=1890, amc=600, settled=False)
        self.run_day(DAY + timedelta(days=200))
        self.assertFalse(
            self.env["credit.control.line"].search(
                [("partner_id", "in", (self.cpam + self.mutuelle).ids)]
            )
        )

    def test_mail_says_no_care_and_hides_the_link_in_the_history(self):
        self.late("000121")
        self.run_day()
        mail = self.mails()
        self.assertEqual(mail.state, "outgoing")
        self.assertFalse(mail.attachment_ids)
        self.assertTrue(mail.auto_delete)
        self.assertIn(self.nurse.name, mail.email_from)
        self.assertIn("practice@example.org", mail.reply_to)
        self.assertEqual(mail.recipient_ids, self.patient)
        self.assertRegex(mail.body_html, r"/ma-note/[\w-]{24}")
        self.assertIn("12,60 €", mail.body_html)
        self.assertIn("Sauf erreur de notre part", mail.body_html)
        self.assertNotRegex(mail.mail_message_id.body, r"/ma-note/[\w-]{24}")
        link = self.env["health.payment.link"].search([("partner_id", "=", self.patient.id)])
        self.assertEqual((link.channel, link.sent_on), ("reminder", DAY))
        for text in (mail.subject, mail.body_html, mail.mail_message_id.body):
            for secret in ("AMI", "2990199", "infirm", "05/10/2026", "5 octobre"):
                self.assertNotIn(secret, text)
        note = self.env["mail.message"].search(
            [("model", "=", "res.partner"), ("res_id", "=", self.patient.id)]
        )
        self.assertTrue(any("12,60 €" in message.body for message in note))

    def test_mail_leaves_by_daylight_and_not_on_sunday(self):
        Company = self.env["res.company"]
        night = datetime(2026, 11, 14, 2, 0)  # a Saturday, 3 h in France
        self.assertEqual(
            Company._health_reminder_time(date(2026, 11, 14), night), datetime(2026, 11, 14, 8, 0)
        )
        self.assertEqual(
            Company._health_reminder_time(date(2026, 11, 15), night), datetime(2026, 11, 16, 8, 0)
        )
        noon = datetime(2026, 11, 17, 11, 0)
        self.assertEqual(Company._health_reminder_time(date(2026, 11, 14), noon), noon)
        evening = datetime(2026, 11, 21, 20, 30)  # Saturday evening: Monday morning
        self.assertEqual(
            Company._health_reminder_time(date(2026, 11, 21), evening), datetime(2026, 11, 23, 8, 0)
        )
        summer = datetime(2026, 7, 1, 1, 0)
        self.assertEqual(
            Company._health_reminder_time(date(2026, 7, 1), summer), datetime(2026, 7, 1, 7, 0)
        )

    def test_no_address_makes_a_letter(self):
        share = self.late("000122", company=self.physio, patient_id=self.physio_patient.id)
        summary = self.run_day()
        line = self.lines(share)
        self.assertEqual((line.channel, line.state), ("letter", "to_be_sent"))
        self.assertFalse(self.mails())
        self.assertIn("12,60 €", summary[0])
        # it waits, it is not made again
        self.run_day(DAY + timedelta(days=10))
        self.assertEqual(self.lines(share), line)
        communication = line.communication_id
        self.assertIn(
            communication,
            self.env["credit.control.communication"].search(communication._letters_domain()),
        )
        action = communication.action_health_print_letters()
        self.assertEqual(action["report_name"], "health_collections.reminder_letter")
        self.assertEqual(line.state, "sent")
        self.assertNotIn(
            communication,
            self.env["credit.control.communication"].search(communication._letters_domain()),
        )

    def test_letter_carries_amount_and_link_but_no_care(self):
        share = self.late("000123", company=self.physio, patient_id=self.physio_patient.id)
        self.run_day()
        communication = self.lines(share).communication_id
        html = (
            self.env["ir.actions.report"]
            .with_context(lang="fr_FR")
            ._render_qweb_html("health_collections.reminder_letter", communication.ids)[0]
            .decode()
        )
        self.assertIn("12,60\N{NO-BREAK SPACE}€", html)
        self.assertIn("PETIT Louis", html)
        self.assertIn("Objet", html)
        self.assertRegex(html, r"/ma-note/[\w-]{24}")
        html = re.sub(r"data:image[^\"]*", "", html)
        self.assertNotIn("AMI", html)
        self.assertNotIn("1600275", html)

    def test_no_letter_for_what_was_paid_since(self):
        shares = [
            self.late(
                number, company=self.physio, patient_id=self.physio_patient.id, patient=patient
            )
            for number, patient in (("000128", 1260), ("000129", 840))
        ]
        self.run_day()
        communication = self.lines(shares[0]).communication_id
        self.assertTrue(communication.health_to_print)
        self.assertEqual(communication._health_amount_text(), "21,00 €")
        self.pay(shares[0])
        self.assertEqual(communication._health_amount_text(), "8,40 €")
        self.assertEqual(communication._health_fse_numbers(), ["000129"])
        self.pay(shares[1])
        communication.invalidate_recordset()
        self.assertFalse(communication.health_to_print)
        found = self.env["credit.control.communication"].search([("health_to_print", "=", True)])
        self.assertNotIn(communication, found)

    def test_failed_mail_becomes_a_letter(self):
        share = self.late("000124")
        self.run_day()
        mail = self.mails()
        mail._postprocess_sent_message([], [], failure_type="unknown", failure_reason="no")
        line = self.lines(share)
        self.assertEqual(line.state, "email_error")
        self.assertIn(
            line.communication_id,
            self.env["credit.control.communication"].search(
                line.communication_id._letters_domain()
            ),
        )
        line.communication_id.action_health_print_letters()
        self.assertEqual((line.state, line.channel), ("sent", "letter"))

    def test_sent_mail_closes_the_line(self):
        share = self.late("000125")
        self.run_day()
        mail = self.mails()
        mail._postprocess_sent_message([self.patient], [])
        self.assertEqual(self.lines(share).state, "sent")

    def test_summary_table_is_escaped(self):
        share = self.late("000126")
        self.run_day()
        share.move_id.payment_reference = "<script>alert(1)</script>"
        table = self.lines(share).communication_id._get_credit_control_communication_table()
        self.assertNotIn("<script>", table)
        self.assertIn("&lt;script&gt;", table)

    def test_cycle_reports_reminders(self):
        self.late("000127")
        with freeze_time("2026-11-14 03:00:00"):
            cycle = self.env["health.cycle"].run(DAY)
        self.assertTrue(cycle.is_ok, cycle.report)
        step = next(step for step in cycle.summary if step["code"] == "reminders")
        self.assertIn("12,60 €", step["lines"][0])

    def test_queries_grow_with_patients_only_by_what_the_base_addon_costs(self):
        def cost(first, count):
            for number in range(first, first + count):
                patient = self.make_patient(
                    self.nurse,
                    f"PATIENT {number}",
                    f"16002{number:08d}",
                    email=f"p{number}@example.org",
                    lang="fr_FR",
                )
                self.late(f"{number:06d}", patient_id=patient.id)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.run_day(DAY + timedelta(days=first))
            return self.env.cr.sql_log_count - before

        cost(1, 2)  # warm caches
        small, large = cost(100, 5), cost(200, 20)
        self.assertLess((large - small) / 15, 12, f"{small} queries for 5 patients, {large} for 20")
