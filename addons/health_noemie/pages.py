"""PDF pages of text, and documents of others made into PDF pages."""

import io
import logging

from PIL import Image, ImageOps
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from odoo.tools.pdf import PdfFileReader

_logger = logging.getLogger(__name__)

#: what a scanned page may have at most; beyond it, it is made smaller
PIXELS = 2_400
#: pictures that would need more memory than this many pixels are left as they are
MOST_PIXELS = 80_000_000


def _plain(text):
    """What the standard fonts of PDF can write."""
    return str(text).encode("cp1252", "replace").decode("cp1252")


def _cut(text, width):
    """Lines of at most ``width`` characters, broken at a blank where there is one."""
    text = _plain(text)
    while len(text) > width:
        at = text.rfind(" ", 1, width + 1)
        at = at if at > width // 2 else width
        yield text[:at].rstrip()
        text = text[at:].lstrip()
    yield text


def pages(title, rows, narrow=False):
    """A PDF of plain text: a title, then one row per line, page after page.

    :param narrow: records of 128 characters follow: small letters of one width, on a wide page
    """
    size = landscape(A4) if narrow else A4
    font, points, step = ("Courier", 7.5, 10) if narrow else ("Helvetica", 10, 15)
    width = 150 if narrow else 95
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size, invariant=1)
    canvas.setTitle(_plain(title))
    left, top, bottom = 18 * mm, size[1] - 20 * mm, 18 * mm
    y = top

    def head():
        canvas.setFont("Helvetica-Bold", 13)
        canvas.drawString(left, top, _plain(title)[:90])
        canvas.setFont(font, points)
        return top - 12 * mm

    y = head()
    for row in rows:
        for text in _cut(row, width):
            if y < bottom:
                canvas.showPage()
                y = head()
            canvas.drawString(left, y, text)
            y -= step
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def fit(content, mimetype):
    """A PDF of a document: itself when it is one, a page when it is a picture, else ``None``.

    A damaged document gives ``None`` too: it goes into the ZIP as it is.
    """
    try:
        if content.startswith(b"%PDF-"):
            reader = PdfFileReader(io.BytesIO(content), strict=False)
            return content if reader.getNumPages() else None
        if mimetype.startswith("image/"):
            return _picture(content)
    except Exception as error:
        _logger.info("A document cannot be made into PDF pages: %s", error)
    return None


def _picture(content):
    """A picture on an A4 page, the right way up."""
    with Image.open(io.BytesIO(content)) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            return None
        upright = ImageOps.exif_transpose(picture).convert("RGB")
    upright.thumbnail((PIXELS, PIXELS))
    size = landscape(A4) if upright.width > upright.height else A4
    buffer, drawn = io.BytesIO(), io.BytesIO()
    upright.save(drawn, format="JPEG", quality=85)
    canvas = Canvas(buffer, pagesize=size, invariant=1)
    margin = 10 * mm
    canvas.drawInlineImage(
        Image.open(drawn),
        margin,
        margin,
        width=size[0] - 2 * margin,
        height=size[1] - 2 * margin,
        preserveAspectRatio=True,
    )
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()
