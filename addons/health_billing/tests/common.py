"""An agency with a nurse, a physiotherapist, a fund and a complementary insurer, for the tests of every addon."""

from datetime import date

from stdnum import luhn

from odoo.tests import TransactionCase

from ..identifiers import nir_key
from ..tools import euros

JOURNAL_COLUMNS = (
    "provider_no;fse_no;lot_no;kind;fse_date;sent_on;nir;birth_rank;last_name;first_name;birth_date;"
    "insurance_nature;exemption;act_date;key_letter;coefficient;quantity;act_amount;amo_org;amo_rate;amo_amount;"
    "amc_org;amc_member;amc_amount;patient_amount"
)
IBANS = ("FR7630006000011234567890189", "FR7610107001011234567890129")


def with_key(body):
    """A number followed by its Luhn key."""
    return body + luhn.calc_check_digit(body)


class HealthCommon(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "tracking_disable": True, "lang": "en_US"})
        cls.agency = cls.env.company
        cls.nurse = cls.make_practitioner("Nurse Test", "infirmier", "75690001", IBANS[0])
        cls.physio = cls.make_practitioner("Physio Test", "kinesitherapeute", "75790002", IBANS[1])
        cls.companies = cls.agency + cls.nurse + cls.physio
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.companies.ids})
        payers = cls.env["res.partner"]
        cls.cpam = payers._health_payers("amo", ["01999"])["01999"]
        cls.mutuelle = payers._health_payers("amc", ["0099999999"])["0099999999"]
        (cls.cpam + cls.mutuelle).write({"health_to_complete": False})
        cls.cpam.write({"name": "CPAM Test", "health_bank_names": "CPAM TEST"})
        cls.mutuelle.write({"name": "Mutuelle Test", "health_bank_names": "MUTUELLE TEST"})
        cls.patient = cls.make_patient(cls.nurse, "DURAND Anne", "2990199999001")

    @classmethod
    def make_practitioner(cls, name, profession, number, iban):
        """A practitioner company made ready to bill by the wizard."""
        wizard = cls.env["health.practitioner.setup"].create(
            {
                "name": name,
                "profession": profession,
                "provider_no": with_key(number),
                "iban": iban,
                "email": "practice@example.org",
            }
        )
        wizard.action_setup()
        return wizard.company_id

    @classmethod
    def make_patient(cls, company, name, nir, birth_date=date(1999, 1, 1), **values):
        return cls.env["res.partner"].create(
            {
                "name": name,
                "health_kind": "patient",
                "company_id": company.id,
                "health_nir": nir,
                "health_birth_date": birth_date,
                "ref": f"T{nir[-6:]}",
                **values,
            }
        )

    @classmethod
    def make_coverage(cls, patient, day=date(2026, 10, 5), proof_on=None, **values):
        """Rights of the common scheme from the start of that year, checked on ``proof_on`` (``None``: never)."""
        coverage = cls.env["health.coverage"].create(
            {
                "patient_id": patient.id,
                "date_from": day.replace(month=1, day=1),
                "case_id": cls.env.ref("health_billing.coverage_case_common").id,
                "amo_partner_id": cls.cpam.id,
                "amc_partner_id": cls.mutuelle.id,
                **values,
            }
        )
        if proof_on:
            cls.make_proof(coverage, date=proof_on)
        return coverage

    @classmethod
    def make_proof(cls, coverages, **values):
        """A check of rights, open by default."""
        return cls.env["health.rights.proof"].create(
            [{"coverage_id": coverage.id, "method": "adri", **values} for coverage in coverages]
        )

    @classmethod
    def _check_rights(cls, patient, day):
        """Rights on that day with a check of that day, unless a test made some already."""
        coverage = cls.env["health.coverage"]._on({(patient.id, day)})[patient.id, day]
        if not coverage:
            if patient.health_coverage_ids:
                return
            coverage = cls.make_coverage(patient, day)
        elif coverage.case_id.code != "common" or coverage.proof_result not in (False, "open"):
            return
        if not coverage.proof_date or coverage.proof_date < day:
            cls.make_proof(coverage, date=day)

    @classmethod
    def make_fse(cls, company, number, amo=0, amc=0, patient=0, **values):
        """A posted FSE of another program with the given shares in cents; keyword values go to the FSE.

        The patient's rights were checked that day, unless ``checked=False``.
        """
        day = values.pop("fse_date", date(2026, 10, 5))
        who = values.pop("patient_id", cls.patient.id)
        if values.pop("checked", True):
            cls._check_rights(cls.env["res.partner"].browse(who), day)
        fse = cls.env["health.fse"].create(
            {
                "name": number,
                "origin": "journal",
                "company_id": company.id,
                "patient_id": who,
                "fse_date": day,
                "sent_on": day,
                "lot_no": "001",
                "amo_partner_id": cls.cpam.id,
                "amo_org": "019990000",
                "amc_partner_id": cls.mutuelle.id if amc else False,
                "amc_org": cls.mutuelle.health_org_no if amc else False,
                "amount_total": euros(amo + amc + patient),
                "act_ids": [
                    (
                        0,
                        0,
                        {
                            "act_date": day,
                            "key_letter": "AMI",
                            "coefficient_hundredths": 400,
                            "amount": euros(amo + amc + patient),
                            "amo_amount": euros(amo),
                            "amc_amount": euros(amc),
                            "patient_amount": euros(patient),
                        },
                    )
                ],
                **values,
            }
        )
        debtors = {"amo": cls.cpam.id, "amc": cls.mutuelle.id, "patient": who}
        shares = cls.env["health.share"].create(
            [
                {
                    "fse_id": fse.id,
                    "debtor_kind": kind,
                    "partner_id": debtors[kind],
                    "amount": euros(amount),
                    "due_date": cls.env["health.share"]._due_date(kind, day),
                }
                for kind, amount in (("amo", amo), ("amc", amc), ("patient", patient))
                if amount
            ]
        )
        shares._post_invoices()
        return fse

    @classmethod
    def make_user(cls, login, group, companies=None):
        companies = companies or cls.companies
        return cls.env["res.users"].create(
            {
                "name": login,
                "login": login,
                "email": f"{login}@example.org",
                "company_id": companies[0].id,
                "company_ids": [(6, 0, companies.ids)],
                "group_ids": [(6, 0, [cls.env.ref(group).id])],
            }
        )

    def journal(self, *rows, columns=JOURNAL_COLUMNS):
        """Bytes of an FSE journal; each row is a dict over sensible defaults."""
        default = {
            "provider_no": self.nurse.health_provider_no,
            "fse_date": "2026-10-05",
            "sent_on": "2026-10-06",
            "lot_no": "001",
            "kind": "F",
            "nir": "2990199999001",
            "birth_rank": "1",
            "last_name": "DURAND",
            "first_name": "Anne",
            "birth_date": "1999-01-01",
            "act_date": "2026-10-05",
            "key_letter": "AMI",
            "coefficient": "4",
            "quantity": "1",
            "act_amount": "12.60",
            "amo_org": "019990000",
            "amo_rate": "60",
            "amo_amount": "7.56",
            "amc_amount": "0",
            "patient_amount": "5.04",
        }
        names = columns.split(";")
        lines = [columns] + [
            ";".join((default | row).get(name, "") for name in names) for row in rows
        ]
        return ("\n".join(lines) + "\n").encode()


__all__ = ["HealthCommon", "nir_key", "with_key"]
