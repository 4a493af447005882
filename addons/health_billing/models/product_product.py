import re

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools.misc import file_path

from ..ngap import ActType, catalogue, letters, update

#: “AMI 4”, “ami4 pans”, “AMI 4,1 · Pan…”: key letter, coefficient, words of the label
ACT_RE = re.compile(r"\s*([A-Za-z]{2,4})\s*(\d{1,4}(?:[.,]\d{1,2})?)?(?:\s*·\s*|\s+|$)(.*)")
#: “INF-AMI4-07”, or the beginning of it
CODE_RE = re.compile(r"\s*(INF|MK|ORT|OPT)-", re.IGNORECASE)
#: what the rules see of an act: a change of these makes the engine read the catalogue again
CATALOGUE = frozenset(
    {
        "name",
        "health_profession",
        "health_key_letter",
        "health_coefficient_hundredths",
        "health_reference",
        "health_agreement_from",
        "health_minutes",
        "health_act_code",
        "health_tags",
        "health_date_from",
        "health_date_to",
        "health_grade",
    }
)
#: longest display name of an act: it has to fit a cell
SHORT = 64


class ProductProduct(models.Model):
    """An NGAP act is a product; profession, key letter, coefficient and label name it, its code is ours."""

    _inherit = "product.product"

    health_profession = fields.Selection(
        selection="_health_professions", string="Profession", index=True
    )
    health_key_letter = fields.Char("Key letter", index=True)
    health_coefficient_hundredths = fields.Integer("Coefficient (hundredths)")
    health_coefficient = fields.Char("Coefficient", compute="_compute_health_coefficient")
    health_kind = fields.Selection(
        [
            ("act", "Act"),
            ("travel", "Travel"),
            ("distance", "Distance"),
            ("supplement", "Supplement"),
        ],
        string="Kind of act",
    )
    health_reference = fields.Char("NGAP reference")
    health_prior_agreement = fields.Char("Prior agreement")
    health_agreement_from = fields.Integer(
        "Agreement from session",
        help="Rank of the session from which prior agreement is needed; 1: always, 0: never.",
    )
    health_minutes = fields.Integer("Shortest duration (min)")
    health_act_code = fields.Char(
        "Act code",
        index="btree_not_null",
        copy=False,
        help="Ours; it names the act where letter and coefficient do not.",
    )
    health_tags = fields.Char("Families", help="What the rules call this act.")
    health_date_from = fields.Date("Billable from")
    health_date_to = fields.Date("Billable until (excluded)")
    health_source = fields.Text("Source")
    health_grade = fields.Selection(
        [("A", "Official text"), ("B", "Secondary source"), ("C", "Unconfirmed")], string="Proof"
    )
    health_is_confirmed = fields.Boolean(
        "Confirmed by the agency", copy=False, help="The agency confirmed this unconfirmed act."
    )
    health_confirmed_by_id = fields.Many2one(
        "res.users", "Act confirmed by", readonly=True, copy=False
    )
    health_confirmed_on = fields.Datetime("Act confirmed on", readonly=True, copy=False)
    health_loaded = fields.Json("As last loaded from a file", copy=False)
    health_is_gone = fields.Boolean("Ended by an update", copy=False)
    health_value_ids = fields.Many2many(
        "health.ngap.value", string="Prices", compute="_compute_health_value_ids"
    )

    _health_act_code_uniq = models.UniqueIndex(
        "(health_act_code) WHERE health_act_code IS NOT NULL",
        "Another act has this code already.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        products = super().create(vals_list)
        if any(vals.get("health_act_code") for vals in vals_list):
            self.env.registry.clear_cache()
        return products

    def write(self, vals):
        result = super().write(vals)
        if CATALOGUE & vals.keys():
            self.env.registry.clear_cache()
        return result

    def unlink(self):
        is_catalogue = any(product.health_act_code for product in self)
        result = super().unlink()
        if is_catalogue:
            self.env.registry.clear_cache()
        return result

    def _health_act_type(self):
        """The act as the rules see it."""
        self.ensure_one()
        return ActType(
            code=self.health_act_code,
            profession=self.health_profession or "",
            key_letter=self.health_key_letter or "",
            coefficient=self.health_coefficient_hundredths,
            label=self.name,
            reference=self.health_reference or "",
            tags=frozenset((self.health_tags or "").split()),
            agreement_from=self.health_agreement_from or None,
            minutes=self.health_minutes or None,
            start=self.health_date_from or None,
            end=self.health_date_to or None,
            grade=self.health_grade or "C",
        )

    @api.model
    def _health_professions(self):
        return self.env["res.company"]._fields["health_profession"]._description_selection(self.env)

    @api.depends("health_coefficient_hundredths")
    def _compute_health_coefficient(self):
        for product in self:
            product.health_coefficient = update.coefficient_text(
                product.health_coefficient_hundredths
            )

    @api.depends("health_profession", "health_key_letter")
    def _compute_health_value_ids(self):
        names = {
            product: self._health_tariff_letter(
                product.health_profession, product.health_key_letter
            )
            for product in self
        }
        values = self.env["health.ngap.value"].search([("key_letter", "in", list(names.values()))])
        grouped = values.grouped("key_letter")
        for product in self:
            product.health_value_ids = grouped.get(names[product], values.browse())

    @api.model
    def _health_tariff_letter(self, profession, key_letter):
        """Name under which the values of a key letter are filed (“IFD_kine” for a physiotherapist's IFD)."""
        letter = letters().get((profession, key_letter))
        return letter.tariff_letter if letter else key_letter

    # -- how an act is called and found --------------------------------------------------------------

    @api.depends("health_key_letter", "health_coefficient_hundredths")
    def _compute_display_name(self):
        """Override of `product`: an act is called by letter, coefficient and the beginning of its label."""
        acts = self.filtered("health_key_letter")
        result = super(ProductProduct, self - acts)._compute_display_name()
        for act in acts:
            name = f"{act._health_short()} · {act.name}"
            act.display_name = name if len(name) <= SHORT else f"{name[: SHORT - 1].rstrip()}…"
        return result

    def _health_short(self):
        """“AMI 4”; a letter that only ever comes with the coefficient 1 (travel, packages) stands alone."""
        self.ensure_one()
        letter = self.health_key_letter
        if not letter:
            return self.default_code or self.name
        if letter in self.env["health.ngap"]._plain_letters():
            return letter
        return f"{letter} {self.health_coefficient}"

    @api.model
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        """Override of `product`: acts by “AMI 4”, “ami4 pans”, code or label.

        The context may ask for the acts of a profession (``health_profession``; ``True``: the current
        practitioner's) that may be billed on a day (``health_day``), with what is outside the nomenclature
        beside them (``health_outside``).
        """
        wanted = self._health_context_domain()
        if wanted is None and operator != "ilike":
            return super().name_search(name, domain, operator, limit)
        domain = Domain(domain or Domain.TRUE) & (Domain.TRUE if wanted is None else wanted)
        match = ACT_RE.match(name or "")
        is_act = match and match[2] or CODE_RE.match(name or "")
        if is_act or wanted is not None:
            words = match[3].strip().lower() if match and match[3] else ""
            acts = self.search_fetch(
                domain & self._health_name_domain(name, match),
                ["display_name", "name"],
                limit=None if words else limit,
                order="health_profession, health_key_letter, health_coefficient_hundredths, id",
            )
            if words:
                # “ami 4 pans”: the dressings first, then the acts that only mention one
                acts = acts.sorted(lambda act: not act.name.lower().startswith(words))[:limit]
            if acts or wanted is not None:
                return [(act.id, act.display_name) for act in acts.sudo()]
        return super().name_search(name, domain, operator, limit)

    @api.model
    def _health_context_domain(self):
        """What the context asks of the acts, ``None`` when it asks nothing."""
        profession = self.env.context.get("health_profession")
        day = self.env.context.get("health_day")
        if not profession and not day:
            return None
        domain = Domain("health_key_letter", "!=", False)
        if profession is True:
            profession = self.env.company.health_profession
        if profession:
            domain &= Domain("health_profession", "=", profession)
        if day:
            domain &= self._health_valid_domain(day)
        if self.env.context.get("health_outside"):
            domain |= Domain("id", "=", self.env.ref("health_billing.product_outside").id)
        return domain

    @api.model
    def _health_valid_domain(self, day, last=None):
        """Acts that may be billed on a day, or on one of the days until ``last`` (included)."""
        return (
            Domain("health_date_from", "=", False) | Domain("health_date_from", "<=", last or day)
        ) & (Domain("health_date_to", "=", False) | Domain("health_date_to", ">", day))

    @api.model
    def _health_name_domain(self, name, match):
        text = (name or "").strip()
        if not text:
            return Domain.TRUE
        by_text = Domain("health_act_code", "=ilike", f"{text}%") | Domain("name", "ilike", text)
        if not self.env.context.get("health_outside"):
            by_text &= Domain("health_key_letter", "!=", False)
        if not match:
            return by_text
        letter, coefficient, words = match.groups()
        by_letter = Domain("health_key_letter", "=", letter.upper())
        if coefficient:
            by_letter &= Domain(
                "health_coefficient_hundredths", "=", catalogue.coefficient(coefficient)
            )
        for word in words.rstrip("…").split():
            by_letter &= Domain("name", "ilike", word)
        return by_letter | by_text

    # -- loading -------------------------------------------------------------------------------------

    @api.model
    def _load_ngap_acts(self):
        """Create the acts and letters of the shipped files that are missing, and complete those that are there.

        What the agency changed stays, and no act ends: that is for an update, which shows its impact first.
        """
        folder = file_path("health_billing/data/ngap")
        reading = update.read_files(self.env["health.catalogue.update"]._shipped_files(folder))
        held = self._health_held()
        merged = update.merge_acts(held, reading.acts, None, keep=True)
        before = {code: one.row for code, one in held.items()}
        changes = update.difference(before, merged.rows)
        made = self._health_apply(changes, merged.loaded, frozenset())
        return made + self._load_letters()

    @api.model
    def _load_letters(self):
        """Travel, distance and supplement letters that are no act of the files, as products of their own."""
        known = {
            (act.health_profession, act.health_key_letter)
            for act in self.with_context(active_test=False).search(
                [("health_key_letter", "!=", False)]
            )
        }
        kinds = dict(self._fields["health_kind"]._description_selection(self.env))
        return self._health_create(
            [
                {
                    "name": letter.label,
                    "default_code": letter.letter,
                    "health_profession": letter.profession,
                    "health_key_letter": letter.letter,
                    "health_coefficient_hundredths": 100,
                    "health_kind": letter.kind,
                    "health_act_code": f"{update.PREFIXES[letter.profession]}-{letter.letter}",
                    "health_prior_agreement": "non",
                    "health_source": "data/ngap/letters.csv",
                    "health_grade": "A",
                }
                for letter in letters().values()
                if letter.kind in kinds
                and letter.kind != "act"
                and (letter.profession, letter.letter) not in known
            ]
        )

    @api.model
    def _health_create(self, vals_list):
        service = {
            "type": "service",
            "taxes_id": False,
            "supplier_taxes_id": False,
            "purchase_ok": False,
            "sale_ok": False,
        }
        return self.with_context(
            tracking_disable=True, create_product_product=True, lang=None
        ).create([service | vals for vals in vals_list])

    @api.model
    def _health_held(self):
        """Acts of the catalogue as the pure package wants them, by code; letters of their own file stay out.

        An act without code yet (older data) is filed under a key of its own, so that its code can be given.
        """
        alone = {f"{update.PREFIXES[one]}-{letter}" for one, letter in letters()}
        return {
            act.health_act_code or f"#{act.id}": update.Held(
                act._health_row(),
                update.from_plain(update.ActRow, act.health_loaded) if act.health_loaded else None,
                act.health_is_gone,
            )
            for act in self.with_context(active_test=False, lang=None).search(
                [("health_key_letter", "!=", False)], order="id"
            )
            if act.health_act_code not in alone
        }

    def _health_row(self):
        self.ensure_one()
        return update.ActRow(
            profession=self.health_profession or "",
            key_letter=self.health_key_letter,
            coefficient=self.health_coefficient_hundredths,
            label=(self.name or "").strip(),
            code=self.health_act_code or "",
            reference=self.health_reference or "",
            agreement=self.health_prior_agreement or "",
            source=self.health_source or "",
            grade=self.health_grade or "",
            tags=frozenset((self.health_tags or "").split()),
            agreement_from=self.health_agreement_from or None,
            minutes=self.health_minutes or None,
            start=self.health_date_from or None,
            end=self.health_date_to or None,
        )

    @api.model
    def _health_vals(self, row):
        letter = letters().get((row.profession, row.key_letter))
        return {
            "name": row.label,
            "default_code": row.short,
            "health_profession": row.profession,
            "health_key_letter": row.key_letter,
            "health_coefficient_hundredths": row.coefficient,
            "health_kind": letter.kind if letter else "act",
            "health_act_code": row.code,
            "health_reference": row.reference,
            "health_prior_agreement": row.agreement,
            "health_source": row.source,
            "health_grade": row.grade,
            "health_tags": " ".join(sorted(row.tags)),
            "health_agreement_from": row.agreement_from or 0,
            "health_minutes": row.minutes or 0,
            "health_date_from": row.start,
            "health_date_to": row.end,
        }

    @api.model
    def _health_apply(self, changes, loaded, gone):
        """Record changes of acts; an act is never deleted.

        :param loaded: by code, the rows of the file, remembered beside the act.
        :param gone: codes of the acts that the file no longer has.
        :return: the acts that were created.
        """
        known = {
            act.health_act_code or f"#{act.id}": act
            for act in self.with_context(active_test=False, lang=None).search(
                [("health_key_letter", "!=", False)]
            )
        }
        fresh = []
        for change in changes:
            if change.old is None:
                fresh.append(change.new)
                continue
            old, new = self._health_vals(change.old), self._health_vals(change.new)
            vals = {name: value for name, value in new.items() if value != old[name]}
            if not known[change.key].health_kind:
                vals["health_kind"] = new["health_kind"]
            # the ORM groups these into few queries when it writes them out
            known[change.key].with_context(tracking_disable=True).update(vals)
        made = self._health_create(
            [
                {
                    **self._health_vals(row),
                    "health_loaded": update.to_plain(loaded.get(row.code, row)),
                }
                for row in fresh
            ]
        )
        for code, row in loaded.items():
            act = known.get(code)
            plain = update.to_plain(row)
            if act and (act.health_loaded != plain or act.health_is_gone):
                act.update({"health_loaded": plain, "health_is_gone": False})
        self.union(*(known[code] for code in gone)).filtered(
            lambda act: not act.health_is_gone
        ).health_is_gone = True
        return made

    @api.model
    def _health_act_index(self):
        """Acts that profession, key letter and coefficient name without doubt, as a dict to product ids.

        A nurse's “AMI 4” is two dozen different acts: those stay out.
        """
        groups = self._read_group(
            [("health_key_letter", "!=", False)],
            ["health_profession", "health_key_letter", "health_coefficient_hundredths"],
            ["id:max", "__count"],
        )
        return {(p, letter, value): act for p, letter, value, act, count in groups if count == 1}

    # -- actions -------------------------------------------------------------------------------------

    def action_health_confirm(self):
        """The agency takes responsibility for acts whose source is unconfirmed; who and when is kept."""
        if not self.env.user.has_group("health_billing.group_manager"):
            raise AccessError(self.env._("Only an agency manager may confirm an act."))
        self.filtered(
            lambda act: act.health_grade == "C" and not act.health_is_confirmed
        ).sudo().write(
            {
                "health_is_confirmed": True,
                "health_confirmed_by_id": self.env.uid,
                "health_confirmed_on": fields.Datetime.now(),
            }
        )
