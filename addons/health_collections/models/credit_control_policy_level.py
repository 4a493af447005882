import string

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.health_billing.tools import cents

from ..dunning.scale import Step

#: means of contact that the base addon does not know
MORE_CHANNELS = [("sms", "SMS"), ("registered", "Registered letter")]
#: tones that speak of what came before: such a message is never shown to a debt that had nothing before
ALONE = ("firm", "formal")
#: words that the text of an SMS may hold in braces
SMS_WORDS = frozenset({"praticien", "montant", "lien", "telephone"})


class CreditControlPolicyLevel(models.Model):
    _inherit = "credit.control.policy.level"

    channel = fields.Selection(
        # “phone” is said again for its French: the OCA addon has none
        selection_add=[("phone", "Phone"), *MORE_CHANNELS],
        ondelete={code: "cascade" for code, _ in MORE_CHANNELS},
    )
    health_tone = fields.Selection(
        [("neutral", "Neutral"), ("kind", "Gentle"), ("firm", "Firm"), ("formal", "Formal")],
        string="Tone",
        required=True,
        default="neutral",
        help="Firm and formal messages speak only of what has had the steps before; neutral and gentle "
        "ones gather all that the debtor owes.",
    )
    health_least_amount = fields.Monetary(
        "Least amount",
        currency_field="health_currency_id",
        help="Total owed by the debtor below which this step is not taken; the scale then stops here.",
    )
    health_currency_id = fields.Many2one("res.currency", compute="_compute_health_currency_id")
    health_pause_days = fields.Integer(
        "Pause (days)",
        default=7,
        help="Fewest days after the step before, however late the debt is.",
    )
    health_offers_plan = fields.Boolean(
        "Offers instalments", help="The message offers to pay in several times."
    )
    health_is_notice = fields.Boolean(
        "Formal notice",
        help="“Mise en demeure”: legal interest may run from it, where the practitioner asks for it.",
    )
    health_subject = fields.Char(
        "Subject", translate=True, help="Of the e-mail and of the letter. Never the care."
    )
    health_sms_text = fields.Char(
        "Text of the SMS",
        translate=True,
        help="In braces: {praticien}, {montant}, {lien}, {telephone}.",
    )
    health_call_text = fields.Text(
        "What to say on the phone", translate=True, help="Shown on the call sheet."
    )
    health_basis = fields.Char(
        "Reason", translate=True, help="Why this step comes then: the rule or the choice behind it."
    )

    _health_not_negative = models.Constraint(
        "CHECK (health_pause_days >= 0 AND health_least_amount >= 0)",
        "The pause and the least amount of a reminder cannot be negative.",
    )

    @api.depends("policy_id.company_id")
    def _compute_health_currency_id(self):
        for level in self:
            company = level.policy_id.company_id or self.env.company
            level.health_currency_id = company.currency_id

    @api.constrains("delay_days", "policy_id")
    def _check_health_delay(self):
        for level in self:
            if level.policy_id.health_debtor_kind and level.delay_days < 0:
                raise ValidationError(
                    self.env._(
                        "“%s”: nobody is reminded before the due date. Give 0 days or more.",
                        level.name,
                    )
                )

    @api.constrains("health_sms_text")
    def _check_health_sms_text(self):
        for level in self.filtered("health_sms_text"):
            try:
                words = {
                    name for _text, name, *_rest in string.Formatter().parse(level.health_sms_text)
                }
            except ValueError:
                words = {"{"}
            wrong = words - SMS_WORDS - {None}
            if wrong:
                raise ValidationError(
                    self.env._(
                        "The SMS text of “%(level)s” has an unknown word in braces: %(words)s. "
                        "Only these exist: %(known)s.",
                        level=level.name,
                        words=", ".join(sorted(wrong)),
                        known=", ".join(sorted(SMS_WORDS)),
                    )
                )

    def _health_step(self):
        """This level as a step of the pure scale."""
        self.ensure_one()
        return Step(
            rank=self.level,
            delay=self.delay_days,
            mode=self.computation_mode,
            pause=self.health_pause_days,
            least=cents(self.health_least_amount),
            alone=self.health_tone in ALONE or self.health_is_notice,
        )
