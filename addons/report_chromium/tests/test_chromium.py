"""PDF by Chromium: the real program, on real reports."""

import http.server
import io
import resource
import tempfile
import threading
from pathlib import Path
from unittest.mock import patch

import pypdfium2

from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

from odoo.addons.base.models import ir_actions_report as base_report

from ..chromium import Chromium, ChromiumError, find_chromium

MM = 72 / 25.4
MODEL = "odoo.addons.report_chromium.models.ir_actions_report"


@tagged("post_install", "-at_install")
class TestChromium(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partners = cls.env["res.partner"].create([{"name": "Zoé"}, {"name": "Noël"}])
        cls.env["ir.ui.view"].create(
            {
                "type": "qweb",
                "name": "chromium_probe",
                "key": "report_chromium.probe",
                "arch": """<t t-name="report_chromium.probe"><t t-call="web.html_container">
                    <t t-foreach="docs" t-as="doc">
                        <div class="header">Tête de <t t-out="doc.name"/></div>
                        <div class="article" t-att-data-oe-model="doc._name" t-att-data-oe-id="doc.id">
                            <h1 t-out="doc.name"/><div style="width: 100mm; background: #f00; height: 10mm"/>
                            <p t-foreach="range(doc.color or 1)" t-as="rank">Ligne <t t-out="rank"/> : été, 12,50 €</p>
                        </div>
                        <div class="footer">Page <span class="page"/> / <span class="topage"/></div>
                    </t></t></t>""",
            }
        )
        cls.paper = cls.env["report.paperformat"].create(
            {
                "name": "Probe",
                "format": "A4",
                "orientation": "Portrait",
                "dpi": 96,
                "disable_shrinking": True,
                "margin_top": 30,
                "margin_bottom": 25,
                "margin_left": 20,
                "margin_right": 20,
                "header_spacing": 20,
            }
        )
        cls.report = cls.env["ir.actions.report"].create(
            {
                "name": "Probe",
                "model": "res.partner",
                "report_type": "qweb-pdf",
                "report_name": "report_chromium.probe",
                "paperformat_id": cls.paper.id,
            }
        )

    def print(self, partners):
        Report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        content, kind = Report._render_qweb_pdf(self.report.report_name, partners.ids)
        self.assertEqual(kind, "pdf")
        return pypdfium2.PdfDocument(io.BytesIO(content))

    def text(self, page):
        return " ".join(page.get_textpage().get_text_bounded().split())

    def test_headers_footers_and_page_numbers_of_each_record(self):
        self.partners[0].color = 40
        with mute_logger(MODEL):
            pages = self.print(self.partners)
        texts = [self.text(page) for page in pages]
        self.assertEqual(len(texts), 3)
        for rank, text in enumerate(texts[:2], start=1):
            self.assertIn("Tête de Zoé", text)
            self.assertIn(f"Page {rank} / 2", text)
        self.assertIn("été, 12,50 €", texts[0])
        self.assertIn("Tête de Noël", texts[2])
        self.assertIn("Page 1 / 1", texts[2])
        self.assertNotIn("Zoé", texts[2])

    def test_margins_and_sizes_are_those_of_the_paper(self):
        [page] = self.print(self.partners[1])
        self.assertAlmostEqual(page.get_width() / MM, 210, delta=0.5)
        self.assertAlmostEqual(page.get_height() / MM, 297, delta=0.5)
        picture = page.render(scale=4).to_pil().convert("RGB")
        red = [
            (x / MM / 4, y / MM / 4)
            for x in range(0, picture.width, 2)
            for y in range(0, picture.height, 2)
            if picture.getpixel((x, y)) == (255, 0, 0)
        ]
        wide = max(x for x, _y in red) - min(x for x, _y in red)
        tall = max(y for _x, y in red) - min(y for _x, y in red)
        self.assertAlmostEqual(wide, 100, delta=0.6)
        self.assertAlmostEqual(tall, 10, delta=0.6)
        self.assertGreaterEqual(min(y for _x, y in red), 30)
        # where wkhtmltopdf 0.12.4 with patched Qt puts them: 22.1 and 273.7
        text = page.get_textpage()
        for words, low, high in (("Tête", 20, 25), ("Page", 272, 280)):
            start, _count = text.search(words).get_next()
            top = (page.get_height() - text.get_charbox(start)[3]) / MM
            self.assertTrue(low <= top <= high, f"{words}: {top}")

    def test_landscape(self):
        self.paper.orientation = "Landscape"
        [page] = self.print(self.partners[1])
        self.assertGreater(page.get_width(), page.get_height())

    def test_a_report_reaches_neither_files_nor_network_nor_scripts(self):
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"fetched")

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as secret:
            secret.write("a local secret")
            secret.flush()
            address = f"http://127.0.0.1:{server.server_port}"
            html = f"""<!DOCTYPE html><html><head><link rel="stylesheet" href="{address}/a.css"></head><body>
                <iframe src="file://{secret.name}"></iframe><iframe src="{address}/frame"></iframe>
                <img src="{address}/picture"><object data="file://{secret.name}"></object>
                <p id="spot">as written</p><script>document.getElementById("spot").textContent = "by script"</script>
                <img src="x" onerror="document.getElementById('spot').textContent = 'by script'"></body></html>"""
            seen = []
            with Chromium(find_chromium(), lambda url: seen.append(url)) as chromium:
                folder = Path(chromium.folder)
                content = chromium.print(html, 210, 297, (10, 10, 10, 10))
        text = " ".join(self.text(page) for page in pypdfium2.PdfDocument(io.BytesIO(content)))
        self.assertEqual(asked, [])
        self.assertIn("as written", text)
        self.assertNotIn("secret", text)
        self.assertNotIn("by script", text)
        self.assertTrue(seen)
        self.assertFalse(folder.exists())

    def test_static_files_come_from_the_addons_only(self):
        fetch = self.env["ir.actions.report"]._chromium_fetch
        content, kind = fetch("http://localhost:8069/web/static/img/logo.png")
        self.assertEqual((content[:4], kind), (b"\x89PNG", "image/png"))
        for url in (
            "http://x/web/static/../../../../../../etc/passwd",
            "http://x/web/static/%2e%2e/%2e%2e/odoo.conf",
            "http://x/web/database/manager",
            "http://x/web/content/1",
            "file:///etc/passwd",
            "http://x/nothing/static/a.png",
        ):
            self.assertIsNone(fetch(url), url)

    def test_prints_under_the_servers_memory_limit(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (2684354560, hard))
        try:
            self.assertEqual(len(self.print(self.partners[1])), 1)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

    def test_patched_wkhtmltopdf_keeps_its_place(self):
        Report = self.env["ir.actions.report"]
        parameters = self.env["ir.config_parameter"].sudo()
        self.assertTrue(Report._chromium_binary())
        self.assertEqual(Report.get_wkhtmltopdf_state(), "ok")
        patched = base_report._wkhtml()._replace(is_patched_qt=True, state="ok")
        with patch.object(base_report, "_wkhtml", lambda: patched):
            self.assertIsNone(Report._chromium_binary())
            parameters.set_param("report_chromium.engine", "chromium")
            self.assertTrue(Report._chromium_binary())
        parameters.set_param("report_chromium.engine", "wkhtmltopdf")
        self.assertIsNone(Report._chromium_binary())

    def test_a_broken_program_is_told(self):
        self.env["ir.config_parameter"].sudo().set_param("report_chromium.path", "/bin/false")
        with mute_logger(MODEL), self.assertRaisesRegex(UserError, "Chromium stopped"):
            self.print(self.partners[1])
        with self.assertRaises(ChromiumError):
            Chromium("/nowhere/chromium", lambda url: None).__enter__()
