import hashlib
import json
from datetime import date, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from odoo.addons.health_billing.exchange import fingerprint
from odoo.addons.health_billing.tests.common_exchange import ExchangeFolder
from odoo.addons.health_billing.tests.sftp_server import PASSWORD, USER

from ..carriers import FolderSession
from .common_contact import URL, ContactCommon
from .sms_server import SmsServer

TODAY = date(2026, 11, 17)


@tagged("post_install", "-at_install")
class TestContactSms(ContactCommon):
    """SMS through a real HTTP gateway."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = SmsServer()
        cls.addClassCleanup(cls.server.close)
        cls.gateway = cls.env["health.sms.gateway"].create(
            {
                "name": "Gateway",
                "url": cls.server.url,
                "secret": "s3cret",
                "sender": "CABINET",
                "answer_path": "status",
            }
        )

    def setUp(self):
        super().setUp()
        self.server.asked.clear()
        self.server.answer, self.server.status = None, 200

    def queue(self):
        """What the queue of SMS does, without its commits."""
        with patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *_a, **_k: 0):
            self.env["sms.sms"]._process_queue()

    def test_it_reaches_the_gateway_and_its_report_comes_back(self):
        contact = self.send("sms", body=f"Il reste 12,60 € – « merci » {URL}")
        self.queue()
        [(headers, asked)] = self.server.asked
        self.assertEqual(headers["Authorization"], "Bearer s3cret")
        self.assertEqual((asked["to"], asked["from"]), ("+33612345678", "CABINET"))
        self.assertEqual(asked["text"], f'Il reste 12,60 € - "merci" {URL}')
        self.assertEqual((contact.state, contact.gateway_ref), ("sent", "ref-1"))
        key = URL.rsplit("/", 1)[1]
        self.assertNotIn(key, contact.body)
        self.assertFalse(self.env["sms.sms"].search([("body", "ilike", key)]))
        self.queue()
        self.assertEqual(len(self.server.asked), 1)
        Gateway = self.env["health.sms.gateway"]
        report = {"id": "ref-1", "status": "DELIVRD"}
        self.assertFalse(Gateway._called("guessed", report))
        self.assertEqual(contact.state, "sent")
        self.assertTrue(Gateway._called(self.gateway.token, report))
        self.assertEqual(contact.state, "delivered")
        Gateway._called(self.gateway.token, {"id": "ref-1", "status": "expired"})
        self.assertEqual(contact.state, "delivered", "a late report takes nothing back")

    def test_what_the_gateway_refuses_is_told(self):
        self.server.answer = {"status": "no credit"}
        contact = self.send("sms")
        self.queue()
        self.assertEqual(contact.state, "failed")
        self.assertIn("no credit", contact.state_reason)

    def test_a_gateway_that_is_down_is_tried_again(self):
        contact = self.send("sms")
        self.server.status = 503
        self.queue()
        self.assertEqual((contact.state, contact.tries), ("queued", 1))
        self.server.status = 200
        with freeze_time("2026-11-17 10:00:00"):
            self.queue()
        self.assertEqual(contact.state, "sent")
        # the same reference both times: a good gateway sends it once
        self.assertEqual(len({asked["reference"] for _headers, asked in self.server.asked}), 1)

    def test_paid_meanwhile_and_at_night(self):
        contact, other = self.send("sms"), self.send("sms", self.late("000911", patient=900))
        with freeze_time("2026-11-17 22:00:00"):
            self.queue()
        self.assertEqual((contact.state, self.server.asked), ("queued", []))
        self.pay(self.debt)
        with freeze_time("2026-11-18 09:00:00"):
            self.queue()
        self.assertEqual((contact.state, other.state), ("cancelled", "sent"))
        self.assertEqual(len(self.server.asked), 1)

    def test_stop_is_for_good(self):
        sent, waiting = self.send("sms"), self.late("000912")
        self.queue()
        queued = self.send("sms", waiting)
        self.gateway._called(self.gateway.token, {"from": "33612345678", "text": " Stop. "})
        self.assertEqual((sent.state, queued.state), ("sent", "cancelled"))
        self.assertEqual(self.send("sms").state, "failed")
        self.assertNotIn("sms", self.patient._health_reachable(self.nurse)[self.patient])
        self.queue()
        self.assertEqual(len(self.server.asked), 1)

    def test_an_answer_holds_the_reminders(self):
        self.send("sms")
        self.queue()
        self.gateway._called(self.gateway.token, {"from": "+33612345678", "text": "J'ai payé hier"})
        self.assertEqual(self.debt._dunning_guard(TODAY)[self.debt][0], "request")
        self.assertNotIn("phone", self.env["phone.blacklist"].search([]).mapped("number"))
        answer = self.debt.contact_ids.filtered(lambda one: one.direction == "in")
        self.assertEqual(answer.body, "J'ai payé hier")

    def test_what_cannot_leave_says_why(self):
        self.assertIn("SMS", self.send("sms", body="a" * 500).state_reason)
        self.assertIn("AMI", self.send("sms", body="AMI 4").state_reason)
        self.patient.phone = False
        self.assertIn(self.patient.name, self.send("sms").state_reason)
        self.gateway.active = False
        self.assertEqual(self.send("sms").state, "failed")
        self.assertNotIn("sms", self.nurse._health_open_channels())

    def test_odoo_s_paid_service_is_never_asked(self):
        self.gateway.active = False
        sms = self.env["sms.sms"].create({"number": "+33612345678", "body": "x"})
        sms.send(unlink_sent=False)
        self.assertEqual((sms.state, sms.failure_type), ("error", "sms_acc"))

    def test_settings_that_would_leak_are_refused(self):
        for values in (
            {"url": "http://gateway.example.org/send"},
            {"url": "ftp://x"},
            {"pattern": "not json {text}"},
            {"pattern": '{"to": "{number}"}'},
            {"sender": "Cabinet infirmier"},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.gateway.write(values)


@tagged("post_install", "-at_install")
class TestContactLetters(ExchangeFolder, ContactCommon):
    def carrier(self, **values):
        return self.env["health.carrier"].create(
            {"name": "Carrier", "kind": "folder", "folder": "lr", **values}
        )

    def test_by_hand_from_the_printer_to_the_signed_notice(self):
        contact = self.send("registered", kind="notice")
        self.assertEqual(contact.state, "planned")
        self.assertTrue(contact.action_print())
        self.assertEqual(contact.state, "planned", "printed is not posted")
        Post = self.env["health.contact.post"]
        posted = Post.with_context(**contact.action_posted()["context"]).create({})
        with self.assertRaises(UserError):
            posted.action_save()
        posted.write({"tracking_no": "1A 234", "scan": b"UERG", "scan_name": "depot.pdf"})
        posted.action_save()
        self.assertEqual((contact.state, contact.tracking_no), ("sent", "1A 234"))
        back = Post.with_context(**contact.action_came_back()["context"]).create(
            {"outcome": "delivered", "scan": b"UERG", "scan_name": "AR.pdf"}
        )
        back.action_save()
        self.assertEqual(contact.state, "delivered")
        self.assertEqual(set(contact.proof_ids.mapped("name")), {"depot.pdf", "AR.pdf"})

    def test_carrier_takes_the_letter_and_gives_the_proof_back(self):
        carrier = self.carrier()
        contact = self.send("registered", kind="notice")
        contact.action_hand_over()
        self.assertEqual((contact.state, contact.carrier_id), ("queued", carrier))
        reference = contact._carrier_reference()
        names = {path.name for path in (self.base / "lr").iterdir()}
        self.assertEqual(names, {f"{reference}.pdf", f"{reference}.json"})
        manifest = (self.base / "lr" / f"{reference}.json").read_text()
        self.assertIn("44000", manifest)
        self.assertNotIn("12,60", manifest)
        back = self.base / "lr" / "retours"
        back.mkdir()
        (back / "AR1.pdf").write_bytes(b"%PDF-1")
        (back / "1.csv").write_text(
            f"reference;etat;numero;date;preuve;motif\n{reference};Distribué;2C 1;2026-11-19;AR1.pdf;\n"
            "LR9999999;Distribué;;;;\nx;?;;;;\n"
        )
        self.env["health.cycle"]._step_contacts(TODAY)
        self.assertEqual((contact.state, contact.tracking_no), ("delivered", "2C 1"))
        self.assertIn("AR1.pdf", contact.proof_ids.mapped("name"))
        self.assertFalse([path for path in back.iterdir() if path.suffix == ".csv"])

    def sftp(self):
        """A real server over the base folder, and the carrier that reaches it."""
        (self.base / "depot").mkdir()
        server = self.serve_sftp()
        carrier = self.carrier(
            kind="sftp",
            host="127.0.0.1",
            port=server.port,
            folder="depot",
            login=USER,
            password=PASSWORD,
            host_key=fingerprint(server.host_key),
        )
        return server, carrier

    def dropped(self):
        return {path.name for path in (self.base / "depot").iterdir() if path.is_file()}

    def test_sftp_carrier_takes_the_letter_and_gives_the_proof_back(self):
        server, carrier = self.sftp()
        carrier.action_try()
        self.assertTrue(carrier.is_ok, carrier.last_result)
        contact = self.send("registered", kind="notice")
        # a server without the extension that replaces files
        server.has_posix_rename = False
        contact.action_hand_over()
        self.assertEqual((contact.state, contact.carrier_id), ("queued", carrier))
        reference = contact._carrier_reference()
        self.assertEqual(self.dropped(), {f"{reference}.pdf", f"{reference}.json"})
        manifest = json.loads((self.base / "depot" / f"{reference}.json").read_bytes())
        letter = (self.base / "depot" / f"{reference}.pdf").read_bytes()
        self.assertEqual(manifest["sha256"], hashlib.sha256(letter).hexdigest())
        back = self.base / "depot" / "retours"
        back.mkdir()
        (back / "AR1.pdf").write_bytes(b"%PDF-1")
        (back / "1.csv").write_text(
            f"reference;etat;numero;date;preuve;motif\n{reference};Distribué;2C 1;2026-11-19;AR1.pdf;\n"
        )
        server.cut_reading = "AR1.pdf"
        self.env["health.cycle"]._step_contacts(TODAY)
        self.assertEqual((contact.state, carrier.is_ok), ("queued", False))
        self.assertIn("broke", carrier.last_result)
        self.assertTrue((back / "1.csv").exists(), "what was not noted stays there")
        server.cut_reading = None
        for _night in range(2):
            self.env["health.cycle"]._step_contacts(TODAY)
            self.assertTrue(carrier.is_ok, carrier.last_result)
        self.assertEqual((contact.state, contact.tracking_no), ("delivered", "2C 1"))
        self.assertEqual(contact.proof_ids.mapped("name").count("AR1.pdf"), 1)
        self.assertEqual([path.name for path in (back / "traites").iterdir()], ["1.csv"])

    def test_sftp_server_nobody_accepted_is_told_nothing(self):
        server, carrier = self.sftp()
        contact = self.send("registered", kind="notice")
        for accepted in (False, "SHA256:another"):
            carrier.host_key = accepted
            with self.assertRaisesRegex(UserError, "nobody accepted"):
                contact.action_hand_over()
            self.assertEqual(contact.state, "planned")
            carrier.action_try()
            self.assertFalse(carrier.is_ok)
            self.assertIn(fingerprint(server.host_key), carrier.last_result)
        self.assertEqual((server.seen, self.dropped()), ([], set()), "no password was said")
        carrier.action_accept_host()
        self.assertEqual(carrier.host_key, fingerprint(server.host_key))
        self.assertTrue(carrier.is_ok, carrier.last_result)
        self.assertEqual(server.seen, [(USER, PASSWORD)])

    def test_sftp_failures_are_said_in_french(self):
        server, carrier = self.sftp()
        contact = self.send("registered", kind="notice")
        self.env["res.lang"]._activate_lang("fr_FR")
        server.cut_after = 300
        with self.assertRaises(UserError) as caught:
            contact.with_context(lang="fr_FR").action_hand_over()
        self.assertIn("s'est rompue en route (liaison coupée)", str(caught.exception))
        self.assertEqual(contact.state, "planned")
        self.assertFalse([name for name in self.dropped() if not name.startswith(".")])
        server.cut_after = None
        carrier = carrier.with_context(lang="fr_FR")
        for values, sentence in (
            ({"folder": "ailleurs"}, "Le dossier « ailleurs » n'existe pas là-bas."),
            ({"password": "faux"}, "refuse l'identifiant, le mot de passe ou la clé."),
            ({"port": 9}, "est injoignable : vérifiez son nom et son port."),
        ):
            carrier.write(values)
            carrier.action_try()
            self.assertFalse(carrier.is_ok)
            self.assertIn(sentence, carrier.last_result)
            self.assertNotIn("faux", carrier.last_result)

    def test_folder_never_leaves_its_base(self):
        for folder in ("../x", "/etc", ""):
            with self.subTest(folder), self.assertRaises(ValidationError):
                self.carrier(folder=folder)
        carrier = self.carrier()
        (self.base / "lr" / "retours").mkdir(parents=True)
        (self.base / "secret").write_text("s")
        (self.base / "lr" / "retours" / "link").symlink_to(self.base / "secret")
        with FolderSession(carrier) as session:
            self.assertEqual(session.names("retours"), [])

    def test_electronic_only_with_consent(self):
        self.assertEqual(self.send("e_registered", kind="notice").channel, "registered")
        self.patient.write({"health_e_registered_on": TODAY, "health_e_registered_how": "courrier"})
        self.assertEqual(self.send("e_registered", kind="notice").channel, "e_registered")

    def test_paid_since_is_not_printed(self):
        contact = self.send("letter")
        self.pay(self.debt)
        with self.assertRaises(UserError):
            contact.action_print()
        other = self.send("letter", self.late("000921"))
        other.action_print()
        self.assertEqual(other.state, "sent")

    def test_night_stops_what_was_settled(self):
        contacts = self.send("letter") + self.send("phone") + self.send("registered")
        self.pay(self.debt)
        self.env["health.cycle"]._step_contacts(TODAY)
        self.assertEqual(set(contacts.mapped("state")), {"cancelled"})

    def test_history_begins_with_the_reminders_sent_so_far(self):
        self.nurse._health_run_reminders(TODAY)
        before = self.debt.contact_ids
        self.assertEqual(len(before), 1)
        self.assertFalse(self.Contact._take_over_reminders(), "what is known is not taken twice")
        # as it was before: the reminder alone
        before.communication_id = False
        taken = self.Contact._take_over_reminders()
        self.assertEqual((taken.partner_id, taken.share_ids), (self.patient, self.debt))
        self.assertEqual((taken.channel, taken.state), ("email", "sent"))
        self.assertEqual(taken.communication_id, self.lines(self.debt).communication_id)

    def test_cancel_for_shares(self):
        contact, receipt = self.send("email"), self.send("email", kind="receipt")
        stopped = self.Contact._cancel(self.debt, "réglé")
        self.assertEqual(stopped, contact)
        self.assertEqual(
            (contact.state, contact.state_reason, receipt.state), ("cancelled", "réglé", "queued")
        )
        self.assertFalse(
            self.env["mail.mail"].search(
                [("model", "=", "health.contact"), ("res_id", "=", contact.id)]
            )
        )


@tagged("post_install", "-at_install")
class TestContactCalls(ContactCommon):
    def outcome(self, contact, outcome, **values):
        return (
            self.env["health.contact.outcome"]
            .with_context(**contact.action_outcome()["context"])
            .create({"outcome": outcome, **values})
            .action_save()
        )

    def test_sheet_says_what_is_owed_and_never_the_care(self):
        contact = self.send("phone", body="Proposez un échelonnement.")
        sheet = str(contact.call_sheet)
        for text in ("12,60", "000901", self.patient.name, self.nurse.name, "échelonnement"):
            self.assertIn(text, sheet)
        for secret in ("AMI", "2990199"):
            self.assertNotIn(secret, sheet)

    def test_promise_holds_until_its_day_then_breaks(self):
        contact = self.send("phone")
        with self.assertRaises(UserError):
            self.outcome(contact, "promise", promise_on=TODAY + timedelta(days=90))
        self.outcome(contact, "promise", promise_on=TODAY + timedelta(days=5), note="par chèque")
        self.assertEqual((contact.state, contact.promise_state), ("delivered", "running"))
        self.assertIn("par chèque", contact.answer)
        self.assertEqual(self.debt.dunning_hold, "promise")
        without = ("_guard_recent_contact", "_guard_hour")
        for days, held in ((7, True), (8, False)):
            guard = self.debt._dunning_guard(TODAY + timedelta(days=days), without=without)
            self.assertEqual(bool(guard), held, days)
        with freeze_time("2026-11-30 09:00:00"):
            contact.invalidate_recordset()
            self.assertEqual(contact.promise_state, "broken")
            self.pay(self.debt)
            contact.invalidate_recordset()
            self.assertEqual(contact.promise_state, "kept")

    def test_nobody_answers(self):
        contact = self.send("phone")
        for rank in (1, 2):
            self.outcome(contact, "nobody", again_on=TODAY + timedelta(days=rank))
            self.assertEqual((contact.state, contact.tries), ("planned", rank))
        self.outcome(contact, "nobody")
        self.assertEqual(contact.state, "failed")
        with self.assertRaises(UserError):
            contact.action_outcome()

    def test_what_somebody_must_see_to_becomes_a_request(self):
        for rank, outcome in enumerate(("dispute", "insurer", "plan", "paid")):
            with self.subTest(outcome):
                share = self.late(f"00095{rank}")
                self.outcome(self.send("phone", share), outcome, note="mots")
                request = self.env["health.debtor.request"].search([("share_ids", "in", share.ids)])
                self.assertIn("mots", request.message)
                self.assertEqual(request.state, "open")


@tagged("post_install", "-at_install")
class TestContactAccess(ContactCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.physio_debt = cls.late("000961", company=cls.physio, patient_id=cls.physio_patient.id)
        cls.mine = cls.Contact._record(
            [
                {
                    "company_id": share.company_id.id,
                    "partner_id": share.partner_id.id,
                    "channel": "phone",
                    "kind": "reminder",
                    "state": "planned",
                    "share_ids": [fields.Command.set(share.ids)],
                    "amount_written": share.amount_residual,
                }
                for share in (cls.debt, cls.physio_debt)
            ]
        )[0]
        cls.gateway = cls.env["health.sms.gateway"].create(
            {"name": "G", "url": "https://gateway.example.org", "secret": "s3cret"}
        )

    def as_user(self, login, group, model, company=None):
        user = self.make_user(login, group, *([company] if company else []))
        return self.env(
            user=user, context={"allowed_company_ids": user.company_ids.ids, "lang": "en_US"}
        )[model]

    def test_biller_answers_but_rewrites_nothing(self):
        contact = self.as_user("k_biller", "health_billing.group_biller", "health.contact").browse(
            self.mine.id
        )
        contact.answer = "rappellera"
        for values in ({"body": "x"}, {"state": "sent"}, {"amount": 1}):
            with self.subTest(values), self.assertRaises(AccessError):
                contact.write(values)
        with self.assertRaises(AccessError):
            contact.unlink()
        contact.env["health.contact.outcome"].create(
            {"contact_id": contact.id, "outcome": "other", "note": "vu"}
        ).action_save()
        self.assertEqual(self.mine.state, "delivered")
        with self.assertRaises(AccessError):
            contact.env["health.sms.gateway"].browse(self.gateway.id).read(["secret"])
        with self.assertRaises(AccessError):
            contact.env["health.carrier"].create({"name": "x"})
        keys = {card["key"] for card in contact.env["health.cockpit"]._cards_contacts(TODAY)}
        self.assertIn(f"contacts-calls-{self.physio.id}", keys)

    def test_practitioner_reads_their_own_only(self):
        Contact = self.as_user(
            "k_nurse", "health_billing.group_practitioner", "health.contact", self.nurse
        )
        self.assertEqual(Contact.search([]).company_id, self.nurse)
        with self.assertRaises(AccessError):
            Contact.browse(self.mine.id).answer = "x"
        with self.assertRaises(AccessError):
            Contact.browse(self.mine.id).action_outcome()

    def test_strangers_see_nothing(self):
        stranger = new_test_user(
            self.env, "k_stranger", groups="base.group_user", company_id=self.agency.id
        )
        for model in (
            "health.contact",
            "health.sms.gateway",
            "health.carrier",
            "health.contact.outcome",
        ):
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[model].with_user(stranger).search([])

    def test_nobody_deletes_the_history(self):
        with self.assertRaises(UserError):
            self.mine.unlink()
