"""Late patients of a nurse and a physiotherapist."""

from datetime import date

from odoo.addons.health_billing.tests.common import HealthCommon
from odoo.addons.health_billing.tools import cents

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
