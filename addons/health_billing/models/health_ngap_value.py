from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools.misc import file_path

from ..ngap import LetterValue, Tariff, UnknownValue, act_price, doubt_about, letters, update
from ..ngap.tariff import MAINLAND
from ..tools import cents, euros, format_cents

#: surcharge letters that a complement of an act may stand for
COMPLEMENTS = {"N": ("N", "NN"), "F": ("F",)}
#: what makes a value another value: changing it takes the agency's confirmation away
FACTS = {"key_letter", "zone", "value", "date_from", "date_to", "source", "grade"}


class HealthNgapValue(models.Model):
    """Value of a key letter in a zone, for a period, with its source and proof grade."""

    _name = "health.ngap.value"
    _description = "NGAP Key Letter Value"
    _order = "key_letter, zone, date_from desc"

    key_letter = fields.Char(required=True, index=True)
    letter_label = fields.Char("Meaning", compute="_compute_letter_label")
    zone = fields.Char(required=True)
    zone_label = fields.Char("Where", compute="_compute_zone_label")
    value = fields.Monetary(required=True, aggregator=None)
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.ref("base.EUR")
    )
    date_from = fields.Date(required=True)
    date_to = fields.Date(help="First day on which the value no longer applies.")
    source = fields.Text()
    source_line = fields.Char("Source (one line)", compute="_compute_source_line")
    grade = fields.Selection(
        [("A", "Official text"), ("B", "Secondary source"), ("C", "Unconfirmed")],
        required=True,
        default="C",
    )

    is_confirmed = fields.Boolean(
        "Confirmed", readonly=True, help="The agency confirmed this unconfirmed value."
    )
    confirmed_by_id = fields.Many2one("res.users", readonly=True)
    confirmed_on = fields.Datetime(readonly=True)
    loaded = fields.Json("As last loaded from a file", copy=False)
    fse_count = fields.Integer("FSE not sent", compute="_compute_use")
    fse_amount = fields.Monetary("Amount not sent", compute="_compute_use")
    act_price = fields.Monetary(
        "Price of the act",
        compute="_compute_act_price",
        help="For the coefficient of the act that is looked at.",
    )

    _period_uniq = models.Constraint(
        "UNIQUE(key_letter, zone, date_from)",
        "This key letter already has a value from that day in that zone.",
    )
    _period_order = models.Constraint(
        "CHECK(date_to IS NULL OR date_to >= date_from)", "The value ends before it begins."
    )

    @api.depends("key_letter", "zone", "value")
    def _compute_display_name(self):
        for value in self:
            value.display_name = (
                f"{value.key_letter} · {value.zone_label} · {format_cents(cents(value.value))}"
            )

    @api.depends("source")
    def _compute_source_line(self):
        for value in self:
            value.source_line = " ".join((value.source or "").split())

    @api.depends("zone")
    def _compute_zone_label(self):
        zones = dict(
            self.env["res.company"]._fields["health_zone"]._description_selection(self.env)
        )
        for value in self:
            value.zone_label = zones.get(value.zone, value.zone)

    @api.depends("key_letter")
    def _compute_letter_label(self):
        """What the letter means: of the odd names (“IFD_kine”) from the letters file, else who bills it."""
        names = {letter.tariff_letter: letter.label for letter in letters().values()}
        professions = dict(self.env["product.product"]._health_professions())
        billed = {}
        for profession, key_letter in self.env["product.product"]._read_group(
            [("health_key_letter", "in", self.mapped("key_letter"))],
            ["health_profession", "health_key_letter"],
        ):
            billed.setdefault(key_letter, []).append(professions.get(profession, profession))
        for value in self:
            value.letter_label = names.get(value.key_letter) or ", ".join(
                billed.get(value.key_letter, ())
            )

    @api.depends("value")
    @api.depends_context("health_coefficient_hundredths")
    def _compute_act_price(self):
        coefficient = self.env.context.get("health_coefficient_hundredths") or 100
        for value in self:
            value.act_price = euros(act_price(cents(value.value), coefficient))

    def write(self, vals):
        """A confirmed value that is changed has to be confirmed anew."""
        if FACTS & vals.keys() and "is_confirmed" not in vals:
            vals = {
                **vals,
                "is_confirmed": False,
                "confirmed_by_id": False,
                "confirmed_on": False,
            }
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_past(self):
        if self.filtered(lambda value: value.date_from <= fields.Date.context_today(self)):
            raise UserError(
                self.env._(
                    "A value that was in force stays, old acts are priced by it: give it an end instead."
                )
            )

    @api.model
    def _tariff(self):
        """All values as the pure package wants them."""
        return Tariff(
            LetterValue(
                value.key_letter,
                value.zone,
                cents(value.value),
                value.date_from,
                value.date_to or None,
                value.source or "",
                value.grade,
                value.is_confirmed,
            )
            for value in self.sudo().search([])
        )

    # -- loading -------------------------------------------------------------------------------------

    @api.model
    def _load_catalogue(self):
        """Load acts and values from the shipped files; safe and cheap to call again.

        A catalogue that is in use only gets what it lacks (new acts, letters without any value, families of
        acts). Whatever would change a price waits as an update to check, with its impact.
        """
        is_first = not self.sudo().search_count([], limit=1)
        self._load_values()
        self.env["product.product"]._load_ngap_acts()
        if not is_first:
            self.env["health.catalogue.update"]._propose_shipped()

    @api.model
    def _load_values(self):
        reading = update.read_files(
            self.env["health.catalogue.update"]._shipped_files(
                file_path("health_billing/data/ngap")
            )
        )
        held = self._held()
        known = {(key_letter, zone) for key_letter, zone, _start in held}
        incoming = [row for row in reading.values if (row.key_letter, row.zone) not in known]
        merged = update.merge_values({}, incoming)
        # older data did not remember what the file said
        loaded = {
            row.key: row for row in reading.values if row.key in held and not held[row.key].loaded
        }
        return self._apply(update.difference({}, merged.rows), merged.loaded | loaded)

    @api.model
    def _held(self):
        """Values of the catalogue as the pure package wants them."""
        return {
            (value.key_letter, value.zone, value.date_from): update.Held(
                update.ValueRow(
                    value.key_letter,
                    value.zone,
                    value.date_from,
                    cents(value.value),
                    value.date_to or None,
                    value.source or "",
                    value.grade,
                ),
                update.from_plain(update.ValueRow, value.loaded) if value.loaded else None,
            )
            for value in self.search([], order="key_letter, zone, date_from")
        }

    @api.model
    def _vals(self, row):
        return {
            "key_letter": row.key_letter,
            "zone": row.zone,
            "date_from": row.start,
            "date_to": row.end,
            "value": euros(row.cents),
            "source": row.source,
            "grade": row.grade,
        }

    @api.model
    def _apply(self, changes, loaded):
        """Record changes of values; a value is never deleted. Return those that were created."""
        known = {
            (value.key_letter, value.zone, value.date_from): value for value in self.search([])
        }
        fresh = []
        for change in changes:
            if change.old is None:
                fresh.append(
                    {
                        **self._vals(change.new),
                        "loaded": update.to_plain(loaded.get(change.key, change.new)),
                    }
                )
                continue
            old, new = self._vals(change.old), self._vals(change.new)
            vals = {name: value for name, value in new.items() if value != old[name]}
            value = known[change.key]
            if value.is_confirmed and vals.keys() & {"value", "grade"}:
                vals |= {"is_confirmed": False, "confirmed_by_id": False, "confirmed_on": False}
            # the ORM groups these into few queries when it writes them out
            value.update({"is_confirmed": value.is_confirmed, **vals})
        for key, row in loaded.items():
            value, plain = known.get(key), update.to_plain(row)
            if value and value.loaded != plain:
                value.loaded = plain
        return self.create(fresh)

    # -- unconfirmed values ----------------------------------------------------------------------------

    @api.model
    def _unconfirmed(self):
        """Unconfirmed values, by (name of the letter, zone)."""
        found = {}
        for value in self.sudo().search([("grade", "=", "C"), ("is_confirmed", "=", False)]):
            found.setdefault((value.key_letter, value.zone), []).append(value)
        return found

    @api.model
    def _value_of_act(self, values, profession, zone, key_letter, complement, day):
        """The values among ``values`` that an act's price rests on."""
        names = [(profession, key_letter)]
        names += [(profession, name) for name in COMPLEMENTS.get(complement, ())]
        product = self.env["product.product"]
        for number, (who, name) in enumerate(names):
            if number and (who, name) not in letters():
                continue
            tariff_letter = product._health_tariff_letter(who, name)
            for value in values.get((tariff_letter, zone), ()):
                if value.date_from <= day and (not value.date_to or day < value.date_to):
                    yield value

    @api.model
    def _findings(self, fses):
        """TAR-01: the price of an act rests on an unconfirmed value; TAR-02: the act itself is unconfirmed.

        Only for claims entered here and not sent: the price of an imported one is a fact.
        """
        fses = fses.filtered(lambda fse: fse.origin == "entry" and not fse.sent_on)
        values = self._unconfirmed()
        is_overseas = any(
            (zone or MAINLAND) != MAINLAND for zone in fses.company_id.mapped("health_zone")
        )
        tariff = self._tariff() if is_overseas else None
        result, seen = [], set()
        for act in fses.act_ids:
            fse, company = act.fse_id, act.fse_id.company_id
            product = act.product_id
            if (
                product.health_grade == "C"
                and not product.health_is_confirmed
                and (fse, product) not in seen
            ):
                seen.add((fse, product))
                result.append(self._act_finding(act))
            for value in self._value_of_act(
                values,
                company.health_profession,
                company.health_zone,
                act.key_letter,
                act.complement,
                act.act_date,
            ):
                if (fse, value) not in seen:
                    seen.add((fse, value))
                    result.append(self._value_finding(act, value))
            for doubt in self._borrowed(tariff, act) if tariff else ():
                if (fse, doubt) not in seen:
                    seen.add((fse, doubt))
                    result.append(self._borrowed_finding(act, doubt))
        return result

    @api.model
    def _borrowed(self, tariff, act):
        """What to say of the letters of an act that the mainland lends their value, as pricing does."""
        company, product = act.company_id, self.env["product.product"]
        who, zone, day = company.health_profession, company.health_zone, act.act_date
        for name in (act.key_letter, *COMPLEMENTS.get(act.complement, ())):
            if name != act.key_letter and (who, name) not in letters():
                continue
            try:
                value = tariff.effective(product._health_tariff_letter(who, name), zone, day)
            except UnknownValue:
                continue  # it has no price at all, which blocks already (GEN-14)
            if value.zone != zone:
                yield doubt_about(value, name, zone, day)

    @api.model
    def _borrowed_finding(self, act, doubt):
        return {
            "fse_id": act.fse_id.id,
            "rule_code": "TAR-01",
            "severity": "2",
            "message": doubt,
            "reference": self.env._("NGAP catalogue, value graded C"),
            "act_id": act.id,
            "proposal": False,
        }

    @api.model
    def _value_finding(self, act, value):
        return {
            "fse_id": act.fse_id.id,
            "rule_code": "TAR-01",
            "severity": "2",
            "message": self.env._(
                "The price of %(act)s rests on an unconfirmed value: %(letter)s, %(zone)s, %(value)s from %(day)s "
                "(%(origin)s). Check it and have a manager confirm it, once for all.",
                act=f"{act.key_letter} {act.coefficient}",
                letter=value.key_letter,
                zone=value.zone_label,
                value=format_cents(cents(value.value)),
                day=value.date_from.strftime("%d/%m/%Y"),
                origin=value.source or self.env._("no source"),
            ),
            "reference": self.env._("NGAP catalogue, value graded C"),
            "act_id": act.id,
            "proposal": False,
        }

    @api.model
    def _act_finding(self, act):
        return {
            "fse_id": act.fse_id.id,
            "rule_code": "TAR-02",
            "severity": "1",
            "message": self.env._(
                "The act %(act)s comes from an unconfirmed source (%(origin)s). "
                "Check it and have a manager confirm it, once for all.",
                act=act.product_id.display_name,
                origin=act.product_id.health_source or self.env._("no source"),
            ),
            "reference": self.env._("NGAP catalogue, act graded C"),
            "act_id": act.id,
            "proposal": False,
        }

    def action_confirm(self):
        """The agency takes responsibility for unconfirmed values, once; who and when is kept.

        Objections that rested on them alone are withdrawn.
        """
        if not self.env.user.has_group("health_billing.group_manager"):
            raise AccessError(self.env._("Only an agency manager may confirm a value."))
        self.filtered(lambda value: value.grade == "C" and not value.is_confirmed).write(
            {
                "is_confirmed": True,
                "confirmed_by_id": self.env.uid,
                "confirmed_on": fields.Datetime.now(),
            }
        )
        self._withdraw_findings()

    @api.model
    def _withdraw_findings(self):
        """Remove open TAR objections that no longer hold."""
        findings = self.env["health.finding"].search(
            [("rule_code", "in", ("TAR-01", "TAR-02")), ("state", "=", "open")]
        )
        still = {
            (one["fse_id"], one["rule_code"], one["message"])
            for one in self._findings(findings.fse_id)
        }
        # nobody deletes an objection by hand
        findings.filtered(
            lambda one: (one.fse_id.id, one.rule_code, one.message) not in still
        ).sudo().unlink()

    # -- use -------------------------------------------------------------------------------------------

    @api.model
    def _open_act_domain(self):
        """Acts whose price is still ours to compute: entered here, not sent."""
        return [
            ("fse_id.origin", "=", "entry"),
            ("fse_id.sent_on", "=", False),
            ("company_id", "in", self.env.companies.ids),
        ]

    @api.model
    def _use(self, values):
        """FSE not sent whose acts are priced by ``values``: dict of value → (FSE, sum of the acts).

        One query whatever the number of FSE.
        """
        by_letter = {}
        for value in values:
            by_letter.setdefault((value.key_letter, value.zone), []).append(value)
        names = {value.key_letter for value in values}
        names |= {
            letter
            for (_profession, letter), known in letters().items()
            if known.tariff_letter in names
        }
        complements = [
            complement for complement, stands_for in COMPLEMENTS.items() if names & set(stands_for)
        ]
        found = {value: [self.env["health.fse"], 0] for value in values}
        if not values:
            return found
        groups = self.env["health.fse.act"]._read_group(
            [
                *self._open_act_domain(),
                "|",
                ("key_letter", "in", list(names)),
                ("complement", "in", complements),
            ],
            ["company_id", "key_letter", "complement", "act_date:day"],
            ["fse_id:recordset", "amount:sum"],
        )
        for company, key_letter, complement, day, fses, amount in groups:
            for value in self._value_of_act(
                by_letter,
                company.health_profession,
                company.health_zone,
                key_letter,
                complement,
                day,
            ):
                found[value][0] |= fses
                found[value][1] += cents(amount)
        return found

    @api.depends_context("allowed_company_ids")
    @api.depends("key_letter", "zone", "date_from", "date_to")
    def _compute_use(self):
        may_read = self.env["health.fse.act"].has_access("read")
        use = self._use(self) if may_read else {}
        for value in self:
            fses, amount = use.get(value, (self.env["health.fse"], 0))
            value.fse_count = len(fses)
            value.fse_amount = euros(amount)

    def action_open_fses(self):
        """The FSE not sent that these values price."""
        use = self._use(self)
        fses = self.env["health.fse"].union(*(fses for fses, _amount in use.values()))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("FSE not sent"),
            "res_model": "health.fse",
            "view_mode": "list,form",
            "domain": [("id", "in", fses.ids)],
        }

    @api.model
    def _cockpit_cards(self, lane, day):
        """Cards “to complete”: unconfirmed values in use, and an update of the catalogue that waits."""
        if lane != "to_complete" or not self.env["health.catalogue.update"].has_access("read"):
            return []
        return [*self._cards_unconfirmed(), *self._cards_update()]

    @api.model
    def _cards_unconfirmed(self):
        waiting = self.search([("grade", "=", "C"), ("is_confirmed", "=", False)])
        use = {value: one for value, one in self._use(waiting).items() if one[0]}
        if not use:
            return []
        fses = self.env["health.fse"].union(*(fses for fses, _amount in use.values()))
        values = self.union(*use)
        return [
            {
                "key": "ngap-values",
                "title": self.env._("NGAP values to confirm"),
                "why": self.env._(
                    "%(fses)s FSE not sent are priced by %(values)s value(s) that nobody has confirmed.",
                    fses=len(fses),
                    values=len(values),
                ),
                "practitioner": "",
                "count": len(fses),
                "amount": euros(sum(amount for _fses, amount in use.values())),
                "deadline": False,
                "action": self.env["health.cockpit"]._act_window(
                    self.env._("NGAP values to confirm"),
                    "health.ngap.value",
                    [("id", "in", values.ids)],
                ),
                "button": self.env._("Look and confirm"),
            }
        ]

    @api.model
    def _cards_update(self):
        waiting = self.env["health.catalogue.update"].search(
            [("state", "=", "draft"), ("line_ids", "!=", False)]
        )
        return [
            {
                "key": f"ngap-update-{one.id}",
                "title": one.name,
                "why": one.summary,
                "practitioner": "",
                "count": one.line_count,
                "amount": 0.0,
                "deadline": one.first_day
                if one.first_day and one.first_day >= fields.Date.today()
                else False,
                "action": {
                    **self.env["health.cockpit"]._act_window(
                        one.name, "health.catalogue.update", [("id", "=", one.id)]
                    ),
                    "res_id": one.id,
                    "views": [[False, "form"]],
                },
                "button": self.env._("Look at the update"),
            }
            for one in waiting
        ]
