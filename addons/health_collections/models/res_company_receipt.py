import re

from odoo import api, models

from odoo.addons.health_billing.tools import cents, format_cents

#: what says that a person, or a payer's return, may have to do with a bank credit
IN_HAND = ("health_hold", "health_aside", "health_duplicate_of_id", "health_candidate_ids")
_WORD = re.compile(r"[^0-9A-Z]+")
#: a reference shorter than that proves nothing on a bank label
LEAST = 5


class ResCompany(models.Model):
    """Payments of patients that a bank statement shows: transfers that quote their reference, deposits of cheques,
    card terminals. What is not certain is left to a person.
    """

    _inherit = "res.company"

    def _health_receipt_journal(self):
        """The journal of the receipts of this practitioner, made when there is none."""
        self.ensure_one()
        Journal = self.env["account.journal"].sudo()
        domain = [("company_id", "=", self.id), ("code", "=", "ENC"), ("type", "=", "general")]
        return Journal.search(domain, limit=1) or Journal.with_company(self).create(
            {
                "name": "Encaissements des patients",
                "code": "ENC",
                "type": "general",
                "company_id": self.id,
                # losses and corrections go on in the journal of miscellaneous entries
                "sequence": 90,
                "show_on_dashboard": False,
            }
        )

    def _health_take_receipts(self):
        """Override of `health_billing`: book what patients paid by transfer, cheque or card."""
        return [*super()._health_take_receipts(), *self._health_take_patient_money()]

    def _health_take_patient_money(self):
        """:return: sentences for the summary."""
        lines = self._health_open_credits()
        if not lines:
            return []
        quoted = self.env["health.receipt"]._take_quoted(lines)
        lines -= quoted.statement_line_id
        credited = self.env["health.receipt"]._take_on_the_way(lines)
        sentences = []
        if quoted:
            sentences.append(
                self.env._(
                    "%(count)s transfer(s) of patients booked by their reference (%(amount)s).",
                    count=len(quoted),
                    amount=format_cents(sum(cents(one.amount) for one in quoted)),
                )
            )
        if credited:
            sentences.append(
                self.env._(
                    "%(count)s payment(s) of patients found in the bank (%(amount)s).",
                    count=len(credited),
                    amount=format_cents(sum(cents(one.amount) for one in credited)),
                )
            )
        return sentences

    def _health_open_credits(self):
        """Bank credits of these practitioners that nothing explains and nobody took in hand."""
        Line = self.env["account.bank.statement.line"].sudo()
        domain = [
            ("company_id", "in", self.ids),
            ("amount", ">", 0),
            ("is_reconciled", "=", False),
            ("move_id.state", "=", "posted"),
        ]
        # fields of the matching of payers, where it is installed
        domain += [(name, "=", False) for name in IN_HAND if name in Line._fields]
        return Line.search(domain, order="date, id")

    @api.model
    def _health_words(self, text):
        return set(_WORD.split((text or "").upper()))
