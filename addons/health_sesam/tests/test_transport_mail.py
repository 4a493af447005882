import base64
import email
import email.policy
import gzip
from email.message import EmailMessage
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.health_billing.tests.common_exchange import MailServers

from ..norms import b2
from .common import DAY
from .common_transport import TransportCommon


@tagged("post_install", "-at_install")
class TestMail(MailServers, TransportCommon):
    # -- out -------------------------------------------------------------------------------------

    def mail_road(self, **values):
        server = self.env["ir.mail_server"].create(
            {
                "name": "Relay",
                "smtp_host": "127.0.0.1",
                "smtp_port": self.smtp_port,
                "smtp_encryption": "none",
                "smtp_authentication": "login",
            }
        )
        return self.env["health.transport"].create(
            {
                "name": "Fund",
                "kind": "email",
                "direction": "out",
                "mail_server_id": server.id,
                "mail_from": "agence@example.org",
                **values,
            }
        )

    def lot(self):
        self.unsent("1", "2")
        return self.Lot._build(self.nurse, DAY)[0]

    def received(self):
        return [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted((self.folder / "sent").iterdir())
        ]

    def test_the_envelope_of_the_norm(self):
        road, lot = self.mail_road(), self.lot()
        self.assertEqual(self.transmit(lot), (lot, []), road.last_result)
        [mail] = self.received()
        self.assertEqual(mail["To"], "01999@999.01.rss.fr")
        number = self.nurse.health_provider_no.zfill(14)
        self.assertRegex(mail["Subject"], rf"^IR/{number}/[0-9]{{19}}/00002$")
        self.assertEqual(mail.get_content_type().lower(), "application/edi-consent")
        self.assertEqual(mail["Content-Transfer-Encoding"], "base64")
        self.assertEqual(mail["Content-Description"], "IRIS/B2")
        self.assertEqual(mail.get_payload(decode=True), base64.b64decode(lot.b2_file))
        self.assertEqual(lot.transmission_ids.place, "01999@999.01.rss.fr")
        self.assertEqual(lot.state, "sent")
        # what leaves is what our own reader takes
        self.assertEqual(
            self.ingest("back.eml", (self.folder / "sent" / "000.eml").read_bytes()).kind, "b2"
        )

    def test_compressed_test(self):
        self.mail_road(compress=True, is_test=True)
        lot = self.lot()
        self.transmit(lot)
        [mail] = self.received()
        self.assertEqual(mail["Content-Description"], "IRISTEST/B2/Z")
        self.assertEqual(mail.get_filename(), "B2.gz")
        content = gzip.decompress(mail.get_payload(decode=True))
        self.assertEqual(b2.read(content).lots[0].total_fee, 2000)

    def test_the_line_is_cut_in_the_middle(self):
        road, lot = self.mail_road(), self.lot()
        (self.folder / "cut").touch()
        try:
            with mute_logger("odoo.addons.base.models.ir_mail_server"):
                sent, [failure] = self.transmit(lot)
        finally:
            (self.folder / "cut").unlink()
        self.assertFalse(sent)
        self.assertIn("did not take", failure)
        self.assertEqual((lot.state, lot.transmission_ids.state), ("ready", "failed"))
        self.assertFalse(self.received())
        self.assertEqual(self.transmit(lot)[0], lot)
        self.assertTrue(road.is_ok)

    def test_server_away_and_payer_without_a_number(self):
        road, lot = self.mail_road(), self.lot()
        lot.payer_id.sudo().health_org_no = False
        [failure] = self.transmit(lot)[1]
        self.assertIn("number of its payer", failure)
        road.mail_server_id.smtp_port = 1
        with mute_logger("odoo.addons.base.models.ir_mail_server"):
            road.action_try()
        self.assertFalse(road.is_ok)
        self.assertIn("cannot be reached", road.last_result)

    def test_one_way(self):
        with self.assertRaises(ValidationError):
            self.mail_road(direction="in")

    # -- in --------------------------------------------------------------------------------------

    def mailbox(self, **values):
        server = self.env["fetchmail.server"].create(
            {
                "name": "Box",
                "server_type": "pop",
                "server": "127.0.0.1",
                "port": self.pop_port,
                "user": "agence",
                "password": "mot-de-passe",
                "object_id": self.env["ir.model"]._get_id("health.inbox"),
                "state": "done",
            }
        )
        return self.env["health.transport"].create(
            {
                "name": "Returns",
                "kind": "mailbox",
                "direction": "in",
                "fetchmail_server_id": server.id,
                **values,
            }
        )

    def write_mail(self, name, to="retours@agence.example", sender="fund@rss.fr", **parts):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, to, f"Retours {name}"
        mail["Message-Id"] = f"<{name}@rss.fr>"
        if "edi" in parts:
            mail.set_content(
                parts["edi"], maintype="application", subtype="EDI-consent", cte="base64"
            )
        else:
            mail.set_content("Bonjour,\nvoici les retours.")
        for filename, content in parts.get("files", {}).items():
            subtype = "csv" if filename.endswith("csv") else "png"
            mail.add_attachment(
                content,
                maintype="text" if subtype == "csv" else "image",
                subtype=subtype,
                filename=filename,
                cte="base64",
            )
        (self.folder / "box" / f"{name}.eml").write_bytes(mail.as_bytes(policy=email.policy.SMTP))
        return mail

    def read_box(self, road):
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            road.with_env(self.env(cr=cr)).action_fetch()
        return self.env["health.inbox"].search([], order="id")

    def test_attachments_become_received_files(self):
        road = self.mailbox(sender="@rss.fr")
        before = self.env["health.inbox"].search([])
        self.write_mail(
            "a",
            files={
                "j.csv": self.journal({"fse_no": "1"}),
                "k.csv": self.journal({"fse_no": "2", "last_name": "LEFÈVRE"}),
                "logo.png": b"\x89PNG\r\n",
            },
        )
        inboxes = self.read_box(road) - before
        self.assertEqual(inboxes.mapped("filename"), ["j.csv", "k.csv"])
        self.assertEqual(inboxes.mapped("state"), ["done", "done"], inboxes.mapped("message"))
        self.assertEqual(
            base64.b64decode(inboxes[1].content),
            self.journal({"fse_no": "2", "last_name": "LEFÈVRE"}),
            "the very bytes, whatever the charset",
        )
        self.assertIn("voici les retours", inboxes[0].message_ids[-1].body)
        self.assertEqual(road.transmission_ids.mapped("state"), ["done", "done"])
        self.assertFalse(list((self.folder / "box").iterdir()), "POP takes it out of the box")
        self.assertEqual(self.read_box(road) - before, inboxes)

    def test_a_mail_that_is_nothing_but_the_file(self):
        road = self.mailbox()
        self.unsent("7")
        content = base64.b64decode(self.Lot._build(self.nurse, DAY)[0].b2_file)
        self.write_mail("edi", edi=gzip.compress(content))
        inbox = self.read_box(road)[-1]
        self.assertEqual((inbox.kind, inbox.state), ("b2", "done"), inbox.message)

    def test_a_mail_without_a_file_is_a_task(self):
        road = self.mailbox(company_ids=[(6, 0, self.nurse.ids)])
        self.write_mail("empty", files={"logo.png": b"\x89PNG\r\n"})
        inbox = self.read_box(road)[-1]
        self.assertEqual((inbox.state, inbox.company_id), ("review", self.nurse))
        self.assertEqual(inbox.filename, "Retours empty")
        self.assertIn("voici les retours", inbox.message_ids[-1].body)
        keys = [card["key"] for card in self.env["health.cockpit"]._cards_to_complete(DAY)]
        self.assertIn(f"inbox-{inbox.id}", keys)
        inbox.issue_ids.action_close()
        keys = [card["key"] for card in self.env["health.cockpit"]._cards_to_complete(DAY)]
        self.assertNotIn(f"inbox-{inbox.id}", keys)

    def test_an_unknown_sender_is_kept_unread(self):
        road = self.mailbox(sender="@rss.fr")
        self.write_mail(
            "x", sender="thief@rss.fr.example.com", files={"j.csv": self.journal({"fse_no": "1"})}
        )
        inbox = self.read_box(road)[-1]
        self.assertEqual((inbox.state, inbox.kind), ("review", "unknown"))
        self.assertFalse(self.env["health.fse"].search([("name", "=", "1")]))
        inbox.action_retry()
        self.assertEqual(inbox.state, "done", inbox.message)
        self.assertTrue(self.env["health.fse"].search([("name", "=", "1")]))

    def test_practitioner_of_the_address(self):
        Transport = self.env["health.transport"]
        mine, theirs = (
            Transport.create(
                {
                    "name": company.name,
                    "kind": "mailbox",
                    "direction": "in",
                    "address": address,
                    "company_ids": [(6, 0, company.ids)],
                }
            )
            for company, address in ((self.nurse, "a@agence.fr"), (self.physio, "b@agence.fr"))
        )
        self.assertEqual(Transport._for_mail("Agence <A@agence.fr>", "x@y.fr"), mine)
        self.assertEqual(Transport._for_mail("c@z.fr, b@agence.fr", "x@y.fr"), theirs)
        self.assertFalse(Transport._for_mail("aa@agence.fr", "x@y.fr"))
        self.assertFalse(Transport._for_mail("a@agence.fr, b@agence.fr", "x@y.fr"))

    def test_a_mail_that_breaks_the_reader_is_kept_whole(self):
        road = self.mailbox()
        self.write_mail("broken", files={"j.csv": self.journal({"fse_no": "1"})})
        raw = (self.folder / "box" / "broken.eml").read_bytes()
        Inbox = type(self.env["health.inbox"])
        with (
            patch.object(Inbox, "_take_mail", side_effect=ValueError("boom")),
            mute_logger("odoo.addons.health_sesam.models.mail_thread"),
        ):
            inbox = self.read_box(road)[-1]
        self.assertEqual(inbox.state, "review")
        self.assertIn("boom", inbox.message)
        self.assertIn(b"<broken@rss.fr>", base64.b64decode(inbox.content))
        self.assertIn(b"Retours broken", raw)

    def test_the_box_cannot_be_opened(self):
        road = self.mailbox()
        road.fetchmail_server_id.password = "wrong"
        with mute_logger("odoo.addons.mail.models.fetchmail"):
            self.read_box(road)
        self.assertFalse(road.is_ok)
        with self.assertRaises(UserError):
            road.action_accept_host()

    def test_an_answer_brings_the_missing_file(self):
        road = self.mailbox()
        self.write_mail("first")
        task = self.read_box(road)[-1]
        answer = self.write_mail("second", files={"j.csv": self.journal({"fse_no": "1"})})
        answer["In-Reply-To"] = "<first@rss.fr>"
        (self.folder / "box" / "second.eml").write_bytes(answer.as_bytes(policy=email.policy.SMTP))
        inbox = self.read_box(road)[-1]
        self.assertEqual((inbox.filename, inbox.state), ("j.csv", "done"))
        self.assertIn(answer["Message-Id"], task.message_ids.mapped("message_id"))
