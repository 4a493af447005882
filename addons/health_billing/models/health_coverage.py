from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..identifiers import exemptions, is_amc_no, is_fund_no, is_nir, is_prescriber_no
from ..ngap import Franchise, Terms, franchise, letters
from ..rights import Period, Signs, act_days, first_day
from ..tools import QUIET, cents, format_cents

#: what decides who pays what: a change of these touches the claims that have not left
TERMS = frozenset(
    {
        "date_from",
        "date_to",
        "case_id",
        "amo_partner_id",
        "amo_org",
        "amo_rate",
        "insurance_nature",
        "exemption",
        "third_party_amo",
        "amc_partner_id",
        "amc_org",
        "amc_member",
        "amc_contract",
        "amc_date_from",
        "amc_date_to",
        "amc_rate",
        "third_party_amc",
    }
)
ADVICE, WARNING, BLOCKING = "1", "2", "3"
#: puts the checks off until all periods are written; no caller from outside can name it
LATER = object()


class HealthCoverage(models.Model):
    """Rights of a patient for a period: who pays what. Periods are half-open and do not overlap."""

    _name = "health.coverage"
    _description = "Patient Coverage"
    _order = "patient_id, date_from desc"
    _check_company_auto = True

    patient_id = fields.Many2one(
        "res.partner",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
        domain=[("health_kind", "=", "patient")],
    )
    company_id = fields.Many2one(
        related="patient_id.company_id", store=True, index=True, string="Practitioner"
    )
    date_from = fields.Date("From", required=True)
    date_to = fields.Date(
        "Until (excluded)", help="First day on which the rights are no longer open."
    )
    case_id = fields.Many2one("health.coverage.case", required=True)
    amo_partner_id = fields.Many2one(
        "res.partner", string="Sickness fund", domain=[("health_kind", "=", "amo")]
    )
    amo_org = fields.Char(
        "Regime, fund and centre",
        size=9,
        compute="_compute_amo_org",
        store=True,
        readonly=False,
        precompute=True,
    )
    amo_rate = fields.Integer(
        "AMO rate (%)", compute="_compute_from_case", store=True, readonly=False, precompute=True
    )
    insurance_nature = fields.Selection(
        string="Nature of insurance",
        selection=lambda self: self.env["health.fse"]._insurance_natures(),
        compute="_compute_from_case",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    exemption = fields.Char(
        "Exemption code",
        size=1,
        compute="_compute_from_case",
        store=True,
        readonly=False,
        precompute=True,
    )
    third_party_amo = fields.Boolean("Third-party payment, AMO", default=True)
    amc_partner_id = fields.Many2one(
        "res.partner", string="Complementary insurer", domain=[("health_kind", "=", "amc")]
    )
    amc_org = fields.Char(
        "AMC number",
        size=10,
        compute="_compute_amc_org",
        store=True,
        readonly=False,
        precompute=True,
    )
    amc_member = fields.Char("AMC member number")
    amc_contract = fields.Char("AMC contract")
    amc_date_from = fields.Date("AMC from")
    amc_date_to = fields.Date("AMC until (excluded)")
    amc_rate = fields.Integer(
        "AMC rate (%)", default=100, help="Part of what the AMO leaves that the contract pays."
    )
    third_party_amc = fields.Boolean("Third-party payment, AMC")
    origin = fields.Selection(
        [("manual", "Entered"), ("journal", "Read on an FSE"), ("proof", "Rights check")],
        default="manual",
        required=True,
        readonly=True,
    )
    seen_on = fields.Date(
        "Seen until", readonly=True, help="Latest day on which an FSE bore these same rights."
    )
    change = fields.Char("What changed", readonly=True, help="From the period before.")
    proof_ids = fields.One2many("health.rights.proof", "coverage_id", string="Proofs")
    proof_date = fields.Date("Checked on", compute="_compute_proof", store=True, index=True)
    proof_result = fields.Selection(
        selection=lambda self: self.env["health.rights.proof"]._results(),
        string="Last result",
        compute="_compute_proof",
        store=True,
    )
    proof_state = fields.Selection(
        [
            ("none", "Never checked"),
            ("old", "To check again"),
            ("fresh", "Checked"),
            ("closed", "Closed"),
        ],
        string="Proof",
        compute="_compute_proof_state",
        search="_search_proof_state",
    )
    is_current = fields.Boolean(
        "In force today", compute="_compute_is_current", search="_search_is_current"
    )
    who_pays = fields.Char("Who pays what", compute="_compute_who_pays")
    unsent_fse_ids = fields.Many2many(
        "health.fse", string="FSE not sent that these rights touch", compute="_compute_unsent_fses"
    )
    unsent_fse_count = fields.Integer("FSE not sent", compute="_compute_unsent_fses")
    pays_rest = fields.Boolean(related="case_id.pays_rest")
    case_grade = fields.Selection(related="case_id.grade", string="Source of the rates")

    # -- what follows from the rest ------------------------------------------------------------------

    @api.depends("case_id")
    def _compute_from_case(self):
        for coverage in self.filtered("case_id"):
            coverage.amo_rate = coverage.case_id.amo_rate
            coverage.insurance_nature = coverage.case_id.insurance_nature
            coverage.exemption = coverage.case_id.exemption

    @api.depends("amo_partner_id")
    def _compute_amo_org(self):
        for coverage in self:
            number = coverage.amo_partner_id.health_org_no
            if number and (coverage.amo_org or "")[:5] != number:
                # centre unknown: zeros, as the funds' files take it
                coverage.amo_org = number.ljust(9, "0")

    @api.depends("amc_partner_id")
    def _compute_amc_org(self):
        for coverage in self:
            coverage.amc_org = coverage.amc_partner_id.health_org_no or coverage.amc_org

    @api.onchange("case_id")
    def _onchange_case_id(self):
        if self.case_id.requires_third_party:
            self.third_party_amo = True

    @api.onchange("amc_partner_id")
    def _onchange_amc_partner_id(self):
        self.third_party_amc = bool(self.amc_partner_id)

    @api.depends("proof_ids.date", "proof_ids.result")
    def _compute_proof(self):
        for coverage in self:
            last = coverage.proof_ids.sorted(lambda proof: (proof.date, proof._origin.id or 0))[-1:]
            coverage.proof_date = last.date
            coverage.proof_result = last.result

    def _proof_limit(self, day):
        """Oldest day of a proof that is still good on ``day``."""
        return day - timedelta(days=self.env["health.parameter"].value_of("rights_proof_max_days"))

    @api.depends("proof_date", "proof_result")
    def _compute_proof_state(self):
        limit = self._proof_limit(fields.Date.context_today(self))
        for coverage in self:
            if not coverage.proof_date:
                coverage.proof_state = "none"
            elif coverage.proof_result != "open":
                coverage.proof_state = "closed"
            else:
                coverage.proof_state = "fresh" if coverage.proof_date >= limit else "old"

    def _search_proof_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        limit = self._proof_limit(fields.Date.context_today(self))
        is_open = Domain("proof_result", "=", "open")
        known = {
            "none": Domain("proof_date", "=", False),
            "closed": Domain("proof_result", "in", ("closed", "changed")),
            "fresh": is_open & Domain("proof_date", ">=", limit),
            "old": is_open & Domain("proof_date", "<", limit),
        }
        return Domain.OR(known[state] for state in value if state in known)

    @api.depends("date_from", "date_to")
    def _compute_is_current(self):
        today = fields.Date.context_today(self)
        for coverage in self:
            coverage.is_current = coverage._covers(today)

    def _search_is_current(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        current = Domain("date_from", "<=", today) & (
            Domain("date_to", "=", False) | Domain("date_to", ">", today)
        )
        return current if True in value else ~current

    @api.depends(*TERMS)
    def _compute_who_pays(self):
        today = fields.Date.context_today(self)
        for coverage in self:
            coverage.who_pays = coverage._who_pays(max(today, coverage.date_from or today))

    def _who_pays(self, day):
        """One line for a person: the parts of fund, insurer and patient on that day."""
        self.ensure_one()
        if not self.case_id:
            return False
        terms = self._terms(day)
        fund = self.amo_partner_id.name or self.env._("Sickness fund")
        insurer = self.amc_partner_id.name or self.env._("Complementary insurer")
        rest = 100 - terms.amo_rate
        if terms.pays_rest and not terms.third_party_amc:
            parts = [f"{fund} 100 %"]
            patient = "0 %"
        else:
            parts = [f"{fund} {terms.amo_rate} %"]
            covered = rest * (100 if terms.pays_rest else terms.amc_rate)
            if covered:
                parts.append(f"{insurer} {self._percent(covered)}")
            patient = self._percent(rest * 100 - covered)
        parts.append(self.env._("Patient %s", patient))
        return " · ".join(filter(None, [*parts, self._advance_note(day)]))

    def _advance_note(self, day):
        """What the patient pays first and is refunded by others, "" where everybody pays their part."""
        self.ensure_one()
        terms = self._terms(day)
        if not terms.third_party_amo and not terms.pays_rest:
            return self.env._("the patient pays first")
        if terms.amc_rate and not terms.third_party_amc and terms.amo_rate < 100:
            return self.env._("the patient pays the insurer's part first")
        return ""

    @api.model
    def _percent(self, hundredths):
        whole, rest = divmod(hundredths, 100)
        return f"{whole},{rest:02d} %" if rest else f"{whole} %"

    @api.depends("patient_id", "date_from", "date_to")
    def _compute_unsent_fses(self):
        touched = self._unsent_fses()
        for coverage in self:
            coverage.unsent_fse_ids = touched.get(coverage.id, False)
            coverage.unsent_fse_count = len(coverage.unsent_fse_ids)

    @api.depends("patient_id", "case_id", "date_from")
    def _compute_display_name(self):
        for coverage in self:
            day = coverage.date_from and coverage.date_from.strftime("%d/%m/%Y")
            coverage.display_name = " · ".join(filter(None, [coverage.case_id.name, day]))

    # -- what is refused ----------------------------------------------------------------------------

    @api.constrains("date_from", "date_to", "patient_id")
    def _check_periods(self):
        if self.env.context.get("health_periods_later") is LATER:
            return
        for coverage in self:
            if coverage.date_to and coverage.date_to < coverage.date_from:
                raise ValidationError(
                    self.env._(
                        "The rights of %(patient)s end on %(end)s, before they begin on %(start)s: mend one of the "
                        "two dates.",
                        patient=coverage.patient_id.name,
                        end=coverage.date_to.strftime("%d/%m/%Y"),
                        start=coverage.date_from.strftime("%d/%m/%Y"),
                    )
                )
        periods = self.search(
            [("patient_id", "in", self.patient_id.ids)], order="patient_id, date_from, id"
        )
        # an empty period says that rights were never open: it meets nobody
        periods = periods.filtered(lambda c: not c.date_to or c.date_to > c.date_from)
        for before, after in zip(periods, periods[1:], strict=False):
            if before.patient_id == after.patient_id and (
                not before.date_to or before.date_to > after.date_from
            ):
                raise ValidationError(
                    self.env._(
                        "%(patient)s has two sets of rights on %(day)s: end the first (from %(start)s) on that day.",
                        patient=after.patient_id.name,
                        day=after.date_from.strftime("%d/%m/%Y"),
                        start=before.date_from.strftime("%d/%m/%Y"),
                    )
                )

    @api.constrains("amc_date_from", "amc_date_to")
    def _check_contract_dates(self):
        for coverage in self:
            start, end = coverage.amc_date_from, coverage.amc_date_to
            if start and end and end <= start:
                raise ValidationError(
                    self.env._(
                        "The insurer's contract of %s ends before it begins: mend its dates.",
                        coverage.patient_id.name,
                    )
                )

    @api.constrains("amo_rate", "amc_rate")
    def _check_rates(self):
        for coverage in self:
            for rate in (coverage.amo_rate, coverage.amc_rate):
                if not 0 <= rate <= 100:
                    raise ValidationError(
                        self.env._(
                            "%(patient)s: a rate goes from 0 to 100 %%, not %(rate)s.",
                            patient=coverage.patient_id.name,
                            rate=rate,
                        )
                    )

    @api.constrains("case_id", "third_party_amo")
    def _check_third_party(self):
        for coverage in self:
            if coverage.origin == "journal":
                continue
            if coverage.case_id.requires_third_party and not coverage.third_party_amo:
                raise ValidationError(
                    self.env._(
                        "%(patient)s: under “%(case)s” the patient advances nothing, keep the third-party payment.",
                        patient=coverage.patient_id.name,
                        case=coverage.case_id.name,
                    )
                )

    @api.constrains("amo_org", "amc_org", "exemption", "origin")
    def _check_numbers(self):
        for coverage in self:
            # what another program wrote is kept as it is: a finding tells
            if coverage.origin == "journal":
                continue
            if coverage.amo_org and not is_fund_no(coverage.amo_org):
                raise ValidationError(
                    self.env._(
                        "Fund number %s: a known regime (2 digits), the fund (3) and the centre (4) are expected.",
                        coverage.amo_org,
                    )
                )
            if coverage.amc_org and not is_amc_no(coverage.amc_org):
                raise ValidationError(
                    self.env._("Insurer number %s: 8 to 10 digits are expected.", coverage.amc_org)
                )
            if (coverage.exemption or "0") not in exemptions():
                raise ValidationError(
                    self.env._(
                        "Exemption code %(code)s is unknown; known ones: %(known)s.",
                        code=coverage.exemption,
                        known=", ".join(exemptions()),
                    )
                )

    # -- questions others ask -----------------------------------------------------------------------

    def _covers(self, day):
        self.ensure_one()
        return bool(
            self.date_from and self.date_from <= day and (not self.date_to or day < self.date_to)
        )

    def _contract_covers(self, day):
        """Whether the insurer's contract is in force."""
        self.ensure_one()
        return bool(
            (self.amc_partner_id or self.amc_org)
            and (not self.amc_date_from or self.amc_date_from <= day)
            and (not self.amc_date_to or day < self.amc_date_to)
        )

    def _terms(self, day):
        """Terms of payment on that day, as ``ngap.split`` takes them."""
        self.ensure_one()
        insured = self._contract_covers(day)
        return Terms(
            amo_rate=self.amo_rate,
            amc_rate=self.amc_rate if insured else 0,
            third_party_amo=self.third_party_amo,
            third_party_amc=self.third_party_amc and insured,
            pays_rest=self.case_id.pays_rest,
        )

    @api.model
    def _on(self, pairs):
        """Rights on given days, in one query.

        :param pairs: set of (patient id, day).
        :return: dict of every pair → the coverage, or an empty recordset.
        """
        found = dict.fromkeys(pairs, self.browse())
        if not pairs:
            return found
        days = [day for _patient, day in pairs]
        periods = self.search_fetch(
            [
                ("patient_id", "in", list({patient for patient, _day in pairs})),
                ("date_from", "<=", max(days)),
                "|",
                ("date_to", "=", False),
                ("date_to", ">", min(days)),
            ]
        )
        by_patient = periods.grouped(lambda coverage: coverage.patient_id.id)
        for patient, day in pairs:
            for coverage in by_patient.get(patient, ()):
                if coverage._covers(day):
                    found[patient, day] = coverage
                    break
        return found

    @api.model
    def _terms_on(self, pairs):
        """Terms of payment on given days: dict of (patient id, day) → ``Terms``, ``None`` where no rights are known."""
        return {
            (patient, day): coverage._terms(day) if coverage else None
            for (patient, day), coverage in self._on(pairs).items()
        }

    @api.model
    def _franchise(self, fses):
        """Medical franchise that the fund will keep from the patients: information, never billed.

        :return: dict of patient id → dict of day → cents, for the acts of these FSE.
        """
        done = defaultdict(list)
        for fse, days in self._franchise_days(fses).items():
            done[fse.patient_id.id] += days
        return {patient: franchise(days, self._franchise_terms()) for patient, days in done.items()}

    @api.model
    def _franchise_by_fse(self, fses):
        """The same by FSE, each looked at alone: dict of FSE → cents."""
        terms = self._franchise_terms()
        return {
            fse: sum(franchise(days, terms).values())
            for fse, days in self._franchise_days(fses).items()
        }

    @api.model
    def _franchise_terms(self):
        value = self.env["health.parameter"].value_of
        return Franchise(
            value("franchise_act_cents"),
            value("franchise_day_cents"),
            value("franchise_year_cents"),
        )

    @api.model
    def _franchise_days(self, fses):
        """The days of the acts that bear a franchise, one for each: dict of FSE → list of days."""
        adult = self.env["health.parameter"].value_of("franchise_adult_age")
        travel = {letter.letter for letter in letters().values() if letter.kind != "act"}
        acts = fses.filtered("patient_id").act_ids.filtered(
            lambda act: act.act_date and act.key_letter not in travel
        )
        rights = self._on({(act.fse_id.patient_id.id, act.act_date) for act in acts})
        days = defaultdict(list)
        for act in acts:
            patient, day = act.fse_id.patient_id.sudo(), act.act_date
            born = patient.health_birth_date
            is_minor = born and (
                day.year - born.year - ((day.month, day.day) < (born.month, born.day)) < adult
            )
            if not is_minor and not rights[patient.id, day].case_id.is_franchise_exempt:
                days[act.fse_id] += [day] * act.quantity
        return days

    # -- coverage read on imported FSE ------------------------------------------------------------

    @api.model
    def _from_fses(self, fses):
        """Learn the rights that imported FSE bear, and give each FSE its coverage; in batches.

        A period is made where none is known, extended where the same rights are seen again. Where an FSE
        bears others, the period read before ends that day and the next one tells what changed. What a
        person entered or a check proved is never overwritten: the difference shows as a finding. Rights
        closed by a proof are not opened again by an FSE.

        :return: the coverages made.
        """
        fses = fses.filtered("patient_id").sorted(lambda fse: (first_day(fse), fse.id))
        if not fses:
            return self
        known = self.search(
            [("patient_id", "in", fses.patient_id.ids)], order="patient_id, date_from, id"
        )
        closed = self.env["health.rights.proof"]._closed_from(fses.patient_id)
        timelines = defaultdict(list)
        for coverage in known:
            timelines[coverage.patient_id.id].append(Period.of(coverage))
        cases = self.env["health.coverage.case"]._index()
        seats = {}
        for fse in fses:
            seat = self._seat(fse, timelines[fse.patient_id.id], closed, cases)
            if seat:
                seats.setdefault(seat, []).append(fse.id)
        periods = [period for timeline in timelines.values() for period in timeline]
        made = self._save_periods(periods)
        for period, ids in seats.items():
            self.env["health.fse"].browse(ids).with_context(**QUIET).write(
                {"coverage_id": period.record.id}
            )
        return made

    @api.model
    def _seat(self, fse, timeline, closed, cases):
        """Period of the timeline under which the FSE falls, the timeline being completed as needed."""
        day = first_day(fse)
        there = next((period for period in timeline if period.covers(day)), None)
        signs = Signs.of(fse)
        if there is None and not signs.rate:
            # nothing of it is covered: it tells nothing of the rights
            return None
        if there is None:
            end = closed.get(fse.patient_id.id)
            if end and end <= day:
                return None
            later = min((p.start for p in timeline if p.start > day), default=None)
            after = next((p for p in timeline if p.start == later), None) if later else None
            if after and after.is_read and not after.difference(signs):
                # the same rights, seen earlier than we knew
                after.start = day
                return after
            there = Period.learnt(fse, signs, day, later, cases)
            timeline.append(there)
            return there
        difference = there.difference(signs)
        if not difference:
            if there.is_read:
                there.seen = max(there.seen or day, day)
                there.complete(signs)
            return there
        if not there.is_read or day <= (there.seen or there.start):
            # typed or proven, or other FSE of that day or later bear the old ones: the finding tells
            return there
        fresh = Period.learnt(fse, signs, day, there.end, cases)
        if not fresh.values.get("amc_org"):
            fresh.inherit_contract(there)
        fresh.values["change"] = self.env._(
            "FSE %(number)s: %(change)s",
            number=fse.name,
            change="; ".join(self._difference_label(*part) for part in difference),
        )
        there.end = day
        timeline.append(fresh)
        return fresh

    @api.model
    def _save_periods(self, periods):
        """Write what changed and create what is new, the overlap being checked once at the end."""
        Coverage = self.with_context(health_periods_later=LATER, **QUIET)
        fresh = [period for period in periods if not period.record]
        made = Coverage.create([period.create_values() for period in fresh])
        for period, coverage in zip(fresh, made, strict=True):
            period.record = coverage.with_env(self.env)
        touched = self.browse()
        for period in periods:
            values = period.changes()
            if values:
                period.record.with_context(health_periods_later=LATER, **QUIET).write(values)
                touched |= period.record
        made = made.with_env(self.env)
        (made | touched)._check_periods()
        return made

    @api.model
    def _difference_label(self, field, old, new):
        labels = {
            "fund": self.env._("fund %(old)s → %(new)s", old=old or "?", new=new),
            "rate": self.env._("rate %(old)s %% → %(new)s %%", old=old, new=new),
            "nature": self.env._("nature of insurance %(old)s → %(new)s", old=old, new=new),
            "exemption": self.env._("exemption %(old)s → %(new)s", old=old, new=new),
            "insurer": self.env._("insurer %(old)s → %(new)s", old=old or "–", new=new),
        }
        return labels[field]

    # -- findings -----------------------------------------------------------------------------------

    @api.model
    def _findings(self, fses):
        """What the rights say against these FSE, as values of findings; in batches."""
        fses = fses.filtered("patient_id")
        pairs = {(fse.patient_id.id, day) for fse in fses for day in act_days(fse)}
        rights = self._on(pairs)
        closed = self.env["health.rights.proof"]._closed_from(fses.patient_id)
        found = []
        for fse in fses:
            for day in sorted(act_days(fse)):
                coverage = rights[fse.patient_id.id, day]
                if not coverage:
                    found.append(self._finding_without_rights(fse, day, closed))
                    continue
                found += self._findings_of_day(fse, coverage, day)
            found += self._identifier_findings(fse)
        if self.env["health.parameter"].value_of("rights_proof_policy") == 1:
            today = fields.Date.context_today(self)
            found += [
                self._finding(fse, "DRO-09", WARNING, reason)
                for fse, _coverage, reason in self._unproven(fses, today)
            ]
        # several days of one FSE may say the same
        return list({(f["fse_id"], f["rule_code"], f["message"]): f for f in found}.values())

    @api.model
    def _finding(self, fse, code, severity, message, reference=False):
        return {
            "fse_id": fse.id,
            "rule_code": code,
            "severity": severity,
            "message": message,
            "reference": reference,
            "act_id": False,
            "proposal": False,
        }

    @api.model
    def _finding_without_rights(self, fse, day, closed):
        written = day.strftime("%d/%m/%Y")
        end = closed.get(fse.patient_id.id)
        if end and end <= day:
            return self._finding(
                fse,
                "DRO-03",
                BLOCKING,
                self.env._(
                    "Rights closed since %(end)s by a check, and an act on %(day)s: ask the fund, enter the new rights "
                    "or bill the patient.",
                    end=end.strftime("%d/%m/%Y"),
                    day=written,
                ),
            )
        return self._finding(
            fse,
            "DRO-01",
            WARNING,
            self.env._(
                "No rights are known on %s, day of an act: enter them on the patient's form, after a check.",
                written,
            ),
        )

    @api.model
    def _findings_of_day(self, fse, coverage, day):
        found = []
        written = day.strftime("%d/%m/%Y")
        period = Period.of(coverage)
        difference = period.difference(Signs.of(fse))
        if difference:
            parts = "; ".join(self._difference_label(*part) for part in difference)
            found.append(
                self._finding(
                    fse,
                    "DRO-02",
                    WARNING,
                    self.env._(
                        "The FSE does not bear the rights of %(day)s (rights → FSE): %(parts)s. Correct the FSE, "
                        "or the rights if they changed.",
                        day=written,
                        parts=parts,
                    ),
                )
            )
        elif period.is_unrelated_to(Signs.of(fse)):
            found.append(
                self._finding(
                    fse,
                    "DRO-02",
                    ADVICE,
                    self.env._(
                        "Billed at %(rate)s %% although the rights of %(day)s exempt care for the ALD: right only when "
                        "the care has nothing to do with it.",
                        rate=fse.amo_rate,
                        day=written,
                    ),
                )
            )
        if (
            fse.amc_org
            and (coverage.amc_org or coverage.amc_partner_id)
            and not coverage._contract_covers(day)
        ):
            found.append(
                self._finding(
                    fse,
                    "DRO-04",
                    WARNING,
                    self.env._(
                        "The contract with %(insurer)s is not in force on %(day)s: ask for the new card, or bill the "
                        "patient that part.",
                        insurer=coverage.amc_partner_id.name or coverage.amc_org,
                        day=written,
                    ),
                )
            )
        if coverage.case_id.forbids_overrun and fse.overrun > 0:
            # an exceptional demand of the patient is the one way: a person decides
            demanded = fse.overrun_qualifier == "DE"
            found.append(
                self._finding(
                    fse,
                    "DRO-05",
                    WARNING if demanded else BLOCKING,
                    self.env._(
                        "No overrun may be asked under “%(case)s” (%(amount)s here): take it off, unless the patient "
                        "demanded a time or a place (DE).",
                        case=coverage.case_id.name,
                        amount=format_cents(cents(fse.overrun)),
                    ),
                    "CSS L162-5-13 ; CSP L1110-3",
                )
            )
        return found

    @api.model
    def _identifier_findings(self, fse):
        """Numbers that the payers would refuse."""
        found = []
        patient = fse.patient_id.sudo()
        if not is_nir(patient.health_nir):
            found.append(
                self._finding(
                    fse,
                    "DRO-06",
                    WARNING,
                    self.env._(
                        "%s has no NIR: the fund cannot recognize them. Take it from the card or the certificate.",
                        patient.name,
                    ),
                )
            )
        if fse.prescriber_no and not is_prescriber_no(fse.prescriber_no):
            found.append(
                self._finding(
                    fse,
                    "DRO-07",
                    WARNING,
                    self.env._(
                        "Prescriber number %s is wrong (its key does not match): 11 digits for an RPPS, 9 for an "
                        "ADELI or FINESS number; read it again on the prescription.",
                        fse.prescriber_no,
                    ),
                )
            )
        if fse.amo_org and not is_fund_no(fse.amo_org):
            found.append(
                self._finding(
                    fse,
                    "DRO-08",
                    WARNING,
                    self.env._(
                        "Fund number %s: its first two digits name no known regime; read it again on the certificate.",
                        fse.amo_org,
                    ),
                )
            )
        return found

    # -- the gate before sending --------------------------------------------------------------------

    @api.model
    def _unproven(self, fses, day):
        """FSE for which no recent proof says that the rights are open.

        An FSE that no payer owes needs none, nor one for which somebody answers (override).

        :return: list of (fse, coverage or empty, reason in the user's language).
        """
        fses = fses.filtered(
            lambda fse: (
                fse.patient_id
                and not fse.rights_override_reason
                and any(share.debtor_kind != "patient" and share.amount for share in fse.share_ids)
            )
        )
        limit = self._proof_limit(day)
        last_days = {fse: max(act_days(fse)) for fse in fses}
        rights = self._on({(fse.patient_id.id, last) for fse, last in last_days.items()})
        found = []
        for fse in fses:
            coverage = rights[fse.patient_id.id, last_days[fse]]
            if not coverage:
                reason = self.env._(
                    "No rights are known on %s: enter and check them before sending.",
                    last_days[fse].strftime("%d/%m/%Y"),
                )
            elif not coverage.proof_date:
                reason = self.env._("The rights were never checked: check them before sending.")
            elif coverage.proof_result != "open":
                reason = self.env._(
                    "The last check of the rights, on %s, did not find them open: enter the new rights and check them.",
                    coverage.proof_date.strftime("%d/%m/%Y"),
                )
            elif coverage.proof_date < limit:
                reason = self.env._(
                    "The rights were last checked on %s, too long ago: check them again before sending.",
                    coverage.proof_date.strftime("%d/%m/%Y"),
                )
            else:
                continue
            found.append((fse, coverage, reason))
        return found

    @api.model
    def _obstacles(self, fses, day):
        """Why FSE may not leave on ``day`` for want of a proof: dict of FSE id → list of reasons."""
        if self.env["health.parameter"].value_of("rights_proof_policy") < 2:
            return {}
        return {fse.id: [reason] for fse, _coverage, reason in self._unproven(fses, day)}

    # -- claims that a change touches ---------------------------------------------------------------

    def _unsent_fses(self):
        """FSE not sent whose acts fall under these rights, or that were split by them: dict of coverage id → FSE."""
        stored = self.filtered(lambda coverage: coverage._origin.id)
        if not stored:
            return {}
        fses = self.env["health.fse"].search(
            [
                ("patient_id", "in", stored.patient_id.ids),
                ("sent_on", "=", False),
                ("kind", "!=", "P"),
            ]
        )
        by_patient = fses.grouped("patient_id")
        return {
            coverage.id: by_patient.get(coverage.patient_id, fses.browse()).filtered(
                lambda fse, coverage=coverage: (
                    fse.coverage_id == coverage._origin
                    or any(coverage._covers(day) for day in act_days(fse))
                )
            )
            for coverage in stored
        }

    def _touched_fses(self):
        return self.env["health.fse"].union(*self._unsent_fses().values())

    @api.model_create_multi
    def create(self, vals_list):
        coverages = super().create(vals_list)
        if self.env.context.get("health_periods_later") is not LATER:
            coverages._review_touched(coverages._touched_fses())
        return coverages

    def unlink(self):
        fses = self._touched_fses()
        result = super().unlink()
        self._review_touched(fses)
        return result

    def write(self, vals):
        if self.env.context.get("health_periods_later") is LATER or not TERMS & vals.keys():
            return super().write(vals)
        before = self._touched_fses()
        result = super().write(vals)
        self._review_touched(before | self._touched_fses())
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_only_unused(self):
        """Rights under which something was billed are the reason of what each payer owes."""
        used = (
            self.env["health.fse"]
            .sudo()
            .search([("coverage_id", "in", self.ids), ("state", "!=", "entered")], limit=1)
        )
        if used:
            raise UserError(
                self.env._(
                    "FSE %(fse)s was billed under these rights of %(patient)s: give them an end instead.",
                    fse=used.name,
                    patient=used.patient_id.name,
                )
            )

    @api.model
    def _review_touched(self, fses):
        """The claims not sent are controlled again, so that a change of rights shows on them."""
        if fses:
            fses._control()

    def action_open_unsent(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("FSE not sent"),
            "res_model": "health.fse",
            "view_mode": "list,form",
            "domain": [("id", "in", self._touched_fses().ids)],
        }

    def action_resplit(self):
        """Share the FSE to validate again by these rights; posted shares and other programs' FSE are left alone."""
        self.check_access("write")
        fses = self._touched_fses().filtered(lambda fse: fse.state == "entered")
        if not fses:
            raise UserError(
                self.env._(
                    "No FSE entered here is still to validate under these rights. What was validated or billed by "
                    "another program is corrected there."
                )
            )
        fses._split()
        fses._control()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("%s FSE shared again by these rights.", len(fses)),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def action_new_period(self):
        """Open a form for the rights that follow these."""
        self.ensure_one()
        start = self.date_to or fields.Date.context_today(self)
        copied = {
            f"default_{name}": self[name].id if name.endswith("_id") else self[name]
            for name in TERMS - {"date_from", "date_to", "amc_date_from", "amc_date_to"}
        }
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New rights"),
            "res_model": "health.coverage",
            "view_mode": "form",
            "context": {
                **copied,
                "default_patient_id": self.patient_id.id,
                "default_date_from": fields.Date.to_string(start),
            },
        }

    def action_check(self):
        """Open the wizard that records a check for these rights at once."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Record a check of rights"),
            "res_model": "health.rights.proof.batch",
            "view_mode": "form",
            "target": "new",
            "context": {"default_coverage_ids": self.ids},
        }

    # -- cockpit ------------------------------------------------------------------------------------

    @api.model
    def _cockpit_cards(self, lane, day):
        if lane == "deadlines":
            return self._ending_cards(day)
        if lane == "to_complete":
            return self._proof_cards(day)
        return []

    @api.model
    def _ending_cards(self, day):
        """Rights that end soon while care goes on, one card per practitioner, before the next act."""
        horizon = day + timedelta(
            days=self.env["health.parameter"].value_of("rights_end_warn_days")
        )
        ending = self.search(
            [
                ("company_id", "in", self.env.companies.ids),
                ("date_to", ">", day),
                ("date_to", "<=", horizon),
            ]
        )
        if not ending:
            return []
        followed = self._on({(c.patient_id.id, c.date_to) for c in ending})
        ending = ending.filtered(lambda c: not followed[c.patient_id.id, c.date_to])
        next_acts = self._next_acts(ending)
        ending = ending.filtered(lambda c: c.id in next_acts)
        cards = []
        for company, coverages in ending.grouped("company_id").items():
            cards.append(
                {
                    "key": f"rights-end-{company.id}",
                    "title": self.env._("Rights about to end"),
                    "why": self.env._(
                        "%s patient(s) have care planned after their rights end.", len(coverages)
                    ),
                    "practitioner": company.name,
                    "count": len(coverages),
                    "amount": 0.0,
                    "deadline": min(next_acts[c.id] for c in coverages),
                    "action": self.env["health.cockpit"]._act_window(
                        self.env._("Rights about to end"),
                        "health.coverage",
                        [("id", "in", coverages.ids)],
                    ),
                    "button": self.env._("See the rights"),
                }
            )
        return cards

    @api.model
    def _next_acts(self, coverages):
        """First day of care planned once each coverage has ended: dict of coverage id → day."""
        found = {}
        if not coverages:
            return found
        start = min(coverages.mapped("date_to"))
        visits = defaultdict(list)
        for patient, day, _count in self.env["health.visit"]._read_group(
            [
                ("patient_id", "in", coverages.patient_id.ids),
                ("state", "=", "planned"),
                ("day", ">=", start),
            ],
            ["patient_id", "day:day"],
            ["__count"],
        ):
            visits[patient.id].append(day)
        plans = self.env["health.round.plan"].search(
            [
                ("patient_id", "in", coverages.patient_id.ids),
                "|",
                ("date_to", "=", False),
                ("date_to", ">", start),
            ]
        )
        by_patient = plans.grouped(lambda plan: plan.patient_id.id)
        for coverage in coverages:
            end, patient = coverage.date_to, coverage.patient_id.id
            days = [day for day in visits[patient] if day >= end]
            days += [
                max(end, plan.date_from)
                for plan in by_patient.get(patient, ())
                if not plan.date_to or plan.date_to > end
            ]
            if days:
                found[coverage.id] = min(days)
        return found

    @api.model
    def _proof_cards(self, day):
        """Rights to check because FSE wait for it, one card per fund."""
        if not self.env["health.parameter"].value_of("rights_proof_policy"):
            return []
        waiting = self.env["health.fse"].search(
            [
                ("company_id", "in", self.env.companies.ids),
                ("sent_on", "=", False),
                ("kind", "!=", "P"),
                ("rights_override_reason", "=", False),
            ]
        )
        by_fund = defaultdict(lambda: [self.env["health.fse"], self])
        for fse, coverage, _reason in self._unproven(waiting, day):
            group = by_fund[fse.amo_partner_id]
            group[0] |= fse
            group[1] |= coverage
        cards = []
        for fund, (fses, coverages) in by_fund.items():
            action = (
                self.env["health.cockpit"]._act_window(
                    self.env._("Rights to check"),
                    "health.coverage",
                    [("id", "in", coverages.ids)],
                )
                if coverages
                else self.env["health.cockpit"]._act_window(
                    self.env._("FSE without rights"), "health.fse", [("id", "in", fses.ids)]
                )
            )
            cards.append(
                {
                    "key": f"rights-{fund.id}",
                    "title": self.env._("%s rights to check", len(coverages) or len(fses)),
                    "why": self.env._(
                        "%(fund)s: %(count)s FSE wait for a recent proof of rights.",
                        fund=fund.name or self.env._("Unknown fund"),
                        count=len(fses),
                    ),
                    "practitioner": fses.company_id.name if len(fses.company_id) == 1 else "",
                    "count": len(coverages) or len(fses),
                    "amount": sum(fses.mapped("amount_total")),
                    "deadline": False,
                    "action": action,
                    "button": self.env._("Check the rights"),
                }
            )
        return cards
