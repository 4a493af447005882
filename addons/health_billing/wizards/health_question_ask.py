from odoo import api, fields, models
from odoo.exceptions import UserError

#: what fills what: how it is answered
EXPECTS = {
    "prescription": "file",
    "prescription_date": "date",
    "hour": "hour",
    "place": "choice",
    "nir": "text",
}
#: records that may be asked about, and the field of the question that holds them
ABOUT = {
    "health.fse": "fse_ids",
    "health.finding": "fse_ids",
    "health.visit": "visit_ids",
    "health.prescription": "prescription_id",
    "res.partner": "patient_id",
}


class HealthQuestionAsk(models.TransientModel):
    """Ask the practitioners about the records chosen: one question per patient, or per practice to sign."""

    _name = "health.question.ask"
    _description = "Ask the Practitioner"

    kind = fields.Selection(
        selection=lambda self: (
            self.env["health.question"]._fields["kind"]._description_selection(self.env)
        ),
        required=True,
        default="question",
    )
    topic = fields.Selection(
        [
            ("prescription", "The prescription (photo)"),
            ("prescription_date", "Date of the prescription"),
            ("hour", "Hour of the visit"),
            ("place", "Place of the visit"),
            ("nir", "NIR of the patient"),
            ("other", "Something else"),
        ],
        string="What is missing",
        default="prescription",
        required=True,
    )
    answer_by = fields.Selection(
        [("text", "Words"), ("yes_no", "Yes or no"), ("file", "A photo or a PDF")],
        string="Kind of answer",
        default="text",
        required=True,
    )
    text = fields.Text(
        "What is asked",
        compute="_compute_text",
        store=True,
        readonly=False,
        help="What the practitioner reads on the phone.",
    )
    deadline = fields.Date(
        default=lambda self: self.env["health.question"]._default_deadline(), required=True
    )
    res_model = fields.Char(default=lambda self: self.env.context.get("active_model"))
    res_ids = fields.Json(
        default=lambda self: (
            self.env.context.get("active_ids") or [self.env.context.get("active_id")]
        )
    )
    practitioner_ids = fields.Many2many(
        "res.company", string="Practitioners", compute="_compute_groups"
    )
    question_count = fields.Integer("Questions", compute="_compute_groups")

    @api.depends("kind", "topic", "res_model", "res_ids")
    def _compute_text(self):
        texts = {
            "prescription": self.env._("The prescription is missing: take a photo of it."),
            "prescription_date": self.env._("What is the date of the prescription?"),
            "hour": self.env._("At what time was this visit?"),
            "place": self.env._("Where was this visit?"),
            "nir": self.env._("What is the patient's social security number (on the card)?"),
        }
        for wizard in self:
            if wizard.kind == "sign":
                wizard.text = self.env._("Sign and send these claims in your software.")
            elif wizard.kind == "complete" and wizard.topic in texts:
                wizard.text = texts[wizard.topic]
            elif wizard.res_model == "health.finding":
                wizard.text = "\n".join(dict.fromkeys(wizard._records().mapped("message")))
            elif wizard.text in texts.values():
                wizard.text = False

    @api.depends("kind", "topic", "res_model", "res_ids")
    def _compute_groups(self):
        for wizard in self:
            groups = wizard._groups()
            wizard.question_count = len(groups)
            wizard.practitioner_ids = self.env["res.company"].union(*(key[0] for key in groups))

    def _records(self):
        self.ensure_one()
        if self.res_model not in ABOUT:
            return self.env["health.fse"]
        ids = [record_id for record_id in self.res_ids or [] if record_id]
        return self.env[self.res_model].browse(ids).exists()

    def _groups(self):
        """Records by question: (practice, patient, record that must stand alone) → records."""
        records = self._records()
        if records._name == "res.partner":
            records = records.filtered(lambda partner: partner.health_kind == "patient")
        elif records._name == "health.finding":
            records = records.fse_id
        alone = self.kind == "complete" and self.topic == "hour"
        groups = {}
        for record in records:
            patient = record if record._name == "res.partner" else record.patient_id
            if self.kind == "sign":
                key = (record.company_id, self.env["res.partner"], False)
            elif alone or record._name == "health.prescription":
                key = (record.company_id, patient, record.id)
            else:
                key = (record.company_id, patient, False)
            groups[key] = groups.get(key, record.browse()) | record
        return groups

    def action_ask(self):
        """Ask, and show what was asked.

        :raises UserError: when nothing chosen can be asked about.
        """
        self.ensure_one()
        groups = self._groups()
        if not groups:
            raise UserError(
                self.env._("Choose patients, visits or FSE first: nothing here has a practitioner.")
            )
        if not (self.text or "").strip():
            raise UserError(self.env._("Write what you ask."))
        self._check_sign(groups)
        questions = self.env["health.question"]._ask(
            [
                self._vals(company, patient, records)
                for (company, patient, _alone), records in groups.items()
            ]
        )
        return questions._action_open(self.env._("Questions asked"))

    def _check_sign(self, groups):
        if self.kind != "sign":
            return
        records = self.env["health.fse"].union(
            *(group for group in groups.values() if group._name == "health.fse")
        )
        sent = records.filtered("sent_on")
        if not records or sent:
            raise UserError(
                self.env._("FSE %s was sent already: choose those that wait.", sent[0].name)
                if sent
                else self.env._("Only FSE can be signed: ask from the list of FSE.")
            )

    def _vals(self, company, patient, records):
        fills = self.topic if self.kind == "complete" and self.topic != "other" else False
        expects = "sent" if self.kind == "sign" else EXPECTS.get(fills, self.answer_by)
        vals = {
            "company_id": company.id,
            "kind": self.kind,
            "text": self.text,
            "expects": expects,
            "fills": fills,
            "deadline": self.deadline,
            "patient_id": patient.id,
        }
        if records._name == "health.prescription":
            vals["prescription_id"] = records.id
        elif records._name == "health.visit":
            vals["visit_ids"] = records.ids
        elif records._name == "health.fse":
            vals["fse_ids"] = records.ids
            vals["visit_ids"] = records.visit_ids.ids if fills else []
        if self.res_model == "health.finding" and len(self._records()) == 1:
            vals["finding_id"] = self._records().id
        return vals
