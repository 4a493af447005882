from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..hours import read_hour
from ..tools import QUIET

HOURS = ("time", "called_time")
#: what may still change on a visit that was billed
FREE = {"note"}


class HealthVisit(models.Model):
    """One passage at one patient: what was done, where and when; billed by an FSE later."""

    _name = "health.visit"
    _description = "Visit"
    _order = "day, time, passage, id"
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
    currency_id = fields.Many2one(related="company_id.currency_id")
    profession = fields.Selection(related="company_id.health_profession")
    day = fields.Date(required=True, index=True, default=fields.Date.context_today)
    time = fields.Char("Hour", size=5, help="HH:MM")
    called_time = fields.Char("Call at", size=5, help="HH:MM; a night surcharge needs it.")
    passage = fields.Integer(default=1, required=True)
    place = fields.Selection(
        selection=lambda self: self.env["health.fse.act"]._places(), default="home", required=True
    )
    is_emergency = fields.Boolean("Emergency")
    duration = fields.Integer("Minutes", help="How long it lasted; 0: not noted.")
    group_size = fields.Integer("Patients at once", default=1)
    prescription_id = fields.Many2one("health.prescription", check_company=True)
    plan_id = fields.Many2one("health.round.plan", index="btree_not_null", check_company=True)
    act_ids = fields.One2many("health.visit.act", "visit_id", string="Acts", copy=True)
    acts_label = fields.Char("Acts in short", compute="_compute_acts_label")
    state = fields.Selection(
        [
            ("planned", "Planned"),
            ("done", "Care done"),
            ("billed", "Billed"),
            ("cancelled", "Cancelled"),
        ],
        default="planned",
        required=True,
        index=True,
        copy=False,
    )
    fse_id = fields.Many2one("health.fse", string="FSE", index="btree_not_null", copy=False)
    note = fields.Char()

    # two people who prepare one week at the same moment: the second one gets no second visit
    _plan_day_uniq = models.UniqueIndex(
        "(plan_id, day) WHERE plan_id IS NOT NULL", "This plan already has a visit on that day."
    )

    @api.depends("patient_id", "day", "time")
    def _compute_display_name(self):
        for visit in self:
            day = f"{visit.day:%d/%m/%Y}" if visit.day else ""
            visit.display_name = " ".join(filter(None, (visit.patient_id.name, day, visit.time)))

    @api.depends("act_ids.product_id", "act_ids.quantity")
    def _compute_acts_label(self):
        Act = self.env["health.visit.act"]
        for visit in self:
            visit.acts_label = Act._short_writing(visit.act_ids)

    # -- hours -----------------------------------------------------------------------------------------

    @api.onchange("time", "called_time")
    def _onchange_hours(self):
        for name in HOURS:
            self[name] = read_hour(self[name]) or self[name]

    @api.constrains(*HOURS)
    def _check_hour(self):
        self._check_hours(self, HOURS)

    @api.constrains("patient_id", "prescription_id")
    def _check_prescription(self):
        self.prescription_id._check_patients(
            (visit.prescription_id, visit.patient_id) for visit in self
        )

    @api.constrains("passage")
    def _check_passage(self):
        for visit in self:
            if visit.passage < 1:
                raise ValidationError(self.env._("The passage is 1 or more."))

    @api.model
    def _check_hours(self, records, names):
        """Refuse what is no hour; plans and visits share it."""
        for record in records:
            for name in names:
                if record[name] and read_hour(record[name]) != record[name]:
                    raise ValidationError(
                        self.env._(
                            "%(record)s: “%(hour)s” is no hour; type 07:30, 7h30 or 730.",
                            record=record.patient_id.name,
                            hour=record[name],
                        )
                    )

    @api.model
    def _with_hours(self, vals):
        """Values with the hours in the one writing that is stored: “730” typed is “07:30”."""
        typed = {name: vals[name] for name in HOURS if vals.get(name)}
        # what is no hour is shortened to what the column holds; the constraint then names it
        return {**vals, **{name: read_hour(text) or text[:5] for name, text in typed.items()}}

    # -- what may change -------------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_not_billing(vals)
        return super().create([self._with_hours(vals) for vals in vals_list])

    def write(self, vals):
        self._check_not_billing(vals)
        vals = self._with_hours(vals)
        changed = set(vals) - FREE
        if "fse_id" in changed and changed <= {"fse_id", "state"}:
            # leaving an FSE that was never posted frees the visit; nothing else changes a billed one
            self.filtered(lambda visit: visit.sudo().fse_id.state != "entered")._check_open()
        elif changed:
            self._check_open()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_open_only(self):
        self._check_open()

    @api.model
    def _check_not_billing(self, vals):
        """Billing alone, which writes with full rights, says which FSE bills a visit.

        :raises UserError: when a user writes it: the visit would be lost, or billed twice.
        """
        if not self.env.su and (vals.get("state") == "billed" or "fse_id" in vals):
            raise UserError(
                self.env._("A visit is billed by “Bill”, and freed by giving up its FSE.")
            )

    def _check_open(self):
        """:raises UserError: when one of the visits is billed."""
        # an FSE that was deleted leaves its visits free
        billed = self.filtered(lambda visit: visit.state == "billed" and visit.sudo().fse_id)
        if billed:
            raise UserError(
                self.env._(
                    "The visit %(visit)s is billed (FSE %(fse)s): correct the FSE instead.",
                    visit=billed[0].display_name,
                    fse=billed[0].sudo().fse_id.name or self.env._("draft"),
                )
            )

    # -- states ----------------------------------------------------------------------------------------

    def _set_state(self, state):
        self._check_open()
        self.write({"state": state})

    def action_done(self):
        self._set_state("done")

    def action_plan(self):
        self._set_state("planned")

    def action_cancel(self):
        self._set_state("cancelled")

    def action_bill(self):
        """Bill the visits that are done, and open the FSE they made."""
        done = self.filtered(lambda visit: visit.state == "done" and not visit.fse_id)
        if not done:
            raise UserError(
                self.env._("Nothing to bill: mark the visits that took place as done first.")
            )
        empty = done.filtered(lambda visit: not visit.act_ids)
        if empty:
            raise UserError(
                self.env._(
                    "%s has no act: enter what was done, or cancel the visit.",
                    empty[0].display_name,
                )
            )
        fses = self.env["health.fse"]._create_from_visits(done)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("FSE of these visits"),
            "res_model": "health.fse",
            "views": [[False, "list"], [False, "form"]],
            "domain": [("id", "in", fses.ids)],
        }

    # -- copies ----------------------------------------------------------------------------------------

    @api.model
    def _copy_day(self, company, source_day, target_day):
        """Plan on ``target_day`` what the practitioner did or planned on ``source_day``.

        Same patients, acts and hours. A passage that the patient already has on the target day (cancelled ones
        count) is left alone, as is a patient in hospital.

        :return: the visits made.
        """
        visits = self.search(
            [("company_id", "=", company.id), ("day", "in", [source_day, target_day])]
        )
        present = visits.filtered(lambda visit: visit.day == target_day)
        there = {(visit.patient_id.id, visit.passage) for visit in present}
        plans = set(present.plan_id.ids)
        sources = visits.filtered(lambda visit: visit.day == source_day != target_day)
        stays = self._hospital_stays(sources.patient_id, target_day, target_day)
        vals_list = []
        for visit in sources:
            if (
                visit.state == "cancelled"
                or (visit.patient_id.id, visit.passage) in there
                or self._is_away(stays, visit.patient_id, target_day)
            ):
                continue
            plan = visit.plan_id
            keeps_plan = plan and plan.id not in plans and plan._covers(target_day)
            vals_list.append(
                {
                    "patient_id": visit.patient_id.id,
                    "day": target_day,
                    "time": visit.time,
                    "passage": visit.passage,
                    "place": visit.place,
                    "prescription_id": visit.prescription_id.id,
                    "plan_id": plan.id if keeps_plan else False,
                    "act_ids": [
                        fields.Command.create(
                            {
                                "sequence": act.sequence,
                                "product_id": act.product_id.id,
                                "quantity": act.quantity,
                            }
                        )
                        for act in visit.act_ids
                    ],
                }
            )
        return self.with_context(**QUIET).create(vals_list)

    @api.model
    def _hospital_stays(self, patients, date_from, date_to):
        """Hospital stays of the patients from ``date_from`` to ``date_to`` (included), by patient id."""
        stays = {}
        for stay in self.env["health.stay"].search(
            [
                ("patient_id", "in", patients.ids),
                ("kind", "=", "hospital"),
                ("date_from", "<=", date_to),
                "|",
                ("date_to", "=", False),
                ("date_to", ">", date_from),
            ]
        ):
            stays.setdefault(stay.patient_id.id, []).append((stay.date_from, stay.date_to))
        return stays

    @api.model
    def _is_away(self, stays, patient, day):
        """Whether the patient is in hospital that day, by what :meth:`_hospital_stays` found."""
        return any(
            start <= day and (not end or day < end) for start, end in stays.get(patient.id, ())
        )
