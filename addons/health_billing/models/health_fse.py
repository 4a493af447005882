from odoo import api, fields, models

from ..tools import QUIET, cents, euros, format_cents


class HealthFse(models.Model):
    """An FSE (or DRE, degraded or paper claim): the acts billed at once for one patient, and who owes them."""

    _name = "health.fse"
    _description = "FSE"
    _order = "fse_date desc, name desc"
    _check_company_auto = True

    name = fields.Char("FSE number", required=True, index=True)
    company_id = fields.Many2one(
        "res.company",
        string="Practitioner",
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    currency_id = fields.Many2one(related="company_id.currency_id", store=True)
    patient_id = fields.Many2one("res.partner", required=True, index=True, check_company=True)
    kind = fields.Selection(
        [("F", "FSE"), ("B", "Degraded or plain B2"), ("D", "DRE"), ("P", "Paper")],
        required=True,
        default="F",
    )
    fse_date = fields.Date("Date", required=True, index=True)
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
            ("draft", "To post"),
            ("to_send", "To send"),
            ("sent", "Sent"),
            ("partial", "Being paid"),
            ("rejected", "Rejected"),
            ("settled", "Settled"),
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
    quote_id = fields.Many2one(
        "sale.order", string="Quote", index="btree_not_null", copy=False, check_company=True
    )
    overrun = fields.Monetary(help="Part of the total beyond the tariff, owed by the patient.")
    overrun_qualifier = fields.Char(size=2, help="DE: exceptional demand of the patient.")
    finding_ids = fields.One2many("health.finding", "fse_id", string="Findings")
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

    @api.depends("share_ids.state", "share_ids.amount_residual")
    def _compute_state(self):
        for fse in self:
            states = set(fse.share_ids.mapped("state"))
            fse.amount_residual = sum(fse.share_ids.mapped("amount_residual"))
            if not states or "draft" in states:
                fse.state = "draft"
            elif states == {"paid"}:
                fse.state = "settled"
            elif "rejected" in states:
                fse.state = "rejected"
            elif states & {"paid", "partial"}:
                fse.state = "partial"
            else:
                # a claim owed by the patient alone leaves with the lot all the same
                fse.state = "sent" if fse.sent_on else "to_send"

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
        if not count:
            return []
        sequence = self.env.ref("health_billing.sequence_patient").sudo()
        self.env.cr.execute(
            "SELECT nextval(%s) FROM generate_series(1, %s)",
            [f"ir_sequence_{sequence.id:03d}", count],
        )
        return [sequence.get_next_char(number) for (number,) in self.env.cr.fetchall()]

    # -- what stands against sending ---------------------------------------------------------------

    def _obstacles(self, day):
        """Why each FSE may not leave on ``day``: dict of FSE id → list of reasons; extend it, super first.

        Works in batches; an FSE without obstacle may be missing from the dict.
        """
        return self.env["health.coverage"]._obstacles(self, day)

    def action_open_shares(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Shares"),
            "res_model": "health.share",
            "view_mode": "list,form",
            "domain": [("fse_id", "in", self.ids)],
        }
