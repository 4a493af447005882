from collections import defaultdict
from datetime import timedelta

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.tools import cents

from .res_company_receipt import LEAST

#: contexts under which the counterpart of a bank line is replaced (see `account`, `_seek_for_lines`)
REPLACE = {
    "skip_account_move_synchronization": True,
    "skip_invoice_sync": True,
    "skip_readonly_check": True,
    "force_delete": True,
    "check_move_validity": False,
    "tracking_disable": True,
}
#: words of a bank label that tell money of that kind
WORDS = {
    "cheque": {"REM", "REMISE", "CHQ", "CHQS", "CHEQUE", "CHEQUES"},
    "card": {"CB", "CARTE", "CARTES", "TPE", "TELECOLLECTE", "REMCB", "REMISE"},
}


class HealthReceipt(models.Model):
    """Receipts and the bank: transfers booked on the statement line itself, money on the way that arrives."""

    _inherit = "health.receipt"

    # -- transfers that quote the patient's reference ------------------------------------------------

    @api.model
    def _take_quoted(self, lines):
        """Book the transfers that quote the reference of exactly one debtor, who owes at least as much.

        :return: the receipts.
        """
        words = {line: self._line_words(line) for line in lines}
        references = {word for found in words.values() for word in found if len(word) >= LEAST}
        receipts = self.sudo()
        if not references:
            return receipts
        patients = (
            self.env["res.partner"]
            .sudo()
            .search(
                [
                    ("health_kind", "=", "patient"),
                    ("company_id", "in", lines.company_id.ids),
                    ("ref", "in", list(references)),
                ]
            )
        )
        by_reference = defaultdict(set)
        for patient in patients:
            payer = patient.health_debtor_id or patient
            by_reference[patient.company_id, patient.ref].add(payer)
        numbers = self._payers_of_numbers(lines.company_id, references)
        for line in lines:
            said = words[line]
            payers = set().union(*(by_reference.get((line.company_id, word), ()) for word in said))
            for word in said:
                for payer, names in numbers.get((line.company_id, word), ()):
                    # a number may be another's by a slip of the pen: the reference or the name must agree
                    payers.add(payer if payer in payers or names & said else None)
            if len(payers) != 1 or None in payers:
                continue
            [payer] = payers
            receipt = self._take_line(line, payer, said)
            receipts |= receipt
        return receipts

    @api.model
    def _payers_of_numbers(self, companies, references):
        """Who settles the sheets of these numbers: dict of (practitioner, number) → {(payer, words of their names)}."""
        shares = (
            self.env["health.share"]
            .sudo()
            .search(
                [
                    ("debtor_kind", "=", "patient"),
                    ("company_id", "in", companies.ids),
                    ("fse_id.name", "in", list(references)),
                    ("amount_residual", ">", 0),
                ]
            )
        )
        found = defaultdict(set)
        for share in shares:
            patient = share.partner_id
            payer = patient.health_debtor_id or patient
            names = self.env["res.company"]._health_words(f"{patient.name} {payer.name}")
            known = frozenset(word for word in names if len(word) > 2)
            found[share.company_id, share.fse_id.name].add((payer, known))
        return found

    @api.model
    def _line_words(self, line):
        return self.env["res.company"]._health_words(
            " ".join(filter(None, (line.payment_ref, line.ref, line.partner_name)))
        )

    @api.model
    def _take_line(self, line, payer, words=frozenset()):
        """Book a bank credit on what that person owes, if it is no more than that."""
        amount = cents(line.amount)
        owed = self._owed(payer, line.company_id)
        owed -= owed._shares_being_paid()
        if amount > sum(cents(share.amount_residual) for share in owed):
            return self.sudo().browse()
        chosen = owed.filtered(lambda share: share.fse_id.name.upper() in words)
        parts, _over = self._allocation(amount, owed, line.date, chosen)
        return self._receive_line(line, payer, parts)

    @api.model
    def _receive_line(self, line, payer, parts):
        """Book a bank credit as the payment of these shares; what is over stays a credit of the payer.

        :raises UserError: the line is explained already, or a share does not owe that much.
        """
        line = line.sudo()
        amount = cents(line.amount)
        self._check_line(line)
        self._check_parts(line.company_id, parts, amount)
        Share = self.env["health.share"]
        items = Share.union(*[share for share, _part in parts])._receivable_items()
        receipt = self.sudo().create(
            {
                "company_id": line.company_id.id,
                "partner_id": payer.id,
                "mode": "transfer",
                "date": line.date,
                "amount": line.amount,
                "reference": line.payment_ref,
                "user_id": self.env.uid,
                "statement_line_id": line.id,
            }
        )
        over = amount - sum(part for _share, part in parts)
        rows = [(share, items[share.id].account_id, part) for share, part in parts]
        given = self._replace_suspense(line, receipt._book_rows(rows, over))
        Share._reconcile_pairs(
            [items[share.id] + item for (share, _part), item in zip(parts, given, strict=False)]
        )
        receipt._keep(line.move_id, parts, given)
        self._explain(line, receipt)
        return receipt

    @api.model
    def _check_line(self, line):
        if len(line.try_lock_for_update()) != 1 or line.is_reconciled or line.amount <= 0:
            raise UserError(
                self.env._("The bank line “%s” is explained already.", line.payment_ref)
            )

    @api.model
    def _replace_suspense(self, line, values):
        """The items that explain a bank credit take the place of its suspense item."""
        _liquidity, waiting, others = line._seek_for_lines()
        move = line.move_id
        with move._check_balanced({"records": move}):
            (waiting | others).with_context(**REPLACE).unlink()
            items = (
                self.env["account.move.line"]
                .sudo()
                .with_context(**REPLACE)
                .create([{"move_id": move.id, **vals} for vals in values])
            )
        return self.env["account.move.line"].sudo().browse(items.ids)

    @api.model
    def _explain(self, line, receipts):
        """Say on the bank line what it is, where the matching of payers is installed."""
        if "health_match_rule" not in line._fields:
            return
        line.write(
            {
                "health_match_rule": "patient",
                "health_match_evidence": self.env._(
                    "Payment(s) of patients: %s.", ", ".join(receipts.mapped("name"))
                ),
                "health_queue_reason": False,
                "health_candidates": False,
                "health_duplicate_of_id": False,
                "health_booking": {
                    "settlements": {},
                    "with": [line.id],
                    "shares": receipts.line_ids.share_id.ids,
                },
            }
        )

    # -- money on the way ----------------------------------------------------------------------------

    @api.model
    def _take_on_the_way(self, lines):
        """Deposits, card terminals and transfers whose amount came in, once, within the usual days.

        Two credits that could be it, or two receipts that could be the credit: a person chooses.

        :return: the receipts found in the bank.
        """
        days = timedelta(days=self.env["health.parameter"].value_of("receipt_bank_days"))
        waiting = self.sudo().search(
            [
                ("company_id", "in", lines.company_id.ids),
                ("state", "=", "booked"),
                ("mode", "in", ("cheque", "card", "transfer")),
                ("is_in_bank", "=", False),
                "|",
                ("mode", "!=", "cheque"),
                ("deposit_id.is_brought", "=", True),
            ]
        )
        groups = [
            (deposit.date, receipts)
            for deposit, receipts in waiting.filtered("deposit_id").grouped("deposit_id").items()
        ]
        groups += [(one.date, one) for one in waiting if not one.deposit_id]
        by_amount = defaultdict(list)
        for day, receipts in groups:
            total = sum(cents(receipt.amount) for receipt in receipts)
            by_amount[receipts.company_id, total].append((day, receipts))
        pairs, claims = [], defaultdict(int)
        for line in lines:
            own = [
                receipts
                for day, receipts in by_amount.get((line.company_id, cents(line.amount)), ())
                if timedelta(0) <= line.date - day <= days and self._looks_like(line, receipts)
            ]
            if len(own) == 1:
                pairs.append((line, own[0]))
            for receipts in own:
                claims[receipts] += 1
        found = self.sudo()
        for line, receipts in pairs:
            if claims[receipts] == 1:
                receipts._arrive(line)
                found |= receipts
        return found

    @api.model
    def _looks_like(self, line, receipts):
        """Whether the label says a deposit, a card terminal, or the name of whoever paid: an amount alone proves
        nothing.
        """
        words = self._line_words(line)
        mode = receipts[0].mode
        if mode in WORDS:
            return bool(words & WORDS[mode]) or bool(
                words & set(receipts.deposit_id.mapped("name"))
            )
        names = " ".join(receipts.partner_id.mapped("name"))
        return any(
            len(word) > 2 and word in words for word in self.env["res.company"]._health_words(names)
        )

    def _arrive(self, line):
        """These receipts are that bank credit."""
        line = line.sudo()
        self._check_line(line)
        items = self.env["account.move.line"].union(*[one._money_item() for one in self]).sudo()
        values = [
            {
                "name": item.name,
                "partner_id": item.partner_id.id,
                "account_id": item.account_id.id,
                "currency_id": item.currency_id.id,
                "balance": -item.balance,
                "amount_currency": -item.balance,
                "analytic_distribution": False,
            }
            for item in items
        ]
        given = self._replace_suspense(line, values)
        self.env["health.share"]._reconcile_pairs(
            [item + other for item, other in zip(items, given, strict=True)]
        )
        self._explain(line, self)
