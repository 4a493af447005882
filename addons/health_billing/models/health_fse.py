from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from .. import ngap
from ..ngap.shares import Terms, split
from ..tools import QUIET, cents, euros, format_cents
from .health_ngap import ADDED_KINDS, OUTSIDE, update_changed

#: what may no longer change once an FSE is validated
BILLED_FIELDS = frozenset(
    {
        "company_id",
        "patient_id",
        "fse_date",
        "insurance_nature",
        "exemption",
        "prescriber_no",
        "prescription_date",
        "prescription_id",
        "amo_partner_id",
        "amo_org",
        "amo_rate",
        "amc_partner_id",
        "amc_org",
        "amc_member",
        "amount_total",
        "overrun",
        "overrun_qualifier",
    }
)


#: what only the product itself writes: an FSE is validated by “Validate”, never by a value
SEALED_FIELDS = frozenset({"validated_on", "validated_by_id", "controlled_on"})
#: what the invoices of the shares say; it may not differ from them afterwards
BOOKED_FIELDS = frozenset(
    {
        "name",
        "company_id",
        "patient_id",
        "kind",
        "fse_date",
        "amo_partner_id",
        "amc_partner_id",
        "amount_total",
        "overrun",
    }
)


class HealthFse(models.Model):
    """An FSE (or DRE, degraded or paper claim): the acts billed at once for one patient, and who owes them."""

    _name = "health.fse"
    _description = "FSE"
    _order = "fse_date desc, name desc"
    _check_company_auto = True

    name = fields.Char("FSE number", required=True, index=True, copy=False)
    company_id = fields.Many2one(
        "res.company",
        string="Practitioner",
        required=True,
        index=True,
        default=lambda self: self._default_practitioner(),
    )
    currency_id = fields.Many2one(related="company_id.currency_id", store=True)
    profession = fields.Selection(related="company_id.health_profession")
    patient_id = fields.Many2one("res.partner", required=True, index=True, check_company=True)
    kind = fields.Selection(
        [("F", "FSE"), ("B", "Degraded or plain B2"), ("D", "DRE"), ("P", "Paper")],
        required=True,
        default="F",
    )
    fse_date = fields.Date("Date", required=True, index=True, default=fields.Date.context_today)
    sent_on = fields.Date(index=True)
    lot_no = fields.Char("Lot as sent", size=3)
    insurance_nature = fields.Selection(selection="_insurance_natures", default="10", required=True)
    exemption = fields.Char("Exemption code", default="0")
    prescriber_no = fields.Char("Prescriber number")
    prescription_date = fields.Date()
    amo_partner_id = fields.Many2one("res.partner", string="Sickness fund")
    amo_org = fields.Char("Regime, fund and centre", size=9)
    amo_rate = fields.Integer("AMO rate (%)")
    amc_partner_id = fields.Many2one("res.partner", string="Complementary insurer")
    amc_org = fields.Char("AMC number", size=10)
    amc_member = fields.Char("AMC member number")
    act_ids = fields.One2many("health.fse.act", "fse_id", string="Acts")
    share_ids = fields.One2many("health.share", "fse_id", string="Shares")
    amount_total = fields.Monetary("Total")
    amount_residual = fields.Monetary("Left to pay", compute="_compute_state", store=True)
    state = fields.Selection(
        [
            ("entered", "To validate"),
            ("draft", "To post"),
            ("to_send", "To send"),
            ("sent", "Sent"),
            ("arl_refused", "Lot refused"),
            ("partial", "Being paid"),
            ("rejected", "Rejected"),
            ("disputed", "In dispute"),
            ("settled", "Settled"),
            ("replaced", "Replaced"),
            ("written_off", "Written off"),
        ],
        compute="_compute_state",
        store=True,
        index=True,
    )
    forclusion_date = fields.Date(
        compute="_compute_forclusion_date",
        store=True,
        index=True,
        help="First day on which the claim is forfeited.",
    )
    replaces_id = fields.Many2one(
        "health.fse",
        help="The refused FSE that this one corrects.",
        index="btree_not_null",
    )
    replaced_by_ids = fields.One2many("health.fse", "replaces_id", string="Replaced by")
    inbox_id = fields.Many2one(
        "health.inbox", string="Came with", index="btree_not_null", copy=False
    )
    fingerprint = fields.Char(copy=False, help="Changes when anything billed changes.")
    origin = fields.Selection(
        [("journal", "Journal of another program"), ("entry", "Entered here")],
        default="entry",
        required=True,
        readonly=True,
    )
    visit_ids = fields.One2many("health.visit", "fse_id", string="Visits")
    coverage_id = fields.Many2one(
        "health.coverage", index="btree_not_null", copy=False, check_company=True
    )
    prescription_id = fields.Many2one(
        "health.prescription", index="btree_not_null", check_company=True
    )
    quote_id = fields.Many2one("sale.order", index="btree_not_null", copy=False, check_company=True)
    overrun = fields.Monetary(help="Part of the total beyond the tariff, owed by the patient.")
    overrun_qualifier = fields.Char(size=2, help="DE: exceptional demand of the patient.")
    finding_ids = fields.One2many("health.finding", "fse_id", string="Findings")
    open_finding_ids = fields.One2many(
        "health.finding", "fse_id", string="Open findings", domain=[("state", "=", "open")]
    )
    blocking_count = fields.Integer("Blocking", compute="_compute_finding_counts")
    warning_count = fields.Integer("Warnings", compute="_compute_finding_counts")
    price_issue = fields.Char("Why it has no price", readonly=True, copy=False)
    who_pays = fields.Char("Who pays what", compute="_compute_who_pays")
    franchise_note = fields.Char("Franchise", compute="_compute_franchise_note")
    controlled_on = fields.Datetime(readonly=True, copy=False)
    validated_on = fields.Datetime(readonly=True, copy=False)
    validated_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    rights_override_reason = fields.Char(copy=False)
    rights_override_user_id = fields.Many2one("res.users", copy=False)

    _number_uniq = models.Constraint(
        "UNIQUE(company_id, name)", "This practitioner already has an FSE with this number."
    )

    @api.model
    def _insurance_natures(self):
        return [
            ("10", self.env._("Illness")),
            ("13", self.env._("Illness, Alsace-Moselle local scheme")),
            ("30", self.env._("Maternity")),
            ("41", self.env._("Work accident")),
            ("90", self.env._("Prevention")),
        ]

    @api.depends(
        "share_ids.state",
        "share_ids.amount_residual",
        "share_ids.debtor_kind",
        "origin",
        "validated_on",
        "sent_on",
    )
    def _compute_state(self):
        for fse in self:
            states = set(fse.share_ids.mapped("state"))
            fse.amount_residual = sum(fse.share_ids.mapped("amount_residual"))
            if fse.origin == "entry" and not fse.validated_on and states <= {"draft"}:
                fse.state = "entered"
            else:
                fse.state = fse._state_from_shares(states)

    def _state_from_shares(self, states):
        """The state that the states of its shares make; shares closed without payment decide nothing."""
        self.ensure_one()
        left = states - {"replaced", "written_off"}
        if "draft" in left or not states:
            return "draft"
        if left <= {"paid"}:
            return self._state_of_closed(states)
        for state in ("rejected", "disputed", "arl_refused"):
            if state in left:
                return state
        if left & {"paid", "partial"}:
            return "partial"
        # a claim owed by the patient alone leaves with the lot all the same
        return "sent" if self.sent_on else "to_send"

    def _state_of_closed(self, states):
        """Nothing is left to pay: paid, billed again under another number, or lost."""
        # the fund's part is the claim; without one, any part billed again makes it another's
        fund = self.share_ids.filtered(lambda share: share.debtor_kind == "amo") or self.share_ids
        if "replaced" in fund.mapped("state"):
            return "replaced"
        return "settled" if "paid" in states else "written_off"

    @api.depends("act_ids.act_date", "fse_date", "share_ids.forclusion_date")
    def _compute_forclusion_date(self):
        # what the fund would say of it, and the earliest of what each payer says
        clock = self.env["health.share"]._forclusion_clocks()["amo"]
        for fse in self:
            days = filter(None, [fse.fse_date, *fse.act_ids.mapped("act_date")])
            dates = [clock.first_forfeited(days), *fse.share_ids.mapped("forclusion_date")]
            fse.forclusion_date = min(filter(None, dates), default=False)

    # -- import of the FSE journal -------------------------------------------------------------------

    @api.model
    def _import_journal(self, journal, inbox):
        """Record the FSE of a journal that was read and checked, and post their shares.

        A known FSE is left as it is when nothing billed changed (what was learnt about sending is taken);
        when something did, it goes to review. Everything happens in batches: the number of queries does not
        depend on the number of FSE.

        :param journal: what ``journal.read_journal`` returned.
        :param inbox: the ``health.inbox`` record of the file; row issues are added to it.
        :return: dict of counts: created, known, updated, amount (cents).
        """
        counts = {"created": 0, "known": 0, "updated": 0, "amount": 0}
        companies = self._companies_of(journal, inbox)
        rows = [row for row in journal.fses if row.provider_no in companies]
        fresh, counts["known"], counts["updated"] = self._split_known(rows, companies, inbox)
        made = self._create_from_rows(fresh, companies, inbox)
        self.env["health.coverage"]._from_fses(made)
        made.share_ids._post_invoices()
        made.filtered(lambda fse: not fse.sent_on)._control()
        counts["created"] = len(made)
        counts["amount"] = sum(row.total("amount") for row in fresh)
        return counts

    @api.model
    def _companies_of(self, journal, inbox):
        numbers = {row.provider_no for row in journal.fses}
        companies = self.env["res.company"].search([("health_provider_no", "in", list(numbers))])
        found = {company.health_provider_no: company for company in companies}
        inbox._add_issues(
            [
                {
                    "row": row.row,
                    "column": "provider_no",
                    "reason": self.env._(
                        "No practitioner has the billing number %s.", row.provider_no
                    ),
                    "reference": row.fse_no,
                }
                for row in journal.fses
                if row.provider_no not in found
            ]
        )
        return found

    @api.model
    def _split_known(self, rows, companies, inbox):
        existing = {
            (fse.company_id.health_provider_no, fse.name): fse
            for fse in self.search(
                [
                    ("company_id", "in", [company.id for company in companies.values()]),
                    ("name", "in", [row.fse_no for row in rows]),
                ]
            )
        }
        fresh, known, issues, sent = [], 0, [], {}
        for row in rows:
            fse = existing.get((row.provider_no, row.fse_no))
            if not fse:
                fresh.append(row)
            elif fse.fingerprint != row.fingerprint:
                issues.append(
                    {
                        "row": row.row,
                        "column": "fse_no",
                        "reason": self.env._(
                            "FSE %(number)s is known with other content (%(known)s recorded, %(new)s in this file): "
                            "a correction leaves under a new number.",
                            number=row.fse_no,
                            known=format_cents(cents(fse.amount_total)),
                            new=format_cents(row.total("amount")),
                        ),
                        "reference": row.fse_no,
                    }
                )
            else:
                known += 1
                if row.sent_on and not fse.sent_on:
                    key = (row.sent_on, row.lot_no or fse.lot_no)
                    sent[key] = sent.get(key, self.browse()) | fse
        inbox._add_issues(issues)
        for (sent_on, lot_no), fses in sent.items():  # one write per lot
            fses.write({"sent_on": sent_on, "lot_no": lot_no})
        return fresh, known, sum(map(len, sent.values()))

    @api.model
    def _create_from_rows(self, rows, companies, inbox):
        Partner = self.env["res.partner"]
        amo = Partner._health_payers("amo", {row.amo_org[:5] for row in rows})
        amc = Partner._health_payers("amc", {row.amc_org for row in rows if row.amc_org})
        patients = self._patients_of(rows, companies)
        products = self.env["product.product"]._health_act_index()
        made = self.with_context(**QUIET).create(
            [
                {
                    "name": row.fse_no,
                    "company_id": companies[row.provider_no].id,
                    "patient_id": patients[self._patient_key(row)].id,
                    "kind": row.kind,
                    "fse_date": row.fse_date,
                    "sent_on": row.sent_on,
                    "lot_no": row.lot_no,
                    "insurance_nature": row.insurance_nature,
                    "exemption": row.exemption,
                    "prescriber_no": row.prescriber_no,
                    "prescription_date": row.prescription_date,
                    "amo_partner_id": amo[row.amo_org[:5]].id,
                    "amo_org": row.amo_org,
                    "amo_rate": max(act.amo_rate for act in row.acts),
                    "amc_partner_id": amc[row.amc_org].id if row.amc_org else False,
                    "amc_org": row.amc_org,
                    "amc_member": row.amc_member,
                    "amount_total": euros(row.total("amount")),
                    "inbox_id": inbox.id,
                    "origin": "journal",
                    "fingerprint": row.fingerprint,
                }
                for row in rows
            ]
        )
        acts, shares = [], []
        for row, fse in zip(rows, made, strict=True):
            profession = companies[row.provider_no].health_profession
            for sequence, act in enumerate(row.acts, start=1):
                acts.append(
                    {
                        "fse_id": fse.id,
                        "sequence": sequence,
                        "act_date": act.act_date,
                        "key_letter": act.key_letter,
                        "coefficient_hundredths": act.coefficient,
                        "quantity": act.quantity,
                        "complement": act.complement or False,
                        "product_id": products.get(
                            (profession, act.key_letter, act.coefficient), False
                        ),
                        "amount": euros(act.amount),
                        "amo_rate": act.amo_rate,
                        "amo_amount": euros(act.amo),
                        "amc_amount": euros(act.amc),
                        "patient_amount": euros(act.patient),
                    }
                )
            for kind, debtor in (
                ("amo", fse.amo_partner_id),
                ("amc", fse.amc_partner_id),
                ("patient", fse.patient_id),
            ):
                amount = row.total(kind)
                if amount:
                    shares.append(
                        {
                            "fse_id": fse.id,
                            "debtor_kind": kind,
                            "partner_id": debtor.id,
                            "amount": euros(amount),
                            "due_date": self.env["health.share"]._due_date(kind, row.fse_date),
                        }
                    )
        self.env["health.fse.act"].create(acts)
        self.env["health.share"].create(shares)
        return made

    @api.model
    def _patient_key(self, row):
        # a child may be on a parent's NIR: birth date and rank tell them apart
        return (row.provider_no, row.nir, row.birth_date, row.birth_rank)

    @api.model
    def _patients_of(self, rows, companies):
        """Patients of the rows, by practitioner, NIR, birth date and rank; the missing ones are made in one batch."""
        Partner = self.env["res.partner"].sudo().with_context(active_test=False)
        known = {}
        for patient in Partner.search(
            [
                ("health_kind", "=", "patient"),
                ("company_id", "in", [company.id for company in companies.values()]),
                ("health_nir", "in", list({row.nir for row in rows})),
            ]
        ):
            key = (
                patient.company_id.health_provider_no,
                patient.health_nir,
                patient.health_birth_date,
                patient.health_birth_rank,
            )
            known[key] = patient
        missing = {}
        for row in rows:
            if self._patient_key(row) not in known:
                missing.setdefault(self._patient_key(row), row)
        references = self._next_references(len(missing))
        made = Partner.with_context(**QUIET).create(
            [
                {
                    "name": f"{row.last_name} {row.first_name}",
                    "health_kind": "patient",
                    "company_id": companies[row.provider_no].id,
                    # the ledger names the patient by this neutral reference
                    "ref": reference,
                    "health_nir": row.nir,
                    "health_birth_date": row.birth_date,
                    "health_birth_rank": row.birth_rank,
                    "lang": "fr_FR"
                    if "fr_FR" in dict(self.env["res.lang"].get_installed())
                    else False,
                    "customer_rank": 1,
                }
                for row, reference in zip(missing.values(), references, strict=True)
            ]
        )
        return known | dict(zip(missing, made, strict=True))

    @api.model
    def _next_references(self, count):
        return self._next_of_sequence("health_billing.sequence_patient", count)

    @api.model
    def _next_of_sequence(self, xmlid, count):
        """The next numbers of a sequence, in one query."""
        if not count:
            return []
        sequence = self.env.ref(xmlid).sudo()
        self.env.cr.execute(
            "SELECT nextval(%s) FROM generate_series(1, %s)",
            [f"ir_sequence_{sequence.id:03d}", count],
        )
        return [sequence.get_next_char(number) for (number,) in self.env.cr.fetchall()]

    # -- entered here --------------------------------------------------------------------------------

    @api.depends("finding_ids.state", "finding_ids.severity")
    def _compute_finding_counts(self):
        counts = {
            (fse.id, severity): count
            for fse, severity, count in self.env["health.finding"]._read_group(
                [("fse_id", "in", self.ids), ("state", "=", "open")],
                ["fse_id", "severity"],
                ["__count"],
            )
        }
        for fse in self:
            fse.blocking_count = counts.get((fse.id, "3"), 0)
            fse.warning_count = counts.get((fse.id, "2"), 0)

    @api.model_create_multi
    def create(self, vals_list):
        """An FSE entered here gets a provisional number, and its own when it is validated."""
        for vals in vals_list:
            self._check_sealed(vals)
        nameless = [vals for vals in vals_list if not vals.get("name")]
        numbers = self._next_of_sequence("health_billing.sequence_fse_entered", len(nameless))
        for vals, number in zip(nameless, numbers, strict=True):
            vals["name"] = number
        return super().create(vals_list)

    def write(self, vals):
        self._check_sealed(vals)
        if BILLED_FIELDS & vals.keys():
            self._check_open()
        if BOOKED_FIELDS & vals.keys():
            self._check_not_booked()
        return super().write(vals)

    def _check_sealed(self, vals):
        """Refuse that a user validates, or opens again, by writing it: control would be passed by."""
        names = SEALED_FIELDS | {"origin"} if self else SEALED_FIELDS
        if not self.env.su and any(vals[name] or self for name in names & vals.keys()):
            raise AccessError(self.env._("An FSE is validated by “Validate”, after its control."))

    def _check_not_booked(self):
        """Refuse that a user changes what is in the books."""
        booked = self.filtered(lambda fse: not self.env.su and fse.sudo().share_ids.move_id)
        if booked:
            raise UserError(
                self.env._(
                    "FSE %s is booked: what its invoices say can no longer be changed.",
                    booked[0].name,
                )
            )

    @api.constrains("patient_id", "prescription_id")
    def _check_patient(self):
        for fse in self.filtered("visit_ids"):
            if fse.visit_ids.patient_id != fse.patient_id:
                raise ValidationError(
                    self.env._(
                        "FSE %(fse)s bills visits of %(patient)s: give it up (its visits are then to bill again) "
                        "rather than changing the patient.",
                        fse=fse.name,
                        patient=fse.visit_ids.patient_id[:1].name,
                    )
                )
        self.prescription_id._check_patients(
            pair
            for fse in self
            for pair in [
                (fse.prescription_id, fse.patient_id),
                *((prescription, fse.patient_id) for prescription in fse.act_ids.prescription_id),
            ]
        )

    def _check_open(self):
        """Refuse to change what a validated FSE bills."""
        closed = self.filtered("validated_on")
        if closed:
            raise UserError(
                self.env._("FSE %s is validated: it can no longer be changed.", closed[0].name)
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_only_entered(self):
        kept = self.filtered(lambda fse: fse.state != "entered")
        if kept:
            raise UserError(
                self.env._(
                    "FSE %s is booked: it is not deleted. Only an FSE that was not validated yet is.",
                    kept[0].name,
                )
            )

    def unlink(self):
        self._give_back_to_replaced()
        self.sudo().visit_ids.write({"state": "done", "fse_id": False})
        return super().unlink()

    def action_discard(self):
        """Give up FSE that are not validated: they go, their visits are to bill again."""
        self.check_access("write")
        # billers delete nothing but what never was a claim; the check is in the deletion itself
        self.sudo().unlink()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("FSE"),
            "res_model": "health.fse",
            "view_mode": "list,form",
            "views": [[False, "list"], [False, "form"]],
            "target": "main",
        }

    @api.model
    def _default_practitioner(self):
        """Who bills: the agency itself never does, so it is no default beside its practitioners."""
        own = self.env.companies.filtered("health_provider_no")
        if self.env.company in own or not own:
            return self.env.company
        return own if len(own) == 1 else False

    @api.onchange("patient_id", "fse_date", "prescription_id")
    def _onchange_who(self):
        """The patient brings practitioner, rights and the one valid prescription, it brings its prescriber."""
        for fse in self:
            if fse.state != "entered":
                continue
            if fse.patient_id.company_id:
                fse.company_id = fse.patient_id.company_id
            fse._suggest_coverage()
            if fse.prescription_id and fse.prescription_id.patient_id != fse.patient_id:
                fse.prescription_id = False
            if not fse.prescription_id and fse._origin.patient_id != fse.patient_id:
                fse.prescription_id = fse._only_prescription()
            if fse.prescription_id:
                fse.prescriber_no = fse.prescription_id.prescriber_no
                fse.prescription_date = fse.prescription_id.date

    def _suggest_coverage(self):
        """Show the rights of the patient on that day as soon as both are known."""
        pairs = {(patient, self.fse_date) for patient in self.patient_id.ids if self.fse_date}
        coverage = next(iter(self.env["health.coverage"]._on(pairs).values()), None)
        if coverage:
            self.update(self._coverage_values(coverage))
        else:
            self.coverage_id = False

    def _only_prescription(self):
        """The prescription of the patient that is valid on that day, where there is but one."""
        if not self.fse_date:
            return self.env["health.prescription"]
        valid = (
            self.env["health.prescription"]
            .search([("patient_id", "in", self.patient_id.ids), ("is_to_complete", "=", False)])
            .filtered(lambda prescription: prescription._covers(self.fse_date))
        )
        return valid if len(valid) == 1 else valid[:0]

    def _compute_all(self):
        """Price, split and control."""
        self._reprice()
        self._split()
        self._control()

    def action_compute(self):
        self._check_some_entered()
        self._compute_all()
        return True

    def _check_some_entered(self):
        self.check_access("write")
        if self and all(fse.state != "entered" for fse in self):
            raise UserError(
                self.env._(
                    "Nothing to compute: only an FSE entered here and not validated yet is priced."
                )
            )

    def _reprice(self):
        """Price the FSE entered here and not validated yet, over the whole days of their practitioners.

        Travel and supplements are lines that pricing adds and takes away; those of posted FSE, and of FSE of
        another program, count for the day but are facts: they stay as they are.
        """
        fses = self.filtered(lambda fse: fse.state == "entered")
        if not fses:
            return
        Ngap = self.env["health.ngap"]
        # a line of the day may stand on another entered FSE: the day is priced as a whole
        priced = Ngap._price(fses)
        letters, products = ngap.letters(), Ngap._product_by_code()
        open_ids = set(
            self.search(
                [
                    ("id", "in", list({row["fse_id"] for _answer, rows in priced for row in rows})),
                    ("state", "=", "entered"),
                ]
            ).ids
        )
        Act = self.env["health.fse.act"]
        tariff = Ngap._tariff()
        created, gone, changes = [], [], {}
        for answer, rows in priced:
            profession = answer.session.profession
            own = {row["id"]: row for row in rows}
            is_supplement = {
                row["id"]: (profession, row["key_letter"]) in letters
                and letters[profession, row["key_letter"]].kind in ADDED_KINDS
                for row in rows
            }
            spare = [row for row in rows if row["is_added"] or is_supplement[row["id"]]]
            main = next(
                (
                    row
                    for row in rows
                    if row["fse_id"] in open_ids
                    and not row["is_added"]
                    and not is_supplement[row["id"]]
                ),
                None,
            )
            for position, priced_line in enumerate(answer.lines):
                line = priced_line.line
                vals = {
                    "key_letter": line.key_letter,
                    "coefficient_hundredths": line.coefficient,
                    "quantity": line.quantity,
                    "complement": line.complement or False,
                    "factor": 100 if line.factor is None else line.factor,
                    "surcharge": priced_line.surcharge,
                    "amount": priced_line.amount,
                    "why": priced_line.why or False,
                }
                if line.act is not None and line.act.code in products:
                    vals["product_id"] = products[line.act.code]
                row = own.get(line.key)
                if row is None:
                    same = [r for r in spare if r["key_letter"] == line.key_letter]
                    row = next((r for r in same if r["fse_id"] not in open_ids), None) or next(
                        iter(same), None
                    )
                    if row is not None:
                        spare.remove(row)
                    elif main is not None:
                        created.append(
                            {
                                **vals,
                                "fse_id": main["fse_id"],
                                "act_date": line.day,
                                "act_time": main["act_time"],
                                "passage": main["passage"],
                                "place": main["place"] or False,
                                "prescription_id": main["prescription_id"],
                                "sequence": 100 + position,
                                "is_added": True,
                                "surcharge": euros(priced_line.surcharge),
                                "amount": euros(priced_line.amount),
                            }
                        )
                        continue
                if row is not None and row["fse_id"] in open_ids:
                    vals["amount"] += row["overrun"]
                    changes[row["id"]] = vals
            for row in spare:
                if row["fse_id"] not in open_ids:
                    continue
                if row["is_added"]:
                    gone.append(row["id"])
                else:
                    # a package that nothing decides but the practitioner: its plain price
                    changes[row["id"]] = self._plain_price(row, answer.session, letters, tariff)
        Act.browse(gone).unlink()
        for act in Act.browse(changes):
            vals = dict(changes[act.id])
            vals["amount"] = euros(vals["amount"])
            vals["surcharge"] = euros(vals["surcharge"])
            update_changed(act, vals)
        Act.create(created)
        touched = self.browse(open_ids) | fses
        issues = {
            row["fse_id"]: " ".join(finding.message for finding in blocking)
            for answer, rows in priced
            # doubtful values are told by TAR-01, which a manager can settle
            if (
                blocking := [
                    one for one in answer.findings if one.severity == ngap.Severity.BLOCKING
                ]
            )
            for row in rows
        }
        for fse in touched:
            update_changed(
                fse,
                {
                    "amount_total": euros(sum(cents(act.amount) for act in fse.act_ids)),
                    "overrun": euros(sum(cents(act.overrun) for act in fse.act_ids)),
                    "price_issue": issues.get(fse.id, False),
                },
            )
        # what is owed follows the price on every FSE of the day that changed
        (touched - fses)._split()

    @api.model
    def _plain_price(self, row, session, letters, tariff):
        letter = letters[session.profession, row["key_letter"]]
        try:
            cents_each = tariff.effective(letter.tariff_letter, session.zone, row["act_date"]).cents
        except ngap.UnknownValue:
            cents_each = 0
        amount = ngap.act_price(cents_each, row["coefficient_hundredths"] or 100, row["quantity"])
        return {"amount": amount + row["overrun"], "surcharge": 0}

    # -- who owes what ---------------------------------------------------------------------------------

    def _split(self):
        """Share the acts of the FSE that are not validated yet between fund, insurer and patient."""
        fses = self.filtered(lambda fse: fse.state == "entered")
        if not fses:
            return
        coverages = self.env["health.coverage"]._on(
            {(act.fse_id.patient_id.id, act.act_date) for act in fses.act_ids}
        )
        terms = {}
        shares = []
        drafts = {(share.fse_id.id, share.debtor_kind): share for share in fses.share_ids}
        for fse in fses:
            acts = fse.act_ids
            first = acts.sorted("act_date")[:1]
            fse._take_coverage(coverages.get((fse.patient_id.id, first.act_date)))
            totals = {"amo": 0, "amc": 0, "patient": 0}
            for act in acts:
                coverage = coverages.get((fse.patient_id.id, act.act_date))
                key = (coverage.id, act.act_date) if coverage else fse
                if key not in terms:
                    terms[key] = fse._terms_on(coverage, act.act_date)
                answer = split(
                    cents(act.amount),
                    terms[key],
                    cents(act.overrun),
                    is_covered=act.key_letter != OUTSIDE,
                )
                update_changed(
                    act,
                    {
                        "amo_rate": terms[key].amo_rate,
                        "amo_amount": euros(answer.amo),
                        "amc_amount": euros(answer.amc),
                        "patient_amount": euros(answer.patient),
                    },
                )
                for kind in totals:
                    # a share without a debtor would be owed by nobody
                    debtor = kind if kind == "patient" or fse[f"{kind}_partner_id"] else "patient"
                    totals[debtor] += getattr(answer, kind)
            totals = fse._owed_anew(totals)
            for kind, debtor in (
                ("amo", fse.amo_partner_id),
                ("amc", fse.amc_partner_id),
                ("patient", fse.patient_id),
            ):
                share = drafts.get((fse.id, kind))
                if share and totals[kind]:
                    drafts.pop((fse.id, kind))
                    update_changed(share, {"amount": euros(totals[kind]), "partner_id": debtor.id})
                elif totals[kind]:
                    shares.append(
                        {
                            "fse_id": fse.id,
                            "debtor_kind": kind,
                            "partner_id": debtor.id,
                            "amount": euros(totals[kind]),
                            "due_date": self.env["health.share"]._due_date(kind, fse.fse_date),
                        }
                    )
        # a share that was never posted is a figure, no fact
        self.env["health.share"].union(*drafts.values()).sudo().unlink()
        self.env["health.share"].create(shares)

    @api.depends("share_ids.amount", "share_ids.partner_id", "coverage_id", "fse_date")
    def _compute_who_pays(self):
        """Third-party and direct payment on one line: who owes what now, and whom the patient is refunded by."""
        order = ["amo", "amc", "patient"]
        for fse in self:
            parts = [
                f"{share.partner_id.name if share.debtor_kind != 'patient' else self.env._('Patient')} "
                f"{format_cents(cents(share.amount))}"
                for share in fse.share_ids.sorted(lambda share: order.index(share.debtor_kind))
            ]
            if parts and fse.coverage_id:
                note = fse.coverage_id._advance_note(fse.fse_date)
                parts += [note] if note else []
            fse.who_pays = " · ".join(parts)

    @api.depends("act_ids.act_date", "act_ids.quantity", "act_ids.key_letter", "patient_id")
    def _compute_franchise_note(self):
        amounts = self.env["health.coverage"]._franchise_by_fse(self)
        for fse in self:
            amount = amounts.get(fse, 0)
            fse.franchise_note = bool(amount) and self.env._(
                "Franchise kept by the fund: %s, never billed", format_cents(amount)
            )

    def _take_coverage(self, coverage):
        """Write on the FSE who covers the patient, where that is known."""
        self.ensure_one()
        if not coverage:
            return
        update_changed(self, self._coverage_values(coverage))

    def _coverage_values(self, coverage):
        has_amc = bool(coverage.amc_partner_id) and coverage._contract_covers(self.fse_date)
        return {
            "coverage_id": coverage.id,
            "amo_partner_id": coverage.amo_partner_id.id,
            "amo_org": coverage.amo_org,
            "amo_rate": coverage.amo_rate,
            "insurance_nature": coverage.insurance_nature,
            "exemption": coverage.exemption,
            "amc_partner_id": coverage.amc_partner_id.id if has_amc else False,
            "amc_org": coverage.amc_org if has_amc else False,
            "amc_member": coverage.amc_member if has_amc else False,
        }

    def _terms_on(self, coverage, day):
        """Conditions of payment of an act of that day: those of the coverage, else what stands on the FSE."""
        self.ensure_one()
        if coverage:
            return coverage._terms(day)
        # without a fund nobody but the patient can be asked
        return Terms(
            self.amo_rate if self.amo_partner_id else 0,
            100 if self.amc_partner_id else 0,
            third_party_amo=bool(self.amo_partner_id),
            third_party_amc=bool(self.amc_partner_id),
        )

    # -- control -----------------------------------------------------------------------------------

    def action_control(self):
        """Control the FSE chosen; those already sent are what they are."""
        todo = self.filtered(lambda fse: not fse.sent_on)
        if not todo:
            raise UserError(self.env._("Nothing to control: these FSE have been sent already."))
        todo._control()
        return True

    def _control(self):
        """Write what control finds about these FSE, in batches.

        What was passed stays passed as long as the same objection stands; what no longer holds goes away.
        """
        self.check_access("read")
        self.env["health.control"]._run(self)

    @api.model
    def _control_unsent(self, patients):
        """Control the FSE of these patients that have not left: what rules look at has changed."""
        if patients:
            self.search([("patient_id", "in", patients.ids), ("sent_on", "=", False)])._control()

    # -- validation --------------------------------------------------------------------------------

    def action_validate(self):
        """Number the FSE, book what is owed, and close them.

        They are priced and controlled once more; what an open objection stands against stays, and is told.
        """
        self._check_some_entered()
        fses = self.filtered(lambda fse: fse.state == "entered")
        fses._compute_all()
        objections = defaultdict(list)
        for finding in self.env["health.finding"].search(
            [("fse_id", "in", fses.ids), ("state", "=", "open"), ("severity", "in", ("2", "3"))]
        ):
            objections[finding.fse_id].append(f"{finding.rule_code} : {finding.message}")
        for fse, text in fses._impossible():
            objections[fse].append(text)
        ready = fses.filtered(lambda fse: fse not in objections)
        if not ready:
            raise UserError(
                self.env._(
                    "Not validated: correct what blocks, pass each warning with a reason.\n%s",
                    "\n".join(
                        f"FSE {fse.name} · {text}"
                        for fse, texts in list(objections.items())[:10]
                        for text in texts
                    ),
                )
            )
        ready._number()
        ready.sudo().write({"validated_on": fields.Datetime.now(), "validated_by_id": self.env.uid})
        ready.share_ids._post_invoices()
        if objections:
            return {
                "type": "ir.actions.client",
                "tag": "display_notification",
                "params": {
                    "type": "warning",
                    "message": self.env._(
                        "%(done)s FSE validated; %(left)s wait for a correction or a reason.",
                        done=len(ready),
                        left=len(objections),
                    ),
                    "next": {"type": "ir.actions.client", "tag": "soft_reload"},
                },
            }
        return True

    def _impossible(self):
        """What no claim can be, whatever the rules say: pairs of FSE and reason."""
        today = max(fields.Date.context_today(self), self.env["health.cycle"].last_day())
        found = []
        for fse in self:
            born = fse.patient_id.sudo().health_birth_date
            days = [fse.fse_date, *fse.act_ids.mapped("act_date")]
            foreign = fse.act_ids.filtered(
                lambda act: (
                    act.product_id.health_profession
                    and act.product_id.health_profession != act.fse_id.profession
                )
            )
            if not fse.act_ids:
                found.append((fse, self.env._("no act is entered.")))
            if max(days) > today:
                found.append(
                    (
                        fse,
                        self.env._(
                            "%s is still to come: care is billed once it is done.",
                            f"{max(days):%d/%m/%Y}",
                        ),
                    )
                )
            if born and min(days) < born:
                found.append(
                    (
                        fse,
                        self.env._(
                            "%s is before the birth of the patient.", f"{min(days):%d/%m/%Y}"
                        ),
                    )
                )
            if foreign:
                found.append(
                    (
                        fse,
                        self.env._(
                            "%s is an act of another profession.",
                            foreign[0].product_id.display_name,
                        ),
                    )
                )
        return found

    def _number(self):
        """Give each FSE the number after the highest one of its practitioner."""
        # touching the companies makes two validations at once take turns
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                WITH turn AS (
                    UPDATE res_company SET write_date = write_date WHERE id = ANY(%(ids)s) RETURNING id
                )
                SELECT turn.id, (SELECT max(name::bigint) FROM health_fse
                                  WHERE company_id = turn.id AND name ~ '^[0-9]{1,9}$')
                  FROM turn
                """,
                ids=self.company_id.ids,
            )
        )
        last = {company: number or 0 for company, number in self.env.cr.fetchall()}
        for fse in self.sorted(lambda fse: (fse.fse_date, fse.id)):
            last[fse.company_id.id] += 1
            fse.name = str(last[fse.company_id.id])

    # -- from visits -------------------------------------------------------------------------------

    @api.model
    def _create_from_visits(self, visits):
        """FSE of the visits that are done and not billed: one per patient, prescription and coverage.

        Safe to call again: a billed visit is left alone. The FSE are priced, split and controlled.

        :return: the FSE made.
        """
        visits = visits.filtered(lambda visit: visit.state == "done" and not visit.fse_id)
        visits = visits.filtered("act_ids").sorted(
            lambda visit: (visit.day, visit.passage, visit.time or "", visit.id)
        )
        if not visits:
            return self.browse()
        most = self.env["health.parameter"].value_of("fse_max_days")
        coverages = self.env["health.coverage"]._on(
            {(visit.patient_id.id, visit.day) for visit in visits}
        )
        groups = {}
        for visit in visits:
            coverage = coverages.get((visit.patient_id.id, visit.day))
            key = (visit.patient_id, visit.prescription_id, coverage.id if coverage else False)
            parts = groups.setdefault(key, [[]])
            days = {one.day for one in parts[-1]}
            if visit.day not in days and len(days) >= most:
                parts.append([])
            parts[-1].append(visit)
        parts = [(key, part) for key, own in groups.items() for part in own]
        fses = self.with_context(**QUIET).create(
            [
                {
                    "company_id": patient.company_id.id,
                    "patient_id": patient.id,
                    "fse_date": max(visit.day for visit in part),
                    "prescription_id": prescription.id,
                    "prescriber_no": prescription.prescriber_no,
                    "prescription_date": prescription.date,
                    "coverage_id": coverage,
                    "act_ids": [
                        fields.Command.create(
                            {
                                "sequence": number,
                                "act_date": visit.day,
                                "act_time": visit.time,
                                "called_time": visit.called_time,
                                "passage": visit.passage,
                                "place": visit.place,
                                "is_emergency": visit.is_emergency,
                                "duration": visit.duration,
                                "group_size": visit.group_size,
                                "prescription_id": prescription.id,
                                "project": prescription.project,
                                "visit_id": visit.id,
                                "product_id": act.product_id.id,
                                "quantity": act.quantity,
                            }
                        )
                        for visit in part
                        for number, act in enumerate(visit.act_ids, start=1)
                    ],
                }
                for (patient, prescription, coverage), part in parts
            ]
        )
        for fse, (_key, part) in zip(fses, parts, strict=True):
            visits.browse([visit.id for visit in part]).sudo().write(
                {"fse_id": fse.id, "state": "billed"}
            )
        fses._compute_all()
        return fses

    # -- what stands against sending ---------------------------------------------------------------

    def _obstacles(self, day):
        """Why each FSE may not leave on ``day``: dict of FSE id → list of reasons; extend it, super first.

        Works in batches; an FSE without obstacle may be missing from the dict.
        """
        result = defaultdict(list)
        for fse, _severity, codes in self.env["health.finding"]._read_group(
            [("fse_id", "in", self.ids), ("state", "=", "open"), ("severity", "=", "3")],
            ["fse_id", "severity"],
            ["rule_code:array_agg_distinct"],
        ):
            result[fse.id].append(self.env._("blocked by control: %s", ", ".join(sorted(codes))))
        for fse_id, reasons in self.env["health.coverage"]._obstacles(self, day).items():
            result[fse_id] += reasons
        return dict(result)

    # -- cockpit -----------------------------------------------------------------------------------

    @api.model
    def _cockpit_cards(self, lane, day):
        """Lane “to complete”: objections by rule, and entered FSE that nobody validated."""
        if lane != "to_complete":
            return []
        Cockpit = self.env["health.cockpit"]
        companies = self.env.companies.ids
        cards = []
        domain = [
            ("company_id", "in", companies),
            ("state", "=", "open"),
            ("severity", "in", ("2", "3")),
            ("fse_id.sent_on", "=", False),
        ]
        titles = {"3": self.env._("Blocked by control"), "2": self.env._("Warnings to decide")}
        for code, severity, fses, message in self.env["health.finding"]._read_group(
            domain,
            ["rule_code", "severity"],
            ["fse_id:recordset", "message:min"],
        ):
            cards.append(
                {
                    "key": f"finding-{severity}-{code}",
                    "title": f"{titles[severity]} · {code}",
                    "why": message,
                    "practitioner": fses.company_id.name if len(fses.company_id) == 1 else "",
                    "count": len(fses),
                    "amount": sum(fses.mapped("amount_total")),
                    "deadline": False,
                    "action": Cockpit._act_window(
                        f"{titles[severity]} · {code}",
                        "health.finding",
                        [*domain, ("rule_code", "=", code), ("severity", "=", severity)],
                    ),
                    "button": self.env._("See the FSE"),
                }
            )
        cards += self._cards_twins()
        waiting = [("company_id", "in", companies), ("state", "=", "entered")]
        for company, count, amount in self._read_group(
            waiting, ["company_id"], ["__count", "amount_total:sum"]
        ):
            cards.append(
                {
                    "key": f"entered-{company.id}",
                    "title": self.env._("FSE to validate"),
                    "why": self.env._("Entered here; nothing is booked nor sent before."),
                    "practitioner": company.name,
                    "count": count,
                    "amount": amount,
                    "deadline": False,
                    "action": Cockpit._act_window(
                        self.env._("FSE to validate"),
                        "health.fse",
                        [*waiting, ("company_id", "=", company.id)],
                    ),
                    "button": self.env._("Validate"),
                }
            )
        return cards

    def action_open_shares(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Shares"),
            "res_model": "health.share",
            "view_mode": "list,form",
            "domain": [("fse_id", "in", self.ids)],
        }

    # -- quote -------------------------------------------------------------------------------------

    def action_health_quote(self):
        """Open the quote of this FSE, or make it of its acts."""
        self.ensure_one()
        if self.quote_id:
            return self.quote_id._action_health_open()
        outside = self.env.ref("health_billing.product_outside")
        lines = []
        for act in self.act_ids:
            quantity = act.quantity or 1
            overrun = act.overrun / quantity
            line = {
                "product_id": act.product_id.id or outside.id,
                "product_uom_qty": quantity,
                "health_tariff": act.amount / quantity - overrun,
                "health_overrun": overrun,
            }
            if not act.product_id:
                line.update(name=f"{act.key_letter} {act.coefficient}", health_is_covered=True)
            lines.append(line)
        Order = self.env["sale.order"]
        action = Order._health_make(
            self.patient_id,
            lines,
            health_prescription_id=self.prescription_id.id,
            health_care_date=self.fse_date,
        )
        self.quote_id = Order.browse(action["res_id"])
        return action
