from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..identifiers import is_amc_no, is_fund_no, is_nir, is_prescriber_no, is_temporary_nir, nir_key

#: who sees the rights of patients
CARE = "health_billing.group_biller,health_billing.group_practitioner"
#: facts of a patient that rules look at
CONTROLLED = frozenset(
    {
        "health_nir",
        "health_birth_date",
        "health_is_palliative",
        "health_has_caregiver",
        "health_is_bpco",
        "health_discharged_on",
    }
)


class ResPartner(models.Model):
    """Patients (of one practitioner each: secrecy holds between practitioners) and payers (shared)."""

    _inherit = "res.partner"

    health_kind = fields.Selection(
        [
            ("patient", "Patient"),
            ("amo", "Sickness fund (AMO)"),
            ("amc", "Complementary insurer (AMC)"),
            ("prescriber", "Prescriber"),
        ],
        string="Kind",
        index=True,
    )
    health_nir = fields.Char(
        "NIR", size=13, index="btree_not_null", copy=False, groups="health_billing.group_nir"
    )
    health_nir_key = fields.Char(
        "NIR key", compute="_compute_health_nir_key", groups="health_billing.group_nir"
    )
    health_birth_date = fields.Date("Birth date", groups="health_billing.group_nir")
    health_birth_rank = fields.Integer("Birth rank", default=1)
    health_org_no = fields.Char(
        "Organisation number",
        index="btree_not_null",
        help="Sickness fund: regime (2 digits) and fund (3); complementary insurer: 10 digits.",
    )
    health_bank_names = fields.Text(
        "Names in bank labels", help="How the bank writes this payer, one name per line."
    )
    health_to_complete = fields.Boolean(
        "To complete", help="Made by an import from a number alone: name and address are missing."
    )
    health_forclusion_months = fields.Integer(
        "Delay to claim (months)", help="By contract of this payer; 0: the general rule."
    )
    health_is_palliative = fields.Boolean("Palliative care", groups="health_billing.group_nir")
    health_has_caregiver = fields.Boolean("Caregiver at home", groups="health_billing.group_nir")
    health_is_bpco = fields.Boolean("ALD for COPD", groups="health_billing.group_nir")
    health_discharged_on = fields.Date("Discharged on", groups="health_billing.group_nir")
    health_is_temporary_nir = fields.Boolean(
        "Temporary NIR", compute="_compute_health_nir_key", groups="health_billing.group_nir"
    )
    health_prescriber_no = fields.Char(
        "Prescriber number",
        index="btree_not_null",
        help="RPPS (11 digits), or ADELI or FINESS of the establishment (9).",
    )
    health_stay_ids = fields.One2many("health.stay", "patient_id", string="Stays", groups=CARE)
    health_coverage_ids = fields.One2many(
        "health.coverage", "patient_id", string="Coverage", groups=CARE
    )
    health_who_pays = fields.Char(
        "Who pays what today", compute="_compute_health_who_pays", groups=CARE
    )
    health_proof_state = fields.Selection(
        selection="_health_proof_states",
        string="Rights",
        compute="_compute_health_who_pays",
        groups=CARE,
    )
    health_distance = fields.Float(
        "Distance (km)", digits=(6, 2), help="One way between the practice and the patient."
    )
    health_same_town = fields.Boolean("Same town as the practice")
    health_terrain = fields.Selection(
        [("plain", "Plain"), ("mountain", "Mountain"), ("foot", "On foot or skis")], default="plain"
    )
    health_fse_ids = fields.One2many("health.fse", "patient_id", string="FSE", groups=CARE)
    health_share_ids = fields.One2many("health.share", "partner_id", string="Shares owed")

    _health_org_uniq = models.UniqueIndex(
        "(health_kind, health_org_no) WHERE health_org_no IS NOT NULL",
        "Another payer has this organisation number already.",
    )

    @api.depends("health_nir")
    def _compute_health_nir_key(self):
        for partner in self:
            is_right = is_nir(partner.health_nir)
            partner.health_nir_key = nir_key(partner.health_nir) if is_right else False
            partner.health_is_temporary_nir = is_right and is_temporary_nir(partner.health_nir)

    @api.model
    def _health_proof_states(self):
        return self.env["health.coverage"]._fields["proof_state"]._description_selection(self.env)

    @api.depends("health_coverage_ids.who_pays", "health_coverage_ids.proof_date")
    def _compute_health_who_pays(self):
        day = fields.Date.context_today(self)
        rights = self.env["health.coverage"]._on(
            {(partner.id, day) for partner in self if partner.id}
        )
        for partner in self:
            coverage = rights.get((partner.id, day))
            partner.health_who_pays = (
                coverage._who_pays(day) if coverage else self.env._("No rights are known today.")
            )
            partner.health_proof_state = coverage.proof_state if coverage else "none"

    def write(self, vals):
        """Override of `base`: what rules look at changes, the FSE that have not left are controlled again."""
        result = super().write(vals)
        if CONTROLLED & vals.keys():
            self.env["health.fse"].sudo()._control_unsent(
                self.filtered(lambda partner: partner.health_kind == "patient")
            )
        return result

    @api.constrains("health_nir")
    def _check_health_nir(self):
        for partner in self:
            if partner.health_nir and not is_nir(partner.health_nir):
                raise ValidationError(
                    self.env._(
                        "The NIR of %s is wrong: 13 characters are expected, without the key.",
                        partner.name,
                    )
                )

    @api.constrains("health_kind", "health_org_no", "health_to_complete")
    def _check_health_org_no(self):
        for partner in self:
            number = partner.health_org_no
            # what an import made waits for a person, who is then told
            if not number or partner.health_to_complete:
                continue
            if partner.health_kind == "amo" and not (len(number) == 5 and is_fund_no(number)):
                raise ValidationError(
                    self.env._(
                        "%(name)s: fund number %(number)s is wrong. A known regime (2 digits) and the fund (3) are "
                        "expected.",
                        name=partner.name,
                        number=number,
                    )
                )
            if partner.health_kind == "amc" and not is_amc_no(number):
                raise ValidationError(
                    self.env._(
                        "%(name)s: insurer number %(number)s is wrong. 8 to 10 digits are expected.",
                        name=partner.name,
                        number=number,
                    )
                )

    @api.constrains("health_kind", "health_prescriber_no")
    def _check_health_prescriber_no(self):
        for partner in self:
            number = partner.health_prescriber_no
            if number and not is_prescriber_no(number):
                raise ValidationError(
                    self.env._(
                        "%(name)s: prescriber number %(number)s is wrong. Expected: RPPS (11 digits), ADELI or FINESS "
                        "(9), the last digit being a key.",
                        name=partner.name,
                        number=number,
                    )
                )

    @api.constrains("health_kind", "company_id")
    def _check_health_company(self):
        for partner in self:
            if partner.health_kind == "patient" and not partner.company_id:
                raise ValidationError(
                    self.env._("The patient %s must belong to one practitioner.", partner.name)
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_cared_for(self):
        """A patient goes with nothing behind: what was done or ordered is never lost on the way."""
        patients = self.filtered(lambda partner: partner.health_kind == "patient")
        if not patients:
            return
        for model in ("health.fse", "health.visit", "health.prescription", "health.rights.proof"):
            found = self.env[model].sudo().search([("patient_id", "in", patients.ids)], limit=1)
            if found:
                raise UserError(
                    self.env._(
                        "%s has visits, prescriptions, rights or FSE: archive the patient instead.",
                        found.patient_id.name,
                    )
                )

    @api.model
    def _health_payers(self, kind, numbers):
        """Payers of the given organisation numbers, the missing ones made in one batch and marked “to complete”.

        :return: dict of number → partner.
        """
        numbers = set(numbers)
        Payer = self.sudo().with_context(active_test=False)
        payers = Payer.search([("health_kind", "=", kind), ("health_org_no", "in", list(numbers))])
        found = {payer.health_org_no: payer for payer in payers}
        label = {
            "amo": self.env._("Sickness fund %s"),
            "amc": self.env._("Complementary insurer %s"),
        }[kind]
        missing = sorted(numbers - set(found))
        made = Payer.with_context(tracking_disable=True).create(
            [
                {
                    "name": label % number,
                    "is_company": True,
                    "health_kind": kind,
                    "health_org_no": number,
                    "health_to_complete": True,
                    "customer_rank": 1,
                }
                for number in missing
            ]
        )
        return found | dict(zip(missing, made, strict=True))

    def _health_invoice_values(self, company):
        """What Odoo would look up for each invoice of this debtor, the same on all of them."""
        self.ensure_one()
        partner = self.sudo().with_company(company)
        delivery = partner.browse(partner.address_get(["delivery"])["delivery"])
        position = partner.env["account.fiscal.position"]._get_fiscal_position(partner, delivery)
        return {"partner_shipping_id": delivery.id, "fiscal_position_id": position.id}
