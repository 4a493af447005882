"""The clumsy and the ill-meaning: what must be refused in clear words, and leave everything as it was."""

import io
import time
import zipfile
from datetime import date, timedelta

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..journal import JournalError, read_table
from .common_fse import DAY, FseCommon

SHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


class RobustnessCommon(FseCommon):
    def as_biller(self, records):
        context = {"allowed_company_ids": self.companies.ids}
        return records.with_env(self.env(user=self.biller, su=False, context=context))

    def make_visit(self, patient=None, **values):
        return self.env["health.visit"].create(
            {
                "patient_id": (patient or self.patient).id,
                "day": DAY,
                "time": "07:30",
                "state": "done",
                "prescription_id": self.prescription.id if not patient else False,
                "act_ids": [(0, 0, {"product_id": self.blood.id})],
                **values,
            }
        )

    def ready(self, **values):
        """An FSE that nothing stands against but what the test makes."""
        fse = self.enter(**values)
        fse._compute_all()
        fse.finding_ids.filtered(lambda finding: finding.severity == "2")._pass("seen")
        return fse


@tagged("post_install", "-at_install")
class TestVisitsAndFse(RobustnessCommon):
    def test_only_billing_bills_a_visit(self):
        visit = self.make_visit()
        fse = self.env["health.fse"]._create_from_visits(visit)
        free = self.make_visit(day=DAY + timedelta(days=1))
        for record, vals in (
            (visit, {"fse_id": False, "state": "done"}),
            (free, {"state": "billed"}),
            (free, {"fse_id": fse.id}),
        ):
            with self.subTest(vals=vals), self.assertRaisesRegex(UserError, "billed by"):
                self.as_biller(record).write(vals)
        with self.assertRaises(UserError):
            self.as_biller(visit).copy({"state": "billed"})
        self.assertEqual((visit.state, visit.fse_id), ("billed", fse))

    def test_visits_of_an_fse_given_up_are_to_bill_again(self):
        visits = self.make_visit() + self.make_visit(day=DAY + timedelta(days=1))
        action = self.as_biller(visits).action_bill()
        fse = self.env["health.fse"].search(action["domain"])
        self.assertEqual(set(visits.mapped("state")), {"billed"})
        self.as_biller(fse).action_discard()
        self.assertFalse(fse.exists())
        self.assertEqual(set(visits.mapped("state")), {"done"})
        again = self.as_biller(visits).action_bill()
        self.assertEqual(visits.fse_id, self.env["health.fse"].search(again["domain"]))
        with self.assertRaisesRegex(UserError, "Nothing to bill"):
            self.as_biller(visits).action_bill()

    def test_an_fse_of_visits_keeps_its_patient(self):
        other = self.make_patient(self.nurse, "MARTIN Luc", "1990199999009")
        fse = self.env["health.fse"]._create_from_visits(self.make_visit())
        with self.assertRaisesRegex(ValidationError, "bills visits of DURAND"):
            self.as_biller(fse).patient_id = other

    def test_nobody_is_treated_under_the_prescription_of_another(self):
        other = self.make_patient(self.nurse, "MARTIN Luc", "1990199999009")
        with self.assertRaisesRegex(ValidationError, "DURAND Anne's"):
            self.make_visit(other, prescription_id=self.prescription.id)
        with self.assertRaisesRegex(ValidationError, "DURAND Anne's"):
            self.enter(other, prescription_id=self.prescription.id)
        fse = self.enter()
        with self.assertRaises(ValidationError):
            fse.patient_id = other

    def test_what_is_in_use_is_not_deleted(self):
        fse = self.validated()
        with self.assertRaisesRegex(UserError, "archive it instead"):
            self.as_biller(self.prescription).unlink()
        with self.assertRaisesRegex(UserError, "give them an end"):
            self.as_biller(self.coverage).unlink()
        with self.assertRaises(UserError):
            self.as_biller(fse).action_discard()
        other = self.make_patient(self.nurse, "MARTIN Luc", "1990199999009")
        visit = self.make_visit(other)
        with self.assertRaisesRegex(UserError, "archive the patient"):
            self.as_biller(other).unlink()
        self.assertTrue(visit.exists() and self.prescription.exists() and self.coverage.exists())
        idle = self.make_patient(self.nurse, "SEUL Jean", "1990199999008")
        self.as_biller(idle).unlink()
        self.assertFalse(idle.exists())


@tagged("post_install", "-at_install")
class TestValidation(RobustnessCommon):
    def test_validation_is_no_value_to_write(self):
        fse = self.enter()
        for vals in ({"validated_on": fields.Datetime.now()}, {"origin": "journal"}):
            with self.assertRaises(AccessError):
                self.as_biller(fse).write(vals)
        done = self.validated(fse_date=DAY)
        with self.assertRaises(AccessError):
            self.as_biller(done).validated_on = False
        with self.assertRaises(AccessError):
            self.as_biller(self.env["health.fse"]).create(
                {
                    "company_id": self.nurse.id,
                    "patient_id": self.patient.id,
                    "validated_on": fields.Datetime.now(),
                }
            )

    def test_what_is_booked_stays(self):
        for fse in (self.validated(), self.make_fse(self.nurse, "90", amo=600, patient=400)):
            mine = self.as_biller(fse)
            for record, vals in (
                (mine, {"amount_total": 1}),
                (mine, {"name": "99"}),
                (mine.act_ids[0], {"amount": 1}),
                (mine.share_ids[0], {"amount": 1}),
            ):
                with self.subTest(fse=fse.name, vals=vals), self.assertRaises(UserError):
                    record.write(vals)
            with self.assertRaises(UserError):
                mine.act_ids.unlink()
            with self.assertRaises(UserError):
                self.env["health.fse.act"].with_env(mine.env).create(
                    {"fse_id": fse.id, "act_date": DAY, "product_id": self.blood.id}
                )

    def test_twice_gives_one_number_and_one_set_of_invoices(self):
        fse = self.ready()
        self.as_biller(fse).action_validate()
        name, moves = fse.name, fse.share_ids.move_id
        self.assertTrue(moves)
        with self.assertRaisesRegex(UserError, "Nothing to compute"):
            self.as_biller(fse).action_validate()
        self.assertEqual((fse.name, fse.share_ids.move_id), (name, moves))

    def test_impossible_claims_are_told(self):
        tomorrow = fields.Date.today() + timedelta(days=40)
        physio = self.env["product.product"].search(
            [("health_profession", "=", "kinesitherapeute")], limit=1
        )
        for label, change, told in (
            ("no act", lambda fse: fse.act_ids.unlink(), "no act"),
            ("future", lambda fse: fse.write({"fse_date": tomorrow}), "still to come"),
            (
                "before birth",
                lambda fse: fse.patient_id.write({"health_birth_date": date(2026, 10, 6)}),
                "before the birth",
            ),
            (
                "another trade",
                lambda fse: fse.act_ids[0].write({"product_id": physio.id}),
                "another profession",
            ),
        ):
            with self.subTest(label), self.env.cr.savepoint() as savepoint:
                fse = self.ready()
                change(fse)
                with self.assertRaisesRegex(UserError, told):
                    fse.action_validate()
                self.assertEqual(fse.state, "entered")
                self.assertFalse(fse.share_ids.move_id)
                savepoint.rollback()
            self.env.invalidate_all()

    @mute_logger("odoo.sql_db")
    def test_quantities_and_overruns(self):
        fse = self.enter()
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            fse.act_ids[0].quantity = 0
            self.env.flush_all()
        self.env.invalidate_all()
        with self.assertRaisesRegex(ValidationError, "below zero"):
            fse.act_ids[0].overrun = -1

    def test_a_closed_period_stays_as_it_is(self):
        fse = self.ready()
        self.nurse.sale_lock_date = date(2026, 10, 31)
        self.as_biller(fse).action_validate()
        moves = fse.share_ids.move_id
        self.assertEqual(set(moves.mapped("state")), {"posted"})
        # booked in the first open period; the invoice keeps the day of care
        self.assertEqual(set(moves.mapped("invoice_date")), {DAY})
        self.assertGreater(min(moves.mapped("date")), self.nurse.sale_lock_date)

    def test_long_and_strange_names(self):
        patient = self.make_patient(
            self.nurse, "<script>alert(1)</script> Ñandú ‮" + "é" * 300, "1990199999007"
        )
        self.give_rights(patient)
        fse = self.enter(patient)
        fse._compute_all()
        self.assertIn("<script>", fse.patient_id.display_name)
        for message in fse.finding_ids.mapped("message"):
            self.assertTrue(message)


@tagged("post_install", "-at_install")
class TestWorkbooks(RobustnessCommon):
    def workbook(self, sheet):
        """A workbook with the given XML as its sheet."""
        from openpyxl import Workbook

        plain, content = io.BytesIO(), io.BytesIO()
        Workbook().save(plain)
        with (
            zipfile.ZipFile(plain) as source,
            zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as target,
        ):
            for name in source.namelist():
                is_sheet = name.endswith("sheet1.xml")
                target.writestr(name, sheet if is_sheet else source.read(name))
        return content.getvalue()

    def refusal(self, content):
        start = time.monotonic()
        with self.assertRaises(JournalError) as refused:
            for _line in read_table(content).rows:
                pass
        self.assertLess(time.monotonic() - start, 60)
        return str(refused.exception)

    def test_a_bomb_is_refused_before_it_bursts(self):
        sheet = f"<worksheet {SHEET}><sheetData>" + " " * (201 << 20) + "</sheetData></worksheet>"
        content = self.workbook(sheet)
        self.assertLess(len(content), 1 << 20)
        self.assertIn("200 Mo", self.refusal(content))

    def test_a_cell_far_below_ends(self):
        cell = '<c r="{0}1" t="inlineStr"><is><t>{0}</t></is></c>'
        sheet = (
            f'<worksheet {SHEET}><dimension ref="A1:XFD1048576"/><sheetData><row r="1">'
            + "".join(cell.format(letter) for letter in "ABC")
            + '</row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
        )
        self.assertIn("lignes", self.refusal(self.workbook(sheet)))

    def test_a_damaged_archive_of_the_catalogue_is_an_issue(self):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("ngap_values.csv", "a;b;c\n" * 500)
        broken = bytearray(content.getvalue())
        broken[60:70] = b"\xff" * 10
        files, issues = {}, []
        self.env["health.catalogue.update"]._open_archive("a.zip", bytes(broken), files, issues)
        self.assertEqual(len(issues), 1)
        self.assertFalse(files)

    def test_a_huge_or_wrong_scan_is_refused(self):
        Prescription = self.as_biller(self.env["health.prescription"])
        for data in (b"%PDF-" + b"0" * (16 << 20), "é%%", "", b"<svg xmlns='x'/>", b"<html>"):
            with self.subTest(data=data[:10]), self.assertRaises(UserError):
                Prescription.action_from_scan("../../x.html", data)
