from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..hours import read_hour
from ..tools import QUIET

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class HealthRoundPlan(models.Model):
    """Recurring care of one patient: which days, at what hour, which acts."""

    _name = "health.round.plan"
    _description = "Round Plan"
    _order = "company_id, time, patient_id"
    _rec_name = "patient_id"
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
    profession = fields.Selection(related="company_id.health_profession")
    date_from = fields.Date("From", required=True, default=fields.Date.context_today)
    date_to = fields.Date("Until (excluded)")
    monday = fields.Boolean(default=True)
    tuesday = fields.Boolean(default=True)
    wednesday = fields.Boolean(default=True)
    thursday = fields.Boolean(default=True)
    friday = fields.Boolean(default=True)
    saturday = fields.Boolean()
    sunday = fields.Boolean()
    days = fields.Char(compute="_compute_days")
    time = fields.Char("Hour", size=5, help="HH:MM")
    passage = fields.Integer(default=1, required=True)
    place = fields.Selection(
        selection=lambda self: self.env["health.fse.act"]._places(), default="home", required=True
    )
    prescription_id = fields.Many2one("health.prescription", check_company=True)
    act_ids = fields.One2many("health.round.plan.act", "plan_id", string="Acts", copy=True)
    acts_label = fields.Char("Acts in short", compute="_compute_acts_label")
    active = fields.Boolean(default=True)

    @api.depends("patient_id", "time")
    def _compute_display_name(self):
        for plan in self:
            plan.display_name = " ".join(filter(None, (plan.patient_id.name, plan.time)))

    @api.depends(*WEEKDAYS)
    def _compute_days(self):
        letters = dict(
            zip(
                WEEKDAYS,
                (
                    self.env._("Mo"),
                    self.env._("Tu"),
                    self.env._("We"),
                    self.env._("Th"),
                    self.env._("Fr"),
                    self.env._("Sa"),
                    self.env._("Su"),
                ),
                strict=True,
            )
        )
        for plan in self:
            plan.days = " ".join(letter for name, letter in letters.items() if plan[name])

    @api.depends("act_ids.product_id", "act_ids.quantity")
    def _compute_acts_label(self):
        for plan in self:
            plan.acts_label = plan.act_ids._short()

    @api.onchange("time")
    def _onchange_time(self):
        self.time = read_hour(self.time) or self.time

    @api.constrains("time")
    def _check_time(self):
        self.env["health.visit"]._check_hours(self, ("time",))

    @api.constrains("date_from", "date_to")
    def _check_dates(self):
        for plan in self:
            if plan.date_to and plan.date_to <= plan.date_from:
                raise ValidationError(
                    self.env._(
                        "%s: the plan ends before it begins; the last day is the one before “Until”.",
                        plan.display_name,
                    )
                )

    @api.constrains("passage")
    def _check_passage(self):
        for plan in self:
            if plan.passage < 1:
                raise ValidationError(self.env._("The passage is 1 or more."))

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self.env["health.visit"]._with_hours(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self.env["health.visit"]._with_hours(vals))

    def _covers(self, day):
        """Whether the plan has a passage on that day (stays are not looked at)."""
        self.ensure_one()
        return bool(
            self.active
            and self[WEEKDAYS[day.weekday()]]
            and self.date_from <= day
            and (not self.date_to or day < self.date_to)
        )

    @api.model
    def _make_visits(self, companies, date_from, date_to):
        """Plan the visits of all active plans of the practitioners in a half-open period.

        A plan has one visit a day at most, a cancelled one counting too: running again adds nothing. A patient in
        hospital gets none. The number of queries does not depend on the number of plans.

        :return: the visits made, and sentences on what was left out.
        """
        visits = self.env["health.visit"]
        plans = self.search(
            [
                ("company_id", "in", companies.ids),
                ("date_from", "<", date_to),
                "|",
                ("date_to", "=", False),
                ("date_to", ">", date_from),
            ]
        )
        known = set(
            visits._read_group(
                [("plan_id", "in", plans.ids), ("day", ">=", date_from), ("day", "<", date_to)],
                ["plan_id", "day:day"],
            )
        )
        known = {(plan.id, fields.Date.to_date(day)) for plan, day in known}
        stays = visits._hospital_stays(plans.patient_id, date_from, date_to)
        days = [date_from + timedelta(days=n) for n in range((date_to - date_from).days)]
        vals_list, away = [], {}
        for plan in plans:
            for day in days:
                if (plan.id, day) in known or not plan._covers(day):
                    continue
                if visits._is_away(stays, plan.patient_id, day):
                    away.setdefault(plan.patient_id, []).append(day)
                    continue
                vals_list.append(plan._visit_vals(day))
        made = visits.with_context(**QUIET).create(vals_list)
        return made, [
            self.env._(
                "%(patient)s is in hospital: no visit on %(days)s.",
                patient=patient.name,
                days=", ".join(f"{day:%d/%m}" for day in sorted(set(missed))),
            )
            for patient, missed in away.items()
        ]

    def _visit_vals(self, day):
        self.ensure_one()
        prescription = self.prescription_id
        return {
            "patient_id": self.patient_id.id,
            "day": day,
            "time": self.time,
            "passage": self.passage,
            "place": self.place,
            "prescription_id": prescription.id,
            "plan_id": self.id,
            "act_ids": [
                fields.Command.create(
                    {
                        "sequence": act.sequence,
                        "product_id": act.product_id.id,
                        "quantity": act.quantity,
                    }
                )
                for act in self.act_ids
            ],
        }
