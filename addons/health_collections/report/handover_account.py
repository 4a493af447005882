from odoo import api, fields, models

from odoo.addons.health_billing.models.health_share import CLOSED
from odoo.addons.health_billing.tools import cents, format_cents

TITLES = {
    "collector": "Décompte de la somme due",
    "bailiff": "Demande de procédure simplifiée de recouvrement",
    "injunction": "Requête en injonction de payer",
}


class HandoverAccount(models.AbstractModel):
    """The account of each file, for the professional: who, how much, since when; never the care."""

    _name = "report.health_collections.handover_account"
    _description = "Account of a Handed Over File"

    @api.model
    def _get_report_values(self, docids, data=None):
        files = self.env["health.handover"].browse(docids)
        files.check_access("read")
        files = files.sudo()
        proofs = self.env["health.handover.pack"]._proofs(files)
        contacts = self._contacts(files)
        accounts = self.env["health.handover.pack"]._accounts(files.company_id)
        return {
            "doc_ids": files.ids,
            "doc_model": "health.handover",
            "docs": files,
            "accounts": {
                file.id: self._account(file, accounts, contacts, proofs) for file in files
            },
        }

    @api.model
    def _contacts(self, files):
        """What was tried, by practitioner and debtor: day and means, nothing of what was said."""
        found = {}
        for contact in (
            self.env["health.contact"]
            .sudo()
            .search_fetch(
                [
                    ("company_id", "in", files.company_id.ids),
                    ("partner_id", "in", files.partner_id.ids),
                    ("direction", "=", "out"),
                    ("state", "in", ("sent", "delivered")),
                    ("kind", "in", ("reminder", "notice")),
                ],
                ["company_id", "partner_id", "day", "channel", "kind", "tracking_no"],
                order="day, id",
            )
        ):
            found.setdefault((contact.company_id, contact.partner_id), []).append(contact)
        return found

    @api.model
    def _account(self, file, accounts, contacts, proofs):
        """What one sheet shows, as plain texts."""
        address = self.env["health.payment.link"]._address_lines
        day = self.env["res.partner"]._health_day_text
        labels = dict(
            self.env["health.contact"]._fields["channel"]._description_selection(self.env)
        )
        company, partner = file.company_id, file.partner_id
        lines = file.line_ids.filtered(lambda line: line.state not in CLOSED)
        owed = sum(cents(line.share_id.amount) for line in lines)
        left = sum(cents(line.amount_left) for line in lines)
        tried = contacts.get((company, partner), [])
        bars = [day for day in lines.share_id.mapped("prescription_date") if day]
        return {
            "title": TITLES[file.kind],
            "sender": {
                "name": company.name,
                "address": address(company.partner_id),
                "phone": company.phone or "",
                "email": company.email or "",
                "mentions": "",
            },
            "to": file.recipient_id,
            "day": f"Le {day(file.handed_on or fields.Date.context_today(file))}",
            "creditor": (company.name, *address(company.partner_id).splitlines()),
            "debtor": (partner.name, *address(partner).splitlines()),
            "reach": ", ".join(filter(None, (partner.phone, partner.email))),
            "iban": accounts.get(company, ""),
            "rows": [
                {
                    "number": line.number,
                    "date": f"{line.date:%d/%m/%Y}",
                    "due": f"{line.due_date:%d/%m/%Y}",
                    "amount": format_cents(cents(line.share_id.amount)),
                    "paid": format_cents(cents(line.share_id.amount) - cents(line.amount_left)),
                    "left": format_cents(cents(line.amount_left)),
                }
                for line in lines
            ],
            "owed": format_cents(owed),
            "paid": format_cents(owed - left),
            "left": format_cents(left),
            "tried": [
                f"{contact.day:%d/%m/%Y} : "
                f"{'mise en demeure, ' if contact.kind == 'notice' else ''}{labels[contact.channel].lower()}"
                f"{f' n° {contact.tracking_no}' if contact.tracking_no else ''}"
                for contact in tried
            ],
            "notice": f"{file.notice_on:%d/%m/%Y}" if file.notice_on else "",
            "prescription": f"{min(bars):%d/%m/%Y}" if bars else "",
            "pieces": self._pieces(file, proofs),
        }

    @api.model
    def _pieces(self, file, proofs):
        """List of what goes with the request."""
        found = proofs.get((file.company_id.id, file.partner_id.id), ())
        pieces = ["Décompte des sommes dues, par numéro et par date (ci-dessus, et creances.csv)"]
        if file.notice_on:
            pieces.append(f"Mise en demeure du {file.notice_on:%d/%m/%Y}")
        if found:
            pieces.append(f"Preuve(s) d'envoi de la mise en demeure : {len(found)} fichier(s)")
        if file.kind == "injunction":
            pieces.append(
                "Justificatif de la démarche amiable préalable (art. 750-1 du code de procédure civile)"
            )
            pieces.append(
                "Justificatifs : remis par le créancier, sous le secret, si le juge les demande"
            )
        return pieces
