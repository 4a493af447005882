import re
from decimal import Decimal

from odoo import api, fields, models
from odoo.fields import Domain

#: professions of the data files → ours; the others of the file (midwives, advanced practice) are not served yet
PROFESSIONS = {
    "infirmier": "infirmier",
    "kinésithérapeute": "kinesitherapeute",
    "kinesitherapeute": "kinesitherapeute",
    "kiné": "kinesitherapeute",
    "masseur-kinésithérapeute": "kinesitherapeute",
    "orthophoniste": "orthophoniste",
    "orthoptiste": "orthoptiste",
}


class ProductProduct(models.Model):
    _inherit = "product.product"

    health_profession = fields.Selection(
        selection="_health_professions", string="Profession", index=True
    )
    health_key_letter = fields.Char("Key letter", index=True)
    health_coefficient_hundredths = fields.Integer("Coefficient (hundredths)")
    health_coefficient = fields.Char("Coefficient", compute="_compute_health_coefficient")
    health_reference = fields.Char("NGAP reference")
    health_prior_agreement = fields.Char("Prior agreement")
    health_act_code = fields.Char(
        "Act code",
        index="btree_not_null",
        help="Ours; it names the act where letter and coefficient do not.",
    )
    health_tags = fields.Char("Families", help="What the rules call this act.")
    health_date_from = fields.Date("Billable from")
    health_date_to = fields.Date("Billable until (excluded)")
    health_source = fields.Text("Source")
    health_grade = fields.Selection(
        [("A", "Official text"), ("B", "Secondary source"), ("C", "Unconfirmed")], string="Proof"
    )

    @api.model
    def _health_professions(self):
        return self.env["res.company"]._fields["health_profession"]._description_selection(self.env)

    @api.depends("health_coefficient_hundredths")
    def _compute_health_coefficient(self):
        for product in self:
            value = product.health_coefficient_hundredths
            whole, rest = divmod(value, 100)
            product.health_coefficient = f"{whole},{rest:02d}" if rest else str(whole)

    @api.model
    def _load_ngap_acts(self):
        """Create the acts of the data file that are missing, keyed by profession, letter, coefficient and label."""
        known = set(
            self.with_context(active_test=False, lang=None)
            .search([("health_key_letter", "!=", False)])
            .mapped(
                lambda p: (
                    p.health_profession,
                    p.health_key_letter,
                    p.health_coefficient_hundredths,
                    p.name,
                )
            )
        )
        vals_list = []
        for row in self.env["health.ngap.value"]._read_csv("ngap_acts.csv"):
            profession = PROFESSIONS.get(row["profession"])
            coefficient = row["coefficient"].replace(",", ".")
            if not profession or not re.fullmatch(r"\d+(\.\d{1,2})?", coefficient):
                continue
            hundredths = int(Decimal(coefficient) * 100)
            # "AMI/AMX" is one act with two key letters: the letter depends on the patient's package
            for letter in re.findall(r"[A-Z]{2,4}", row["key_letter"].split("(")[0]):
                key = (profession, letter, hundredths, row["label_fr"])
                if key in known:
                    continue
                known.add(key)
                vals_list.append(
                    {
                        "name": row["label_fr"],
                        "default_code": f"{letter} {coefficient}",
                        "type": "service",
                        "taxes_id": False,
                        "supplier_taxes_id": False,
                        "purchase_ok": False,
                        "sale_ok": False,
                        "health_profession": profession,
                        "health_key_letter": letter,
                        "health_coefficient_hundredths": hundredths,
                        "health_reference": row["ngap_reference"],
                        "health_prior_agreement": row["accord_prealable"],
                        "health_source": row["source"],
                        "health_grade": "A" if "NGAP ameli" in row["source"] else "B",
                    }
                )
        return self.with_context(tracking_disable=True, create_product_product=True).create(
            vals_list
        )

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

    @api.model
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        """Override of `product`: where acts are entered, letter, coefficient and words of the label find them.

        “AMI 4”, “ami4,1”, “AMI 4 pansement”, “pansement lourd” and “1,5 ponction” are all understood.
        """
        match = re.match(
            r"\s*([A-Za-z]{2,4}(?=[\s\d]|$))?\s*(\d+(?:[.,]\d+)?)?\s*(.*)$", name or ""
        )
        if not self.env.context.get("health_acts") or operator != "ilike" or not name.strip():
            return super().name_search(name, domain, operator, limit)
        letter, coefficient, words = match.groups()
        known = bool(letter) and self.search_count(
            [("health_key_letter", "=", letter.upper())], limit=1
        )
        if letter and not known:
            words = f"{letter} {words}".strip()
        found = Domain(domain or []) & Domain("health_key_letter", "!=", False)
        if known:
            found &= Domain("health_key_letter", "=", letter.upper())
        if coefficient:
            value = int(Decimal(coefficient.replace(",", ".")) * 100)
            found &= Domain("health_coefficient_hundredths", "=", value)
        for word in words.split():
            found &= Domain("name", "ilike", word)
        acts = self.search_fetch(found, ["display_name"], limit=limit)
        return [(act.id, act.display_name) for act in acts.sudo()]
