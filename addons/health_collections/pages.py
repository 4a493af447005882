"""A table on PDF pages, for forms that take nothing else: no renderer is needed."""

import io
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

STYLE = TableStyle(
    [
        ("FONT", (0, 0), (-1, 0), "Helvetica-Bold", 8),
        ("FONT", (0, 1), (-1, -1), "Helvetica", 8),
        ("LINEBELOW", (0, 0), (-1, 0), 1, colors.black),
        ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.grey),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
)


def _plain(text):
    """What the standard fonts of PDF can write."""
    return str(text or "").encode("cp1252", "replace").decode("cp1252")


def table(title, intro, head, rows, widths):
    """A PDF with a title, lines of introduction and one table, its head on every page.

    :param widths: of the columns, in millimetres; a sheet of A4 laid down has 261 of them.
    """
    styles = getSampleStyleSheet()
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=landscape(A4),
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=15 * mm,
        bottomMargin=15 * mm,
        title=_plain(title),
        invariant=1,
    )
    story = [Paragraph(escape(_plain(title)), styles["Heading2"])]
    story += [Paragraph(escape(_plain(line)), styles["BodyText"]) for line in intro]
    story += [
        Spacer(1, 5 * mm),
        LongTable(
            [[_plain(cell) for cell in row] for row in (head, *rows)],
            colWidths=[width * mm for width in widths],
            repeatRows=1,
            style=STYLE,
        ),
    ]

    def number(canvas, _document):
        canvas.setFont("Helvetica", 8)
        canvas.drawRightString(landscape(A4)[0] - 18 * mm, 9 * mm, f"page {canvas.getPageNumber()}")

    document.build(story, onFirstPage=number, onLaterPages=number)
    return buffer.getvalue()
