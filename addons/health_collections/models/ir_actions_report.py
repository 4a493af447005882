import io

from odoo import api, models
from odoo.tools.pdf import PdfFileReader, PdfFileWriter


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    def _health_is_letter(self):
        """Whether this report prints letters on our layout."""
        self.ensure_one()
        paper = self.env.ref("health_collections.paperformat_letter", raise_if_not_found=False)
        return bool(paper) and self.sudo().paperformat_id == paper

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        """Override of `base`: on a printer that uses both sides, no letter begins on the back of another
        person's.
        """
        streams = super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids=res_ids)
        if res_ids and len(res_ids) > 1 and self._get_report(report_ref)._health_is_letter():
            if self.env["health.parameter"].value_of("letter_own_sheet"):
                for key, entry in streams.items():
                    if entry.get("stream"):
                        entry["stream"] = self._health_own_sheets(entry["stream"], whole=not key)
        return streams

    @api.model
    def _health_print_letters(self, parts):
        """Letters of several reports in one file, each on its own sheet, in the order given.

        :param parts: list of (report action, records of its model).
        :return: the PDF, bytes.
        """
        files = [
            self._render_qweb_pdf(report.report_name, records.ids)[0] for report, records in parts
        ]
        if len(files) == 1:
            return files[0]
        own_sheet = self.env["health.parameter"].value_of("letter_own_sheet")
        writer = PdfFileWriter()
        for content in files:
            self._health_add(writer, PdfFileReader(io.BytesIO(content)).pages, own_sheet)
        return self._health_written(writer).getvalue()

    @api.model
    def _health_own_sheets(self, stream, whole=False):
        """The same pages, with an empty one after each letter that has an odd number of them.

        :param stream: file of one letter, or with ``whole`` of several that have a table of contents.
        """
        reader = PdfFileReader(stream)
        pages = list(reader.pages)
        starts = self._health_starts(reader) if whole else [0]
        if not len(pages) % 2 and len(starts) == 1:
            return stream
        writer = PdfFileWriter()
        for start, end in zip(starts, [*starts[1:], len(pages)], strict=True):
            self._health_add(writer, pages[start:end], True)
        return self._health_written(writer)

    @api.model
    def _health_starts(self, reader):
        """Pages on which the letters of a file begin, by its table of contents."""
        root = reader.trailer["/Root"]
        if "/Outlines" not in root or "/First" not in root["/Outlines"]:
            return [0]
        starts, node = {0}, root["/Outlines"]["/First"]
        while node is not None:
            starts.add(int(root["/Dests"][node["/Dest"]][0]))
            node = node["/Next"] if "/Next" in node else None
        return sorted(starts)

    @api.model
    def _health_add(self, writer, pages, own_sheet):
        for page in pages:
            writer.addPage(page)
        if own_sheet and len(pages) % 2:
            box = pages[-1].mediaBox
            writer.addBlankPage(box.getWidth(), box.getHeight())

    @api.model
    def _health_written(self, writer):
        stream = io.BytesIO()
        writer.write(stream)
        return stream
