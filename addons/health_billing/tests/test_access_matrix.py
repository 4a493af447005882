"""Who may read, write, create and delete what, tried record by record with each role's own rights."""

import base64
import contextlib
import json
from datetime import date

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, HttpCase, tagged
from odoo.tools import mute_logger

from .common import HealthCommon

#: the columns of the table; ``practitioner`` owns the records, ``other`` is another practitioner,
#: ``patient`` and ``phone`` are portal users (a patient of the practice, the practice's own phone)
ROLES = (
    "manager",
    "biller",
    "practitioner",
    "accountant",
    "other",
    "patient",
    "phone",
    "internal",
)
#: r read, w write, c create, d delete; - nothing
MATRIX = """
                                manager biller practitioner accountant other patient phone internal
health.fse                      rwcd    rwc-   r---         ----       ----  ----    ----  ----
health.fse.act                  rwcd    rwcd   r---         ----       ----  ----    ----  ----
health.share                    rwcd    rwc-   r---         r---       ----  ----    ----  ----
health.share.decision           r---    r---   r---         r---       ----  ----    ----  ----
health.finding                  r---    r---   r---         ----       ----  ----    ----  ----
health.rule                     r---    r---   r---         ----       r---  ----    ----  ----
health.parameter                rwc-    r---   ----         ----       ----  ----    ----  ----
health.ngap.value               rwc-    r---   r---         ----       r---  ----    ----  ----
health.catalogue.update         rwcd    r---   ----         ----       ----  ----    ----  ----
health.catalogue.update.line    rwcd    r---   ----         ----       ----  ----    ----  ----
health.catalogue.update.impact  rwcd    r---   ----         ----       ----  ----    ----  ----
health.coverage.case            rwc-    r---   r---         ----       r---  ----    ----  ----
health.coverage                 rwcd    rwcd   r---         ----       ----  ----    ----  ----
health.rights.proof             rwc-    rwc-   r---         ----       ----  ----    ----  ----
health.stay                     rwcd    rwcd   r---         ----       ----  ----    ----  ----
health.prescription             rwcd    rwcd   rwc-         ----       ----  ----    ----  ----
health.prescription.act         rwcd    rwcd   rwcd         ----       ----  ----    ----  ----
health.prior.agreement          rwcd    rwcd   r---         ----       ----  ----    ----  ----
health.round.plan               rwcd    rwcd   rwcd         ----       ----  ----    ----  ----
health.round.plan.act           rwcd    rwcd   rwcd         ----       ----  ----    ----  ----
health.visit                    rwcd    rwcd   rwcd         ----       ----  ----    ----  ----
health.visit.act                rwcd    rwcd   rwcd         ----       ----  ----    ----  ----
health.question                 rwcd    rwcd   r---         ----       ----  ----    r---  ----
health.inbox                    rwc-    rwc-   ----         ----       ----  ----    ----  ----
health.inbox.issue              rwcd    rwcd   ----         ----       ----  ----    ----  ----
health.inbox.part               r---    r---   ----         ----       ----  ----    ----  ----
health.import.mapping           rwcd    rwcd   ----         ----       ----  ----    ----  ----
health.import.mapping.column    rwcd    rwcd   ----         ----       ----  ----    ----  ----
health.cycle                    r-c-    r-c-   r---         ----       r---  ----    ----  ----
sale.order                      rwcd    rwc-   r---         ----       ----  r---    ----  ----
sale.order.line                 rwcd    rwcd   r---         ----       ----  r---    ----  ----
ir.attachment                   rwcd    rwcd   rwcd         ----       ----  ----    ----  ----
res.partner                     rwcd    rwcd   r---         r---       ----  ----    ----  r---
account.move                    rwcd    rwcd   ----         rwcd       ----  ----    ----  ----
"""
#: assistants: whoever may not use one may not even open it
WIZARDS = {
    "health.finding.pass": ("manager", "biller"),
    "health.question.ask": ("manager", "biller"),
    "health.share.dispute": ("manager", "biller"),
    "health.share.write.off": ("manager", "biller"),
    "health.rights.override": ("manager", "biller"),
    "health.rights.proof.batch": ("manager", "biller"),
    "health.practitioner.setup": ("manager",),
}
#: models without a table of their own: their entries are tested one by one
ABSTRACT = {
    "health.control",
    "health.control.trigger",
    "health.cockpit",
    "health.forclusion",
    "health.ngap",
    "health.round.week",
}
#: what identifies a patient beyond the name, or tells the state of health
PRIVATE = (
    "health_nir",
    "health_nir_key",
    "health_birth_date",
    "health_is_palliative",
    "health_has_caregiver",
    "health_is_bpco",
    "health_discharged_on",
    "health_who_pays",
)
DAY = date(2026, 10, 5)
NIR = "2990199999001"


class AccessCommon(HealthCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        product = cls.env["product.product"].browse(
            cls.env["health.ngap"]._product_by_code()["INF-AMI1,5-01"]
        )
        cls.product = product
        cls.coverage = cls.make_coverage(cls.patient, proof_on=DAY)
        cls.prescription = cls.env["health.prescription"].create(
            {"patient_id": cls.patient.id, "date": date(2026, 9, 1)}
        )
        cls.scan = cls.env["ir.attachment"].create(
            {
                "name": "scan.pdf",
                "raw": b"%PDF-1.4 scan",
                "res_model": "health.prescription",
                "res_id": cls.prescription.id,
            }
        )
        cls.prescription.attachment_ids = cls.scan
        cls.visit = cls.env["health.visit"].create(
            {
                "patient_id": cls.patient.id,
                "day": DAY,
                "state": "done",
                "act_ids": [Command.create({"product_id": product.id})],
            }
        )
        cls.fse = cls.env["health.fse"].create(
            {
                "company_id": cls.nurse.id,
                "patient_id": cls.patient.id,
                "fse_date": DAY,
                "act_ids": [Command.create({"act_date": DAY, "product_id": product.id})],
            }
        )
        cls.fse._compute_all()
        cls.booked = cls.make_fse(cls.nurse, "77", amo=600, patient=400)
        cls.order = cls.env["sale.order"].create(
            {
                "health_patient_id": cls.patient.id,
                "order_line": [Command.create({"product_id": product.id})],
            }
        )
        cls.inbox = cls.env["health.inbox"].create(
            {"filename": "a.csv", "company_id": cls.nurse.id, "content": b"YQ=="}
        )
        cls.mapping = cls.env["health.import.mapping"].create(
            {
                "name": "Other program",
                "company_id": cls.nurse.id,
                "header": ["a"],
                "column_ids": cls._mapping_columns(),
            }
        )
        cls.update = cls.env["health.catalogue.update"].create({"name": "News"})
        cls.users = {
            "manager": cls.make_user("manager", "health_billing.group_manager"),
            "biller": cls.make_user("biller", "health_billing.group_biller"),
            "practitioner": cls.make_user("nurse", "health_billing.group_practitioner", cls.nurse),
            "accountant": cls.make_user("accountant", "health_billing.group_accountant"),
            "other": cls.make_user("physio", "health_billing.group_practitioner", cls.physio),
            "patient": cls.make_user("patient", "base.group_portal", cls.nurse),
            "phone": cls.make_user("phone", "base.group_portal", cls.nurse),
            "internal": cls.make_user("internal", "base.group_user"),
        }
        cls.users["patient"].partner_id = cls.patient
        cls.nurse.health_portal_user_ids = cls.users["phone"]

    @classmethod
    def _mapping_columns(cls):
        from ..journal import MANDATORY

        return [Command.create({"target": name, "constant": "1"}) for name in MANDATORY]

    def as_user(self, role, records):
        """The same records, through nothing but what that user may do."""
        user = self.users[role]
        return records.with_env(
            self.env(user=user, su=False, context={"allowed_company_ids": user.company_ids.ids})
        )

    def _columns(self, record):
        """All that the role may read of a record's own row, and what we compute from it."""
        return [
            name
            for name, field in record.fields_get(attributes=["type", "store"]).items()
            if field["type"] not in ("one2many", "many2many")
            and (field["store"] or name == "display_name")
        ]


@tagged("post_install", "-at_install")
class TestAccessMatrix(AccessCommon):
    def values(self, model):
        """Values of one more record of a model, and a harmless change of it."""
        nurse, patient, product = self.nurse.id, self.patient.id, self.product.id
        number = self.env["ir.sequence"].sudo().search([], limit=1).id
        return {
            "health.fse": (
                {"company_id": nurse, "patient_id": patient, "fse_date": DAY},
                {"amc_member": "1"},
            ),
            "health.fse.act": (
                {"fse_id": self.fse.id, "act_date": DAY, "product_id": product},
                {"reason": "a"},
            ),
            "health.share": (
                {
                    "fse_id": self.fse.id,
                    "debtor_kind": "amc",
                    "partner_id": self.mutuelle.id,
                    "amount": 1,
                    "due_date": DAY,
                },
                {"due_date": DAY},
            ),
            "health.share.decision": (
                {"share_id": self.booked.share_ids[0].id, "kind": "disputed"},
                {"reason": "a"},
            ),
            "health.finding": (
                {"fse_id": self.fse.id, "rule_code": "X", "severity": "1", "message": "m"},
                {"reason": "a"},
            ),
            "health.rule": ({"code": "X", "grade": "A"}, {"message": "a"}),
            "health.parameter": (
                {"code": f"x{number}", "name": "x", "value": 1, "unit": "u"},
                {"source": "a"},
            ),
            "health.ngap.value": (
                {"key_letter": "ZZZ", "zone": "metropole", "value": 1, "date_from": DAY},
                {"source": "a"},
            ),
            "health.catalogue.update": ({"name": "x"}, {"name": "y"}),
            "health.catalogue.update.line": (
                {"update_id": self.update.id, "target": "act", "kind": "added", "name": "x"},
                {"name": "y"},
            ),
            "health.catalogue.update.impact": (
                {"update_id": self.update.id, "company_id": nurse},
                {"update_id": self.update.id},
            ),
            "health.coverage.case": (
                {"code": "x", "name": "x", "amo_rate": 60},
                {"sequence": 3},
            ),
            "health.coverage": (
                {
                    "patient_id": patient,
                    "date_from": date(2020, 1, 1),
                    "date_to": date(2020, 2, 1),
                    "case_id": self.env.ref("health_billing.coverage_case_common").id,
                },
                {"amc_member": "1"},
            ),
            "health.rights.proof": ({"coverage_id": self.coverage.id}, {"note": "a"}),
            "health.stay": (
                {"patient_id": patient, "kind": "hospital", "date_from": DAY},
                {"name": "a"},
            ),
            "health.prescription": ({"patient_id": patient, "date": DAY}, {"note": "a"}),
            "health.prescription.act": (
                {"prescription_id": self.prescription.id, "product_id": product},
                {"sessions": 2},
            ),
            "health.prior.agreement": ({"patient_id": patient}, {"sessions": 2}),
            "health.round.plan": ({"patient_id": patient}, {"time": "08:00"}),
            "health.round.plan.act": (
                {
                    "plan_id": self.env["health.round.plan"].create({"patient_id": patient}).id,
                    "product_id": product,
                },
                {"sequence": 2},
            ),
            "health.visit": ({"patient_id": patient, "day": DAY}, {"note": "a"}),
            "health.visit.act": (
                {"visit_id": self.visit.id, "product_id": product},
                {"sequence": 2},
            ),
            "health.question": (
                {"company_id": nurse, "text": "?", "patient_id": patient},
                {"text": "a"},
            ),
            "health.inbox": ({"filename": "b.csv", "company_id": nurse}, {"filename": "c"}),
            "health.inbox.issue": ({"inbox_id": self.inbox.id, "reason": "a"}, {"reason": "b"}),
            "health.inbox.part": (
                {"inbox_id": self.inbox.id, "company_id": nurse},
                {"message": "a"},
            ),
            "health.import.mapping": (
                {"name": "x", "company_id": nurse, "column_ids": self._mapping_columns()},
                {"name": "y"},
            ),
            "health.import.mapping.column": (
                {"mapping_id": self.mapping.id, "target": "lot_no"},
                {"constant": "2"},
            ),
            "health.cycle": ({"date": DAY}, {"is_ok": True}),
            "sale.order": (
                {
                    "health_patient_id": patient,
                    "partner_id": patient,
                    "company_id": nurse,
                    "state": "cancel",
                },
                {"client_order_ref": "a"},
            ),
            "sale.order.line": (
                {"order_id": self.order.id, "product_id": product},
                {"sequence": 3},
            ),
            "ir.attachment": (
                {
                    "name": "b.pdf",
                    "raw": b"%PDF-1.4",
                    "res_model": "health.prescription",
                    "res_id": self.prescription.id,
                },
                {"description": "a"},
            ),
            "res.partner": (
                {"name": "X", "health_kind": "patient", "company_id": nurse},
                {"comment": "a"},
            ),
            "account.move": (
                {
                    "move_type": "out_invoice",
                    "company_id": nurse,
                    "journal_id": self.nurse._health_journal("amo").id,
                    "partner_id": self.cpam.id,
                },
                {"ref": "a"},
            ),
        }[model]

    def allowed(self, role, model):
        """What the role really does with a record of the practice: “rw--” for instance."""
        vals, change = self.values(model)
        done = ""
        for letter, action in (
            ("r", lambda record, own: record.read(self._columns(record))),
            ("w", lambda record, own: (record.write(change), record.flush_recordset())),
            ("c", lambda record, own: own.create(vals).flush_recordset()),
            ("d", lambda record, own: record.unlink()),
        ):
            with self.env.cr.savepoint() as savepoint:
                record = self.env[model].browse()
                if letter != "c":
                    record = self.env[model].create(vals)
                    self.env.flush_all()
                self.env.invalidate_all()
                try:
                    action(
                        self.as_user(role, record),
                        self.as_user(role, self.env[model]),
                    )
                    done += letter
                except UserError:  # refused by right, or by what the record is
                    done += "-"
                savepoint.rollback()
            self.env.invalidate_all()
        return done

    @mute_logger("odoo.models.unlink", "odoo.addons.base.models.ir_access", "odoo.sql_db")
    def test_every_role_on_every_model(self):
        lines = [line.split() for line in MATRIX.strip().splitlines()]
        self.assertEqual(tuple(lines[0]), ROLES)
        for model, *expected in lines[1:]:
            for role, wanted in zip(ROLES, expected, strict=True):
                with self.subTest(model=model, role=role):
                    self.assertEqual(self.allowed(role, model), wanted)

    def test_the_table_names_every_model(self):
        ours = {
            name
            for name, model in self.env.registry.items()
            if name.startswith("health.") and model._original_module == "health_billing"
        }
        listed = {line.split()[0] for line in MATRIX.strip().splitlines()[1:]}
        self.assertEqual(ours - listed - WIZARDS.keys() - ABSTRACT, set())

    def test_wizards_open_only_for_who_may_use_them(self):
        for model, roles in WIZARDS.items():
            for role in ROLES:
                with self.subTest(model=model, role=role):
                    self.assertEqual(
                        self.as_user(role, self.env[model]).has_access("create"), role in roles
                    )

    def test_screens_of_care_refuse_who_has_no_part_in_it(self):
        for role in ("accountant", "patient", "phone", "internal", "other"):
            week = self.as_user(role, self.env["health.round.week"])
            nurse, visit = self.nurse.id, self.visit.id
            cell = {"patient_id": self.patient.id, "passage": 1, "day": "2026-10-05", "visits": []}
            for name, args in (
                ("data", (nurse, "2026-10-05")),
                ("save", (nurse, "2026-10-05", [{**cell, "known": [visit]}])),
                ("remove", (nurse, "2026-10-05", [visit])),
                ("copy_day", (nurse, "2026-10-05", "2026-10-06")),
                ("prepare", (nurse, "2026-10-05")),
                ("bill", (nurse, "2026-10-05")),
                ("scan", (nurse, self.patient.id, "a.pdf", "JVBERi0xLjQ=")),
            ):
                with self.subTest(role=role, method=name), self.assertRaises(UserError):
                    getattr(week, name)(*args)
        self.assertTrue(self.visit.exists())
        self.assertEqual(self.visit.state, "done")
        with self.assertRaisesRegex(UserError, "biller"):
            self.as_user("practitioner", self.env["health.round.week"]).bill(
                self.nurse.id, "2026-10-05"
            )

    def test_buttons_refuse_the_wrong_role(self):
        finding = self.env["health.finding"].create(
            {"fse_id": self.fse.id, "rule_code": "X", "severity": "1", "message": "m"}
        )
        question = self.env["health.question"].create({"company_id": self.nurse.id, "text": "?"})
        question.state = "answered"
        value = self.env["health.ngap.value"].search([("grade", "=", "C")], limit=1)
        value.is_confirmed = False
        calls = (
            (self.fse, ("action_validate", "action_compute", "action_discard")),
            (finding, ("action_pass", "action_dismiss", "action_reopen", "action_apply")),
            (question, ("action_process", "action_cancel", "action_ask_again")),
            (self.coverage, ("action_resplit",)),
            (self.order, ("action_health_send", "action_health_make_fse")),
            (self.order, ("action_health_signed_on_paper",)),
            (self.update, ("action_compare", "action_load_shipped", "action_apply")),
            (value, ("action_confirm",)),
            (self.product, ("action_health_confirm",)),
            (self.inbox, ("action_retry", "action_work_now")),
            (self.mapping, ("action_rework",)),
            (self.nurse, ("action_health_give_phone_access",)),
            (self.nurse, ("action_health_withdraw_phone_access",)),
        )
        for role in ("practitioner", "accountant", "other", "patient", "phone", "internal"):
            for record, methods in calls:
                for name in methods:
                    with self.subTest(role=role, method=name), self.env.cr.savepoint() as savepoint:
                        with self.assertRaises(UserError):
                            getattr(self.as_user(role, record), name)()
                        savepoint.rollback()
                    self.env.invalidate_all()
        self.assertEqual(
            (self.fse.state, finding.state, question.state), ("entered", "open", "answered")
        )

    def test_another_company_in_the_context_is_refused(self):
        """A client may send any list of companies: those that are not the user's open nothing."""
        user = self.users["other"]
        tampered = self.env(
            user=user, su=False, context={"allowed_company_ids": (self.physio + self.nurse).ids}
        )
        for record in (self.fse, self.visit, self.prescription, self.coverage, self.order):
            with self.subTest(record), self.assertRaises(AccessError):
                record.with_env(tampered).read(["display_name"])
        with self.assertRaises(AccessError):
            tampered["health.round.week"].data(self.nurse.id, "2026-10-05")

    def test_context_cannot_put_off_the_check_of_periods(self):
        biller = self.as_user("biller", self.env["health.coverage"])
        with self.assertRaises(ValidationError):
            biller.with_context(health_periods_later=True).create(
                {
                    "patient_id": self.patient.id,
                    "date_from": date(2026, 2, 1),
                    "case_id": self.coverage.case_id.id,
                }
            )

    def test_mapping_shows_no_file_of_another_practice(self):
        journal = self.journal({"fse_no": "9", "last_name": "SECRET"})
        self.inbox.content = base64.b64encode(journal)
        biller = self.make_user("half", "health_billing.group_biller", self.physio)
        self.users["half"] = biller
        mapping = self.as_user("half", self.env["health.import.mapping"]).create(
            {
                "name": "x",
                "company_id": self.physio.id,
                "header": ["last_name"],
                "column_ids": self._mapping_columns(),
                "inbox_id": self.inbox.id,
            }
        )
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            mapping.read(["preview"])


@tagged("post_install", "-at_install")
class TestPrivacy(AccessCommon):
    """NIR, birth date, state of health and care labels, by every road that leads to them."""

    def _roads(self, role, name):
        """Ways that lead to a field of the patient, or tell who has which value."""
        patient = self.as_user(role, self.patient)
        shares = self.as_user(role, self.booked.share_ids)
        Partner = patient.browse()
        return {
            "read": lambda: patient.read([name]),
            "search": lambda: Partner.search([(name, "!=", False)]),
            "order": lambda: Partner.search([], order=f"{name} desc", limit=1),
            "group": lambda: Partner._read_group([], [name], ["__count"]),
            "web group": lambda: Partner.web_read_group([], [name], ["__count"]),
            "export": lambda: patient.export_data([name]),
            "filter": lambda: patient.filtered_domain([(name, "!=", False)]),
            "search through a share": lambda: shares.search([(f"patient_id.{name}", "!=", False)]),
            "export through a share": lambda: shares.export_data([f"patient_id/{name}"]),
        }

    def test_private_fields_by_any_road(self):
        for role in ("accountant", "internal", "patient"):
            self.assertNotIn("health_nir", self.as_user(role, self.env["res.partner"]).fields_get())
            for name in PRIVATE:
                for road, take in self._roads(role, name).items():
                    with self.subTest(role=role, field=name, road=road):
                        self.env.invalidate_all()
                        with self.env.cr.savepoint() as savepoint:
                            # a road that is only there for stored fields is refused as well
                            with contextlib.suppress(UserError, ValueError):
                                self.fail(f"{role} got {take()}")
                            savepoint.rollback()

    def test_the_nir_is_in_no_name_and_no_search(self):
        for role in ("accountant", "internal"):
            Partner = self.as_user(role, self.env["res.partner"])
            self.assertFalse(Partner.name_search(NIR))
            self.assertFalse(Partner.search([("display_name", "ilike", NIR[:9])]))
        for record in (self.patient, self.booked, self.booked.share_ids, self.visit, self.coverage):
            for one in record:
                self.assertNotIn(NIR, one.display_name)

    def test_forms_open_for_who_may_read_the_record(self):
        for role in ("biller", "practitioner", "accountant"):
            for record in (self.patient, self.booked.share_ids[0]):
                with self.subTest(role=role, model=record._name):
                    self.assertTrue(Form(self.as_user(role, record)).id)

    def test_the_accountant_finds_no_care(self):
        """Neither in the books, nor in messages, nor in the cockpit: letters and labels of acts are care."""
        fse = self.fse
        fse.finding_ids.filtered(lambda finding: finding.severity != "1").sudo().unlink()
        for move in self.booked.share_ids.move_id:
            move._message_log(body="x")
        labels = (self.product.name, "AMI", self.product.health_act_code)
        shares = self.booked.share_ids
        moves = self.as_user("accountant", self.booked.share_ids.move_id)
        texts = [
            str(moves.read(["name", "ref", "payment_reference", "narration", "display_name"])),
            str(moves.line_ids.read(["name", "display_name", "ref"])),
            str(moves.message_ids.mapped("body")),
            str(self.as_user("accountant", self.patient).message_ids.mapped("body")),
            str(self.as_user("accountant", shares).read(self._columns(shares))),
            json.dumps(self.as_user("accountant", self.env["health.cockpit"]).data(), default=str),
        ]
        for text in texts:
            for label in labels:
                self.assertNotIn(label, text)
        for record in (self.order, self.order.order_line, self.fse.act_ids, self.visit):
            self.assertFalse(self.as_user("accountant", record).has_access("read"), record._name)
        messages = self.order.message_post(body="soins")
        with self.assertRaises(AccessError):
            self.as_user("accountant", messages).read(["body"])


@tagged("post_install", "-at_install")
class TestFilesOverHttp(AccessCommon, HttpCase):
    def test_scans_are_served_to_who_may_read_their_record(self):
        for user in self.users.values():
            user.password = user.login
        proof = self.env["health.rights.proof"].search([], limit=1)
        certificate = self.env["ir.attachment"].create(
            {
                "name": "droits.pdf",
                "raw": b"%PDF-1.4 rights",
                "res_model": "health.rights.proof",
                "res_id": proof.id,
            }
        )
        proof.attachment_ids = certificate
        paths = [f"/web/content/{file.id}" for file in (self.scan, certificate)]
        paths += [
            f"/web/content/health.inbox/{self.inbox.id}/content",
            f"/web/content/health.prescription/{self.prescription.id}/attachment_ids",
        ]
        for role in (None, "accountant", "other", "patient", "phone", "internal"):
            self.authenticate(role and self.users[role].login, role and self.users[role].login)
            for path in paths:
                with self.subTest(role=role, path=path):
                    self.assertNotEqual(self.url_open(path, allow_redirects=False).status_code, 200)
        for role in ("biller", "practitioner"):
            self.authenticate(self.users[role].login, self.users[role].login)
            answer = self.url_open(paths[0])
            self.assertEqual((answer.status_code, answer.content), (200, b"%PDF-1.4 scan"))

    def test_an_uploaded_page_is_never_served_as_one(self):
        """A scan that is a page in disguise, or is named like one, runs no script."""
        Prescription = self.as_user("practitioner", self.env["health.prescription"])
        action = Prescription.action_from_scan(
            "<img src=x onerror=alert(1)>.html", b"%PDF-1.4 <script>alert(1)</script>"
        )
        scan = self.env["health.prescription"].browse(action["res_id"]).attachment_ids
        for user in (self.users["practitioner"], self.users["biller"]):
            user.password = user.login
            self.authenticate(user.login, user.login)
            answer = self.url_open(f"/web/content/{scan.id}")
            self.assertEqual(answer.status_code, 200)
            self.assertNotIn("html", answer.headers["Content-Type"])
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
