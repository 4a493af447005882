import re
from dataclasses import replace
from datetime import date

from lxml import etree

from odoo import api, fields, models

from odoo.addons.base.models.res_bank import sanitize_account_number
from odoo.addons.health_billing.models.health_inbox import InboxRefusal, InboxReview
from odoo.addons.health_billing.tools import cents, format_cents
from odoo.addons.health_sesam.norms import NormError, envelope, noemie

_CAMT = re.compile(rb"urn:iso:std:iso:20022:tech:xsd:camt\.(05\d)\.")


class HealthInbox(models.Model):
    _inherit = "health.inbox"

    kind = fields.Selection(
        selection_add=[("noemie", "NOEMIE return"), ("camt", "Bank statement (CAMT.053)")],
        ondelete={"noemie": "set null", "camt": "set null"},
    )

    @api.model
    def _recognise(self, filename, content):
        """Override of `health_billing`: NOEMIE by its header (however wrapped), CAMT by its name space."""
        kind = super()._recognise(filename, content)
        if kind:
            return kind
        if _CAMT.search(content[:4096]):
            return "camt"
        return "noemie" if envelope.recognise(content) == "noemie" else None

    # -- NOEMIE --------------------------------------------------------------------------------------

    def _read_noemie(self, content):
        try:
            return noemie.read(content, self._format_layouts())
        except NormError as error:
            raise InboxReview(str(error)) from error

    def _split_noemie(self, content):
        """The payees, once the whole file is read and its totals agree."""
        payees = self.env["health.settlement"]._payees(self._read_noemie(content))
        return self.env["res.company"].union(*payees.values())

    def _ingest_noemie(self, content):
        files = self._parsed(content, self._read_noemie)
        part = self._part_company()
        if part:
            files = [
                replace(
                    file,
                    settlements=[
                        settlement
                        for settlement in file.settlements
                        if settlement.provider_no == part.health_provider_no
                    ],
                )
                for file in files
            ]
        if not any(file.settlements for file in files):
            raise InboxReview(
                self.env._(
                    "The return is sound but announces no transfer: nothing to record, keep it as proof."
                )
            )
        settlements, counts = self.env["health.settlement"]._import_noemie(files, self)
        companies = settlements.company_id
        sentences = settlements._import_message(counts)
        sentences += self.env["account.bank.statement.line"]._health_match(companies)
        return {
            "message": "\n".join(sentences),
            "counts": counts,
            "company": companies if len(companies) == 1 else None,
        }

    # -- CAMT.053 ------------------------------------------------------------------------------------

    def _read_camt(self, content):
        """Accounts of a statement (currency, number, statements), all of it checked."""
        self._check_camt(content)
        parsed = self.env["account.statement.import.camt.parser"].parse(content)
        accounts = parsed if isinstance(parsed, list) else [parsed]
        if not any(statements for _currency, _account, statements in accounts):
            raise InboxReview(
                self.env._(
                    "The statement holds no movement: nothing to record for the period it covers."
                )
            )
        for _currency, account, statements in accounts:
            for statement in statements:
                self._check_balance(account, statement)
        return accounts

    def _split_camt(self, content):
        """The holders of the accounts, once every balance of the statement is checked."""
        journals = [self._camt_journal(account) for _c, account, _s in self._read_camt(content)]
        return self.env["account.journal"].union(*journals).company_id

    def _ingest_camt(self, content):
        # read anew by each job: the importer changes what it is given
        accounts = self._read_camt(content)
        journals = [self._camt_journal(account) for _currency, account, _statements in accounts]
        part = self._part_company()
        if part:
            mine = [
                (triplet, journal)
                for triplet, journal in zip(accounts, journals, strict=True)
                if journal.company_id == part
            ]
            accounts, journals = [list(column) for column in zip(*mine, strict=True)]
        lines, known = self.env["account.bank.statement.line"], 0
        for triplet, journal in zip(accounts, journals, strict=True):
            wanted = sum(len(statement["transactions"]) for statement in triplet[2])
            result = {"statement_ids": [], "notifications": []}
            # the biller is allowed to bring statements in; OCA asks for journal rights on the way
            importer = self.env["account.statement.import"].sudo().with_company(journal.company_id)
            importer.import_single_statement(triplet, result)
            made = self.env["account.bank.statement"].browse(result["statement_ids"]).line_ids
            lines |= made
            known += wanted - len(made)
        companies = self.env["account.journal"].union(*journals).company_id
        credits = lines.filtered(lambda line: line.amount > 0)
        counts = {
            "lines": len(lines),
            "known": known,
            "credits": len(credits),
            "amount": sum(cents(line.amount) for line in credits),
        }
        sentences = [
            self.env._(
                "%(lines)s bank movement(s) recorded, %(credits)s credit(s) (%(amount)s); %(known)s known already.",
                lines=counts["lines"],
                credits=counts["credits"],
                amount=format_cents(counts["amount"]),
                known=known,
            )
        ]
        sentences += self.env["account.bank.statement.line"]._health_match(companies)
        return {
            "message": "\n".join(sentences),
            "counts": counts,
            "company": companies if len(companies) == 1 else None,
        }

    @api.model
    def _check_camt(self, content):
        """Refuse what is no whole CAMT.053: the importer would read a torn file as far as it goes."""
        version = _CAMT.search(content[:4096]).group(1)
        if version != b"053":
            raise InboxRefusal(
                self.env._(
                    "This is a camt.%s (notice of the day), not an account statement: ask the bank for the CAMT.053.",
                    version.decode(),
                )
            )
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            tree = etree.fromstring(content, parser=parser).getroottree()
        except etree.XMLSyntaxError as error:
            raise InboxReview(
                self.env._(
                    "The bank statement is torn or damaged (line %s): fetch it again from the bank. Nothing of it was "
                    "recorded.",
                    error.lineno or 1,
                )
            ) from error
        if tree.docinfo.internalDTD is not None:
            raise InboxRefusal(
                self.env._(
                    "The bank statement declares entities, which no bank does: it is not read."
                )
            )

    def _camt_journal(self, account_number):
        """The practitioner's bank journal of an account number.

        :raises InboxReview: no practitioner of the user has that account
        """
        number = sanitize_account_number(account_number or "") or ""
        journals = self.env["account.journal"].search(
            [
                ("type", "=", "bank"),
                ("bank_account_id.sanitized_acc_number", "=", number),
                ("company_id.health_provider_no", "!=", False),
            ]
        )
        if len(journals) == 1:
            return journals
        shown = " ".join(number[start : start + 4] for start in range(0, len(number), 4)) or "?"
        raise InboxReview(
            self.env._(
                "The account %s is not the bank account of one practitioner of the agency: enter this IBAN on the "
                "practitioner's bank journal, then try again. Nothing of the file was recorded.",
                shown,
            )
        )

    def _check_balance(self, account, statement):
        """Opening balance plus movements must be the closing balance, where the bank gives both."""
        start, end = statement.get("balance_start"), statement.get("balance_end_real")
        moved = sum(cents(line["amount"]) for line in statement["transactions"])
        if (start or end) and cents(start) + moved != cents(end):
            raise InboxReview(
                self.env._(
                    "The statement %(name)s of the account %(account)s does not add up: %(start)s plus movements of "
                    "%(moved)s is not %(end)s. Nothing of the file was recorded.",
                    name=statement.get("name") or "",
                    account=account,
                    start=format_cents(cents(start)),
                    moved=format_cents(moved),
                    end=format_cents(cents(end)),
                )
            )
        if any(not line.get("date") for line in statement["transactions"]):
            raise InboxReview(
                self.env._(
                    "A movement of the statement %s has no date.", statement.get("name") or ""
                )
            )
        for line in statement["transactions"]:
            date.fromisoformat(str(line["date"])[:10])
