import re

from odoo import api, fields, models


class HealthRejectCode(models.Model):
    """A rejection code as payers use it; the catalogue learns from every return.

    Public lists do not exist and numbers change (October 2024): each rejection brings its own label, which
    names a family; a person corrects the family once, and all rejections of the code follow.
    """

    _name = "health.reject.code"
    _description = "Rejection Code"
    _order = "count desc, code"
    _rec_name = "code"

    code = fields.Char(required=True, index=True)
    part = fields.Selection([("amo", "AMO"), ("amc", "AMC")], required=True)
    label = fields.Char(required=True)
    family_id = fields.Many2one(
        "health.reject.family", required=True, index=True, ondelete="restrict"
    )
    first_seen = fields.Date(readonly=True)
    last_seen = fields.Date(readonly=True)
    count = fields.Integer("Times seen", readonly=True)
    source = fields.Char(help="Where the code was read; empty when a return taught it.")

    _code_uniq = models.Constraint("UNIQUE(code, part)", "This code exists already for this part.")

    @api.depends("code", "label")
    def _compute_display_name(self):
        for code in self:
            code.display_name = f"{code.code} · {code.label}"

    @api.model
    def _normalise(self, code):
        """``0450 072``, ``0450-072`` and ``0450072`` are one code."""
        return re.sub(r"[^0-9A-Za-z]", "", code or "").upper()

    @api.model
    def _learn(self, seen):
        """Records of the codes that a return brought, the new ones classified by their label.

        :param seen: list of (code, part, label, day); codes may be empty (they are left out).
        :return: dict of (normalised code, part) → ``health.reject.code``.
        """
        wanted = {}
        for code, part, label, day in seen:
            key = (self._normalise(code), part)
            if key[0]:
                wanted.setdefault(key, []).append((label, day))
        if not wanted:
            return {}
        catalogue = self.sudo()
        # the catalogue is small, and its neighbours by prefix help to classify
        known = catalogue.search([("part", "in", list({part for _code, part in wanted}))])
        exact = {(record.code, record.part): record for record in known}
        by_prefix = {}
        for record in known:
            by_prefix.setdefault((record.code[:4], record.part), set()).add(record.family_id)
        classify = self.env["health.reject.family"]._classifier()
        unknown = self.env["health.reject.family"]._unknown()
        vals_list = []
        for (code, part), cases in wanted.items():
            if (code, part) in exact:
                continue
            label = cases[0][0] or code
            family = classify(label, part)
            alike = by_prefix.get((code[:4], part), set())
            if family == unknown and len(alike) == 1:
                family = next(iter(alike))
            vals_list.append({"code": code, "part": part, "label": label, "family_id": family.id})
        for record in catalogue.create(vals_list):
            exact[record.code, record.part] = record
        for key, cases in wanted.items():
            days = [day for _label, day in cases if day]
            record = exact[key]
            record.count += len(cases)
            if days:
                record.first_seen = min(filter(None, [record.first_seen, *days]))
                record.last_seen = max(filter(None, [record.last_seen, *days]))
        return {key: exact[key].sudo(False) for key in wanted}
