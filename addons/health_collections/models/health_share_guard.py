from collections import defaultdict
from datetime import timedelta

from odoo import models
from odoo.tools import SQL, format_date

from odoo.addons.health_billing.models.health_share import CLOSED
from odoo.addons.health_billing.tools import cents, format_cents

from .health_contact import COUNTED

#: states of a payment transaction in which money may still arrive
TX_UNDER_WAY = ("pending", "authorized")
#: contacts that ask for nothing: they need no rest after them
NOT_ASKING = ("receipt", "request", "chase")


class HealthShare(models.Model):
    """What holds a reminder back, one method per reason; see `_dunning_guards`.

    Each looks at all shares at once: the number of queries is the same for three shares and for twenty thousand.
    """

    _inherit = "health.share"

    # -- what several guards look at ---------------------------------------------------------------

    def _dunning_prefetch(self):
        """Read at once what the guards look at share by share."""
        self.fetch(
            [
                "partner_id",
                "company_id",
                "fse_id",
                "fse_date",
                "move_id",
                "amount_residual",
                "currency_id",
                "state",
                "disputed_on",
                "prescription_date",
            ]
        )
        self.partner_id.fetch(["health_debtor_id"])

    def _dunning_debtor(self):
        """Who is written to for this share: the patient, or the person who settles for them."""
        self.ensure_one()
        return self.partner_id.health_debtor_id or self.partner_id

    def _dunning_households(self):
        """Everybody for whom the debtors of these shares settle.

        :return: dict of partner id → id of the debtor, the debtors themselves included.
        """
        debtors = {share._dunning_debtor().id for share in self}
        found = {debtor: debtor for debtor in debtors}
        members = (
            self.env["res.partner"]
            .with_context(active_test=False)
            .search_fetch([("health_debtor_id", "in", list(debtors))], ["health_debtor_id"])
        )
        found.update({member.id: member.health_debtor_id.id for member in members})
        return found

    def _dunning_owed(self):
        """Everything that the debtors of these shares owe, overdue or not.

        :return: dict of (company, debtor) ids → open shares of patients.
        """
        households = self._dunning_households()
        shares = self.search_fetch(
            [
                ("debtor_kind", "=", "patient"),
                ("company_id", "in", self.company_id.ids),
                ("partner_id", "in", list(households)),
                ("state", "in", ("due", "partial", "disputed")),
                ("amount_residual", ">", 0),
            ],
            ["company_id", "partner_id", "amount_residual", "fse_id", "fse_date"],
        )
        return shares.grouped(lambda share: (share.company_id.id, households[share.partner_id.id]))

    def _dunning_key(self):
        self.ensure_one()
        return self.company_id.id, self._dunning_debtor().id

    # -- decided by a person, or by the law ----------------------------------------------------------

    def _guard_blocked(self, day):
        """A person stopped the reminders: on the invoice, or by a “do nothing” policy on the
        patient.
        """
        stopped = set(
            self.env["account.move"]
            .search(
                [
                    ("id", "in", self.move_id.ids),
                    "|",
                    ("payment_state", "=", "blocked"),
                    ("credit_policy_id.do_nothing", "=", True),
                ]
            )
            .ids
        )
        for [move] in self.env["account.move.line"]._read_group(
            [
                ("move_id", "in", self.move_id.ids),
                ("display_type", "=", "payment_term"),
                ("no_followup", "=", True),
            ],
            ["move_id"],
        ):
            stopped.add(move.id)
        left_alone = set(
            self.env["res.partner"]
            .with_context(active_test=False)
            .search(
                [
                    ("id", "in", self.partner_id.ids),
                    ("credit_policy_id.do_nothing", "=", True),
                ]
            )
            .ids
        )
        answer = (
            "blocked",
            self.env._("Reminders were stopped by a person on this invoice or this patient."),
        )
        return {
            share: answer
            for share in self
            if share.move_id.id in stopped or share.partner_id.id in left_alone
        }

    def _guard_deceased(self, day):
        """Nobody is written to in the name of somebody who died: heirs are found by a person."""
        people = self.partner_id | self.partner_id.health_debtor_id
        people.fetch(["health_deceased_on"])
        answer = (
            "deceased",
            self.env._("The patient has died: a person sees to the estate."),
        )
        return {
            share: answer
            for share in self
            if share.partner_id.health_deceased_on or share._dunning_debtor().health_deceased_on
        }

    def _guard_protected(self, day):
        """C2S, AME, guardianship, hospital, end of life: the reason told says no more than that."""
        answer = (
            "protected",
            self.env._("Protected patient: see the patient's form."),
        )
        return dict.fromkeys(self._dunning_protections(day), answer)

    def _guard_human_only(self, day):
        answer = (
            "human_only",
            self.env._("By a person only: a call, no automatic message."),
        )
        return dict.fromkeys(self._dunning_fragile(day), answer)

    # -- the debt itself -----------------------------------------------------------------------------

    def _guard_replaced(self, day):
        """The refused FSE was sent again under a new number: the patient owes the new one, not
        both.
        """
        replaced = self.search([("id", "in", self.ids), ("is_replaced", "=", True)])
        answer = (
            "replaced",
            self.env._("This FSE was corrected and sent again: the new one counts."),
        )
        return dict.fromkeys(replaced, answer)

    def _guard_dispute(self, day):
        return {
            share: (
                "disputed",
                self.env._(
                    "In dispute since %s: settle the dispute first.",
                    format_date(self.env, share.disputed_on),
                ),
            )
            for share in self
            if share.disputed_on
        }

    def _guard_quote(self, day):
        """The patient did not agree to the price, or nobody can show that they did."""
        fses = self.env["health.fse"].search_fetch(
            [
                ("id", "in", self.fse_id.ids),
                ("quote_id", "!=", False),
                ("quote_id.health_is_signed", "=", False),
            ],
            ["quote_id"],
        )
        fses.quote_id.fetch(["state", "name"])
        quotes = {fse.id: fse.quote_id for fse in fses}
        missing = {
            fse.id
            for [fse] in self.env["health.finding"]._read_group(
                [
                    ("fse_id", "in", self.fse_id.ids),
                    ("rule_code", "=like", "DEV-%"),
                    ("state", "=", "open"),
                ],
                ["fse_id"],
            )
        }
        held = {}
        for share in self:
            quote = quotes.get(share.fse_id.id)
            if quote and quote.state == "cancel":
                reason = self.env._(
                    "The quote %s was refused or cancelled: see with the practitioner.", quote.name
                )
            elif quote:
                reason = self.env._("The quote %s is not signed.", quote.name)
            elif share.fse_id.id in missing:
                reason = self.env._(
                    "A quote is missing or exceeded: see what control says of this FSE."
                )
            else:
                continue
            held[share] = ("quote", reason)
        return held

    def _guard_question(self, day):
        """The practitioner was asked something about this FSE, and the answer is not worked in yet."""
        questions = self.env["health.question"].search(
            [
                ("company_id", "in", self.company_id.ids),
                ("state", "in", ("open", "answered")),
            ]
        )
        visits = questions.visit_id | questions.visit_ids
        asked = set((questions.fse_id | questions.fse_ids | visits.fse_id).ids)
        answer = (
            "question",
            self.env._("A question to the practitioner about this FSE is not settled yet."),
        )
        return {share: answer for share in self if share.fse_id.id in asked}

    def _guard_time_barred(self, day):
        """Past the careful limit of prescription nothing is asked by itself."""
        return {
            share: (
                "time_barred",
                self.env._(
                    "Too old since %s: a person decides.",
                    format_date(self.env, share.prescription_date),
                ),
            )
            for share in self
            if share.prescription_date and share.prescription_date <= day
        }

    # -- the payers ----------------------------------------------------------------------------------

    def _guard_payers(self, day):
        """A payer of the same care may still pay, or its refusal is being dealt with.

        The care may have been billed again in part: the FSE that correct this one, and those it corrects, count
        as well.
        """
        reasons = {
            "amo_rejected": self.env._(
                "The sickness fund's part is rejected: settle the rejection first."
            ),
            "amc_rejected": self.env._(
                "The complementary insurer's part is rejected: settle the rejection first."
            ),
            "amo_disputed": self.env._("The sickness fund's part is in dispute with it."),
            "amc_disputed": self.env._("The complementary insurer's part is in dispute with it."),
            "amo_pending": self.env._("The sickness fund has not settled its part yet."),
            "amc_pending": self.env._("The complementary insurer has not settled its part yet."),
        }
        chains = self._dunning_chains()
        open_shares = self.search_fetch(
            [
                ("fse_id", "in", list(chains)),
                ("debtor_kind", "in", ("amo", "amc")),
                ("state", "not in", CLOSED),
                ("amount_residual", ">", 0),
            ],
            ["fse_id", "debtor_kind", "is_rejected", "state"],
        )
        codes = defaultdict(set)
        for payer in open_shares:
            why = "disputed" if payer.state == "disputed" else "pending"
            if payer.is_rejected or payer.state in ("rejected", "arl_refused"):
                why = "rejected"
            for fse in chains[payer.fse_id.id]:
                codes[fse].add(f"{payer.debtor_kind}_{why}")
        held = {}
        for share in self:
            found = codes.get(share.fse_id.id)
            if found:
                code = next(code for code in reasons if code in found)
                held[share] = (code, reasons[code])
        return held

    def _dunning_chains(self):
        """FSE that bill the same care as these shares', by corrections in either direction.

        :return: dict of FSE id → set of ids of the FSE of these shares that it belongs to.
        """
        ids = self.fse_id.ids
        chains = {fse: {fse} for fse in ids}
        corrected = self.env["health.fse"].search(
            [
                ("id", "in", ids),
                "|",
                ("replaces_id", "!=", False),
                ("replaced_by_ids", "!=", False),
            ]
        )
        if corrected:
            rows = self.env.execute_query(
                SQL(
                    """
                    WITH RECURSIVE chain(root, fse) AS (
                        SELECT id, id FROM health_fse WHERE id = ANY(%(ids)s)
                         UNION
                        SELECT chain.root, other.id
                          FROM chain
                          JOIN health_fse mine ON mine.id = chain.fse
                          JOIN health_fse other
                            ON other.replaces_id = mine.id OR other.id = mine.replaces_id
                    )
                    SELECT root, fse FROM chain
                    """,
                    ids=corrected.ids,
                )
            )
            for root, fse in rows:
                chains.setdefault(fse, set()).add(root)
        return chains

    # -- the money -----------------------------------------------------------------------------------

    def _guard_payment_under_way(self, day):
        answer = ("payment_pending", self.env._("A payment by the patient is under way."))
        return dict.fromkeys(self._shares_being_paid(), answer)

    def _shares_being_paid(self):
        """Those of these shares for which a payment was started and its outcome is not booked
        yet.
        """
        transactions = (
            self.env["payment.transaction"]
            .sudo()
            .search(
                [
                    ("company_id", "in", self.company_id.ids),
                    ("invoice_ids", "!=", False),
                    "|",
                    ("state", "in", TX_UNDER_WAY),
                    "&",
                    ("state", "=", "done"),
                    ("is_post_processed", "=", False),
                ]
            )
        )
        moves = set(transactions.invoice_ids.ids)
        return self.filtered(lambda share: share.move_id.id in moves)

    # -- what the debtor was told and said ------------------------------------------------------------

    def _guard_request(self, day):
        """The debtor asked something from their page: they get an answer before anything else.

        Every share of theirs waits, whatever the request is about: nobody is pressed while they wait for us.
        """
        requests = self.env["health.debtor.request"].search(
            [("company_id", "in", self.company_id.ids), ("state", "=", "open")]
        )
        households = self._dunning_households()
        by_debtor = {}
        for request in requests.sorted("date", reverse=True):
            debtor = households.get(request.partner_id.id)
            by_debtor[request.company_id.id, debtor] = request
        kinds = dict(requests._fields["kind"]._description_selection(self.env))
        held = {}
        for share in self:
            request = by_debtor.get(share._dunning_key())
            if request:
                held[share] = (
                    "request",
                    self.env._(
                        "Request of %(day)s to answer: “%(what)s”.",
                        day=format_date(self.env, request.date.date()),
                        what=kinds[request.kind],
                    ),
                )
        return held

    def _dunning_last_contacts(self):
        """Last day on which each debtor of these shares was contacted, by whatever channel.

        :return: dict of (company id, id of any partner the debtor settles for) → date.
        """
        households = self._dunning_households()
        last = {}
        for model, field, extra in (
            ("credit.control.line", "date", [("state", "in", ("to_be_sent", "queued", "sent"))]),
            ("health.payment.link", "sent_on", [("sent_on", "!=", False)]),
            (
                "health.contact",
                "day",
                [
                    ("direction", "=", "out"),
                    ("state", "in", COUNTED),
                    ("kind", "not in", NOT_ASKING),
                ],
            ),
        ):
            for company, partner, day in (
                self.env[model]
                .sudo()
                ._read_group(
                    [
                        ("partner_id", "in", list(households)),
                        ("company_id", "in", self.company_id.ids),
                        *extra,
                    ],
                    ["company_id", "partner_id"],
                    [f"{field}:max"],
                )
            ):
                key = (company.id, households[partner.id])
                last[key] = max(day, last.get(key, day))
        return {
            (company, partner): last[company, debtor]
            for partner, debtor in households.items()
            for company in self.company_id.ids
            if (company, debtor) in last
        }

    def _guard_recent_contact(self, day):
        gap = timedelta(days=self.env["health.parameter"].value_of("reminder_gap_days"))
        contacts = self._dunning_last_contacts()
        held = {}
        for share in self:
            last = contacts.get((share.company_id.id, share.partner_id.id))
            if last and day < last + gap:
                held[share] = (
                    "recent_contact",
                    self.env._(
                        "Already written to on %(last)s: nothing before %(next)s.",
                        last=format_date(self.env, last),
                        next=format_date(self.env, last + gap),
                    ),
                )
        return held

    def _guard_small_amount(self, day):
        least = self.env["health.parameter"].value_of("reminder_least_amount")
        held = {}
        for shares in self.grouped(lambda share: share._dunning_key()).values():
            total = sum(cents(share.amount_residual) for share in shares)
            if total < least:
                answer = (
                    "small_amount",
                    self.env._(
                        "%(total)s due in all: below the least amount reminded (%(least)s).",
                        total=format_cents(total),
                        least=format_cents(least),
                    ),
                )
                held.update(dict.fromkeys(shares, answer))
        return held

    def _guard_plan(self, day):
        """Instalments are paid in their own time; the plan writes for itself."""
        answer = ("plan", self.env._("A payment plan runs or waits for its answer."))
        return {share: answer for share in self if share.plan_id.state in ("asked", "running")}

    # -- the clock -----------------------------------------------------------------------------------

    def _guard_hour(self, day):
        """Nobody is disturbed at night, on a Sunday or on a holiday.

        The night only decides, and what it decides leaves by day; so this guard looks at the hour only of what
        leaves at once: context `dunning_moment`, the naive UTC datetime of leaving.
        """
        moment = self.env.context.get("dunning_moment")
        held = {}
        if not moment:
            return held
        for company, shares in self.grouped("company_id").items():
            later = company._health_next_moment(moment)
            if later != moment:
                answer = (
                    "wrong_hour",
                    self.env._(
                        "Nothing leaves at this hour: not before %s.",
                        company._health_moment_text(later),
                    ),
                )
                held.update(dict.fromkeys(shares, answer))
        return held
