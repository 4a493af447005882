import base64
import io
import socketserver
import threading
import zipfile
from datetime import date, timedelta
from email import message_from_bytes, policy
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools.misc import file_path

from ..tools import cents
from .common import IBANS, HealthCommon

VALUE_HEAD = "key_letter,zone,value_eur,valid_from,valid_to,source\n"
ACT_HEAD = (
    "profession,key_letter,coefficient,label_fr,ngap_reference,accord_prealable,notes,source\n"
)
MONDAY = date(2026, 11, 23)


class _MailHandler(socketserver.StreamRequestHandler):
    """The little of SMTP that a client needs to leave a message."""

    def handle(self):
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                self.wfile.write(b"354 go\r\n")
                lines = []
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(part)
                self.server.received.append(b"".join(lines))
            if word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 ok\r\n")


@tagged("post_install", "-at_install")
class TestCatalogueUpdate(HealthCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Update = cls.env["health.catalogue.update"]
        cls.biller = cls.make_user("biller", "health_billing.group_biller")
        cls.manager = cls.make_user("manager", "health_billing.group_manager")
        cls.practitioner = cls.make_user("nurse", "health_billing.group_practitioner", cls.nurse)
        cls.other = cls.make_user("physio", "health_billing.group_practitioner", cls.physio)
        cls.stranger = cls.make_user("stranger", "base.group_user")
        cls.act = cls.env["product.product"].search([("health_act_code", "=", "INF-AMI5-01")])

    def as_user(self, user, record):
        return record.with_user(user).with_context(allowed_company_ids=user.company_ids.ids)

    def update(self, files, **values):
        attachments = self.env["ir.attachment"].create(
            [
                {
                    "name": name,
                    "datas": base64.b64encode(text if isinstance(text, bytes) else text.encode()),
                }
                for name, text in files.items()
            ]
        )
        one = self.Update.create({"attachment_ids": [(6, 0, attachments.ids)], **values})
        one.action_compare()
        return one

    def values_file(self, *rows):
        return {"ngap_values.csv": VALUE_HEAD + "".join(f"{row}\n" for row in rows)}

    def shipped(self, name):
        with open(file_path(f"health_billing/data/ngap/{name}"), encoding="utf-8") as file:
            return file.read()

    def fse(self, day, company=None, coefficient=500, **act):
        company = company or self.nurse
        return self.env["health.fse"].create(
            {
                "name": f"E{self.env['health.fse'].search_count([]) + 1}",
                "company_id": company.id,
                "patient_id": self.patient.id,
                "fse_date": day,
                "amo_partner_id": self.cpam.id,
                "act_ids": [
                    (
                        0,
                        0,
                        {
                            "act_date": day,
                            "key_letter": "AMI",
                            "coefficient_hundredths": coefficient,
                            "product_id": self.act.id,
                            "amount": 16.75,
                            **act,
                        },
                    )
                ],
            }
        )

    def visit(self, day, state="planned", plan=None, **values):
        return self.env["health.visit"].create(
            {
                "patient_id": self.patient.id,
                "day": day,
                "state": state,
                "plan_id": plan and plan.id,
                "act_ids": [(0, 0, {"product_id": self.act.id, "quantity": 1})],
                **values,
            }
        )

    NEW_AMI = "AMI,metropole,3.55,2027-01-01,2027-10-31,[A] JO du 15/12/2026"

    def test_a_new_value_ends_the_one_before_and_old_periods_stay(self):
        self.fse(date(2027, 1, 4))
        self.fse(date(2026, 12, 31))
        self.fse(date(2027, 1, 4), factor=50)
        one = self.update(self.values_file(self.NEW_AMI))
        self.assertFalse(one.problems)
        lines = {line.kind: line for line in one.line_ids}
        self.assertEqual(set(lines), {"added", "ended"})
        self.assertIn("3,55 €", lines["added"].after)
        self.assertIn("31/12/2026", lines["ended"].after)
        self.assertEqual((lines["added"].grade, lines["added"].act_count), ("A", 2))
        # AMI 5: 17,75 instead of 16,75; half of each: 8,88 instead of 8,38
        self.assertEqual((one.act_count, cents(one.amount)), (2, 150))
        self.assertEqual(one.fse_count, 2)
        self.assertIn("+1,50 €", one.summary)
        self.assertEqual(one.first_day, date(2027, 1, 1))
        self.as_user(self.manager, one).action_apply()
        tariff = self.env["health.ngap.value"]._tariff()
        for day, value in (
            (date(2026, 11, 5), 315),
            (date(2026, 11, 6), 335),
            (date(2026, 12, 31), 335),
            (date(2027, 1, 1), 355),
            (date(2027, 10, 31), 355),
            (date(2027, 11, 1), 345),
        ):
            self.assertEqual(tariff.value("AMI", "metropole", day).cents, value)
        self.assertEqual((one.state, one.applied_by_id), ("done", self.manager))
        self.assertTrue(one.applied_on)
        self.assertEqual(len(one.action_open_fses()["domain"][0][2]), 2)

    def test_the_same_update_again_changes_nothing(self):
        first = self.update(self.values_file(self.NEW_AMI))
        first.action_apply()
        again = self.update(self.values_file(self.NEW_AMI))
        self.assertFalse(again.line_ids)
        self.assertIn("Nothing changes", again.summary)
        with self.assertRaises(UserError):
            again.action_apply()
        with self.assertRaises(UserError):
            first.action_apply()
        with self.assertRaises(UserError):
            first.unlink()

    def test_shipped_files_change_nothing_on_a_fresh_catalogue(self):
        one = self.Update.create({})
        one.action_load_shipped()
        self.assertFalse(one.problems)
        self.assertFalse(one.line_ids, one.line_ids.mapped("name"))

    def test_newly_shipped_values_wait_and_apply_with_their_files_kept(self):
        value = self.env["health.ngap.value"].search(
            [
                ("key_letter", "=", "AMI"),
                ("zone", "=", "metropole"),
                ("date_from", "=", "2026-11-06"),
            ]
        )
        self.env.cr.execute("DELETE FROM health_ngap_value WHERE id = %s", [value.id])
        self.env["health.ngap.value"].search(
            [
                ("key_letter", "=", "AMI"),
                ("zone", "=", "metropole"),
                ("date_from", "=", "2009-04-15"),
            ]
        ).write({"date_to": "2027-11-01", "loaded": False})
        self.env.invalidate_all()
        self.env["health.ngap.value"]._load_catalogue()
        self.env["health.ngap.value"]._load_catalogue()
        [one] = self.Update.search([("state", "=", "draft")])
        self.assertEqual(set(one.line_ids.mapped("kind")), {"added", "ended"})
        self.assertEqual(
            self.env["health.ngap.value"]._tariff().value("AMI", "metropole", MONDAY).cents,
            315,
            "nothing changes a price by itself",
        )
        [card] = self.env["health.ngap.value"]._cards_update()
        self.assertEqual((card["count"], card["action"]["res_id"]), (2, one.id))
        one.action_apply()
        self.assertEqual(
            self.env["health.ngap.value"]._tariff().value("AMI", "metropole", MONDAY).cents, 335
        )
        self.assertIn("ngap_values.csv", one.attachment_ids.mapped("name"))

    def test_acts_added_ended_and_given_a_new_coefficient(self):
        text = self.shipped("ngap_acts.csv")
        row = next(line for line in text.splitlines() if ",Saignée," in line)
        text = text.replace(row, row.replace("AMI,5,Saignée", 'AMI,"5,15",Saignée'))
        self.fse(MONDAY)
        self.fse(MONDAY - timedelta(days=1))
        one = self.update({"ngap_acts.csv": text}, effective_on=MONDAY)
        self.assertFalse(one.problems)
        self.assertEqual(
            sorted((line.kind, line.name) for line in one.line_ids),
            [("added", "AMI 5,15 · Saignée"), ("ended", "AMI 5 · Saignée")],
        )
        # 3,35 × 5,15 = 17,25 instead of 16,75
        self.assertEqual((one.act_count, cents(one.amount)), (1, 50))
        one.action_apply()
        self.assertEqual(self.act.health_date_to, MONDAY)
        self.assertTrue(self.act.active)
        new = self.env["product.product"].search([("health_act_code", "=", "INF-AMI5,15-01")])
        self.assertEqual(
            (new.health_date_from, new.health_coefficient_hundredths, new.health_grade),
            (MONDAY, 515, "A"),
        )
        search = self.env["product.product"].with_context(health_profession="infirmier")
        before = search.with_context(health_day=MONDAY - timedelta(days=1)).name_search("saignée")
        after = search.with_context(health_day=MONDAY).name_search("saignée")
        self.assertEqual([one for one, _name in before], self.act.ids)
        self.assertEqual([one for one, _name in after], new.ids)
        again = self.update({"ngap_acts.csv": text}, effective_on=MONDAY + timedelta(days=9))
        self.assertFalse(again.line_ids)

    def test_impact_counts_visits_and_plans_ahead(self):
        today = self.env.cr.now().date()
        start = today + timedelta(days=7)
        plan = self.env["health.round.plan"].create(
            {
                "patient_id": self.patient.id,
                "date_from": start,
                "date_to": start + timedelta(days=14),
                "saturday": True,
                "sunday": True,
                "act_ids": [(0, 0, {"product_id": self.act.id, "quantity": 1})],
            }
        )
        self.visit(start, plan=plan)
        self.visit(start + timedelta(days=1), plan=plan, state="cancelled")
        self.visit(start, state="done")
        self.visit(start, state="billed")
        one = self.update(
            self.values_file(f"AMI,metropole,3.55,{start + timedelta(days=1)},2027-10-31,[A] JO")
        )
        # of 14 days planned, the first is before the change, the second cancelled; visits of day one too
        self.assertEqual((one.act_count, cents(one.amount)), (12, 1200))
        [impact] = one.impact_ids.filtered("act_count")
        self.assertEqual(
            (impact.company_id, impact.planned_count, impact.open_count), (self.nurse, 12, 0)
        )

    def test_impact_per_practitioner_and_who_is_concerned(self):
        second = self.make_practitioner("Nurse Two", "infirmier", "75690005", IBANS[1])
        away = self.make_practitioner("Nurse Away", "infirmier", "97690006", IBANS[0])
        away.health_zone = "dom"
        self.fse(date(2027, 1, 4))
        one = self.update(self.values_file(self.NEW_AMI))
        self.assertEqual(one.impact_ids.company_id & (self.nurse + second), self.nurse + second)
        self.assertFalse(one.impact_ids.company_id & (self.physio + away))
        counts = {impact.company_id: impact.open_count for impact in one.impact_ids}
        self.assertEqual((counts[self.nurse], counts[second]), (1, 0))

    def test_broken_row_applies_nothing(self):
        rows = [self.NEW_AMI, "AMK,metropole,2.2.2,2027-01-01,,[A] JO"]
        one = self.update(self.values_file(*rows))
        self.assertIn("ngap_values.csv, ligne 3, colonne value_eur", one.problems)
        self.assertFalse(one.line_ids)
        with self.assertRaises(UserError):
            one.action_apply()
        self.assertEqual(
            self.env["health.ngap.value"]
            ._tariff()
            .value("AMI", "metropole", date(2027, 1, 1))
            .cents,
            335,
        )

    def test_archive_is_opened_and_a_broken_one_is_told(self):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("ngap/ngap_values.csv", VALUE_HEAD + self.NEW_AMI + "\n")
            archive.writestr("ngap/letters.csv", "x")
        one = self.update({"update.zip": content.getvalue()})
        self.assertEqual(len(one.line_ids), 2)
        self.assertIn("ne s'ouvre pas", self.update({"update.zip": b"PK no"}).problems)
        self.assertIn("nom de fichier inconnu", self.update({"tarifs.csv": "x"}).problems)
        with self.assertRaises(UserError):
            self.Update.create({}).action_compare()

    def test_catalogue_changed_since_the_comparison(self):
        one = self.update(self.values_file(self.NEW_AMI))
        self.update(
            self.values_file("AMI,metropole,3.50,2027-01-01,2027-10-31,[A] JO")
        ).action_apply()
        with self.assertRaises(UserError):
            one.action_apply()
        one.action_compare()
        self.assertEqual(one.line_ids.mapped("kind"), ["changed"])
        self.assertIn("3,50 €", one.line_ids.before)
        one.action_apply()
        self.assertEqual(
            self.env["health.ngap.value"]
            .search([("key_letter", "=", "AMI"), ("date_from", "=", "2027-01-01")])
            .value,
            3.55,
        )

    def test_practitioners_get_the_news_in_the_product(self):
        one = self.update(self.values_file(self.NEW_AMI))
        one.action_apply()
        mine = self.as_user(self.practitioner, self.env["mail.activity"]).search(
            [("user_id", "=", self.practitioner.id)]
        )
        self.assertEqual(len(mine), 1)
        self.assertIn("01/01/2027", mine.summary)
        self.assertIn("3,55", mine.note)
        self.assertEqual(mine.res_model, "res.partner")
        self.assertFalse(self.env["mail.activity"].search([("user_id", "=", self.other.id)]))
        self.assertEqual(one.impact_ids.filtered("is_told"), one.impact_ids)

    def test_practitioners_get_the_news_by_mail(self):
        fse = self.fse(date(2027, 1, 4))
        one = self.update(self.values_file(self.NEW_AMI))
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _MailHandler)
        server.daemon_threads = True
        server.received = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        MailServer = self.env["ir.mail_server"]
        MailServer.search([]).active = False
        MailServer.create(
            {
                "name": "loopback",
                "smtp_host": "127.0.0.1",
                "smtp_port": server.server_address[1],
                "smtp_encryption": "none",
            }
        )
        one.action_apply()
        mails = self.env["mail.mail"].search([("model", "=", "health.catalogue.update.impact")])
        mails = mails.filtered(lambda mail: mail.res_id in one.impact_ids.ids)
        self.assertEqual(len(mails), len(one.impact_ids.filtered("company_id.email")))
        [mine] = [mail for mail in mails if mail.res_id == one.impact_ids.filtered("act_count").id]
        # the test mode of Odoo sends nothing; here the mail has to leave for real
        with patch.object(type(MailServer), "_disable_send", lambda _self: False):
            mine.send(raise_exception=True)
        [received] = server.received
        message = message_from_bytes(received, policy=policy.default)
        text = message.get_body(("html", "plain")).get_content()
        self.assertIn("practice@example.org", message["To"])
        self.assertIn("01/01/2027", message["Subject"])
        self.assertIn("3,55", text)
        self.assertIn("+1,00", text)
        for secret in ("DURAND", "2990199999001", fse.name, "Saignée"):
            self.assertNotIn(secret, text)

    def test_only_a_manager_updates_and_a_stranger_sees_nothing(self):
        one = self.update(self.values_file(self.NEW_AMI))
        self.assertTrue(self.as_user(self.biller, one).read(["name", "summary"]))
        self.assertTrue(self.as_user(self.biller, one.line_ids).read(["name"]))
        for action in ("action_apply", "action_compare", "action_load_shipped"):
            with self.assertRaises(AccessError):
                getattr(self.as_user(self.biller, one), action)()
        with self.assertRaises(AccessError):
            self.as_user(self.biller, self.Update).create({})
        models = (
            "health.catalogue.update",
            "health.catalogue.update.line",
            "health.catalogue.update.impact",
        )
        for user in (self.stranger, self.practitioner):
            for model in models:
                with self.subTest(user=user.login, model=model), self.assertRaises(AccessError):
                    self.as_user(user, self.env[model]).search([])
        manager = self.as_user(self.manager, self.Update).create({})
        attachment = self.as_user(self.manager, self.env["ir.attachment"]).create(
            {
                "name": "ngap_values.csv",
                "datas": base64.b64encode((VALUE_HEAD + self.NEW_AMI).encode()),
            }
        )
        manager.attachment_ids = attachment
        manager.action_compare()
        manager.action_apply()
        self.assertEqual(manager.state, "done")
        self.assertEqual(
            self.as_user(self.biller, manager.attachment_ids).raw,
            (VALUE_HEAD + self.NEW_AMI).encode(),
            "the files stay with the log",
        )

    def test_fse_to_validate_are_priced_anew_on_demand(self):
        fse = self.fse(date(2027, 1, 4))
        fse._compute_all()
        before = fse.amount_total
        one = self.update(self.values_file(self.NEW_AMI))
        one.action_apply()
        self.assertEqual(fse.amount_total, before, "nothing is priced behind the biller's back")
        one.action_reprice()
        self.assertGreater(fse.amount_total, before)
        self.assertEqual(sum(fse.share_ids.mapped("amount")), fse.amount_total)

    def queries(self, work):
        self.env.flush_all()
        self.env.invalidate_all()
        start = self.env.cr.sql_log_count
        work()
        self.env.flush_all()
        return self.env.cr.sql_log_count - start

    def test_impact_takes_the_same_queries_for_few_and_many(self):
        one = self.update(self.values_file(self.NEW_AMI))
        counts = []
        for number in (3, 30):
            for _each in range(number):
                self.fse(date(2027, 1, 4))
                self.visit(date(2027, 1, 5))
            counts.append(self.queries(one.action_compare))
        self.assertEqual(one.act_count, 66)
        self.assertEqual(counts[0], counts[1])

    def test_applying_takes_the_same_queries_for_few_and_many_acts(self):
        def file(count, mark):
            text = self.shipped("ngap_acts.csv")
            lines = text.splitlines()
            changed = 0
            for number, line in enumerate(lines):
                if line.startswith("infirmier,AMI,") and changed < count:
                    lines[number] = line.replace("T.XVI", f"T.XVI {mark}", 1)
                    changed += lines[number] != line
            return {"ngap_acts.csv": "\n".join(lines) + "\n"}

        counts = []
        for count, mark in ((3, "a"), (30, "b")):
            one = self.update(file(count, mark))
            self.assertGreaterEqual(len(one.line_ids), count)
            counts.append(self.queries(one.action_apply))
        self.assertLessEqual(counts[1] - counts[0], 5)
