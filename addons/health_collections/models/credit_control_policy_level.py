from odoo import fields, models

#: means of contact that the base addon does not know
MORE_CHANNELS = [("sms", "SMS"), ("registered", "Registered letter")]


class CreditControlPolicyLevel(models.Model):
    _inherit = "credit.control.policy.level"

    channel = fields.Selection(
        selection_add=MORE_CHANNELS, ondelete={code: "cascade" for code, _ in MORE_CHANNELS}
    )
