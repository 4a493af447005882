from collections import defaultdict
from dataclasses import replace

from odoo import api, fields, models, tools
from odoo.tools import SQL

from .. import ngap

#: kinds of key letters that pricing adds by itself, besides the acts done
ADDED_KINDS = frozenset({"travel", "distance", "supplement"})
#: an act outside the nomenclature: its price is agreed with the patient, and no rule speaks of it
OUTSIDE = "HN"
#: numbers of the insurance that are a situation of the patient too
SITUATION_BY_NATURE = {"30": "maternity", "41": "work_accident"}

_COLUMNS = SQL(
    """
    a.id, a.fse_id, a.company_id, f.patient_id, f.origin, f.state, f.exemption, f.insurance_nature,
    a.act_date, a.key_letter, a.coefficient_hundredths, a.quantity, a.complement, a.product_id,
    COALESCE(a.passage, 1) AS passage, a.act_time, a.called_time, COALESCE(a.place, '') AS place, a.factor,
    round(COALESCE(a.amount, 0) * 100)::int AS amount, round(COALESCE(a.overrun, 0) * 100)::int AS overrun,
    COALESCE(f.overrun_qualifier, '') AS overrun_qualifier, COALESCE(a.project, '') AS project,
    COALESCE(a.prescription_id, f.prescription_id) AS prescription_id, f.prescriber_no, f.prescription_date,
    COALESCE(a.is_emergency, FALSE) AS is_emergency, COALESCE(a.is_renewal, FALSE) AS is_renewal,
    NULLIF(a.duration, 0) AS duration, GREATEST(a.group_size, 1) AS group_size,
    COALESCE(a.reason, '') AS reason, COALESCE(a.is_added, FALSE) AS is_added
    """
)


def minute_of(text):
    """Minutes since midnight of an hour as typed (``07:30``, ``7h30``, ``7:30``), or ``None``."""
    hour, _sign, rest = (text or "").replace("h", ":").partition(":")
    if not hour.strip().isdigit():
        return None
    minutes = int(hour) * 60 + (int(rest) if rest.strip().isdigit() else 0)
    return minutes if minutes < 1440 else None


def update_changed(record, vals):
    """Write on one record what differs, so that computing the same again costs no query."""
    changed = {}
    for name, value in vals.items():
        field = record._fields[name]
        known = field.convert_to_write(record[name], record)
        if (known or False) != (value or False):
            changed[name] = value
    if changed:
        record.write(changed)


class HealthNgap(models.AbstractModel):
    """Plain values of the pure package from records, in batches: the number of queries does not depend on how many.

    Rows are read through SQL, flushed first: rules look at thousands of acts that nobody needs as records. Whoever
    may read the claims given may know the history, which is of the same practitioners and patients.
    """

    _name = "health.ngap"
    _description = "NGAP Engine"

    # -- catalogue -----------------------------------------------------------------------------------

    @api.model
    def _acts(self):
        """The catalogue by act code."""
        return self._catalogue()[0]

    @api.model
    def _act_by_product(self):
        """Act types by product id."""
        return self._catalogue()[1]

    @api.model
    def _product_by_code(self):
        """Product ids by act code."""
        return self._catalogue()[2]

    @api.model
    @tools.ormcache()
    def _catalogue(self):
        """Acts by code, acts by product id, product ids by code; what the products say is what counts."""
        acts, by_product, products = {}, {}, {}
        for product in (
            self.env["product.product"]
            .sudo()
            .with_context(active_test=False, lang=None)
            .search([("health_act_code", "!=", False)])
        ):
            act = product._health_act_type()
            acts[act.code] = by_product[product.id] = act
            products[act.code] = product.id
        return acts, by_product, products

    @api.model
    @tools.ormcache()
    def _plain_letters(self):
        """Key letters that only ever come with the coefficient 1: nobody writes it."""
        coefficients = defaultdict(set)
        for act in self._acts().values():
            coefficients[act.key_letter].add(act.coefficient)
        return frozenset(letter for letter, values in coefficients.items() if values == {100})

    @api.model
    def _tariff(self):
        return self.env["health.ngap.value"]._tariff()

    # -- rows ----------------------------------------------------------------------------------------

    @api.model
    def _rows(self, scope):
        """Acts of the nomenclature whose ids the query ``scope`` gives, with what is needed of their FSE."""
        self.env.cr.execute(
            SQL(
                "SELECT %s FROM health_fse_act a JOIN health_fse f ON f.id = a.fse_id"
                " WHERE a.id IN (%s) AND a.key_letter IS DISTINCT FROM %s"
                " ORDER BY a.act_date, a.fse_id, a.sequence, a.id",
                _COLUMNS,
                scope,
                OUTSIDE,
            )
        )
        names = [column.name for column in self.env.cr.description]
        return [dict(zip(names, row, strict=True)) for row in self.env.cr.fetchall()]

    @api.model
    def _flush(self):
        for model in (
            "health.fse",
            "health.fse.act",
            "health.prescription",
            "health.prescription.act",
            "health.prior.agreement",
            "health.stay",
            "health.coverage",
            "health.coverage.case",
            "res.partner",
            "res.company",
        ):
            self.env[model].flush_model()

    # -- control -------------------------------------------------------------------------------------

    @api.model
    def _book(self, fses):
        """Everything a control of these FSE may look at.

        History is what the same patients had during ``history_years`` before, and since, and the whole days of
        the practitioners; an FSE that another replaces counts no longer.
        """
        self._flush()
        years = self.env["health.parameter"].value_of("history_years")
        ids = list(fses.ids)
        rows = self._rows(
            SQL(
                """
                SELECT id FROM health_fse_act WHERE fse_id = ANY(%(ids)s)
                UNION
                SELECT past.id
                  FROM (SELECT x.patient_id, x.company_id, min(COALESCE(y.act_date, x.fse_date)) AS since
                          FROM health_fse x LEFT JOIN health_fse_act y ON y.fse_id = x.id
                         WHERE x.id = ANY(%(ids)s) GROUP BY x.patient_id, x.company_id) who
                  JOIN health_fse claim ON claim.patient_id = who.patient_id AND claim.company_id = who.company_id
                  JOIN health_fse_act past ON past.fse_id = claim.id
                   AND past.act_date >= who.since - make_interval(years => %(years)s)
                 WHERE NOT EXISTS (SELECT FROM health_fse later WHERE later.replaces_id = claim.id)
                UNION
                SELECT other.id
                  FROM (SELECT DISTINCT company_id, act_date FROM health_fse_act WHERE fse_id = ANY(%(ids)s)) days
                  JOIN health_fse_act other ON other.company_id = days.company_id AND other.act_date = days.act_date
                  JOIN health_fse claim ON claim.id = other.fse_id
                 WHERE NOT EXISTS (SELECT FROM health_fse later WHERE later.replaces_id = claim.id)
                """,
                ids=ids,
                years=years,
            )
        )
        wanted = set(ids)
        by_fse, days = defaultdict(list), defaultdict(list)
        for row in rows:
            by_fse[row["fse_id"]].append(row)
            if row["fse_id"] in wanted:
                days[row["patient_id"]].append(row["act_date"])
        claims = self._claims(by_fse)
        missing = fses.filtered(lambda fse: fse.id not in claims)
        claims |= {
            fse.id: self._claim(fse.id, fse.company_id.id, fse.patient_id.id, fse.origin, ())
            for fse in missing
        }
        patients = {claim.patient for claim in claims.values()}
        return ngap.Book(
            claims=[claims[fse_id] for fse_id in ids],
            tariff=self._tariff(),
            patients=self._patients(patients, rows, days),
            prescriptions=self._prescriptions(rows),
            agreements=self._agreements({claims[fse_id].patient for fse_id in ids}),
            history=[claim for fse_id, claim in claims.items() if fse_id not in wanted],
            acts=self._acts(),
            today=fields.Date.context_today(self),
        )

    @api.model
    def _companies(self):
        """Profession and zone by company id."""
        self.env.cr.execute("SELECT id, health_profession, health_zone FROM res_company")
        return {
            company: (profession or "", zone or "metropole")
            for company, profession, zone in self.env.cr.fetchall()
        }

    @api.model
    def _claims(self, by_fse):
        products, companies = self._act_by_product(), self._companies()
        return {
            fse_id: self._claim(
                fse_id,
                rows[0]["company_id"],
                rows[0]["patient_id"],
                rows[0]["origin"],
                tuple(self._line(row, products) for row in rows),
                companies,
            )
            for fse_id, rows in by_fse.items()
        }

    @api.model
    def _claim(self, key, company_id, patient_id, origin, lines, companies=None):
        profession, zone = (companies or self._companies())[company_id]
        return ngap.Claim(
            key,
            company_id,
            profession,
            zone,
            patient_id,
            lines,
            is_billed=origin == "journal",
            overrun_total=sum(line.overrun for line in lines),
        )

    @api.model
    def _line(self, row, products):
        """An act as rules see it; of what another program billed, little is known."""
        is_journal = row["origin"] == "journal"
        complement = row["complement"] or ""
        amount = row["amount"] - row["overrun"]
        return ngap.Line(
            key=row["id"],
            key_letter=row["key_letter"],
            coefficient=row["coefficient_hundredths"],
            day=row["act_date"],
            act=products.get(row["product_id"]),
            quantity=row["quantity"],
            passage=row["passage"],
            minute=minute_of(row["act_time"]),
            called_minute=minute_of(row["called_time"]),
            place=row["place"],
            complement=complement if complement != "U" else "",
            factor=None if is_journal else row["factor"],
            amount=amount if is_journal or amount or row["factor"] == 0 else None,
            overrun=row["overrun"],
            overrun_qualifier=row["overrun_qualifier"],
            prescription=self._prescription_key(row),
            project=row["project"],
            is_emergency=row["is_emergency"] or complement == "U",
            is_renewal=row["is_renewal"],
            duration=row["duration"],
            group_size=row["group_size"],
            reason=row["reason"],
        )

    @api.model
    def _prescription_key(self, row):
        if row["prescription_id"]:
            return row["prescription_id"]
        return ("fse", row["fse_id"]) if row["prescriber_no"] and row["prescription_date"] else None

    @api.model
    def _prescriptions(self, rows):
        found = {
            ("fse", row["fse_id"]): ngap.Prescription(
                ("fse", row["fse_id"]), row["prescription_date"], row["prescriber_no"]
            )
            for row in rows
            if not row["prescription_id"] and row["prescriber_no"] and row["prescription_date"]
        }
        ids = {row["prescription_id"] for row in rows if row["prescription_id"]}
        if not ids:
            return found
        acts = self._act_by_product()
        mentions = {
            "mention_night": "night",
            "mention_daily": "daily",
            "mention_home": "home",
            "until_healed": "until_healed",
            "is_emergency": "emergency",
        }
        for one in (
            self.env["health.prescription"]
            .sudo()
            .with_context(active_test=False)
            .search([("id", "in", list(ids)), ("is_to_complete", "=", False)])
        ):
            found[one.id] = ngap.Prescription(
                one.id,
                one.date,
                one.prescriber_no or one.prescriber_id.name or "",
                one.date_from or None,
                one.date_to or None,
                frozenset(
                    acts[act.product_id.id].code for act in one.act_ids if act.product_id.id in acts
                ),
                one.sessions or None,
                one.renewals,
                frozenset(word for name, word in mentions.items() if one[name]),
                one.is_hospital,
            )
        return found

    @api.model
    def _agreements(self, patients):
        acts = self._act_by_product()
        found = defaultdict(tuple)
        for one in (
            self.env["health.prior.agreement"].sudo().search([("patient_id", "in", list(patients))])
        ):
            found[one.patient_id.id] += (
                ngap.Agreement(
                    one.id,
                    one.clock_on or None,
                    # the missing piece came: the days run again, nothing is answered yet
                    "" if one.answer == "incomplete" and one.completed_on else one.answer or "",
                    one.answered_on or None,
                    frozenset(
                        acts[product.id].code for product in one.product_ids if product.id in acts
                    ),
                    one.prescription_id.id or None,
                    one.sessions or None,
                    one.is_emergency,
                    one.date_from or None,
                    one.date_to or None,
                ),
            )
        return found

    @api.model
    def _patients(self, patients, rows=(), days=None):
        """Patients by id, with their stays and what their coverage says on the days asked for."""
        ids = list(patients)
        flags = defaultdict(set)
        for row in rows:
            if row["exemption"] == "4":
                flags[row["patient_id"]].add("ald")
            if row["insurance_nature"] in SITUATION_BY_NATURE:
                flags[row["patient_id"]].add(SITUATION_BY_NATURE[row["insurance_nature"]])
        for patient, start, end, code, exemption in self._fetch(
            """
            SELECT c.patient_id, c.date_from, c.date_to, k.code, c.exemption FROM health_coverage c
              JOIN health_coverage_case k ON k.id = c.case_id WHERE c.patient_id = ANY(%s)
            """,
            ids,
        ):
            asked = (days or {}).get(patient) or ()
            if any(start <= day and (end is None or day < end) for day in asked):
                flags[patient] |= set(code.lower().replace("-", "_").split("_"))
                if exemption == "4":
                    flags[patient].add("ald")
        stays = defaultdict(tuple)
        for patient, kind, start, end in self._fetch(
            "SELECT patient_id, kind, date_from, date_to FROM health_stay WHERE patient_id = ANY(%s)"
            " ORDER BY date_from",
            ids,
        ):
            stays[patient] += (ngap.Stay(kind, start, end),)
        found = {}
        for key, born, palliative, caregiver, bpco, discharged, street, zip_code in self._fetch(
            """
            SELECT id, health_birth_date, health_is_palliative, health_has_caregiver, health_is_bpco,
                   health_discharged_on, street, zip FROM res_partner WHERE id = ANY(%s)
            """,
            ids,
        ):
            own = {
                word
                for word, is_so in (
                    ("palliative", palliative),
                    ("caregiver", caregiver),
                    ("ald_bpco", bpco),
                )
                if is_so
            }
            home = f"{zip_code or ''} {street}".strip().lower() if street else ""
            found[key] = ngap.Patient(
                key, born, frozenset(own | flags[key]), home, stays[key], discharged
            )
        return found

    @api.model
    def _fetch(self, query, ids):
        self.env.cr.execute(query, [ids])
        return self.env.cr.fetchall()

    # -- pricing -------------------------------------------------------------------------------------

    @api.model
    def _sessions(self, fses):
        """The whole days of the practitioners on which these FSE have acts, as sessions to price.

        Acts of one patient, day and passage are one session, whatever FSE they stand on.

        :return: dict of (company id, day) → list of (session, rows of the session), in the order of time.
        """
        self._flush()
        rows = self._rows(
            SQL(
                """
                SELECT other.id
                  FROM (SELECT DISTINCT company_id, act_date FROM health_fse_act WHERE fse_id = ANY(%(ids)s)) days
                  JOIN health_fse_act other ON other.company_id = days.company_id AND other.act_date = days.act_date
                  JOIN health_fse claim ON claim.id = other.fse_id
                 WHERE NOT EXISTS (SELECT FROM health_fse later WHERE later.replaces_id = claim.id)
                """,
                ids=list(fses.ids),
            )
        )
        groups, days = defaultdict(list), defaultdict(list)
        for row in rows:
            groups[row["company_id"], row["act_date"], row["patient_id"], row["passage"]].append(
                row
            )
            days[row["patient_id"]].append(row["act_date"])
        patients = self._patients({row["patient_id"] for row in rows}, rows, days)
        prescriptions = self._prescriptions(rows)
        homes = {
            key: (distance, terrain or "plain", bool(same_town))
            for key, distance, terrain, same_town in self._fetch(
                "SELECT id, round(COALESCE(health_distance, 0)::numeric * 100)::int, health_terrain,"
                " health_same_town FROM res_partner WHERE id = ANY(%s)",
                list(patients),
            )
        }
        companies, products, letters = self._companies(), self._act_by_product(), ngap.letters()
        result = defaultdict(list)
        for (company, day, patient, passage), own in groups.items():
            profession, zone = companies[company]
            kinds = [
                letters[profession, row["key_letter"]].kind
                if (profession, row["key_letter"]) in letters
                else ""
                for row in own
            ]
            lines = tuple(
                replace(self._line(row, products), amount=None, factor=None, complement="")
                for row, kind in zip(own, kinds, strict=True)
                if not row["is_added"] and kind not in ADDED_KINDS
            )
            minutes = [line.minute for line in lines if line.minute is not None]
            calls = [line.called_minute for line in lines if line.called_minute is not None]
            place = next((row["place"] for row in own if row["place"]), "")
            distance, terrain, same_town = homes[patient]
            result[company, day].append(
                (
                    ngap.Session(
                        key=(company, patient, day, passage),
                        practitioner=company,
                        profession=profession,
                        zone=zone,
                        patient=patients[patient],
                        day=day,
                        acts=lines,
                        passage=passage,
                        minute=min(minutes, default=None),
                        called_minute=min(calls, default=None),
                        # another program bills travel only for a visit at home
                        place=place or ("home" if "travel" in kinds else "office"),
                        distance=distance,
                        terrain=terrain,
                        same_town=same_town or not distance,
                        mentions=frozenset().union(
                            *(
                                prescriptions[line.prescription].mentions
                                for line in lines
                                if line.prescription in prescriptions
                            )
                        ),
                        is_emergency=any(line.is_emergency for line in lines),
                    ),
                    own,
                )
            )
        for sessions in result.values():
            sessions.sort(
                key=lambda one: (one[0].minute is None, one[0].minute or 0, one[0].passage)
            )
        return result

    @api.model
    def _price(self, fses):
        """Price the practitioners' days of these FSE.

        :return: list of (priced session, its rows).
        """
        tariff, acts, letters = self._tariff(), self._acts(), ngap.letters()
        priced = []
        for sessions in self._sessions(fses).values():
            # travel is priced for the sessions that hold an act; rows of travel alone are facts of elsewhere
            held = [(session, rows) for session, rows in sessions if session.acts]
            answers = ngap.price_day([session for session, _rows in held], tariff, acts, letters)
            priced += zip(answers, (rows for _session, rows in held), strict=True)
        return priced
