import hashlib
from collections import Counter

from lxml import etree

from odoo import models


class AccountStatementImportCamtParser(models.AbstractModel):
    _inherit = "account.statement.import.camt.parser"

    def parse(self, data):
        """Override of `account_statement_import_camt`: a file of several accounts gives a list of triplets.

        The original keeps the last account number for all statements of the file.
        """
        root = etree.fromstring(
            data, parser=etree.XMLParser(resolve_entities=False, no_network=True)
        )
        ns = etree.QName(root).namespace or ""
        numbers = root.xpath(
            "/*/*/ns:Stmt/ns:Acct/ns:Id/ns:IBAN | /*/*/ns:Stmt/ns:Acct/ns:Id/ns:Othr/ns:Id",
            namespaces={"ns": ns},
        )
        if len({"".join((number.text or "").split()) for number in numbers}) < 2:
            return super().parse(data)
        self.check_version(ns, root)
        accounts = {}
        for node in root[0].iterchildren(f"{{{ns}}}Stmt"):
            statement = self.parse_statement(ns, node)
            key = (statement.pop("currency", None), statement.pop("account_number", None))
            if statement["transactions"]:
                accounts.setdefault(key, []).append(statement)
        return [
            (currency, number, statements) for (currency, number), statements in accounts.items()
        ]

    def parse_statement(self, ns, node):
        """Override: give every movement an import key, so that overlapping statements never double a line.

        The original gives none. Where the bank numbers its entries, that number is the key; otherwise what the
        entry says is, with its rank among the identical ones of the statement.
        """
        statement = super().parse_statement(ns, node)
        ranks = Counter()
        for transaction in statement["transactions"]:
            key = transaction["unique_import_id"]
            ranks[key] += 1
            if ranks[key] > 1:
                transaction["unique_import_id"] = f"{key}-{ranks[key]}"
        return statement

    def parse_entry(self, ns, node):
        """Override: add the import key, and the label of entries without details."""
        space = {"ns": ns}
        numbers = node.xpath(
            "./ns:AcctSvcrRef | ./ns:NtryDtls/ns:TxDtls/ns:Refs/ns:AcctSvcrRef", namespaces=space
        )
        number = " ".join((n.text or "").strip() for n in numbers)
        if number.upper() in ("", "NONREF", "NOTPROVIDED"):
            number = ""
        for position, transaction in enumerate(super().parse_entry(ns, node)):
            if transaction["payment_ref"] in (None, "", "/"):
                labels = node.xpath("./ns:AddtlNtryInf", namespaces=space)
                transaction["payment_ref"] = (labels[0].text if labels else "") or "/"
            transaction["date"] = (transaction.get("date") or "")[:10]
            facts = [transaction["date"], f"{transaction['amount']:.2f}", str(position)]
            facts += (
                [number]
                if number
                else [
                    transaction["payment_ref"],
                    transaction.get("ref") or "",
                    transaction.get("partner_name") or "",
                    transaction.get("account_number") or "",
                ]
            )
            transaction["unique_import_id"] = hashlib.sha256("|".join(facts).encode()).hexdigest()[
                :24
            ]
            yield transaction
