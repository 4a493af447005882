import email
import email.policy
from email.message import EmailMessage

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.health_billing.tests.common_exchange import MailServers

from .common_contact import URL, ContactCommon

LOUD = ("odoo.addons.mail.models.mail_mail", "odoo.addons.base.models.ir_mail_server")


@tagged("post_install", "-at_install")
class TestContactMail(MailServers, ContactCommon):
    """E-mails through a real SMTP server."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.mail_server"].search([]).active = False
        cls.relay = cls.env["ir.mail_server"].create(
            {
                "name": "Relay",
                "smtp_host": "127.0.0.1",
                "smtp_port": cls.smtp_port,
                "smtp_encryption": "none",
            }
        )

    def queue(self):
        """What the queue of mails does once a minute, with what is due by now."""
        mails = self.env["mail.mail"].search([("model", "=", "health.contact")])
        with mute_logger(*LOUD):
            self.env["mail.mail"].process_email_queue(email_ids=mails.ids)

    def received(self):
        return [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted((self.folder / "sent").iterdir())
        ]

    def test_it_arrives_and_the_history_keeps_no_key(self):
        contact = self.send("email")
        self.assertEqual(contact.state, "queued")
        self.queue()
        [mail] = self.received()
        self.assertIn(URL, mail.get_body(("plain",)).get_content())
        self.assertEqual(mail["To"].addresses[0].addr_spec, "anne.durand@example.org")
        self.assertIn("cabinet@example.org", mail["Reply-To"])
        self.assertEqual((contact.state, contact.done_on), ("sent", fields.Datetime.now()))
        self.assertIn("12,60 €", contact.body)
        key = URL.rsplit("/", 1)[1]
        self.assertNotIn(key, contact.body)
        self.assertNotIn(key, contact.message_ids.mapped("body")[0])
        self.assertFalse(self.env["mail.mail"].search([("body_html", "ilike", key)]))
        self.queue()
        self.assertEqual(len(self.received()), 1)

    def test_a_whole_night_reaches_the_mailbox(self):
        self.nurse._health_run_reminders(fields.Date.today())
        line = self.lines(self.debt)
        self.queue()
        [mail] = self.received()
        text = mail.get_body(("plain",)).get_content()
        self.assertIn("12,60", text)
        self.assertRegex(text, r"/ma-note/[\w-]{24}")
        self.assertEqual(line.state, "sent")
        self.assertEqual(line.communication_id, self.debt.contact_ids.communication_id)

    def test_paid_meanwhile_does_not_leave(self):
        contact = self.send("email")
        self.pay(self.debt)
        self.queue()
        self.assertFalse(self.received())
        self.assertEqual(contact.state, "cancelled")
        self.assertTrue(contact.state_reason)
        self.assertFalse(
            self.env["mail.mail"].search(
                [("res_id", "=", contact.id), ("model", "=", contact._name)]
            )
        )

    def test_paid_in_part_does_not_leave_with_the_old_amount(self):
        other = self.late("000902", patient=840)
        contact = self.send("email", self.debt + other)
        self.pay(other)
        self.queue()
        self.assertEqual((contact.state, self.received()), ("cancelled", []))

    def test_held_meanwhile_does_not_leave(self):
        contact = self.send("email")
        self.debt.move_id.action_toggle_block_payment()
        self.queue()
        self.assertEqual((contact.state, self.received()), ("cancelled", []))
        self.assertEqual(
            contact.state_reason, self.debt._dunning_guard(fields.Date.today())[self.debt][1]
        )

    def test_cancelled_reminder_is_written_again_when_the_hold_ends(self):
        today = fields.Date.today()
        self.nurse._health_run_reminders(today)
        self.debt.move_id.action_toggle_block_payment()
        self.queue()
        self.assertEqual(self.lines(self.debt).state, "ignored")
        self.debt.move_id.action_toggle_block_payment()
        with freeze_time("2026-12-01 09:00:00"):
            self.nurse._health_run_reminders(fields.Date.today())
            self.queue()
        self.assertEqual(len(self.received()), 1)

    def test_a_receipt_leaves_whatever_was_paid(self):
        self.send("email", kind="receipt")
        self.pay(self.debt)
        self.queue()
        self.assertEqual(len(self.received()), 1)

    def test_a_late_queue_waits_for_the_morning(self):
        contact = self.send("email")
        with freeze_time("2026-11-17 21:30:00"):
            self.queue()
            self.assertEqual((contact.state, self.received()), ("queued", []))
        with freeze_time("2026-11-18 06:00:00"):
            self.queue()
            self.assertFalse(self.received())
        with freeze_time("2026-11-18 09:00:00"):
            self.queue()
        self.assertEqual(len(self.received()), 1)

    def test_an_address_that_does_not_exist_is_not_used_again(self):
        self.patient.email = "refuse.moi@example.org"
        contact = self.send("email")
        self.queue()
        self.assertEqual(contact.state, "failed")
        self.assertIn("550", contact.state_reason)
        self.assertEqual(self.patient.health_email_failed, "refuse.moi@example.org")
        self.assertNotIn("email", self.patient._health_reachable(self.nurse)[self.patient])
        self.assertEqual(self.send("email").state, "failed")
        # a new address, or the same typed anew, is tried
        self.patient.email = "anne.durand@example.org"
        self.assertIn("email", self.patient._health_reachable(self.nurse)[self.patient])

    def test_greylisted_is_tried_again_then_told(self):
        self.patient.email = "plus-tard@example.org"
        self.env["health.parameter"].search([("code", "=", "message_tries")]).value = 3
        contact = self.send("email")
        self.queue()
        self.assertEqual((contact.state, contact.tries), ("queued", 1))
        self.queue()
        self.assertEqual(contact.tries, 1, "not before the half hour is over")
        for rank, moment in enumerate(("10:00", "11:00"), 2):
            with freeze_time(f"2026-11-17 {moment}:00"):
                self.queue()
            self.assertEqual(contact.state, "queued" if rank < 3 else "failed")
        self.assertFalse(self.patient.health_email_failed)

    def test_no_server_is_no_reason_to_print_letters(self):
        self.nurse._health_run_reminders(fields.Date.today())
        port, self.relay.smtp_port = self.relay.smtp_port, 9
        self.queue()
        contact = self.debt.contact_ids
        self.assertEqual((contact.state, self.lines(self.debt).state), ("queued", "queued"))
        self.relay.smtp_port = port
        with freeze_time("2026-11-17 10:00:00"):
            self.queue()
        self.assertEqual((contact.state, self.lines(self.debt).state), ("sent", "sent"))

    def incoming(self, content):
        with mute_logger("odoo.addons.mail.models.mail_thread"):
            self.env["mail.thread"].message_process(False, content)

    def dsn(self, contact, action):
        lines = [
            "From: MAILER-DAEMON@mx.example.org",
            "To: retours@example.com",
            "Subject: Undelivered",
            f"Message-Id: <{action}.{contact.id}@mx.example.org>",
            "MIME-Version: 1.0",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
            "",
            "--b",
            "Content-Type: text/plain",
            "",
            "Your message",
            "--b",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.example.org",
            "",
            f"Final-Recipient: rfc822; {self.patient.email}",
            f"Action: {action}",
            "Status: 5.1.1",
            "",
            "--b",
            "Content-Type: message/rfc822",
            "",
            f"Message-Id: {contact.message_ids[:1].message_id}",
            f"To: {self.patient.email}",
            "",
            "text",
            "--b--",
            "",
        ]
        return "\r\n".join(lines)

    def test_what_comes_back_later_is_told(self):
        self.nurse._health_run_reminders(fields.Date.today())
        self.queue()
        contact = self.debt.contact_ids
        self.incoming(self.dsn(contact, "delayed"))
        self.assertEqual(contact.state, "sent", "only late: nothing is lost yet")
        self.incoming(self.dsn(contact, "failed"))
        self.assertEqual(contact.state, "failed")
        self.assertEqual(self.patient.health_email_failed, self.patient.email)
        # a letter takes its place
        communication = self.lines(self.debt).communication_id
        self.assertTrue(communication.health_to_print)
        communication.action_health_print_letters()
        self.assertEqual(self.debt.contact_ids.sorted("id").mapped("channel"), ["email", "letter"])

    def test_an_answer_holds_the_reminders(self):
        contact = self.send("email")
        self.queue()
        reply = EmailMessage()
        reply["From"] = self.patient.email
        reply["To"] = "cabinet@example.org"
        reply["Subject"] = "Re: Une somme reste à régler"
        reply["Message-Id"] = "<answer@example.org>"
        reply["In-Reply-To"] = contact.message_ids[:1].message_id
        reply.set_content("J'ai payé hier par chèque.")
        self.incoming(reply.as_bytes())
        self.assertIn("chèque", contact.answer)
        answers = self.debt.contact_ids.filtered(lambda one: one.direction == "in")
        self.assertIn("chèque", answers.body)
        self.assertEqual(self.debt._dunning_guard(fields.Date.today())[self.debt][0], "request")

    def test_a_text_that_tells_of_care_never_leaves(self):
        for body in ("<p>Votre pansement du 5 octobre</p>", "<p>AMI 4</p>"):
            contact = self.send("email", body=body)
            self.assertEqual(contact.state, "failed")
        contact = self.send("email", subject="Assuré 2 99 01 99 123 456 78")
        self.assertEqual(contact.state, "failed")
        self.assertIn("2 99 01 99 123 456 78", contact.state_reason)
        self.queue()
        self.assertFalse(self.received())

    def test_queries_do_not_grow_with_the_messages(self):
        def cost(first, count):
            shares = self.env["health.share"]
            for number in range(first, first + count):
                patient = self.make_patient(
                    self.nurse, f"P {number}", f"16002{number:08d}", email=f"p{number}@example.org"
                )
                shares |= self.late(f"{number:06d}", patient_id=patient.id)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.Contact._send(
                [
                    {
                        "company_id": self.nurse.id,
                        "partner_id": share.partner_id.id,
                        "channel": "email",
                        "kind": "reminder",
                        "subject": "S",
                        "body": "<p>b</p>",
                        "share_ids": share.ids,
                    }
                    for share in shares
                ]
            )
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        cost(3000, 2)
        self.assertLessEqual(cost(3300, 30), cost(3100, 3) + 2)
