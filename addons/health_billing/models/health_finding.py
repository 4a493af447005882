from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError


class HealthFinding(models.Model):
    """One objection or advice about an FSE; a warning passes with a reason, which is kept.

    Findings are what control found: nobody types them. They change through control, through passing a warning
    with a reason, and through applying what they propose.
    """

    _name = "health.finding"
    _description = "Finding"
    _order = "severity desc, rule_code, id"
    _check_company_auto = True

    fse_id = fields.Many2one(
        "health.fse", string="FSE", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="fse_id.company_id", store=True, index=True, string="Practitioner"
    )
    patient_id = fields.Many2one(related="fse_id.patient_id", store=True)
    currency_id = fields.Many2one(related="fse_id.currency_id")
    # no sum: an FSE may bear several findings; the cockpit counts each once
    fse_amount = fields.Monetary(
        "Amount of the FSE", related="fse_id.amount_total", store=True, aggregator=None
    )
    fse_origin = fields.Selection(related="fse_id.origin", string="Origin of the FSE")
    fse_state = fields.Selection(related="fse_id.state", string="State of the FSE")
    act_id = fields.Many2one("health.fse.act", ondelete="cascade", index="btree_not_null")
    rule_code = fields.Char("Rule", required=True, index=True)
    severity = fields.Selection(selection="_severities", required=True, index=True)
    message = fields.Text(required=True)
    reference = fields.Char("Legal reference")
    proposal = fields.Json("Proposal data")
    proposal_label = fields.Char("Proposal")
    state = fields.Selection(
        [("open", "Open"), ("passed", "Passed with a reason"), ("applied", "Proposal applied")],
        default="open",
        required=True,
        index=True,
    )
    reason = fields.Char()
    user_id = fields.Many2one("res.users", string="Passed by")
    passed_on = fields.Datetime()

    @api.model
    def _severities(self):
        return [
            ("1", self.env._("Advice")),
            ("2", self.env._("Warning")),
            ("3", self.env._("Blocking")),
        ]

    @api.depends("rule_code", "fse_id.name")
    def _compute_display_name(self):
        for finding in self:
            finding.display_name = f"{finding.rule_code} · {finding.fse_id.name}"

    @api.constrains("state", "severity", "reason")
    def _check_passed(self):
        for finding in self:
            if finding.state != "passed":
                continue
            if finding.severity == "3":
                raise ValidationError(
                    self.env._(
                        "%(rule)s blocks FSE %(fse)s: it cannot be passed, the FSE must be corrected.",
                        rule=finding.rule_code,
                        fse=finding.fse_id.name,
                    )
                )
            if finding.severity == "2" and not (finding.reason or "").strip():
                raise ValidationError(
                    self.env._(
                        "%(rule)s, FSE %(fse)s: say why this warning is passed.",
                        rule=finding.rule_code,
                        fse=finding.fse_id.name,
                    )
                )

    @api.model
    def _check_may_decide(self):
        """Refuse whoever may read findings but not decide about them."""
        if not self.env.su and not self.env.user.has_group("health_billing.group_biller"):
            raise AccessError(self.env._("Only billers pass or apply what control found."))

    # -- passing -----------------------------------------------------------------------------------

    def _pass(self, reason):
        """Pass these open findings with a reason, which is kept with the name and the time."""
        self._check_may_decide()
        self.check_access("read")
        self.filtered(lambda finding: finding.state == "open").sudo().write(
            {
                "state": "passed",
                "reason": reason,
                "user_id": self.env.uid,
                "passed_on": fields.Datetime.now(),
            }
        )

    def action_pass(self):
        """Ask for the reason, once for all the findings chosen."""
        self._check_may_decide()
        blocking = self.filtered(lambda finding: finding.severity == "3")
        if blocking:
            raise UserError(
                self.env._(
                    "%(rule)s blocks FSE %(fse)s: it cannot be passed, the FSE must be corrected.",
                    rule=blocking[0].rule_code,
                    fse=blocking[0].fse_id.name,
                )
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Pass with a reason"),
            "res_model": "health.finding.pass",
            "view_mode": "form",
            "target": "new",
            "context": {"default_finding_ids": [(6, 0, self.ids)]},
        }

    def action_dismiss(self):
        """Advice needs no reason."""
        if self.filtered(lambda finding: finding.severity != "1"):
            raise UserError(self.env._("Only advice is dismissed; a warning passes with a reason."))
        self._pass(False)
        return True

    def action_reopen(self):
        self._check_may_decide()
        self.check_access("read")
        self.filtered(lambda finding: finding.state == "passed").sudo().write(
            {"state": "open", "reason": False, "user_id": False, "passed_on": False}
        )
        return True

    # -- applying what is proposed -----------------------------------------------------------------

    def action_apply(self):
        """Apply what these findings propose, then price, split and control the FSE again."""
        self._check_may_decide()
        todo = self.filtered(lambda finding: finding.state == "open" and finding.proposal)
        if not todo:
            raise UserError(self.env._("Nothing is proposed here: correct the FSE by hand."))
        for finding in todo:
            if finding.fse_id.state != "entered":
                raise UserError(
                    self.env._(
                        "FSE %s was billed by another program: it is corrected there and comes back with the journal.",
                        finding.fse_id.name,
                    )
                    if finding.fse_id.origin == "journal"
                    else self.env._(
                        "FSE %s is validated: it can no longer be changed.", finding.fse_id.name
                    )
                )
        todo._apply_proposals()
        todo.exists().sudo().write(
            {"state": "applied", "user_id": self.env.uid, "passed_on": fields.Datetime.now()}
        )
        todo.exists().fse_id._compute_all()
        return True

    def _apply_proposals(self):
        Act = self.env["health.fse.act"]
        products = self.env["health.ngap"]._product_by_code()
        removed, added = Act, []
        for finding in self:
            proposal = finding.proposal
            act = (
                Act.browse(proposal.get("line") or finding.act_id.id).exists()
                & finding.fse_id.act_ids
            )
            kind = proposal["kind"]
            values = {}
            if proposal.get("act"):
                values["product_id"] = products.get(proposal["act"], False)
            if proposal.get("key_letter"):
                values["key_letter"] = proposal["key_letter"]
            if proposal.get("coefficient") is not None:
                values["coefficient_hundredths"] = proposal["coefficient"]
            if kind != "add" and not act:
                raise UserError(
                    self.env._(
                        "The act that %(rule)s speaks of is no longer on FSE %(fse)s: control it again.",
                        rule=finding.rule_code,
                        fse=finding.fse_id.name,
                    )
                )
            if kind == "remove":
                removed |= act
            elif kind == "complement":
                act.write({"complement": proposal.get("value") or False})
            elif kind == "replace":
                if proposal.get("factor") is not None:
                    values["factor"] = proposal["factor"]
                if proposal.get("value") == "renewal":
                    values["is_renewal"] = True
                act.write(values)
            elif kind == "add":
                like = act or finding.fse_id.act_ids[:1]
                added.append(
                    {
                        "fse_id": finding.fse_id.id,
                        "act_date": like.act_date or finding.fse_id.fse_date,
                        "act_time": like.act_time,
                        "passage": like.passage or 1,
                        "place": like.place,
                        "prescription_id": like.prescription_id.id,
                        "sequence": (like.sequence or 10) + 1,
                        "quantity": 1,
                        **values,
                    }
                )
        # a finding goes with its act: it said what it had to say
        self.filtered(lambda finding: finding.act_id in removed).sudo().act_id = False
        removed.unlink()
        Act.create(added)

    # -- looking at many alike ---------------------------------------------------------------------

    @api.model
    def _action_of_rule(self, code):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Findings %s", code),
            "res_model": "health.finding",
            "view_mode": "list,form",
            "domain": [("rule_code", "=", code)],
            "context": {"search_default_open": 1},
        }

    def action_open_alike(self):
        self.ensure_one()
        return self._action_of_rule(self.rule_code)

    def action_open_rule(self):
        """Open what explains this finding: the rule, its text, its source."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Rule %s", self.rule_code),
            "res_model": "health.rule",
            "res_id": self.env["health.rule"].search([("code", "=", self.rule_code)]).id,
            "views": [[False, "form"]],
            "target": "new",
        }

    def action_open_fse(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "health.fse",
            "res_id": self.fse_id.id,
            "view_mode": "form",
        }
