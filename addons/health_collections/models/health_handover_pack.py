import hashlib
import io
import zipfile
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from odoo.addons.health_billing.models.health_share import CLOSED
from odoo.addons.health_billing.tools import cents, euros, format_cents

from ..dunning.handover import as_csv, as_xlsx
from .health_handover import HUMAN, KINDS, LEFT_OUT

#: proofs of a file that may leave, and their weight: more goes on paper
MAX_PROOFS = 20
MAX_PROOF_BYTES = 10 * 1024 * 1024
EXTENSIONS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


class HealthHandoverPack(models.Model):
    """What was given to a professional, when, and its fingerprint.

    One ZIP per professional and practitioner for a collection company; one per debtor for a bailiff and for a
    court. It holds names, addresses, numbers, dates and amounts; never the care, the NIR or a birth date.
    """

    _name = "health.handover.pack"
    _description = "Hand-over Pack"
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name", store=True)
    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, index=True, readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    recipient_id = fields.Many2one(
        "res.partner", string="For", required=True, readonly=True, index=True, ondelete="restrict"
    )
    kind = fields.Selection(KINDS, string="Road", required=True, readonly=True)
    date = fields.Date(required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Made by", readonly=True, default=lambda self: self.env.uid
    )
    handover_ids = fields.One2many("health.handover", "pack_id", string="Files", readonly=True)
    file_count = fields.Integer("Number of files", readonly=True)
    amount = fields.Monetary(readonly=True)
    attachment_id = fields.Many2one("ir.attachment", string="ZIP", readonly=True)
    digest = fields.Char("Fingerprint (SHA-256)", readonly=True)
    content = fields.Text("What is in it", readonly=True)
    downloaded_on = fields.Datetime("Taken on", readonly=True)
    downloaded_by_id = fields.Many2one("res.users", string="Taken by", readonly=True)
    forgotten_on = fields.Date("Content deleted on", readonly=True)

    @api.depends("recipient_id.name")
    def _compute_name(self):
        for pack in self:
            pack.name = f"T{pack.id:05d}" if pack.id else False

    # -- making --------------------------------------------------------------------------------------

    @api.model
    def _make(self, files):
        """Make the packs of these files and mark the files as handed over.

        :raises UserError: which file is not ready, and why; then none is handed over.
        :return: the packs, one per professional and practitioner, or one per debtor.
        """
        files._check_state("agreed")
        day = fields.Date.context_today(self)
        files = files.sudo()
        files._settle(day)
        files = files.filtered(lambda file: file.state == "agreed")
        if not files:
            raise UserError(self.env._("Everything was paid meanwhile: nothing is handed over."))
        self._check_ready(files, day)
        groups = files.grouped(
            lambda file: (
                file.company_id,
                file.kind,
                file.recipient_id,
                file.id if file.kind != "collector" else 0,
            )
        )
        files.line_ids.share_id.fse_id.fetch(["name"])
        owed = {
            file: file.line_ids.filtered(lambda line: line.state not in CLOSED) for file in files
        }
        for line in files.line_ids:
            line.amount = line.amount_left
        packs = self.sudo().create(
            [
                {
                    "company_id": company.id,
                    "recipient_id": recipient.id,
                    "kind": kind,
                    "date": day,
                    "user_id": self.env.uid,
                    "file_count": len(own),
                    "amount": euros(sum(cents(line.amount_left) for line in own)),
                }
                for (company, kind, recipient, _alone), own in groups.items()
            ]
        )
        french = "fr_FR" if self.env["res.lang"]._get_data(code="fr_FR") else self.env.lang
        transfer = self._accounts(files.company_id)
        proofs = self._proofs(files)
        contents = []
        for pack, own in zip(packs, groups.values(), strict=True):
            own.write({"state": "handed", "handed_on": day, "pack_id": pack.id})
            contents.append(pack.with_context(lang=french)._zip(own, owed, transfer, proofs))
        attachments = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                [
                    {
                        "name": f"{pack.name}.zip",
                        "raw": content,
                        "mimetype": "application/zip",
                        "res_model": self._name,
                        "res_id": pack.id,
                        "company_id": pack.company_id.id,
                    }
                    for pack, (content, _names) in zip(packs, contents, strict=True)
                ]
            )
        )
        for pack, attachment, (content, names) in zip(packs, attachments, contents, strict=True):
            pack.write(
                {
                    "attachment_id": attachment.id,
                    "digest": hashlib.sha256(content).hexdigest(),
                    "content": "\n".join(names),
                }
            )
        files.with_env(self.env)._log("handed", day)
        self._record_contacts(files, owed, day)
        files._refresh_holds()
        return packs.with_env(self.env)

    @api.model
    def _check_ready(self, files, day):
        """Everything is looked at again at the moment of leaving."""
        shares = files.line_ids.share_id.filtered(lambda share: share.state not in CLOSED)
        held = shares._dunning_guard(day, without=LEFT_OUT)
        problems = []
        for file in files:
            partner = file.partner_id
            reasons = {
                reason
                for share, (code, reason) in held.items()
                if share in file.line_ids.share_id and not (code in HUMAN and file.caution_reason)
            }
            if not file.recipient_id:
                reasons.add(self.env._("no professional is chosen."))
            if partner._health_without_address():
                reasons.add(self.env._("the address of the debtor is not complete."))
            limit = file._limit()
            if limit is not None and cents(file.amount_left) > limit:
                reasons.add(self.env._("more than %s: take another road.", format_cents(limit)))
            if reasons:
                problems.append(f"{file.name} : {' '.join(sorted(reasons))}")
        if problems:
            raise UserError(self.env._("Nothing was handed over:\n%s", "\n".join(problems)))

    @api.model
    def _accounts(self, companies):
        """IBAN on which each practitioner is paid."""
        journals = (
            self.env["account.journal"]
            .sudo()
            .search(
                [
                    ("company_id", "in", companies.ids),
                    ("type", "=", "bank"),
                    ("bank_account_id", "!=", False),
                ]
            )
        )
        found = {}
        for journal in journals:
            iban = journal.bank_account_id.sanitized_acc_number or ""
            grouped = " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
            found.setdefault(journal.company_id, grouped)
        return found

    @api.model
    def _proofs(self, files):
        """Proofs of the formal notices to these debtors: our own letters and their postal receipts.

        :return: dict of (company id, debtor id) → attachments.
        """
        contacts = (
            self.env["health.contact"]
            .sudo()
            .search(
                [
                    ("company_id", "in", files.company_id.ids),
                    ("partner_id", "in", files.partner_id.ids),
                    ("kind", "=", "notice"),
                    ("proof_ids", "!=", False),
                ]
            )
        )
        found = {}
        for contact in contacts:
            key = (contact.company_id.id, contact.partner_id.id)
            found[key] = found.get(key, contact.proof_ids.browse()) | contact.proof_ids
        return found

    def _zip(self, files, owed, accounts, proofs):
        """Content of the pack.

        :return: (bytes, names of what is in it).
        """
        self.ensure_one()
        rows = self._rows(files, owed, accounts)
        members = [("creances.csv", as_csv(rows)), ("creances.xlsx", as_xlsx(rows))]
        members += self._letters(files)
        for file in files:
            found = proofs.get((file.company_id.id, file.partner_id.id))
            for rank, proof in enumerate((found or [])[:MAX_PROOFS], start=1):
                extension = EXTENSIONS.get(proof.mimetype)
                if extension and proof.file_size <= MAX_PROOF_BYTES:
                    # never the name that somebody gave the scan
                    members.append((f"preuves/{file.name}-{rank}.{extension}", proof.raw))
        members.insert(0, ("LISEZ-MOI.txt", self._read_me(files, members).encode()))
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members:
                info = zipfile.ZipInfo(name, (*self.date.timetuple()[:3], 0, 0, 0))
                archive.writestr(info, content, zipfile.ZIP_DEFLATED)
        return out.getvalue(), [name for name, _content in members]

    def _rows(self, files, owed, accounts):
        address = self.env["health.payment.link"]._address_lines
        rows = []
        for file in files:
            company, partner = file.company_id, file.partner_id
            for line in owed[file]:
                share = line.share_id
                left = cents(share.amount_residual)
                rows.append(
                    {
                        "file": file.name,
                        "creditor": company.name,
                        "creditor_address": address(company.partner_id).replace("\n", ", "),
                        "creditor_iban": accounts.get(company, ""),
                        "debtor": partner.name,
                        "street": ", ".join(filter(None, (partner.street, partner.street2))),
                        "zip": partner.zip,
                        "city": partner.city,
                        "phone": partner.phone,
                        "email": partner.email,
                        "number": line.number,
                        "date": line.date,
                        "due": line.due_date,
                        "amount": cents(share.amount),
                        "paid": cents(share.amount) - left,
                        "left": left,
                        "notice": file.notice_on,
                        "prescription": share.prescription_date,
                    }
                )
        return rows

    def _letters(self, files):
        """The accounts, each debtor on a sheet of their own; and the request to the court or the bailiff."""
        names = {
            "collector": "decomptes",
            "bailiff": "demande-procedure-simplifiee",
            "injunction": "requete-injonction-de-payer",
        }
        report = self.env.ref("health_collections.action_report_handover")
        content, kind = self.env["ir.actions.report"].sudo()._render_qweb_pdf(report, files.ids)
        return [(f"{names[self.kind]}.{kind}", content)]

    def _read_me(self, files, members):
        lines = [
            self.env._(
                "Transmission %(pack)s of %(day)s",
                pack=self.name,
                day=format_date(self.env, self.date),
            ),
            self.env._("From: %s", self.company_id.name),
            self.env._("To: %s", self.recipient_id.name),
            self.env._(
                "Files: %(count)s, left to pay: %(amount)s",
                count=len(files),
                amount=format_cents(sum(cents(file.amount_left) for file in files)),
            ),
            "",
            *[name for name, _content in members],
            "",
            self.env._(
                "Professional secrecy covers these files: they hold what is needed to ask for the money, and nothing "
                "else. Nothing may be asked of the debtor beyond the sums listed."
            ),
            self.env._(
                "To tell us where the files are, send back a table with the columns: "
                "Dossier, Statut, Date, Montant, Observation."
            ),
        ]
        return "\r\n".join(lines) + "\r\n"

    @api.model
    def _record_contacts(self, files, owed, day):
        """The history of the debtor says that they were handed over, and to whom."""
        self.env["health.contact"]._record(
            [
                {
                    "company_id": file.company_id.id,
                    "partner_id": file.partner_id.id,
                    "day": day,
                    "channel": "hand",
                    "kind": "handover",
                    "subject": self.env._(
                        "File %(file)s handed over to %(who)s",
                        file=file.name,
                        who=file.recipient_id.name,
                    ),
                    "amount": file.amount_left,
                    "share_ids": [fields.Command.set(owed[file].share_id.ids)],
                    "user_id": self.env.uid,
                }
                for file in files
            ]
        )

    # -- taking and forgetting -----------------------------------------------------------------------

    def action_download(self):
        """Give the ZIP to the user, and note who took it."""
        self.ensure_one()
        if not self.env["health.handover"].has_access("write"):
            self.check_access("write")
        if not self.attachment_id:
            raise UserError(
                self.env._(
                    "The content of this pack was deleted: its list and its fingerprint remain."
                )
            )
        self.sudo().write(
            {"downloaded_on": fields.Datetime.now(), "downloaded_by_id": self.env.uid}
        )
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self.attachment_id.id}?download=true",
            "target": "self",
        }

    @api.model
    def _forget(self, day):
        """Delete the content of packs whose files are all closed for long: the trace stays.

        :return: the packs whose content went.
        """
        limit = day - timedelta(days=self.env["health.parameter"].value_of("handover_pack_days"))
        packs = self.sudo().search(
            [
                ("attachment_id", "!=", False),
                ("date", "<=", limit),
                ("handover_ids", "not any", [("state", "!=", "closed")]),
                ("handover_ids", "not any", [("closed_on", ">", limit)]),
            ]
        )
        attachments = packs.attachment_id
        packs.write({"attachment_id": False, "forgotten_on": day})
        attachments.unlink()
        return packs
