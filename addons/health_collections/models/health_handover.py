from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Domain
from odoo.tools import format_date

from odoo.addons.health_billing.models.health_share import CLOSED
from odoo.addons.health_billing.tools import QUIET, cents, euros, format_cents

from ..dunning.handover import Bounds, Debt, objections
from .health_contact import COUNTED
from .health_handover_event import STATUSES

#: states in which a file still goes somewhere
OPEN = ("proposed", "approved", "agreed", "handed", "returned")
#: states in which the debtor hears nothing from us: somebody decided on the file
HELD = ("approved", "agreed", "handed", "returned")
#: what only the actions write
FREE_FIELDS = frozenset({"kind", "recipient_id", "note"})
KINDS = [
    ("collector", "Collection company"),
    ("bailiff", "Commissaire de justice"),
    ("injunction", "Order to pay (court)"),
]
#: guards that say when to write to the debtor, not whether the debt stands; and our own
LEFT_OUT = ("_guard_recent_contact", "_guard_small_amount", "_guard_hour", "_guard_handover")
#: holds of the guard that a manager may lift in writing: a person decides
HUMAN = ("deceased", "protected", "human_only")


class HealthHandover(models.Model):
    """What one debtor owes one practitioner, given to a professional because all else failed.

    Proposed by the policy (or a biller), approved by a manager, agreed to by the practitioner whose money it
    is, handed over with the least data, followed until it is paid, given back or written off. While it is on
    its way nobody reminds the debtor.
    """

    _name = "health.handover"
    _description = "Hand-over"
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char("File", compute="_compute_name", store=True)
    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, index=True, readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner",
        string="Debtor",
        required=True,
        index=True,
        readonly=True,
        ondelete="restrict",
    )
    kind = fields.Selection(KINDS, string="Road", required=True, default="collector")
    recipient_id = fields.Many2one(
        "res.partner",
        string="Handed to",
        index="btree_not_null",
        domain="[('health_recovery_kind', '=', kind)]",
        ondelete="restrict",
    )
    note = fields.Char(help="For the agency only: it does not leave with the file.")
    date = fields.Date("Proposed on", required=True, readonly=True)
    proposed_by_id = fields.Many2one(
        "res.users", string="Proposed by", readonly=True, help="Empty: the policy, at night."
    )
    previous_id = fields.Many2one("health.handover", string="After", readonly=True)
    state = fields.Selection(
        [
            ("proposed", "To approve"),
            ("approved", "Practitioner's agreement awaited"),
            ("agreed", "To hand over"),
            ("handed", "Handed over"),
            ("returned", "Came back: to decide"),
            ("refused", "Refused"),
            ("closed", "Closed"),
        ],
        required=True,
        readonly=True,
        default="proposed",
        index=True,
    )
    line_ids = fields.One2many(
        "health.handover.line", "handover_id", string="Shares", readonly=True
    )
    event_ids = fields.One2many("health.handover.event", "handover_id", readonly=True)
    share_count = fields.Integer("FSE", compute="_compute_amounts", store=True)
    amount = fields.Monetary("Amount handed over", compute="_compute_amounts", store=True)
    amount_left = fields.Monetary("Left to pay", compute="_compute_amounts", store=True)
    amount_received = fields.Monetary(
        "Received", compute="_compute_amounts", store=True, help="On the practitioner's account."
    )
    amount_announced = fields.Monetary(
        "Announced",
        compute="_compute_announced",
        store=True,
        help="What the professional says was paid to them: nothing is booked before the bank proves it.",
    )
    amount_awaited = fields.Monetary(
        "To come from them",
        compute="_compute_announced",
        store=True,
        help="Announced, and not on the practitioner's account yet.",
    )
    amount_to_tell = fields.Monetary(
        "To tell them",
        compute="_compute_announced",
        store=True,
        help="Paid to the practitioner directly: the professional must know.",
    )
    oldest_due = fields.Date("Due since", compute="_compute_amounts", store=True)
    contact_count = fields.Integer("Contacts before", readonly=True)
    last_contact_on = fields.Date("Last contact", readonly=True)
    notice_on = fields.Date("Formal notice", readonly=True)
    objection = fields.Char(
        "Policy not fulfilled", readonly=True, help="What the policy asks and this file lacks."
    )
    caution = fields.Char(
        "Needs a person's decision",
        readonly=True,
        help="A protection holds: only a manager lifts it, and says why.",
    )
    caution_reason = fields.Char("Decided because", readonly=True)
    approved_on = fields.Date(readonly=True)
    approved_by_id = fields.Many2one("res.users", string="Approved by", readonly=True)
    question_id = fields.Many2one(
        "health.question", string="Asked of the practitioner", readonly=True
    )
    consent_on = fields.Date("Agreed on", readonly=True)
    consent_means = fields.Selection(
        [("page", "Their page"), ("paper", "Signed paper")], string="Agreed by", readonly=True
    )
    consent_by_id = fields.Many2one("res.users", string="Recorded by", readonly=True)
    consent_proof_ids = fields.Many2many("ir.attachment", string="Signed agreement", readonly=True)
    refused_by = fields.Selection(
        [("agency", "The agency"), ("practitioner", "The practitioner")], readonly=True
    )
    refusal = fields.Char("Refused because", readonly=True)
    handed_on = fields.Date("Handed over on", readonly=True, index="btree_not_null")
    pack_id = fields.Many2one(
        "health.handover.pack",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    status = fields.Selection(STATUSES, string="Last news", readonly=True)
    status_on = fields.Date("News of", readonly=True)
    deadline = fields.Date("To do by", compute="_compute_deadline", store=True, index=True)
    deadline_kind = fields.Selection(
        [
            ("news", "Ask for news"),
            ("promise", "See if the promise was kept"),
            ("remit", "The money must have arrived"),
            ("answer", "Silence counts as a refusal"),
            ("serve", "Have the order served"),
            ("oppose", "Time to object is over"),
        ],
        string="What is to be done",
        compute="_compute_deadline",
        store=True,
    )
    outcome = fields.Selection(
        [
            ("paid", "Paid"),
            ("written_off", "Written off"),
            ("partly", "Paid in part, rest written off"),
            ("replaced", "No longer owed"),
            ("withdrawn", "Withdrawn"),
            ("other_road", "Another road taken"),
        ],
        readonly=True,
    )
    closed_on = fields.Date(readonly=True)
    loss_reason = fields.Char("Loss asked for because", readonly=True)
    loss_asked_by_id = fields.Many2one("res.users", string="Loss asked by", readonly=True)
    loss_asked_on = fields.Date(readonly=True, index="btree_not_null")

    @api.depends("company_id")
    def _compute_name(self):
        for file in self:
            file.name = f"D{file.id:05d}" if file.id else False

    @api.depends("line_ids.amount", "line_ids.share_id.amount_residual", "line_ids.share_id.state")
    def _compute_amounts(self):
        for file in self:
            lines = file.line_ids
            lost = lines.filtered(lambda line: line.share_id.state in ("written_off", "replaced"))
            given = sum(cents(line.amount) for line in lines)
            left = sum(cents(line.share_id.amount_residual) for line in lines)
            file.share_count = len(lines)
            file.amount = euros(given)
            file.amount_left = euros(left)
            # what was lost brought nothing that is known here
            gone = sum(cents(line.amount) for line in lost)
            file.amount_received = euros(max(given - left - gone, 0))
            file.oldest_due = min(lines.mapped("due_date"), default=False)

    @api.depends("event_ids.kind", "event_ids.amount", "amount_received")
    def _compute_announced(self):
        for file in self:
            paid, told = (
                sum(cents(event.amount) for event in file.event_ids if event.kind == kind)
                for kind in ("paid", "told")
            )
            received = cents(file.amount_received) if file.handed_on else 0
            file.amount_announced = euros(paid)
            file.amount_awaited = euros(max(paid - max(received - told, 0), 0))
            file.amount_to_tell = euros(max(received - paid - told, 0))

    @api.depends("state", "kind", "handed_on", "status", "status_on", "amount_awaited")
    def _compute_deadline(self):
        for file in self:
            code, file.deadline = file._next_step()
            file.deadline_kind = code

    def _next_step(self):
        """(what is to be done, by when) while a professional has the file."""
        if self.state != "handed" or not self.handed_on:
            return False, False
        value_of = self.env["health.parameter"].value_of
        since = self.status_on or self.handed_on

        def days(code):
            return since + timedelta(days=value_of(code))

        def months(code):
            return since + relativedelta(months=value_of(code))

        if cents(self.amount_awaited) > 0:
            return "remit", days("handover_remit_days")
        if self.status == "promised":
            return "promise", days("handover_promise_days")
        if self.kind == "injunction" and self.status == "ordered":
            return "serve", months("handover_serve_months")
        if self.kind == "injunction" and self.status == "served":
            return "oppose", months("handover_oppose_months")
        if self.kind == "bailiff" and self.status in (False, "running"):
            return "answer", months("handover_small_claim_months")
        return "news", days("handover_news_days")

    def _is_open(self):
        return self.state in OPEN

    # -- what nobody types ---------------------------------------------------------------------------

    def write(self, vals):
        """What happened to a file is written by its actions; the road is chosen before the approval."""
        if not self.env.su:
            if vals.keys() - FREE_FIELDS:
                raise AccessError(
                    self.env._("A file changes through its buttons, which keep the trace.")
                )
            if {"kind", "recipient_id"} & vals.keys():
                late = self.filtered(lambda file: file.state != "proposed")
                if late:
                    raise UserError(
                        self.env._(
                            "%s is approved already: the practitioner agrees to this road and no other. "
                            "Refuse it and propose it again.",
                            late[0].name,
                        )
                    )
        return super().write(vals)

    def _log(self, kind, day=None, note=False, **values):
        """Note what happened to each of these files."""
        day = day or fields.Date.context_today(self)
        self.env["health.handover.event"].sudo().create(
            [
                {
                    "handover_id": file.id,
                    "kind": kind,
                    "date": day,
                    "note": note or False,
                    "user_id": self.env.uid,
                    **values,
                }
                for file in self
            ]
        )

    def _check_manager(self):
        if not self.env.user.has_group("health_billing.group_manager"):
            raise AccessError(self.env._("Ask a manager of the agency: only they decide this."))
        self.check_access("write")

    def _check_state(self, *states):
        wrong = self.filtered(lambda file: file.state not in states)
        if wrong:
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "%(file)s is “%(state)s”: nothing was changed.",
                    file=wrong[0].name,
                    state=labels[wrong[0].state],
                )
            )

    def _check_reason(self, reason):
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why: the reason stays with the file."))
        return reason

    # -- candidates ----------------------------------------------------------------------------------

    @api.model
    def _propose_night(self, companies, day):
        """Propose what the policies of these practitioners say is ripe.

        What was in a file once is never proposed again by the night: a person decided.

        :return: the files made.
        """
        policies = {company: company._health_handover_policy() for company in companies}
        ready = [
            company
            for company, policy in policies.items()
            if policy and not policy.do_nothing and policy.health_handover_kind != "none"
        ]
        if not ready:
            return self.browse()
        least = min(
            policies[company]._health_handover_bounds("collector")["age_days"] for company in ready
        )
        Share = self.env["health.share"]
        shares = Share.search(
            Domain(Share._dunning_domain(day))
            & Domain("company_id", "in", [company.id for company in ready])
            & Domain("due_date", "<=", day - timedelta(days=least))
            & Domain("handover_line_ids", "=", False)
        )
        cases = self._cases(shares, day, {company: policies[company] for company in ready})
        return self._open_files(
            [case for case in cases if not case["objections"] and not case["caution"]], day
        )

    @api.model
    def _cases(self, shares, day, policies=None, kind=None):
        """What these shares of patients make when put together by debtor.

        The night leaves out what is too young; what the guard holds never goes, except what a person may lift.

        :param policies: dict of company → policy; default: looked up.
        :param kind: the road; default: that of the policy. Given: everything is put in, and told.
        :return: list of dict: company, debtor, shares, kind, recipient, objections (codes), held (dict of
            share → reason), caution (text), last (day of the last message).
        """
        if not shares:
            return []
        by_hand = kind is not None
        policies = policies or {
            company: company._health_handover_policy() for company in shares.company_id
        }
        held = shares.sudo()._dunning_guard(day, without=LEFT_OUT)
        held = {share.with_env(self.env): answer for share, answer in held.items()}
        messages = shares._handover_last_messages(policies)
        debtors = shares.partner_id._health_debtor()
        bounds = {}
        for company, policy in policies.items():
            road = kind or policy.health_handover_kind or "collector"
            road = "collector" if road == "none" else road
            bounds[company] = road, Bounds(**policy._health_handover_bounds(road))
        groups = {}
        for share in shares:
            code = held.get(share, (None,))[0]
            road, limits = bounds[share.company_id]
            if not by_hand:
                young = (day - share.due_date).days < limits.age_days
                if young or code or not messages.get(share.id):
                    continue
            debtor = debtors[share.partner_id]
            groups.setdefault((share.company_id, debtor), shares.browse())
            groups[share.company_id, debtor] |= share
        adult = day - relativedelta(
            years=self.env["health.parameter"].value_of("handover_adult_years")
        )
        cases = []
        for (company, debtor), own in groups.items():
            road, limits = bounds[company]
            born = debtor.sudo().health_birth_date if debtor.health_kind == "patient" else False
            debt = Debt(
                sum(cents(share.amount_residual) for share in own),
                tuple(own.mapped("due_date")),
                tuple(messages.get(share.id) for share in own),
                is_minor=bool(born) and born > adult,
                has_address=not debtor._health_without_address(),
            )
            reasons = {share: held[share] for share in own if share in held}
            policy = policies[company]
            chosen = policy.health_handover_partner_id
            cases.append(
                {
                    "company": company,
                    "debtor": debtor,
                    "shares": own,
                    "kind": road,
                    "recipient": chosen if chosen.health_recovery_kind == road else chosen.browse(),
                    "objections": objections(debt, limits, day),
                    "held": {s: why for s, (code, why) in reasons.items() if code not in HUMAN},
                    "caution": " ".join(
                        dict.fromkeys(why for code, why in reasons.values() if code in HUMAN)
                    ),
                }
            )
        return cases

    @api.model
    def _objection_texts(self):
        return {
            "age": self.env._("a sum is too recent"),
            "scale": self.env._("the scale of reminders is not at its end"),
            "quiet": self.env._("the last message is too recent"),
            "small": self.env._("below the least amount"),
            "large": self.env._("above the limit of this procedure"),
            "minor": self.env._("the debtor is a minor: say who settles for them"),
            "address": self.env._("the address is not complete"),
        }

    @api.model
    def _open_files(self, cases, day, user=None):
        """Make the files of these cases, in one batch."""
        if not cases:
            return self.browse()
        texts = self._objection_texts()
        history = self._history(cases)
        values = [
            {
                "company_id": case["company"].id,
                "partner_id": case["debtor"].id,
                "kind": case["kind"],
                "recipient_id": case["recipient"].id,
                "date": day,
                "proposed_by_id": user.id if user else False,
                "previous_id": case.get("previous"),
                "objection": ", ".join(texts[code] for code in case["objections"]),
                "caution": case["caution"],
                "line_ids": [
                    Command.create({"share_id": share.id, "amount": share.amount_residual})
                    for share in case["shares"].sorted(lambda one: (one.due_date, one.id))
                ],
                **history.get((case["company"].id, case["debtor"].id), {}),
            }
            for case in cases
        ]
        files = self.sudo().with_context(**QUIET).create(values).with_env(self.env)
        files._log("proposed", day)
        return files

    @api.model
    def _history(self, cases):
        """How often, and when last, each debtor was contacted.

        :return: dict of (company id, debtor id) → values of a file.
        """
        owners = {}
        for case in cases:
            debtor = case["debtor"]
            for partner in debtor | case["shares"].partner_id:
                owners[case["company"].id, partner.id] = (case["company"].id, debtor.id)
        found = {}
        domain = [
            ("partner_id", "in", list({partner for _company, partner in owners})),
            ("company_id", "in", list({company for company, _partner in owners})),
            ("direction", "=", "out"),
            ("state", "in", COUNTED),
            ("kind", "in", ("reminder", "notice", "link", "plan", "other")),
        ]
        for company, partner, kind, count, last in (
            self.env["health.contact"]
            .sudo()
            ._read_group(domain, ["company_id", "partner_id", "kind"], ["__count", "day:max"])
        ):
            key = owners.get((company.id, partner.id))
            if not key:
                continue
            values = found.setdefault(
                key, {"contact_count": 0, "last_contact_on": last, "notice_on": False}
            )
            values["contact_count"] += count
            values["last_contact_on"] = max(values["last_contact_on"], last)
            if kind == "notice":
                values["notice_on"] = max(values["notice_on"] or last, last)
        return found

    # -- approval ------------------------------------------------------------------------------------

    def action_approve(self):
        """A manager approves; what a protection holds needs their reason."""
        self._check_manager()
        self._check_state("proposed")
        if any(file.caution for file in self):
            return self._open_decision("approve", self.env._("Approve"))
        self._approve()
        return True

    def _approve(self, reason=None):
        self._check_manager()
        self._check_state("proposed")
        for file in self:
            if file.caution and not (reason or "").strip():
                raise UserError(
                    self.env._(
                        "%(file)s: %(caution)s Say why it is handed over all the same.",
                        file=file.name,
                        caution=file.caution,
                    )
                )
            if not file.recipient_id:
                raise UserError(self.env._("%s: choose the professional first.", file.name))
            if file.recipient_id.health_recovery_kind != file.kind:
                raise UserError(
                    self.env._(
                        "%(file)s: %(who)s is not for this road.",
                        file=file.name,
                        who=file.recipient_id.name,
                    )
                )
            limit = file._limit()
            if limit is not None and cents(file.amount_left) > limit:
                raise UserError(
                    self.env._(
                        "%(file)s: %(amount)s is more than this procedure allows (%(limit)s): take another road.",
                        file=file.name,
                        amount=format_cents(cents(file.amount_left)),
                        limit=format_cents(limit),
                    )
                )
        self.sudo().write(
            {
                "state": "approved",
                "approved_on": fields.Date.context_today(self),
                "approved_by_id": self.env.uid,
                "caution_reason": (reason or "").strip() or False,
            }
        )
        self._log("approved", note=reason)
        self._ask_practitioner()
        self._refresh_holds()

    def _limit(self):
        """Most that this road takes, in cents; None: no limit."""
        if self.kind != "bailiff":
            return None
        return self.env["health.parameter"].value_of("handover_small_claim_limit")

    def _refresh_holds(self):
        """The reason why nothing leaves shows at once, not after the next night."""
        shares = self.sudo().line_ids.share_id.filtered(lambda share: share.state not in CLOSED)
        if shares:
            shares._dunning_refresh(self.env["health.cycle"].last_day())

    # -- the practitioner's agreement ----------------------------------------------------------------

    def _ask_practitioner(self):
        """Ask on the practitioner's page: it is their money and their patient."""
        Question = self.env["health.question"].sudo()
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        questions = Question._ask(
            [
                {
                    "company_id": file.company_id.id,
                    "kind": "question",
                    "expects": "choice",
                    "choices": [
                        ["yes", self.env._("I agree")],
                        ["keep", self.env._("No: I will see to it myself")],
                        ["drop", self.env._("No: let it go")],
                    ],
                    "fills": "handover",
                    "patient_id": file._patient().id,
                    "handover_id": file.id,
                    "key": f"handover-{file.id}",
                    "is_automatic": True,
                    "text": self.env._(
                        "File %(file)s: %(amount)s due since %(since)s, %(count)s FSE. "
                        "%(contacts)s contact(s) brought nothing. May we hand it over to %(who)s "
                        "(%(kind)s)? They learn the name, address, numbers, dates and amounts, never the care. "
                        "Their fees are yours, never the patient's.",
                        file=file.name,
                        amount=format_cents(cents(file.amount_left)),
                        since=format_date(self.env, file.oldest_due),
                        count=file.share_count,
                        contacts=file.contact_count,
                        who=file.recipient_id.name,
                        kind=kinds[file.kind],
                    ),
                }
                for file in self
            ]
        )
        for question in questions:
            question.handover_id.sudo().question_id = question

    def _patient(self):
        """The patient whom the practitioner knows: the debtor, or the one they settle for."""
        patients = self.sudo().line_ids.share_id.partner_id
        return self.partner_id if self.partner_id in patients else patients[:1]

    def _consent(self, means, proofs=None):
        """The practitioner agrees.

        :param means: ``page`` or ``paper``; a paper comes with its scan.
        """
        self._check_state("approved")
        if means == "paper":
            self.check_access("write")
            if not proofs:
                raise UserError(self.env._("Attach the agreement that the practitioner signed."))
            # whoever may read the file may read what allows it
            proofs.sudo().write({"res_model": self._name, "res_id": self[:1].id})
        files = self.sudo()
        files.write(
            {
                "state": "agreed",
                "consent_on": fields.Date.context_today(self),
                "consent_means": means,
                "consent_by_id": self.env.uid,
                "consent_proof_ids": [Command.set(proofs.ids)] if proofs else False,
            }
        )
        self._log(
            "agreed",
            note=dict(self._fields["consent_means"]._description_selection(self.env))[means],
        )
        if means == "paper":
            files.question_id.action_cancel()

    def _refuse(self, by, reason):
        """The agency or the practitioner does not want it: the debtor is ours again."""
        self._check_state("proposed", "approved", "agreed")
        reason = self._check_reason(reason)
        files = self.sudo()
        files.write(
            {
                "state": "refused",
                "refused_by": by,
                "refusal": reason,
                "closed_on": fields.Date.context_today(self),
            }
        )
        self._log("refused", note=reason)
        if by == "agency":
            files.question_id.filtered(lambda one: one.state == "open").action_cancel()
        self._refresh_holds()

    # -- with the professional -----------------------------------------------------------------------

    def action_make_pack(self):
        """Make the pack of these files: they are handed over."""
        self.check_access("write")
        packs = self.env["health.handover.pack"]._make(self)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Packs"),
            "res_model": "health.handover.pack",
            "views": [[False, "form"]] if len(packs) == 1 else [[False, "list"], [False, "form"]],
            "res_id": packs.id if len(packs) == 1 else False,
            "domain": [("id", "in", packs.ids)],
        }

    def _set_status(self, kind, day, amount=0, note=False, **values):
        """What the professional says of these files; nothing is booked: the bank alone proves a payment.

        :param int amount: cents that were paid to them.
        """
        self._check_state("handed", "returned")
        if kind == "paid" and amount <= 0:
            raise UserError(self.env._("Say how much was paid to them."))
        self._log(kind, day, note, amount=euros(amount), **values)
        self._follow(kind, day)

    def _follow(self, kind, day):
        """What the news of these files, noted already, changes about them."""
        files = self.sudo()
        newest = files.filtered(lambda file: not file.status_on or file.status_on <= day)
        newest.write({"status": kind, "status_on": day})
        if kind in ("failed", "returned"):
            newest.filtered(lambda file: file.state == "handed").write({"state": "returned"})
        if kind in ("served", "title"):
            shares = files.line_ids.share_id.filtered(lambda share: share.state not in CLOSED)
            shares._interrupt_prescription(
                day,
                "court" if kind == "served" else "acknowledgement",
                ", ".join(files.mapped("name")),
            )

    def action_told(self):
        """The professional was told of what the debtor paid directly."""
        self.check_access("write")
        todo = self.filtered(lambda file: cents(file.amount_to_tell) > 0)
        if not todo:
            raise UserError(self.env._("There is nothing to tell the professional."))
        for amount, files in todo.grouped("amount_to_tell").items():
            files._log("told", amount=amount)
        return True

    def _withdraw(self, reason):
        """The file comes back to us: reminders may go on."""
        self.check_access("write")
        self._check_state("handed", "returned")
        reason = self._check_reason(reason)
        self.sudo().write(
            {
                "state": "closed",
                "outcome": "withdrawn",
                "closed_on": fields.Date.context_today(self),
                "loss_asked_on": False,
            }
        )
        self._log("withdrawn", note=reason)
        self._refresh_holds()

    def action_other_road(self):
        """The professional gave it back: propose another road for what is left."""
        self.check_access("write")
        self._check_state("returned")
        day = fields.Date.context_today(self)
        following = {"collector": "bailiff", "bailiff": "injunction", "injunction": "bailiff"}
        cases = []
        for file in self:
            shares = file.sudo().line_ids.share_id.filtered(lambda one: one.state not in CLOSED)
            case = {
                "company": file.company_id,
                "debtor": file.partner_id,
                "shares": shares,
                "kind": following[file.kind],
                "recipient": self.env["res.partner"],
                "objections": (),
                "caution": file.caution,
                "previous": file.id,
            }
            if shares:
                cases.append(case)
        self.sudo().write({"state": "closed", "outcome": "other_road", "closed_on": day})
        self._log("closed", day, self.env._("Another road is taken."))
        # a share is in one open file at a time, in the database too
        self.env.flush_all()
        return self._open_files(cases, day, self.env.user)._action_open(self.env._("Another road"))

    def action_agree_on_paper(self):
        self.check_access("write")
        self._check_state("approved")
        return self._open_decision("consent", self.env._("Signed agreement"))

    def action_refuse(self):
        self._check_state("proposed", "approved", "agreed")
        return self._open_decision("refuse", self.env._("Refuse"))

    def action_withdraw(self):
        self._check_state("handed", "returned")
        return self._open_decision("withdraw", self.env._("Withdraw"))

    def action_status(self):
        self._check_state("handed", "returned")
        return self._open_decision("status", self.env._("News of the professional"))

    def action_write_off(self):
        self._check_state(*OPEN, "refused")
        return self._open_decision("write_off", self.env._("Write off"))

    # -- loss ----------------------------------------------------------------------------------------

    def _ask_loss(self, reason):
        """Give up what is left: booked at once when the user may, else a manager decides."""
        self.check_access("write")
        self._check_state(*OPEN, "refused")
        reason = self._check_reason(reason)
        for file in self:
            if cents(file.amount_left) <= 0:
                raise UserError(self.env._("Nothing is left to pay of %s.", file.name))
        if self._may_lose():
            self._lose(reason)
            return True
        self._wish_loss(reason)
        return False

    def _wish_loss(self, reason):
        """Somebody wants to give up: a manager decides."""
        self.sudo().write(
            {
                "loss_reason": reason,
                "loss_asked_by_id": self.env.uid,
                "loss_asked_on": fields.Date.context_today(self),
            }
        )
        self._log("loss_asked", note=reason)

    def _may_lose(self):
        limit = self.env["health.parameter"].value_of("write_off_limit")
        return self.env.user.has_group("health_billing.group_manager") or all(
            cents(line.amount_left) <= limit for line in self.line_ids
        )

    def _lose(self, reason):
        """Book the loss of what is left, and close."""
        shares = self.line_ids.share_id.filtered(lambda share: share.state not in CLOSED)
        shares._write_off(reason)
        self.sudo().question_id.filtered(lambda one: one.state == "open").action_cancel()
        self.sudo().write({"loss_asked_on": False, "loss_reason": reason})
        self._log("written_off", note=reason)
        self._settle(fields.Date.context_today(self))

    def action_approve_loss(self):
        """A manager approves the loss that was asked for."""
        self._check_manager()
        self._check_loss_asked()
        for reason, files in self.grouped("loss_reason").items():
            files._lose(reason)
        return True

    def action_refuse_loss(self):
        """A manager wants the money all the same."""
        self._check_manager()
        self._check_loss_asked()
        self.sudo().write({"loss_asked_on": False})
        self._log("loss_refused")
        return True

    def _check_loss_asked(self):
        if self.filtered(lambda file: not file.loss_asked_on):
            raise UserError(self.env._("No loss was asked for."))

    # -- clocks --------------------------------------------------------------------------------------

    def _settle(self, day):
        """Close the files of which nothing is left to pay.

        :return: those closed.
        """
        over = self.filtered(
            lambda file: (
                file.state in (*OPEN, "refused")
                and cents(file.amount_left) <= 0
                and all(line.state in CLOSED for line in file.line_ids)
            )
        )
        for outcome, files in over.grouped(lambda file: file._outcome()).items():
            files.sudo().write({"state": "closed", "outcome": outcome, "closed_on": day})
            files._log("closed", day)
        over.sudo().question_id.filtered(lambda one: one.state == "open").action_cancel()
        return over

    def _outcome(self):
        states = set(self.line_ids.mapped("state"))
        if "written_off" in states:
            return "partly" if cents(self.amount_received) > 0 else "written_off"
        return "paid" if "paid" in states else "replaced"

    @api.model
    def _night(self, day):
        """Close what was paid, propose what is ripe, forget what no longer serves.

        :return: (files proposed, files closed).
        """
        companies = self.env["res.company"].sudo().search([("health_provider_no", "!=", False)])
        closed = self.search(
            [
                ("company_id", "in", companies.ids),
                ("state", "in", OPEN),
                ("amount_left", "<=", 0),
            ]
        )._settle(day)
        proposed = self._propose_night(companies, day)
        self.env["health.handover.pack"]._forget(day)
        return proposed, closed

    # -- screens -------------------------------------------------------------------------------------

    def _open_decision(self, decision, title):
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "health.handover.decide",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_decision": decision,
                "default_handover_ids": [Command.set(self.ids)],
            },
        }

    def _action_open(self, title):
        action = {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "health.handover",
            "views": [[False, "list"], [False, "form"]],
            "domain": [("id", "in", self.ids)],
        }
        if len(self) == 1:
            action.update(views=[[False, "form"]], res_id=self.id)
        return action

    def action_look_for(self):
        """Look now for what the policies say is ripe, for the practitioners that the user has chosen."""
        self.check_access("write")
        day = self.env["health.cycle"].last_day()
        companies = self.env.companies.filtered("health_provider_no")
        found = self._propose_night(companies, day)
        if not found:
            return {
                "type": "ir.actions.client",
                "tag": "display_notification",
                "params": {
                    "type": "info",
                    "message": self.env._("Nothing is ripe to be handed over."),
                },
            }
        return found._action_open(self.env._("Proposed now"))
