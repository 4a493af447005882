"""The demo's recovery of patients' debts: a practitioner whose patients pay directly, eight months of reminders, and
what the patients answered. Loaded by ``demo.py`` before and after the night.
"""

import csv
import io
import json
import time
from datetime import date, timedelta

from PIL import Image, ImageDraw

COLUMNS = (
    "provider_no fse_no fse_date sent_on nir birth_rank last_name first_name birth_date act_date key_letter "
    "coefficient "
    "act_amount amo_org amo_rate amo_amount amc_amount patient_amount"
).split()
FUND = "017510001"
FIRST_NO = 860000101


def euros(cents):
    return f"{cents // 100}.{cents % 100:02d}"


class Debts:
    """Patients of one practitioner who owe, each in a situation of their own."""

    def __init__(self, env, path, progress):
        self.data = json.loads(path.read_text())
        self.progress = progress
        self.env = env
        self.company = None
        self.people = {}

    def use(self, env, company):
        """:param company: the practitioner, once set up."""
        self.env, self.company = env, company
        return self

    # -- before the night ---------------------------------------------------------------------------

    def load(self):
        """The journal, who settles for whom, and the reminders of the months before."""
        start = time.monotonic()
        name = f"{self.company.health_provider_no}-anciens.csv"
        inbox = self.env["health.inbox"].ingest(name, self.journal())
        if inbox.state != "done":
            raise SystemExit(f"{name} : {inbox.message}")
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
        for night in self.data["nights"]:
            self.company._health_run_reminders(date.fromisoformat(night))
            self.bring_out(night)
        self.progress(f"anciens impayés : {time.monotonic() - start:.0f} s")

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
        """What the patients did since: from their page, by cheque, in cash."""
        for row in self.data["people"]:
            if "does" in row:
                getattr(self, f"_{row['does']}")(self.people[row["key"]], day)

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

    def _cheque(self, patient, day):
        self.receive(patient, day, "cheque", reference="0004521", bank="Banque de la Combe")

    def _cash(self, patient, day):
        self.receive(patient, day, "cash")

    def receive(self, patient, day, mode, **values):
        shares = self.shares(patient)
        amount = sum(shares.mapped("amount_residual"))
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
