from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from odoo.addons.health_billing.models.health_share import CLOSED
from odoo.addons.health_billing.tools import cents, euros, format_cents

from ..booking import GAPS
from ..matching import labels as text

#: candidates shown at most; a search narrows them
SHOWN = 40
#: days around a credit in which other credits may belong with it
NEAR = timedelta(days=15)
#: days around a credit in which a settlement of the same practitioner is worth showing
AROUND = timedelta(days=60)
#: states of shares on which no money is waited for
NOT_OWED = ("draft", *CLOSED)
#: words of bank labels that are no name
NO_NAME = {
    "VIR", "VIRT", "VIREMENT", "SEPA", "RECU", "DE", "INST", "EMIS", "REF", "REFERENCE", "NOTPROVIDED", "FAVEUR",
    "VIRSEPA", "EUR",
}  # fmt: skip


class AccountBankStatementLine(models.Model):
    """What the matching screen asks for. Amounts are integer cents; only billers decide."""

    _inherit = "account.bank.statement.line"

    # -- rights and records --------------------------------------------------------------------------

    @api.model
    def _health_check_biller(self):
        if not self.env.user.has_group("health_billing.group_biller"):
            raise AccessError(self.env._("Only a biller of the agency explains bank credits."))

    @api.model
    def _health_lines(self, line_ids):
        """The credits named, if the user may see them.

        :raises UserError: one is gone or is no bank movement of a practitioner
        """
        self._health_check_biller()
        lines = self.browse([int(line_id) for line_id in line_ids]).exists()
        if not lines or len(lines) != len(set(line_ids)):
            raise UserError(self.env._("This bank movement is gone: reload the list."))
        lines.check_access("read")
        if any(not line.company_id.health_provider_no for line in lines):
            raise UserError(self.env._("This is no bank movement of a practitioner."))
        return lines

    @api.model
    def _health_queue_lines(self, line_ids):
        """The credits named, still to explain.

        :raises UserError: somebody was faster
        """
        lines = self._health_lines(line_ids)
        for line in lines:
            if line.is_reconciled or line.health_aside:
                raise UserError(
                    self.env._(
                        "The movement of %(amount)s of %(day)s is decided already: %(why)s",
                        amount=format_cents(cents(line.amount)),
                        day=line.date.strftime("%d/%m/%Y"),
                        why=line.health_why or self.env._("reconciled by hand."),
                    )
                )
        if len(lines.company_id) > 1:
            raise UserError(self.env._("Credits of several practitioners are never one payment."))
        return lines

    @api.model
    def _health_chosen(self, lines, keys):
        """(settlements, shares) of the keys `settlement-12`, `share-55`, in the order of the books.

        :raises UserError: one is unknown, of another practitioner, or settled meanwhile
        """
        ids = {"settlement": [], "share": []}
        for key in dict.fromkeys(keys or ()):
            kind, _dash, number = str(key).partition("-")
            if kind not in ids or not number.isdigit():
                raise UserError(self.env._("Unknown choice “%s”: reload the screen.", key))
            ids[kind].append(int(number))
        company = lines.company_id
        settlements = self.env["health.settlement"].browse(ids["settlement"]).exists()
        shares = self.env["health.share"].browse(ids["share"]).exists()
        if len(settlements) + len(shares) != len(ids["settlement"]) + len(ids["share"]):
            raise UserError(self.env._("A choice is gone meanwhile: reload the screen."))
        settlements.check_access("read")
        shares.check_access("read")
        for record in (*settlements, *shares):
            if record.company_id != company:
                raise UserError(
                    self.env._("“%s” belongs to another practitioner.", record.display_name)
                )
        for settlement in settlements:
            if settlement.state != "announced":
                raise UserError(
                    self.env._(
                        "“%s” was received meanwhile: reload the screen.", settlement.display_name
                    )
                )
        for share in shares:
            if share.move_id.state != "posted" or not share.amount_residual:
                raise UserError(
                    self.env._(
                        "Nothing is left to pay on “%s”: reload the screen.", share.display_name
                    )
                )
        return (
            settlements.sorted(lambda s: (s.transfer_date, s.id)),
            shares.sorted(lambda s: (s.fse_date, s.id)),
        )

    # -- the queue -----------------------------------------------------------------------------------

    @api.model
    def health_match_queue(self, domain=None, limit=200):
        """Credits that wait for a person, the oldest first."""
        self._health_check_biller()
        wanted = Domain("health_match_state", "=", "queue") & Domain(domain or [])
        return self.search(wanted, order="date, id", limit=limit)._health_queue_rows()

    @api.model
    def _health_payer_pairs(self):
        """(id of a payer, one of the names under which the bank shows it)."""
        payers = self.env["res.partner"].search_fetch(
            [("health_kind", "in", ("amo", "amc"))], ["name", "health_bank_names"]
        )
        return [
            (payer.id, name.strip())
            for payer in payers
            for name in [payer.name or "", *(payer.health_bank_names or "").splitlines()]
            if name.strip()
        ]

    def _health_queue_rows(self):
        names = text.Names(self._health_payer_pairs()) if self else None
        rows, ranked = [], self._health_ranked()
        for line in self:
            settlements, shares = ranked[line.id]
            best = settlements[:1] or shares[:1]
            label = text.Label(line.payment_ref or "", line.partner_name or "")
            payer = next(iter(names.find(label.label, label.counter)), False)
            rows.append(
                {
                    "id": line.id,
                    "date": fields.Date.to_string(line.date),
                    "amount": cents(line.amount),
                    "label": line.payment_ref or "",
                    "counterparty": line.partner_name or "",
                    "practitioner": line.company_id.name,
                    "practitioner_id": line.company_id.id,
                    "payer": self.env["res.partner"].browse(payer).name or "",
                    "reason": line.health_queue_reason or "",
                    "hold": line.health_hold,
                    "duplicate_of": line.health_duplicate_of_id.id,
                    "candidates": len(settlements) + len(shares),
                    "best": self._health_short(best) if best else "",
                }
            )
        return rows

    def _health_ranked(self):
        """dict of credit id → (settlements, shares) that the last look named and that are still open."""
        wanted = {}
        for line in self:
            settlement_ids, share_ids = {}, {}
            for candidate in line.health_candidates or ():
                settlement_ids |= dict.fromkeys(candidate.get("settlements", ()))
                share_ids |= dict.fromkeys(candidate.get("shares", ()))
            settlement_ids |= dict.fromkeys(line.health_candidate_ids.ids)
            wanted[line.id] = list(settlement_ids), list(share_ids)
        # one look for all lines, whatever their number
        settlements = self.env["health.settlement"].browse(
            {i for ids, _shares in wanted.values() for i in ids}
        )
        shares = self.env["health.share"].browse(
            {i for _settlements, ids in wanted.values() for i in ids}
        )
        open_settlements = {s.id for s in settlements.exists() if s.state == "announced"}
        open_shares = {
            s.id for s in shares.exists() if s.move_id.state == "posted" and s.amount_residual
        }
        return {
            line_id: (
                settlements.browse(i for i in settlement_ids if i in open_settlements),
                shares.browse(i for i in share_ids if i in open_shares),
            )
            for line_id, (settlement_ids, share_ids) in wanted.items()
        }

    @api.model
    def _health_short(self, record):
        """A candidate in a few words."""
        if record._name == "health.settlement":
            day, payer, left = record.transfer_date, record.payer_id, record.amount_left
            name = payer.name or record.payer_text or record.label1 or ""
        else:
            day, name, left = record.fse_date, record.name, record.amount_residual
        return f"{name} · {day.strftime('%d/%m/%Y')} · {format_cents(cents(left))}"

    # -- one credit ----------------------------------------------------------------------------------

    @api.model
    def health_match_open(self, line_id, search=""):
        """A credit with its ranked candidates, the credits it may belong with, and what a difference may be."""
        line = self._health_lines([line_id])
        [row] = line._health_queue_rows()
        row |= {
            "reference": line.ref or "",
            "statement": line.statement_id.name or "",
            "currency": line.currency_id.name,
            "state": line.health_match_state or "",
            "name_to_remember": line._health_bank_name(),
            "evidence": line.health_match_evidence or "",
            "runner_up": line.health_match_runner_up or "",
        }
        near = self.search(
            [
                ("id", "!=", line.id),
                ("company_id", "=", line.company_id.id),
                ("health_match_state", "=", "queue"),
                ("date", ">=", line.date - NEAR),
                ("date", "<=", line.date + NEAR),
            ],
            order="date, id",
            limit=SHOWN,
        )
        return {
            "credit": row,
            "candidates": line._health_candidate_rows(search),
            "others": near._health_queue_rows(),
            "gaps": self._health_gaps(),
        }

    @api.model
    def _health_gaps(self):
        labels = {
            "open": self.env._("Leave the difference open on the payer"),
            "lump_sum": self.env._("Lump sum"),
            "retention": self.env._("Retention"),
            "bank_fees": self.env._("Bank fees"),
        }
        return [{"code": code, "label": labels[code]} for code in GAPS]

    def _health_bank_name(self):
        """The name under which the payer shows on this credit: the counterparty, else the words of the label."""
        self.ensure_one()
        if self.partner_name:
            return self.partner_name.strip()
        kept = []
        for word in text.words(self.payment_ref or ""):
            if any(map(str.isdigit, word)):
                if kept:
                    break
                continue
            if word not in NO_NAME:
                kept.append(word)
        return " ".join(kept)

    def _health_candidate_rows(self, search=""):
        """Candidates of this credit: the readings of the last look first, then what is near, or what is searched."""
        self.ensure_one()
        search = (search or "").strip()
        read, rank, sets = {}, {}, []
        for candidate in self.health_candidates or ():
            keys = [f"settlement-{i}" for i in candidate.get("settlements", ())]
            keys += [f"share-{i}" for i in candidate.get("shares", ())]
            sets.append((keys, candidate))
            for key in keys:
                rank.setdefault(key, len(rank))
                read.setdefault(key, candidate)
        settlements, shares = self._health_ranked()[self.id]
        for settlement in settlements:
            rank.setdefault(f"settlement-{settlement.id}", len(rank))
        if search:
            settlements, shares = self._health_search(search)
        else:
            settlements |= self._health_settlements_around()
            shares |= self._health_shares_around()
        rows = []
        for record in (*settlements, *shares):
            row = self._health_candidate_row(record)
            known = read.get(row["key"])
            if known:
                row["reasons"] = known.get("reasons") or row["reasons"]
                row["against"] = known.get("against") or row["against"]
            # what nothing speaks for is no candidate, unless somebody looks for it
            if search or row["reasons"]:
                rows.append(row)
        far = len(rank)
        rows.sort(key=lambda row: (rank.get(row["key"], far), row.pop("score"), row["key"]))
        shown = {row["key"] for row in rows}
        # proposed only when one reading alone makes the amount
        exact = [
            keys for keys, reading in sets if not reading.get("gap") and shown.issuperset(keys)
        ]
        chosen = exact[0] if len(exact) == 1 else ()
        for position, row in enumerate(rows[:SHOWN], 1):
            row |= {"rank": position, "chosen": row["key"] in chosen}
        return rows[:SHOWN]

    def _health_candidate_row(self, record):
        """One candidate with what speaks for and against it; `score`: the smaller the better."""
        label = text.Label(self.payment_ref or "", self.partner_name or "", self.ref or "")
        numbers = label.numbers | label.other
        if record._name == "health.settlement":
            payer, day, left = record.payer_id, record.transfer_date, cents(record.amount_left)
            kind = "settlement"
            refs = text.references(
                (record.label1 or "", record.label2 or ""),
                tuple(filter(None, [self.company_id.health_provider_no, payer.health_org_no])),
                day,
            )
            name = " ".join(filter(None, [record.label1, record.label2])) or record.name
            amount = cents(record.amount_expected)
        else:
            payer, day, left = record.partner_id, record.fse_date, cents(record.amount_residual)
            kind = record.debtor_kind
            number = record.fse_id.name.lstrip("0")
            refs = {number} if len(number) >= text.WEAK else set()
            name = f"{record.name} · {record.patient_id.name}"
            amount = cents(record.amount)
        reasons, against, score = [], [], 0
        gap = cents(self.amount) - left
        if not gap:
            reasons.append(self.env._("Same amount"))
        else:
            against.append(self.env._("%s of difference", format_cents(gap)))
            score += 4
        quoted = sorted(refs & numbers)
        if quoted:
            reasons.append(self.env._("The label quotes %s", quoted[0]))
            score -= 4
        elif refs:
            against.append(self.env._("Its reference is not in the label"))
        names = [payer.name or "", *(payer.health_bank_names or "").splitlines()]
        named = text.Names((name, name) for name in names).find(label.label, label.counter)
        if named:
            reasons.append(self.env._("The label names %s", next(iter(named))))
            score -= 2
        days = (self.date - day).days
        if kind == "settlement":
            (reasons if -3 <= days <= 8 else against).append(
                self.env._("Same day")
                if not days
                else self.env._("%s day(s) after its announcement", days)
                if days > 0
                else self.env._("%s day(s) before its announcement", -days)
            )
        return {
            "key": f"{'settlement' if kind == 'settlement' else 'share'}-{record.id}",
            "kind": kind,
            "name": name,
            "payer": payer.name or getattr(record, "payer_text", "") or "",
            "day": fields.Date.to_string(day),
            "amount": amount,
            "left": left,
            "reasons": reasons,
            "against": against,
            "score": (score, abs(days)),
        }

    def _health_settlements_around(self):
        """Settlements announced near this credit, those of its very amount first."""
        domain = [("company_id", "=", self.company_id.id), ("state", "=", "announced")]
        Settlement = self.env["health.settlement"]
        same = Settlement.search([*domain, ("amount_left", "=", self.amount)], limit=SHOWN)
        near = Settlement.search(
            [
                *domain,
                ("transfer_date", ">=", self.date - AROUND),
                ("transfer_date", "<=", self.date + AROUND),
            ],
            limit=SHOWN,
        )
        return same | near

    def _health_shares_around(self):
        """Open shares of this very amount, and what the payers that the label names still owe."""
        names = text.Names(self._health_payer_pairs())
        label = text.Label(self.payment_ref or "", self.partner_name or "")
        payers = names.find(label.label, label.counter)
        return self.env["health.share"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("state", "not in", NOT_OWED),
                ("fse_date", "<=", self.date),
                "|",
                ("amount_residual", "=", self.amount),
                "&",
                ("partner_id", "in", list(payers)),
                ("amount_residual", "<=", self.amount),
            ],
            order="fse_date desc, id desc",
            limit=SHOWN,
        )

    def _health_search(self, search):
        """(settlements, shares) that a person looks for: payer, number, patient, or amount."""
        company = Domain("company_id", "=", self.company_id.id)
        settlement = Domain.OR(
            [[(name, "ilike", search)] for name in ("name", "label1", "label2", "payer_text")]
        )
        wanted = " ".join(text.words(search))
        # people type names without accents; the debtors of what is open are few
        open_shares = company & Domain("state", "not in", NOT_OWED)
        people = self.env["res.partner"].union(
            *(
                partner
                for who in ("patient_id", "partner_id")
                for (partner,) in self.env["health.share"]._read_group(open_shares, [who])
                if wanted and wanted in " ".join(text.words(partner.name or ""))
            )
        )
        payers = people.filtered(lambda partner: partner.health_kind in ("amo", "amc"))
        settlement |= Domain("payer_id", "in", payers.ids)
        share = (
            Domain("fse_id.name", "ilike", search)
            | Domain("patient_id", "in", people.ids)
            | Domain("partner_id", "in", people.ids)
        )
        amount = (
            search.replace(" ", "").replace("\N{NO-BREAK SPACE}", "").strip("€").replace(",", ".")
        )
        whole, _dot, rest = amount.lstrip("-").partition(".")
        if whole.isdigit() and len(rest) <= 2 and (rest.isdigit() or not rest):
            value = euros(int(whole) * 100 + int(rest.ljust(2, "0") or 0))
            settlement |= Domain("amount_left", "=", value)
            share |= Domain("amount_residual", "=", value)
        return (
            self.env["health.settlement"].search(
                company & Domain("state", "=", "announced") & settlement, limit=SHOWN
            ),
            self.env["health.share"].search(
                open_shares & Domain("amount_residual", "!=", 0) & share,
                limit=SHOWN,
            ),
        )

    # -- deciding ------------------------------------------------------------------------------------

    @api.model
    def health_match_preview(self, line_ids, keys, gap=None):
        """What booking this choice would write."""
        lines = self._health_queue_lines(line_ids)
        settlements, shares = self._health_chosen(lines, keys)
        received = sum(cents(line.amount) for line in lines)
        chosen = sum(cents(settlement.amount_left) for settlement in settlements)
        chosen += sum(cents(share.amount_residual) for share in shares)
        answer = {
            "received": received,
            "chosen": chosen,
            "gap": received - chosen,
            "rows": [],
            "can_book": False,
            "message": "",
        }
        if not settlements and not shares:
            answer["message"] = self.env._("Choose what this credit paid.")
            return answer
        if gap and gap not in GAPS:
            raise UserError(self.env._("Unknown treatment of a difference: reload the screen."))
        booking = lines._health_decision_by_hand(settlements, shares, gap)
        rows, refused = self._health_layout([booking])
        if refused:
            message = next(iter(refused.values()))
            if received != chosen and not gap:
                message = self.env._(
                    "%(gap)s of difference: choose others, or say what it is.",
                    gap=format_cents(received - chosen),
                )
            answer["message"] = message
            return answer
        answer["rows"] = [
            {"label": row.name, "debtor": row.partner.name or "", "amount": row.amount}
            for row in rows
        ]
        answer["can_book"] = True
        answer["message"] = self.env._(
            "%(count)s movement(s) for %(received)s.",
            count=len(lines),
            received=format_cents(received),
        )
        return answer

    @api.model
    def health_match_book(self, line_ids, keys, gap=None, remember_name=False):
        """Book a person's choice, whole or not at all."""
        lines = self._health_queue_lines(line_ids)
        settlements, shares = self._health_chosen(lines, keys)
        if not settlements and not shares:
            raise UserError(self.env._("Choose what this credit paid."))
        if gap and gap not in GAPS:
            raise UserError(self.env._("Unknown treatment of a difference: reload the screen."))
        received = sum(cents(line.amount) for line in lines)
        chosen = sum(cents(settlement.amount_left) for settlement in settlements)
        chosen += sum(cents(share.amount_residual) for share in shares)
        if received != chosen and not gap:
            raise UserError(
                self.env._(
                    "What you chose makes %(chosen)s, the bank received %(received)s: choose others, or say what the "
                    "difference is.",
                    chosen=format_cents(chosen),
                    received=format_cents(received),
                )
            )
        after = self._health_next(lines)
        lines._health_book_by_hand(settlements, shares, gap)
        message = self.env._("%s explained.", format_cents(received))
        if remember_name:
            name = lines[0]._health_remember(settlements.payer_id | shares.partner_id)
            if name:
                message += " " + self.env._("“%s” is remembered.", name)
        return {"message": message, "booked": lines.ids, "next_id": after}

    @api.model
    def _health_next(self, lines):
        """The credit to look at after these, in the order of the queue."""
        last = max(lines, key=lambda line: (line.date, line.id))
        domain = Domain("health_match_state", "=", "queue") & Domain("id", "not in", lines.ids)
        later = Domain("date", ">", last.date) | (
            Domain("date", "=", last.date) & Domain("id", ">", last.id)
        )
        found = self.search(domain & later, order="date, id", limit=1)
        return (found or self.search(domain, order="date, id", limit=1)).id

    def _health_remember(self, payers):
        """Note the name on this credit as one of the payer's; the name, if it was new."""
        self.ensure_one()
        name = self._health_bank_name()
        payers = payers.filtered(lambda partner: partner.health_kind in ("amo", "amc"))
        if len(payers) != 1 or len(text.phrase(name)) <= 4:
            return ""
        known = [payers.name or "", *(payers.health_bank_names or "").splitlines()]
        if text.phrase(name) in {text.phrase(other) for other in known}:
            return ""
        # a biller may teach a name, which is all that is written here
        payers.sudo().health_bank_names = "\n".join(
            [*(payers.health_bank_names or "").splitlines(), name]
        )
        return name

    @api.model
    def health_match_undo(self, line_ids):
        """Take a decision back; everything is as it was before it."""
        lines = self._health_lines(line_ids)
        aside = lines.filtered("health_aside")
        decided = (lines - aside).filtered(lambda line: line.health_match_state == "matched")
        if not aside and not decided:
            raise UserError(self.env._("There is nothing to undo: the movement is not explained."))
        aside.sudo().write({"health_aside": False})
        whole = decided.sudo()._health_whole().with_env(self.env)
        whole._health_lock(whole.health_settlement_ids)
        if decided:
            decided.action_undo_reconciliation()
        return {
            "message": self.env._("%s movement(s) to explain again.", len(aside | whole)),
            "undone": (aside | whole).ids,
        }

    @api.model
    def health_match_set_aside(self, line_ids, reason):
        """Take movements out of the queue with a reason; the statement keeps them, and undo brings them back."""
        lines = self._health_queue_lines(line_ids)
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why this movement is set aside."))
        lines._health_lock(self.env["health.settlement"])
        after = self._health_next(lines)
        lines.sudo().write(
            {
                "health_aside": self.env._(
                    "%(reason)s (%(name)s, %(day)s)",
                    reason=reason,
                    name=self.env.user.name,
                    day=fields.Date.context_today(self).strftime("%d/%m/%Y"),
                )
            }
        )
        return {
            "message": self.env._("%s movement(s) set aside.", len(lines)),
            "aside": lines.ids,
            "next_id": after,
        }
