"""NOEMIE files, written from the tables of the norm and not by the product's codec.

Every entity is a tuple of (width, kind) filled from left to right: `n` digits padded with zeros, `a` text padded with
blanks, `d` a day as YYMMDD. Entities 000 and 999 have 128 characters, the others end with `@`.
"""

import base64
import gzip
from email.mime.base import MIMEBase

ENTITIES = {
    "020": ((15, "n"),),
    "040": ((15, "n"),),
    "071": ((6, "d"), (32, "a"), (32, "a"), (10, "a")),
    "081": ((2, "n"), (14, "a")),
    "102": (
        (9, "a"), (6, "a"), (3, "a"), (6, "d"), (1, "a"), (6, "d"), (1, "a"), (2, "a"),
    ),
    "103": (
        (13, "a"), (2, "n"), (25, "a"), (25, "a"), (15, "a"), (13, "a"), (2, "a"), (6, "d"), (1, "n"),
        (25, "a"), (15, "a"), (4, "a"),
    ),
    "198": ((8, "n"), (1, "a"), (8, "n"), (1, "a")),
    "199": ((8, "n"), (1, "a"), (8, "n"), (1, "a"), (10, "n"), (15, "a")),
    "250": ((2, "n"), (10, "a"), (6, "d"), (3, "a"), (3, "a"), (8, "n"), (1, "a"), (8, "n")),
    "261": ((5, "n"), (8, "n")),
    "262": (
        (5, "a"), (80, "a"), (13, "a"), (2, "a"), (6, "d"), (1, "a"), (1, "a"), (6, "d"), (6, "d"),
        (8, "n"),
    ),
    "294": (
        (4, "a"), (86, "a"), (1, "a"), (1, "a"), (5, "a"), (6, "d"), (9, "a"), (3, "a"), (2, "a"), (30, "a"),
    ),
    "990": ((17, "a"), (8, "n"), (11, "n"), (1, "a")),
}  # fmt: skip
LEVELS = {"020": "01", "040": "02", "071": "02", "081": "02", "990": "99"}
HEADER = (
    (3, "a"), (2, "a"), (14, "n"), (6, "a"), (2, "a"), (14, "n"), (6, "a"), (2, "a"), (6, "a"), (6, "d"),
    (4, "a"), (2, "a"), (1, "a"), (1, "a"), (1, "a"), (1, "a"), (11, "a"), (3, "n"), (6, "a"), (37, "a"),
)  # fmt: skip
TRAILER = (
    (3, "a"), (2, "a"), (14, "n"), (6, "a"), (2, "a"), (14, "n"), (6, "a"), (2, "a"), (6, "a"),
    (8, "n"), (1, "a"), (18, "a"), (3, "n"), (11, "n"), (1, "a"), (11, "n"), (20, "a"),
)  # fmt: skip


def _fill(shape, values):
    text = []
    for (width, kind), value in zip(shape, values, strict=True):
        if kind == "n":
            text.append(f"{abs(int(value or 0)):0{width}d}")
        elif kind == "d":
            text.append(f"{value:%y%m%d}" if value else " " * width)
        else:
            text.append(f"{value or '':<{width}}"[:width])
    made = "".join(text)
    if len(made) != sum(width for width, _kind in shape):
        raise ValueError(f"too wide: {values}")
    return made


def entity(code, *values, level="03"):
    return f"{code}{LEVELS.get(code, level)}{_fill(ENTITIES[code], values)}@"


def sign(amount):
    return "N" if amount < 0 else "P"


def nir_key(nir):
    return 97 - int(nir) % 97


def _invoice(fse, answers):
    patient = fse.patient
    parts = {answer.part for answer in answers}
    processing = "C" if len(parts) == 2 else "E" if parts == {"amo"} and fse.total("amc") else ""
    yield entity(
        "102", f"{fse.no:0>9}", "", fse.lot_no, fse.sent_on, "D" if parts == {"amc"} else "F", fse.day,
        processing, "10",
    )  # fmt: skip
    last, first = _capitals(patient.last_name), _capitals(patient.first_name)
    yield entity(
        "103", patient.nir, nir_key(patient.nir), last, last, first, "", "", patient.birth_date, 1, last,
        first, "",
    )  # fmt: skip
    for answer in answers:
        values = (answer.asked, answer.state, answer.paid, sign(answer.paid))
        if answer.part == "amo":
            yield entity("198", *values)
        else:
            yield entity("199", *values, patient.insurer.org_no, patient.member)
    for answer in answers:
        if answer.code and answer.state == "R":
            part = "O" if answer.part == "amo" else "C"
            yield entity("294", answer.code, answer.label, "F", part, "", None, "", "", "", "")


def _capitals(text):
    for one, other in zip("ÉÈËÎÏÔÇéèëîïôç", "EEEIIOCEEEIIOC", strict=True):
        text = text.replace(one, other)
    return text.upper()


def _settlement(settlement):
    body = []
    label1, label2 = settlement.labels
    body.append(entity("071", settlement.day, label1, label2, settlement.payer.org_no))
    if settlement.answers:
        body.append(entity("081", 1, ""))
    groups = {}
    for answer in settlement.answers:
        groups.setdefault(answer.fse.id, []).append(answer)
    for answers in groups.values():
        body += _invoice(answers[0].fse, answers)
    if settlement.lump_sum:
        body.append(entity("081", 3, ""))
        body.append(entity("261", 731, settlement.lump_sum))
        body.append(
            entity(
                "262", "00731", "AIDE A LA TELETRANSMISSION", "", "", None, "", "P", None, None,
                settlement.lump_sum,
            )
        )  # fmt: skip
    if settlement.retention:
        body.append(entity("081", 5, ""))
        body.append(
            entity(
                "250", 1, f"IND{settlement.id:07d}", settlement.day.replace(day=1), "IND", "RPR",
                settlement.retention, sign(settlement.retention), 0,
            )
        )  # fmt: skip
    amount = settlement.amount
    body.append(entity("990", "07102", len(body) - 1, amount, sign(amount)))
    return body


def write(provider_no, payer, settlements, file_id, created, wrapped=False):
    """One file: the settlements of one payer to one practitioner."""
    amount = sum(settlement.amount for settlement in settlements)
    body = [entity("020", provider_no), entity("040", provider_no)]
    for settlement in settlements:
        body += _settlement(settlement)
    body.append(entity("990", "02001", len(body) - 1, amount, sign(amount)))
    head = ("", payer.sender_type, payer.sender_no, "", "TP", provider_no, "", "", file_id)
    header = _fill(
        HEADER,
        ("000", *head[1:], created, "580" if payer.kind == "amc" else "578", "", "", "", "U", "", "", 128, "", ""),
    )  # fmt: skip
    trailer = _fill(
        TRAILER, ("999", *head[1:], len(body) + 2, "", "", 0, amount, sign(amount), 0, "")
    )
    text = "".join(body)
    if wrapped:
        pieces = [text[start : start + 127] for start in range(0, len(text), 127)]
        text = "".join(f"0{piece}" for piece in pieces[:-1]) + f"1{pieces[-1]:<127}"
    return (header + text + trailer).encode("latin-1")


def zipped(content):
    return gzip.compress(content, mtime=0)


def mail(content, file_id, compressed):
    """The file as a mailbox hands it over: one MIME part, base64."""
    part = MIMEBase("application", "EDI-consent")
    part["Content-Description"] = "IRIS/NOEMIE/Z" if compressed else "IRIS/NOEMIE"
    part["Subject"] = f"NOE/{file_id}"
    part["Content-Transfer-Encoding"] = "base64"
    data = zipped(content) if compressed else content
    part.set_payload(base64.encodebytes(data).decode())
    return part.as_bytes()
