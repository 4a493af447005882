import re
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Domain

from ..identifiers import is_nir, nir_key
from ..tools import QUIET

#: where the practitioner answers
PATH = "/mon-cabinet"
#: first bytes of the files taken, their type and extension; a phone's camera gives the first
MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"%PDF-", "application/pdf", "pdf"),
)
#: pages of one document
MAX_FILES = 5
MAX_TEXT = 2000
#: what a rule that found something missing makes us ask
ASK_BY_RULE = {"GEN-01": "prescription", "INF-40": "hour"}
HOUR = re.compile(r"([01]?\d|2[0-3])\s*[:hH]\s*([0-5]\d)?")


class AlreadyAnswered(UserError):
    """Another phone, or an earlier tap, was faster."""


class HealthQuestion(models.Model):
    """What the agency asks of a practitioner: complete, sign, answer; answered on the phone.

    The answer fills the record it is about when nothing is ambiguous, and comes back to the
    biller in every case: asked (open), answered, processed.
    """

    _name = "health.question"
    _description = "Question to a Practitioner"
    _order = "is_answered, deadline, id"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", string="Practitioner", required=True, index=True)
    kind = fields.Selection(
        [("complete", "To complete"), ("sign", "To sign"), ("question", "Question")],
        required=True,
        default="question",
    )
    text = fields.Text("What is asked", required=True)
    expects = fields.Selection(
        [
            ("text", "Words"),
            ("date", "A date"),
            ("hour", "An hour"),
            ("file", "A photo or a PDF"),
            ("choice", "One of several"),
            ("yes_no", "Yes or no"),
            ("sent", "Signed and sent"),
        ],
        string="Kind of answer",
        required=True,
        default="text",
    )
    choices = fields.Json(help="Pairs of value and label.")
    fills = fields.Selection(
        [
            ("prescription", "Scan of the prescription"),
            ("prescription_date", "Date of the prescription"),
            ("hour", "Hour of the visit"),
            ("place", "Place of the visit"),
            ("nir", "NIR of the patient"),
        ],
        help="What the answer is written to when it is not ambiguous.",
    )
    patient_id = fields.Many2one(
        "res.partner", index="btree_not_null", ondelete="cascade", check_company=True
    )
    fse_id = fields.Many2one(
        "health.fse", string="FSE", index="btree_not_null", ondelete="cascade", check_company=True
    )
    fse_ids = fields.Many2many("health.fse", string="All FSE", check_company=True)
    visit_id = fields.Many2one(
        "health.visit", index="btree_not_null", ondelete="cascade", check_company=True
    )
    visit_ids = fields.Many2many("health.visit", string="All visits", check_company=True)
    prescription_id = fields.Many2one(
        "health.prescription", index="btree_not_null", ondelete="cascade", check_company=True
    )
    finding_id = fields.Many2one(
        "health.finding", index="btree_not_null", ondelete="set null", check_company=True
    )
    care_day = fields.Date("Day of care", compute="_compute_care_day")
    is_automatic = fields.Boolean("Asked by the night")
    key = fields.Char(
        copy=False, index="btree_not_null", help="Same key: the same question, asked once."
    )
    asked_by_id = fields.Many2one(
        "res.users", string="Asked by", default=lambda self: self.env.user
    )
    deadline = fields.Date(index=True)
    notified_on = fields.Date("Last mail", copy=False)
    reminder_count = fields.Integer("Reminders", copy=False)
    state = fields.Selection(
        [
            ("open", "Asked"),
            ("answered", "To process"),
            ("processed", "Processed"),
            ("cancelled", "Cancelled"),
        ],
        default="open",
        required=True,
        readonly=True,
        copy=False,
        index=True,
    )
    is_answered = fields.Boolean(compute="_compute_is_answered", store=True, index=True)
    answer = fields.Text(readonly=True, copy=False)
    is_unable = fields.Boolean("Could not", readonly=True, copy=False)
    attachment_ids = fields.Many2many(
        "ir.attachment", string="Documents received", copy=False, readonly=True
    )
    filled = fields.Text("What was recorded", readonly=True, copy=False)
    answered_on = fields.Datetime("Answered on", readonly=True, copy=False)
    answered_by_id = fields.Many2one("res.users", string="Answered by", readonly=True, copy=False)
    processed_on = fields.Datetime("Processed on", readonly=True, copy=False)
    processed_by_id = fields.Many2one("res.users", string="Processed by", readonly=True, copy=False)
    previous_id = fields.Many2one(
        "health.question", string="Asked again after", readonly=True, copy=False
    )

    _key_uniq = models.UniqueIndex(
        "(company_id, key) WHERE key IS NOT NULL AND state IN ('open', 'answered')",
        "This question is asked already.",
    )

    @api.depends("state")
    def _compute_is_answered(self):
        for question in self:
            question.is_answered = question.state != "open"

    @api.depends("visit_id", "visit_ids", "fse_id", "fse_ids", "prescription_id")
    def _compute_care_day(self):
        for question in self.sudo():
            days = (question.visit_id | question.visit_ids).mapped("day")
            days = days or (question.fse_id | question.fse_ids).mapped("fse_date")
            days = days or question.prescription_id.mapped("date")
            question.care_day = min(days, default=False)

    @api.depends("kind", "patient_id", "care_day")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for question in self:
            day = question.care_day and question.care_day.strftime("%d/%m/%Y")
            parts = [kinds.get(question.kind, ""), question._initials(), day]
            question.display_name = " · ".join(filter(None, parts))

    @api.constrains("expects", "choices", "fills")
    def _check_choices(self):
        for question in self:
            if question.expects == "choice" and not question._choice_pairs():
                raise ValidationError(
                    self.env._("A question with several answers needs the list of them.")
                )

    # -- asking ----------------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Override: a question has a deadline; default: some days from now (a parameter)."""
        deadline = self._default_deadline()
        return super().create([{"deadline": deadline, **vals} for vals in vals_list])

    @api.model
    def _ask(self, vals_list):
        """Ask in one batch. What bears the key of a question still open joins that question.

        :param vals_list: values of questions; ``company_id`` is needed, ``visit_ids`` and
            ``fse_ids`` are lists of ids, ``key`` may be missing.
        :return: the questions made, and those already open that took something more.
        """
        keys = {vals["key"] for vals in vals_list if vals.get("key")}
        waiting = self.search([("key", "in", list(keys)), ("state", "in", ("open", "answered"))])
        known = {(question.company_id.id, question.key): question for question in waiting}
        fresh, touched = [], self.browse()
        for vals in vals_list:
            question = known.get((vals["company_id"], vals.get("key")))
            if not question:
                fresh.append(self._prepare(vals))
            elif question.state == "open":
                touched |= question._join(vals)
        return self.with_context(**QUIET).create(fresh) | touched

    @api.model
    def _prepare(self, vals):
        many = {
            name: [Command.set(vals[name])] for name in ("visit_ids", "fse_ids") if vals.get(name)
        }
        return {**vals, **many}

    def _join(self, vals):
        """Add the visits and FSE of a question with the same key; self when there was a new one."""
        self.ensure_one()
        more = {}
        for name in ("visit_ids", "fse_ids"):
            ids = set(vals.get(name) or ()) - set(self[name].ids)
            if ids:
                more[name] = [Command.link(record_id) for record_id in sorted(ids)]
        if not more:
            return self.browse()
        self.write(more)
        return self

    # -- what the night asks ---------------------------------------------------------------------

    @api.model
    def _night(self, day):
        """Ask what is found missing, then tell the practitioners; again on one day: nothing more.

        :return: (questions asked, practitioners told).
        """
        deadline = self._default_deadline(day)
        asked = self._ask([{**vals, "deadline": deadline} for vals in self._missing(day)])
        return asked, self._notify(day)

    @api.model
    def _missing(self, day):
        """Values of the questions that the records themselves raise; extend it, super first."""
        return self._missing_prescriptions(day) + self._missing_scans(day) + self._missing_hours()

    @api.model
    def _asked_before(self, fills):
        """Ids of the visits and FSE already asked about, whatever became of the question."""
        questions = self.search(
            [("fills", "=", fills), ("company_id", "in", self.env.companies.ids)]
        )
        return set((questions.visit_ids | questions.visit_id).ids), set(
            (questions.fse_ids | questions.fse_id).ids
        )

    @api.model
    def _missing_prescriptions(self, day):
        """Care without its prescription: one question per patient."""
        companies = self.env.companies.ids
        back = self.env["health.parameter"].value_of("question_lookback_days")
        visits = self.env["health.visit"].search(
            [
                ("company_id", "in", companies),
                ("state", "=", "done"),
                ("prescription_id", "=", False),
                ("day", "<=", day),
                ("day", ">=", day - timedelta(days=back)),
            ]
        )
        codes = [code for code, asks in ASK_BY_RULE.items() if asks == "prescription"]
        fses = self.env["health.fse"].search(
            [
                ("company_id", "in", companies),
                ("sent_on", "=", False),
                ("prescription_id", "=", False),
                "|",
                "&",
                ("origin", "=", "entry"),
                ("prescription_date", "=", False),
                "&",
                ("finding_ids.rule_code", "in", codes),
                ("finding_ids.state", "=", "open"),
            ]
        )
        asked_visits, asked_fses = self._asked_before("prescription")
        visits = visits.filtered(lambda visit: visit.id not in asked_visits)
        fses = fses.filtered(lambda fse: fse.id not in asked_fses)
        by_patient = {}
        for record in (*visits, *fses):
            by_patient.setdefault(record.patient_id, []).append(record)
        vals_list = []
        for patient, records in by_patient.items():
            vals_list.append(
                {
                    "company_id": patient.company_id.id,
                    "kind": "complete",
                    "expects": "file",
                    "fills": "prescription",
                    "text": self.env._("The prescription is missing: take a photo of it."),
                    "patient_id": patient.id,
                    "visit_ids": [r.id for r in records if r._name == "health.visit"],
                    "fse_ids": [r.id for r in records if r._name == "health.fse"],
                    "is_automatic": True,
                    "key": f"prescription-{patient.id}",
                }
            )
        return vals_list

    @api.model
    def _missing_scans(self, day):
        """Prescriptions in use whose scan is not there, asked once each."""
        asked = self.search(
            [("fills", "=", "prescription"), ("prescription_id", "!=", False)]
        ).prescription_id
        back = self.env["health.parameter"].value_of("question_lookback_days")
        used = self.env["health.visit"].search(
            [
                ("company_id", "in", self.env.companies.ids),
                ("state", "=", "done"),
                ("day", "<=", day),
                ("day", ">=", day - timedelta(days=back)),
                ("prescription_id.attachment_ids", "=", False),
                ("prescription_id", "!=", False),
                ("prescription_id", "not in", asked.ids),
            ]
        )
        return [
            {
                "company_id": prescription.company_id.id,
                "kind": "complete",
                "expects": "file",
                "fills": "prescription",
                "text": self.env._(
                    "Take a photo of the prescription of %s.",
                    prescription.date.strftime("%d/%m/%Y"),
                ),
                "patient_id": prescription.patient_id.id,
                "prescription_id": prescription.id,
                "is_automatic": True,
                "key": f"scan-{prescription.id}",
            }
            for prescription in used.prescription_id
        ]

    @api.model
    def _missing_hours(self):
        """Visits whose hour a rule asks for, asked once each."""
        codes = [code for code, asks in ASK_BY_RULE.items() if asks == "hour"]
        visits = self.env["health.visit"].search(
            [
                ("company_id", "in", self.env.companies.ids),
                ("time", "=", False),
                ("fse_id.sent_on", "=", False),
                ("fse_id.finding_ids", "any", [("rule_code", "in", codes), ("state", "=", "open")]),
            ]
        )
        asked, _fses = self._asked_before("hour")
        return [
            {
                "company_id": visit.company_id.id,
                "kind": "complete",
                "expects": "hour",
                "fills": "hour",
                "text": self.env._("At what time was this visit?"),
                "patient_id": visit.patient_id.id,
                "visit_id": visit.id,
                "fse_id": visit.fse_id.id,
                "is_automatic": True,
                "key": f"hour-{visit.id}",
            }
            for visit in visits
            if visit.id not in asked
        ]

    @api.model
    def _notify(self, day):
        """One mail per practice with phone access: what is new, and what is late.

        A mail says how many, never what about. Only a question that is told is counted reminded.

        :return: the practitioners told.
        """
        value_of = self.env["health.parameter"].value_of
        again = day - timedelta(days=value_of("question_reminder_days"))
        due = self.search(
            [
                ("state", "=", "open"),
                ("company_id", "in", self.env.companies.ids),
                ("company_id.health_portal_user_ids", "!=", False),
                "|",
                ("notified_on", "=", False),
                "&",
                "&",
                ("deadline", "<", day),
                ("notified_on", "<=", again),
                ("reminder_count", "<", value_of("question_reminder_max")),
            ]
        )
        if not due:
            return self.env["res.company"]
        waiting = dict(
            self._read_group(
                [("state", "=", "open"), ("company_id", "in", due.company_id.ids)],
                ["company_id"],
                ["__count"],
            )
        )
        self.env["mail.mail"].sudo().create(
            [self._mail_vals(company, count) for company, count in waiting.items()]
        )
        new = due.filtered(lambda question: not question.notified_on)
        new.write({"notified_on": day})
        for count, late in (due - new).grouped("reminder_count").items():
            late.write({"notified_on": day, "reminder_count": count + 1})
        return due.company_id

    @api.model
    def _mail_vals(self, company, count):
        users = company.sudo().health_portal_user_ids
        record = self.with_context(lang=users[:1].lang or self.env.lang)
        body = record.env["ir.qweb"]._render(
            "health_billing.question_mail",
            {
                "sentence": record.env._(
                    "For %(practice)s, your agency waits for an answer to %(count)s request(s).",
                    practice=company.name,
                    count=count,
                ),
                "url": self.get_base_url() + PATH,
            },
        )
        return {
            "subject": record.env._("%s request(s) of your agency", count),
            "body_html": body,
            "recipient_ids": [Command.set(users.partner_id.ids)],
            "email_from": self.env.user.email_formatted or company.email_formatted,
            "auto_delete": True,
        }

    # -- answering -------------------------------------------------------------------------------

    def _answer(self, values, files=()):
        """Record the practitioner's answer; the caller has checked whose question it is.

        :param values: what the form sent: answer, date, reason, fse (list of ids), unable.
        :param files: list of (name, content in bytes).
        :raises AlreadyAnswered: when somebody answered before.
        :raises UserError: in French, when the answer is not what was asked.
        """
        self.ensure_one()
        # of two phones the second waits here, or starts again and sees the answer of the first
        self.env.cr.execute("SELECT state FROM health_question WHERE id = %s FOR UPDATE", [self.id])
        self.invalidate_recordset(["state"])
        if self.state != "open":
            raise AlreadyAnswered(self.env._("This was answered already: nothing was changed."))
        vals = {
            "state": "answered",
            "answered_on": fields.Datetime.now(),
            "answered_by_id": self.env.uid,
        }
        if values.get("unable"):
            reason = self._read_words(values.get("reason"), self.env._("Say why in a few words."))
            self.write({**vals, "answer": reason, "is_unable": True})
            return
        answer, data = getattr(self, f"_read_{self.expects}")(values, files)
        if data.get("files"):
            data["attachments"] = self._attach(data["files"])
            vals["attachment_ids"] = [Command.set(data["attachments"].ids)]
        self.write({**vals, "answer": answer, "is_unable": data.get("is_unable", False)})
        if self.fills and not self.is_unable:
            self._fill_safely(data)

    def _read_words(self, text, complaint):
        text = (text or "").strip()[:MAX_TEXT]
        if not text:
            raise UserError(complaint)
        return text

    def _read_text(self, values, _files):
        text = self._read_words(values.get("answer"), self.env._("Write your answer first."))
        return self._read_nir(text) if self.fills == "nir" else (text, {})

    def _read_nir(self, text):
        """A NIR goes to the patient alone: the answer keeps no copy."""
        nir = re.sub(r"[\s.]", "", text).upper()
        body, key = nir[:13], nir[13:]
        if not is_nir(body) or (key and key != nir_key(body)):
            raise UserError(
                self.env._(
                    "This is not a social security number: 13 characters and the key of 2 digits, as on the card."
                )
            )
        return self.env._("Number given"), {"nir": body}

    def _read_day(self, text):
        try:
            day = fields.Date.to_date(text or None)
        except ValueError:
            day = None
        if not day:
            raise UserError(self.env._("Give the date as day, month and year."))
        today = fields.Date.context_today(self)
        if not 2000 <= day.year or day > today:
            raise UserError(self.env._("This date is not possible: it is after today, or too old."))
        return day

    def _read_date(self, values, _files):
        day = self._read_day(values.get("answer"))
        return day.strftime("%d/%m/%Y"), {"day": day}

    def _read_hour(self, values, _files):
        match = HOUR.fullmatch((values.get("answer") or "").strip())
        if not match:
            raise UserError(self.env._("Give the hour as 07:30."))
        hour = f"{int(match[1]):02d}:{match[2] or '00'}"
        return hour, {"hour": hour}

    def _read_choice(self, values, _files):
        label = dict(self._choice_pairs()).get(values.get("answer"))
        if not label:
            raise UserError(self.env._("Choose one of the answers."))
        return label, {"choice": values["answer"]}

    def _choice_pairs(self):
        """Answers to choose from, in the language of who reads."""
        if self.fills == "place":
            return [list(pair) for pair in self.env["health.fse.act"]._places()]
        return self.choices or []

    def _read_yes_no(self, values, _files):
        answers = {"yes": self.env._("Yes"), "no": self.env._("No")}
        if values.get("answer") not in answers:
            raise UserError(self.env._("Choose yes or no."))
        return answers[values["answer"]], {"choice": values["answer"]}

    def _read_sent(self, values, _files):
        """Signed and sent: all of them, or which not and why."""
        fses = self._all_fses()
        left = fses.filtered(lambda fse: str(fse.id) not in values.get("fse", ()))
        if not left:
            return self.env._("Signed and sent"), {"sent": fses}
        if left == fses and fses:
            raise UserError(
                self.env._("Nothing is ticked: tick what was sent, or say why it was not.")
            )
        reason = self._read_words(values.get("reason"), self.env._("Say why some were not sent."))
        return self.env._(
            "Signed and sent, but not %(fses)s: %(reason)s",
            fses=", ".join(left.mapped("name")),
            reason=reason,
        ), {"is_unable": True}

    def _read_file(self, values, files):
        if not files:
            raise UserError(self.env._("Take a photo or choose a file first."))
        if len(files) > MAX_FILES:
            raise UserError(self.env._("%s files at most: send the others later.", MAX_FILES))
        read = [self._check_file(content) for _name, content in files]
        data = {"files": read}
        if values.get("date"):
            data["day"] = self._read_day(values["date"])
        count = len(read)
        answer = self.env._("%s document(s) received", count)
        if data.get("day"):
            answer = self.env._(
                "%(answer)s, prescription of %(day)s",
                answer=answer,
                day=data["day"].strftime("%d/%m/%Y"),
            )
        return answer, data

    @api.model
    def _file_limit(self):
        """Bytes that one file may have."""
        return self.env["health.parameter"].value_of("question_file_mb") * 1024 * 1024

    @api.model
    def _check_file(self, content):
        """Type and extension of a file by what it holds, not by its name."""
        if len(content) > self._file_limit():
            raise UserError(
                self.env._(
                    "The file is too large: %s MB at most. Take the photo again with a lower quality.",
                    self._file_limit() // (1024 * 1024),
                )
            )
        for magic, mimetype, extension in MAGIC:
            if content.startswith(magic):
                return content, mimetype, extension
        raise UserError(
            self.env._("Only a photo (JPEG, PNG) or a PDF can be taken. Take a photo of the page.")
        )

    def _attach(self, files):
        """The files as attachments of the record they are about; the name tells nothing."""
        target = self.prescription_id if self.fills == "prescription" else self
        target = target or self
        day = fields.Date.context_today(self).strftime("%Y%m%d")
        return self.env["ir.attachment"].create(
            [
                {
                    "name": f"document-{day}-{self.id}-{rank}.{extension}",
                    "raw": content,
                    "mimetype": mimetype,
                    "res_model": target._name,
                    "res_id": target.id,
                }
                for rank, (content, mimetype, extension) in enumerate(files, start=1)
            ]
        )

    # -- the answer fills the record -------------------------------------------------------------

    def _fill_safely(self, data):
        """Write the answer where it belongs; what stands against it is told, the answer stays."""
        try:
            with self.env.cr.savepoint():
                self.filled = getattr(self, f"_fill_{self.fills}")(data)
                self.env.flush_all()
        except (UserError, AccessError) as error:
            self.filled = self.env._("Not recorded: %s", error)

    def _all_visits(self):
        return self.visit_id | self.visit_ids

    def _all_fses(self):
        return self.fse_id | self.fse_ids

    def _unsent(self):
        return self._all_fses().filtered(lambda fse: not fse.sent_on)

    def _fill_prescription(self, data):
        """The scan goes to its prescription; with a date a missing one is made and linked."""
        attachments = data.get("attachments") or self.env["ir.attachment"]
        prescription = self.prescription_id
        if not prescription and not (data.get("day") and self.patient_id):
            return self.env._("The date is not known: make the prescription from the document.")
        if not prescription:
            prescription = self.env["health.prescription"].create(
                {"patient_id": self.patient_id.id, "date": data["day"]}
            )
            attachments.write({"res_model": prescription._name, "res_id": prescription.id})
            self.prescription_id = prescription
        prescription.attachment_ids = [Command.link(one.id) for one in attachments]
        return self._link_prescription(prescription)

    def _link_prescription(self, prescription):
        """Give the prescription to the care that was done after it and has none."""
        visits = self._all_visits().filtered(
            lambda visit: (
                not visit.prescription_id
                and visit.day >= prescription.date
                and visit.state in ("planned", "done")
            )
        )
        visits.write({"prescription_id": prescription.id})
        fses = self._unsent().filtered(
            lambda fse: not fse.prescription_id and fse.fse_date >= prescription.date
        )
        fses.write({"prescription_id": prescription.id})
        self._set_prescription_date(fses, prescription.date)
        self._control_again(fses)
        return self.env._(
            "Prescription of %(day)s: %(visits)s visit(s), %(fses)s FSE.",
            day=prescription.date.strftime("%d/%m/%Y"),
            visits=len(visits),
            fses=len(fses),
        )

    @api.model
    def _set_prescription_date(self, fses, day):
        fses.filtered(lambda fse: not fse.prescription_date).write({"prescription_date": day})

    @api.model
    def _control_again(self, fses):
        """What was missing is there: the findings follow."""
        if fses:
            fses._control()

    def _fill_prescription_date(self, data):
        fses = self._unsent().filtered(
            lambda fse: not fse.prescription_date and fse.fse_date >= data["day"]
        )
        self._set_prescription_date(fses, data["day"])
        self._control_again(fses)
        if not fses:
            return self.env._("No FSE could take this date: see it.")
        return self.env._("Date put on %s FSE.", len(fses))

    def _fill_hour(self, data):
        visit = self.visit_id or (self.visit_ids if len(self.visit_ids) == 1 else self.visit_id)
        if not visit or visit.time or visit.fse_id.sent_on or visit.state == "cancelled":
            return self.env._("The visit could not take this hour: see it.")
        if visit.state != "billed":
            visit.time = data["hour"]
        acts = self.env["health.fse.act"].search(
            [("visit_id", "=", visit.id), ("act_time", "=", False)]
        )
        acts.write({"act_time": data["hour"]})
        self._control_again(visit.fse_id)
        return self.env._("Hour put on the visit.")

    def _fill_place(self, data):
        visits = self._all_visits().filtered(lambda visit: visit.state in ("planned", "done"))
        visits.write({"place": data["choice"]})
        return self.env._("Place put on %s visit(s).", len(visits))

    def _fill_nir(self, data):
        if not self.patient_id:
            return self.env._("The question names no patient: ask again.")
        if self.patient_id.health_nir and self.patient_id.health_nir != data["nir"]:
            return self.env._("The patient has another number already: ask for the card.")
        self.patient_id.health_nir = data["nir"]
        return self.env._("Number put on the patient.")

    # -- back to the biller ----------------------------------------------------------------------

    def action_process(self):
        """The biller has seen the answer and done what it calls for."""
        answered = self.filtered(lambda question: question.state == "answered")
        answered.write(
            {
                "state": "processed",
                "processed_on": fields.Datetime.now(),
                "processed_by_id": self.env.uid,
            }
        )
        return True

    def action_ask_again(self):
        """The answer does not do: ask the same again; the practitioner sees what was answered."""
        wrong = self.filtered(lambda question: question.state != "answered")
        if wrong:
            raise UserError(self.env._("Only what was answered can be asked again."))
        self.action_process()
        again = self._ask(
            [
                {
                    **question.copy_data()[0],
                    "key": question.key,
                    "visit_ids": question.visit_ids.ids,
                    "fse_ids": question.fse_ids.ids,
                    "previous_id": question.id,
                    "asked_by_id": self.env.uid,
                    "deadline": self._default_deadline(),
                }
                for question in self
            ]
        )
        return again._action_open(self.env._("Asked again"))

    @api.model
    def _default_deadline(self, day=None):
        days = self.env["health.parameter"].value_of("question_due_days")
        return (day or self.env["health.cycle"].last_day()) + timedelta(days=days)

    def action_cancel(self):
        self.filtered(lambda question: question.state in ("open", "answered")).write(
            {"state": "cancelled"}
        )
        return True

    def action_make_prescription(self):
        """Make the prescription from the document that was received without its date."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Prescription"),
            "res_model": "health.prescription",
            "views": [[False, "form"]],
            "target": "current",
            "context": {
                "default_patient_id": self.patient_id.id,
                "default_attachment_ids": self.attachment_ids.ids,
            },
        }

    def _action_open(self, name):
        action = {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": self._name,
            "views": [[False, "list"], [False, "form"]],
            "domain": [("id", "in", self.ids)],
        }
        if len(self) == 1:
            action |= {"res_id": self.id, "views": [[False, "form"]]}
        return action

    # -- what the phone shows --------------------------------------------------------------------

    def _initials(self):
        """Initials of the patient, in the order the name is written: D. A."""
        self.ensure_one()
        words = re.findall(r"\w+", self.sudo().patient_id.name or "")
        return " ".join(f"{word[0].upper()}." for word in words[:3])

    @api.model
    def _portal_domain(self, practices):
        return Domain("company_id", "in", practices.ids) & Domain("state", "=", "open")

    def _portal_load(self):
        """Read in a few queries what the cards of all these questions show."""
        visits, fses = self._all_visits(), self._all_fses()
        visits.mapped("day")
        visits.act_ids.product_id.mapped("health_coefficient")
        fses.mapped("fse_date")
        fses.act_ids.mapped("coefficient")
        self.prescription_id.mapped("date")
        self.patient_id.mapped("name")
        return self

    def _portal_care(self):
        """Acts of the visit or FSE, as short as they are written on the claim."""
        self.ensure_one()
        if self.kind == "sign":
            return ""
        visits, fses = self._all_visits(), self._all_fses()
        if len(visits) == 1:
            products = visits.act_ids.product_id
            names = [f"{p.health_key_letter} {p.health_coefficient}" for p in products]
        elif len(fses) == 1:
            names = [f"{act.key_letter} {act.coefficient}" for act in fses.act_ids]
        else:
            names = []
        return " + ".join(dict.fromkeys(names))

    def _portal_days(self):
        """Days of the care a question is about, oldest first."""
        self.ensure_one()
        days = self._all_visits().mapped("day") or self._all_fses().mapped("fse_date")
        return sorted(set(days or self.prescription_id.mapped("date")))

    # -- cockpit ---------------------------------------------------------------------------------

    @api.model
    def _cockpit_cards(self, lane, day):
        """Answers to process and late answers for the biller, what to answer for the practitioner."""
        if lane != "to_complete" or not self.has_access("read"):
            return []
        if self.has_access("write"):
            return self._cockpit_biller(day)
        return self._cockpit_practitioner()

    @api.model
    def _cockpit_biller(self, day):
        cards = []
        Cockpit = self.env["health.cockpit"]
        domain = [("company_id", "in", self.env.companies.ids), ("state", "=", "answered")]
        for company, count in self._read_group(domain, ["company_id"], ["__count"]):
            title = self.env._("Answers to process")
            cards.append(
                Cockpit._card(
                    f"answers-{company.id}",
                    title,
                    self.env._("The practitioner has answered: see it and process it."),
                    company,
                    count,
                    Cockpit._act_window(
                        title, self._name, domain + [("company_id", "=", company.id)]
                    ),
                    self.env._("See the answers"),
                )
            )
        domain = [
            ("company_id", "in", self.env.companies.ids),
            ("state", "=", "open"),
            ("deadline", "<", day),
        ]
        for company, count, first in self._read_group(
            domain, ["company_id"], ["__count", "deadline:min"]
        ):
            title = self.env._("Questions without an answer")
            cards.append(
                Cockpit._card(
                    f"unanswered-{company.id}",
                    title,
                    self.env._("The deadline has passed: call the practitioner."),
                    company,
                    count,
                    Cockpit._act_window(
                        title, self._name, domain + [("company_id", "=", company.id)]
                    ),
                    self.env._("See the questions"),
                    deadline=first,
                )
            )
        return cards

    @api.model
    def _cockpit_practitioner(self):
        whys = {
            "complete": self.env._(
                "A prescription, a date, an hour is missing: a photo is enough."
            ),
            "sign": self.env._("To sign and send in your own software, then to confirm here."),
            "question": self.env._("The agency needs your answer."),
        }
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        domain = [("company_id", "in", self.env.companies.ids), ("state", "=", "open")]
        return [
            self.env["health.cockpit"]._card(
                f"question-{kind}-{company.id}",
                kinds[kind],
                whys[kind],
                company,
                count,
                {"type": "ir.actions.act_url", "url": f"{PATH}?onglet={kind}", "target": "self"},
                self.env._("Answer"),
                deadline=first,
            )
            for company, kind, count, first in self._read_group(
                domain, ["company_id", "kind"], ["__count", "deadline:min"]
            )
        ]
