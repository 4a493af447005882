from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError

#: a proposal advises; what a biller confirmed must be answered before an FSE leaves
ADVICE, WARNING = "1", "2"
#: so many past rejections are named in a finding
NAMED = 3


class HealthRejectWatch(models.Model):
    """The same rejection again and again: a control before sending, proposed by the product.

    Equal rejections have payer, part and cause in common, and the patient, or else the practitioner. From the
    third on (a parameter) the product looks for FSE of the same kind and advises; a biller confirms (it then
    warns) or dismisses it, which holds until as many more have come.
    """

    _name = "health.reject.watch"
    _description = "Control Proposed by Rejections"
    _order = "state, last_on desc, id desc"

    name = fields.Char(compute="_compute_name")
    company_id = fields.Many2one("res.company", string="Practitioner", required=True, index=True)
    payer_id = fields.Many2one("res.partner", required=True, index=True)
    part = fields.Selection([("amo", "AMO"), ("amc", "AMC")], required=True)
    family_id = fields.Many2one(
        "health.reject.family", string="Cause", required=True, index=True, ondelete="cascade"
    )
    patient_id = fields.Many2one(
        "res.partner", index="btree_not_null", help="Empty: several patients of the practitioner."
    )
    advice = fields.Text("What to do", related="family_id.procedure")
    count = fields.Integer("Rejections", readonly=True)
    last_on = fields.Date("Last one", readonly=True)
    criterion = fields.Json(readonly=True, help="What the refused FSE have in common.")
    criterion_text = fields.Char("Looks at", compute="_compute_criterion_text")
    state = fields.Selection(
        [("proposed", "Proposed"), ("active", "Controlled"), ("dismissed", "Dismissed")],
        required=True,
        default="proposed",
        index=True,
    )
    dismissed_count = fields.Integer(readonly=True, help="Rejections when it was dismissed.")
    decided_by_id = fields.Many2one("res.users", string="Decided by", readonly=True)
    decided_on = fields.Datetime(readonly=True)
    finding_count = fields.Integer("FSE concerned", compute="_compute_finding_count")

    _scope_uniq = models.UniqueIndex(
        "(company_id, payer_id, part, family_id, COALESCE(patient_id, 0))",
        "This control exists already.",
    )

    @api.depends("family_id.name", "payer_id.name", "patient_id.name")
    def _compute_name(self):
        for watch in self:
            names = [watch.family_id.name, watch.payer_id.name, watch.patient_id.name]
            watch.name = " · ".join(filter(None, names))

    @api.depends("name")
    def _compute_display_name(self):
        for watch in self:
            watch.display_name = watch.name

    @api.depends("criterion", "patient_id")
    def _compute_criterion_text(self):
        for watch in self:
            criterion = watch.criterion or {}
            if watch.patient_id:
                watch.criterion_text = self.env._("FSE of this patient")
            elif criterion.get("prescribers"):
                watch.criterion_text = self.env._(
                    "FSE of prescriber %s", ", ".join(criterion["prescribers"][:NAMED])
                )
            elif criterion.get("letters"):
                watch.criterion_text = self.env._(
                    "FSE with %s", ", ".join(criterion["letters"][:NAMED])
                )
            else:
                watch.criterion_text = self.env._("All FSE for this payer")

    def _compute_finding_count(self):
        found = defaultdict(set)
        for fse, watches in self._matching(
            self.env["health.fse"].search(self._unsent_domain())
        ).items():
            for watch in watches:
                found[watch].add(fse.id)
        for watch in self:
            watch.finding_count = len(found[watch])

    # -- proposing ---------------------------------------------------------------------------------

    @api.model
    def _propose(self, rejections):
        """Count the rejections equal to these, propose a control where there are enough; in batches."""
        watched = rejections.filtered(
            lambda rejection: (
                rejection.fix not in (False, "none", "wait")
                and rejection.family_id.code != "unknown"
            )
        )
        if not watched:
            return self.browse()
        least = self.env["health.parameter"].value_of("reject_watch_count")
        Rejection = self.env["health.rejection"].sudo()
        domain = [
            ("company_id", "in", watched.company_id.ids),
            ("partner_id", "in", watched.partner_id.ids),
            ("family_id", "in", watched.family_id.ids),
        ]
        cases = defaultdict(Rejection.browse)
        for company, payer, part, family, patient, group in Rejection._read_group(
            domain,
            ["company_id", "partner_id", "part", "family_id", "patient_id"],
            ["id:recordset"],
        ):
            key = (company, payer, part, family)
            cases[*key, patient] = group
            cases[*key, patient.browse()] |= group
        touched = {
            key
            for one in watched.sudo()
            for scope in (one.patient_id, one.patient_id.browse())
            for key in [(one.company_id, one.partner_id, one.part, one.family_id, scope)]
        }
        enough = {
            key: group
            for key, group in cases.items()
            if key in touched
            and len(group.share_id) >= least
            # of one patient alone, that patient is looked at, not the practitioner
            and (key[-1] or len(group.patient_id) > 1)
        }
        return self._record(enough, least)

    @api.model
    def _record(self, enough, least):
        Watch = self.sudo()
        known = {
            (w.company_id, w.payer_id, w.part, w.family_id, w.patient_id): w
            for w in Watch.search(
                [
                    ("company_id", "in", [key[0].id for key in enough]),
                    ("payer_id", "in", [key[1].id for key in enough]),
                    ("family_id", "in", [key[3].id for key in enough]),
                ]
            )
        }
        new, changed = [], Watch.browse()
        for key, group in enough.items():
            company, payer, part, family, patient = key
            count = len(group.share_id)
            vals = {
                "count": count,
                "last_on": max(group.mapped("rejected_on")),
                "criterion": self._criterion(family, patient, group),
            }
            watch = known.get(key)
            if not watch:
                new.append(
                    {
                        "company_id": company.id,
                        "payer_id": payer.id,
                        "part": part,
                        "family_id": family.id,
                        "patient_id": patient.id,
                        **vals,
                    }
                )
            elif watch.count != count:
                if watch.state == "dismissed" and count >= watch.dismissed_count + least:
                    vals["state"] = "proposed"
                watch.write(vals)
                changed |= watch
        return (Watch.create(new) | changed).with_env(self.env)

    @api.model
    def _criterion(self, family, patient, group):
        """What FSE must have in common with the refused ones, by the kind of cause."""
        if patient:
            return {}
        if family.fix == "prescription":
            return {"prescribers": sorted(set(filter(None, group.fse_id.mapped("prescriber_no"))))}
        if family.fix == "coding":
            letters = {act.split()[0].upper() for act in group.mapped("act") if act and act.strip()}
            return {"letters": sorted(letters)}
        return {}

    # -- control -----------------------------------------------------------------------------------

    def _unsent_domain(self):
        return [
            ("company_id", "in", self.company_id.ids),
            ("sent_on", "=", False),
            ("replaced_by_ids", "=", False),
        ]

    def _matching(self, fses):
        """dict of FSE → those of these controls that look at it."""
        by_company = self.grouped("company_id")
        found = defaultdict(self.browse)
        for fse in fses:
            for watch in by_company.get(fse.company_id, ()):
                if watch._concerns(fse):
                    found[fse] |= watch
        return found

    def _concerns(self, fse):
        self.ensure_one()
        if self.payer_id != fse[f"{self.part}_partner_id"]:
            return False
        if self.patient_id:
            return self.patient_id == fse.patient_id
        criterion = self.criterion or {}
        if criterion.get("prescribers"):
            return fse.prescriber_no in criterion["prescribers"]
        if criterion.get("letters"):
            return bool(set(criterion["letters"]) & set(fse.act_ids.mapped("key_letter")))
        return True

    @api.model
    def _findings(self, fses):
        """Findings REJ-01 (practitioner) and REJ-02 (patient), for FSE that have not left."""
        fses = fses.filtered(lambda fse: not fse.sent_on and not fse.replaces_id)
        watches = self.sudo().search(
            [("company_id", "in", fses.company_id.ids), ("state", "!=", "dismissed")]
        )
        if not watches:
            return []
        matching = watches._matching(fses)
        concerned = self.union(*matching.values()).sudo()
        past = concerned._past()
        return [
            {
                "fse_id": fse.id,
                "rule_code": "REJ-02" if watch.patient_id else "REJ-01",
                "severity": WARNING if watch.state == "active" else ADVICE,
                "message": self.env._(
                    "%(payer)s refused %(count)s claims alike (%(cause)s: FSE %(numbers)s): %(advice)s",
                    payer=watch.payer_id.name,
                    count=watch.count,
                    cause=watch.family_id.name,
                    numbers=past[watch],
                    advice=watch.family_id.procedure,
                ),
                "reference": False,
                "act_id": False,
                "proposal": False,
            }
            for fse, found in matching.items()
            # one patient and cause: the nearest control speaks
            for watch in [found.sorted(lambda w: (not w.patient_id, w.state, w.id))[0]]
        ]

    def _past(self):
        """dict of control → numbers of the last FSE refused, for a person."""
        groups = (
            self.env["health.rejection"]
            .sudo()
            ._read_group(
                [
                    ("company_id", "in", self.company_id.ids),
                    ("partner_id", "in", self.payer_id.ids),
                    ("family_id", "in", self.family_id.ids),
                ],
                ["company_id", "partner_id", "part", "family_id", "patient_id"],
                ["id:recordset"],
            )
        )
        result = {}
        for watch in self:
            key = (watch.company_id, watch.payer_id, watch.part, watch.family_id)
            refused = self.env["health.rejection"].union(
                *(
                    group
                    for *facts, patient, group in groups
                    if tuple(facts) == key and watch.patient_id in (patient, patient.browse())
                )
            )
            last = refused.sorted(lambda one: (one.rejected_on, one.id), reverse=True)[:NAMED]
            result[watch] = ", ".join(dict.fromkeys(last.fse_id.mapped("name")))
        return result

    # -- decided by a person -----------------------------------------------------------------------

    def _decide(self, vals):
        if not self.env.su and not self.env.user.has_group("health_billing.group_biller"):
            raise AccessError(self.env._("Only billers decide which controls are made."))
        self.check_access("read")
        for watch in self.sudo():
            watch.write(
                {
                    **vals,
                    "dismissed_count": watch.count if vals["state"] == "dismissed" else 0,
                    "decided_by_id": self.env.uid,
                    "decided_on": fields.Datetime.now(),
                }
            )
        fses = self.env["health.fse"].search(
            [
                *self._unsent_domain(),
                "|",
                ("amo_partner_id", "in", self.payer_id.ids),
                ("amc_partner_id", "in", self.payer_id.ids),
            ]
        )
        if fses:
            fses._control()
        return True

    def action_confirm(self):
        """From now on these FSE wait for a correction or a reason before they leave."""
        return self._decide({"state": "active"})

    def action_dismiss(self):
        """No control: it is proposed again after as many more rejections."""
        return self._decide({"state": "dismissed"})

    def action_open_rejections(self):
        self.ensure_one()
        domain = [
            ("company_id", "=", self.company_id.id),
            ("partner_id", "=", self.payer_id.id),
            ("part", "=", self.part),
            ("family_id", "=", self.family_id.id),
        ]
        if self.patient_id:
            domain.append(("patient_id", "=", self.patient_id.id))
        return self.env["health.cockpit"]._act_window(self.name, "health.rejection", domain)

    # -- cockpit -----------------------------------------------------------------------------------

    @api.model
    def _cockpit_cards(self, lane, day):
        if lane != "to_complete" or not self.env["health.rejection"].has_access("write"):
            return []
        domain = [("company_id", "in", self.env.companies.ids), ("state", "=", "proposed")]
        Cockpit = self.env["health.cockpit"]
        return [
            Cockpit._card(
                f"watch-{company.id}",
                self.env._("Controls before sending, proposed"),
                self.env._("The same rejection came %s times or more: decide.", least),
                company,
                count,
                Cockpit._act_window(
                    self.env._("Controls proposed"),
                    self._name,
                    domain + [("company_id", "=", company.id)],
                ),
                self.env._("Decide"),
            )
            for least in [self.env["health.parameter"].value_of("reject_watch_count")]
            for company, count in self._read_group(domain, ["company_id"], ["__count"])
        ]
