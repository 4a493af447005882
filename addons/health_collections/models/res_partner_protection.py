from odoo import fields, models

#: who sees the rights and the situation of patients
CARE = "health_billing.group_biller,health_billing.group_practitioner"


class ResPartner(models.Model):
    """What makes that a person is not written to by a machine."""

    _inherit = "res.partner"

    health_deceased_on = fields.Date("Deceased on", help="Nothing leaves any more for this person.")
    health_legal_protection = fields.Selection(
        [
            ("guardianship", "Guardianship (tutelle)"),
            ("curatorship", "Curatorship (curatelle)"),
            ("safeguard", "Safeguard of justice"),
            ("family", "Family empowerment (habilitation familiale)"),
        ],
        string="Legal protection",
        groups=CARE,
        help="No automatic message: a person writes, to whoever represents the patient.",
    )
    health_is_fragile = fields.Boolean(
        "By a person only",
        groups=CARE,
        help="A difficult situation: a person calls, no automatic message leaves.",
    )
