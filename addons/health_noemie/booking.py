"""What becomes of bank credits: the pieces of money they bring, laid out over the credits.

Plain classes over records; nothing is written here. Amounts are integer cents, positive when money came in.
"""

from collections import ChainMap, defaultdict, deque

from odoo.addons.health_billing.tools import cents, euros

#: allowed treatments of a difference between what was received and what was chosen
GAPS = ("open", "lump_sum", "retention", "bank_fees")


class Piece:
    """Money of one part, share or movement. `item`: the receivable item that it pays, if one is known."""

    __slots__ = (
        "account",
        "amount",
        "is_cut",
        "item",
        "name",
        "partner",
        "pays",
        "settlement",
        "share",
        "source",
        "whole",
    )

    def __init__(self, name, account, partner, amount, **more):
        self.name = name
        self.account = account
        self.partner = partner
        self.amount = amount
        self.settlement = more.get("settlement")
        self.source = more.get("source")
        self.share = more.get("share")
        self.item = more.get("item")
        #: whether something of `item` is left to pay
        self.pays = more.get("pays", False)
        self.whole = more.get("whole", False)
        self.is_cut = more.get("is_cut", False)

    def cut(self, amount):
        """The first `amount` cents of this piece as a piece of its own; this one keeps the rest."""
        first = Piece(
            self.name,
            self.account,
            self.partner,
            amount,
            settlement=self.settlement,
            source=self.source,
            share=self.share,
            item=self.item,
            pays=self.pays,
            is_cut=True,
        )
        self.amount -= amount
        self.whole, self.is_cut = False, True
        return first


class Row:
    """One item of a bank entry to come."""

    __slots__ = ("amount", "credit", "name", "pieces")

    def __init__(self, credit, name, pieces):
        self.credit = credit
        self.name = name
        self.pieces = pieces
        self.amount = sum(piece.amount for piece in pieces)

    @property
    def partner(self):
        return self.pieces[0].partner

    @property
    def account(self):
        return self.pieces[0].account

    def values(self):
        return {
            "move_id": self.credit.move_id.id,
            "name": self.name,
            "account_id": self.account.id,
            "partner_id": self.partner.id,
            "currency_id": self.credit.company_id.currency_id.id,
            "balance": -euros(self.amount),
            "amount_currency": -euros(self.amount),
            "analytic_distribution": False,
        }


class Facts:
    """What the books say before bookings are laid out; one instance per batch.

    :param items: dict of share id → its receivable item
    :param booked: dict of settlement line or movement → cents that reached the bank already
    """

    def __init__(self, items, booked):
        self.items = items
        self.booked = booked
        self.left = {item.id: cents(item.amount_residual) for item in items.values()}

    def trial(self):
        """A copy that a booking may use up; `keep` makes it the truth."""
        copy = object.__new__(Facts)
        copy.items, copy.booked, copy.left = self.items, self.booked, ChainMap({}, self.left)
        return copy

    def keep(self, trial):
        self.left.update(trial.left.maps[0])


class Booking:
    """One decision: credits (debits have a negative amount), and the settlements and shares that they are."""

    def __init__(
        self, credits, settlements, shares=None, rule="", evidence="", runner_up="", gap=None
    ):
        self.credits = credits.sorted(lambda line: (line.date, line.id))
        self.settlements = settlements
        self.shares = shares if shares is not None else credits.env["health.share"]
        self.rule = rule
        self.evidence = evidence
        self.runner_up = runner_up
        self.gap = gap

    @property
    def received(self):
        return sum(cents(credit.amount) for credit in self.credits)

    @property
    def size(self):
        return len(self.settlements.line_ids) + len(self.shares) + len(self.credits)

    @property
    def company(self):
        return self.credits.company_id

    # -- pieces --------------------------------------------------------------------------------------

    def pieces(self, facts):
        """What the settlements and shares bring, in a fixed order.

        :return: (pieces, reason in the user's language when they cannot be told)
        """
        env = self.credits.env
        pieces = []
        for settlement in self.settlements:
            own, reason = self._settlement_pieces(settlement, facts, env)
            if reason:
                return [], reason
            pieces += own
        for share in self.shares:
            item = facts.items.get(share.id)
            if not item:
                return [], env._("The invoice of FSE %s is not posted.", share.fse_id.name)
            amount = facts.left[item.id]
            if not amount:
                return [], env._("Nothing is left to pay on FSE %s.", share.fse_id.name)
            facts.left[item.id] = 0
            pieces.append(
                Piece(
                    env._("FSE %s", share.fse_id.name),
                    item.account_id,
                    item.partner_id,
                    amount,
                    share=share,
                    item=item,
                    pays=True,
                    whole=amount > 0,
                )
            )
        return pieces, ""

    def _settlement_pieces(self, settlement, facts, env):
        pieces = []
        for line in settlement.line_ids:
            amount = cents(line.paid) - facts.booked.get(line, 0) if line.in_transfer else 0
            if not amount:
                continue
            item = facts.items.get(line.share_id.id)
            name = env._("FSE %s", line.invoice_no.strip())
            if item:
                left = facts.left[item.id]
                whole = 0 < amount == left
                piece = Piece(
                    name,
                    item.account_id,
                    item.partner_id,
                    amount,
                    settlement=settlement,
                    source=line,
                    item=item,
                    pays=amount > 0 and left > 0,
                    whole=whole,
                )
                if amount > 0:
                    facts.left[item.id] = left - min(amount, left)
            elif settlement.payer_id:
                account = self.company._health_account(line.part)
                piece = Piece(
                    name,
                    account,
                    settlement.payer_id,
                    amount,
                    settlement=settlement,
                    source=line,
                )
            else:
                return [], env._(
                    "The payer of this settlement is not known: enter it on the settlement."
                )
            pieces.append(piece)
        for movement in settlement.movement_ids:
            amount = cents(movement.amount) if movement.is_withheld else 0
            if movement.kind == "retention":
                amount = -amount
            amount -= facts.booked.get(movement, 0)
            if amount:
                pieces.append(
                    Piece(
                        movement.label,
                        self.company._health_account(movement.kind),
                        settlement.payer_id,
                        amount,
                        settlement=settlement,
                        source=movement,
                    )
                )
        return pieces, ""

    # -- the difference ------------------------------------------------------------------------------

    def _payer(self, env):
        """(payer, account) on which a difference stays open."""
        payers = self.settlements.payer_id | self.shares.partner_id
        if len(payers) != 1:
            return None, None
        kind = payers.health_kind if payers.health_kind in ("amo", "amc") else "patient"
        return payers, self.company._health_account(kind)

    def _settle_gap(self, pieces, env):
        """Add the piece that explains a difference, as the person chose.

        :return: reason when the difference cannot be treated so
        """
        gap = self.received - sum(piece.amount for piece in pieces)
        if not gap or (gap < 0 and self.gap == "open"):
            return ""  # what was not paid stays open by itself: see `lay_out`
        if not self.gap:
            return env._("The parts announced do not make the amount received.")
        if (self.gap == "lump_sum" and gap < 0) or (
            self.gap in ("retention", "bank_fees") and gap > 0
        ):
            return env._("This treatment does not fit the sign of the difference.")
        payer, account = self._payer(env)
        if self.gap != "bank_fees" and not payer:
            return env._("The difference has no single payer: choose one payer at a time.")
        names = {
            "open": env._("Paid too much, to clear with the payer"),
            "lump_sum": env._("Lump sum"),
            "retention": env._("Retention"),
            "bank_fees": env._("Bank fees"),
        }
        if self.gap != "open":
            account = self.company._health_account(self.gap)
        partner = payer if payer else env["res.partner"]
        pieces.append(Piece(names[self.gap], account, partner, gap))
        return ""

    # -- layout --------------------------------------------------------------------------------------

    def rows(self, facts):
        """The items that replace the suspense items of the credits.

        :return: (rows, reason in the user's language when it cannot be booked)
        """
        env = self.credits.env
        if len(self.company) != 1:
            return [], env._("Credits of several practitioners are never one payment.")
        pieces, reason = self.pieces(facts)
        reason = reason or self._settle_gap(pieces, env)
        if reason:
            return [], reason
        laid, unplaced = self._lay_out(pieces)
        if laid is None:
            return [], env._("These movements do not fit together: book them one by one.")
        placed = {piece.settlement or piece.share for _credit, piece in laid}
        for piece in unplaced:
            if (piece.settlement or piece.share) not in placed:
                return [], env._("The money received does not reach %s: leave it out.", piece.name)
        return self._group(laid, env), ""

    def _lay_out(self, pieces):
        """Fill the credits one after the other; a piece that does not fit is cut.

        What is taken away comes first: on the debits, the rest on the first credit, which then holds more.

        :return: (list of (credit, piece), pieces left over); (None, …) when it does not come out even
        """
        down = deque(piece for piece in pieces if piece.amount < 0)
        up = deque(piece for piece in pieces if piece.amount > 0)
        main = next((c for c in self.credits if c.amount > 0), self.credits[0])
        laid = []

        def take(stack, credit, need):
            """Lay pieces of one sign on the credit until `need` is met; what is still needed."""
            while need and stack:
                piece = stack[0]
                if abs(piece.amount) <= abs(need):
                    laid.append((credit, stack.popleft()))
                    need -= piece.amount
                else:
                    laid.append((credit, piece.cut(need)))
                    need = 0
            return need

        for credit in self.credits - main:
            if credit.amount < 0 and take(down, credit, cents(credit.amount)):
                return None, []
        need = cents(main.amount) - sum(piece.amount for piece in down)
        laid += [(main, piece) for piece in down]
        if need < 0 or take(up, main, need):
            return None, []
        for credit in self.credits - main:
            if credit.amount > 0 and take(up, credit, cents(credit.amount)):
                return None, []
        return laid, up

    @staticmethod
    def _group(laid, env):
        """Rows: parts paid as owed share one per credit, settlement and debtor; all others have their own."""
        groups, rows = defaultdict(list), []
        for credit, piece in laid:
            if piece.whole:
                owner = piece.settlement.id if piece.settlement else 0
                groups[credit, owner, piece.partner, piece.account].append(piece)
            else:
                rows.append(Row(credit, piece.name, [piece]))
        for (credit, _owner, _partner, _account), pieces in groups.items():
            name = pieces[0].name
            if len(pieces) > 1 and pieces[0].settlement:
                name = env._(
                    "%(count)s FSE, transfer of %(day)s",
                    count=len(pieces),
                    day=pieces[0].settlement.transfer_date.strftime("%d/%m/%Y"),
                )
            elif len(pieces) > 1:
                name = env._("%s FSE", len(pieces))
            rows.append(Row(credit, name, pieces))
        return rows
