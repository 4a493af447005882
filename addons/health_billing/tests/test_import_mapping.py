"""A table of another program dropped in the inbox, mapped once, read ever after."""

import base64

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from .common import HealthCommon

HEADER = (
    "N° facture;Date facture;N° Sécu;Patient;Date de naissance;Date des soins;Cotation;Honoraires;Caisse;"
    "Part AMO;Taux"
)
ROW = "{};05/10/2026;2 99 01 99 999 001 23;DURAND Anne;01/01/1999;05/10/2026;AMI 4;12,60;019990000;7,56;60 %"


def export(*rows, header=HEADER):
    return "\n".join((header, *rows, "")).encode("cp1252")


@tagged("post_install", "-at_install")
class TestImportMapping(HealthCommon):
    def receive(self, content, name="export.csv", company=None):
        return self.env["health.inbox"].ingest(name, content, company)

    def map_file(self, inbox, company=None):
        """The wizard, as the button of the inbox opens it."""
        action = inbox.action_create_mapping()
        form = Form(self.env["health.import.mapping"].with_context(**action["context"]))
        form.company_id = self.nurse if company is None else company
        return form.save()

    def test_unknown_table_waits_for_a_mapping_then_is_read_once(self):
        content = export(ROW.format("F1"), ROW.format("F2").replace("12,60", "douze"))
        inbox = self.receive(content)
        self.assertEqual((inbox.state, inbox.kind), ("review", "unknown"))
        self.assertIn("create a mapping", inbox.message)
        mapping = self.map_file(inbox)
        self.assertEqual(mapping.name, "export")
        self.assertIn("douze", mapping.preview)
        self.assertIn("table-danger", mapping.preview)
        action = mapping.action_rework()
        self.assertEqual(action["res_id"], inbox.id)
        self.assertEqual((inbox.kind, inbox.state), ("fse", "review"), inbox.message)
        fse = self.env["health.fse"].search([("inbox_id", "=", inbox.id)])
        self.assertEqual(
            (fse.name, fse.company_id, fse.patient_id), ("F1", self.nurse, self.patient)
        )
        self.assertEqual(
            [(share.debtor_kind, share.amount) for share in fse.share_ids.sorted("debtor_kind")],
            [("amo", 7.56), ("patient", 5.04)],
        )
        issue = inbox.issue_ids
        self.assertEqual((issue.row, issue.column), (3, "Honoraires"))
        inbox.action_retry()
        self.assertEqual(len(self.env["health.fse"].search([("inbox_id", "=", inbox.id)])), 1)
        self.assertEqual(len(inbox.issue_ids), 1)

    def test_the_next_file_with_these_columns_is_recognised_by_itself(self):
        self.map_file(self.receive(export(ROW.format("F1"))))
        second = self.receive(export(ROW.format("F7")), "octobre.csv")
        self.assertEqual((second.kind, second.state), ("fse", "done"), second.message)
        self.assertEqual(second.counts["created"], 1)
        other = self.receive(export(ROW.format("F8"), header=HEADER.replace("Taux", "Pourcent")))
        self.assertEqual((other.kind, other.state), ("unknown", "review"))

    def test_mapping_of_each_practitioner_needs_to_know_whose_file_it_is(self):
        first = self.receive(export(ROW.format("F1")))
        self.map_file(first)
        self.map_file(first, company=self.physio)
        unclear = self.receive(export(ROW.format("F2")))
        self.assertEqual(unclear.state, "review")
        self.assertIn("Nurse Test", unclear.message)
        clear = self.receive(export(ROW.format("F3")), company=self.physio)
        self.assertEqual(clear.state, "done", clear.message)
        self.assertEqual(
            self.env["health.fse"].search([("inbox_id", "=", clear.id)]).company_id, self.physio
        )

    def test_incomplete_mapping_is_not_saved(self):
        inbox = self.receive(export("x;y;z", header="a;b;c"))
        form = Form(
            self.env["health.import.mapping"].with_context(
                **inbox.action_create_mapping()["context"]
            )
        )
        self.assertIn("Still missing", form.preview)
        with self.assertRaisesRegex(ValidationError, "NIR"):
            form.save()

    def test_sample_dropped_in_the_wizard_is_read_and_not_kept(self):
        form = Form(self.env["health.import.mapping"])
        form.name = "logiciel"
        form.company_id = self.nurse
        form.sample = base64.b64encode(export(ROW.format("F1"))).decode()
        self.assertIn("DURAND", form.preview)
        mapping = form.save()
        mapping.invalidate_recordset()
        self.assertFalse(mapping.preview)
        sources = {column.target: column.source for column in mapping.column_ids}
        self.assertEqual((sources["nir"], sources["lot_no"]), ("N° Sécu", False))
        self.assertTrue(mapping.signature)

    def test_preview_escapes_what_the_file_says(self):
        form = Form(self.env["health.import.mapping"])
        form.sample = base64.b64encode(
            export(ROW.format("F1").replace("AMI 4", "<script>alert(1)</script>"))
        ).decode()
        self.assertNotIn("<script>", form.preview)

    def test_values_are_written_in_pairs(self):
        mapping = self.map_file(self.receive(export(ROW.format("F1"))))
        column = mapping.column_ids.filtered(lambda one: one.target == "complement")
        column.translations = "Nuit = N ; Dimanche=F"
        self.assertEqual(column._translation_pairs(), {"Nuit": "N", "Dimanche": "F"})
        with self.assertRaises(ValidationError):
            column.translations = "Nuit"
        with self.assertRaises(ValidationError):
            column.is_part = True

    def test_reading_costs_the_same_for_any_length(self):
        self.map_file(self.receive(export(ROW.format("F0"))))
        counts = []
        for first, size in ((1, 3), (10, 30)):
            content = export(*(ROW.format(f"F{first + n}") for n in range(size)))
            inbox = self.env["health.inbox"].create({"filename": "x.csv"})
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.cr.sql_log_count
            self.assertEqual(len(inbox._read_fse(content).fses), size)
            counts.append(self.cr.sql_log_count - start)
        self.assertEqual(counts[0], counts[1])

    def test_roles(self):
        mapping = self.map_file(self.receive(export(ROW.format("F1"))))
        biller = self.make_user("biller", "health_billing.group_biller")
        self.assertTrue(mapping.with_user(biller).read(["name"]))
        for group in (
            "health_billing.group_practitioner",
            "health_billing.group_accountant",
            "base.group_user",
        ):
            user = self.make_user(group, group)
            for record in (mapping, mapping.column_ids):
                with self.subTest(f"{group} {record._name}"), self.assertRaises(AccessError):
                    record.with_user(user).read(["create_date"])
