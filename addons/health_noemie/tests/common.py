"""NOEMIE files written by the codec, CAMT.053 statements written here: what a biller drops."""

from datetime import date, timedelta

from odoo.addons.health_billing.tests.common import IBANS, HealthCommon
from odoo.addons.health_billing.tools import cents, euros
from odoo.addons.health_sesam.norms import noemie

DAY = date(2026, 10, 12)
REFERENCE = "262850012345"


class NoemieCommon(HealthCommon):
    """Helpers; amounts are in cents."""

    inbox_number = 0

    def drop(self, content, filename="file", env=None):
        return (env or self.env)["health.inbox"].ingest(filename, content)

    # -- NOEMIE --------------------------------------------------------------------------------------

    @classmethod
    def paid(cls, number, amo=None, amc=None, asked=None, processing=""):
        """An invoice paid as given."""
        parts = []
        if amo is not None:
            parts.append(noemie.Part("amo", asked or abs(amo), "P", amo))
        if amc is not None:
            parts.append(noemie.Part("amc", asked or abs(amc), "P", amc, amc_no="0099999999"))
        return cls.invoice(number, parts, amc_processing=processing)

    @classmethod
    def rejected(cls, number, amount, code="0450", label="ETM non connue", part="amo", state="R"):
        """An invoice of which one part is refused (or deferred)."""
        reasons = [noemie.Reason(code=code, label=label, level="F", part=part)] if code else []
        return cls.invoice(
            number, [noemie.Part(part, amount, state, 0, amc_no="0099999999")], reasons=reasons
        )

    @classmethod
    def invoice(cls, number, parts, **values):
        return noemie.InvoiceReturn(
            invoice_no=number,
            lot_no="001",
            lot_date=DAY - timedelta(days=7),
            invoice_date=DAY - timedelta(days=7),
            nir="2990199999001",
            last_name="DURAND",
            first_name="ANNE",
            birth_date=date(1999, 1, 1),
            parts=parts,
            **values,
        )

    @classmethod
    def settlement(cls, *invoices, company=None, day=DAY, ref=REFERENCE, **values):
        number = (company or cls.nurse).health_provider_no
        return noemie.Settlement(
            payee_no=number.zfill(15),
            transfer_date=day,
            label1="CPAM TEST",
            label2=f"VIR {ref}" if ref else "REMBOURSEMENTS",
            payer="CPAM TEST",
            invoices=list(invoices),
            **values,
        )

    @classmethod
    def noemie(
        cls,
        *settlements,
        framing="flat",
        sender_type="CP",
        sender_no="00000001000999",
        file_id="F00001",
    ):
        return noemie.write(
            noemie.NoemieFile(
                framing=framing,
                sender_type=sender_type,
                sender_no=sender_no,
                dest_no=cls.nurse.health_provider_no,
                file_id=file_id,
                created_on=DAY,
                settlements=list(settlements),
            )
        )

    # -- CAMT.053 ------------------------------------------------------------------------------------

    @classmethod
    def entry(cls, amount, label, day=DAY + timedelta(days=1), ref="", who=""):
        """One movement; negative amounts are debits. `ref`: number given by the bank, if it gives one."""
        side, party = ("CRDT", "Dbtr") if amount >= 0 else ("DBIT", "Cdtr")
        number = f"<AcctSvcrRef>{ref}</AcctSvcrRef>" if ref else ""
        parties = f"<RltdPties><{party}><Nm>{who}</Nm></{party}></RltdPties>" if who else ""
        return (
            amount,
            f"""<Ntry><Amt Ccy="EUR">{euros(abs(amount)):.2f}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>BOOK</Sts>
            <BookgDt><Dt>{day}</Dt></BookgDt>{number}
            <NtryDtls><TxDtls>{parties}<RmtInf><Ustrd>{label}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>""",
        )

    @classmethod
    def camt(cls, *entries, iban=IBANS[0], start=100000, number="ST1", wrong=0):
        """A statement of one account that adds up (unless `wrong`)."""
        return cls.camt_file(
            cls.statement(*entries, iban=iban, start=start, number=number, wrong=wrong)
        )

    @classmethod
    def camt_file(cls, *statements):
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>'
            "<GrpHdr><MsgId>M</MsgId><CreDtTm>2026-10-31T08:00:00</CreDtTm></GrpHdr>"
            f"{''.join(statements)}</BkToCstmrStmt></Document>"
        ).encode()

    @classmethod
    def statement(cls, *entries, iban=IBANS[0], start=100000, number="ST1", wrong=0):
        end = start + sum(amount for amount, _xml in entries) + wrong
        balances = "".join(
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
            f'<Amt Ccy="EUR">{euros(amount):.2f}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>'
            for code, amount, day in (("OPBD", start, DAY), ("CLBD", end, DAY + timedelta(days=9)))
        )
        return (
            f"<Stmt><Id>{number}</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>2026-10-31T08:00:00</CreDtTm>"
            f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>{balances}"
            f"{''.join(xml for _amount, xml in entries)}</Stmt>"
        )

    # -- what came of it -----------------------------------------------------------------------------

    def share(self, fse, kind="amo"):
        return fse.share_ids.filtered(lambda share: share.debtor_kind == kind)

    def credits(self, company=None):
        return self.env["account.bank.statement.line"].search(
            [("company_id", "=", (company or self.nurse).id), ("amount", ">", 0)], order="id"
        )

    def settlements(self):
        return self.env["health.settlement"].search(
            [("company_id", "in", self.companies.ids)], order="id"
        )

    def assertBooked(self, credit, rule):
        self.assertEqual(credit.health_match_state, "matched", credit.health_queue_reason)
        self.assertEqual(credit.health_match_rule, rule)
        self.assertTrue(credit.health_match_evidence)
        self.assertFalse(credit.health_queue_reason)
        items = credit.move_id.line_ids
        self.assertEqual(sum(cents(item.balance) for item in items), 0)
        self.assertNotIn(credit.journal_id.suspense_account_id, items.account_id)

    def snapshot(self):
        """Everything that a second run must leave as it is."""
        self.env.flush_all()
        tables = {
            "health.settlement": ["key", "state", "amount_expected"],
            "health.settlement.line": ["share_id", "state", "paid", "problem", "move_line_id"],
            "health.settlement.movement": ["amount", "move_line_id"],
            "health.rejection": ["code", "state", "family_id"],
            "health.share": ["state", "announced_amount", "amount_residual", "is_rejected"],
            "account.move.line": ["account_id", "balance", "amount_residual", "matching_number"],
            "account.bank.statement.line": [
                "health_match_state",
                "health_match_rule",
                "health_queue_reason",
            ],
        }
        return {
            model: self.env[model]
            .search([("company_id", "in", self.companies.ids)], order="id")
            .read(names)
            for model, names in tables.items()
        }
