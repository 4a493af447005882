"""A debt at the end of its scale, a professional, and the people who decide."""

import io
import zipfile
from datetime import date, timedelta

from freezegun import freeze_time
from openpyxl import load_workbook

from odoo.fields import Command

from .common import CollectionsCommon

#: FSE of 5 October 2026, due on 4 November, everything sent since 1 February
TODAY = date(2027, 3, 1)
SENT = TODAY - timedelta(days=20)


class HandoverCommon(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enterClassContext(freeze_time(f"{TODAY} 09:00:00"))
        cls.address(cls.patient)
        cls.address(cls.physio_patient)
        cls.address(cls.nurse.partner_id, "3 rue du Cabinet")
        Partner = cls.env["res.partner"]
        cls.collector, cls.bailiff, cls.court = (
            Partner.create(
                {
                    "name": name,
                    "is_company": True,
                    "health_recovery_kind": kind,
                    "street": "1 place du Droit",
                    "zip": "75001",
                    "city": "Paris",
                }
            )
            for kind, name in (
                ("collector", "Recouvrement Exemple"),
                ("bailiff", "Étude Exemple"),
                ("injunction", "Tribunal Exemple"),
            )
        )
        for company in cls.nurse + cls.physio:
            company._health_policy("patient").health_handover_partner_id = cls.collector
        cls.biller = cls.make_user("h_biller", "health_billing.group_biller")
        cls.manager = cls.make_user("h_manager", "health_billing.group_manager")
        cls.phone = cls.make_user("h_phone", "base.group_portal", cls.nurse)
        cls.nurse.health_portal_user_ids = cls.phone

    @classmethod
    def address(cls, partner, street="12 rue des Lilas"):
        partner.write({"street": street, "zip": "69001", "city": "Lyon"})

    @classmethod
    def exhaust(cls, shares, day=SENT):
        """The last step of the scale was sent for these shares."""
        lines = []
        for share in shares:
            level = share.company_id._health_policy("patient").level_ids.sorted("level")[-1:]
            item = share.move_id.line_ids.filtered(lambda line: line.display_type == "payment_term")
            lines.append(
                {
                    "date": day,
                    "date_due": share.due_date,
                    "date_sent": day,
                    "state": "sent",
                    "channel": level.channel,
                    "invoice_id": share.move_id.id,
                    "partner_id": share.partner_id.id,
                    "move_line_id": item.id,
                    "policy_level_id": level.id,
                    "amount_due": share.amount,
                    "balance_due": share.amount_residual,
                }
            )
        cls.env["credit.control.line"].create(lines)

    @classmethod
    def ripe(cls, number, patient=9000, **values):
        """The share of a patient for which nothing is left to try."""
        share = cls.late(number, patient=patient, **values)
        cls.exhaust(share)
        return share

    @classmethod
    def propose(cls, companies=None, day=TODAY):
        return cls.env["health.handover"]._propose_night(companies or cls.nurse, day)

    @classmethod
    def as_user(cls, user, records):
        return records.with_env(
            cls.env(
                user=user,
                su=False,
                context={"allowed_company_ids": user.company_ids.ids, "lang": "fr_FR"},
            )
        )

    @classmethod
    def agree(cls, files):
        """A manager approves, the practitioner agrees."""
        cls.as_user(cls.manager, files)._approve()
        for question in files.question_id:
            cls.answer(question, "yes")

    @classmethod
    def answer(cls, question, choice):
        """As the practitioner's page does it."""
        asked = cls.as_user(cls.phone, question).sudo()
        asked._answer({"answer": choice})

    @classmethod
    def hand(cls, files):
        """The files with the professional; returns the packs."""
        cls.agree(files)
        action = cls.as_user(cls.biller, files).action_make_pack()
        return cls.env["health.handover.pack"].search(action["domain"])

    @classmethod
    def members(cls, pack):
        """Name and content of what is in the ZIP."""
        with zipfile.ZipFile(io.BytesIO(pack.attachment_id.raw)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    @classmethod
    def workbook(cls, content):
        """Rows of a workbook."""
        return list(load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))

    @classmethod
    def scan(cls, name="Accord de Mme DURAND AMI 4.pdf", user=None):
        Attachment = cls.env["ir.attachment"]
        if user:
            Attachment = cls.as_user(user, Attachment)
        return Attachment.create({"name": name, "raw": b"%PDF-1.4 signed"})

    @classmethod
    def set_agency(cls, **values):
        """The whole legal set-up of the agency."""
        cls.address(cls.agency.partner_id, "5 avenue de l'Agence")
        bank = cls.env["res.partner.bank"].create(
            {"acc_number": "FR7630006000011234567890189", "partner_id": cls.agency.partner_id.id}
        )
        proof = [Command.link(cls.scan("preuve.pdf").id)]
        return cls.env["health.agency.setup"].create(
            {
                "company_id": cls.agency.id,
                "insurer": "Assurances Exemple",
                "policy_no": "RC-123",
                "insured_until": TODAY + timedelta(days=300),
                "insurance_ids": proof,
                "declared_on": TODAY - timedelta(days=30),
                "court": "Tribunal judiciaire de Lyon",
                "declaration_ids": proof,
                "account_id": bank.id,
                "is_account_apart": True,
                **values,
            }
        )

    @classmethod
    def set_agreement(cls, **values):
        return cls.env["health.agency.agreement"].create(
            {
                "company_id": cls.nurse.id,
                "signed_on": TODAY - timedelta(days=10),
                "date_from": TODAY - timedelta(days=10),
                "claims": "Sommes restant à la charge des patients",
                "guarantee": "Responsabilité civile professionnelle",
                "fee": "5 % des sommes encaissées",
                "remit": "Virement mensuel",
                "remit_days": 30,
                "document_ids": [Command.link(cls.scan("convention.pdf").id)],
                **values,
            }
        )
