import hashlib
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_date

from odoo.addons.health_billing.tools import cents, euros, format_cents
from odoo.addons.payment import utils as payment_utils

PATH = "/ma-note"
#: bytes of chance in a token: guessing is out of the question, and the QR code stays coarse
TOKEN_BYTES = 18


class HealthPaymentLink(models.Model):
    """A personal link with which a patient sees, without log-in, what they owe one practitioner,
    and pays it.

    Whoever holds the link holds the key: only its hash is kept, it expires, and it can be revoked.
    """

    _name = "health.payment.link"
    _description = "Payment Link"
    _order = "id desc"
    _rec_name = "partner_id"
    _check_company_auto = True

    partner_id = fields.Many2one(
        "res.partner",
        string="Patient",
        required=True,
        index=True,
        ondelete="cascade",
        readonly=True,
    )
    company_id = fields.Many2one(
        "res.company", string="Practitioner", required=True, index=True, readonly=True
    )
    token_hash = fields.Char(required=True, readonly=True, copy=False, groups="base.group_system")
    expires_on = fields.Date(required=True, readonly=True, help="Last day on which the link works.")
    revoked_on = fields.Datetime(readonly=True, copy=False)
    channel = fields.Selection(
        [
            ("hand", "By hand"),
            ("email", "E-mail"),
            ("reminder", "Reminder"),
            ("letter", "Letter"),
            ("page", "Page of another practitioner"),
        ],
        required=True,
        default="hand",
        readonly=True,
    )
    sent_on = fields.Date(
        readonly=True, help="Day on which the patient was written to with this link."
    )
    communication_id = fields.Many2one(
        "credit.control.communication", readonly=True, ondelete="set null"
    )
    parent_id = fields.Many2one(
        "health.payment.link",
        string="Opened from",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="cascade",
        help="The link of the same person at another practitioner, whose page shows this note too.",
    )
    child_ids = fields.One2many("health.payment.link", "parent_id", readonly=True)
    last_seen = fields.Datetime("Last visit", readonly=True, copy=False)
    access_count = fields.Integer("Visits", readonly=True, copy=False)
    state = fields.Selection(
        [("active", "Active"), ("expired", "Expired"), ("revoked", "Revoked")],
        compute="_compute_state",
    )
    transaction_ids = fields.One2many(
        "payment.transaction", "health_payment_link_id", readonly=True
    )

    _token_hash_uniq = models.Constraint("UNIQUE(token_hash)", "This link exists already.")

    @api.depends("expires_on", "revoked_on", "parent_id.revoked_on")
    def _compute_state(self):
        today = fields.Date.context_today(self)
        for link in self:
            if link.revoked_on or link.parent_id.sudo().revoked_on:
                link.state = "revoked"
            else:
                link.state = "expired" if link.expires_on and link.expires_on < today else "active"

    # -- making -----------------------------------------------------------------------------------

    @api.model
    def _hash(self, token):
        return hashlib.sha256(token.encode()).hexdigest()

    @api.model
    def _make(self, owners, channel, communications=None, day=None):
        """Make one link per owner, in one batch.

        :param owners: list of (patient, company).
        :param communications: the reminder each link belongs to, in the same order.
        :param day: day on which the patient is written to, if they are; default today.
        :return: list of addresses in the same order; they cannot be read again later.
        """
        tokens = [secrets.token_urlsafe(TOKEN_BYTES) for _owner in owners]
        today = fields.Date.context_today(self)
        expires_on = today + timedelta(
            days=self.env["health.parameter"].value_of("payment_link_days")
        )
        self.sudo().create(
            [
                {
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "token_hash": self._hash(token),
                    "expires_on": expires_on,
                    "channel": channel,
                    "sent_on": False if channel == "hand" else day or today,
                    "communication_id": communications[position].id if communications else False,
                }
                for position, ((partner, company), token) in enumerate(
                    zip(owners, tokens, strict=True)
                )
            ]
        )
        return [self._address(token) for token in tokens]

    @api.model
    def _make_one(self, partner, channel):
        """:return: (link, address)"""
        [url] = self._make([(partner, partner.company_id)], channel)
        return self._find(url.rsplit("/", 1)[1]), url

    @api.model
    def _address(self, token):
        base = self.env["ir.config_parameter"].sudo().get_param("web.base.url").rstrip("/")
        return f"{base}{PATH}/{token}"

    @api.model
    def _find(self, token):
        """The link of a token, with full rights; empty when unknown. Its state is for the caller
        to look at.
        """
        if not token or len(token) > 100:
            return self.sudo().browse()
        return self.sudo().search(
            [("token_hash", "=", self._hash(token)), ("parent_id", "=", False)], limit=1
        )

    def action_revoke(self):
        """The link stops working at once; the patient sees how to ask for a new one."""
        self.check_access("write")
        self.sudo().filtered(lambda link: not link.revoked_on).revoked_on = fields.Datetime.now()
        return True

    def _send(self, url, kind="link"):
        """Send the patient this link by e-mail (it must be its own address).

        :param kind: ``link`` waits for the day; ``request`` answers the patient, and leaves at once.
        :return: the contact.
        """
        self.ensure_one()
        template = self.env.ref("health_collections.mail_template_payment_link")
        subject, body = template._health_render(self, {self.id: url})[self.id]
        shares = self._open_shares()
        contact = self.env["health.contact"]._send(
            [
                {
                    "company_id": self.company_id.id,
                    "partner_id": self.partner_id.id,
                    "channel": "email",
                    "kind": kind,
                    "subject": subject,
                    "body": body,
                    "share_ids": shares.ids,
                    "amount": euros(self._amount_cents(shares)),
                    "urls": [url],
                }
            ]
        )
        self.sudo().write({"channel": "email", "sent_on": fields.Date.context_today(self)})
        return contact

    def _can_renew(self):
        """Whether whoever holds this link, too old now, may have a new one sent to the address we know."""
        self.ensure_one()
        return self.state == "expired" and bool(self.partner_id.email)

    def _renew(self):
        """Send a new link to the patient's own address, at once: they asked for it.

        :return: whether one was sent.
        """
        self.ensure_one()
        Try = self.env["health.note.try"]
        if not self._can_renew() or Try._is_too_many("renewal", f"link-{self.id}"):
            return False
        Try._note("renewal", f"link-{self.id}")
        link, url = self._make_one(self.partner_id, "email")
        link._send(url, kind="request")
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()
        return True

    def _touch(self):
        """Count a visit; also makes two requests at once wait for each other."""
        self.ensure_one()
        self.write({"last_seen": fields.Datetime.now(), "access_count": self.access_count + 1})

    # -- several practitioners in one visit ---------------------------------------------------------

    def _visit(self):
        """This link and one for each other practitioner to whom the same person owes something.

        Each practitioner is paid apart, so each has a link of its own: it has no address, and lives and dies
        with the one that was sent.
        """
        self.ensure_one()
        people = {person.company_id: person for person in self.partner_id._health_same_person()}
        children = self.child_ids.filtered(
            lambda child: people.get(child.company_id) == child.partner_id
        )
        missing = [
            person for company, person in people.items() if company not in children.company_id
        ]
        if missing:
            children |= self.sudo().create(
                [
                    {
                        "partner_id": person.id,
                        "company_id": person.company_id.id,
                        "token_hash": self._hash(secrets.token_urlsafe(TOKEN_BYTES)),
                        "expires_on": self.expires_on,
                        "channel": "page",
                        "parent_id": self.id,
                    }
                    for person in missing
                ]
            )
        return self | children.sorted(lambda child: (child.company_id.name or "", child.id))

    def _who(self):
        """What stands for this practitioner in addresses below the link that was sent; empty for its own."""
        return self.token_hash[:12] if self.parent_id else ""

    def _of_visit(self, who):
        """The link of one practitioner in this visit; empty when there is none such."""
        if not who:
            return self
        return self._visit().filtered(lambda link: link._who() == who)

    # -- what is owed -----------------------------------------------------------------------------

    def _open_shares(self):
        """What the person has to pay this practitioner now, for themself and for whoever they settle for."""
        self.ensure_one()
        return (
            self.env["health.share"]
            .sudo()
            .search(
                [
                    ("debtor_kind", "=", "patient"),
                    ("partner_id", "in", self.partner_id._health_settles_for().ids),
                    ("company_id", "=", self.company_id.id),
                    ("state", "in", ("due", "partial")),
                    ("amount_residual", ">", 0),
                    ("move_id.payment_state", "!=", "blocked"),
                    ("is_replaced", "=", False),
                ],
                order="fse_date, id",
            )
        )

    def _amount_cents(self, shares):
        return sum(cents(share.amount_residual) for share in shares)

    def _amount_text(self):
        return format_cents(self._amount_cents(self._open_shares()))

    def _expiry_text(self):
        return format_date(self.env(context={**self.env.context, "lang": "fr_FR"}), self.expires_on)

    def _running_plan(self, shares):
        """The payment plan that runs for some of these shares, if any."""
        return shares.plan_id.filtered(lambda plan: plan.state == "running")[:1]

    def _to_pay(self, what="all"):
        """What one payment is for.

        :param what: ``all`` that is open; the ``instalment`` of a plan that comes next, with those that are
            late; the ``rest`` that no plan spreads.
        :return: (shares, cents); nothing when there is nothing of that kind.
        """
        shares = self._open_shares()
        nothing = shares.browse(), 0
        if what == "all":
            return shares, self._amount_cents(shares)
        plan = self._running_plan(shares)
        spread = shares.filtered(lambda share: plan and share.plan_id == plan)
        if what == "rest":
            return shares - spread, self._amount_cents(shares - spread)
        if what != "instalment" or not spread:
            return nothing
        open_lines = plan.line_ids.filtered(lambda line: cents(line.left)).sorted("due_date")
        today = fields.Date.context_today(self)
        lines = open_lines.filtered(lambda line: line.due_date <= today) or open_lines[:1]
        amount = sum(cents(line.left) for line in lines)
        return spread, min(amount, self._amount_cents(spread))

    def _access_token(self, shares, amount=None):
        """Seal of what the page shows: another amount, patient or share has another seal."""
        return payment_utils.generate_access_token(
            "health.payment.link",
            self.id,
            self.partner_id.id,
            self._amount_cents(shares) if amount is None else amount,
            self.company_id.currency_id.id,
            "-".join(map(str, sorted(shares.ids))),
            env=self.env,
        )

    def _transactions_under_way(self, shares):
        """Payments started for these shares whose outcome is not booked yet."""
        return (
            self.env["payment.transaction"]
            .sudo()
            .search(
                [
                    ("invoice_ids", "in", shares.move_id.ids),
                    "|",
                    ("state", "in", ("pending", "authorized")),
                    "&",
                    ("state", "=", "done"),
                    ("is_post_processed", "=", False),
                ]
            )
        )

    def _settled_transactions(self):
        """Payments already made by this patient to this practitioner through any of their links."""
        return (
            self.env["payment.transaction"]
            .sudo()
            .search(
                [
                    ("health_payment_link_id.partner_id", "=", self.partner_id.id),
                    ("health_payment_link_id.company_id", "=", self.company_id.id),
                    ("state", "=", "done"),
                ],
                order="last_state_change desc, id desc",
                limit=20,
            )
        )

    def _lock(self, shares):
        """Two payments of the same debts wait for each other, whatever links they come from.

        The second one then fails on what the first one wrote, and is tried again by the server.
        """
        moves = shares.move_id
        if moves:
            self.env.flush_all()
            # a write, not a mere lock: what waited must not go on with what it read before
            self.env.cr.execute(
                SQL(
                    "UPDATE account_move SET write_date = write_date WHERE id IN %s",
                    tuple(sorted(moves.ids)),
                )
            )

    def _reusable_transaction(self, shares, amount, provider, method):
        """A payment that was begun for exactly this and led nowhere yet: a second click goes on
        with it.
        """
        since = fields.Datetime.now() - timedelta(minutes=30)
        candidates = (
            self.env["payment.transaction"]
            .sudo()
            .search(
                [
                    ("health_payment_link_id.partner_id", "=", self.partner_id.id),
                    ("provider_id", "=", provider.id),
                    ("payment_method_id", "=", method.id),
                    ("state", "=", "draft"),
                    ("create_date", ">=", since),
                ]
            )
        )
        return candidates.filtered(
            lambda tx: cents(tx.amount) == amount and tx.invoice_ids == shares.move_id
        )[:1]

    @api.model
    def _transaction_reference(self):
        """Reference of a payment: seen by banks, so it says nothing of the patient nor of the
        care.
        """
        return f"NOTE-{secrets.token_hex(4).upper()}"
