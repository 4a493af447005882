"""The demo's recovery of patients' debts: a practitioner whose patients pay directly, eight months of reminders, and
what the patients answered. Loaded by ``demo.py`` before and after the night.
"""

import base64
import csv
import io
import json
import time
from contextlib import contextmanager
from datetime import date, timedelta
from unittest.mock import patch

from PIL import Image, ImageDraw

from odoo import fields
from odoo.exceptions import UserError

COLUMNS = (
    "provider_no fse_no fse_date sent_on nir birth_rank last_name first_name birth_date act_date key_letter "
    "coefficient "
    "act_amount amo_org amo_rate amo_amount amc_amount patient_amount"
).split()
FUND = "017510001"
FIRST_NO = 860000101


def euros(cents):
    return f"{cents // 100}.{cents % 100:02d}"


@contextmanager
def today(day):
    """Work as on that day, whenever the demo is made: what people enter bears the day of the story."""
    with patch.object(fields.Date, "context_today", staticmethod(lambda *_args, **_named: day)):
        yield


class Debts:
    """Patients of one practitioner who owe, each in a situation of their own."""

    def __init__(self, env, path, progress):
        self.data = json.loads(path.read_text())
        self.progress = progress
        self.env = env
        self.company = None
        self.people = {}
        self.users = {}

    def use(self, env, company):
        """:param company: the practitioner, once set up."""
        self.env, self.company = env, company
        self.users = {user.login: user for user in env["res.users"].search([("share", "=", False)])}
        return self

    def by(self, login, records):
        """These records in the hands of one of the agency's people."""
        return records.with_user(self.users[login])

    # -- before the night ---------------------------------------------------------------------------

    def load(self):
        """The journal, who settles for whom, and the reminders of the months before."""
        start = time.monotonic()
        self.add_addresses()
        self.receive_file("anciens.csv", self.journal())
        patients = self.env["res.partner"].search([("company_id", "=", self.company.id)])
        by_name = {
            (patient.health_birth_date, patient.health_nir): patient
            for patient in patients
            if patient.health_kind == "patient"
        }
        for row in self.data["people"]:
            patient = by_name[date.fromisoformat(row["birth_date"]), row["nir"]]
            self.people[row["key"]] = patient
            patient.write(
                {
                    **{
                        key: row[key]
                        for key in ("email", "phone", "street", "zip", "city")
                        if key in row
                    },
                    **row.get("is", {}),
                }
            )
        for row in self.data["people"]:
            if "settled_by" in row:
                self.people[row["key"]].health_debtor_id = self.people[row["settled_by"]]
        self.env["health.share"].search([("company_id", "=", self.company.id)])._post_invoices()
        self.receive_file("anciens.xml", self.statement())
        for night in self.data["nights"]:
            self.company._health_run_reminders(date.fromisoformat(night))
            self.bring_out(night)
        self.progress(f"anciens impayés : {time.monotonic() - start:.0f} s")

    def receive_file(self, name, content):
        name = f"{self.company.health_provider_no}-{name}"
        inbox = self.env["health.inbox"].ingest(name, content)
        if inbox.state != "done":
            raise SystemExit(f"{name} : {inbox.message}")

    def add_addresses(self):
        """How to reach the payers, and to whom the practitioner hands over what all else left unpaid."""
        partners = self.env["res.partner"]
        country = self.env.ref("base.fr").id
        for row in self.data["payers"]:
            [payer] = partners._health_payers(row["kind"], [row["org_no"]]).values()
            payer.write(
                {key: row[key] for key in row.keys() & {"phone", "email", "street", "zip", "city"}}
            )
        collector, _bailiff = partners.create(
            [
                {**row, "health_recovery_kind": kind, "is_company": True, "country_id": country}
                for kind, row in self.data["recovery"].items()
            ]
        )
        policy = self.company._health_policy("patient")
        policy.write(
            {"health_handover_kind": "collector", "health_handover_partner_id": collector.id}
        )

    def statement(self):
        """What came on the practitioner's account from people who quoted no number."""
        rows = [row["transfer"] for row in self.data["people"] if "transfer" in row]
        days = sorted(row["day"] for row in rows)
        iban = self.data["practitioner"]["iban"]
        opening = 120000
        closing = opening + sum(row["cents"] for row in rows)

        def balance(code, cents, day):
            return (
                f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
                f'<Amt Ccy="EUR">{euros(cents)}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
                f"<Dt><Dt>{day}</Dt></Dt></Bal>"
            )

        entries = "".join(
            f'<Ntry><Amt Ccy="EUR">{euros(row["cents"])}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>'
            f"<BookgDt><Dt>{row['day']}</Dt></BookgDt><ValDt><Dt>{row['day']}</Dt></ValDt>"
            f"<AcctSvcrRef>BF33{rank:08d}</AcctSvcrRef><NtryDtls><TxDtls>"
            f"<RmtInf><Ustrd>{row['label']}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
            for rank, row in enumerate(rows, start=1)
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>'
            "<GrpHdr><MsgId>RELEVE-ANCIENS</MsgId><CreDtTm>2026-11-20T06:00:00</CreDtTm></GrpHdr>"
            "<Stmt><Id>RELEVE-ANCIENS</Id><CreDtTm>2026-11-20T06:00:00</CreDtTm>"
            f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
            f"{balance('OPBD', opening, days[0])}{balance('CLBD', closing, days[-1])}{entries}"
            "</Stmt></BkToCstmrStmt></Document>"
        ).encode()

    def journal(self):
        """Direct payments, in the table that Facturière reads without any mapping."""
        act = self.data["act"]
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, delimiter=";", restval="")
        writer.writeheader()
        number = FIRST_NO
        for row in self.data["people"]:
            for day in row["care"]:
                sent = date.fromisoformat(day) + timedelta(days=1)
                writer.writerow(
                    {
                        **{
                            key: row[key]
                            for key in ("nir", "last_name", "first_name", "birth_date")
                        },
                        "provider_no": self.company.health_provider_no,
                        "fse_no": number,
                        "fse_date": day,
                        "sent_on": sent.isoformat(),
                        "birth_rank": 1,
                        "act_date": day,
                        "key_letter": act["key_letter"],
                        "coefficient": act["coefficient"],
                        "act_amount": euros(act["cents"]),
                        "amo_org": FUND,
                        "amo_rate": 60,
                        "amo_amount": "0.00",
                        "amc_amount": "0.00",
                        "patient_amount": euros(act["cents"]),
                    }
                )
                number += 1
        return text.getvalue().encode()

    def bring_out(self, night):
        """What was to leave has left: calls made, letters posted, mails sent; so that the scale goes on."""
        contacts = self.env["health.contact"].search(
            [("company_id", "=", self.company.id), ("state", "in", ("planned", "queued"))]
        )
        contacts._set_state("sent")
        contacts.communication_id.credit_control_line_ids.date_sent = night
        self.env["mail.mail"].search([("state", "=", "outgoing")]).unlink()

    # -- after the night ----------------------------------------------------------------------------

    def answer(self, day):
        """What was done since: by the patients from their page, by cheque, in cash; by the agency."""
        with today(day):
            for row in self.data["people"]:
                if "does" in row:
                    getattr(self, f"_{row['does']}")(self.people[row["key"]], day)
            # what waited for somebody who has answered meanwhile does not leave, as at the moment of leaving
            self.env["health.contact"]._sweep()

    def shares(self, patient):
        return self.env["health.share"].search(
            [("partner_id", "=", patient.id), ("state", "in", ("due", "partial"))]
        )

    def link(self, patient):
        return self.env["health.payment.link"]._make_one(patient, "hand")[0]

    def _plan(self, patient, day):
        self.env["health.plan"]._ask(
            patient, self.company, self.shares(patient), 3, day, link=self.link(patient)
        )

    def _insurer(self, patient, day):
        self.request(
            patient, "insurer", "J'ai changé de mutuelle en septembre.", photos=[self.card()]
        )

    def _callback(self, patient, day):
        self.request(
            patient, "callback", "Plutôt le matin, je marche lentement.", phone=patient.phone
        )

    def _dispute(self, patient, day):
        self.request(patient, "dispute", "La séance du 17 septembre avait été annulée.")

    def request(self, patient, kind, message, **values):
        self.env["health.debtor.request"]._take(
            self.link(patient), kind, self.shares(patient), message=message, **values
        )

    @staticmethod
    def card():
        """A photo of an insurer's card, drawn."""
        image = Image.new("RGB", (640, 400), "#dfe9f2")
        draw = ImageDraw.Draw(image)
        draw.rectangle((0, 0, 640, 90), fill="#1d4e79")
        for row, text in enumerate(
            ("MUTUELLE DES QUATRE RIVES", "Adherent 0099 4403", "Du 01/09/2026 au 31/12/2026")
        ):
            draw.text(
                (30, 30 + 110 * row), text, fill="white" if row == 0 else "black", font_size=28
            )
        buffer = io.BytesIO()
        image.save(buffer, "JPEG")
        return buffer.getvalue()

    def _promise(self, patient, day):
        """Called, she promises to pay within a week."""
        self.env["health.contact.outcome"].with_user(self.users["facturiere"]).create(
            {
                "contact_id": self.planned(patient, "phone").id,
                "outcome": "promise",
                "promise_on": day + timedelta(days=7),
                "note": "Salaire versé le 25, paiera en ligne ce jour-là.",
            }
        ).action_save()

    def _post(self, patient, day):
        """The formal notice went to the post office: its number is on the receipt."""
        self.env["health.contact.post"].with_user(self.users["facturiere"]).create(
            {
                "contact_id": self.planned(patient, "registered").id,
                "step": "posted",
                "tracking_no": "1A 990 041 7742 8",
                "day": day,
                "scan": base64.b64encode(self.paper("PREUVE DE DEPOT", "1A 990 041 7742 8")),
                "scan_name": "preuve-depot.pdf",
            }
        ).action_save()

    def planned(self, patient, channel):
        """What the night left to be done for this patient by that channel."""
        contact = self.env["health.contact"].search(
            [
                ("partner_id", "=", patient.id),
                ("channel", "=", channel),
                ("state", "=", "planned"),
            ]
        )
        if len(contact) != 1:
            raise SystemExit(f"{patient.name} : {len(contact)} contact(s) « {channel} » à faire")
        return contact

    @staticmethod
    def paper(*lines):
        """A signed sheet or a receipt as the scanner gives it."""
        image = Image.new("RGB", (620, 877), "white")
        draw = ImageDraw.Draw(image)
        for row, text in enumerate(lines):
            draw.text((60, 80 + 60 * row), text, fill="black", font_size=24)
        buffer = io.BytesIO()
        image.save(buffer, "PDF")
        return buffer.getvalue()

    def _agreement(self, patient, day):
        """A part to be forgiven, more than a biller decides alone."""
        shares = self.by("facturiere", self.shares(patient))
        shares.env["health.agreement"]._ask_reduction(
            shares,
            6000,
            "Petite retraite, veuve depuis août ; règle le reste en trois fois.",
            "once_paid",
            "Mme Bastide, par téléphone le 19/11/2026",
            3,
            day + timedelta(days=10),
        )

    def file_of(self, patient):
        """The file that the night proposed for this patient."""
        file = self.env["health.handover"].search([("partner_id", "=", patient.id)])
        if len(file) != 1:
            raise SystemExit(f"{patient.name} : {len(file)} dossier(s) proposé(s) par la nuit")
        return file

    def _approve(self, patient, day):
        """Approved by the manager: the practitioner is asked on their page."""
        self.by("responsable", self.file_of(patient)).action_approve()

    def _hand_over(self, patient, day):
        """Approved, agreed to on paper, given to the collector with the least data."""
        self._approve(patient, day)
        file = self.by("facturiere", self.file_of(patient))
        scan = file.env["ir.attachment"].create(
            {
                "name": "accord-signe.pdf",
                "raw": self.paper(
                    "Je donne mon accord pour transmettre", f"le dossier {file.name}."
                ),
            }
        )
        file.env["health.handover.decide"].create(
            {
                "handover_ids": [fields.Command.set(file.ids)],
                "decision": "consent",
                "attachment_ids": [fields.Command.set(scan.ids)],
            }
        ).action_decide()
        try:
            with self.env.cr.savepoint():
                file.action_make_pack()
        except UserError as error:  # nothing here prints PDF: the file waits to be handed over
            self.progress(f"dossier {file.name} : {error}")

    def _cheque_over(self, patient, day):
        self.receive(
            patient, day, "cheque", extra=5, reference="0007730", bank="Banque des Deux Ponts"
        )

    def _cheque(self, patient, day):
        self.receive(patient, day, "cheque", reference="0004521", bank="Banque de la Combe")

    def _cash(self, patient, day):
        self.receive(patient, day, "cash")

    def receive(self, patient, day, mode, extra=0, **values):
        """:param extra: euros above what is owed."""
        amount = sum(self.shares(patient).mapped("amount_residual")) + extra
        self.env["health.patient.payment"].create(
            {
                "partner_id": patient.id,
                "company_id": self.company.id,
                "mode": mode,
                "date": day,
                "amount": amount,
                **values,
            }
        ).action_book()
