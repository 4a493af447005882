from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError


class HealthAgencyAgreement(models.Model):
    """The written agreement by which a practitioner lets the agency ask for money in its own name (CPCE R124-3)."""

    _name = "health.agency.agreement"
    _description = "Agreement to Recover for a Practitioner"
    _order = "date_from desc, id desc"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name")
    company_id = fields.Many2one(
        "res.company",
        string="Practitioner",
        required=True,
        index=True,
        domain="[('health_provider_no', '!=', False)]",
    )
    signed_on = fields.Date(required=True)
    date_from = fields.Date("Starts on", required=True)
    date_to = fields.Date("Ends on")
    claims = fields.Text(
        "Claims and their ground",
        help="Which sums, on what ground; the list of each month is joined to it.",
    )
    guarantee = fields.Text(
        "Guarantee given",
        help="How the practitioner is covered against what the agency does wrong.",
    )
    fee = fields.Text(
        "Remuneration", help="On the practitioner alone: nothing is asked of patients for it."
    )
    remit = fields.Text("How the money is passed on")
    remit_days = fields.Integer("Passed on within (days)")
    document_ids = fields.Many2many("ir.attachment", string="Signed contract")
    is_active = fields.Boolean(
        "In the name of others", compute="_compute_is_active", compute_sudo=True
    )
    missing = fields.Text("Still missing", compute="_compute_missing", compute_sudo=True)

    @api.depends("company_id", "signed_on")
    def _compute_name(self):
        for agreement in self:
            agreement.name = agreement.company_id.name

    @api.depends("company_id.health_agent_mode")
    def _compute_is_active(self):
        for agreement in self:
            agreement.is_active = agreement.company_id.health_agent_mode

    @api.depends(
        "company_id",
        "signed_on",
        "date_from",
        "date_to",
        "claims",
        "guarantee",
        "fee",
        "remit",
        "remit_days",
        "document_ids",
    )
    def _compute_missing(self):
        day = fields.Date.context_today(self)
        setup = self.env["health.agency.setup"]._of()
        of_agency = (
            setup._missing(day) if setup else [self.env._("The legal set-up of the agency.")]
        )
        for agreement in self:
            found = [*of_agency, *agreement._missing(day)]
            agreement.missing = "\n".join(f"• {text}" for text in found)

    @api.constrains("company_id", "date_from", "date_to")
    def _check_agreement(self):
        for agreement in self:
            if not agreement.company_id.health_provider_no:
                raise ValidationError(
                    self.env._("%s is no practitioner.", agreement.company_id.name)
                )
            if agreement.date_to and agreement.date_to < agreement.date_from:
                raise ValidationError(
                    self.env._("The agreement ends before it begins: mend a date.")
                )

    def _missing(self, day):
        """What this agreement lacks on that day: list of sentences."""
        self.ensure_one()
        most = self.env["health.parameter"].value_of("handover_remit_days")
        runs = (
            self.date_from
            and self.date_from <= day
            and (not self.date_to or self.date_to >= day)
            and self.signed_on
            and self.signed_on <= day
        )
        checks = (
            (runs, self.env._("An agreement that is signed and runs today.")),
            (self.claims, self.env._("The claims and their ground.")),
            (self.guarantee, self.env._("The guarantee given to the practitioner.")),
            (self.fee, self.env._("The remuneration.")),
            (self.remit, self.env._("How the money is passed on.")),
            (
                0 < self.remit_days <= most,
                self.env._("Money passed on within %s days at most.", most),
            ),
            (self.document_ids, self.env._("The signed agreement.")),
        )
        return [text for stands, text in checks if not stands]

    @api.model
    def _current(self, companies, day):
        """The complete agreement of each of these practitioners on that day.

        :return: dict of company → agreement; a practitioner without one is missing.
        """
        agreements = self.search(
            [
                ("company_id", "in", companies.ids),
                ("date_from", "<=", day),
                "|",
                ("date_to", "=", False),
                ("date_to", ">=", day),
            ],
            order="date_from, id",
        )
        return {
            agreement.company_id: agreement
            for agreement in agreements
            if not agreement._missing(day)
        }

    def action_switch_on(self):
        """From now on the agency writes to this practitioner's patients in its own name."""
        self.ensure_one()
        self._check_manager()
        self.company_id.sudo().health_agent_mode = True
        return True

    def action_switch_off(self):
        """From now on everything leaves in the practitioner's own name again."""
        self.ensure_one()
        self._check_manager()
        self.company_id.sudo().health_agent_mode = False
        return True

    def _check_manager(self):
        if not self.env.user.has_group("health_billing.group_manager"):
            raise AccessError(self.env._("Ask a manager of the agency: only they decide this."))

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_it_serves(self):
        if any(agreement.is_active for agreement in self):
            raise UserError(
                self.env._("This agreement serves: switch off the name of others first.")
            )
