from odoo import api, fields, models

#: states in which a contact counts: something went, or will go, to the debtor
COUNTED = ("planned", "queued", "sent", "delivered")


class HealthContact(models.Model):
    """One exchange with somebody who owes: when, by what means, what was said, the proof, the answer.

    The history that the agency can show. It is written by the product, never changed by hand except for the
    answer, and never deleted.
    """

    _name = "health.contact"
    _description = "Contact"
    _order = "date desc, id desc"
    _rec_name = "subject"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, index=True, readonly=True
    )
    partner_id = fields.Many2one(
        "res.partner", string="With", required=True, index=True, readonly=True, ondelete="restrict"
    )
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    day = fields.Date(
        required=True,
        readonly=True,
        default=fields.Date.context_today,
        help="Day that counts for the gap between two contacts: the day of the night worked.",
    )
    direction = fields.Selection(
        [("out", "To the debtor"), ("in", "From the debtor")],
        required=True,
        readonly=True,
        default="out",
    )
    channel = fields.Selection(
        [
            ("email", "E-mail"),
            ("sms", "SMS"),
            ("letter", "Letter"),
            ("registered", "Registered letter"),
            ("e_registered", "Electronic registered letter"),
            ("phone", "Phone"),
            ("portal", "Patient's page"),
            ("hand", "By hand"),
        ],
        required=True,
        readonly=True,
    )
    kind = fields.Selection(
        [
            ("reminder", "Reminder"),
            ("notice", "Formal notice"),
            ("link", "Payment link"),
            ("receipt", "Receipt"),
            ("plan", "Payment plan"),
            ("agreement", "Agreement"),
            ("request", "Request of the patient"),
            ("chase", "Chase of a payer"),
            ("handover", "Hand-over"),
            ("other", "Other"),
        ],
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        [
            ("planned", "To do"),
            ("queued", "Leaves soon"),
            ("sent", "Sent"),
            ("delivered", "Received"),
            ("failed", "Not delivered"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="sent",
        index=True,
    )
    state_reason = fields.Char("Why", readonly=True, help="Why it failed or was cancelled.")
    subject = fields.Char(readonly=True)
    body = fields.Text("What was said", readonly=True, help="Any payment link is blotted out.")
    answer = fields.Text(help="What the debtor said or did.")
    amount = fields.Monetary("Amount asked", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    share_ids = fields.Many2many("health.share", string="Shares", readonly=True)
    user_id = fields.Many2one(
        "res.users", string="By", readonly=True, default=lambda self: self.env.uid
    )
    communication_id = fields.Many2one(
        "credit.control.communication", readonly=True, index="btree_not_null", ondelete="set null"
    )
    proof_ids = fields.Many2many("ir.attachment", string="Proofs", readonly=True)
    tracking_no = fields.Char("Tracking number", readonly=True)

    @api.model
    def _record(self, vals_list):
        """Write contacts into the history, in one batch, with full rights.

        :param vals_list: one dict of values per contact.
        :return: the contacts, in the same order.
        """
        return self.sudo().create(vals_list)
