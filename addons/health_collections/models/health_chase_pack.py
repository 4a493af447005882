import io
import re
import unicodedata
import zipfile

import xlsxwriter

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents, euros, format_cents

from ..dunning.parcels import TooLarge, parcels
from ..pages import table

#: every file of a ZIP bears this day: the same facts give the same bytes
EPOCH = (1980, 1, 1, 0, 0, 0)
KILO = 1024


class HealthChasePack(models.AbstractModel):
    """What a payer's claim form asks for: the text to paste, the table, the proofs, shared out as the form takes them.

    In French: a fund or an insurer reads it. Numbers, dates and amounts; nothing of the care.
    """

    _name = "health.chase.pack"
    _description = "Pack for a Payer's Claim Form"

    @api.model
    def _zip(self, chase):
        """The pack of one list: one folder per sending when the form takes fewer files or bytes than there are.

        :return: (bytes, file name)
        """
        files, sendings = self._files(chase)
        day = chase._today()
        placed = []
        for rank, members in enumerate(sendings, start=1):
            folder = f"envoi-{rank}/" if len(sendings) > 1 else ""
            placed += [(folder + files[index][0], files[index][1]) for index in members]
        name = f"reclamation-{self._slug(chase.payer_id.name)}-{day:%Y%m%d}.zip"
        return self._archive(placed), name

    @api.model
    def _files(self, chase):
        """The files of the pack, and how they are shared out.

        :raises UserError: nothing is late, or a piece is larger than the form takes.
        """
        chase = chase.with_context(lang="fr_FR") if self._has_french() else chase
        lines = chase.line_ids.filtered(lambda line: line.state in ("open", "resend"))
        lines = lines or chase.line_ids.filtered(lambda line: line.state == "disputed")
        if not lines:
            raise UserError(
                chase.env._("%s: nothing to ask for, no share is late.", chase.display_name)
            )
        rows = lines._in_order()._rows()
        files = [
            ("01-message.txt", self._message(chase, rows)),
            ("02-factures.xlsx", self._spreadsheet(chase, rows)),
            ("03-preuves-envoi.pdf", self._proofs(chase, rows)),
        ]
        # whoever may read the list may read its pieces
        for rank, piece in enumerate(
            chase.sudo().attachment_ids.sorted("id"), start=len(files) + 1
        ):
            stem, dot, extension = (piece.name or "piece").rpartition(".")
            ending = f".{self._slug(extension)[:5]}" if dot else ""
            files.append((f"{rank:02d}-{self._slug(stem or extension)}{ending}", piece.raw or b""))
        value_of = self.env["health.parameter"].value_of
        most = value_of("claim_form_kilobytes")
        try:
            sendings = parcels(
                [len(content) for _name, content in files],
                value_of("claim_form_files"),
                most * KILO,
            )
        except TooLarge as error:
            raise UserError(
                self.env._(
                    "“%(name)s” is larger than the form takes (%(most)s KB a sending): make it smaller, or "
                    "change the parameter “claim_form_kilobytes”.",
                    name=files[error.index][0],
                    most=most,
                )
            ) from error
        return files, sendings

    @api.model
    def _has_french(self):
        return bool(self.env["res.lang"]._get_data(code="fr_FR"))

    @api.model
    def _message(self, chase, rows, table=()):
        """The text to paste in the form; ``table``: lines that stand in the text itself."""
        company = chase.company_id
        proven = sum(bool(row["arl"]) for row in rows)
        total = format_cents(sum(row["left_cents"] for row in rows))
        sender = company._health_sender()
        many = len(rows) > 1
        is_dispute = all(row["line"].state == "disputed" for row in rows)
        if is_dispute:
            why = "Nous contestons le refus ou l'absence de règlement " + (
                "des factures du tableau joint, pour les motifs qui y figurent."
                if many
                else "de la facture du tableau joint, pour le motif qui y figure."
            )
        elif many:
            why = "Les factures du tableau joint ont été transmises et n'ont reçu ni paiement ni rejet."
        else:
            why = "La facture du tableau joint a été transmise et n'a reçu ni paiement ni rejet."
        text = [
            f"Objet : {len(rows)} facture{'s' if many else ''} sans règlement, {total}",
            "",
            f"Professionnel : {company.name}, n° {company.health_provider_no or ''}",
        ]
        if chase.dossier_no:
            text.append(f"Dossier suivi chez vous sous le n° {chase.dossier_no}")
        text += [
            "",
            why,
            *(
                [
                    f"Un accusé de réception logique (ARL) positif prouve la réception de {proven} d'entre elles."
                ]
                if proven and many
                else ["Un accusé de réception logique (ARL) positif prouve sa réception."]
                if proven
                else []
            ),
            *table,
            "Merci de nous faire connaître votre position par écrit."
            if is_dispute
            else "Merci de procéder au règlement, ou de nous faire parvenir le rejet et son motif.",
            "",
            *filter(None, [sender["name"], sender["phone"], sender["email"]]),
        ]
        return "\r\n".join(text).encode("utf-8-sig")

    @api.model
    def _to_copy(self, chase, lines):
        """A message with its claims, to be pasted in the payer's own mailbox or form: numbers, no names."""
        rows = lines._rows()
        table = [
            " · ".join(
                filter(
                    None,
                    [
                        f"facture {row['number']} du {row['day']}",
                        f"adhérent {row['member']}" if row["member"] else "",
                        f"transmise le {row['sent']}",
                        f"lot {row['lot']}" if row["lot"] else "",
                        f"ARL du {row['arl']}" if row["arl"] else "",
                        row["left"],
                    ],
                )
            )
            for row in rows
        ]
        text = self._message(chase, rows, ["", *table, ""]).decode("utf-8-sig")
        return text.replace("\r\n", "\n").replace("du tableau joint", "ci-dessous")

    @api.model
    def _spreadsheet(self, chase, rows):
        """The table of the claims, with its sum."""
        heads = [
            "N° de facture",
            "Date",
            "Assuré",
            "N° d'adhérent",
            "Transmise le",
            "Lot",
            "ARL du",
        ]
        heads += ["Montant", "Reste dû", "Observation"]
        buffer = io.BytesIO()
        book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False})
        sheet = book.add_worksheet("Factures")
        bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00 €"})
        bold_money = book.add_format({"bold": True, "num_format": "#,##0.00 €"})
        sheet.write_row(0, 0, heads, bold)
        for rank, row in enumerate(rows, start=1):
            texts = ["number", "day", "patient", "member", "sent", "lot", "arl"]
            for column, name in enumerate(texts):
                sheet.write_string(rank, column, row[name] or "")
            sheet.write_number(rank, 7, row["line"].amount, money)
            sheet.write_number(rank, 8, row["line"].amount_residual, money)
            sheet.write_string(rank, 9, row["reason"] or row["note"])
        last = len(rows) + 1
        sheet.write_string(last, 0, "Total", bold)
        for column, letter in ((7, "H"), (8, "I")):
            name = ("amount", "amount_residual")[column - 7]
            total = euros(sum(cents(row["line"][name]) for row in rows))
            sheet.write_formula(last, column, f"=SUM({letter}2:{letter}{last})", bold_money, total)
        sheet.set_column(0, 1, 13)
        sheet.set_column(2, 2, 26)
        sheet.set_column(3, 8, 13)
        sheet.set_column(9, 9, 30)
        sheet.freeze_panes(1, 0)
        book.set_properties({"title": chase.payer_id.name, "created": None})
        book.close()
        return buffer.getvalue()

    @api.model
    def _proofs(self, chase, rows):
        """Proof of sending, claim by claim: lot, file as transmitted and its checksum, acknowledgement."""
        company = chase.company_id
        return table(
            "Preuves de transmission",
            [
                f"{company.name}, n° {company.health_provider_no or ''}",
                f"Organisme : {chase.payer_id.name}",
                "Un accusé de réception logique (ARL) positif prouve que l'organisme a reçu le lot.",
            ],
            ["Facture", "Du", "Transmise le", "Lot", "ARL positif du", "Fichier", "SHA-256"],
            [
                [
                    *(row[name] for name in ("number", "day", "sent", "lot")),
                    row["arl"] or "-",
                    row["file"][:40],
                    row["checksum"][:16] + "…" if row["checksum"] else "",
                ]
                for row in rows
            ],
            (30, 25, 28, 18, 32, 78, 50),
        )

    @api.model
    def _slug(self, text):
        """A name that every system takes: no accent, no blank."""
        bare = unicodedata.normalize("NFKD", text or "").encode("ascii", "ignore").decode()
        return re.sub(r"[^A-Za-z0-9]+", "-", bare).strip("-").lower()[:60] or "piece"

    @api.model
    def _archive(self, files):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                info = zipfile.ZipInfo(name, EPOCH)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o644 << 16
                archive.writestr(info, content)
        return buffer.getvalue()
