import base64
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.mimetypes import guess_mimetype

from ..identifiers import is_prescriber_no
from ..ngap import add_months

#: bytes that one scan may have
MAX_SCAN = 15 * 1024 * 1024
#: what a scan may be; a photo taken by telephone included
SCAN_TYPES = ("application/pdf", "image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff")


def keep_with(records, name):
    """Make the files that a user uploaded belong to their record, so that all who read the record read them.

    A file chosen before the record is saved belongs to nothing, and only who uploaded it may open it.
    """
    user = records.env.user
    for record in records:
        loose = record[name].sudo().filtered(lambda f: not f.res_id and f.create_uid == user)
        if loose:
            loose.write({"res_model": record._name, "res_id": record.id})


class HealthPrescription(models.Model):
    """A prescription: who ordered what, when, for how long; the scan comes along.

    A scan that was dropped makes a draft “to complete”: it covers nothing until a person has read it.
    """

    _name = "health.prescription"
    _description = "Prescription"
    _inherit = ["health.control.trigger"]
    _order = "date desc, id desc"
    _check_company_auto = True
    _control_fields = frozenset(
        {
            "patient_id",
            "prescriber_id",
            "prescriber_no",
            "date",
            "date_from",
            "date_to",
            "act_ids",
            "sessions",
            "renewals",
            "mention_night",
            "mention_daily",
            "mention_home",
            "until_healed",
            "is_emergency",
            "is_hospital",
            "is_to_complete",
        }
    )

    patient_id = fields.Many2one(
        "res.partner",
        index=True,
        ondelete="cascade",
        check_company=True,
        domain=[("health_kind", "=", "patient")],
    )
    company_id = fields.Many2one(
        "res.company",
        compute="_compute_company_id",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
        index=True,
        string="Practitioner",
    )
    profession = fields.Selection(related="company_id.health_profession")
    prescriber_id = fields.Many2one("res.partner", domain=[("health_kind", "=", "prescriber")])
    prescriber_no = fields.Char(
        "Prescriber number",
        compute="_compute_prescriber_no",
        store=True,
        readonly=False,
        help="9 digits of the billing number, or 11 of the RPPS.",
    )
    date = fields.Date("Prescribed on", required=True)
    date_from = fields.Date("Good from", help="Empty: from the day it was written.")
    date_to = fields.Date("Until (excluded)", help="As the prescriber wrote it; it comes first.")
    date_end = fields.Date(
        "Ends on",
        compute="_compute_date_end",
        store=True,
        help="First day it no longer covers; empty: no end was written.",
    )
    act_ids = fields.One2many(
        "health.prescription.act", "prescription_id", string="Acts", copy=True
    )
    sessions = fields.Integer(help="Number of sessions ordered, renewals included; 0: not limited.")
    renewals = fields.Integer()
    sessions_allowed = fields.Integer("Sessions ordered", compute="_compute_sessions")
    sessions_used = fields.Integer(compute="_compute_sessions")
    sessions_left = fields.Integer(compute="_compute_sessions")
    mention_night = fields.Boolean("Night care needed")
    mention_daily = fields.Boolean("Every day, Sundays and holidays included")
    mention_home = fields.Boolean("At home")
    until_healed = fields.Boolean("Until healed")
    is_emergency = fields.Boolean("Emergency")
    is_hospital = fields.Boolean("Hospital prescriber")
    project = fields.Char(
        "Body area or project", help="What tells two treatments of one patient apart."
    )
    attachment_ids = fields.Many2many("ir.attachment", string="Scans", copy=False)
    note = fields.Char(copy=False)
    agreement_ids = fields.One2many(
        "health.prior.agreement", "prescription_id", string="Agreements"
    )
    agreement_count = fields.Integer("Agreement requests", compute="_compute_agreement_count")
    renewed_id = fields.Many2one(
        "health.prescription", string="Renews", index="btree_not_null", copy=False
    )
    renewal_ids = fields.One2many("health.prescription", "renewed_id", string="Renewed by")
    is_to_complete = fields.Boolean(
        "To complete", index=True, copy=False, help="Nobody has read the scan yet."
    )
    state = fields.Selection(
        [
            ("to_complete", "To complete"),
            ("valid", "Valid"),
            ("ending", "Nearly used up"),
            ("expired", "Expired or used up"),
        ],
        compute="_compute_state",
    )
    active = fields.Boolean(default=True)

    @api.depends("patient_id")
    def _compute_company_id(self):
        for prescription in self:
            prescription.company_id = (
                prescription.patient_id.company_id or prescription.company_id or self.env.company
            )

    @api.depends("prescriber_id")
    def _compute_prescriber_no(self):
        for prescription in self:
            prescription.prescriber_no = (
                prescription.prescriber_id.health_prescriber_no or prescription.prescriber_no
            )

    @api.depends("date", "date_from", "date_to", "until_healed")
    def _compute_date_end(self):
        months = self.env["health.parameter"].value_of("until_healed_months")
        for prescription in self:
            end = prescription.date_to
            if not end and prescription.until_healed and prescription.date:
                # the last day of the three months still counts
                end = add_months(prescription.date, months) + timedelta(days=1)
            prescription.date_end = end

    @api.depends("sessions", "renewals", "act_ids.sessions")
    def _compute_sessions(self):
        used = self._sessions_used()
        for prescription in self:
            prescription.sessions_allowed = prescription.sessions or max(
                prescription.act_ids.mapped("sessions"), default=0
            ) * (1 + prescription.renewals)
            prescription.sessions_used = used.get(prescription._origin.id, 0)
            left = prescription.sessions_allowed - prescription.sessions_used
            prescription.sessions_left = max(0, left)

    def _sessions_used(self):
        """Sessions done under each prescription, one query: days and passages of visits and of FSE acts.

        An act billed twice (refused, then sent again under a new number) is one session.
        """
        ids = tuple(self._origin.ids)
        if not ids:
            return {}
        for model, names in (
            ("health.fse.act", ["prescription_id", "act_date", "passage", "fse_id"]),
            ("health.fse", ["prescription_id"]),
            ("health.visit", ["prescription_id", "day", "passage", "state"]),
        ):
            self.env[model].flush_model(names)
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT prescription, count(*) FROM (
                        SELECT act.prescription_id AS prescription, act.act_date AS day, act.passage
                          FROM health_fse_act act
                         WHERE act.prescription_id IN %(ids)s
                         UNION
                        SELECT fse.prescription_id, act.act_date, act.passage
                          FROM health_fse fse JOIN health_fse_act act ON act.fse_id = fse.id
                         WHERE fse.prescription_id IN %(ids)s AND act.prescription_id IS NULL
                         UNION
                        SELECT visit.prescription_id, visit.day, visit.passage
                          FROM health_visit visit
                         WHERE visit.prescription_id IN %(ids)s AND visit.state IN ('done', 'billed')
                    ) AS session GROUP BY prescription
                    """,
                    ids=ids,
                )
            )
        )

    @api.depends("is_to_complete", "date_end", "sessions_left", "sessions_allowed")
    def _compute_state(self):
        today = fields.Date.context_today(self)
        for prescription in self:
            prescription.state = prescription._state_on(today)

    def _covers(self, day):
        """Whether care of that day may be done under it, as far as dates tell."""
        self.ensure_one()
        start = max(filter(None, (self.date, self.date_from)))
        return start <= day and (not self.date_end or day < self.date_end)

    def _state_on(self, day):
        self.ensure_one()
        value_of = self.env["health.parameter"].value_of
        if self.is_to_complete:
            return "to_complete"
        limited = bool(self.sessions_allowed)
        if (self.date_end and self.date_end <= day) or (limited and not self.sessions_left):
            return "expired"
        near = day + timedelta(days=value_of("prescription_alert_days"))
        if (self.date_end and self.date_end <= near) or (
            limited and self.sessions_left <= value_of("prescription_alert_sessions")
        ):
            return "ending"
        return "valid"

    @api.depends("agreement_ids")
    def _compute_agreement_count(self):
        for prescription in self:
            prescription.agreement_count = len(prescription.agreement_ids)

    @api.depends("patient_id", "date")
    def _compute_display_name(self):
        for prescription in self:
            day = prescription.date and prescription.date.strftime("%d/%m/%Y")
            # no care in a title: the patient and the day tell which one it is
            prescription.display_name = " · ".join(
                filter(None, [prescription.patient_id.name or self.env._("To complete"), day])
            )

    @api.constrains("prescriber_no")
    def _check_prescriber_no(self):
        for prescription in self:
            number = prescription.prescriber_no
            if number and not is_prescriber_no(number):
                raise ValidationError(
                    self.env._(
                        "The prescriber number %s is wrong: 9 digits (billing number) or 11 (RPPS) are expected, "
                        "the last one being a check digit. Read it again on the prescription.",
                        number,
                    )
                )

    @api.constrains("date", "date_from", "date_to")
    def _check_dates(self):
        for prescription in self:
            start = max(filter(None, [prescription.date, prescription.date_from]))
            if prescription.date_to and prescription.date_to <= start:
                raise ValidationError(
                    self.env._(
                        "The prescription of %(day)s ends before it begins: mend “Until”.",
                        day=prescription.date.strftime("%d/%m/%Y"),
                    )
                )

    @api.constrains("patient_id", "prescriber_id", "is_to_complete")
    def _check_complete(self):
        for prescription in self:
            if not prescription.is_to_complete and not prescription.patient_id:
                raise ValidationError(
                    self.env._("Say whose prescription this is before marking it complete.")
                )

    @api.model
    def _check_patients(self, pairs):
        """Refuse care under the prescription of somebody else.

        :param pairs: prescriptions and the patient who is treated under each; either may be empty.
        """
        for prescription, patient in pairs:
            owner = prescription.patient_id
            if owner and patient and owner != patient:
                raise ValidationError(
                    self.env._(
                        "The prescription of %(day)s is %(owner)s's, not %(patient)s's: choose one of this patient.",
                        day=prescription.date.strftime("%d/%m/%Y"),
                        owner=owner.name,
                        patient=patient.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_only_unused(self):
        """What care was billed or done under is kept: the fund may ask for it for years."""
        for model in ("health.fse.act", "health.fse", "health.visit", "health.prior.agreement"):
            used = (
                self.env[model].sudo().search([("prescription_id", "in", self.ids)], limit=1)
            ).prescription_id
            if used:
                raise UserError(
                    self.env._(
                        "The prescription of %s is in use (visit, FSE or agreement): archive it instead.",
                        used.date.strftime("%d/%m/%Y"),
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

    # -- scans ---------------------------------------------------------------------------------------

    @api.model
    def action_from_scan(self, filename, data):
        """Make a draft prescription of a scan and open it.

        The patient and the practitioner may be given by the context (``default_patient_id``,
        ``default_company_id``). The same scan dropped twice opens the draft that is there.

        :param data: bytes, or their base64 text as a browser sends it.
        :raises UserError: when the file is neither a PDF nor a picture.
        """
        self.check_access("create")
        content = data
        if isinstance(data, str):
            try:
                content = base64.b64decode(data.rsplit(",", 1)[-1], validate=True)
            except ValueError:  # no base64, or no text that could be
                content = b""
        if len(content or b"") > MAX_SCAN:
            raise UserError(
                self.env._(
                    "%s is larger than 15 MB: scan it in grey, or with a lower resolution.",
                    filename,
                )
            )
        if guess_mimetype(content or b"") not in SCAN_TYPES:
            raise UserError(
                self.env._(
                    "%s is neither a PDF nor a picture: drop a scan or a photo of the prescription.",
                    filename,
                )
            )
        Attachment = self.env["ir.attachment"]
        checksum = Attachment._compute_checksum(content)
        known = self.search(
            [("is_to_complete", "=", True), ("attachment_ids.checksum", "=", checksum)], limit=1
        )
        if known:
            return known._action_open()
        prescription = self.create(
            {"date": fields.Date.context_today(self), "is_to_complete": True}
        )
        prescription.attachment_ids = Attachment.create(
            {
                "name": filename,
                "raw": content,
                "res_model": self._name,
                "res_id": prescription.id,
            }
        )
        return prescription._action_open()

    def _action_open(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Prescription"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [[False, "form"]],
        }

    def action_complete(self):
        """Mark the scan as read: from now on the prescription covers care."""
        for prescription in self:
            missing = [
                prescription._fields[name]._description_string(self.env)
                for name in ("patient_id", "prescriber_no")
                if not prescription[name]
            ]
            if missing:
                raise UserError(
                    self.env._("Still missing on this prescription: %s.", ", ".join(missing))
                )
        self.is_to_complete = False

    def action_renew(self):
        """A new prescription with the same acts, to complete with the new scan."""
        self.ensure_one()
        renewal = self.copy(
            {
                "date": fields.Date.context_today(self),
                "date_from": False,
                "date_to": False,
                "is_to_complete": True,
                "renewed_id": self.id,
            }
        )
        return renewal._action_open()

    def action_ask_agreement(self):
        """Open a request for prior agreement with the acts that need one (all acts where none is marked)."""
        self.ensure_one()
        acts = self.act_ids.product_id
        asked = acts.filtered("health_agreement_from") or acts
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Prior agreement"),
            "res_model": "health.prior.agreement",
            "views": [[False, "form"]],
            "context": {
                "default_patient_id": self.patient_id.id,
                "default_prescription_id": self.id,
                "default_product_ids": asked.ids,
                "default_sessions": self.sessions_left,
                "default_is_emergency": self.is_emergency,
            },
        }

    def action_health_quote(self):
        """Make a quote of the acts ordered, for the sessions that are left."""
        self.ensure_one()
        return self.env["sale.order"]._health_make(
            self.patient_id,
            [
                {
                    "product_id": act.product_id.id,
                    "product_uom_qty": act.sessions or self.sessions_left or 1,
                }
                for act in self.act_ids
            ],
            health_prescription_id=self.id,
        )

    def action_open_agreements(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Prior agreements"),
            "res_model": "health.prior.agreement",
            "view_mode": "list,form",
            "domain": [("prescription_id", "=", self.id)],
            "context": {
                "default_patient_id": self.patient_id.id,
                "default_prescription_id": self.id,
            },
        }

    # -- cockpit -------------------------------------------------------------------------------------

    @api.model
    def _cockpit_cards(self, lane, day):
        """Override of the cockpit's sources: scans to read, prescriptions that end, care they do not cover."""
        if lane != "to_complete" or not self.has_access("read"):
            return []
        return [
            *self._cards_scans(),
            *self._cards_short(day),
            *self._cards_uncovered(),
        ]

    @api.model
    def _cards_scans(self):
        scans = self.search(
            [("is_to_complete", "=", True), ("company_id", "in", self.env.companies.ids)]
        )
        return [
            self.env["health.cockpit"]._card_of(
                "prescription-scan",
                self.env._("Prescriptions to complete"),
                self.env._("A scan came in: say who it is for and what it orders."),
                group,
                self.env._("Complete"),
            )
            for group in scans.grouped("company_id").values()
        ]

    @api.model
    def _cards_short(self, day):
        """Prescriptions that end, or run out of sessions, before the care that is planned under them."""
        short = self._short_on(day)
        cards = []
        for group in short.grouped("company_id").values():
            ends = [end for end in group.mapped("date_end") if end]
            cards.append(
                self.env["health.cockpit"]._card_of(
                    "prescription-short",
                    self.env._("Prescriptions to renew"),
                    self.env._("They end or run out before the care that is planned."),
                    group,
                    self.env._("See the prescriptions"),
                    min(ends) - timedelta(days=1) if ends else False,
                )
            )
        return cards

    @api.model
    def _short_on(self, day):
        """Prescriptions not renewed yet that the planned visits and plans outlast, near enough to act on."""
        near = day + timedelta(
            days=self.env["health.parameter"].value_of("prescription_alert_days")
        )
        mine = Domain("company_id", "in", self.env.companies.ids)
        planned = {
            prescription: (last, count)
            for prescription, last, count in self.env["health.visit"]._read_group(
                mine
                & Domain(
                    [
                        ("state", "=", "planned"),
                        ("prescription_id", "!=", False),
                        ("day", ">=", day),
                        ("day", "<=", near),
                    ]
                ),
                ["prescription_id"],
                ["day:max", "__count"],
            )
        }
        plans = self.env["health.round.plan"].search(
            mine
            & Domain(
                [("prescription_id.date_end", ">=", day), ("prescription_id.date_end", "<=", near)]
            )
        )
        short = self.browse()
        for prescription, (last, count) in planned.items():
            ends = prescription.date_end and prescription.date_end <= last
            runs_out = prescription.sessions_allowed and prescription.sessions_left < count
            if ends or runs_out:
                short |= prescription
        for plan in plans:
            prescription = plan.prescription_id
            if not plan.date_to or plan.date_to > prescription.date_end:
                short |= prescription
        return short.filtered(lambda p: not p.renewal_ids and not p.is_to_complete)

    @api.model
    def _cards_uncovered(self):
        """Visits done, not billed, with an act that no prescription of the patient covers on that day."""
        visits = self._uncovered_visits(self.env.companies)
        return [
            self.env["health.cockpit"]._card_of(
                "prescription-uncovered",
                self.env._("Care without prescription"),
                self.env._("Done, not billed, and no valid prescription covers it."),
                group,
                self.env._("See the visits"),
            )
            for group in visits.grouped("company_id").values()
        ]

    @api.model
    def _uncovered_visits(self, companies):
        Visit = self.env["health.visit"]
        if not Visit.has_access("read"):
            return Visit
        for model in ("health.visit", "health.visit.act", self._name, "health.prescription.act"):
            self.env[model].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT visit.id FROM health_visit visit
                  LEFT JOIN health_visit_act act ON act.visit_id = visit.id
                 WHERE visit.state = 'done' AND visit.fse_id IS NULL AND visit.company_id IN %s
                   AND NOT EXISTS (
                       SELECT 1 FROM health_prescription prescription
                        WHERE prescription.patient_id = visit.patient_id
                          AND (visit.prescription_id IS NULL OR prescription.id = visit.prescription_id)
                          AND prescription.active
                          AND prescription.is_to_complete IS NOT TRUE
                          AND visit.day >= GREATEST(prescription.date, prescription.date_from)
                          AND (prescription.date_end IS NULL OR visit.day < prescription.date_end)
                          AND (act.id IS NULL
                               OR NOT EXISTS (SELECT 1 FROM health_prescription_act ordered
                                               WHERE ordered.prescription_id = prescription.id)
                               OR EXISTS (SELECT 1 FROM health_prescription_act ordered
                                           WHERE ordered.prescription_id = prescription.id
                                             AND ordered.product_id = act.product_id)))
                 GROUP BY visit.id
                """,
                tuple(companies.ids),
            )
        )
        return Visit.browse(visit for (visit,) in rows)._filtered_access("read")
