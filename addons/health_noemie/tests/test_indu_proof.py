"""What is gathered, asked for, and handed out."""

import csv
import io
import zipfile
from datetime import date

from odoo.tests import HttpCase, tagged
from odoo.tools.pdf import PdfFileReader

from odoo.addons.health_noemie.pages import fit, pages

from .common import DAY
from .common_indu import PNG, InduCommon


@tagged("post_install", "-at_install")
class TestInduProof(InduCommon):
    def setUp(self):
        super().setUp()
        self.fse = self.make_fse(self.nurse, "000000101", amo=6000)
        self.env["health.lot"]._collect_sent(self.nurse)
        self.env["health.arl"].create(
            {
                "company_id": self.nurse.id,
                "lot_id": self.fse.lot_id.id,
                "lot_no": "001",
                "result": "positive",
                "date": date(2026, 10, 6),
                "source": "manual",
            }
        )
        self.drop(self.noemie(self.settlement(self.paid("000000101", amo=6000))))
        self.drop(self.camt(self.entry(6000, "VIR 262850012345")))
        self.indu = self.make_indu(("000000101", 6000, "contest"), ("999", 500, "contest"))
        self.line = self.indu.line_ids[0]

    def scan(self, content=PNG, name="scan.png", mimetype="image/png", **values):
        return self.env["ir.attachment"].create(
            {"name": name, "raw": content, "mimetype": mimetype, **values}
        )

    def prescribe(self, content=PNG):
        prescription = self.env["health.prescription"].create(
            {"patient_id": self.patient.id, "date": date(2026, 10, 1)}
        )
        prescription.attachment_ids = self.scan(
            content, res_model="health.prescription", res_id=prescription.id
        )
        self.fse.sudo().prescription_id = prescription
        return prescription

    def visit(self):
        return self.env["health.visit"].create(
            {
                "patient_id": self.patient.id,
                "day": self.fse.fse_date,
                "time": "07:30",
                "state": "done",
                "fse_id": self.fse.id,
            }
        )

    def text(self, content):
        reader = PdfFileReader(io.BytesIO(content), strict=False)
        count = reader.getNumPages()
        return count, "".join(reader.getPage(page).extract_text() for page in range(count))

    # -- gathering

    def test_gather_what_the_product_holds(self):
        self.indu.action_gather()
        kinds = self.line.proof_ids.mapped("kind")
        self.assertEqual(sorted(set(kinds)), ["arl", "bank", "return", "rights", "sending"])
        # sending, ARL and return of the five that a claim needs
        self.assertEqual(self.line.completeness, 60)
        self.assertTrue(self.line.missing)
        sending = self.line.proof_ids.filtered(lambda one: one.kind == "sending")
        _count, text = self.text(sending.attachment_ids.raw)
        for part in ("000000101", "05/10/2026", "60,00"):
            self.assertIn(part, text)
        answer = self.line.proof_ids.filtered(lambda one: one.kind == "return")
        self.assertIn("262850012345", self.text(answer.attachment_ids.raw)[1])
        self.assertFalse(self.indu.line_ids[1].proof_ids)
        self.assertEqual(self.indu.completeness, 30)

    def test_missing_ones_are_asked_once_and_answers_are_taken(self):
        self.indu.action_gather()
        questions = self.line.question_ids
        self.assertEqual(len(questions), 2)
        self.assertEqual(questions.mapped("state"), ["open", "open"])
        self.assertEqual(questions.fse_ids, self.fse)
        self.indu.action_gather()
        self.line.invalidate_recordset(["question_ids"])
        self.assertEqual(self.line.question_ids, questions)
        for question in questions:
            question._answer({}, [("photo.png", PNG + question.text.encode())])
        before = len(self.line.proof_ids)
        self.indu.action_gather()
        self.assertEqual(self.line.completeness, 100)
        self.assertEqual(len(self.line.proof_ids), before + 2)
        self.indu.action_gather()
        self.assertEqual(len(self.line.proof_ids), before + 2)
        self.assertFalse(
            self.env["health.question"].search([("state", "=", "open"), ("key", "=like", "indu-%")])
        )

    def test_gather_again_brings_news_and_nothing_twice(self):
        self.indu.action_gather()
        before = {one.id: one.attachment_ids.ids for one in self.indu.proof_ids}
        self.indu.action_gather()
        self.assertEqual({one.id: one.attachment_ids.ids for one in self.indu.proof_ids}, before)
        self.prescribe()
        visit = self.visit()
        self.indu.action_gather()
        self.assertEqual(self.line.completeness, 100)
        shown = self.line.proof_ids.filtered(lambda one: one.kind == "visit")
        self.assertIn("07:30", self.text(shown.attachment_ids.raw)[1])
        visit.time = "08:15"
        self.indu.action_gather()
        self.assertIn("08:15", self.text(shown.attachment_ids.raw)[1])
        self.assertEqual(len(shown.attachment_ids), 1)

    def test_accepted_lines_need_no_proof_and_ask_nothing(self):
        self.line.action_accept()
        self.indu.action_gather()
        self.assertFalse(self.line.question_ids)
        self.assertTrue(self.line.proof_ids)
        self.assertFalse(self.indu.proof_ids._documents(), "nothing more than needed leaves")

    def test_free_line_is_complete_with_any_document(self):
        free = self.indu.line_ids[1]
        self.assertEqual(free.completeness, 0)
        proof = self.env["health.indu.proof"].create(
            {"indu_id": self.indu.id, "line_id": free.id, "name": "Attestation"}
        )
        self.assertEqual(free.completeness, 0)
        proof.attachment_ids = self.scan()
        self.assertEqual(free.completeness, 100)

    def test_queries_do_not_grow_with_the_claims(self):
        def spent(count, first):
            numbers = [f"{first + rank:09d}" for rank in range(count)]
            for number in numbers:
                self.make_fse(self.nurse, number, amo=1000)
            self.env["health.lot"]._collect_sent(self.nurse)
            indu = self.make_indu(*((number, 1000, "contest") for number in numbers))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            indu.action_gather()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        spent(2, 500)
        few, many = spent(3, 1000), spent(20, 2000)
        self.assertLessEqual(many, few + 4)

    # -- handing out

    def fill(self):
        self.prescribe()
        self.visit()
        self.env["health.indu.proof"].create(
            [
                {
                    "indu_id": self.indu.id,
                    "kind": "notification",
                    "name": "Notification & enveloppe é",
                    "attachment_ids": [
                        (6, 0, self.scan(pages("Lettre", ["a"]), "l.pdf", "application/pdf").ids)
                    ],
                },
                {
                    "indu_id": self.indu.id,
                    "line_id": self.indu.line_ids[1].id,
                    "name": "=cmd",
                    "attachment_ids": [
                        (6, 0, self.scan(b"PK\x03\x04", "x.docx", "application/zip").ids)
                    ],
                },
            ]
        )
        self.indu.action_gather()

    def test_zip_is_ordered_numbered_and_indexed(self):
        self.fill()
        Pack = self.env["health.indu.pack"]
        content, name = Pack._proofs_zip(self.indu)
        self.assertRegex(name, r"^indu-2026-4711-preuves-\d{8}\.zip$")
        archive = zipfile.ZipFile(io.BytesIO(content))
        self.assertIsNone(archive.testzip())
        names = archive.namelist()
        self.assertEqual(names[:2], ["000-sommaire.pdf", "index.csv"])
        self.assertTrue(names[2].startswith("001-notification-enveloppe-e"))
        self.assertEqual([int(one[:3]) for one in names[2:]], list(range(1, len(names) - 1)))
        rows = list(
            csv.reader(archive.read("index.csv").decode("utf-8-sig").splitlines(), delimiter=";")
        )
        self.assertEqual([row[1] for row in rows[1:]], names[2:])
        self.assertIn("'=cmd", [row[2] for row in rows])
        self.assertEqual(Pack._proofs_zip(self.indu)[0], content)
        self.assertIn("65,00", self.text(archive.read("000-sommaire.pdf"))[1])

    def test_pdf_holds_every_page_and_names_what_it_cannot(self):
        self.fill()
        content, _name = self.env["health.indu.pack"]._proofs_pdf(self.indu)
        count, text = self.text(content)
        documents = self.indu.proof_ids._documents()
        printable = [
            one for one in documents if fit(one["attachment"].raw, one["attachment"].mimetype)
        ]
        self.assertEqual(len(documents) - len(printable), 1)
        self.assertGreaterEqual(count, 1 + 2 * len(printable))
        self.assertIn("000000101", text)
        self.assertIn("=cmd", text)

    def test_one_document_of_several_claims_comes_once(self):
        self.prescribe()
        other = self.make_fse(
            self.nurse, "000000102", amo=500, prescription_id=self.fse.prescription_id.id
        )
        self.indu.line_ids[1].fse_number = other.name
        self.indu.action_gather()
        scans = [
            one for one in self.indu.proof_ids._documents() if one["proof"].kind == "prescription"
        ]
        self.assertEqual(len(scans), 1)
        self.assertEqual(scans[0]["claims"], self.indu.line_ids)

    def test_damaged_documents_stop_nothing(self):
        self.assertIsNone(fit(b"%PDF-1.4 torn", "application/pdf"))
        self.assertIsNone(fit(PNG[:20], "image/png"))
        self.assertIsNone(fit(b"", ""))
        self.prescribe(b"%PDF-1.4 torn")
        self.indu.action_gather()
        content, _name = self.env["health.indu.pack"]._proofs_pdf(self.indu)
        self.assertIn("ZIP", self.text(content)[1])

    def test_long_text_takes_more_pages_and_odd_signs_are_no_harm(self):
        content = pages("Titre → 漢字", ["x" * 400, *map(str, range(200))])
        count, text = self.text(content)
        self.assertGreater(count, 3)
        self.assertIn("199", text)

    def test_lawyers_pack_holds_everything(self):
        self.fill()
        letter = self.send(self.indu, "contest", DAY)
        letter.attachment_ids = self.scan()
        content, _name = self.env["health.indu.pack"]._pack(self.indu)
        archive = zipfile.ZipFile(io.BytesIO(content))
        names = archive.namelist()
        for start in (
            "01-synthese.pdf",
            "02-chronologie.csv",
            "03-montants.csv",
            "04-courriers/01-",
            "05-preuves/000-",
            "05-preuves/001-",
        ):
            self.assertTrue([one for one in names if one.startswith(start)], start)
        self.assertEqual(len(names), len(set(names)))
        amounts = archive.read("03-montants.csv").decode("utf-8-sig")
        self.assertIn("60,00", amounts)
        [page] = [one for one in names if one.endswith(".html")]
        self.assertIn("60,00", archive.read(page).decode())
        self.assertTrue([one for one in names if "-envoi-1.png" in one])


@tagged("post_install", "-at_install")
class TestInduDownload(InduCommon, HttpCase):
    def test_download_is_for_who_may_read_the_claims(self):
        self.make_fse(self.nurse, "000000101", amo=6000)
        indu = self.make_indu(("000000101", 6000, "contest"))
        indu.action_gather()
        url = f"/facturiere/indu/{indu.id}/"
        for login, group, companies, allowed in (
            ("b1", "group_biller", self.companies, True),
            ("p1", "group_practitioner", self.nurse, True),
            ("p2", "group_practitioner", self.physio, False),
            ("a1", "group_accountant", self.companies, False),
        ):
            user = self.make_user(login, f"health_billing.{group}", companies)
            user.password = login * 4
            self.authenticate(login, login * 4)
            for name in ("preuves.zip", "dossier.zip", "preuves.pdf"):
                answer = self.url_open(url + name)
                self.assertEqual(answer.status_code == 200, allowed, (login, name))
                if allowed:
                    self.assertEqual(answer.headers["Cache-Control"], "no-store")
                    self.assertIn(answer.content[:4], (b"PK\x03\x04", b"%PDF"))
        self.authenticate(None, None)
        self.assertNotIn(b"PK\x03\x04", self.url_open(url + "preuves.zip").content[:4])
        self.authenticate("b1", "b1" * 4)
        self.assertEqual(self.url_open(url + "autre.zip").status_code, 404)
