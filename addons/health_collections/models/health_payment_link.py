import hashlib
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_date

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
        [("hand", "By hand"), ("email", "E-mail"), ("reminder", "Reminder"), ("letter", "Letter")],
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

    @api.depends("expires_on", "revoked_on")
    def _compute_state(self):
        today = fields.Date.context_today(self)
        for link in self:
            if link.revoked_on:
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
        if not token:
            return self.sudo().browse()
        return self.sudo().search([("token_hash", "=", self._hash(token))], limit=1)

    def action_revoke(self):
        """The link stops working at once; the patient sees how to ask for a new one."""
        self.check_access("write")
        self.sudo().filtered(lambda link: not link.revoked_on).revoked_on = fields.Datetime.now()
        return True

    def _send(self, url):
        """Queue the e-mail that brings the patient this link (it must be its own address)."""
        self.ensure_one()
        template = self.env.ref("health_collections.mail_template_payment_link")
        values = template._health_mail_values(self, {self.id: url})
        self.env["mail.mail"].sudo().create(values)
        self.sudo().write({"channel": "email", "sent_on": fields.Date.context_today(self)})
        self.partner_id._message_log(body=self.env._("Payment link sent by e-mail."))

    def _touch(self):
        """Count a visit; also makes two requests at once wait for each other."""
        self.ensure_one()
        self.write({"last_seen": fields.Datetime.now(), "access_count": self.access_count + 1})

    # -- what is owed -----------------------------------------------------------------------------

    def _open_shares(self):
        """What the patient has to pay this practitioner now."""
        self.ensure_one()
        return (
            self.env["health.share"]
            .sudo()
            .search(
                [
                    ("debtor_kind", "=", "patient"),
                    ("partner_id", "=", self.partner_id.id),
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

    def _access_token(self, shares):
        """Seal of what the page shows: another amount, patient or share has another seal."""
        return payment_utils.generate_access_token(
            "health.payment.link",
            self.id,
            self.partner_id.id,
            self._amount_cents(shares),
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

    def _reusable_transaction(self, shares, provider, method):
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
        amount = self._amount_cents(shares)
        return candidates.filtered(
            lambda tx: cents(tx.amount) == amount and tx.invoice_ids == shares.move_id
        )[:1]

    # -- what the page tells ----------------------------------------------------------------------

    def _note(self, share):
        """What the page says of one FSE: date and practitioner, who paid what, what is left and
        why.

        Never the care: neither acts nor prescriber nor nature of insurance are read here.
        """
        fse = share.fse_id
        rows = []
        for payer in fse.share_ids.sorted(
            lambda one: ("amo", "amc", "patient").index(one.debtor_kind)
        ):
            if payer.debtor_kind != "patient" and cents(payer.amount):
                rows.append(self._note_payer(payer))
        paid = cents(share.amount) - cents(share.amount_residual)
        return {
            "number": fse.name,
            "date": format_date(self.env, fse.fse_date, date_format="d MMMM yyyy"),
            "total": self._money(cents(fse.amount_total)),
            "payers": rows,
            "paid": self._money(paid) if paid else "",
            "left": self._money(cents(share.amount_residual)),
            "why": self._note_why(fse, share),
        }

    def _note_payer(self, payer):
        asked, left = cents(payer.amount), cents(payer.amount_residual)
        who = (
            self.env._("Health insurance fund")
            if payer.debtor_kind == "amo"
            else self.env._("Your complementary insurer")
        )
        if payer.state == "paid":
            tone, text = "paid", self.env._("has paid")
        elif payer.state == "written_off":
            tone, text = "refused", self.env._("does not pay; this part is not asked of you")
        elif payer.is_rejected:
            tone, text = (
                "refused",
                self.env._("has refused for now; your practitioner is seeing to it"),
            )
        elif payer.state == "partial":
            tone, text = (
                "waiting",
                self.env._(
                    "has paid %(paid)s, the rest is expected", paid=self._money(asked - left)
                ),
            )
        elif payer.state == "announced":
            tone, text = "waiting", self.env._("has announced its payment")
        else:
            tone, text = "waiting", self.env._("is to pay")
        return {
            "kind": payer.debtor_kind,
            "who": who,
            "name": payer.partner_id.name
            if payer.debtor_kind == "amc" and not payer.partner_id.health_to_complete
            else "",
            "tone": tone,
            "text": text,
            "amount": self._money(asked),
        }

    def _note_why(self, fse, share):
        """Why something is left for the patient, in plain words, from the facts of the FSE."""
        kinds = {payer.debtor_kind: payer for payer in fse.share_ids if cents(payer.amount)}
        if "amo" not in kinds and "amc" not in kinds:
            return self.env._(
                "This care was billed to you directly: no fund was asked to pay for you."
            )
        if "amo" in kinds and "amc" not in kinds:
            if fse.amo_rate and fse.amo_rate < 100:
                return self.env._(
                    "The health insurance fund covers %(rate)s %% of this care. "
                    "No complementary insurer is on record for it: "
                    "the rest (the “ticket modérateur”) is yours to pay.",
                    rate=fse.amo_rate,
                )
            return self.env._("This part is not covered by the health insurance fund.")
        if kinds["amc"].is_rejected:
            return self.env._(
                "This is your own part. "
                "What your complementary insurer refused is not asked of you here."
            )
        return self.env._(
            "What neither the health insurance fund nor your complementary insurer covers."
        )

    @api.model
    def _money(self, amount_cents):
        # narrow no-break space in thousands, no-break space before the sign: an amount never
        # breaks over two lines
        return (
            format_cents(amount_cents)
            .replace(" €", "\N{NO-BREAK SPACE}€")
            .replace(" ", "\N{NARROW NO-BREAK SPACE}")
        )

    def _bank_transfer(self):
        """Account on which a transfer arrives: the practitioner's own; empty when none is known."""
        journal = (
            self.env["account.journal"]
            .sudo()
            .search(
                [
                    ("company_id", "=", self.company_id.id),
                    ("type", "=", "bank"),
                    ("bank_account_id", "!=", False),
                ],
                limit=1,
            )
        )
        account = journal.bank_account_id
        if not account:
            return {}
        iban = account.sanitized_acc_number or ""
        return {
            "holder": account.acc_holder_name or self.company_id.name,
            "iban": " ".join(iban[start : start + 4] for start in range(0, len(iban), 4)),
            "reference": self.partner_id.ref or "",
        }

    def _page_values(self):
        """Everything the page shows, as plain texts."""
        self.ensure_one()
        shares = self._open_shares()
        company = self.company_id
        amount = self._amount_cents(shares)
        under_way = self._transactions_under_way(shares)
        return {
            "link": self,
            "practitioner": company.name,
            "phone": company.phone or "",
            "email": company.email or "",
            "patient": self.partner_id.name,
            "notes": [self._note(share) for share in shares],
            "amount": self._money(amount),
            "amount_cents": amount,
            "waiting": self._money(sum(cents(tx.amount) for tx in under_way)) if under_way else "",
            "transfer": self._bank_transfer() if amount else {},
            "receipts": [
                {
                    "reference": tx.reference,
                    "date": self._day_text(tx.last_state_change),
                    "amount": self._money(cents(tx.amount)),
                }
                for tx in self._settled_transactions()
            ],
            "expires": format_date(self.env, self.expires_on, date_format="d MMMM yyyy"),
        }

    def _day_text(self, moment, with_time=False):
        local = fields.Datetime.context_timestamp(self.with_context(tz="Europe/Paris"), moment)
        text = format_date(self.env, local.date(), date_format="d MMMM yyyy")
        return (
            self.env._("%(day)s at %(time)s", day=text, time=local.strftime("%H:%M"))
            if with_time
            else text
        )

    @api.model
    def _address_lines(self, partner):
        city = " ".join(filter(None, (partner.zip, partner.city)))
        return "\n".join(filter(None, (partner.street, partner.street2, city)))

    def _receipt_values(self, tx):
        """What the receipt of one payment shows."""
        return {
            "link": self,
            "tx": tx,
            "state": tx.state,
            "practitioner": self.company_id.name,
            "address": self._address_lines(self.company_id.partner_id),
            "phone": self.company_id.phone or "",
            "email": self.company_id.email or "",
            "patient": self.partner_id.name,
            "amount": self._money(cents(tx.amount)),
            "date": self._day_text(tx.last_state_change, with_time=True),
            "numbers": sorted(tx.invoice_ids.health_share_id.fse_id.mapped("name")),
            "reference": tx.reference,
            "is_test": tx.provider_id.state == "test",
        }

    def _transaction_amount(self, shares):
        return euros(self._amount_cents(shares))

    @api.model
    def _transaction_reference(self):
        """Reference of a payment: seen by banks, so it says nothing of the patient nor of the
        care.
        """
        return f"NOTE-{secrets.token_hex(4).upper()}"
