from odoo import fields, models

#: what a professional may say of a file
STATUSES = [
    ("running", "Under way"),
    ("promised", "Payment promised"),
    ("paid", "Paid to them"),
    ("failed", "Failed"),
    ("returned", "Given back"),
    ("title", "Enforceable title"),
    ("ordered", "Order to pay given"),
    ("served", "Order served"),
    ("opposed", "Debtor objects"),
]


class HealthHandoverEvent(models.Model):
    """What happened to a file, in order: never changed nor deleted."""

    _name = "health.handover.event"
    _description = "Hand-over Event"
    _order = "date desc, id desc"
    _rec_name = "kind"

    handover_id = fields.Many2one(
        "health.handover", required=True, index=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="handover_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True, readonly=True)
    kind = fields.Selection(
        [
            ("proposed", "Proposed"),
            ("approved", "Approved"),
            ("agreed", "Practitioner agrees"),
            ("refused", "Refused"),
            ("handed", "Handed over"),
            *STATUSES,
            ("told", "Professional told of a payment"),
            ("withdrawn", "Withdrawn"),
            ("loss_asked", "Loss asked for"),
            ("loss_refused", "Loss refused"),
            ("written_off", "Written off"),
            ("closed", "Closed"),
        ],
        required=True,
        readonly=True,
    )
    amount = fields.Monetary(readonly=True)
    note = fields.Char(readonly=True)
    user_id = fields.Many2one(
        "res.users", string="By", readonly=True, default=lambda self: self.env.uid
    )
    return_id = fields.Many2one(
        "health.handover.return",
        string="File received",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    key = fields.Char(readonly=True, help="Same key: the same news, told once.")

    _key_uniq = models.UniqueIndex(
        "(handover_id, key) WHERE key IS NOT NULL", "This is known already."
    )
