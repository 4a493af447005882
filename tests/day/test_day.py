"""The demo agency's day against the truth its generator wrote: every cent, every case, and nothing twice."""

import json
import os
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from odoo.tests import TransactionCase, tagged

from odoo.addons.health_billing.tools import cents

DEMO = Path(os.environ["FACTURIERE_ROOT"]) / "data" / "demo"
TRUTH = json.loads((DEMO / "expected.json").read_text())
AGENCY = json.loads((DEMO / "agency.json").read_text())
DEBTS = json.loads((DEMO / "debts.json").read_text())
BUSINESS = (
    "account.move",
    "account.move.line",
    "account.partial.reconcile",
    "account.bank.statement.line",
    "health.fse",
    "health.share",
    "health.lot",
    "health.arl",
    "health.settlement",
    "health.settlement.line",
    "health.rejection",
    "credit.control.line",
    "mail.mail",
    "res.partner",
)


@tagged("post_install", "-at_install")
class TestDay(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.companies = cls.env["res.company"].search([("health_provider_no", "!=", False)])
        cls.env = cls.env(
            context={
                **cls.env.context,
                "allowed_company_ids": [cls.env.company.id, *cls.companies.ids],
                "lang": "fr_FR",
            }
        )
        cls.day = date.fromisoformat(AGENCY["demo_date"])
        # the practitioner whose patients owe directly has a story of its own: see the end of this file
        cls.owed = cls.companies.filtered(
            lambda company: company.health_provider_no == DEBTS["practitioner"]["provider_no"]
        )
        cls.credits = cls.env["account.bank.statement.line"].search(
            [("amount", ">", 0), ("company_id", "in", (cls.companies - cls.owed).ids)]
        )

    def practitioners(self):
        for truth in TRUTH["practitioners"]:
            company = self.companies.filtered(
                lambda c, t=truth: c.health_provider_no == t["provider_no"]
            )
            yield truth, company

    def test_states_of_all_shares(self):
        for truth, company in self.practitioners():
            shares = self.env["health.share"].search([("company_id", "=", company.id)])
            for kind, states in truth["states"].items():
                found = {
                    state: {"count": len(group), "cents": sum(map(cents, group.mapped("amount")))}
                    for state, group in shares.filtered(lambda s, k=kind: s.debtor_kind == k)
                    .grouped("state")
                    .items()
                }
                self.assertEqual(found, states, f"{company.name}, {kind}")

    def test_every_cent_of_every_credit_is_explained_or_queued(self):
        self.assertEqual(len(self.credits), TRUTH["totals"]["credits"]["count"])
        for line in self.credits:
            _liquidity, suspense, other = line._seek_for_lines()
            if line.health_match_state == "matched":
                self.assertFalse(suspense, line.payment_ref)
                self.assertTrue(line.is_reconciled, line.payment_ref)
                self.assertEqual(sum(map(cents, other.mapped("balance"))), -cents(line.amount))
                self.assertTrue(line.health_match_evidence, line.payment_ref)
                receivable = other.filtered(lambda item: item.account_type == "asset_receivable")
                shares = receivable.matched_debit_ids.debit_move_id.move_id.health_share_id
                # a fund also pays lump sums, which no share explains
                lump_sum = line.company_id._health_account("lump_sum")
                if set(other.account_id) != {lump_sum}:
                    self.assertTrue(shares, f"{line.payment_ref} names the shares it pays")
            else:
                self.assertEqual(sum(map(cents, suspense.mapped("balance"))), -cents(line.amount))
                self.assertTrue(line.health_queue_reason, line.payment_ref)

    def test_each_share_received_what_the_truth_says(self):
        for truth, company in self.practitioners():
            for kind, amount in truth["received"].items():
                shares = self.env["health.share"].search(
                    [("company_id", "=", company.id), ("debtor_kind", "=", kind)]
                )
                found = sum(cents(s.amount) - cents(s.amount_residual) for s in shares)
                self.assertEqual(found, amount, f"{company.name}, {kind}")

    def test_rejections(self):
        for truth, company in self.practitioners():
            rejections = self.env["health.rejection"].search([("company_id", "=", company.id)])
            found = Counter(rejections.mapped("code"))
            self.assertEqual(
                found, {code: data["count"] for code, data in truth["rejections"].items()}
            )
            for rejection in rejections:
                self.assertTrue(rejection.family_id, f"{rejection.code} has a cause")

    def test_ledgers_balance_and_name_no_care(self):
        letters = set(self.env["health.fse.act"].search([]).mapped("key_letter")) - {"AMO", "AMC"}
        for company in self.companies:
            items = self.env["account.move.line"].search(
                [("company_id", "=", company.id), ("parent_state", "=", "posted")]
            )
            self.assertEqual(sum(map(cents, items.mapped("balance"))), 0, company.name)
            for move in items.move_id:
                self.assertEqual(sum(map(cents, move.line_ids.mapped("balance"))), 0, move.name)
            words = {word for name in items.mapped("name") for word in (name or "").split()}
            self.assertFalse(words & letters, company.name)

    def snapshot(self):
        self.env.flush_all()
        counts = {
            model: self.env[model].sudo().search_count([])
            for model in BUSINESS
            if model in self.env
        }
        self.env.cr.execute(
            "SELECT md5(string_agg(id || ':' || coalesce(amount_residual, 0), ',' ORDER BY id)) FROM account_move_line"
        )
        return counts, self.env.cr.fetchone()

    def test_nothing_happens_twice(self):
        before = self.snapshot()
        for kind in ("fse", "arl", "noemie", "bank"):
            for name in AGENCY["files"][kind]:
                path = DEMO / name
                inbox = self.env["health.inbox"].ingest(f"encore-{path.name}", path.read_bytes())
                self.assertEqual(inbox.state, "duplicate", f"{name} : {inbox.message}")
        self.assertTrue(self.env["health.cycle"].run(AGENCY["demo_date"]).is_ok)
        self.assertEqual(self.snapshot(), before)

    def test_bad_files_leave_no_trace(self):
        before = self.snapshot()
        noemie = next(
            path
            for path in sorted((DEMO / "noemie").glob("*.noe"))
            if path.read_bytes()[:2] != b"\x1f\x8b"
        ).read_bytes()
        camt = (DEMO / AGENCY["files"]["bank"][0]).read_bytes()
        unknown = camt.replace(
            AGENCY["practitioners"][3]["iban"].encode(), b"FR7630006000011234567890189"
        )
        self.assertNotEqual(unknown, camt)
        for name, content, states, words in (
            ("vide.noe", b"", {"refused"}, "vide"),
            ("coupe.noe", noemie[: len(noemie) // 2], {"review", "refused"}, ""),
            ("photo.png", b"\x89PNG\r\n\x1a\n" + bytes(200), {"refused"}, "vérifiez"),
            ("autre.xml", unknown, {"review"}, "FR76"),
            ("coupe.xml", camt[: len(camt) // 2], {"review", "refused"}, ""),
        ):
            with self.subTest(name):
                inbox = self.env["health.inbox"].ingest(name, content)
                self.assertIn(inbox.state, states, inbox.message)
                self.assertIn(words, inbox.message)
                self.assertTrue(len(inbox.message) > 20)
        self.assertEqual(self.snapshot(), before)

    # -- recovery: each patient of `debts.json` stands where the story says ---------------------------

    def debtor(self, key):
        """Patient of that key, their shares and what was exchanged with them, the oldest first."""
        [row] = [row for row in DEBTS["people"] if row["key"] == key]
        patient = self.env["res.partner"].search(
            [
                ("company_id", "=", self.owed.id),
                ("health_nir", "=", row["nir"]),
                ("health_birth_date", "=", row["birth_date"]),
            ]
        )
        shares = self.env["health.share"].search([("partner_id", "=", patient.id)])
        self.assertEqual(len(shares), len(row["care"]), key)
        contacts = self.env["health.contact"].search(
            [("partner_id", "=", patient.id)], order="day, id"
        )
        return patient, shares, contacts

    def file_of(self, key):
        patient, shares, contacts = self.debtor(key)
        file = self.env["health.handover"].search([("partner_id", "=", patient.id)])
        self.assertEqual(len(file), 1, key)
        self.assertEqual(file.line_ids.share_id, shares.sorted(lambda s: (s.due_date, s.id)))
        self.assertEqual(cents(file.amount), len(shares) * DEBTS["act"]["cents"])
        # every step of the scale once, in its order, before anybody else is asked
        walked = contacts.filtered(lambda one: one.kind in ("reminder", "notice"))
        self.assertEqual(
            walked.mapped("channel"), ["email", "email", "phone", "letter", "registered"], key
        )
        self.assertEqual(file.notice_on, walked[-1].day)
        return file, shares

    def test_files_of_the_scale_at_its_end(self):
        proposed, shares = self.file_of("handover")
        self.assertEqual(proposed.state, "proposed")
        self.assertFalse(proposed.objection)
        self.assertEqual(proposed.recipient_id.health_recovery_kind, "collector")
        approved, shares = self.file_of("approved")
        self.assertEqual(approved.state, "approved")
        self.assertEqual(approved.question_id.state, "open")
        self.assertEqual(set(shares.mapped("dunning_hold")), {"handed_over"})
        handed, shares = self.file_of("handed")
        self.assertTrue(handed.consent_proof_ids)
        self.assertEqual(handed.state, "handed")
        self.assertIn("creances.csv", handed.pack_id.content)
        self.assertEqual(set(shares.mapped("dunning_hold")), {"handed_over"})

    def test_calls_and_registered_letters(self):
        _patient, shares, contacts = self.debtor("promise")
        self.assertEqual(contacts[-1].promise_on, self.day + timedelta(days=7))
        self.assertEqual(set(shares.mapped("dunning_hold")), {"promise"})
        _patient, _shares, contacts = self.debtor("call")
        self.assertEqual((contacts[-1].channel, contacts[-1].state), ("phone", "planned"))
        _patient, _shares, contacts = self.debtor("posted")
        self.assertEqual((contacts[-1].channel, contacts[-1].state), ("registered", "sent"))
        self.assertTrue(contacts[-1].tracking_no and contacts[-1].proof_ids)
        _patient, _shares, contacts = self.debtor("to_post")
        self.assertEqual((contacts[-1].channel, contacts[-1].state), ("registered", "planned"))

    def test_money_and_agreements_of_patients(self):
        _patient, shares, contacts = self.debtor("credit")
        self.assertEqual(set(shares.mapped("dunning_hold")), {"bank_credit"})
        self.assertLess(max(contacts.mapped("day")), self.day)
        patient, shares, _contacts = self.debtor("over")
        self.assertEqual(set(shares.mapped("state")), {"paid"})
        receipt = self.env["health.receipt"].search([("partner_id", "=", patient.id)])
        self.assertEqual(cents(receipt.excess), 500)
        patient, shares, contacts = self.debtor("agreement")
        agreement = self.env["health.agreement"].search([("partner_id", "=", patient.id)])
        self.assertEqual(agreement.state, "asked")
        self.assertEqual(cents(agreement.to_pay), cents(agreement.owed) - 6000)
        self.assertEqual(set(shares.mapped("dunning_hold")), {"agreement"})
        self.assertEqual(contacts[-1].state, "cancelled")

    def test_one_person_at_two_practitioners(self):
        patient, _shares, _contacts = self.debtor("two")
        other = patient._health_same_person()
        self.assertEqual(len(other), 1)
        self.assertNotEqual(other.company_id, patient.company_id)

    def test_payers_can_be_called_and_written_to(self):
        payers = self.env["health.chase"].search([]).payer_id
        self.assertTrue(payers)
        self.assertFalse(payers.filtered(lambda payer: not (payer.phone and payer.zip)))
