from collections import defaultdict

from odoo import api, fields, models

from odoo.addons.health_billing.tools import QUIET, cents, euros


class HealthInduBooking(models.AbstractModel):
    """The entries of overpayment files: a debt for what is accepted, a provision for what is not.

    Nothing remembers what was booked but the books: each run posts the difference between what should stand
    there and what does, so that running again posts nothing. What payers withheld or received is reconciled
    with the debt. Entries bear the reference of the debt and no word on care.
    """

    _name = "health.indu.booking"
    _description = "Entries of Overpayment Files"

    @api.model
    def _book(self, indus):
        """Bring the books to what the files say, one entry per file that changed, in one batch.

        :return: the entries posted
        """
        booked = self._booked(indus)
        practices = {company: self._accounts(company) for company in indus.company_id}
        journals = {company: self._journal(company) for company in indus.company_id}
        vals_list = []
        for indu in indus:
            accounts = practices[indu.company_id]
            wanted = self._targets(indu, accounts)
            vals = self._entry_vals(
                indu, accounts, journals[indu.company_id], wanted, booked[indu.id]
            )
            if vals:
                vals_list.append(vals)
        moves = self.env["account.move"].sudo().with_context(**QUIET)
        moves = moves.create(vals_list)
        if moves:
            moves._post(soft=False)
        self._reconcile(indus)
        return moves

    @api.model
    def _accounts(self, company):
        return {
            kind: company._health_account(kind)
            for kind in ("retention", "indu_loss", "indu_provision", "indu_charge", "indu_release")
        }

    @api.model
    def _targets(self, indu, accounts):
        """What should stand in the books: dict of account → credit in cents, for debt and provision.

        A part that was taken back on a transfer stands as a debit of its own account: its debt goes there.
        """
        wanted = defaultdict(int)
        dropped = cents(indu.amount_cancelled)
        for line in indu.line_ids.filtered(lambda one: one.decision == "accept"):
            account = line.settlement_line_id.move_line_id.account_id or accounts["retention"]
            wanted[account] += cents(line.amount)
        if not indu.line_ids and (indu.accepted_on or indu.decision == "upheld"):
            wanted[accounts["retention"]] += max(0, cents(indu.amount_due))
        if not indu.closed_on:
            held = cents(indu.amount_contested) + cents(indu.amount_to_prove)
            wanted[accounts["indu_provision"]] = max(0, held - dropped)
        return wanted

    @api.model
    def _booked(self, indus):
        """dict of indu id → dict of account → credit in cents of our own entries (no bank entry)."""
        found = {indu.id: defaultdict(int) for indu in indus}
        rows = (
            self.env["account.move.line"]
            .sudo()
            ._read_group(
                [
                    ("health_indu_id", "in", indus.ids),
                    ("parent_state", "=", "posted"),
                    ("move_id.statement_line_id", "=", False),
                ],
                ["health_indu_id", "account_id"],
                ["balance:sum"],
            )
        )
        for indu, account, balance in rows:
            found[indu.id][account] -= cents(balance)
        return found

    @api.model
    def _entry_vals(self, indu, accounts, journal, wanted, booked):
        results = {accounts[kind] for kind in ("indu_loss", "indu_charge", "indu_release")}
        rows = defaultdict(int)
        for account in wanted.keys() | {one for one in booked if one not in results}:
            missing = wanted[account] - booked[account]
            if not missing:
                continue
            rows[account] -= missing
            if account != accounts["indu_provision"]:
                rows[accounts["indu_loss"]] += missing
            elif missing > 0:
                rows[accounts["indu_charge"]] += missing
            else:
                rows[accounts["indu_release"]] += missing
        rows = {account: amount for account, amount in rows.items() if amount}
        if not rows:
            return None
        label = self._label(indu)
        return {
            "move_type": "entry",
            "journal_id": journal.id,
            "company_id": indu.company_id.id,
            "date": fields.Date.context_today(self),
            "ref": label,
            "line_ids": [
                fields.Command.create(
                    {
                        "name": label,
                        "account_id": account.id,
                        "partner_id": indu.payer_id.id,
                        "balance": euros(amount),
                        "amount_currency": euros(amount),
                        "currency_id": indu.company_id.currency_id.id,
                        "tax_ids": [],
                        "analytic_distribution": False,
                        "health_indu_id": indu.id,
                    }
                )
                for account, amount in sorted(rows.items(), key=lambda row: row[0].id)
            ],
        }

    @api.model
    def _label(self, indu):
        number = indu.reference or indu.debt_ref or str(indu.id)
        return self.env._("Indu %s", number)

    @api.model
    def _journal(self, company):
        return self.env.ref(f"account.{company.id}_general")

    @api.model
    def _open_items(self, indu):
        """Items that settle each other: debts, retentions, parts taken back, payments."""
        indu = indu.sudo()
        items = indu.movement_ids.move_line_id | indu.line_ids.settlement_line_id.move_line_id
        items |= indu.item_ids
        return items.filtered(
            lambda item: (
                item.parent_state == "posted" and item.account_id.reconcile and not item.reconciled
            )
        )

    @api.model
    def _reconcile(self, indus):
        """Reconcile, per file and account, what was taken or paid with the debt; one plan for all."""
        plan = []
        for indu in indus:
            for items in self._open_items(indu).grouped("account_id").values():
                if len({item.balance > 0 for item in items}) == 2:
                    plan.append(items)
        if plan:
            self.env["account.move.line"].sudo().with_context(
                no_exchange_difference=True, no_cash_basis=True
            )._reconcile_plan(plan)

    @api.model
    def _unbook(self, indus):
        """Take the entries back by entries that reverse them; what they reconciled is open again.

        Bank entries stay: they are undone at the bank line.
        """
        moves = indus.sudo().item_ids.move_id.filtered(
            lambda move: (
                not move.statement_line_id
                and move.state == "posted"
                and not move.reversed_entry_id
                and not move.reversal_move_ids
            )
        )
        if not moves:
            return moves
        today = fields.Date.context_today(self)
        return moves.with_context(**QUIET)._reverse_moves(
            [
                {"date": today, "ref": self.env._("Undone: %s", move.ref or move.name)}
                for move in moves
            ],
            cancel=True,
        )
