import base64
import hashlib
from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.health_billing.models.health_inbox import InboxReview
from odoo.addons.health_billing.tools import cents, euros, format_cents
from odoo.addons.health_sesam.norms import noemie

from ..matching import Settlement
from ..matching.labels import words

#: senders of a NOEMIE that are complementary bodies (their number is 10 digits)
AMC_SENDERS = ("OC", "CS")


class HealthSettlement(models.Model):
    """One bank transfer as a payer announced it (NOEMIE entity 071): n parts, less retentions, plus lump sums.

    Announced until its money is on the bank; nobody types the state.
    """

    _name = "health.settlement"
    _description = "Settlement"
    _order = "transfer_date desc, id desc"
    _rec_name = "name"

    name = fields.Char(compute="_compute_name", store=True)
    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, index=True, readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    key = fields.Char(
        required=True, readonly=True, copy=False, help="The same settlement in another file."
    )
    inbox_id = fields.Many2one(
        "health.inbox", string="Came with", readonly=True, index="btree_not_null"
    )
    transfer_date = fields.Date(required=True, readonly=True, index=True)
    label1 = fields.Char("Transfer label", readonly=True)
    label2 = fields.Char("Transfer label, second line", readonly=True)
    payer_text = fields.Char("Payer as announced", readonly=True)
    sender_no = fields.Char("Sender number", readonly=True)
    payer_id = fields.Many2one("res.partner", index="btree_not_null")
    line_ids = fields.One2many(
        "health.settlement.line", "settlement_id", string="Parts", readonly=True
    )
    movement_ids = fields.One2many(
        "health.settlement.movement",
        "settlement_id",
        string="Retentions and lump sums",
        readonly=True,
    )
    amount_paid = fields.Monetary("Paid on claims", readonly=True)
    amount_retained = fields.Monetary("Withheld", readonly=True)
    amount_lump = fields.Monetary("Lump sums", readonly=True)
    amount_expected = fields.Monetary("Transfer expected", readonly=True)
    amount_received = fields.Monetary("Received", compute="_compute_state", store=True)
    amount_left = fields.Monetary(
        "Still to receive",
        compute="_compute_state",
        store=True,
        help="What the bank has not brought yet of this transfer.",
    )
    statement_line_ids = fields.Many2many(
        "account.bank.statement.line",
        "health_settlement_bank_line_rel",
        "settlement_id",
        "statement_line_id",
        string="Bank credits",
        readonly=True,
        copy=False,
    )
    state = fields.Selection(
        [("announced", "Announced"), ("received", "Received"), ("nothing", "Nothing to receive")],
        compute="_compute_state",
        store=True,
        index=True,
    )
    received_on = fields.Date(compute="_compute_state", store=True)
    evidence = fields.Text(
        compute="_compute_evidence", compute_sudo=True, help="How the credit was recognised."
    )
    waiting_reason = fields.Text(
        "Why it waits again", readonly=True, copy=False, help="A credit that the bank took back."
    )
    problem_count = fields.Integer(compute="_compute_problem_count")
    line_count = fields.Integer(compute="_compute_problem_count")

    _key_uniq = models.Constraint("UNIQUE(company_id, key)", "This settlement is recorded already.")

    @api.depends("payer_id.name", "payer_text", "label1", "label2", "transfer_date")
    def _compute_name(self):
        for settlement in self:
            payer = settlement.payer_id.name or settlement.payer_text or settlement.label1 or ""
            day = settlement.transfer_date and settlement.transfer_date.strftime("%d/%m/%Y") or ""
            settlement.name = " · ".join(filter(None, [payer, day, settlement.label2]))

    @api.depends(
        "amount_expected",
        "statement_line_ids.is_reconciled",
        "statement_line_ids.date",
        "statement_line_ids.health_booking",
    )
    def _compute_state(self):
        for settlement in self:
            expected = cents(settlement.amount_expected)
            proven = settlement.statement_line_ids.filtered("is_reconciled")
            received = sum(line._health_brought(settlement) for line in proven)
            settlement.amount_received = euros(received)
            settlement.amount_left = euros(expected - received)
            if proven and received == expected:
                settlement.state = "received"
            else:
                settlement.state = "announced" if expected else "nothing"
            settlement.received_on = max(proven.mapped("date")) if proven else False

    def _booked_pieces(self):
        """Cents that reached the bank already, by part and movement; for settlements received in part."""
        booked = {}
        Line, Movement = self.env["health.settlement.line"], self.env["health.settlement.movement"]
        for settlement in self.filtered("amount_received"):
            for line in settlement.line_ids.filtered("move_line_id"):
                booked[line] = cents(line.paid)
            for movement in settlement.movement_ids.filtered("move_line_id"):
                sign = -1 if movement.kind == "retention" else 1
                booked[movement] = sign * cents(movement.amount)
            cut = {}
            for credit in settlement.statement_line_ids:
                note = credit.health_booking or {}
                for model, name in ((Line, "lines"), (Movement, "movements")):
                    for key, amount in (note.get(name) or {}).items():
                        record = model.browse(int(key))
                        cut[record] = cut.get(record, 0) + amount
            booked |= cut
        return booked

    def _restore_items(self):
        """Parts cut over several credits keep the journal item of a credit that remains."""
        for credit in self.statement_line_ids:
            for key, item in ((credit.health_booking or {}).get("items") or {}).items():
                line = self.env["health.settlement.line"].sudo().browse(int(key)).exists()
                item = self.env["account.move.line"].sudo().browse(item).exists()
                if line and item and not line.move_line_id:
                    line.move_line_id = item

    @api.depends("statement_line_ids.health_match_evidence")
    def _compute_evidence(self):
        for settlement in self:
            settlement.evidence = "\n".join(
                filter(None, settlement.statement_line_ids.mapped("health_match_evidence"))
            )

    @api.depends("line_ids.problem")
    def _compute_problem_count(self):
        for settlement in self:
            settlement.problem_count = len(settlement.line_ids.filtered("problem"))
            settlement.line_count = len(settlement.line_ids)

    def action_open_bank_lines(self):
        """Open the credits that brought this settlement."""
        self.ensure_one()
        return self.statement_line_ids._health_action(self.env._("Bank credits"))

    # -- import --------------------------------------------------------------------------------------

    @api.model
    def _import_noemie(self, files, inbox):
        """Record the settlements of NOEMIE files that were read and whose totals agree.

        All in batches: the number of queries does not depend on the number of invoices. A settlement that
        another file brought is recognised and left as it is.

        :param files: list of ``norms.noemie.NoemieFile``
        :param inbox: the ``health.inbox`` record; lines whose FSE is unknown are noted there
        :return: (settlements of the files, counts)
        :raises InboxReview: a payee is no practitioner of the agency
        """
        payees = self._payees(files)
        rows, known = self._split_known(files, payees)
        index = self.env["health.settlement.line"]._index_fse(
            [
                (company.id, invoice.invoice_no)
                for _key, _file, settlement, company in rows
                for invoice in settlement.invoices
            ]
        )
        fses = self.env["health.fse"].union(*index.values()) if index else self.env["health.fse"]
        shares = self.env["health.settlement.line"]._shares_of(fses)
        payers = self._payers(rows)
        made = self.create(
            [
                self._prepare(key, file, settlement, company, inbox, index, shares, payers)
                for key, file, settlement, company in rows
            ]
        )
        lines = self._create_lines(rows, made, index, shares)
        self.env["health.settlement.movement"].create(
            [
                {"settlement_id": record.id, **vals}
                for record, (_key, _file, settlement, _company) in zip(made, rows, strict=True)
                for vals in self._prepare_movements(settlement)
            ]
        )
        lines._announce()
        self.env["health.settlement.line"]._link_waiting(known.company_id)
        self.env["health.indu"]._from_settlements(made)
        everything = made | known
        self._note_unknown(everything, inbox)
        counts = {
            "settlements": len(made),
            "known": len(known),
            "amount": sum(cents(record.amount_expected) for record in made),
            "paid": len(lines.filtered(lambda line: line.state == "P")),
            "rejected": len(lines.filtered(lambda line: line.state == "R")),
            "unknown": len(
                everything.line_ids.filtered(lambda line: line.problem == "unknown_fse")
            ),
        }
        return everything, counts

    @api.model
    def _payees(self, files):
        """dict of 9-digit billing number → practitioner company the user works for."""
        numbers = {settlement.provider_no for file in files for settlement in file.settlements}
        companies = self.env["res.company"].search([("health_provider_no", "in", list(numbers))])
        found = {company.health_provider_no: company for company in companies}
        missing = sorted(numbers - found.keys())
        if missing:
            raise InboxReview(
                self.env._(
                    "This return pays %(numbers)s, who is no practitioner of the agency: add the practitioner "
                    "(billing number) or hand the file to whoever works for them, then try again. Nothing of "
                    "the file was recorded.",
                    numbers=", ".join(missing),
                )
            )
        return found

    @api.model
    def _split_known(self, files, payees):
        """Settlements to record, as (key, file, settlement, company), and those recorded before."""
        rows = {}
        for file in files:
            for settlement in file.settlements:
                company = payees[settlement.provider_no]
                key = self._settlement_key(file, settlement)
                rows.setdefault((company.id, key), (key, file, settlement, company))
        known = self.search(
            [
                ("company_id", "in", [company.id for company in payees.values()]),
                ("key", "in", [key for _company, key in rows]),
            ]
        )
        for record in known:
            rows.pop((record.company_id.id, record.key), None)
        return list(rows.values()), known

    @api.model
    def _settlement_key(self, file, settlement):
        """What makes two announcements one: day, labels, payer and total.

        Labels without any number do not tell two transfers of one day apart: the parts paid then count too.
        """
        labels = [*words(settlement.label1), *words(settlement.label2)]
        facts = [
            settlement.transfer_date.isoformat(),
            *labels,
            settlement.payer.strip().upper(),
            str(settlement.expected),
        ]
        if not any(sum(map(str.isdigit, word)) >= 6 for word in labels):
            facts += sorted(
                f"{invoice.invoice_no.strip()}/{part.part}/{part.state}/{part.paid}"
                for invoice in settlement.invoices
                for part in invoice.parts
            )
        return hashlib.sha256("|".join(facts).encode()).hexdigest()[:32]

    @api.model
    def _payers(self, rows):
        """dict of (kind, number) → payer, for the senders and the payer texts of the files; one query."""
        numbers = set()
        for _key, file, settlement, _company in rows:
            numbers |= {number for _kind, number in self._payer_numbers(file, settlement)}
        partners = self.env["res.partner"].search(
            [("health_kind", "in", ("amo", "amc")), ("health_org_no", "in", list(numbers))]
        )
        return {(partner.health_kind, partner.health_org_no): partner for partner in partners}

    @api.model
    def _payer_numbers(self, file, settlement):
        """Organisation numbers that may name the payer, the surest first."""
        sender = (file.sender_no or "").strip().zfill(14)
        text = "".join(filter(str.isdigit, settlement.payer or ""))
        if file.sender_type in AMC_SENDERS:
            found = [("amc", sender[-10:])]
            return found + ([("amc", text.zfill(10))] if text else [])
        # regime (2), computing centre (3), fund (3) at the end of the sender number
        found = [("amo", sender[6:8] + sender[11:14])]
        return found + ([("amo", text)] if len(text) == 5 else [])

    @api.model
    def _prepare(self, key, file, settlement, company, inbox, index, shares, payers):
        return {
            "key": key,
            "company_id": company.id,
            "inbox_id": inbox.id,
            "transfer_date": settlement.transfer_date,
            "label1": settlement.label1,
            "label2": settlement.label2,
            "payer_text": settlement.payer,
            "sender_no": file.sender_no,
            "payer_id": self._payer_of(file, settlement, company, index, shares, payers).id,
            "amount_paid": euros(sum(invoice.paid for invoice in settlement.invoices)),
            "amount_retained": euros(sum(m.amount for m in settlement.movements if m.withheld)),
            "amount_lump": euros(sum(lump.amount for lump in settlement.lumps)),
            "amount_expected": euros(settlement.expected),
        }

    @api.model
    def _payer_of(self, file, settlement, company, index, shares, payers):
        """The payer: the one debtor of the parts paid, else whom the sender's number names, else nobody."""
        bare = self.env["health.settlement.line"]._bare
        debtors = self.env["res.partner"]
        for invoice in settlement.invoices:
            fse = index.get((company.id, bare(invoice.invoice_no)))
            for part in invoice.parts if fse else ():
                share = shares.get((fse.id, part.part))
                if share:
                    debtors |= share.partner_id
        if len(debtors) == 1:
            return debtors
        for number in self._payer_numbers(file, settlement):
            if number in payers:
                return payers[number]
        return self.env["res.partner"]

    @api.model
    def _prepare_movements(self, settlement):
        for movement in settlement.movements:
            yield {
                "kind": "retention",
                "code": movement.operation,
                "label": self.env._("Retention %s", movement.debt_ref.strip()),
                "debt_ref": movement.debt_ref,
                "debt_date": movement.debt_date,
                "debt_kind": movement.debt_kind,
                "is_withheld": movement.withheld,
                "amount": euros(movement.amount),
                "balance": euros(movement.balance),
            }
        for lump in settlement.lumps:
            yield {
                "kind": "lump_sum",
                "code": lump.code,
                "label": lump.label or self.env._("Lump sum %s", lump.code),
                "amount": euros(lump.amount),
            }

    @api.model
    def _create_lines(self, rows, made, index, shares):
        bare = self.env["health.settlement.line"]._bare
        vals_list, sources = [], []
        for record, (_key, _file, settlement, company) in zip(made, rows, strict=True):
            for invoice in settlement.invoices:
                fse = index.get((company.id, bare(invoice.invoice_no)))
                for part in invoice.parts:
                    share = shares.get((fse.id, part.part)) if fse else None
                    refused = part.state == "R"
                    vals_list.append(
                        {
                            "settlement_id": record.id,
                            "invoice_no": invoice.invoice_no,
                            "lot_no": invoice.lot_no,
                            "kind": invoice.kind,
                            "part": part.part,
                            "asked": euros(part.asked),
                            "paid": euros(part.paid),
                            "state": part.state if part.state in ("P", "R", "D") else "N",
                            "in_transfer": not self._is_separate(invoice, part),
                            "amc_no": part.amc_no,
                            "info": self._notices(invoice, refused),
                            "fse_id": fse.id if fse else False,
                            "share_id": share.id if share else False,
                        }
                    )
                    sources.append((invoice, part))
        lines = self.env["health.settlement.line"].create(vals_list)
        self._create_rejections(lines, sources)
        return lines

    @api.model
    def _reject_late(self, lines):
        """Rejections of parts whose FSE came after the return: the reasons are read again from the file kept."""
        refused = lines.filtered(lambda line: line.state == "R" and not line.rejection_ids)
        found, sources = self.env["health.settlement.line"], []
        for inbox, group in refused.grouped(lambda line: line.settlement_id.inbox_id).items():
            told = {}
            for file in noemie.read(base64.b64decode(inbox.sudo().content or b"")):
                for settlement in file.settlements:
                    key = self._settlement_key(file, settlement)
                    for invoice in settlement.invoices:
                        for part in invoice.parts:
                            told[settlement.provider_no, key, invoice.invoice_no, part.part] = (
                                invoice,
                                part,
                            )
            for line in group:
                number = line.company_id.health_provider_no
                source = told.get((number, line.settlement_id.key, line.invoice_no, line.part))
                if source:
                    found += line
                    sources.append(source)
        return self._create_rejections(found, sources)

    @api.model
    def _is_separate(self, invoice, part):
        """Whether another transfer brings this part (AMC processing V): asked from the codec itself."""
        return part.part == "amc" and invoice.paid != sum(p.paid for p in invoice.parts)

    @api.model
    def _notices(self, invoice, refused):
        notices = list(invoice.comments)
        if not refused:
            notices += [f"{reason.code} {reason.label}".strip() for reason in invoice.reasons]
        return "\n".join(notice.strip() for notice in notices) or False

    @api.model
    def _create_rejections(self, lines, sources):
        """One rejection per refused part, with its codes learnt; a part paid later stays closed."""
        cases = []
        for line, (invoice, part) in zip(lines, sources, strict=True):
            if line.state == "R" and line.share_id:
                own = [reason for reason in invoice.reasons if reason.part == part.part]
                cases.append((line, own or list(invoice.reasons)))
        seen = {
            (line.id, number): (
                reason.code,
                line.part,
                reason.label,
                line.settlement_id.transfer_date,
                line.share_id.partner_id.id,
            )
            for line, reasons in cases
            for number, reason in enumerate(sorted(reasons, key=lambda one: one.level != "F"))
        }
        learnt = self.env["health.reject.code"]._learn(list(seen.values()))
        codes = dict(zip(seen, learnt, strict=True))
        normalise = self.env["health.reject.code"]._normalise
        held = {
            (rejection.share_id.id, normalise(rejection.code))
            for rejection in self.env["health.rejection"].search(
                [
                    ("share_id", "in", [line.share_id.id for line, _r in cases]),
                    ("state", "=", "open"),
                ]
            )
        }
        later = {
            line.share_id.id
            for line in self.env["health.settlement.line"].search(
                [
                    ("share_id", "in", [line.share_id.id for line, _r in cases]),
                    ("state", "=", "P"),
                    ("paid", ">", 0),
                ]
            )
        }
        vals_list = []
        for line, reasons in cases:
            # the reason for the whole invoice leads, the others are told along
            reasons = sorted(reasons, key=lambda reason: reason.level != "F")
            first = reasons[0] if reasons else None
            code = first.code.strip() if first else ""
            if (line.share_id.id, normalise(code)) in held:
                continue
            held.add((line.share_id.id, normalise(code)))
            record = codes.get((line.id, 0))
            more = [f"{reason.code} {reason.label} {reason.info}".strip() for reason in reasons[1:]]
            if first and first.info:
                more.insert(0, first.info)
            vals_list.append(
                {
                    "settlement_line_id": line.id,
                    "share_id": line.share_id.id,
                    "rejected_on": line.settlement_id.transfer_date,
                    "part": line.part,
                    "code": code,
                    "label": first.label.strip()
                    if first
                    else self.env._("No reason given by the payer"),
                    "level": first.level if first and first.level in ("F", "L", "A") else False,
                    "act": first.act if first else False,
                    "info": "\n".join(more) or False,
                    "code_id": record.id if record else False,
                    "state": "fixed" if line.share_id.id in later else "open",
                    "closing_reason": self.env._("Paid by the payer since.")
                    if line.share_id.id in later
                    else False,
                }
            )
        return (
            self.env["health.rejection"]
            .with_context(
                tracking_disable=True, mail_create_nolog=True, mail_create_nosubscribe=True
            )
            .create(vals_list)
        )

    @api.model
    def _note_unknown(self, settlements, inbox):
        waiting = settlements.line_ids.filtered(
            lambda line: line.problem in ("unknown_fse", "no_share")
        )
        inbox._add_issues(
            [
                {
                    "reference": line.invoice_no,
                    "column": line.part.upper(),
                    "reason": self.env._(
                        "FSE %(number)s of %(practitioner)s: %(what)s",
                        number=line.invoice_no,
                        practitioner=line.company_id.name,
                        what=line.problem_text,
                    ),
                }
                for line in waiting
            ]
        )

    @api.model
    def _import_message(self, counts):
        """What a biller is told of an import."""
        sentences = [
            self.env._(
                "%(settlements)s transfer(s) announced (%(amount)s): %(paid)s part(s) paid, %(rejected)s rejected.",
                settlements=counts["settlements"],
                amount=format_cents(counts["amount"]),
                paid=counts["paid"],
                rejected=counts["rejected"],
            )
        ]
        if counts["known"]:
            sentences.append(
                self.env._(
                    "%s transfer(s) known already from another file: left as they are.",
                    counts["known"],
                )
            )
        if counts["unknown"]:
            sentences.append(
                self.env._(
                    "%s part(s) name an FSE that is not recorded: they wait for its journal.",
                    counts["unknown"],
                )
            )
        return sentences

    # -- matching ------------------------------------------------------------------------------------

    @api.model
    def _credits_without_return(self, announced):
        """Credits that a payer's shares were booked on before any return told of them (whoever decided it).

        :param announced: ids of the shares that returns now speak of; nothing is looked for without any
        """
        credits = self.env["account.bank.statement.line"].sudo()
        if not announced:
            return credits
        days = self.env["health.parameter"].value_of("match_context_days")
        return credits.search(
            [
                ("company_id", "in", self.company_id.ids),
                ("date", ">=", min(self.mapped("transfer_date")) - timedelta(days=days)),
                ("amount", ">", 0),
                ("is_reconciled", "=", True),
                ("health_settlement_ids", "=", False),
                ("health_match_rule", "!=", "patient"),
            ]
        )

    def _adopt_credits(self):
        """Returns that come after their money: the credits were booked on the very shares that they announce.

        A settlement is adopted when credits without any settlement paid exactly its parts, and nothing else.

        :return: the settlements that found their credits
        """
        paid = defaultdict(dict)  # settlement → {(share, credit): [cents, item]}
        announced = defaultdict(list)  # share → settlements
        for line in self.line_ids:
            if line.in_transfer and line.paid > 0 and line.share_id:
                announced[line.share_id.id].append(line.settlement_id.id)
        # few credits are booked without a settlement: they lead, not the parts that payers announce
        for part in self._credits_without_return(announced).move_id.line_ids.matched_debit_ids:
            item = part.credit_move_id
            share = part.debit_move_id.move_id.health_share_id.id
            for settlement in announced.get(share, ()):
                paid[settlement][share, item.statement_line_id.id] = (cents(part.amount), item.id)
        adopted, taken, pairs = self.browse(), set(), []
        for settlement in self.browse(paid).filtered(lambda s: not s.amount_received):
            facts = paid[settlement.id]
            lines = settlement.line_ids.filtered(lambda line: line.in_transfer and line.paid)
            credits = {credit for _share, credit in facts}
            brought = defaultdict(int)
            for (share, _credit), (amount, _item) in facts.items():
                brought[share] += amount
            records = self.env["account.bank.statement.line"].browse(credits).sudo()
            if (
                taken & credits
                or settlement.movement_ids.filtered("is_withheld")
                or brought != {line.share_id.id: cents(line.paid) for line in lines}
                or sum(cents(record.amount) for record in records)
                != cents(settlement.amount_expected)
            ):
                continue
            adopted += settlement
            taken |= credits
            for record in records:
                own = sum(a for (_s, credit), (a, _i) in facts.items() if credit == record.id)
                note = dict(record.health_booking or {"lines": {}, "movements": {}})
                note["settlements"] = {str(settlement.id): own}
                pairs.append((record.id, settlement.id))
                record.write(
                    {
                        "health_booking": note,
                        "health_match_rule": record.health_match_rule or "person",
                        "health_match_evidence": "\n".join(
                            filter(
                                None,
                                [
                                    record.health_match_evidence,
                                    self.env._(
                                        "Its return came since: %s, the same parts to the cent.",
                                        settlement.name,
                                    ),
                                ],
                            )
                        ),
                    }
                )
            items = {share: item for (share, _credit), (_amount, item) in facts.items()}
            for line in lines:
                line.sudo().move_line_id = items[line.share_id.id]
        if pairs:
            bank = self.env["account.bank.statement.line"].browse(p[0] for p in pairs)
            bank._health_set_pairs("health_settlement_ids", pairs)
            adopted.sudo().modified(["statement_line_ids"])
        return adopted

    def _common_numbers(self):
        """Numbers that stand on every transfer of this payer to this practitioner."""
        self.ensure_one()
        numbers = (
            self.company_id.health_provider_no,
            self.payer_id.health_org_no,
            self.sender_no,
        )
        return tuple(filter(None, numbers))

    def _matcher_values(self):
        """The settlements as the matcher takes them."""
        values = []
        for record in self:
            payer = record.payer_id
            names = [payer.name] if payer and not payer.health_to_complete else []
            names += (payer.health_bank_names or "").splitlines()
            if not payer and any(map(str.isalpha, record.payer_text or "")):
                names.append(record.payer_text)
            values.append(
                Settlement(
                    id=record.id,
                    payee=record.company_id.id,
                    payer_key=payer.id or f"{record.sender_no}/{record.payer_text}",
                    payer_names=tuple(name.strip() for name in names if name and name.strip()),
                    date=record.transfer_date,
                    labels=(record.label1 or "", record.label2 or ""),
                    expected_cents=cents(record.amount_left),
                    retained_cents=cents(record.amount_retained),
                    lump_cents=cents(record.amount_lump),
                    ignored=record._common_numbers(),
                )
            )
        return values
