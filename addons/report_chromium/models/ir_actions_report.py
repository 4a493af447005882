import io
import logging
import mimetypes
import re
from copy import deepcopy
from itertools import pairwise
from urllib.parse import unquote, urlsplit

import lxml.html

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools.misc import file_open
from odoo.tools.pdf import (
    ArrayObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    PdfFileReader,
    PdfFileWriter,
    createStringObject,
)

from odoo.addons.base.models import ir_actions_report as base_report
from odoo.addons.base.models.report_paperformat import PAPER_SIZES

from ..chromium import Chromium, ChromiumError, find_chromium

_logger = logging.getLogger(__name__)

SHEETS = {size["key"]: (size["width"], size["height"]) for size in PAPER_SIZES if "width" in size}
#: wkhtmltopdf draws a pixel of 1/96 inch smaller by this factor, unless told not to shrink
SHRINKING = 0.8
FORMAT_MARGINS = ("margin_top", "margin_right", "margin_bottom", "margin_left")


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    @api.model
    def get_wkhtmltopdf_state(self):
        """Override of `base`: with Chromium, PDF can be printed."""
        return "ok" if self._chromium_binary() else super().get_wkhtmltopdf_state()

    @api.model
    def _chromium_binary(self):
        """Path of the Chromium that prints, or ``None`` where wkhtmltopdf does.

        wkhtmltopdf with patched Qt keeps its place. System parameter ``report_chromium.engine``: ``auto`` (default),
        ``chromium`` (even so) or ``wkhtmltopdf`` (never Chromium); ``report_chromium.path`` names another program.
        """
        value = self.env["ir.config_parameter"].sudo().get_param
        engine = value("report_chromium.engine", "auto")
        if engine == "wkhtmltopdf" or engine != "chromium" and base_report._wkhtml().is_patched_qt:
            return None
        return find_chromium(value("report_chromium.path", ""))

    @api.model
    def _run_wkhtmltopdf(
        self,
        bodies,
        report_ref=False,
        header=None,
        footer=None,
        landscape=False,
        specific_paperformat_args=None,
        set_viewport_size=False,
    ):
        """Override of `base`: the same sheets from Chromium."""
        binary = self._chromium_binary()
        if not binary:
            return super()._run_wkhtmltopdf(
                bodies,
                report_ref=report_ref,
                header=header,
                footer=footer,
                landscape=landscape,
                specific_paperformat_args=specific_paperformat_args,
                set_viewport_size=set_viewport_size,
            )
        report = self._get_report(report_ref) if report_ref else self
        sheet = self._chromium_sheet(
            report.get_paperformat(), landscape, specific_paperformat_args or {}
        )
        try:
            with Chromium(binary, self._chromium_fetch) as chromium:
                return self._chromium_print(chromium, sheet, bodies, header, footer)
        except (ChromiumError, OSError) as error:
            _logger.warning("Chromium did not print %s: %s", report_ref or report.name, error)
            raise UserError(
                self.env._(
                    "The PDF could not be printed: Chromium stopped (%s). Try again; if it goes on, "
                    "tell your administrator.",
                    error,
                )
            ) from error

    @api.model
    def _chromium_sheet(self, paper, landscape, wanted):
        """Size, margins and scale of the sheet, as wkhtmltopdf would take them.

        :param paper: `report.paperformat`.
        :param dict wanted: what the report itself asks for (``data-report-…``), which goes first.
        """
        if paper.format == "custom":
            width, height = paper.page_width or 210, paper.page_height or 297
        else:
            width, height = SHEETS.get(paper.format, SHEETS["A4"])
        if landscape or wanted.get("data-report-landscape") or paper.orientation == "Landscape":
            width, height = height, width
        top, right, bottom, left = (paper[name] for name in FORMAT_MARGINS)
        dpi = int(wanted.get("data-report-dpi") or paper.dpi or 96)
        spacing = wanted.get("data-report-header-spacing", paper.header_spacing)
        top = float(wanted.get("data-report-margin-top", top))
        return {
            "width": width,
            "height": height,
            "margins": (
                top,
                right,
                float(wanted.get("data-report-margin-bottom", bottom)),
                left,
            ),
            "head": max(0.0, top - float(spacing or 0)),
            "line": paper.header_line,
            "zoom": (1 if paper.disable_shrinking else SHRINKING) * 96 / dpi,
        }

    @api.model
    def _chromium_print(self, chromium, sheet, bodies, header, footer):
        """All bodies in one PDF, each from a new page on, its headers and footers laid over it."""
        printed = [
            PdfFileReader(
                io.BytesIO(
                    chromium.print(
                        self._chromium_page(body, sheet),
                        sheet["width"],
                        sheet["height"],
                        sheet["margins"],
                    )
                )
            ).pages
            for body in bodies
        ]
        counts = [len(pages) for pages in printed]
        over = self._chromium_overlay(sheet, counts, header, footer)
        layer = (
            PdfFileReader(
                io.BytesIO(chromium.print(over, sheet["width"], sheet["height"], (0, 0, 0, 0)))
            ).pages
            if over
            else []
        )
        writer = PdfFileWriter()
        if len(bodies) > 1:
            self._chromium_outline(writer, [_heading(body) for body in bodies], counts)
        number = 0
        for pages in printed:
            for page in pages:
                if number < len(layer):
                    page.mergePage(layer[number])
                writer.addPage(page)
                number += 1
        result = io.BytesIO()
        writer.write(result)
        return result.getvalue()

    @api.model
    def _chromium_outline(self, writer, titles, counts):
        """Table of contents as wkhtmltopdf writes it: Odoo takes the records of a batch apart by it.

        :param titles: of the bodies.
        :param counts: of their pages.
        """
        dests, items, start = DictionaryObject(), [], 0
        root = writer._root_object
        outlines = DictionaryObject({NameObject("/Type"): NameObject("/Outlines")})
        reference = writer._addObject(outlines)
        for rank, (title, count) in enumerate(zip(titles, counts, strict=True)):
            name = NameObject(f"/body{rank}")
            dests[name] = ArrayObject([NumberObject(start), NameObject("/Fit")])
            item = DictionaryObject(
                {
                    NameObject("/Title"): createStringObject(title),
                    NameObject("/Dest"): name,
                    NameObject("/Parent"): reference,
                }
            )
            items.append((item, writer._addObject(item)))
            start += count
        for (item, own), (following, other) in pairwise(items):
            item[NameObject("/Next")] = other
            following[NameObject("/Prev")] = own
        outlines[NameObject("/First")] = items[0][1]
        outlines[NameObject("/Last")] = items[-1][1]
        outlines[NameObject("/Count")] = NumberObject(len(items))
        root[NameObject("/Outlines")] = reference
        root[NameObject("/Dests")] = writer._addObject(dests)

    @api.model
    def _chromium_page(self, html, sheet):
        root = lxml.html.document_fromstring(str(html))
        _undress(root, sheet)
        return lxml.html.tostring(root, encoding="unicode", doctype="<!DOCTYPE html>")

    @api.model
    def _chromium_overlay(self, sheet, counts, header, footer):
        """One sheet per page of the bodies with its header, footer and page numbers; ``None`` when there are none."""
        shell = None
        parts = {}
        for html, name in ((header, "header"), (footer, "footer")):
            root = lxml.html.document_fromstring(str(html)) if html else None
            found = [] if root is None else root.find_class(name)
            parts[name] = [
                part for part in found if not any(other in found for other in part.iterancestors())
            ]
            if found and shell is None:
                shell = root
        if shell is None:
            return None
        shell = deepcopy(shell)
        body = shell.find("body")
        kind = body.get("class", "")
        body.clear()
        top, right, bottom, left = sheet["margins"]
        for rank, count in enumerate(counts):
            for number in range(1, count + 1):
                page = lxml.html.Element(
                    "div",
                    style=f"position:relative;width:{sheet['width']}mm;height:{sheet['height'] - 0.2}mm;"
                    "overflow:hidden;break-after:page",
                )
                body.append(page)
                for name, place in (
                    ("header", f"top:{sheet['head']}mm"),
                    ("footer", f"top:{sheet['height'] - bottom}mm;height:{bottom}mm"),
                ):
                    if rank >= len(parts[name]):
                        continue
                    box = lxml.html.Element(
                        "div",
                        style=f"position:absolute;left:{left}mm;right:{right}mm;overflow:hidden;{place}",
                    )
                    if name == "header" and sheet["line"]:
                        box.set("style", box.get("style") + ";border-bottom:1px solid #000")
                    inner = lxml.html.Element("div", {"class": f"{kind} chromium_scale"})
                    part = deepcopy(parts[name][rank])
                    part.tail = None
                    for key, value in (("page", number), ("topage", count)):
                        for spot in part.find_class(key):
                            spot.text = str(value)
                    inner.append(part)
                    box.append(inner)
                    page.append(box)
        _undress(shell, {**sheet, "zoom_class": True})
        return lxml.html.tostring(shell, encoding="unicode", doctype="<!DOCTYPE html>")

    @api.model
    def _chromium_fetch(self, url):
        """What a report asks for: style sheets, and the static files of addons. Anything else stays away.

        :return: (content, type) or ``None``.
        """
        path = unquote(urlsplit(url).path)
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        if path.startswith("/web/assets/"):
            return self._chromium_style_sheet(path), "text/css; charset=utf-8"
        if re.match(r"/\w+/static/", path) and ".." not in path:
            try:
                with file_open(path.lstrip("/"), "rb") as file:
                    return file.read(), kind
            except (FileNotFoundError, ValueError):
                return None
        return None

    @api.model
    def _chromium_style_sheet(self, path):
        """Content of ``/web/assets/<version>/<bundle>.css``, which otherwise is made at the first request for it."""
        Attachment = self.env["ir.attachment"].sudo()
        sheet = Attachment.search([("url", "=", path), ("public", "=", True)], limit=1)
        if not sheet:
            name = path.rsplit("/", 1)[1]
            bundle, rtl, _kind, autoprefix = self.env["ir.asset"]._parse_bundle_name(name, False)
            made = (
                self.env["ir.qweb"]
                .sudo()
                ._get_asset_bundle(bundle, css=True, js=False, rtl=rtl, autoprefix=autoprefix)
            )
            sheet = made.css()
        return sheet.raw or b""


def _undress(root, sheet):
    """Take away what only wkhtmltopdf needs, and add what makes the page as large as there."""
    for script in root.xpath("//script"):
        script.drop_tree()
    scaled = ".chromium_scale" if sheet.get("zoom_class") else "body"
    style = lxml.html.Element("style")
    style.text = (
        # the margins come with the call that prints
        "@page{size:auto}html{height:auto!important;-webkit-print-color-adjust:exact}"
        "body{background:none!important;margin:0!important;overflow:visible!important}"
        ".container,.container-fluid{max-width:none!important}"
        f"{scaled}{{zoom:{sheet['zoom']:.4f}}}"
    )
    root.find("head").append(style)


def _heading(html):
    """Text of the first main heading of a body."""
    found = lxml.html.document_fromstring(str(html)).xpath("//h1 | //h2")
    return " ".join(found[0].text_content().split()) if found else "-"
