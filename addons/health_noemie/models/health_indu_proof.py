import base64
from collections import defaultdict

from odoo import api, fields, models

from odoo.addons.health_billing.models.health_prescription import keep_with
from odoo.addons.health_billing.tools import QUIET, cents, format_cents
from odoo.addons.health_sesam.norms import NormError, b2

from ..pages import pages

#: proofs in the order in which a reader wants them
KINDS = (
    "notification",
    "prescription",
    "visit",
    "agreement",
    "rights",
    "sending",
    "arl",
    "return",
    "bank",
    "other",
)

#: kinds that a practitioner may be asked for
ASKED = ("prescription", "visit")


class HealthInduProof(models.Model):
    """One piece of the file: a document received, or a page that the product draws from what it holds."""

    _name = "health.indu.proof"
    _description = "Proof of an Overpayment File"
    _order = "indu_id, rank, line_id, id"
    _check_company_auto = True

    indu_id = fields.Many2one("health.indu", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="indu_id.company_id", store=True, index=True)
    line_id = fields.Many2one(
        "health.indu.line",
        string="Claim",
        index="btree_not_null",
        ondelete="cascade",
        domain="[('indu_id', '=', indu_id)]",
    )
    kind = fields.Selection(
        [
            ("notification", "Notification"),
            ("prescription", "Prescription"),
            ("visit", "Round"),
            ("agreement", "Prior agreement"),
            ("rights", "Rights"),
            ("sending", "Claim as sent"),
            ("arl", "ARL"),
            ("return", "Return of the payer"),
            ("bank", "Bank"),
            ("other", "Other"),
        ],
        required=True,
        default="other",
    )
    rank = fields.Integer(compute="_compute_rank", store=True)
    name = fields.Char("Piece", required=True)
    day = fields.Date("Date")
    attachment_ids = fields.Many2many("ir.attachment", string="Documents", copy=False)
    source = fields.Char(
        readonly=True, copy=False, help="What it was drawn from; empty: brought by a person."
    )
    is_missing = fields.Boolean("Missing", compute="_compute_is_missing", store=True)

    _source_uniq = models.UniqueIndex(
        "(line_id, source) WHERE line_id IS NOT NULL AND source IS NOT NULL",
        "This proof is in the file already.",
    )

    @api.depends("kind")
    def _compute_rank(self):
        for proof in self:
            proof.rank = KINDS.index(proof.kind) if proof.kind in KINDS else len(KINDS)

    @api.depends("attachment_ids")
    def _compute_is_missing(self):
        for proof in self:
            proof.is_missing = not proof.attachment_ids

    @api.model_create_multi
    def create(self, vals_list):
        proofs = super().create(vals_list)
        keep_with(proofs, "attachment_ids")
        return proofs

    def write(self, vals):
        result = super().write(vals)
        if "attachment_ids" in vals:
            keep_with(self, "attachment_ids")
        return result

    # -- what a claim needs --------------------------------------------------------------------------

    @api.model
    def _expected(self, line):
        """Kinds of proof that a claim should have; none for a claim that the product does not know."""
        if not line.fse_id:
            return ()
        paper = line.fse_id.kind == "P"
        return (
            ("prescription", "visit", "return")
            if paper
            else (
                "prescription",
                "visit",
                "sending",
                "arl",
                "return",
            )
        )

    @api.model
    def _gather(self, indus):
        """Put into the files what the product holds on their claims, and ask for what it lacks.

        Safe to run again: a page that changed is drawn anew, a document is not brought twice, a question
        is not asked twice. The number of queries does not depend on the number of claims.

        :return: (proofs in the files, questions asked or still open)
        """
        self = self.with_context(**QUIET)
        lines = indus.line_ids.filtered("fse_id")
        drafts = self._drafts(lines)
        known = {
            (proof.line_id.id, proof.source): proof for proof in lines.proof_ids if proof.source
        }
        fresh = []
        for draft in drafts:
            proof = known.get((draft["line"].id, draft["source"]))
            if proof is None:
                fresh.append(draft)
            elif "text" in draft:
                proof._draw_again(draft)
            elif draft["attachments"] - proof.attachment_ids:
                proof.attachment_ids = [fields.Command.link(one.id) for one in draft["attachments"]]
        self._create_drafts(fresh)
        asked = self._ask_missing(lines)
        self.env.flush_all()
        return len(indus.proof_ids.filtered(lambda proof: not proof.is_missing)), len(asked)

    @api.model
    def _create_drafts(self, drafts):
        """Make the proofs of these drafts; the pages of text are drawn and kept as PDF."""
        drawn = [draft for draft in drafts if "text" in draft]
        # a page belongs to its proof alone: whoever may read the proof reads it
        made = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                [
                    {
                        **self._page_vals(draft),
                        "mimetype": "application/pdf",
                        "res_model": self._name,
                    }
                    for draft in drawn
                ]
            )
        )
        documents = {id(draft): page for draft, page in zip(drawn, made, strict=True)}
        proofs = self.create(
            [
                {
                    "indu_id": draft["line"].indu_id.id,
                    "line_id": draft["line"].id,
                    "kind": draft["kind"],
                    "name": draft["name"],
                    "day": draft["day"],
                    "source": draft["source"],
                    "attachment_ids": [
                        fields.Command.set((documents.get(id(draft)) or draft["attachments"]).ids)
                    ],
                }
                for draft in drafts
            ]
        )
        for proof, draft in zip(proofs, drafts, strict=True):
            if id(draft) in documents:
                documents[id(draft)].res_id = proof.id

    @api.model
    def _page_vals(self, draft):
        narrow = draft.get("narrow", False)
        return {
            "name": f"{draft['name']}.pdf",
            "raw": pages(draft["name"], draft["text"], narrow=narrow),
            "description": "\n".join(draft["text"]),
        }

    def _draw_again(self, draft):
        """Draw a page anew when what it says has changed."""
        page = self.sudo().attachment_ids[:1]
        if page.description != "\n".join(draft["text"]):
            page.write(self._page_vals(draft))
            self.day = draft["day"]

    @api.model
    def _drafts(self, lines):
        """What the product holds on these claims, one dict per proof; extend it, super first."""
        fses = lines.fse_id
        # everything that a claim leads to, read at once whatever the number of claims
        fses.mapped("act_ids.prescription_id.attachment_ids")
        fses.mapped("prescription_id.attachment_ids")
        fses.mapped("visit_ids.prescription_id.attachment_ids")
        fses.mapped("lot_id.arl_ids")
        fses.mapped("share_ids.settlement_line_ids.settlement_id.statement_line_ids.name")
        agreements = self._agreements(fses)
        proofs = self._rights(fses)
        records = self._records(fses.lot_id)
        drafts = []
        for line in lines:
            fse = line.fse_id
            drafts += self._draft_documents(line, fse, agreements, proofs)
            drafts += self._draft_visit(line, fse)
            drafts += self._draft_sending(line, fse, records)
            drafts += self._draft_returns(line)
        return drafts

    @api.model
    def _agreements(self, fses):
        found = defaultdict(lambda: self.env["health.prior.agreement"])
        prescriptions = self._prescriptions(fses)
        for agreement in prescriptions.agreement_ids:
            found[agreement.prescription_id.id] |= agreement
        prescriptions.agreement_ids.attachment_ids.mapped("name")
        return found

    @api.model
    def _prescriptions(self, fses):
        return fses.prescription_id | fses.act_ids.prescription_id | fses.visit_ids.prescription_id

    @api.model
    def _rights(self, fses):
        """dict of patient id → checks of rights."""
        found = defaultdict(lambda: self.env["health.rights.proof"])
        for proof in self.env["health.rights.proof"].search(
            [("patient_id", "in", fses.patient_id.ids)], order="date, id"
        ):
            found[proof.patient_id.id] |= proof
        return found

    @api.model
    def _records(self, lots):
        """dict of lot id → records of its B2 file; an unreadable file proves nothing."""
        found = {}
        # the file itself is read as the product does; the claim is the user's own
        for lot in lots.sudo().with_context(bin_size=False):
            content = lot.b2_file or lot.b2_inbox_id.content
            try:
                found[lot.id] = b2.records(base64.b64decode(content)) if content else []
            except NormError:
                found[lot.id] = []
        return found

    @api.model
    def _draft_documents(self, line, fse, agreements, proofs):
        """Scans of prescriptions and agreements, and checks of rights near the day of care."""
        prescriptions = self._prescriptions(fse)
        for prescription in prescriptions:
            if prescription.attachment_ids:
                day = prescription.date.strftime("%d/%m/%Y")
                yield {
                    "line": line,
                    "kind": "prescription",
                    "name": self.env._("Prescription of %s", day),
                    "day": prescription.date,
                    "source": f"prescription-{prescription.id}",
                    "attachments": prescription.attachment_ids,
                }
            for agreement in agreements.get(prescription.id, ()):
                yield {
                    "line": line,
                    "kind": "agreement",
                    "name": self.env._("Prior agreement"),
                    "day": agreement.sent_on,
                    "source": f"agreement-{agreement.id}",
                } | (
                    {"attachments": agreement.attachment_ids}
                    if agreement.attachment_ids
                    else {"text": self._agreement_text(agreement)}
                )
        checks = [one for one in proofs.get(fse.patient_id.id, ()) if one.date <= fse.fse_date]
        for check in checks[-1:]:
            results = dict(check._fields["result"]._description_selection(self.env))
            methods = dict(check._fields["method"]._description_selection(self.env))
            yield {
                "line": line,
                "kind": "rights",
                "name": self.env._("Rights checked on %s", check.date.strftime("%d/%m/%Y")),
                "day": check.date,
                "source": f"rights-{check.id}",
            } | (
                {"attachments": check.attachment_ids}
                if check.attachment_ids
                else {
                    "text": [
                        self._claim_text(fse),
                        self.env._("Checked through: %s", methods.get(check.method, "")),
                        self.env._("Result: %s", results.get(check.result, "")),
                        self.env._("Checked by: %s", check.sudo().user_id.name),
                    ]
                }
            )

    @api.model
    def _claim_text(self, fse):
        return self.env._(
            "FSE %(number)s of %(day)s", number=fse.name, day=fse.fse_date.strftime("%d/%m/%Y")
        )

    @api.model
    def _agreement_text(self, agreement):
        answers = dict(agreement._fields["answer"]._description_selection(self.env))
        day = self._day
        return [
            self.env._("Request sent on: %s", day(agreement.sent_on)),
            self.env._("Received by the fund on: %s", day(agreement.received_on)),
            self.env._("Answer: %s", answers.get(agreement.answer, self.env._("none"))),
            self.env._("Agreed from: %s", day(agreement.agreed_on)),
        ]

    @api.model
    def _day(self, day):
        return day.strftime("%d/%m/%Y") if day else "-"

    @api.model
    def _draft_visit(self, line, fse):
        """Days and hours of the care: the round where it was planned here, else the acts of the claim."""
        visits = fse.visit_ids.sorted(lambda one: (one.day, one.time or "", one.id))
        # a claim of another program tells the days and no hour: it proves no passage
        timed = fse.act_ids.filtered("act_time")
        if not visits and not timed:
            return []
        rows = [self._claim_text(fse), ""]
        rows += [
            "  ".join(
                filter(
                    None,
                    [
                        self._day(visit.day),
                        visit.time,
                        self.env._("passage %s", visit.passage),
                        visit.acts_label,
                        visit.duration and self.env._("%s min", visit.duration),
                    ],
                )
            )
            for visit in visits
        ] or [
            f"{self._day(act.act_date)}  {act.act_time}  {act.key_letter} {act.coefficient}"
            for act in timed
        ]
        days = visits.mapped("day") or timed.mapped("act_date")
        return [
            {
                "line": line,
                "kind": "visit",
                "name": self.env._("Round of FSE %s", fse.name),
                "day": min(days),
                "source": "visit",
                "text": rows,
            }
        ]

    @api.model
    def _draft_sending(self, line, fse, records):
        lot = fse.lot_id
        drafts = []
        number = fse.name.zfill(9)
        own = [record for record in records.get(lot.id, ()) if number in record.raw]
        if fse.sent_on:
            rows = [
                self._claim_text(fse),
                self.env._("Sent on %s", self._day(fse.sent_on)),
                self.env._("Lot %s", fse.lot_no or lot.name or "-"),
                self.env._("Total %s", format_cents(cents(fse.amount_total))),
                "",
            ]
            rows += [
                f"{self._day(act.act_date)}  {act.key_letter} {act.coefficient}  x{act.quantity}  "
                f"{format_cents(cents(act.amount))}"
                for act in fse.act_ids
            ]
            if own:
                rows += ["", self.env._("Records of the B2 file %s:", lot.b2_filename or "")]
                for record in own:
                    rows += [f"{record.number:>5}  {record.label}", record.raw]
            drafts.append(
                {
                    "line": line,
                    "kind": "sending",
                    "name": self.env._("Claim %s as sent", fse.name),
                    "day": fse.sent_on,
                    "source": "sending",
                    "text": rows,
                    "narrow": bool(own),
                }
            )
        for arl in lot.arl_ids:
            results = dict(arl._fields["result"]._description_selection(self.env))
            drafts.append(
                {
                    "line": line,
                    "kind": "arl",
                    "name": self.env._("ARL of lot %s", lot.name),
                    "day": arl.date,
                    "source": f"arl-{arl.id}",
                    "text": [
                        self._claim_text(fse),
                        self.env._("Lot %s", lot.name),
                        self.env._("Received on %s", self._day(arl.date)),
                        self.env._("Result: %s", results.get(arl.result, "")),
                        " ".join(filter(None, [arl.code, arl.label])),
                        self.env._("File: %s", arl.inbox_id.filename or "-"),
                    ],
                }
            )
        return drafts

    @api.model
    def _draft_returns(self, line):
        drafts = []
        for answer in line.share_id.settlement_line_ids.sorted("id"):
            settlement = answer.settlement_id
            states = dict(answer._fields["state"]._description_selection(self.env))
            drafts.append(
                {
                    "line": line,
                    "kind": "return",
                    "name": self.env._("Return of %s", self._day(settlement.transfer_date)),
                    "day": settlement.transfer_date,
                    "source": f"return-{answer.id}",
                    "text": [
                        self._claim_text(line.fse_id),
                        self.env._("Transfer of %s", self._day(settlement.transfer_date)),
                        " ".join(filter(None, [settlement.label1, settlement.label2])),
                        self.env._("Part: %s", answer.part.upper()),
                        self.env._("Asked: %s", format_cents(cents(answer.asked))),
                        self.env._("Paid: %s", format_cents(cents(answer.paid))),
                        states.get(answer.state, ""),
                        answer.info or "",
                        self.env._("File: %s", settlement.sudo().inbox_id.filename or "-"),
                    ],
                }
            )
            # a practitioner or a biller may read the claim and not the bank: the proof names day and amount
            for credit in settlement.sudo().statement_line_ids:
                drafts.append(
                    {
                        "line": line,
                        "kind": "bank",
                        "name": self.env._("Bank credit of %s", self._day(credit.date)),
                        "day": credit.date,
                        "source": f"bank-{credit.id}",
                        "text": [
                            self._claim_text(line.fse_id),
                            self.env._("Credit of %s", self._day(credit.date)),
                            credit.payment_ref or "",
                            format_cents(cents(credit.amount)),
                        ],
                    }
                )
        return drafts

    # -- what is missing -----------------------------------------------------------------------------

    @api.model
    def _ask_missing(self, lines):
        """Ask the practitioner for prescriptions and rounds that nothing holds; take answers in."""
        self._take_answers(lines)
        texts = {
            "prescription": self.env._(
                "The fund claims this care back: send the prescription it was given under."
            ),
            "visit": self.env._(
                "The fund claims this care back: send the page of your diary or round for that day."
            ),
        }
        vals_list = {}
        for line in lines:
            if line.decision == "accept":
                continue
            there = set(line.proof_ids.filtered(lambda one: not one.is_missing).mapped("kind"))
            for kind in sorted(texts.keys() & set(self._expected(line)) - there):
                fse = line.fse_id
                key = self._question_key(kind, fse)
                vals_list[key] = {
                    "company_id": line.company_id.id,
                    "kind": "complete",
                    "expects": "file",
                    "fills": "prescription" if kind == "prescription" else False,
                    "text": texts[kind],
                    "patient_id": fse.patient_id.id,
                    "prescription_id": fse.prescription_id.id if kind == "prescription" else False,
                    "fse_ids": fse.ids,
                    "key": key,
                }
        Question = self.env["health.question"]
        if not vals_list:
            return Question
        Question._ask(list(vals_list.values()))
        return Question.search([("key", "in", list(vals_list)), ("state", "=", "open")])

    @api.model
    def _question_key(self, kind, fse):
        return f"indu-{kind}-{fse.id}"

    @api.model
    def _questions(self, lines):
        """dict of line → questions asked for it, whatever became of them; one query."""
        by_fse = lines.filtered("fse_id").grouped("fse_id")
        keys = {self._question_key(kind, fse): fse for fse in by_fse for kind in ASKED}
        found = defaultdict(lambda: self.env["health.question"])
        for question in self.env["health.question"].search([("key", "in", list(keys))]):
            for line in by_fse[keys[question.key]]:
                found[line] |= question
        return found

    @api.model
    def _take_answers(self, lines):
        """Documents that the practitioner sent in answer become proofs, once."""
        known = {(proof.line_id, proof.source) for proof in lines.proof_ids if proof.source}
        names = {
            "prescription": self.env._("Prescription sent by the practitioner"),
            "visit": self.env._("Round sent by the practitioner"),
        }
        vals_list = []
        for line, questions in self._questions(lines).items():
            for question in questions:
                source = f"question-{question.id}"
                if question.state not in ("answered", "processed") or not question.attachment_ids:
                    continue
                if (line, source) in known:
                    continue
                kind = question.key.split("-")[1]
                vals_list.append(
                    {
                        "indu_id": line.indu_id.id,
                        "line_id": line.id,
                        "kind": kind,
                        "name": names[kind],
                        "day": line.care_day,
                        "source": source,
                        "attachment_ids": [fields.Command.set(question.attachment_ids.ids)],
                    }
                )
        self.create(vals_list)

    # -- numbered ------------------------------------------------------------------------------------

    def _documents(self):
        """The documents in reading order: list of dict(number, proof, name, raw, mimetype).

        Pieces of the whole file first, then claim by claim; a document that several claims share comes once,
        under the first. What is accepted needs no proof: nothing more than needed leaves the practice.
        """
        order = sorted(
            self.filtered(
                lambda proof: not proof.is_missing and proof.line_id.decision != "accept"
            ),
            key=lambda proof: (
                proof.line_id.sequence if proof.line_id else -1,
                proof.line_id.id or 0,
                proof.rank,
                proof.day or fields.Date.today(),
                proof.id,
            ),
        )
        found, seen = [], {}
        for proof in order:
            # whoever may read the proof may read its documents
            for attachment in proof.sudo().attachment_ids.sorted("id"):
                mark = attachment.checksum or attachment.id
                if mark in seen:
                    seen[mark]["claims"] |= proof.line_id
                    continue
                seen[mark] = {
                    "number": len(found) + 1,
                    "proof": proof,
                    "claims": proof.line_id,
                    "name": proof.name,
                    "attachment": attachment,
                }
                found.append(seen[mark])
        return found
