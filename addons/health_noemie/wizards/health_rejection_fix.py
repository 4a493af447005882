from collections import Counter, defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.health_billing.models.health_coverage import LATER, TERMS
from odoo.addons.health_billing.rights import act_days
from odoo.addons.health_billing.tools import QUIET, cents, format_cents

from ..models.health_reject_family import SENDS_AGAIN

#: corrections that make a new claim, in a lot or not
CLAIMS = (*SENDS_AGAIN, "paper", "patient")
#: corrections that must change something of the claim: the same one would be refused again
MUST_CHANGE = ("rights", "identity", "prescription", "coding", "amc")
#: fields of the wizard that are fields of the rights
RIGHTS = ("case_id", "amo_partner_id", "amo_org", "amo_rate", "insurance_nature", "exemption")
CONTRACT = ("amc_partner_id", "amc_contract", "amc_rate", "amc_date_from", "amc_date_to")


class _GivenUp(Exception):
    """Ends a trial: everything it did is rolled back."""


class HealthRejectionFix(models.TransientModel):
    """Correct one rejection, or many alike, and send the claims again: what changes is shown before.

    The whole correction is tried at once and rolled back, so that “after” is what the product would really bill,
    and what control would object stands beside the claim before anything is booked.
    """

    _name = "health.rejection.fix"
    _description = "Correct Rejections"

    line_ids = fields.One2many("health.rejection.fix.line", "wizard_id", string="Rejections")
    kind = fields.Selection(
        selection=lambda self: self.env["health.reject.family"]._fixes(),
        string="Correction",
        required=True,
    )
    sends_again = fields.Boolean(compute="_compute_summary")
    is_claim = fields.Boolean(compute="_compute_summary")
    summary = fields.Char(compute="_compute_summary")
    fixed_by = fields.Char("Who fixes", compute="_compute_summary")
    advice = fields.Text("What to do", compute="_compute_summary")
    last_day = fields.Date("Last day to claim", compute="_compute_summary")
    has_warnings = fields.Boolean(compute="_compute_has_warnings")
    pass_reason = fields.Char(
        "Reason for passing the warnings",
        help="Kept with each warning; what blocks is never passed.",
    )
    with_lot = fields.Boolean("Put in a lot at once", default=True)
    is_tried = fields.Boolean(help="Whether “after” is that of the values shown.")

    # -- rights and contract
    proof_method = fields.Selection(
        selection=lambda self: self.env["health.rights.proof"]._fields["method"].selection,
        string="Rights checked by",
    )
    valid_from = fields.Date("In force from", help="Empty: from the first care of each claim.")
    case_id = fields.Many2one("health.coverage.case", string="Coverage")
    amo_partner_id = fields.Many2one(
        "res.partner", string="Sickness fund", domain=[("health_kind", "=", "amo")]
    )
    amo_org = fields.Char("Regime, fund and centre", size=9)
    amo_rate = fields.Integer("AMO rate (%)", help="0: that of the coverage.")
    insurance_nature = fields.Selection(
        selection=lambda self: self.env["health.fse"]._insurance_natures(),
        string="Nature of insurance",
    )
    exemption = fields.Char("Exemption code", size=1)
    amc_partner_id = fields.Many2one(
        "res.partner", string="Complementary insurer", domain=[("health_kind", "=", "amc")]
    )
    amc_contract = fields.Char("AMC contract")
    amc_rate = fields.Integer("AMC rate (%)", help="0: unchanged.")
    amc_date_from = fields.Date("AMC from")
    amc_date_to = fields.Date("AMC until (excluded)")

    # -- prescription and agreement
    prescriber_no = fields.Char("Prescriber number")
    prescription_date = fields.Date()
    document_ids = fields.Many2many("ir.attachment", string="Documents")
    agreement_received_on = fields.Date("Request received on")
    agreement_answer = fields.Selection(
        selection=lambda self: self.env["health.prior.agreement"]._fields["answer"].selection,
        string="Answer",
    )
    agreement_answered_on = fields.Date("Answered on")

    # -- the rest
    wait_until = fields.Date("Comes back on")
    note = fields.Char(help="Stays with the rejections.")

    # -- opening -----------------------------------------------------------------------------------

    @api.model
    def _of(self, rejections):
        """A wizard for these rejections, of each share one, with the correction that their cause asks for."""
        rejections = rejections.grouped("share_id").values()
        rejections = self.env["health.rejection"].union(*(group[0] for group in rejections))
        kinds = Counter(rejection.fix or "resend" for rejection in rejections)
        days = self.env["health.parameter"].value_of("reject_wait_days")
        wizard = self.create(
            {
                "kind": kinds.most_common(1)[0][0],
                "wait_until": fields.Date.add(fields.Date.context_today(self), days=days),
                "line_ids": [
                    fields.Command.create(
                        {"rejection_id": rejection.id, **self._line_values(rejection)}
                    )
                    for rejection in rejections
                ],
            }
        )
        wizard._try()
        return wizard

    @api.model
    def _line_values(self, rejection):
        patient, coverage = rejection.patient_id.sudo(), rejection.fse_id.coverage_id
        return {
            "nir": patient.health_nir,
            "birth_date": patient.health_birth_date,
            "birth_rank": patient.health_birth_rank,
            "amc_member": coverage.amc_member or rejection.fse_id.amc_member,
        }

    def _action(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Correct rejections"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [[False, "form"]],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    @api.depends("line_ids", "kind")
    def _compute_summary(self):
        who = dict(
            self.env["health.reject.family"]._fields["fixed_by"]._description_selection(self.env)
        )
        for wizard in self:
            wizard.is_claim = wizard.kind in CLAIMS
            wizard.sends_again = wizard.kind in SENDS_AGAIN
            rejections = wizard.line_ids.rejection_id
            families = rejections.family_id
            lines = wizard.line_ids
            wizard.fixed_by = ", ".join(dict.fromkeys(who[f.fixed_by] for f in families))
            wizard.advice = "\n".join(families.mapped("procedure"))
            limits = filter(None, lines.mapped("share_id.last_day"))
            wizard.last_day = min(limits, default=False)
            wizard.summary = " · ".join(
                [
                    self.env._("%s rejection(s)", len(lines)),
                    *families.mapped("name"),
                    ", ".join(rejections.partner_id.mapped("name")),
                    format_cents(sum(cents(line.amount) for line in lines)),
                ]
            )

    @api.depends("line_ids.problem_kind")
    def _compute_has_warnings(self):
        for wizard in self:
            wizard.has_warnings = "warning" in wizard.line_ids.mapped("problem_kind")

    @api.onchange(
        "kind",
        *RIGHTS,
        *CONTRACT,
        "valid_from",
        "proof_method",
        "prescriber_no",
        "prescription_date",
        "document_ids",
        "agreement_received_on",
        "agreement_answer",
        "agreement_answered_on",
        "pass_reason",
        "with_lot",
        "line_ids",
    )
    def _onchange_values(self):
        self.is_tried = False

    # -- trying ------------------------------------------------------------------------------------

    def action_try(self):
        """Show again what would be billed, with the values typed."""
        self._try()
        return self._action()

    def _try(self):
        """Do everything, note what comes of it, and roll it back."""
        self.ensure_one()
        # what a person left out stays out; what only a problem held back may come in
        left_out = self.line_ids.filtered(
            lambda line: not line.chosen and line.problem_kind not in ("blocking", "refused")
        )
        self.line_ids.write(
            {"after": False, "amount_after": 0, "problem": False, "problem_kind": False}
        )
        self._note_before(self.line_ids)
        outcome = {}
        if self.kind in CLAIMS:
            refused = self._refusals()
            todo = self.line_ids.filtered(lambda line: line.id not in refused)
            outcome = {
                line: {"problem": reason, "problem_kind": "refused", "chosen": False}
                for line in self.line_ids
                for reason in [refused.get(line.id)]
                if reason
            }
            if todo:
                outcome |= self._trial(todo)
        elif self.kind == "duplicate":
            outcome = self._payments_found()
        self._show(outcome)
        left_out.chosen = False
        self.is_tried = True

    def _note_before(self, lines):
        """Keep what the claims say now: the sources they are compared with are about to change."""
        self._show({line: {"before": self._facts(line.fse_id, line)} for line in lines})

    def _trial(self, lines):
        outcome = {}
        try:
            with self.env.cr.savepoint():
                outcome = self._outcome(self._make(lines))
                raise _GivenUp
        except _GivenUp:
            return outcome
        except (UserError, ValidationError) as error:
            return {
                line: {"problem": str(error), "problem_kind": "blocking", "chosen": False}
                for line in lines
            }

    def _show(self, outcome):
        """Write what was found on the lines: one write per distinct answer."""
        groups = defaultdict(lambda: self.line_ids.browse())
        for line, vals in outcome.items():
            groups[tuple(vals.items())] |= line
        for vals, lines in groups.items():
            lines.write(dict(vals))

    def _outcome(self, made):
        """What a person is shown of each claim made: its facts, its amount, what control objects."""
        findings = defaultdict(list)
        for finding in self.env["health.finding"].search(
            [
                ("fse_id", "in", [fse.id for fse in made.values()]),
                ("state", "=", "open"),
                ("severity", "in", ("2", "3")),
            ]
        ):
            findings[finding.fse_id].append(finding)
        impossible = defaultdict(list)
        fses = self.env["health.fse"].union(*made.values())
        for fse, text in fses._impossible():
            impossible[fse].append(text)
        held = self._held(fses)
        outcome = {}
        for line, fse in made.items():
            found = findings[fse]
            texts = [f"{one.rule_code} : {one.message}" for one in found] + impossible[fse]
            blocks = bool(impossible[fse]) or any(one.severity == "3" for one in found)
            facts = self._facts(fse, line)
            if not texts and self.kind in MUST_CHANGE and facts == line.before:
                texts, blocks = (
                    [
                        self.env._(
                            "Nothing differs from the refused claim: it would be refused again. Give what changes."
                        )
                    ],
                    True,
                )
            outcome[line] = {
                "after": facts,
                "amount_after": sum(self._billed_again(fse, line).mapped("amount")),
                "problem": "\n".join(texts or held.get(fse.id, [])) or False,
                "problem_kind": ("blocking" if blocks else "warning")
                if texts
                else ("held" if held.get(fse.id) else False),
                "chosen": not blocks,
            }
        return outcome

    def _billed_again(self, fse, line):
        """The share that takes the place of the refused one; of the patient when they are asked instead."""
        kind = "patient" if self.kind == "patient" else line.part
        return fse.share_ids.filtered(lambda share: share.debtor_kind == kind)

    def _held(self, fses):
        """What keeps the new claims out of a lot although they can be billed: dict of FSE id → reasons."""
        if not self.with_lot or self.kind not in SENDS_AGAIN:
            return {}
        return fses._obstacles(fields.Date.context_today(self))

    def _facts(self, fse, line):
        """What this correction looks at on an FSE, in one line for a person."""
        day = min(act_days(fse), default=fse.fse_date)
        if self.kind in ("rights", "resend"):
            nature = dict(fse._insurance_natures()).get(fse.insurance_nature, "")
            facts = [
                fse.amo_partner_id.name,
                fse.amo_org,
                f"{fse.amo_rate} %",
                nature,
                self.env._("exemption %s", fse.exemption or "0"),
            ]
        elif self.kind == "identity":
            patient = fse.patient_id.sudo()
            born = patient.health_birth_date
            facts = [
                patient.health_nir,
                born and f"{born:%d/%m/%Y}",
                self.env._("rank %s", patient.health_birth_rank or 1),
            ]
        elif self.kind == "prescription":
            facts = [
                fse.prescriber_no,
                fse.prescription_date and f"{fse.prescription_date:%d/%m/%Y}",
            ]
            documents = len(fse.prescription_id.attachment_ids)
            facts += [self.env._("%s document(s)", documents)] if documents else []
        elif self.kind == "agreement":
            states = dict(
                self.env["health.prior.agreement"]._fields["state"]._description_selection(self.env)
            )
            requests = fse.prescription_id.agreement_ids
            facts = [states[one._state_on(day)] for one in requests] or [self.env._("no request")]
        elif self.kind == "coding":
            facts = [
                f"{act.key_letter} {act.coefficient}{' ×' + str(act.quantity) if act.quantity > 1 else ''} "
                f"{format_cents(cents(act.amount))}"
                for act in fse.act_ids.sorted(
                    lambda act: (act.act_date, act.passage, act.sequence, act.id)
                )
            ]
        else:
            facts = [fse.amc_partner_id.name, fse.amc_org, fse.amc_member]
        kinds = dict(
            self.env["health.share"]._fields["debtor_kind"]._description_selection(self.env)
        )
        if self.kind in ("rights", "patient"):
            facts += [
                f"{kinds[share.debtor_kind]} {format_cents(cents(share.amount))}"
                for share in fse.share_ids.sorted("debtor_kind")
            ]
        return " · ".join(filter(None, facts))

    # -- who may go out again ----------------------------------------------------------------------

    def _refusals(self):
        """dict of line id → why it must not go out again by this way."""
        lines = self.line_ids
        refusals = lines.share_id._resend_refusals()
        result = {}
        rights = self._without_rights(lines) if self.kind in ("rights", "amc", "patient") else {}
        guards = {"paper": self._refuse_paper, "patient": self._refuse_patient}
        guard = guards.get(self.kind)
        for line in lines:
            share = line.share_id
            reason = refusals.get(share.id)
            if self.kind == "patient" and share.forclusion_date and reason:
                # what is forfeited for the payer is not asked of the patient instead
                reason = self.env._(
                    "%s; the patient does not owe what was claimed too late", reason
                )
            reason = reason or (guard and guard(line)) or rights.get(line.id)
            if not reason and self.kind == "amc" and share.debtor_kind != "amc":
                reason = self.env._(
                    "is no part of a complementary insurer: choose another correction"
                )
            if reason:
                result[line.id] = reason
        return result

    def _refuse_paper(self, line):
        if line.share_id.debtor_kind != "amc":
            return self.env._("is not a complementary insurer's part: only those go on paper")
        return False

    def _refuse_patient(self, line):
        """The patient comes last: the fund has paid, and the insurer cannot be asked any more."""
        share, family = line.share_id, line.rejection_id.family_id
        if share.debtor_kind == "amo":
            coverage = line.fse_id.coverage_id
            if family.code != "rights" or coverage.proof_result not in ("closed",):
                return self.env._(
                    "is the sickness fund's: the patient is asked only when a check found the rights closed"
                )
            return False
        fund = line.fse_id.share_ids.filtered(lambda one: one.debtor_kind == "amo")
        if fund and fund.state != "paid":
            return self.env._(
                "waits for the sickness fund: until it has paid, the patient is not asked"
            )
        if family.money != "patient" and not self._tried_before(line.fse_id):
            return self.env._(
                "can still be claimed from the insurer: correct it, or send it on paper, first"
            )
        return False

    @api.model
    def _tried_before(self, fse):
        """Whether this claim is itself a correction of a refused one: the payer was asked twice."""
        return bool(fse.replaces_id)

    # -- making the new claims ---------------------------------------------------------------------

    def _make(self, lines):
        """The new FSE of these lines, changed, priced, split and controlled, but not validated.

        :return: dict of line → FSE
        """
        self._change_sources(lines)
        vals = {"kind": "P"} if self.kind in ("paper", "patient") else {}
        fund = lines.filtered(lambda line: line.part == "amo")
        # refused by both, the whole claim goes out once
        whole = fund.fse_id if self.kind != "patient" else fund.fse_id.browse()
        insurer = lines.filtered(lambda line: line.part == "amc" and line.fse_id not in whole)
        new_of = {}
        for group, parts in ((fund, self._parts_of_fund()), (insurer, {"amc"})):
            fses = group.fse_id
            if fses:
                part = group[0].part
                made = fses._correct(parts, vals)
                new_of |= {(fse, part): new for fse, new in zip(fses, made, strict=True)}
        made = {
            line: new_of.get((line.fse_id, line.part)) or new_of[line.fse_id, "amo"]
            for line in lines
        }
        fses = self.env["health.fse"].union(*made.values())
        if self.kind == "prescription":
            self._change_prescriber(fses)
        fses._compute_all()
        if self.kind == "coding":
            proposals = fses.finding_ids.filtered(
                lambda finding: (
                    finding.state == "open"
                    and finding.proposal
                    # advice is for a person; what control objects to is what the payer refused
                    and finding.severity in ("2", "3")
                )
            )
            if proposals:
                proposals.action_apply()
        self._pass_again(made)
        return made

    def _parts_of_fund(self):
        return {"amo"} if self.kind == "patient" else None

    def _pass_again(self, made):
        """Warnings that a person passed on the refused claim, with the same words, stay passed on the new one."""
        passed = {
            (finding.fse_id.id, finding.rule_code, finding.message): finding.reason
            for finding in self.env["health.finding"].search(
                [("fse_id", "in", [line.fse_id.id for line in made]), ("state", "=", "passed")]
            )
        }
        by_reason = defaultdict(lambda: self.env["health.finding"])
        old_of = {new.id: line.fse_id.id for line, new in made.items()}
        for finding in self.env["health.finding"].search(
            [("fse_id", "in", list(old_of)), ("state", "=", "open"), ("severity", "=", "2")]
        ):
            reason = self.pass_reason or passed.get(
                (old_of[finding.fse_id.id], finding.rule_code, finding.message)
            )
            if reason:
                by_reason[reason] |= finding
        for reason, findings in by_reason.items():
            findings._pass(reason)

    def _change_sources(self, lines):
        """Change what the claims are made from, so that later ones are right too."""
        if self.kind in ("rights", "amc", "patient"):
            self._change_rights(lines)
        elif self.kind == "identity":
            self._change_identity(lines)
        elif self.kind == "prescription":
            self._change_prescriptions(lines)
        elif self.kind == "agreement":
            self._change_agreements(lines)
        if self.proof_method:
            self._prove(lines)

    def _prove(self, lines):
        """Keep that somebody checked the rights under which the care is billed, and how."""
        days = {(line.patient_id.id, max(act_days(line.fse_id))) for line in lines}
        coverages = self.env["health.coverage"].union(
            *self.env["health.coverage"]._on(days).values()
        )
        self.env["health.rights.proof"].create(
            [
                {"coverage_id": coverage.id, "method": self.proof_method, "result": "open"}
                for coverage in coverages
            ]
        )

    def _values_of_rights(self):
        """Values of the rights as typed; an empty field changes nothing."""
        names = {"rights": RIGHTS, "amc": CONTRACT}.get(self.kind, ())
        values = {
            name: self[name].id if name.endswith("_id") else self[name]
            for name in names
            if self[name]
        }
        if values.get("amc_partner_id"):
            values["third_party_amc"] = True
        if values.get("amo_partner_id") and not values.get("amo_org"):
            # the number of the former fund would stay
            values["amo_org"] = self.amo_partner_id.health_org_no.ljust(9, "0")
        return values

    def _change_rights(self, lines):
        """Write the new rights of the patients from the day of the first care on, and prove them."""
        Coverage = self.env["health.coverage"].with_context(health_periods_later=LATER, **QUIET)
        starts = {}
        for line in lines:
            days = [*act_days(line.fse_id), line.fse_id.fse_date]
            starts[line.patient_id] = min(starts.get(line.patient_id, days[0]), *days)
        current = Coverage._on({(patient.id, day) for patient, day in starts.items()})
        following = defaultdict(list)
        for coverage in Coverage.search_fetch(
            [("patient_id", "in", [patient.id for patient in starts])], ["patient_id", "date_from"]
        ):
            following[coverage.patient_id].append(coverage.date_from)
        common = self._values_of_rights()
        written, created, ended = defaultdict(Coverage.browse), [], defaultdict(Coverage.browse)
        for patient, first in starts.items():
            coverage = current[patient.id, first].with_env(Coverage.env)
            values = {**common, **self._own_values(lines, patient, first)}
            start = self.valid_from or first
            if not values:
                continue
            if coverage and coverage.date_from >= start:
                written[tuple(sorted(values.items()))] |= coverage
            elif coverage:
                created.append({**self._copied(coverage, values), **values, "date_from": start})
                ended[start] |= coverage
            elif values.get("case_id") and values.get("amo_partner_id"):
                later = min((day for day in following[patient] if day > start), default=False)
                created.append(
                    {"patient_id": patient.id, "date_from": start, "date_to": later, **values}
                )
        for values, coverages in written.items():
            coverages.write(dict(values))
        for start, coverages in ended.items():
            coverages.write({"date_to": start})
        made = Coverage.create(created)
        changed = Coverage.union(made, *written.values(), *ended.values()).with_env(self.env)
        changed._check_periods()
        self.env["health.fse"]._control_unsent(changed.patient_id)

    def _without_rights(self, lines):
        """dict of line id → why its patient's rights cannot be written as typed."""
        days = {line: min(act_days(line.fse_id)) for line in lines}
        current = self.env["health.coverage"]._on(
            {(line.patient_id.id, day) for line, day in days.items()}
        )
        common = self._values_of_rights()
        found = {}
        for line, day in days.items():
            if self.valid_from and day < self.valid_from:
                found[line.id] = self.env._(
                    "bears care of %(day)s, before these rights (%(start)s): choose an earlier day",
                    day=f"{day:%d/%m/%Y}",
                    start=f"{self.valid_from:%d/%m/%Y}",
                )
            elif not current[line.patient_id.id, day] and not (
                common.get("case_id") and common.get("amo_partner_id")
            ):
                found[line.id] = self.env._(
                    "bears care of %s, when no rights are known: give the coverage and the sickness fund",
                    f"{day:%d/%m/%Y}",
                )
        return found

    def _own_values(self, lines, patient, first):
        """Values of the rights that are one patient's own."""
        own = lines.filtered(lambda line: line.patient_id == patient)[:1]
        if self.kind == "amc" and own.amc_member != own.fse_id.amc_member:
            return {"amc_member": own.amc_member}
        if self.kind == "patient" and own.share_id.debtor_kind == "amc":
            if own.rejection_id.family_id.code == "amc_agreement":
                return {"third_party_amc": False}
            return {"amc_date_to": first, "amc_date_from": False}
        return {}

    @api.model
    def _copied(self, coverage, values):
        """The terms of rights for the period that follows; those that a new coverage decides are left to it."""
        decided = {"amo_rate", "insurance_nature", "exemption"} if "case_id" in values else set()
        copied = {
            name: coverage[name].id if name.endswith("_id") else coverage[name]
            for name in TERMS - decided
        }
        return {**copied, "patient_id": coverage.patient_id.id}

    def _change_identity(self, lines):
        for patient, own in lines.grouped("patient_id").items():
            line = own[0]
            known = patient.sudo()
            values = {
                name: line[field]
                for name, field in (
                    ("health_nir", "nir"),
                    ("health_birth_date", "birth_date"),
                    ("health_birth_rank", "birth_rank"),
                )
                if line[field] and line[field] != known[name]
            }
            if values:
                patient.write(values)

    def _change_prescriptions(self, lines):
        prescriptions = lines.fse_id.prescription_id
        values = {
            name: value
            for name, value in (
                ("prescriber_no", self.prescriber_no),
                ("date", self.prescription_date),
            )
            if value
        }
        if self.document_ids:
            values["attachment_ids"] = [
                fields.Command.link(document.id) for document in self.document_ids
            ]
        if values and prescriptions:
            prescriptions.write(values)

    def _change_prescriber(self, fses):
        values = {name: self[name] for name in ("prescriber_no", "prescription_date") if self[name]}
        if values:
            fses.write(values)

    def _change_agreements(self, lines):
        """The fund's answer on the request of each prescription; a request is recorded where none was."""
        values = {
            name: value
            for name, value in (
                ("received_on", self.agreement_received_on),
                ("answer", self.agreement_answer),
                ("answered_on", self.agreement_answered_on),
            )
            if value
        }
        if not values:
            return
        prescriptions = lines.fse_id.prescription_id
        known = prescriptions.agreement_ids
        missing = prescriptions - known.prescription_id
        known.write(values)
        self.env["health.prior.agreement"].create(
            [
                {
                    "patient_id": prescription.patient_id.id,
                    "prescription_id": prescription.id,
                    "sent_on": self.agreement_received_on,
                    **values,
                }
                for prescription in missing
            ]
        )

    # -- applying ----------------------------------------------------------------------------------

    def action_apply(self):
        """Correct the rejections chosen, all or none of them."""
        self.ensure_one()
        self.env["health.rejection"].check_access("write")
        if not self.is_tried:
            self._try()
        lines = self.line_ids.filtered(
            lambda line: line.chosen and line.rejection_id.state == "open"
        )
        if not lines:
            raise UserError(
                "\n".join(
                    [
                        self.env._(
                            "Nothing to do: choose a rejection that nothing stands against."
                        ),
                        *{
                            f"FSE {line.fse_id.name} : {line.problem}"
                            for line in self.line_ids[:3]
                            if line.problem
                        },
                    ]
                )
            )
        if self.kind == "resend" and not (self.note or "").strip():
            raise UserError(
                self.env._("Say what was mended: the same claim as before would be refused again.")
            )
        if self.kind in CLAIMS:
            return self._apply_claims(lines)
        return getattr(self, f"_apply_{self.kind}")(lines)

    def _apply_claims(self, lines):
        refusals = self._refusals()
        refused = lines.filtered(lambda line: line.id in refusals)
        if refused:
            raise UserError(
                self.env._(
                    "FSE %(fse)s %(reason)s. Nothing was done.",
                    fse=refused[0].fse_id.name,
                    reason=refusals[refused[0].id],
                )
            )
        problems = {}
        self._note_before(lines)
        try:
            with self.env.cr.savepoint():
                made = self._make(lines)
                outcome = self._outcome(made)
                problems = {
                    line: vals
                    for line, vals in outcome.items()
                    if vals["problem_kind"] in ("blocking", "warning")
                }
                if problems:
                    raise _GivenUp
                fses = self.env["health.fse"].union(*made.values())
                fses.action_validate()
                lots, left = self._send(fses)
        except _GivenUp:
            self._show(problems)
            return self._action()
        self._note_routes(lines)
        if self.kind == "patient":
            self._explain(made)
        if self.kind == "paper":
            fses.sudo().write({"sent_on": fields.Date.context_today(self)})
            return self.env.ref("health_noemie.action_report_amc_paper").report_action(
                fses, config=False
            )
        return self._done(self._message(fses, lots, left), left)

    def _explain(self, made):
        """Tell the patients on their invoices why they are asked, without a word of the care."""
        texts = {
            "amc": self.env._(
                "Your complementary insurer did not pay its part of claim %(number)s: it is now asked of you. Give us "
                "your certificate of that day if you were insured, or ask your insurer to pay you back."
            ),
            "amo": self.env._(
                "Your sickness fund did not pay its part of claim %(number)s, your rights not being open that day: it "
                "is now asked of you. Give us your certificate if they were."
            ),
        }
        for line, fse in made.items():
            share = fse.share_ids.filtered(lambda one: one.debtor_kind == "patient")
            share.sudo().move_id.narration = texts[line.rejection_id.part] % {
                "number": line.fse_id.name
            }

    def _send(self, fses):
        """Put the new FSE into lots; those of paper and of patients wait for none."""
        Lot = self.env["health.lot"]
        if not self.with_lot or self.kind not in SENDS_AGAIN:
            return Lot, self.env["health.fse"]
        return Lot._build(fses.company_id, fields.Date.context_today(self), fses=fses)

    def _message(self, fses, lots, left):
        total = format_cents(sum(cents(fse.amount_residual) for fse in fses))
        if self.kind == "patient":
            return self.env._(
                "%(count)s part(s) billed to the patient: %(total)s.", count=len(fses), total=total
            )
        text = self.env._(
            "%(count)s FSE corrected (%(numbers)s), %(total)s: lot %(lots)s to sign and send.",
            count=len(fses),
            numbers=", ".join(fses[:3].mapped("name")) + ("…" if len(fses) > 3 else ""),
            total=total,
            lots=", ".join(lots.mapped("name")) or "–",
        )
        if left:
            text += "\n" + self.env._(
                "%(count)s in no lot: FSE %(fse)s: %(why)s",
                count=len(left),
                fse=left[0].name,
                why=left[0].lot_issue,
            )
        return text

    def _note_routes(self, lines):
        lines.rejection_id.sudo().write({"route": self.kind})
        if self.note:
            lines.rejection_id._message_log_batch(
                {rejection.id: self.note for rejection in lines.rejection_id}
            )

    def _done(self, message, left=False):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if left else "success",
                "message": message,
                "sticky": bool(left),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # -- ways that send nothing --------------------------------------------------------------------

    def _apply_wait(self, lines):
        if not self.wait_until or self.wait_until <= fields.Date.context_today(self):
            raise UserError(self.env._("Choose a day to come: the rejections come back on it."))
        lines.rejection_id.write({"waiting_until": self.wait_until})
        self._note_routes(lines)
        return self._done(
            self.env._(
                "%(count)s rejection(s) wait until %(day)s.",
                count=len(lines),
                day=f"{self.wait_until:%d/%m/%Y}",
            )
        )

    def _apply_none(self, lines):
        self._note_routes(lines)
        lines.rejection_id._close(
            "fixed", self.note or self.env._("Notice without effect on the money.")
        )
        return self._done(self.env._("%s rejection(s) closed.", len(lines)))

    def _apply_deadline(self, lines):
        """Claimed in time or not, a person decides: the loss is booked with its reason, and can be undone."""
        return lines.share_id.action_write_off()

    # -- paid already ------------------------------------------------------------------------------

    def _payments_found(self):
        """For parts called paid already: where the money is, the surest first."""
        lines = self.line_ids
        shares = lines.share_id
        said = defaultdict(lambda: self.env["health.settlement.line"])
        for one in self.env["health.settlement.line"].search(
            [("share_id", "in", shares.ids), ("state", "=", "P"), ("paid", ">", 0)]
        ):
            said[one.share_id] |= one
        stray = self.env["health.settlement.line"].search(
            [
                ("company_id", "in", shares.company_id.ids),
                ("problem", "in", ("unknown_fse", "no_share")),
                ("state", "=", "P"),
                ("paid", "in", list(set(shares.mapped("amount_residual")))),
            ]
        )
        twins = self._paid_twins(lines)
        outcome = {}
        taken = set()
        for line in lines:
            share = line.share_id
            free = stray.filtered(
                lambda one, share=share: (
                    one.company_id == share.company_id
                    and one.part == share.debtor_kind
                    and not share.currency_id.compare_amounts(one.paid, share.amount_residual)
                    and one.id not in taken
                    and one.settlement_id.payer_id in (share.partner_id, share.partner_id.browse())
                )
            )
            vals = {"settlement_line_id": False, "twin_share_id": False, "chosen": True}
            if said[share]:
                own = said[share][0]
                vals |= {
                    "settlement_line_id": own.id,
                    "after": self.env._(
                        "paid by this payer with the transfer of %s",
                        f"{own.settlement_id.transfer_date:%d/%m/%Y}",
                    ),
                }
            elif twins.get(line):
                twin = twins[line]
                vals |= {
                    "twin_share_id": twin.id,
                    "after": self.env._(
                        "the same care was paid as FSE %s: this claim was double", twin.fse_id.name
                    ),
                }
            elif len(free) == 1:
                taken.add(free.id)
                vals |= {
                    "settlement_line_id": free.id,
                    "after": self.env._(
                        "paid under number %(number)s with the transfer of %(day)s",
                        number=free.invoice_no,
                        day=f"{free.settlement_id.transfer_date:%d/%m/%Y}",
                    ),
                }
            else:
                vals |= {
                    "chosen": False,
                    "problem_kind": "refused",
                    "problem": self.env._(
                        "No payment was found here: ask the fund online with the number and day of the claim."
                    ),
                }
            outcome[line] = vals
        return outcome

    @api.model
    def _paid_twins(self, lines):
        """dict of line → paid share of another FSE with the same patient, acts and amount; two queries."""
        others = self.env["health.share"].search(
            [
                ("patient_id", "in", lines.patient_id.ids),
                ("fse_date", "in", list(set(lines.fse_id.mapped("fse_date")))),
                ("state", "in", ("announced", "paid")),
                ("fse_id", "not in", lines.fse_id.ids),
            ]
        )

        def care(fse):
            return sorted(
                (act.act_date, act.key_letter, act.coefficient_hundredths, act.quantity)
                for act in fse.act_ids
            )

        found = {}
        for line in lines:
            twin = others.filtered(
                lambda one, line=line: (
                    one.company_id == line.share_id.company_id
                    and one.patient_id == line.patient_id
                    and one.debtor_kind == line.share_id.debtor_kind
                    and cents(one.amount) == cents(line.share_id.amount)
                    and care(one.fse_id) == care(line.fse_id)
                )
            )
            if len(twin) == 1:
                found[line] = twin
        return found

    def _apply_duplicate(self, lines):
        """Bring the payments found to their shares; a claim that was double is written off, never sent again."""
        linked = lines.filtered("settlement_line_id")
        stray = linked.settlement_line_id.filtered(lambda one: not one.share_id)
        for line in linked.filtered(lambda one: one.settlement_line_id in stray):
            line.settlement_line_id.write({"share_id": line.share_id.id, "fse_id": line.fse_id.id})
        if stray:
            stray._announce()
            stray._close_issues()
            stray._reconcile_arrived()
        linked.rejection_id._close("fixed", self.env._("The payment was found."))
        double = lines.filtered("twin_share_id")
        for line in double:
            line.rejection_id._close(
                "fixed",
                self.env._("The same care was paid as FSE %s.", line.twin_share_id.fse_id.name),
            )
        if double:
            double.share_id._write_off(self.env._("Billed twice: the other claim was paid."))
        self._note_routes(lines)
        return self._done(
            self.env._(
                "%(found)s payment(s) found and reconciled, %(double)s double claim(s) closed.",
                found=len(linked),
                double=len(double),
            )
        )
