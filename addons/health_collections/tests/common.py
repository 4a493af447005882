"""Late patients of a nurse and a physiotherapist."""

from datetime import date, timedelta

from odoo.addons.health_billing.tests.common import HealthCommon
from odoo.addons.health_billing.tools import cents, euros

#: FSE of 5 October 2026, patient share due on 4 November, reminder from 14 November
DAY = date(2026, 11, 14)


class CollectionsCommon(HealthCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.patient.write({"email": "anne.durand@example.org", "lang": "fr_FR"})
        cls.physio_patient = cls.make_patient(
            cls.physio, "PETIT Louis", "1600275999002", lang="fr_FR"
        )

    @classmethod
    def pay(cls, shares):
        """Settle shares as the bank would: one payment per invoice, reconciled."""
        for share in shares:
            journal = cls.env["account.journal"].search(
                [("company_id", "=", share.company_id.id), ("type", "=", "bank")], limit=1
            )
            cls.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=share.move_id.ids
            ).create({"journal_id": journal.id}).action_create_payments()

    @classmethod
    def late(cls, number, company=None, patient=1260, amo=0, amc=0, settled=True, **values):
        """The patient share of a posted FSE whose payers, unless told otherwise, have paid."""
        fse = cls.make_fse(
            company or cls.nurse, number, amo=amo, amc=amc, patient=patient, **values
        )
        if settled:
            cls.pay(fse.share_ids.filtered(lambda share: share.debtor_kind != "patient"))
        return cls.share(fse, "patient")

    @classmethod
    def make_patients(cls, ranks):
        """Patients of the nurse, one per rank, made at once."""
        return cls.env["res.partner"].create(
            [
                {
                    "name": f"NOM{rank:03d} Zoe",
                    "health_kind": "patient",
                    "company_id": cls.nurse.id,
                    "health_nir": f"2{rank:012d}",
                    "ref": f"REF{rank:05d}",
                }
                for rank in ranks
            ]
        )

    @classmethod
    def late_many(cls, patients, day=date(2026, 10, 5), amo=0):
        """One late share each, of posted FSE made at once; the fund's part, if any, is not paid."""
        fses = cls.env["health.fse"].create(
            [
                {
                    "name": f"7{patient.ref[3:]}",
                    "origin": "journal",
                    "company_id": cls.nurse.id,
                    "patient_id": patient.id,
                    "fse_date": day,
                    "sent_on": day,
                    "amo_partner_id": cls.cpam.id,
                }
                for patient in patients
            ]
        )
        shares = cls.env["health.share"].create(
            [
                {
                    "fse_id": fse.id,
                    "debtor_kind": kind,
                    "partner_id": partner.id,
                    "amount": euros(amount),
                    "due_date": day + timedelta(days=30),
                }
                for rank, fse in enumerate(fses)
                for kind, partner, amount in (
                    ("patient", fse.patient_id, 1000 + rank),
                    ("amo", cls.cpam, amo),
                )
                if amount
            ]
        )
        shares._post_invoices()
        return shares.filtered(lambda share: share.debtor_kind == "patient")

    @classmethod
    def share(cls, fse, kind):
        return fse.share_ids.filtered(lambda share: share.debtor_kind == kind)

    @classmethod
    def lines(cls, shares):
        return cls.env["credit.control.line"].search([("invoice_id", "in", shares.move_id.ids)])

    @classmethod
    def demo_provider(cls, company):
        return (
            cls.env["payment.provider"]
            .sudo()
            .search(
                [("company_id", "=", company.id), ("code", "=", "demo"), ("state", "=", "test")]
            )
        )

    def assertCents(self, amount, expected):
        self.assertEqual(cents(amount), expected)
