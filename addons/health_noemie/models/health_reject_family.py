from odoo import api, fields, models

from ..matching.labels import phrase


class HealthRejectFamily(models.Model):
    """A cause of rejection: how its labels read, who fixes it and how."""

    _name = "health.reject.family"
    _description = "Rejection Family"
    _order = "sequence, id"

    code = fields.Char(required=True, index=True)
    sequence = fields.Integer(default=100, help="Labels are compared with families in this order.")
    name = fields.Char(required=True)
    scope = fields.Selection(
        [("any", "Both parts"), ("amo", "AMO"), ("amc", "AMC")], required=True, default="any"
    )
    pattern = fields.Text(help="Words that name the cause in a label, one group of words per line.")
    fixed_by = fields.Selection(
        [
            ("agency", "Agency"),
            ("professional", "Practitioner"),
            ("patient", "Patient"),
            ("both", "Agency with practitioner or patient"),
            ("software", "Software"),
            ("nobody", "Nobody"),
        ],
        required=True,
        default="agency",
        string="Who fixes",
    )
    procedure = fields.Text("What to do", required=True)
    money = fields.Selection(
        [
            ("resend", "Resend"),
            ("reconcile", "Find the payment"),
            ("patient", "Bill the patient"),
            ("write_off", "Write off"),
            ("dispute", "Dispute"),
            ("wait", "Wait"),
            ("none", "Nothing"),
        ],
        required=True,
        default="resend",
        string="Outcome",
    )
    source = fields.Text()

    _code_uniq = models.Constraint("UNIQUE(code)", "This family code exists already.")

    @api.model
    def _unknown(self):
        return self.env.ref("health_noemie.reject_family_unknown")

    @api.model
    def _classifier(self):
        """A function (label, part) → family, the unknown one when no words of any family are there.

        Built once for many labels: families are read once.
        """
        unknown = self._unknown()
        families = [
            (
                family,
                [phrase(words) for words in (family.pattern or "").splitlines() if words.strip()],
            )
            for family in self.search([])
        ]

        def classify(label, part):
            text = phrase(label)
            for family, patterns in families:
                if family.scope in ("any", part) and any(words in text for words in patterns):
                    return family
            return unknown

        return classify
