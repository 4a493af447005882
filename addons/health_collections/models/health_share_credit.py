from odoo import models
from odoo.tools import format_date

from odoo.addons.health_billing.tools import cents, format_cents

from ..dunning.credits import Credit, Owing, could_be, phrase


class HealthShare(models.Model):
    """Money that came in and that nobody has explained: as long as it may be theirs, nobody is reminded."""

    _inherit = "health.share"

    def _guard_bank_credit(self, day):
        """An unexplained bank credit bears the name of the patient or of who settles for them, quotes a number of
        theirs, or is exactly what they owe.
        """
        lines = self._dunning_unexplained(day)
        if not lines:
            return {}
        payers = self._dunning_payer_phrases()
        credits = {line.id: self._dunning_credit(line, payers) for line in lines}
        found = could_be(credits.values(), self._dunning_owing())
        signs = {
            "number": self.env._("their number"),
            "name": self.env._("their name"),
            "amount": self.env._("the same amount"),
        }
        answers = {}
        for key, (line_id, sign) in found.items():
            line = lines.browse(line_id)
            answers[key] = (
                "bank_credit",
                self.env._(
                    "Credit of %(amount)s (%(day)s) to explain: %(sign)s.",
                    amount=format_cents(cents(line.amount)),
                    day=format_date(self.env, line.date),
                    sign=signs[sign],
                ),
            )
        return {
            share: answers[share._dunning_key()]
            for share in self
            if share._dunning_key() in answers
        }

    def _dunning_unexplained(self, day):
        """Bank credits of these practitioners that nothing explains and nobody set aside."""
        Line = self.env["account.bank.statement.line"]
        domain = [
            ("company_id", "in", self.company_id.ids),
            ("amount", ">", 0),
            ("is_reconciled", "=", False),
            ("date", "<=", day),
            ("partner_id", "not any", [("health_kind", "in", ("amo", "amc"))]),
        ]
        if "health_aside" in Line._fields:
            domain.append(("health_aside", "=", False))
        return Line.search_fetch(
            domain,
            ["company_id", "date", "amount", "payment_ref", "partner_name", "ref", "partner_id"],
        )

    def _dunning_payer_phrases(self):
        """Names under which funds and insurers pay, as words between blanks."""
        payers = self.env["res.partner"].search_fetch(
            [("health_kind", "in", ("amo", "amc"))],
            ["name", "health_bank_names", "health_to_complete"],
        )
        phrases = set()
        for payer in payers:
            names = (payer.health_bank_names or "").splitlines()
            if not payer.health_to_complete:
                names.append(payer.name or "")
            phrases.update(phrase(name) for name in names)
        return {name for name in phrases if len(name) > 5}

    def _dunning_credit(self, line, payers):
        """What a credit says, the names of payers left out; the amount of a payer's transfer says nothing."""
        texts, by_payer = [], False
        for text in (line.payment_ref, line.partner_name, line.ref, line.partner_id.name):
            said = phrase(text)
            for name in payers:
                if name in said:
                    said, by_payer = said.replace(name, "  "), True
            texts.append(said)
        return Credit(
            id=line.id,
            payee=line.company_id.id,
            day=line.date,
            cents=0 if by_payer else cents(line.amount),
            text=" / ".join(texts),
        )

    def _dunning_owing(self):
        """What the debtors of these shares could have meant to pay."""
        owed = self._dunning_owed()
        every = self.union(*owed.values())
        every.partner_id.fetch(["name", "ref", "health_debtor_id"])
        every.fse_id.fetch(["name"])
        overdue = self.grouped(lambda share: share._dunning_key())
        found = []
        for key, shares in owed.items():
            people = shares.partner_id | shares.partner_id.health_debtor_id
            amounts = {cents(share.amount_residual) for share in shares}
            amounts |= {
                sum(cents(share.amount_residual) for share in group)
                for group in (
                    shares,
                    overdue.get(key, ()),
                    *shares.grouped("partner_id").values(),
                )
            }
            references = [person.ref for person in people if person.ref]
            references += shares.fse_id.mapped("name")
            found.append(
                Owing(
                    key=key,
                    payee=key[0],
                    names=tuple(person.name or "" for person in people),
                    references=tuple(references),
                    amounts=frozenset(amounts - {0}),
                    since=min(shares.mapped("fse_date")),
                )
            )
        return found
