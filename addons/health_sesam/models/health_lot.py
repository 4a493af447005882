import base64
import hashlib

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.health_billing.ngap import UnknownValue
from odoo.addons.health_billing.tools import cents, euros, format_cents

from ..norms import NormError, b2
from ..norms.codec import WRITE_ADVICE, codes
from ..working_days import add_working_days

#: numbers of lots have three digits, 001 to 999, then start again
LAST_NUMBER = 999


class HealthLot(models.Model):
    """A set of FSE of one practitioner for one payer, with the B2 file that describes it.

    Its state is derived: file made, sent, acknowledged. The practitioner signs and transmits in
    their approved software; the file made here is for control and for export, and nothing here
    certifies a transmission.
    """

    _name = "health.lot"
    _description = "Lot of FSE"
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char("Number", size=3, required=True, index=True)
    company_id = fields.Many2one("res.company", string="Practitioner", required=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id", store=True)
    payer_id = fields.Many2one(
        "res.partner", index=True, help="Sickness fund, or complementary insurer for a lot of DRE."
    )
    kind = fields.Selection(
        [("F", "FSE"), ("B", "Degraded or plain B2"), ("D", "DRE")], required=True, default="F"
    )
    origin = fields.Selection(
        [("built", "Prepared here"), ("journal", "Read in the FSE journal")],
        required=True,
        default="built",
        readonly=True,
    )
    date = fields.Date(required=True, index=True)
    fse_ids = fields.One2many("health.fse", "lot_id", string="FSE")
    arl_ids = fields.One2many("health.arl", "lot_id", string="ARL that came")
    fse_count = fields.Integer("FSE count", compute="_compute_totals", store=True)
    amount_total = fields.Monetary("Total", compute="_compute_totals", store=True)
    amount_amo = fields.Monetary("AMO", compute="_compute_totals", store=True)
    amount_amc = fields.Monetary("AMC", compute="_compute_totals", store=True)
    b2_file = fields.Binary("B2 file", attachment=True, readonly=True, copy=False)
    b2_filename = fields.Char(readonly=True)
    b2_checked = fields.Boolean(
        "Read back",
        readonly=True,
        help="The file was read back and holds exactly these FSE and amounts.",
    )
    b2_inbox_id = fields.Many2one("health.inbox", string="B2 file received", readonly=True)
    b2_dump = fields.Html("Records", compute="_compute_b2_dump", sanitize=False)
    signed_on = fields.Date(
        "List signed on", readonly=True, copy=False, help="The practitioner signed the list of FSE."
    )
    signed_by_id = fields.Many2one(
        "res.users", string="Signature noted by", readonly=True, copy=False
    )
    has_road = fields.Boolean("Has a transport", compute="_compute_has_road")
    transmission_ids = fields.One2many("health.transmission", "lot_id", string="Transmissions")
    sent_on = fields.Date(readonly=True, index=True)
    arl_expected_on = fields.Date(
        "ARL expected by", compute="_compute_arl_expected_on", store=True, index=True
    )
    arl_missed_on = fields.Date("ARL missing since", readonly=True)
    is_arl_needed = fields.Boolean(
        "ARL expected", compute="_compute_is_arl_needed", store=True, readonly=False
    )
    arl_state = fields.Selection(
        [
            ("waiting", "Expected"),
            ("ok", "Received"),
            ("refused", "Refused"),
            ("not_needed", "Not needed"),
            ("missing", "Missing"),
        ],
        string="ARL",
        compute="_compute_state",
        store=True,
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("ready", "To sign and send"),
            ("sent", "Sent"),
            ("arl_missing", "ARL missing"),
            ("acknowledged", "ARL received"),
            ("refused", "Refused (negative ARL)"),
        ],
        compute="_compute_state",
        store=True,
        index=True,
    )

    # Numbers start again after 999; what we build never bears the same one twice on a day.
    _built_uniq = models.UniqueIndex(
        "(company_id, name, date) WHERE origin = 'built'",
        "This practitioner already has a lot with this number on that day.",
    )

    @api.depends("name", "payer_id", "date")
    def _compute_display_name(self):
        for lot in self:
            day = lot.date and lot.date.strftime("%d/%m/%Y")
            lot.display_name = " · ".join(filter(None, [lot.name, lot.payer_id.name, day]))

    @api.depends(
        "fse_ids.amount_total", "fse_ids.share_ids.amount", "fse_ids.share_ids.debtor_kind"
    )
    def _compute_totals(self):
        for lot in self:
            parts = dict.fromkeys(("amo", "amc", "patient"), 0)
            for share in lot.fse_ids.share_ids:
                parts[share.debtor_kind] += cents(share.amount)
            lot.fse_count = len(lot.fse_ids)
            lot.amount_total = euros(sum(cents(fse.amount_total) for fse in lot.fse_ids))
            lot.amount_amo = euros(parts["amo"])
            lot.amount_amc = euros(parts["amc"])

    @api.depends("sent_on")
    def _compute_arl_expected_on(self):
        delay = self.env["health.parameter"].value_of("arl_working_days")
        for lot in self:
            lot.arl_expected_on = lot.sent_on and add_working_days(lot.sent_on, delay)

    @api.depends("kind", "payer_id")
    def _compute_is_arl_needed(self):
        Rule = self.env["health.lot.rule"]
        for lot in self:
            lot.is_arl_needed = Rule._of(lot.kind, lot.payer_id).is_arl_expected

    @api.depends(
        "b2_checked",
        "sent_on",
        "arl_missed_on",
        "is_arl_needed",
        "arl_ids.result",
        "arl_ids.is_superseded",
        "arl_ids.date",
        "arl_ids.fse_no",
    )
    def _compute_state(self):
        for lot in self:
            # one that refuses some FSE only says that the front end read the others
            arls = lot.arl_ids.filtered(lambda arl: not arl.is_superseded)
            whole = arls.filtered(lambda arl: not arl.fse_no) or arls
            if not lot.sent_on:
                lot.arl_state = False
                lot.state = "ready" if lot.b2_checked else "draft"
            elif whole:
                last = whole.sorted(lambda arl: (arl.date, arl.id))[-1]
                refused = last.result == "negative" and not last.fse_no
                lot.arl_state = "refused" if refused else "ok"
                lot.state = "refused" if refused else "acknowledged"
            elif not lot.is_arl_needed:
                lot.arl_state, lot.state = "not_needed", "sent"
            else:
                lot.arl_state = "missing" if lot.arl_missed_on else "waiting"
                lot.state = "arl_missing" if lot.arl_missed_on else "sent"

    @api.depends("company_id")
    def _compute_has_road(self):
        roads = self.env["health.transport"]._for_lots(self)
        for lot in self:
            lot.has_road = bool(roads[lot])

    @api.depends("b2_file", "b2_inbox_id")
    def _compute_b2_dump(self):
        for lot in self:
            # The received file is a fact of this lot: whoever reads the lot may see it.
            content = lot.with_context(bin_size=False).b2_file or (
                lot.sudo().b2_inbox_id.with_context(bin_size=False).content
            )
            lot.b2_dump = content and self._dump(base64.b64decode(content))

    @api.model
    def _dump(self, content):
        """The records of a B2 file, field by field."""
        return self.env["health.format.layout"].sudo()._dump_html(content)

    # -- actions ---------------------------------------------------------------------------------

    def action_mark_sent(self):
        """The practitioner transmitted these lots in the approved software: note the day."""
        wrong = self.filtered(lambda lot: lot.state not in ("ready", "refused"))
        if wrong:
            raise UserError(
                self.env._(
                    "Lot %s cannot be marked as sent: only a lot ready to send, or a refused one "
                    "sent again, can.",
                    wrong[0].display_name,
                )
            )
        self._set_sent(fields.Date.context_today(self))
        return True

    def _set_sent(self, day):
        """Note that the lots left on ``day``: earlier acknowledgements no longer speak for them."""
        self._corrected_since().sudo().lot_id = False
        self.arl_ids.write({"is_superseded": True})
        self.write({"sent_on": day, "arl_missed_on": False})
        # one write for all: what depends on the day is looked up once, not lot by lot
        self.fse_ids.write({"sent_on": day})
        for name, lots in self.grouped("name").items():
            lots.fse_ids.write({"lot_no": name})
        self.env["health.arl"]._attach_orphans(self.company_id)
        # whoever marks it, the practitioner is not asked any more
        self.env["health.question"].search(
            [("lot_id", "in", self.ids), ("state", "=", "open")]
        ).action_cancel()

    def action_mark_signed(self):
        """The practitioner signed the list of these lots."""
        self.filtered(lambda lot: not lot.signed_on).write(
            {"signed_on": fields.Date.context_today(self), "signed_by_id": self.env.uid}
        )
        return True

    def action_print_list(self):
        """The list that the practitioner signs, to print."""
        return self.env.ref("health_sesam.action_report_lot_list").report_action(self)

    def _list_rows(self, with_names=False):
        """Rows and totals of the list to sign; patients by their initials unless asked for.

        :return: dict of ``rows`` (one dict of texts per FSE) and ``total``.
        """
        self.ensure_one()
        rows, sums = [], dict.fromkeys(("amo", "amc", "own", "total"), 0)
        # a practitioner reads their own FSE, not every share of them
        for fse in self.sudo().fse_ids.sorted(lambda fse: (fse.fse_date, fse.name, fse.id)):
            amounts = dict.fromkeys(sums, 0)
            for share in fse.share_ids:
                kind = "own" if share.debtor_kind == "patient" else share.debtor_kind
                amounts[kind] += cents(share.amount)
            amounts["total"] = cents(fse.amount_total)
            for kind, amount in amounts.items():
                sums[kind] += amount
            name = fse.patient_id.name or ""
            initials = " ".join(f"{word[0].upper()}." for word in name.split()[:3])
            rows.append(
                {
                    "name": fse.name,
                    "day": fse.fse_date.strftime("%d/%m/%Y"),
                    "patient": name if with_names else initials,
                    **{kind: format_cents(amount) for kind, amount in amounts.items()},
                }
            )
        return {
            "rows": rows,
            "total": {kind: format_cents(amount) for kind, amount in sums.items()},
        }

    def action_send(self):
        """Ask what is still to confirm, then send these lots by their transport."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send"),
            "res_model": "health.lot.send",
            "view_mode": "form",
            "target": "new",
            "context": {"default_lot_ids": self.ids},
        }

    def action_write_file(self):
        """Write the B2 file of lots that did not leave, or were refused, from their FSE as they are now.

        An FSE that was corrected since leaves the lot: its correction has a lot of its own.
        """
        self._corrected_since().sudo().lot_id = False
        wrong = self.filtered(
            lambda lot: (
                lot.sent_on and lot.state != "refused" or lot.origin != "built" or not lot.fse_ids
            )
        )
        if wrong:
            raise UserError(self.env._("Lot %s left already, or is empty.", wrong[0].display_name))
        claims, problems = self._claims(self.fse_ids)
        self._note_problems(self.fse_ids, problems)
        if problems:
            raise UserError(next(iter(problems.values())))
        for lot in self:
            fses = lot.fse_ids.sorted(lambda fse: (fse.fse_date, fse.name, fse.id))
            vals = {"name": lot.name, "date": lot.date, "kind": lot.kind}
            lot.write(self._file_vals(vals, lot.company_id, fses[0]._lot_org(), fses, claims))
        return True

    def _corrected_since(self):
        """FSE of these lots that were corrected under another number, or given up: they never leave again."""
        return self.fse_ids.filtered(lambda fse: fse.state in ("replaced", "written_off"))

    # -- sending ---------------------------------------------------------------------------------

    def _was_transmitted(self):
        """Lots whose file left, or may have left, already."""
        rows = (
            self.env["health.transmission"]
            .sudo()
            ._read_group(
                [("lot_id", "in", self.ids), ("state", "in", ("done", "started"))], ["lot_id"]
            )
        )
        return self.browse(lot.id for (lot,) in rows) | self.filtered("sent_on")

    def _may_not_leave(self, again=False):
        """Why each lot may not be sent now: ``{lot: sentence}``."""
        gone = self.browse() if again else self._was_transmitted()
        roads = self.env["health.transport"]._for_lots(self)
        reasons = {}
        for lot in self:
            if lot.origin != "built" or not lot.b2_file:
                reasons[lot] = self.env._("has no B2 file of ours.")
            elif corrected := lot._corrected_since():
                reasons[lot] = self.env._(
                    "FSE %s was corrected or given up since: write the file again, it leaves the lot.",
                    ", ".join(corrected.mapped("name")),
                )
            elif not lot.b2_checked or lot._file_differs():
                reasons[lot] = self.env._(
                    "the B2 file no longer says what the lot holds: write it again first."
                )
            elif not roads[lot]:
                reasons[lot] = self.env._("no transport takes the lots of this practitioner.")
            elif lot in gone:
                reasons[lot] = self.env._("was sent already: sending it again needs your word.")
        return reasons

    def _file_differs(self):
        """Read the file back before it leaves: whether it says anything else than the lot."""
        self.ensure_one()
        try:
            read = b2.read(
                base64.b64decode(self.with_context(bin_size=False).b2_file),
                layouts=self.env["health.format.layout"].sudo()._layouts(),
            ).lots[0]
        except (NormError, IndexError):
            return True
        held = sorted((fse.name.lstrip("0"), cents(fse.amount_total)) for fse in self.fse_ids)
        return held != sorted(
            (claim.invoice_no.lstrip("0"), claim.total_fee) for claim in read.invoices
        ) or (read.total_amo, read.total_amc) != (cents(self.amount_amo), cents(self.amount_amc))

    def _transmit(self, again=False):
        """Send these lots by their transports; each that arrived is marked as sent.

        Every attempt is noted for good before and after. What may not leave raises; what the road
        refuses is told and leaves the lot as it was.

        :param again: a person confirmed that files that left already leave again.
        :return: (lots sent, sentences on those that were not).
        """
        # two people at once: the second one is told, and nothing leaves twice
        if self.try_lock_for_update(allow_referencing=True) != self:
            raise UserError(self.env._("Somebody else is sending these lots at this moment."))
        refused = self._may_not_leave(again)
        if refused:
            raise UserError(
                "\n".join(
                    self.env._("Lot %(lot)s: %(reason)s", lot=lot.display_name, reason=reason)
                    for lot, reason in refused.items()
                )
            )
        self.env.flush_all()
        roads = self.env["health.transport"]._for_lots(self)
        contents = {
            lot: base64.b64decode(lot.b2_file) for lot in self.sudo().with_context(bin_size=False)
        }
        Transmission = self.env["health.transmission"]
        rows = Transmission._note(
            [
                {
                    "transport_id": roads[lot].id,
                    "direction": "out",
                    "user_id": self.env.uid,
                    "company_id": lot.company_id.id,
                    "lot_id": lot.id,
                    "filename": lot.b2_filename,
                    "size": len(contents[lot]),
                    "checksum": hashlib.sha256(contents[lot]).hexdigest(),
                    "state": "started",
                }
                for lot in self
            ]
        )
        by_row = dict(zip(rows, self, strict=True))
        ends, failures, sent = {}, [], self.browse()
        try:
            for road in {road.id: road for road in roads.values()}.values():
                files = {
                    row: (lot, lot.b2_filename, contents[lot])
                    for row, lot in by_row.items()
                    if roads[lot] == road
                }
                places, wrong = road._send(files)
                for row, place in places.items():
                    ends[row] = {"state": "done", "place": place}
                    sent |= by_row[row]
                for row, reason in wrong.items():
                    ends[row] = {"state": "failed", "message": reason}
                    failures.append(
                        self.env._(
                            "Lot %(lot)s: %(reason)s", lot=by_row[row].display_name, reason=reason
                        )
                    )
        finally:
            Transmission._note_ends(ends)
        if sent:
            sent._set_sent(fields.Date.context_today(self))
        return sent, failures

    @api.model
    def _transmit_signed(self, companies):
        """The night: lots that their practitioner signed leave by roads that allow it."""
        lots = self.search(
            [
                ("company_id", "in", companies.ids),
                ("origin", "=", "built"),
                ("state", "=", "ready"),
                ("signed_on", "!=", False),
            ]
        )
        roads = self.env["health.transport"]._for_lots(lots)
        lots = lots.filtered(lambda lot: roads[lot].is_automatic)
        refused = lots._may_not_leave() if lots else {}
        sentences = [
            self.env._("Lot %(lot)s: %(reason)s", lot=lot.display_name, reason=reason)
            for lot, reason in refused.items()
        ]
        lots = lots.filtered(lambda lot: lot not in refused)
        sent, failures = lots._transmit() if lots else (lots, [])
        return sent, sentences + failures

    def action_ask_to_sign(self):
        """Ask the practitioners, on their phone, to sign and send these lots in their software."""
        wrong = self.filtered(lambda lot: lot.state not in ("ready", "refused"))
        if wrong:
            raise UserError(
                self.env._("Lot %s is not one that waits for sending.", wrong[0].display_name)
            )
        Question = self.env["health.question"]
        Question._ask(Question._lot_vals(self))
        questions = Question.search([("lot_id", "in", self.ids), ("state", "=", "open")])
        return questions._action_open(self.env._("Questions asked"))

    def action_record_arl(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Record an ARL"),
            "res_model": "health.arl.record",
            "view_mode": "form",
            "target": "new",
            "context": {"default_lot_ids": self.ids},
        }

    def action_no_arl(self):
        """No acknowledgement will come for these lots: they are not waited for any more."""
        self.write({"is_arl_needed": False})
        return True

    def action_open_fse(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("FSE"),
            "res_model": "health.fse",
            "view_mode": "list,form",
            "domain": [("lot_id", "=", self.id)],
        }

    # -- lots read in the journal ----------------------------------------------------------------

    @api.model
    def _collect_sent(self, companies):
        """Put the FSE that their software already sent into lots, where ARL will find them.

        One lot per practitioner, payer, number and day of sending. A lot prepared here whose FSE
        left under the same number is marked as sent; FSE that left otherwise leave it, and it goes
        away when it is empty.

        :return: the lots touched.
        """
        domain = [
            ("company_id", "in", companies.ids),
            ("sent_on", "!=", False),
            ("lot_no", "!=", False),
            ("kind", "!=", "P"),
            "|",
            ("lot_id", "=", False),
            ("lot_id.sent_on", "=", False),
        ]
        fses = self.env["health.fse"].search(domain, order="sent_on, lot_no, id")
        if not fses:
            return self
        groups = fses.grouped(
            lambda fse: (fse.company_id, fse._lot_payer(), fse.lot_no, fse.sent_on)
        )
        prepared = fses.lot_id
        known = self._known_lots(groups)
        made = iter(
            self.create(
                [
                    {
                        "name": number,
                        "company_id": company.id,
                        "payer_id": payer.id,
                        "kind": "F" if "F" in group.mapped("kind") else group[0].kind,
                        "origin": "journal",
                        "date": day,
                        "sent_on": day,
                    }
                    for (company, payer, number, day), group in groups.items()
                    if (company, payer, number, day) not in known
                ]
            )
        )
        lots = self
        for key, group in groups.items():
            lot = known.get(key) or next(made)
            group.lot_id = lot
            if not lot.sent_on:
                lot.sent_on = key[-1]
                lot.fse_ids.filtered(lambda fse: not fse.sent_on).lot_id = False
            lots |= lot
        empty = prepared.filtered(lambda lot: not lot.fse_ids and not lot.sent_on)
        empty.sudo().unlink()
        self.env["health.arl"]._attach_orphans(lots.company_id)
        return lots

    @api.model
    def _known_lots(self, groups):
        """Lots that already are those of the journal, by the same key."""
        lots = self.search(
            [
                ("company_id", "in", [key[0].id for key in groups]),
                ("name", "in", [key[2] for key in groups]),
                "|",
                ("sent_on", "in", list({key[3] for key in groups})),
                ("sent_on", "=", False),
            ]
        )
        known = {
            (lot.company_id, lot.payer_id, lot.name, lot.sent_on): lot
            for lot in lots
            if lot.sent_on
        }
        for key, group in groups.items():
            same = group.lot_id.filtered(lambda lot, key=key: (lot.payer_id, lot.name) == key[1:3])
            if key not in known and same:
                known[key] = same[0]
        return known

    # -- building --------------------------------------------------------------------------------

    @api.model
    def _build(self, companies, day, fses=None):
        """Put the FSE that wait for sending into lots with their B2 file, in batches.

        The number of queries does not depend on the number of FSE. An FSE that cannot be written,
        or that something stands against (an open blocking finding, rights not checked), keeps the
        reason in ``lot_issue`` and holds nobody else back.

        :param day: date of the lots.
        :param fses: only these (those of them that wait for sending); default: every one.
        :return: (lots made, FSE left out).
        """
        domain = [
            ("company_id", "in", companies.ids),
            ("sent_on", "=", False),
            ("lot_id", "=", False),
            ("kind", "!=", "P"),
            ("state", "not in", ("entered", "draft", "replaced", "written_off")),
        ]
        if fses is not None:
            domain.append(("id", "in", fses.ids))
        fses = self.env["health.fse"].search(domain, order="company_id, fse_date, name, id")
        obstacles = fses._obstacles(day)
        held = {fse_id: " ".join(reasons) for fse_id, reasons in obstacles.items() if reasons}
        claims, problems = self._claims(fses.filtered(lambda fse: fse.id not in held))
        self._note_problems(fses, problems | held)
        numbers = self._last_numbers(companies) if claims else {}
        vals_list = []
        groups = fses.filtered(lambda fse: fse.id in claims).grouped(
            lambda fse: (fse.company_id, fse._lot_payer(), fse._lot_org(), fse.kind)
        )
        for (company, payer, org, kind), group in groups.items():
            for batch in self._cut(group, claims):
                numbers[company.id] = numbers.get(company.id, 0) % LAST_NUMBER + 1
                vals = {
                    "name": f"{numbers[company.id]:03d}",
                    "company_id": company.id,
                    "payer_id": payer.id,
                    "kind": kind,
                    "date": day,
                }
                vals.update(self._file_vals(vals, company, org, batch, claims))
                vals_list.append((vals, batch))
        lots = self.create([vals for vals, _batch in vals_list])
        for lot, (_vals, batch) in zip(lots, vals_list, strict=True):
            batch.lot_id = lot
        return lots, fses.filtered("lot_issue")

    @api.model
    def _claims(self, fses):
        """B2 invoice of each FSE, by id, and what stands against the others."""
        tariff = self.env["health.ngap.value"]._tariff() if fses else None
        claims, problems = {}, {}
        # A practitioner's rights do not reach every field that a claim needs (NIR, birth date).
        for fse in fses.sudo():
            try:
                claim = fse._b2_invoice(tariff)
                b2.check_invoice(claim, fse.company_id.health_provider_no or "")
                if not fse._lot_payer():
                    raise NormError(self.env._("No payer is known"), advice=WRITE_ADVICE)
            except NormError as error:
                problems[fse.id] = str(error)
            else:
                claims[fse.id] = claim
        return claims, problems

    @api.model
    def _note_problems(self, fses, problems):
        """Keep the reasons on the FSE: one write per distinct reason, none when nothing changed."""
        for fse in fses:
            reason = problems.get(fse.id, False)
            if (fse.lot_issue or False) != reason:
                fse.lot_issue = reason

    @api.model
    def _last_numbers(self, companies):
        """Number of the latest lot of each practitioner, by company id; the others start at 001."""
        self.flush_model(["name", "company_id", "date"])
        self.env.cr.execute(
            """
            SELECT DISTINCT ON (company_id) company_id, name
              FROM health_lot
             WHERE company_id = ANY(%s) AND name ~ '^[0-9]{3}$'
          ORDER BY company_id, date DESC, id DESC
            """,
            [companies.ids],
        )
        return {company: int(name) for company, name in self.env.cr.fetchall()}

    @api.model
    def _cut(self, fses, claims):
        """Batches of FSE that keep to the ceilings of a lot and of its file."""
        most_fse, most_records, most_cents = self.env["health.lot.rule"]._ceilings(
            fses[0].kind, fses[0]._lot_payer()
        )
        # Header and trailer of the file and of the lot.
        batch, used, total = [], 4, 0
        for fse in fses:
            needed, amount = b2.records_needed(claims[fse.id]), cents(fse.amount_total)
            if batch and (
                len(batch) >= most_fse
                or used + needed > most_records
                or (most_cents and total + amount > most_cents)
            ):
                yield self.env["health.fse"].browse(batch)
                batch, used, total = [], 4, 0
            batch.append(fse.id)
            used += needed
            total += amount
        if batch:
            yield self.env["health.fse"].browse(batch)

    @api.model
    def _file_vals(self, vals, company, org, batch, claims):
        """The B2 file of a lot, written, read back and compared before it counts."""
        file = self._b2_file(vals, company, org, [claims[fse.id] for fse in batch])
        layouts = self.env["health.format.layout"].sudo()._layouts()
        content = b2.write(file, layouts=layouts)
        read = b2.read(content, layouts=layouts)
        amount = {"total_fee": 0, "total_amo": 0, "total_amc": 0}
        for fse in batch:
            amount["total_fee"] += cents(fse.amount_total)
            for share in fse.share_ids:
                if share.debtor_kind != "patient":
                    amount[f"total_{share.debtor_kind}"] += cents(share.amount)
        found = {key: getattr(read.lots[0], key) for key in amount}
        same = found == amount and [
            (claim.invoice_no.lstrip("0"), claim.total_fee) for claim in read.lots[0].invoices
        ] == [(fse.name.lstrip("0"), cents(fse.amount_total)) for fse in batch]
        return {
            "b2_file": base64.b64encode(content),
            "b2_filename": f"{company.health_provider_no}-{vals['date']:%Y%m%d}-{vals['name']}.b2",
            "b2_checked": same,
        }

    @api.model
    def _b2_file(self, vals, company, org, invoices):
        """The file as the codec wants it; nothing in it claims a signature.

        The computing centre of the addressee is not known (zeros); the file number is made of the
        day of the year and the number of the lot.
        """
        day = vals["date"]
        to_insurer = vals["kind"] == "D"
        regime, caisse = ("", "") if to_insurer else (org[:2], org[2:5])
        return b2.B2File(
            sender_no=company.health_provider_no,
            dest_type="OC"
            if to_insurer
            else codes()["dest_type_by_regime"]["values"].get(regime, "CT"),
            dest_no=org if to_insurer else f"{regime}000{caisse}",
            file_id=f"{day:%j}{vals['name']}",
            created_on=day,
            lots=[
                b2.B2Lot(
                    provider_id=company.health_provider_no,
                    dest_org=caisse,
                    lot_no=vals["name"],
                    lot_date=day,
                    name=company.name,
                    invoices=invoices,
                )
            ],
        )

    # -- acknowledgements that do not come -------------------------------------------------------

    @api.model
    def _note_missing_arl(self, companies, day):
        """Note the lots whose acknowledgement is late on ``day``; a payer's answer is as good.

        :return: the lots that have none.
        """
        late = self.search(
            [
                ("company_id", "in", companies.ids),
                ("state", "=", "sent"),
                ("is_arl_needed", "=", True),
                ("arl_expected_on", "<", day),
            ]
        )
        if not late:
            return late
        answered = self.env["health.share"]._read_group(
            [
                ("fse_id.lot_id", "in", late.ids),
                ("debtor_kind", "!=", "patient"),
                ("state", "in", ("announced", "partial", "rejected", "disputed", "paid")),
            ],
            ["fse_id"],
        )
        silent = late - self.env["health.fse"].union(*(fse for (fse,) in answered)).lot_id
        silent.arl_missed_on = day
        return silent

    @api.model
    def _unit_price(self, tariff, act, zone):
        """Value of the key letter in cents; without a known one, what the fee makes it."""
        try:
            return tariff.value(act.key_letter, zone, act.act_date).cents
        except UnknownValue:
            units = act.coefficient_hundredths * act.quantity
            return cents(act.amount) * 100 // units if units else cents(act.amount)
