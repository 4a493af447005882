import re
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..matching.labels import words

#: a code of this many signs or fewer is cut: only with its label it names one cause
CUT = 4
#: so much of a label tells two entries apart
LABEL_KEY = 60


class HealthRejectCode(models.Model):
    """A rejection as payers word it: number, part, epoch of the numbering, label, sometimes one payer only.

    Public lists do not exist and numbers change (October 2024): each rejection brings its own label. An entry
    made from a return gets its cause by the nearest known one; what none tells, or two tell otherwise, is asked
    of a person once, and all rejections of the entry follow.
    """

    _name = "health.reject.code"
    _description = "Rejection Code"
    _order = "needs_answer desc nulls last, count desc nulls last, code, id"
    _rec_name = "code"

    code = fields.Char(index=True)
    part = fields.Selection([("amo", "AMO"), ("amc", "AMC")], required=True)
    label = fields.Char(required=True)
    label_key = fields.Char(
        readonly=True, copy=False, help="The label without figures; empty: whatever the label says."
    )
    epoch_id = fields.Many2one("health.reject.epoch", string="Numbering", index=True)
    payer_id = fields.Many2one(
        "res.partner",
        string="This payer only",
        index="btree_not_null",
        domain=[("health_kind", "in", ("amo", "amc"))],
    )
    family_id = fields.Many2one(
        "health.reject.family", string="Cause", required=True, index=True, ondelete="restrict"
    )
    fixed_by = fields.Selection(related="family_id.fixed_by")
    how = fields.Selection(
        [
            ("source", "Published"),
            ("epoch", "Same number, other numbering"),
            ("prefix", "First four signs"),
            ("label", "Words of the label"),
            ("nothing", "Nothing known"),
            ("person", "A person"),
        ],
        string="Known by",
        required=True,
        default="source",
        readonly=True,
    )
    is_doubtful = fields.Boolean(
        "Doubtful", readonly=True, help="The number and the words of the label tell two causes."
    )
    needs_answer = fields.Boolean(
        "To classify", compute="_compute_needs_answer", store=True, index=True
    )
    decided_by_id = fields.Many2one("res.users", string="Classified by", readonly=True)
    decided_on = fields.Datetime("Classified on", readonly=True)
    active = fields.Boolean(default=True)
    merged_into_id = fields.Many2one("health.reject.code", readonly=True, index="btree_not_null")
    first_seen = fields.Date(readonly=True)
    last_seen = fields.Date(readonly=True)
    count = fields.Integer("Times seen", readonly=True)
    open_count = fields.Integer("Open", compute="_compute_outcome", compute_sudo=True)
    resent_count = fields.Integer("Sent again", compute="_compute_outcome", compute_sudo=True)
    success_rate = fields.Integer(
        "Paid after correction (%)",
        compute="_compute_outcome",
        compute_sudo=True,
        help="Of the parts sent again, those the payer has paid since.",
    )
    source = fields.Char(help="Where the code was read; empty when a return taught it.")

    _key_uniq = models.UniqueIndex(
        "(code, part, COALESCE(epoch_id, 0), COALESCE(payer_id, 0), COALESCE(label_key, ''))",
        "This code exists already for this part, numbering, payer and label.",
    )

    @api.depends("code", "label", "payer_id.name")
    def _compute_display_name(self):
        for code in self:
            code.display_name = " · ".join(
                filter(None, [code.code, code.label, code.sudo().payer_id.name])
            )

    @api.depends("family_id.code", "is_doubtful")
    def _compute_needs_answer(self):
        for code in self:
            code.needs_answer = code.is_doubtful or code.family_id.code == "unknown"

    def _compute_outcome(self):
        """Figures over every practitioner: numbers of an entry tell nothing of anybody's care."""
        Rejection = self.env["health.rejection"]
        domain = [("code_id", "in", self.ids)]
        resent = domain + [("new_share_id", "!=", False)]

        def count(domain):
            return dict(Rejection._read_group(domain, ["code_id"], ["__count"]))

        is_open = count(domain + [("state", "=", "open")])
        sent = count(resent)
        paid = count(resent + [("new_share_id.state", "=", "paid")])
        for code in self:
            code.open_count = is_open.get(code, 0)
            code.resent_count = sent.get(code, 0)
            code.success_rate = (
                100 * paid.get(code, 0) // code.resent_count if code.resent_count else 0
            )

    # -- written by a person or by a data file -----------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            vals["code"] = self._normalise(vals.get("code"))
        return super().create(vals_list)

    def write(self, vals):
        if "code" in vals:
            vals = {**vals, "code": self._normalise(vals["code"])}
        if "family_id" in vals and "how" not in vals:
            vals = {
                **vals,
                "how": "person",
                "is_doubtful": False,
                "decided_by_id": self.env.uid,
                "decided_on": fields.Datetime.now(),
            }
        return super().write(vals)

    def _load_records_write(self, values):
        """Override of `base`: an update of the product does not undo what a person decided."""
        if self.how == "person":
            values = {name: value for name, value in values.items() if name != "family_id"}
        else:
            values = {"how": "source", **values}
        return super()._load_records_write(values)

    # -- reading -----------------------------------------------------------------------------------

    @api.model
    def _normalise(self, code):
        """``0450 072``, ``0450-072`` and ``0450072`` are one code."""
        return re.sub(r"[^0-9A-Za-z]", "", code or "").upper()

    @api.model
    def _label_key(self, label):
        """What two labels of one reason have in common: words, not the figures of one case."""
        return " ".join(word for word in words(label) if not any(map(str.isdigit, word)))[
            :LABEL_KEY
        ].strip()

    @api.model
    def _learn(self, seen):
        """Entries of the rejections that a return brought, the new ones with the cause nearest to them.

        In batches: the catalogue is read once.

        :param seen: list of (code, part, label, day, payer id); a code may be empty.
        :return: list of ``health.reject.code``, one for each seen; empty where neither code nor label is.
        """
        found = [self.browse()] * len(seen)
        if not seen:
            return found
        epoch_on = self.env["health.reject.epoch"].sudo()._on()
        finder = _Catalogue(self.sudo(), {case[1] for case in seen})
        drafts, places = {}, []
        for place, (code, part, label, day, payer) in enumerate(seen):
            code, key = self._normalise(code), self._label_key(label)
            if not code and not key:
                continue
            epoch = epoch_on(day).id
            entry = finder.find(code, part, key, epoch, payer, label)
            if not entry:
                draft = (code, part, epoch, key)
                # a whole number is one entry whatever its label
                if len(code) > CUT:
                    draft = next((one for one in drafts if one[:3] == draft[:3]), draft)
                if draft not in drafts:
                    drafts[draft] = {
                        "code": code,
                        "part": part,
                        "epoch_id": epoch,
                        "label_key": key,
                        "label": (label or "").strip() or code,
                        **finder.nearest(code, part, label),
                    }
                entry = draft
            places.append((place, entry, day))
        made = dict(zip(drafts, self.sudo().create(list(drafts.values())), strict=True))
        days = defaultdict(list)
        for place, entry, day in places:
            record = made[entry] if isinstance(entry, tuple) else entry
            found[place] = record.sudo(False)
            days[record].append(day)
        for record, all_days in days.items():
            known = list(filter(None, [*all_days, record.first_seen, record.last_seen]))
            record.count += len(all_days)
            record.first_seen = min(known, default=False)
            record.last_seen = max(known, default=False)
        return found

    # -- decided by a person -----------------------------------------------------------------------

    def _classify(self, family, payer_only=False):
        """A person says which cause these entries have: open rejections alike follow, and later ones.

        :param payer_only: for the payers of their open rejections only; the entries themselves stay.
        """
        if not self.env.su and not self.env.user.has_group("health_billing.group_biller"):
            raise AccessError(self.env._("Only billers classify rejection codes."))
        if family.code == "unknown":
            raise UserError(self.env._("Choose a cause: “to classify” is none."))
        decided = {
            "how": "person",
            "is_doubtful": False,
            "decided_by_id": self.env.uid,
            "decided_on": fields.Datetime.now(),
        }
        entries = self.sudo()
        if not payer_only:
            entries.write({"family_id": family.id, **decided})
            return entries
        rejections = (
            self.env["health.rejection"]
            .sudo()
            .search([("code_id", "in", self.ids), ("state", "=", "open")])
        )
        groups = rejections.grouped(lambda rejection: (rejection.code_id, rejection.partner_id))
        made = self.sudo().create(
            [
                {
                    "code": entry.code,
                    "part": entry.part,
                    "epoch_id": entry.epoch_id.id,
                    "label": entry.label,
                    "label_key": entry.label_key,
                    "payer_id": payer.id,
                    "family_id": family.id,
                    "count": len(group),
                    "first_seen": min(group.mapped("rejected_on")),
                    "last_seen": max(group.mapped("rejected_on")),
                    **decided,
                }
                for (entry, payer), group in groups.items()
            ]
        )
        for entry, group in zip(made, groups.values(), strict=True):
            group.write({"code_id": entry.id})
        return made

    def action_classify(self):
        """One screen for the entries chosen, or for all that ask."""
        entries = self or self.search([("needs_answer", "=", True)])
        if not entries:
            raise UserError(self.env._("Every code has its cause."))
        wizard = self.env["health.reject.classify"]._of(entries)
        return wizard._action()

    def action_merge(self):
        """These entries say the same: the most seen one of those with a cause stands for all."""
        if not self.env.user.has_group("health_billing.group_manager"):
            raise AccessError(self.env._("Only a manager merges rejection codes."))
        if len(self) < 2 or len(set(self.mapped("part"))) > 1:
            raise UserError(self.env._("Choose two codes or more of one part (AMO or AMC)."))
        entries = self.sudo()
        target = entries.sorted(lambda code: (code.needs_answer, -code.count, code.id))[0]
        others = entries - target
        days = list(filter(None, [*entries.mapped("first_seen"), *entries.mapped("last_seen")]))
        target.write(
            {
                "count": sum(entries.mapped("count")),
                "first_seen": min(days, default=False),
                "last_seen": max(days, default=False),
            }
        )
        others.write({"active": False, "merged_into_id": target.id})
        self.with_context(active_test=False).sudo().search(
            [("merged_into_id", "in", others.ids)]
        ).write({"merged_into_id": target.id})
        self.env["health.rejection"].sudo().search([("code_id", "in", others.ids)]).write(
            {"code_id": target.id}
        )
        return True

    def action_open_rejections(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.display_name,
            "res_model": "health.rejection",
            "view_mode": "list,form",
            "views": [[False, "list"], [False, "form"]],
            "domain": [("code_id", "=", self.id)],
        }

    # -- cockpit -----------------------------------------------------------------------------------

    @api.model
    def _cockpit_cards(self, lane, day):
        """Lane “to complete”: new codes, one card for all, asked only where something open waits."""
        Rejection = self.env["health.rejection"]
        if lane != "to_complete" or not Rejection.has_access("write"):
            return []
        groups = Rejection._read_group(
            [
                ("company_id", "in", self.env.companies.ids),
                ("state", "=", "open"),
                ("code_id.needs_answer", "=", True),
            ],
            ["code_id"],
            ["__count", "amount:sum"],
        )
        if not groups:
            return []
        count = len(groups)
        entries = self.union(*(code for code, _count, _amount in groups))
        Cockpit = self.env["health.cockpit"]
        return [
            Cockpit._card(
                "reject-codes",
                self.env._("1 new rejection code to classify")
                if count == 1
                else self.env._("%s new rejection codes to classify", count),
                self.env._(
                    "One answer per code; the %s rejections alike follow at once, and all later ones.",
                    sum(number for _code, number, _amount in groups),
                ),
                self.env["res.company"],
                count,
                {
                    **self.env["ir.actions.actions"]._for_xml_id(
                        "health_noemie.action_classify_codes"
                    ),
                    "context": {
                        "active_model": self._name,
                        "active_ids": entries.ids,
                    },
                },
                self.env._("Classify"),
                amount=sum(amount for _code, _count, amount in groups),
            )
        ]


class _Catalogue:
    """The catalogue read once, to find the entry of many rejections."""

    def __init__(self, model, parts):
        Family = model.env["health.reject.family"].sudo()
        self.unknown = Family._unknown()
        self.classify = Family._classifier()
        self.entries = defaultdict(list)
        self.alike = defaultdict(set)
        records = model.with_context(active_test=False).search(
            [("part", "in", list(parts))], order="count desc, id"
        )
        for record in records:
            self.entries[record.code or "", record.part].append(record)
            self._note(record)

    def _note(self, record):
        # a cut code that its label alone explained says nothing of other labels
        sure = len(record.code or "") > CUT or record.how in ("person", "source")
        if len(record.code or "") >= CUT and sure and not record.needs_answer:
            self.alike[record.code[:CUT], record.part].add(record.family_id)

    def find(self, code, part, key, epoch, payer, label):
        """The entry that a person, a source or an earlier return made: this payer's, then everybody's."""
        known = [
            entry
            for entry in self.entries.get((code, part), ())
            if entry.epoch_id.id in (epoch, False)
        ]
        for pool in (
            [entry for entry in known if entry.payer_id.id == payer and payer],
            [entry for entry in known if not entry.payer_id],
        ):
            entry = self._among(pool, code, part, key, label)
            if entry:
                return entry.merged_into_id or entry
        return None

    def _among(self, pool, code, part, key, label):
        same = next((entry for entry in pool if (entry.label_key or "") == key), None)
        if same or not code or not pool:
            return same
        said = self.classify(label, part)
        agrees = [entry for entry in pool if (entry.merged_into_id or entry).family_id == said] or (
            pool if said == self.unknown or len(code) > CUT else []
        )
        return agrees[0] if agrees else None

    def nearest(self, code, part, label):
        """Cause of a new entry: the same number of another epoch, the first four signs, words of the label."""
        said = self.classify(label, part)
        others = {
            (entry.merged_into_id or entry).family_id
            for entry in self.entries.get((code, part), ())
            if code and not entry.payer_id and not entry.needs_answer
        }
        for how, families in (
            ("epoch", others if len(code) > CUT else set()),
            ("prefix", self.alike.get((code[:CUT], part), set()) if len(code) >= CUT else set()),
        ):
            if len(families) == 1:
                [family] = families
                return {
                    "family_id": family.id,
                    "how": how,
                    "is_doubtful": said not in (self.unknown, family),
                }
        return {
            "family_id": said.id,
            "how": "nothing" if said == self.unknown else "label",
            "is_doubtful": False,
        }
