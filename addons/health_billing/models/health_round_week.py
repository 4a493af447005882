from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date

from .. import ngap
from ..ngap.calendar import is_sunday_or_holiday
from ..tools import QUIET, cents, format_cents
from .health_ngap import minute_of
from .health_prescription import MAX_SCAN

#: how far back the usual acts of a patient are looked for
FAVOURITE_DAYS = 60


class HealthRoundWeek(models.AbstractModel):
    """The week of one practitioner as the entry screen shows it: patients down, seven days across.

    A row is one passage of one patient (morning and evening are two rows), a cell what was planned or done there on
    one day. Every answer is made of a fixed number of queries, however long the round is.
    """

    _name = "health.round.week"
    _description = "Round Week"

    # -- reading ---------------------------------------------------------------------------------------

    @api.model
    def data(self, company_id=False, day=False):
        """All that the screen needs for the week of ``day`` (today by default), in one call."""
        company = self._company(company_id)
        monday = self._monday(day)
        answer = {
            "monday": monday.isoformat(),
            "today": fields.Date.context_today(self).isoformat(),
            "companies": [
                {"id": one.id, "name": one.name}
                for one in self._companies().sorted(lambda one: one.name)
            ],
            "company": {
                "id": company.id,
                "name": company.name,
                "profession": company.health_profession,
            },
            "days": self._days(company, monday),
            "may_bill": self.env.user.has_group("health_billing.group_biller"),
            "acts": self._acts(company, monday),
        }
        return {**answer, **self._rows(company, monday)}

    @api.model
    def _companies(self):
        return self.env.companies.filtered("health_provider_no")

    @api.model
    def _company(self, company_id):
        self.env["health.visit"].check_access("read")
        companies = self._companies()
        company = companies.filtered(lambda one: one.id == company_id) or (
            companies & self.env.company or self._with_round(companies)
        )
        if not company or (company_id and company.id != company_id):
            raise UserError(
                self.env._("Tick the practitioner in the company menu (top right) first.")
            )
        return company

    @api.model
    def _with_round(self, companies):
        """Whose week opens first: who has the most plans, for only some practitioners enter theirs here."""
        busiest = self.env["health.round.plan"]._read_group(
            [("company_id", "in", companies.ids)],
            ["company_id"],
            order="__count desc, company_id",
            limit=1,
        )
        return busiest[0][0] if busiest else companies[:1]

    @api.model
    def _monday(self, day):
        day = fields.Date.to_date(day) if day else fields.Date.context_today(self)
        return day - timedelta(days=day.weekday())

    @api.model
    def _days(self, company, monday):
        today = fields.Date.context_today(self)
        return [
            {
                "date": day.isoformat(),
                "label": format_date(self.env, day, date_format="EEE d MMM"),
                "long": format_date(self.env, day, date_format="EEEE d MMMM"),
                "is_off": is_sunday_or_holiday(day, company.health_zone or "metropole"),
                "is_today": day == today,
            }
            for day in (monday + timedelta(days=n) for n in range(7))
        ]

    @api.model
    def _acts(self, company, monday):
        """The acts that the practitioner may do that week; the screen searches them without asking again."""
        Product = self.env["product.product"]
        products = Product.search_fetch(
            Domain("health_profession", "=", company.health_profession)
            & Domain("health_key_letter", "!=", False)
            & Product._health_valid_domain(monday, monday + timedelta(days=6)),
            ["name", "health_key_letter", "health_coefficient_hundredths"],
            order="health_key_letter, health_coefficient_hundredths, id",
        )
        return [
            {
                "id": product.id,
                "short": product._health_short(),
                "letter": product.health_key_letter,
                "coefficient": product.health_coefficient_hundredths,
                "label": product.name,
            }
            for product in products
        ]

    @api.model
    def _rows(self, company, monday):
        end = monday + timedelta(days=7)
        visits = self.env["health.visit"].search(
            [("company_id", "=", company.id), ("day", ">=", monday), ("day", "<", end)]
        )
        plans = self.env["health.round.plan"].search(
            [
                ("company_id", "=", company.id),
                ("date_from", "<", end),
                "|",
                ("date_to", "=", False),
                ("date_to", ">", monday),
            ]
        )
        patients = visits.patient_id | plans.patient_id
        keys = {(record.patient_id, record.passage) for record in (*visits, *plans)}
        favourites = self._favourites(patients, monday)
        prescriptions = self._prescriptions(patients, monday, end)
        stays = self.env["health.visit"]._hospital_stays(patients, monday, end - timedelta(days=1))
        by_row, plans_by_row = {}, {}
        for visit in visits:
            by_row.setdefault((visit.patient_id, visit.passage), []).append(visit)
        for plan in plans:
            plans_by_row.setdefault((plan.patient_id, plan.passage), []).append(plan)
        rows = []
        days = [monday + timedelta(days=n) for n in range(7)]
        for patient, passage in keys:
            mine = by_row.get((patient, passage), [])
            my_plans = plans_by_row.get((patient, passage), [])
            cells = {}
            for visit in mine:
                cells.setdefault(visit.day.isoformat(), []).append(self._visit(visit))
            hours = [record.time for record in (*my_plans, *mine) if record.time]
            usual = favourites.get(patient.id, [])
            usual += [act.product_id.id for plan in my_plans for act in plan.act_ids]
            rows.append(
                {
                    "key": f"{patient.id}-{passage}",
                    "patient_id": patient.id,
                    "name": patient.name,
                    "passage": passage,
                    "time": min(hours, default=""),
                    "plan_ids": [plan.id for plan in my_plans],
                    "favourites": list(dict.fromkeys(usual)),
                    "cells": cells,
                    "away": [
                        day.isoformat()
                        for day in days
                        if self.env["health.visit"]._is_away(stays, patient, day)
                    ],
                    "badge": self._badge(
                        {visit.day for visit in mine if visit.state != "cancelled"}
                        or {day for day in days for plan in my_plans if plan._covers(day)},
                        prescriptions.get(patient.id, []),
                    ),
                }
            )
        rows.sort(key=lambda row: (row["time"] or "99", row["name"] or "", row["passage"]))
        return {"rows": rows, "totals": self._totals(visits)}

    @api.model
    def _visit(self, visit):
        return {
            "id": visit.id,
            "state": visit.state,
            "time": visit.time or "",
            "plan_id": visit.plan_id.id,
            "fse": visit.sudo().fse_id.name or "",
            "acts": [[act.product_id.id, act.quantity] for act in visit.act_ids],
            "label": visit.acts_label,
            "note": visit.note or "",
        }

    @api.model
    def _favourites(self, patients, monday):
        """Acts lately done at each patient, the most frequent first: patient id → product ids."""
        groups = self.env["health.visit.act"]._read_group(
            [
                ("visit_id.patient_id", "in", patients.ids),
                ("visit_id.day", ">=", monday - timedelta(days=FAVOURITE_DAYS)),
                ("visit_id.day", "<", monday + timedelta(days=7)),
            ],
            ["visit_id.patient_id", "product_id"],
            ["__count"],
        )
        found = {}
        for patient, product, _count in sorted(groups, key=lambda group: -group[2]):
            found.setdefault(patient.id, []).append(product.id)
        return found

    @api.model
    def _prescriptions(self, patients, date_from, date_to):
        """Prescriptions of the patients written before ``date_to``: patient id → records, latest first.

        A scan that nobody has read yet covers nothing.
        """
        found = {}
        for prescription in self.env["health.prescription"].search(
            [
                ("patient_id", "in", patients.ids),
                ("date", "<", date_to),
                ("is_to_complete", "=", False),
            ]
        ):
            found.setdefault(prescription.patient_id.id, []).append(prescription)
        return found

    @api.model
    def _badge(self, days, prescriptions):
        """What is wrong with the prescription of a row: ``False`` or a dict for the screen."""
        bare = sorted(day for day in days if not any(one._covers(day) for one in prescriptions))
        if not bare:
            return False
        ended = [one.date_end for one in prescriptions if one.date_end and one.date_end <= bare[0]]
        if ended:
            last = max(ended) - timedelta(days=1)
            return {
                "code": "expired",
                "label": self.env._("Rx ended %s", f"{last:%d/%m}"),
                "title": self.env._(
                    "The prescription was good until %s: drop the new one on this row.",
                    f"{last:%d/%m/%Y}",
                ),
            }
        return {
            "code": "missing",
            "label": self.env._("No Rx"),
            "title": self.env._(
                "No prescription covers the visits from %s: drop the scan on this row.",
                f"{bare[0]:%d/%m/%Y}",
            ),
        }

    @api.model
    def _totals(self, visits):
        """Euros expected for the visits that are not cancelled, by day and for the week."""
        prices = self._expected(visits.filtered(lambda visit: visit.state != "cancelled"))
        days = {}
        for visit in visits:
            day = visit.day.isoformat()
            days[day] = days.get(day, 0) + prices.get(visit.id, 0)
        return {
            "days": {day: format_cents(amount) for day, amount in days.items()},
            "week": format_cents(sum(days.values())),
        }

    @api.model
    def _expected(self, visits):
        """Cents that each visit will be billed, travel and supplements in: dict by visit id.

        What the tariff has no value for counts nothing; control says so when it is billed.
        """
        Ngap = self.env["health.ngap"]
        Ngap._flush()
        days = defaultdict(list)
        for visit in visits:
            days[visit.patient_id.id].append(visit.day)
        patients = Ngap._patients(set(days), days=days)
        types, tariff, letters = Ngap._act_by_product(), Ngap._tariff(), ngap.letters()
        sessions = defaultdict(list)
        for visit in visits.sorted(lambda one: (one.day, one.time or "99", one.passage, one.id)):
            session = self._session(visit, patients, types)
            if session.acts:
                sessions[visit.company_id.id, visit.day].append(session)
        prices = {}
        for own in sessions.values():
            for one in ngap.price_day(own, tariff, Ngap._acts(), letters):
                prices[one.session.key] = one.total
        return prices

    @api.model
    def _session(self, visit, patients, types):
        patient, company, prescription = visit.patient_id, visit.company_id, visit.prescription_id
        mentions = {
            "night": prescription.mention_night,
            "daily": prescription.mention_daily,
            "home": prescription.mention_home,
        }
        return ngap.Session(
            key=visit.id,
            practitioner=company.id,
            profession=company.health_profession,
            zone=company.health_zone or "metropole",
            patient=patients[patient.id],
            day=visit.day,
            acts=tuple(
                ngap.Line(
                    key=act.id,
                    key_letter=act.product_id.health_key_letter,
                    coefficient=act.product_id.health_coefficient_hundredths,
                    day=visit.day,
                    act=types.get(act.product_id.id),
                    quantity=act.quantity,
                    passage=visit.passage,
                    minute=minute_of(visit.time),
                    called_minute=minute_of(visit.called_time),
                    place=visit.place,
                    prescription=prescription.id or None,
                    is_emergency=visit.is_emergency,
                )
                for act in visit.act_ids
                if act.product_id.health_key_letter
            ),
            passage=visit.passage,
            minute=minute_of(visit.time),
            called_minute=minute_of(visit.called_time),
            place=visit.place,
            distance=cents(patient.health_distance),
            terrain=patient.health_terrain or "plain",
            same_town=patient.health_same_town or not patient.health_distance,
            mentions=frozenset(name for name, is_so in mentions.items() if is_so),
            is_emergency=visit.is_emergency,
        )

    # -- writing ---------------------------------------------------------------------------------------

    @api.model
    def save(self, company_id, day, cells):
        """Make the given cells what the screen says they are, in one batch.

        A cell is ``{patient_id, passage, day, known, visits}``: ``known`` are the ids of the visits that the screen
        had in it; those missing from ``visits`` are removed, others that came meanwhile are left alone. A visit is
        ``{id, uid, state, time, acts}``; one without a living id is created. Saving the content of before is how the
        screen undoes.

        :return: the cells as they are now, ``created`` (uid → id) and the totals of the week.
        """
        company = self._company(company_id)
        Visit = self.env["health.visit"].with_context(**QUIET)
        patients = self.env["res.partner"].search(
            [
                ("id", "in", list({cell["patient_id"] for cell in cells})),
                ("company_id", "=", company.id),
                ("health_kind", "=", "patient"),
            ]
        )
        if {cell["patient_id"] for cell in cells} - set(patients.ids):
            raise UserError(
                self.env._("A patient of this row is no longer with this practitioner.")
            )
        dates = {fields.Date.to_date(cell["day"]) for cell in cells}
        around = Visit.search([("patient_id", "in", patients.ids), ("day", "in", list(dates))])
        context = self._save_context(company, patients, around, dates)
        alive = {visit.id: visit for visit in around}
        removed, vals_list, uids, acts, writes = Visit.browse(), [], [], [], {}
        for cell in cells:
            kept = {one.get("id") for one in cell["visits"]}
            gone = Visit.browse(
                [known for known in cell.get("known", ()) if known in alive and known not in kept]
            )
            removed |= gone
            for one in cell["visits"]:
                visit = alive.get(one.get("id"))
                if not visit:
                    vals_list.append(self._new_visit(cell, one, context))
                    uids.append(one.get("uid"))
                    continue
                changes = tuple(
                    (name, one[name])
                    for name in ("state", "time")
                    if name in one and (visit[name] or "") != (one[name] or "")
                )
                if changes:
                    writes.setdefault(changes, []).append(visit.id)
                if "acts" in one:
                    now = [[act.product_id.id, act.quantity] for act in visit.act_ids]
                    if now != [list(pair) for pair in one["acts"]]:
                        acts.append((visit, one["acts"]))
        removed.unlink()
        for changes, ids in writes.items():  # one write per kind of change
            values = dict(changes)
            if values.get("state") not in (None, "planned", "done", "cancelled"):
                raise UserError(self.env._("Visits are billed by “Bill the week” only."))
            Visit.browse(ids).write(values)
        self._write_acts(acts)
        made = Visit.create(vals_list)
        return {
            "cells": self._cells(company, cells),
            "created": dict(zip(uids, made.ids, strict=True)),
            "totals": self._week_totals(company, self._monday(day)),
        }

    @api.model
    def _save_context(self, company, patients, around, dates):
        plans = self.env["health.round.plan"].search([("patient_id", "in", patients.ids)])
        return {
            "plans": plans,
            # nurses go to their patients; the other trades mostly receive at the practice
            "place": "home" if company.health_profession == "infirmier" else "office",
            "used": {(visit.plan_id.id, visit.day) for visit in around if visit.plan_id},
            "prescriptions": self._prescriptions(
                patients, min(dates), max(dates) + timedelta(days=1)
            )
            if dates
            else {},
        }

    @api.model
    def _new_visit(self, cell, one, context):
        """Values of a visit typed into an empty cell; it takes the plan of the row where that one has none yet."""
        day = fields.Date.to_date(cell["day"])
        plan = self.env["health.round.plan"]
        for candidate in context["plans"]:
            if (
                candidate.patient_id.id == cell["patient_id"]
                and candidate.passage == cell["passage"]
                and candidate._covers(day)
                and (candidate.id, day) not in context["used"]
            ):
                plan = candidate
                context["used"].add((plan.id, day))
                break
        good = [
            prescription
            for prescription in context["prescriptions"].get(cell["patient_id"], ())
            if prescription._covers(day)
        ]
        prescription = plan.prescription_id or (good[0] if len(good) == 1 else None)
        return {
            "patient_id": cell["patient_id"],
            "passage": cell["passage"],
            "day": day,
            "time": one.get("time") or plan.time,
            "place": plan.place or context["place"],
            "plan_id": plan.id,
            "prescription_id": prescription.id if prescription else False,
            "state": one["state"] if one.get("state") in ("done", "cancelled") else "planned",
            "act_ids": [
                fields.Command.create(values) for values in self._act_values(one.get("acts", ()))
            ],
        }

    @api.model
    def _act_values(self, pairs):
        return [
            {"sequence": number * 10, "product_id": product, "quantity": quantity}
            for number, (product, quantity) in enumerate(pairs, start=1)
        ]

    @api.model
    def _write_acts(self, changes):
        """Replace the acts of many visits at once."""
        Act = self.env["health.visit.act"]
        old = Act.browse([act.id for visit, _pairs in changes for act in visit.act_ids])
        old.unlink()
        Act.create(
            [
                {"visit_id": visit.id, **values}
                for visit, pairs in changes
                for values in self._act_values(pairs)
            ]
        )

    @api.model
    def _cells(self, company, cells):
        keys = [(cell["patient_id"], cell["passage"], cell["day"]) for cell in cells]
        visits = self.env["health.visit"].search(
            [
                ("company_id", "=", company.id),
                ("patient_id", "in", list({key[0] for key in keys})),
                ("day", "in", list({key[2] for key in keys})),
            ]
        )
        found = {}
        for visit in visits:
            key = (visit.patient_id.id, visit.passage, visit.day.isoformat())
            found.setdefault(key, []).append(self._visit(visit))
        return [
            {"patient_id": key[0], "passage": key[1], "day": key[2], "visits": found.get(key, [])}
            for key in keys
        ]

    @api.model
    def _week_totals(self, company, monday):
        return self._totals(
            self.env["health.visit"].search(
                [
                    ("company_id", "=", company.id),
                    ("day", ">=", monday),
                    ("day", "<", monday + timedelta(days=7)),
                ]
            )
        )

    @api.model
    def copy_day(self, company_id, source, target):
        """Yesterday's column again: the visits that the target day lacks; answers the week anew."""
        company = self._company(company_id)
        made = self.env["health.visit"]._copy_day(
            company, fields.Date.to_date(source), fields.Date.to_date(target)
        )
        return {"created": made.ids, **self._rows(company, self._monday(target))}

    @api.model
    def prepare(self, company_id, day):
        """Visits of the plans for the week; answers the week anew and what was left out."""
        company = self._company(company_id)
        monday = self._monday(day)
        made, notes = self.env["health.round.plan"]._make_visits(
            company, monday, monday + timedelta(days=7)
        )
        return {"created": made.ids, "notes": notes, **self._rows(company, monday)}

    @api.model
    def remove(self, company_id, day, ids):
        """Take back visits that a copy or the plans just made (undo); what changed since stays."""
        company = self._company(company_id)
        visits = self.env["health.visit"].search(
            [("id", "in", ids), ("company_id", "=", company.id), ("state", "=", "planned")]
        )
        visits.unlink()
        return self._rows(company, self._monday(day))

    @api.model
    def bill(self, company_id, day):
        """Bill the done visits of the week; answers the action that opens their FSE."""
        company = self._company(company_id)
        monday = self._monday(day)
        if not self.env.user.has_group("health_billing.group_biller"):
            raise UserError(self.env._("Billing is the biller's work: your visits wait for them."))
        return (
            self.env["health.visit"]
            .search(
                [
                    ("company_id", "=", company.id),
                    ("day", ">=", monday),
                    ("day", "<", monday + timedelta(days=7)),
                    ("state", "=", "done"),
                ]
            )
            .action_bill()
        )

    @api.model
    def scan(self, company_id, patient_id, filename, data):
        """A scanned prescription dropped on a row: kept with a prescription to complete, whose form is opened."""
        company = self._company(company_id)
        patient = self.env["res.partner"].search(
            [("id", "=", patient_id), ("company_id", "=", company.id)], limit=1
        )
        if not patient or len(data) > MAX_SCAN * 4 // 3:
            raise UserError(
                self.env._(
                    "Drop a scan (PDF or picture, 15 MB at most) on a patient of this round."
                )
            )
        Prescription = self.env["health.prescription"].with_context(
            default_patient_id=patient.id, default_company_id=company.id
        )
        return {**Prescription.action_from_scan(filename, data), "target": "new"}
