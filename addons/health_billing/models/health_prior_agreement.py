from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .health_prescription import keep_with


class HealthPriorAgreement(models.Model):
    """A request for prior agreement; silence of the fund for 15 days after it was received means yes.

    The fund may answer up to and including the fifteenth day: care may be given under its silence from the
    day after. A request called incomplete waits for the missing piece, and the days run again from its receipt.
    """

    _name = "health.prior.agreement"
    _description = "Prior Agreement"
    _inherit = ["health.control.trigger"]
    _order = "sent_on desc, id desc"
    _check_company_auto = True
    _control_fields = frozenset(
        {
            "patient_id",
            "prescription_id",
            "product_ids",
            "sessions",
            "received_on",
            "answer",
            "answered_on",
            "completed_on",
            "is_emergency",
            "date_from",
            "date_to",
        }
    )

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
    profession = fields.Selection(related="company_id.health_profession")
    prescription_id = fields.Many2one(
        "health.prescription",
        index=True,
        ondelete="cascade",
        check_company=True,
        domain="[('patient_id', '=', patient_id)]",
    )
    product_ids = fields.Many2many("product.product", string="Acts")
    sessions = fields.Integer(help="Number of sessions asked for; 0: not limited.")
    sent_on = fields.Date()
    received_on = fields.Date(help="Day on which the fund received it; the 15 days run from here.")
    answer = fields.Selection(
        [("granted", "Granted"), ("refused", "Refused"), ("incomplete", "Incomplete request")]
    )
    answered_on = fields.Date()
    completed_on = fields.Date(
        "Piece received on",
        help="Day on which the fund received what was missing: the days run again.",
    )
    clock_on = fields.Date(
        "Days run from",
        compute="_compute_agreed_on",
        store=True,
        help="Receipt of the complete request.",
    )
    silence_on = fields.Date(
        "Answer due by",
        compute="_compute_agreed_on",
        store=True,
        help="Last day on which the fund may answer; without an answer, silence is agreement the day after.",
    )
    agreed_on = fields.Date(
        "Agreed from",
        compute="_compute_agreed_on",
        store=True,
        index=True,
        help="First day on which the care may be given under this agreement.",
    )
    is_emergency = fields.Boolean("Emergency act")
    is_late_answer = fields.Boolean(
        "Late answer",
        compute="_compute_agreed_on",
        store=True,
        help="The refusal came after silence had already granted the request: contest it.",
    )
    date_from = fields.Date("Good from")
    date_to = fields.Date("Until (excluded)")
    attachment_ids = fields.Many2many("ir.attachment", string="Documents")
    state = fields.Selection(
        [
            ("to_send", "To send"),
            ("waiting", "Waiting"),
            ("incomplete", "Incomplete"),
            ("granted", "Granted"),
            ("silence", "Granted by silence"),
            ("refused", "Refused"),
            ("emergency", "Emergency"),
        ],
        compute="_compute_state",
        search="_search_state",
    )

    @api.depends("received_on", "completed_on", "answer", "answered_on", "is_emergency")
    def _compute_agreed_on(self):
        days = timedelta(days=self.env["health.parameter"].value_of("agreement_silence_days"))
        for request in self:
            start = request.completed_on if request.answer == "incomplete" else request.received_on
            start = request.completed_on or start
            request.clock_on = start
            request.silence_on = start and start + days
            by_silence = start and request.silence_on + timedelta(days=1)
            late = bool(
                by_silence and request.answered_on and request.answered_on > request.silence_on
            )
            request.is_late_answer = late and request.answer == "refused"
            if request.answer == "granted":
                dates = filter(None, [request.answered_on or request.received_on, by_silence])
                request.agreed_on = min(dates, default=False)
            elif request.answer == "refused":
                request.agreed_on = False
            else:
                request.agreed_on = by_silence

    @api.depends("agreed_on", "answer", "sent_on", "received_on", "completed_on", "is_emergency")
    def _compute_state(self):
        today = fields.Date.context_today(self)
        for request in self:
            request.state = request._state_on(today)

    def _state_on(self, day):
        """State on a day: nothing but the day itself turns silence into agreement."""
        self.ensure_one()
        if self.answer in ("refused", "granted"):
            return self.answer
        if self.is_emergency:
            return "emergency"
        if self.answer == "incomplete" and not self.completed_on:
            return "incomplete"
        if not self.clock_on:
            return "waiting" if self.sent_on else "to_send"
        return "waiting" if day < self.agreed_on else "silence"

    @api.model
    def _search_state(self, operator, value):
        if operator not in ("in", "not in"):
            return NotImplemented
        found = self.search([("company_id", "in", self.env.companies.ids)])
        return [("id", operator, found.filtered(lambda request: request.state in value).ids)]

    @api.depends("patient_id", "sent_on")
    def _compute_display_name(self):
        for request in self:
            day = request.sent_on and request.sent_on.strftime("%d/%m/%Y")
            request.display_name = " · ".join(filter(None, [request.patient_id.name, day]))

    @api.constrains("sent_on", "received_on", "answered_on", "completed_on")
    def _check_order(self):
        for request in self:
            steps = (request.sent_on, request.received_on, request.answered_on)
            known = [step for step in steps if step]
            if known != sorted(known) or (
                request.completed_on
                and request.received_on
                and request.completed_on < request.received_on
            ):
                raise ValidationError(
                    self.env._(
                        "The dates of the request for %s contradict each other: sent, then received, then "
                        "answered, then completed.",
                        request.patient_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        keep_with(records, "attachment_ids")
        return records

    def write(self, vals):
        result = super().write(vals)
        if "attachment_ids" in vals:
            keep_with(self, "attachment_ids")
        return result

    # -- cockpit -------------------------------------------------------------------------------------

    @api.model
    def _cockpit_cards(self, lane, day):
        """Override of the cockpit's sources: to ask for, granted today, refused with care planned."""
        if lane != "to_complete" or not self.has_access("read"):
            return []
        return [
            *self._cards_to_ask(),
            *self._cards_silence(day),
            *self._cards_refused(day),
        ]

    @api.model
    def _cards_to_ask(self):
        title = self.env._("Prior agreements to ask for")
        return [
            self.env["health.cockpit"]._card_of(
                "agreement-ask",
                title,
                self.env._("The session from which an agreement is needed comes near."),
                group,
                self.env._("See the prescriptions"),
            )
            for group in self._to_ask().grouped("company_id").values()
        ]

    @api.model
    def _to_ask(self):
        """Prescriptions with an act whose first session under agreement is near, and nothing asked for it."""
        Prescription = self.env["health.prescription"]
        ahead = self.env["health.parameter"].value_of("agreement_ahead_sessions")
        candidates = Prescription.search(
            [
                ("company_id", "in", self.env.companies.ids),
                ("is_to_complete", "=", False),
                ("act_ids.product_id.health_agreement_from", ">", 0),
            ]
        )
        found = Prescription
        for prescription in candidates:
            if prescription.state == "expired":
                continue
            asked = prescription.agreement_ids.product_ids
            blank = any(not request.product_ids for request in prescription.agreement_ids)
            for act in prescription.act_ids.product_id - asked:
                rank = act.health_agreement_from
                if not rank or blank:
                    continue
                if prescription.sessions_used + 1 >= rank - ahead and (
                    not prescription.sessions_allowed or prescription.sessions_allowed >= rank
                ):
                    found |= prescription
        return found

    @api.model
    def _cards_silence(self, day):
        granted = self.search(
            [
                ("company_id", "in", self.env.companies.ids),
                ("agreed_on", "=", day),
                ("answer", "not in", ("granted", "refused")),
                ("is_emergency", "=", False),
            ]
        )
        return [
            self.env["health.cockpit"]._card_of(
                "agreement-silence",
                self.env._("Agreements granted today"),
                self.env._("The fund did not answer in time: its silence is agreement."),
                group,
                self.env._("See the agreements"),
            )
            for group in granted.filtered(lambda r: r._state_on(day) == "silence")
            .grouped("company_id")
            .values()
        ]

    @api.model
    def _cards_refused(self, day):
        refused = self.search(
            [("company_id", "in", self.env.companies.ids), ("answer", "=", "refused")]
        )
        planned = self.env["health.visit"].search(
            [
                ("state", "=", "planned"),
                ("day", ">=", day),
                ("prescription_id", "in", refused.prescription_id.ids),
            ]
        )
        products = {
            prescription: visits.act_ids.product_id
            for prescription, visits in planned.grouped("prescription_id").items()
        }

        def is_planned(request):
            acts = products.get(request.prescription_id)
            return acts is not None and (not request.product_ids or request.product_ids & acts)

        return [
            self.env["health.cockpit"]._card_of(
                "agreement-refused",
                self.env._("Refused agreements, care planned"),
                self.env._(
                    "The fund will not pay these sessions: tell the patient or cancel them."
                ),
                group,
                self.env._("See the agreements"),
                day,
            )
            for group in refused.filtered(is_planned).grouped("company_id").values()
        ]
