from odoo import api, fields, models

from ..matching.labels import phrase

#: corrections that end in a new FSE in a lot
SENDS_AGAIN = (
    "rights",
    "identity",
    "prescription",
    "agreement",
    "coding",
    "amc",
    "resend",
)


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
    fix = fields.Selection(
        selection="_fixes",
        string="Correction proposed",
        help="What the screen of corrections opens with; a person may choose another way.",
    )
    source = fields.Text()

    _code_uniq = models.Constraint("UNIQUE(code)", "This family code exists already.")

    @api.model
    def _fixes(self):
        """The ways to deal with a rejection, those that send again first."""
        return [
            ("rights", self.env._("Rights")),
            ("identity", self.env._("Identity")),
            ("prescription", self.env._("Prescription")),
            ("agreement", self.env._("Prior agreement")),
            ("coding", self.env._("Coding")),
            ("amc", self.env._("Complementary insurer")),
            ("resend", self.env._("Send again unchanged")),
            ("paper", self.env._("On paper to the insurer")),
            ("patient", self.env._("Bill the patient")),
            ("duplicate", self.env._("Find the payment")),
            ("wait", self.env._("Wait for the payer")),
            ("deadline", self.env._("Delay: claim or write off")),
            ("none", self.env._("Nothing to correct")),
        ]

    def _button(self):
        """What a card of this cause offers."""
        self.ensure_one()
        if self.fix in SENDS_AGAIN:
            return self.env._("Correct and resend")
        return {
            "duplicate": self.env._("Find the payments"),
            "wait": self.env._("Wait or resend"),
            "patient": self.env._("Choose who pays"),
            "deadline": self.env._("Claim or write off"),
            "none": self.env._("See and close"),
        }.get(self.fix, self.env._("Classify and correct"))

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
