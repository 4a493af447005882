from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class HealthAgencySetup(models.Model):
    """What the law asks of an agency before it may ask for money in the name of others.

    Out of court, whoever asks for the money of others, even beside another trade, must be insured, hold an account
    for nothing but the funds of creditors, and have declared so in writing to the public prosecutor (CPCE R124-1
    and R124-2); a written agreement with each creditor comes on top (`health.agency.agreement`). Without it the
    product writes in the practitioner's own name, with their own tools, and they are paid directly.
    """

    _name = "health.agency.setup"
    _description = "Legal Set-up of the Agency"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name")
    company_id = fields.Many2one(
        "res.company",
        string="Agency",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        domain="[('health_provider_no', '=', False)]",
    )
    insurer = fields.Char(help="Who insures the liability of the agency for this activity.")
    policy_no = fields.Char("Policy number")
    insured_until = fields.Date("Insured until")
    insurance_ids = fields.Many2many(
        "ir.attachment",
        "health_agency_setup_insurance_rel",
        string="Certificate of insurance",
    )
    declared_on = fields.Date("Declared to the prosecutor on")
    court = fields.Char("Judicial court", help="That of the place where the agency works.")
    declaration_no = fields.Char("Number of the receipt or of the registered letter")
    declaration_ids = fields.Many2many(
        "ir.attachment",
        "health_agency_setup_declaration_rel",
        string="Declaration and its receipt",
    )
    account_id = fields.Many2one(
        "res.partner.bank",
        string="Account of the funds of others",
        domain="[('partner_id', '=', agency_partner_id)]",
        help="Of the agency, and used for nothing else.",
    )
    agency_partner_id = fields.Many2one(related="company_id.partner_id")
    is_account_apart = fields.Boolean("This account holds nothing but the funds of creditors")
    account_ids = fields.Many2many(
        "ir.attachment",
        "health_agency_setup_account_rel",
        string="Letter of the bank",
    )
    counsel = fields.Char(
        "Legal advice of", help="Who confirmed that this set-up is right for you."
    )
    counsel_on = fields.Date("Advice given on")
    law_quote = fields.Text(
        "Text to be quoted",
        readonly=True,
        default=lambda self: self._default_law_quote(),
        help="CPCE L111-8, 2nd and 3rd paragraphs, in every letter (R124-4).",
    )
    missing = fields.Text("Still missing", compute="_compute_missing")
    is_complete = fields.Boolean(compute="_compute_missing")

    _company_uniq = models.Constraint("UNIQUE(company_id)", "This agency has its set-up already.")

    @api.model
    def _default_law_quote(self):
        law = self.env.ref("health_collections.law_collection_costs", raise_if_not_found=False)
        return self.env["ir.qweb"]._render(law.id).unescape().strip() if law else False

    @api.depends("company_id")
    def _compute_name(self):
        for setup in self:
            setup.name = setup.company_id.name

    @api.constrains("company_id")
    def _check_agency(self):
        for setup in self:
            if setup.company_id.health_provider_no:
                raise ValidationError(
                    self.env._(
                        "%s is a practitioner: the set-up is that of the agency.",
                        setup.company_id.name,
                    )
                )

    @api.depends(
        "insurer",
        "policy_no",
        "insured_until",
        "insurance_ids",
        "declared_on",
        "court",
        "declaration_ids",
        "account_id",
        "is_account_apart",
        "company_id.street",
        "company_id.zip",
        "company_id.city",
    )
    def _compute_missing(self):
        day = fields.Date.context_today(self)
        for setup in self:
            found = setup._missing(day)
            setup.missing = "\n".join(f"• {text}" for text in found)
            setup.is_complete = not found

    def _missing(self, day):
        """What stands against working in the name of others on that day: list of sentences."""
        self.ensure_one()
        company = self.company_id
        checks = (
            (
                company.street and company.zip and company.city,
                self.env._("The address of the agency, which every letter shows."),
            ),
            (self.insurer and self.policy_no, self.env._("The insurer and the policy number.")),
            (
                self.insured_until and self.insured_until >= day,
                self.env._("An insurance that runs today."),
            ),
            (self.insurance_ids, self.env._("The certificate of insurance.")),
            (
                self.declared_on and self.declared_on <= day and self.court,
                self.env._("The declaration to the public prosecutor: its date and the court."),
            ),
            (self.declaration_ids, self.env._("The declaration and its receipt.")),
            (self.account_id, self.env._("The account of the funds of others.")),
            (
                self.is_account_apart,
                self.env._("Your word that this account holds nothing else."),
            ),
        )
        return [text for stands, text in checks if not stands]

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_it_serves(self):
        if self.env["res.company"].sudo().search_count([("health_agent_mode", "=", True)], limit=1):
            raise UserError(
                self.env._(
                    "Practitioners are written for in the name of others: switch that off first."
                )
            )

    # -- what lapses ---------------------------------------------------------------------------------

    @api.model
    def _of(self, day=None):
        """The set-up of the agency, or nothing."""
        return self.sudo().search([("company_id.health_provider_no", "=", False)], limit=1)

    @api.model
    def _lapsing(self, day):
        """Set-ups and agreements in force that are no longer complete, or end soon.

        :return: list of (record, sentence, last day or False).
        """
        soon = day + timedelta(days=self.env["health.parameter"].value_of("agency_warning_days"))
        modes = (
            self.env["res.company"]
            .sudo()
            .search([("health_agent_mode", "=", True), ("id", "in", self.env.companies.ids)])
        )
        found = []
        if not modes:
            return found
        setup = self._of()
        missing = setup._missing(day) if setup else [self.env._("The legal set-up of the agency.")]
        if missing:
            found.append((setup, " ".join(missing), False))
        elif setup.insured_until <= soon:
            found.append((setup, self.env._("The insurance ends."), setup.insured_until))
        agreements = self.env["health.agency.agreement"].sudo()._current(modes, day)
        for company in modes:
            agreement = agreements.get(company)
            if not agreement:
                last = (
                    self.env["health.agency.agreement"]
                    .sudo()
                    .search([("company_id", "=", company.id)], limit=1)
                )
                found.append(
                    (last, self.env._("No agreement with %s runs today.", company.name), False)
                )
            elif agreement.date_to and agreement.date_to <= soon:
                found.append(
                    (
                        agreement,
                        self.env._("The agreement with %s ends.", company.name),
                        agreement.date_to,
                    )
                )
        return found
