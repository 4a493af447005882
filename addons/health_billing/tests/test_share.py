from odoo.fields import Command
from odoo.tests import tagged

from .common import HealthCommon


@tagged("post_install", "-at_install")
class TestShare(HealthCommon):
    def pay(self, share, amount=None):
        """A payment registered on the invoice of a share, as an accountant would."""
        wizard = (
            self.env["account.payment.register"]
            .with_company(share.company_id)
            .with_context(active_model="account.move", active_ids=share.move_id.ids)
            .create({"amount": amount or share.amount_residual})
        )
        return wizard._create_payments()

    def test_state_derives_from_facts(self):
        fse = self.make_fse(self.nurse, "1", amo=600, amc=300, patient=100, sent_on=False)
        amo, amc, patient = (
            fse.share_ids.filtered(lambda s, k=k: s.debtor_kind == k)
            for k in ("amo", "amc", "patient")
        )
        self.assertEqual(
            (amo.state, amc.state, patient.state, fse.state),
            ("to_send", "to_send", "due", "to_send"),
        )
        fse.sent_on = "2026-10-06"
        self.assertEqual((amo.state, fse.state), ("sent", "sent"))
        amo.announced_amount = 6
        self.assertEqual(amo.state, "announced")
        amc.is_rejected = True
        self.assertEqual((amc.state, fse.state), ("rejected", "rejected"))
        amc.is_rejected = False
        self.pay(amo, 2)
        self.assertEqual((amo.state, amo.amount_residual, fse.state), ("partial", 4, "partial"))
        self.pay(amo)
        self.pay(amc)
        self.pay(patient)
        self.assertEqual((amo.state, fse.state, fse.amount_residual), ("paid", "settled", 0))

    def test_undone_payment_reopens(self):
        fse = self.make_fse(self.nurse, "1", amo=600)
        self.pay(fse.share_ids)
        self.assertEqual(fse.state, "settled")
        fse.share_ids.move_id.line_ids.remove_move_reconcile()
        self.assertEqual((fse.share_ids.state, fse.state), ("sent", "sent"))

    def test_posting_again_changes_nothing(self):
        fse = self.make_fse(self.nurse, "1", amo=600, patient=400)
        moves = fse.share_ids.move_id
        self.assertFalse(fse.share_ids._post_invoices())
        self.assertEqual(fse.share_ids.move_id, moves)
        self.assertEqual(sorted(moves.mapped("name")), ["AMO/1", "PAT/1"])

    def test_invoices_are_those_that_odoo_makes_by_itself(self):
        """What posting in batches spares changes no field of an invoice."""
        self.maxDiff = None
        company, country = self.nurse, self.env.ref("base.fr")
        self.env["account.fiscal.position"].create(
            {
                "name": "Métropole",
                "company_id": company.id,
                "auto_apply": True,
                "country_id": country.id,
                "sequence": 0,
            }
        )
        fse = self.make_fse(company, "1", amo=600, amc=300, patient=100, sent_on=False)
        payer = fse.share_ids[0].partner_id
        payer.country_id = country
        payer.child_ids = [
            Command.create({"type": "delivery", "name": "Guichet", "country_id": country.id})
        ]
        fse = self.make_fse(company, "7", amo=600, amc=300, patient=100, sent_on=False)
        ours = fse.share_ids.move_id
        journals = {kind: company._health_journal(kind) for kind in ("amo", "amc", "patient")}
        accounts = {
            kind: company._health_account(kind).id for kind in ("amo", "amc", "patient", "income")
        }
        plain = self.env["account.move"].sudo().with_company(company)
        for share in fse.share_ids:
            values = share._prepare_invoice(journals, accounts)
            values["name"] = values["name"].replace("7", "8")
            one = plain.create(values)
            one.action_post()
            plain += one
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertTrue(ours.filtered("fiscal_position_id"))
        self.assertEqual(set(ours.mapped("payment_state")), {"not_paid"})
        self.assertEqual(self.told(ours), self.told(plain))
        self.assertEqual(self.told(ours.line_ids), self.told(plain.line_ids))

    def told(self, records):
        """Everything stored of these records, but what tells one from another."""
        own = {"id", "name", "move_id", "move_name", "sequence_number", "access_token"}
        # and Odoo's own completion of a draft, which it takes for a change by hand
        own |= {"create_date", "write_date", "is_manually_modified"}
        if records._name == "account.move.line":
            own -= {"name"}
        names = [
            name
            for name, field in records._fields.items()
            if field.store and field.type not in ("one2many", "many2many") and name not in own
        ]
        rows = records.read(names, load=None)
        for row in rows:
            del row["id"]
        return sorted(rows, key=lambda row: (row["journal_id"], row.get("balance", 0)))

    def test_missing_fse_numbers_are_no_irregularity(self):
        shares = self.make_fse(self.nurse, "10", amo=600).share_ids
        shares |= self.make_fse(self.nurse, "15", amo=600).share_ids
        self.env.flush_all()
        self.assertEqual(shares.mapped("move_id.made_sequence_gap"), [False, False])
        self.assertFalse(shares.move_id.journal_id.has_sequence_holes)

    def test_number_without_digit_is_posted_too(self):
        fse = self.make_fse(self.nurse, "ABC", amo=600)
        self.assertEqual(fse.share_ids.move_id.state, "posted")
        self.assertTrue(fse.share_ids.move_id.name)

    def test_forclusion_counts_from_the_quarter_after_the_care(self):
        fse = self.make_fse(self.nurse, "1", amo=600)
        self.assertEqual(str(fse.forclusion_date), "2029-01-01")
        self.env["health.parameter"].search([("code", "=", "forclusion_months")]).value = 12
        other = self.make_fse(self.nurse, "2", amo=600)
        self.assertEqual(str(other.forclusion_date), "2028-01-01")
