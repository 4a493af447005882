import csv
import io
import re
import unicodedata
import zipfile

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.pdf import merge_pdf

from odoo.addons.health_billing.tools import cents, format_cents

from ..pages import fit, pages

#: every file of a ZIP bears this day: the same file twice is the same bytes
EPOCH = (1980, 1, 1, 0, 0, 0)
EXTENSIONS = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/tiff": "tif",
    "image/gif": "gif",
    "text/plain": "txt",
}


class HealthInduPack(models.AbstractModel):
    """What leaves an overpayment file: its proofs in one ZIP or PDF, and the whole of it for a lawyer.

    In French whoever asks for it: a fund or a lawyer reads it.
    """

    _name = "health.indu.pack"
    _description = "Documents of an Overpayment File"

    @api.model
    def _of(self, indu_id):
        """The file, for whoever may read its claims.

        :raises AccessError: not theirs, or amounts only
        """
        indu = self.env["health.indu"].browse(indu_id)
        indu.check_access("read")
        indu.line_ids.check_access("read")
        self.env["health.indu.line"].check_access("read")
        french = self.env["res.lang"]._get_data(code="fr_FR")
        return indu.with_context(lang="fr_FR") if french else indu

    # -- proofs --------------------------------------------------------------------------------------

    @api.model
    def _proofs_zip(self, indu):
        """Proofs numbered in reading order, their index, and a page that sums up.

        :return: (bytes, file name)
        """
        return self._zip(self._proof_files(indu)), self._filename(indu, "preuves", "zip")

    @api.model
    def _proof_files(self, indu, folder=""):
        documents = indu.proof_ids._documents()
        rows, files = [], []
        for document in documents:
            attachment = document["attachment"]
            name = self._piece_name(document)
            files.append((folder + name, attachment.raw or b""))
            rows.append(
                [
                    document["number"],
                    name,
                    document["name"],
                    self._kind(document["proof"]),
                    document["proof"].day and document["proof"].day.strftime("%d/%m/%Y") or "",
                    ", ".join(filter(None, document["claims"].mapped("fse_number"))),
                ]
            )
        head = [
            self.env._("No."),
            self.env._("File"),
            self.env._("Piece"),
            self.env._("Kind"),
            self.env._("Date"),
            self.env._("FSE"),
        ]
        summary = pages(self.env._("Proofs: %s", indu.name), self._summary(indu))
        return [
            (folder + "000-sommaire.pdf", summary),
            (folder + "index.csv", self._csv([head, *rows])),
            *files,
        ]

    @api.model
    def _proofs_pdf(self, indu):
        """The same as one PDF: the summary, then every document that can be put on pages, each announced.

        What cannot is named on the summary: it stands in the ZIP.
        """
        documents = indu.proof_ids._documents()
        parts, left = [], []
        for document in documents:
            attachment = document["attachment"]
            content = fit(attachment.raw or b"", attachment.mimetype or "")
            if content is None:
                left.append(f"{document['number']:03d}  {document['name']}")
                continue
            numbers = ", ".join(filter(None, document["claims"].mapped("fse_number")))
            title = f"{self.env._('Piece')} {document['number']:03d} : {document['name']}"
            rows = [f"FSE {numbers}"] if numbers else [self.env._("Whole file")]
            parts += [pages(title, rows), content]
        rows = self._summary(indu)
        if left:
            rows += ["", self.env._("In the ZIP only (not printable):"), *left]
        first = pages(self.env._("Proofs: %s", indu.name), rows)
        return merge_pdf([first, *parts]), self._filename(indu, "preuves", "pdf")

    @api.model
    def _piece_name(self, document):
        attachment = document["attachment"]
        extension = EXTENSIONS.get(attachment.mimetype) or (
            attachment.name.rpartition(".")[2][:5] if "." in (attachment.name or "") else "bin"
        )
        number = document["claims"][:1].fse_number
        label = self._slug(f"{document['name']} {number or ''}")
        return f"{document['number']:03d}-{label}.{self._slug(extension) or 'bin'}"

    @api.model
    def _slug(self, text):
        """A name that every system takes: no accent, no blank."""
        bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        return re.sub(r"[^A-Za-z0-9]+", "-", bare).strip("-").lower()[:60]

    @api.model
    def _kind(self, proof):
        return dict(proof._fields["kind"]._description_selection(self.env))[proof.kind]

    @api.model
    def _summary(self, indu):
        """Rows of the page that sums up: who, how much, which delays, where each claim stands."""
        day = lambda value: value.strftime("%d/%m/%Y") if value else "-"  # noqa: E731
        money = lambda value: format_cents(cents(value))  # noqa: E731
        decisions = dict(indu.line_ids._fields["decision"]._description_selection(self.env))
        rows = [
            self.env._("Practitioner: %s", indu.company_id.name),
            self.env._("Billing number: %s", indu.company_id.health_provider_no or "-"),
            self.env._("Payer: %s", indu.payer_id.name or indu.payer_text or "-"),
            self.env._("Reference: %s", indu.reference or indu.debt_ref or "-"),
            self.env._(
                "Notification dated %(dated)s, received on %(received)s",
                dated=day(indu.notified_on),
                received=day(indu.received_on),
            ),
            "",
            self.env._("Claimed: %s", money(indu.amount_claimed)),
            self.env._("Accepted: %s", money(indu.amount_accepted)),
            self.env._("Contested: %s", money(indu.amount_contested)),
            self.env._("To prove: %s", money(indu.amount_to_prove)),
            self.env._("To decide: %s", money(indu.amount_undecided)),
            self.env._("On no line: %s", money(indu.amount_unlisted)),
            self.env._("Withheld: %s", money(indu.amount_withheld)),
            self.env._("Repaid: %s", money(indu.amount_repaid)),
            self.env._("Left to pay back: %s", money(indu.balance)),
            "",
            self.env._("Last day to contest: %s", day(indu.contest_deadline)),
            self.env._("Answer of the payer due: %s", day(indu.answer_due_on)),
            self.env._("Last day for the court: %s", day(indu.court_deadline)),
            "",
        ]
        for line in indu.line_ids:
            rows.append(
                f"FSE {line.fse_number or '-'}  {day(line.care_day)}  {money(line.amount)}  "
                f"{decisions[line.decision]}"
                + (f"  ({self.env._('missing: %s', line.missing)})" if line.missing else "")
            )
        return rows

    # -- hand-over -----------------------------------------------------------------------------------

    @api.model
    def _pack(self, indu):
        """All that a lawyer needs: summary, chronology, letters as they left, amounts, proofs.

        :return: (bytes, file name)
        """
        day = lambda value: value.strftime("%d/%m/%Y") if value else ""  # noqa: E731
        events = indu._events()[indu.id]
        summary = pages(
            self.env._("Hand-over: %s", indu.name),
            [
                *self._summary(indu),
                "",
                self.env._("Chronology"),
                *(f"{day(event['day'])}  {event['text']}" for event in events),
            ],
        )
        files = [("01-synthese.pdf", summary)]
        head = [self.env._("Date"), self.env._("What happened")]
        files.append(
            (
                "02-chronologie.csv",
                self._csv([head, *([day(event["day"]), event["text"]] for event in events)]),
            )
        )
        files.append(("03-montants.csv", self._csv(self._amounts(indu))))
        for rank, letter in enumerate(indu.letter_ids, start=1):
            stem = f"04-courriers/{rank:02d}-{self._slug(letter.subject)}"
            files.append((f"{stem}.html", self._letter_page(letter)))
            # whoever may read the letter may read the proof of its sending
            for number, attachment in enumerate(letter.sudo().attachment_ids, start=1):
                extension = EXTENSIONS.get(attachment.mimetype, "bin")
                files.append((f"{stem}-envoi-{number}.{extension}", attachment.raw or b""))
        files += self._proof_files(indu, "05-preuves/")
        return self._zip(files), self._filename(indu, "dossier", "zip")

    @api.model
    def _letter_page(self, letter):
        """The letter on one page that any browser shows and prints."""
        html = self.env["ir.qweb"]._render(
            "health_noemie.indu_letter_page", {"doc": letter}, raise_if_not_found=True
        )
        return str(html).encode()

    @api.model
    def _amounts(self, indu):
        euro = lambda value: format_cents(cents(value)).replace(" €", "").replace(" ", "")  # noqa: E731
        day = lambda value: value.strftime("%d/%m/%Y") if value else ""  # noqa: E731
        decisions = dict(indu.line_ids._fields["decision"]._description_selection(self.env))
        head = [
            self.env._("FSE"),
            self.env._("Part"),
            self.env._("Day of care"),
            self.env._("Paid on"),
            self.env._("Paid at the time"),
            self.env._("Claimed"),
            self.env._("Position"),
            self.env._("Ground of the payer"),
            self.env._("What we answer"),
            self.env._("Proofs (%)"),
        ]
        rows = [
            [
                line.fse_number or "",
                (line.part or "").upper(),
                day(line.care_day),
                day(line.paid_on),
                euro(line.amount_paid),
                euro(line.amount),
                decisions[line.decision],
                line.reason or "",
                line.argument or "",
                line.completeness,
            ]
            for line in indu.line_ids
        ]
        return [head, *rows]

    # -- files ---------------------------------------------------------------------------------------

    @api.model
    def _csv(self, rows):
        """A table that a French spreadsheet opens; no cell is taken for a formula."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
        for row in rows:
            writer.writerow(
                [
                    f"'{cell}"
                    if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell
                    else cell
                    for cell in row
                ]
            )
        return text.getvalue().encode("utf-8-sig")

    @api.model
    def _zip(self, files):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                info = zipfile.ZipInfo(name, EPOCH)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o644 << 16
                archive.writestr(info, content)
        return buffer.getvalue()

    @api.model
    def _filename(self, indu, what, extension):
        number = self._slug(indu.reference or indu.debt_ref or str(indu.id))
        if not number:
            raise UserError(self.env._("Give the file a reference first."))
        return f"indu-{number}-{what}-{fields.Date.context_today(self):%Y%m%d}.{extension}"
