import base64
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_date

from odoo.addons.health_billing.tools import cents, format_cents

from ..dunning.epc import epc_text, transfer_reference

#: how long the answer to a request stays on the page
ANSWER_SHOWN = timedelta(days=31)


class HealthPaymentLink(models.Model):
    """What the patient's page tells."""

    _inherit = "health.payment.link"

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
            "share_id": share.id,
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

    def _bank_transfer(self, shares=None, amount=None):
        """Account on which a transfer arrives, the practitioner's own, with its QR code; empty when none is known."""
        if shares is None:
            shares = self._open_shares()
        if amount is None:
            amount = self._amount_cents(shares)
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
        if not account or not amount:
            return {}
        iban = account.sanitized_acc_number or ""
        holder = account.acc_holder_name or self.company_id.name
        reference = transfer_reference(
            shares.fse_id.sorted("name").mapped("name"), self.partner_id.ref or ""
        )
        return {
            "holder": holder,
            "iban": " ".join(iban[start : start + 4] for start in range(0, len(iban), 4)),
            "bic": account.bank_bic or "",
            "amount": self._money(amount),
            "reference": reference,
            "qr": self._transfer_qr(account, holder, amount, reference),
        }

    def _transfer_qr(self, account, holder, amount, reference):
        """Picture of the QR code of a transfer, as the address of an image; empty where SEPA does not reach."""
        if account._get_error_messages_for_qr("sct_qr", None, self.company_id.currency_id):
            return ""
        text = epc_text(
            holder, account.sanitized_acc_number, amount, reference, account.bank_bic or ""
        )
        picture = self.env["ir.actions.report"].barcode(
            "QR", text, width=264, height=264, barLevel="M", quiet=0
        )
        return f"data:image/png;base64,{base64.b64encode(picture).decode()}"

    def _page_values(self):
        """Everything the page of a link shows, as plain texts: one account per practitioner."""
        self.ensure_one()
        accounts = [
            values
            for link in self._visit()
            # another practitioner to whom nothing is owed is not named
            if (values := link._account_values()) and (link == self or values["amount_cents"])
        ]
        own = accounts[0]
        return {
            "link": self,
            **{
                key: own[key]
                for key in ("practitioner", "phone", "email", "mentions", "policy_url")
            },
            "accounts": accounts,
            "expires": format_date(self.env, self.expires_on, date_format="d MMMM yyyy"),
        }

    def _account_values(self):
        """What the page shows of one practitioner."""
        self.ensure_one()
        shares = self._open_shares()
        sender = self.company_id._health_sender()
        amount = self._amount_cents(shares)
        under_way = self._transactions_under_way(shares)
        requests = self._requests()
        # in instalments, a transfer is that of the next one
        due = self._to_pay("instalment")
        if not due[1]:
            due = shares, amount
        patients = self.partner_id | shares.partner_id
        return {
            "who": self._who(),
            "practitioner": sender["name"],
            "phone": sender["phone"],
            "email": sender["email"],
            "mentions": sender["mentions"],
            "policy_url": self.company_id.health_policy_url,
            "patient": self.partner_id.name,
            "notes": [
                {
                    **self._note(share),
                    "patient": share.partner_id.name if len(patients) > 1 else "",
                }
                for share in shares
            ],
            "amount": self._money(amount),
            "amount_cents": amount,
            "waiting": self._money(sum(cents(tx.amount) for tx in under_way)) if under_way else "",
            "transfer": self._bank_transfer(*due),
            "can_spread": self._can_spread(shares),
            "requests": requests._note_values(),
            "is_held": any(
                request.state == "open" and request.kind in ("insurer", "dispute")
                for request in requests
            ),
            "plan": self._plan_values(shares),
            "plan_asked": "asked" in shares.plan_id.mapped("state"),
            "receipts": [
                {
                    "reference": tx.reference,
                    "date": self._day_text(tx.last_state_change),
                    "amount": self._money(cents(tx.amount)),
                }
                for tx in self._settled_transactions()
            ],
        }

    def _can_spread(self, shares):
        """Whether instalments are granted at once for these shares."""
        if not shares or shares.plan_id.filtered(lambda plan: plan.state in ("running", "asked")):
            return False
        day = fields.Date.context_today(self)
        return bool(self.env["health.plan"].sudo()._offers(shares, day))

    def _requests(self):
        """What this person asked this practitioner and is still of interest: open, or answered since a month."""
        return (
            self.env["health.debtor.request"]
            .sudo()
            .search(
                [
                    ("partner_id", "=", self.partner_id.id),
                    ("company_id", "=", self.company_id.id),
                    "|",
                    ("state", "=", "open"),
                    ("done_on", ">", fields.Datetime.now() - ANSWER_SHOWN),
                ],
                limit=10,
            )
        )

    def _plan_values(self, shares):
        """What the page tells of the payment plan that runs; empty when none does."""
        plan = self._running_plan(shares)
        if not plan:
            return {}
        _spread, next_cents = self._to_pay("instalment")
        _rest, rest_cents = self._to_pay("rest")
        tones = {"paid": "paid", "late": "refused"}
        labels = {
            "paid": self.env._("paid"),
            "late": self.env._("late"),
            "today": self.env._("to pay today"),
            "coming": self.env._("to come"),
        }
        return {
            "lines": [
                {
                    "date": self._date_text(line.due_date),
                    "amount": self._money(cents(line.amount)),
                    "tone": tones.get(line.state, "waiting"),
                    "text": labels[line.state],
                }
                for line in plan.line_ids.sorted("due_date")
            ],
            "next": self._money(next_cents),
            "next_cents": next_cents,
            "rest": self._money(rest_cents),
            "rest_cents": rest_cents,
        }

    def _offer_values(self, offers):
        """Payment plans that may be chosen, as the page shows them."""
        return [
            {
                "count": offer["count"],
                "lines": [
                    {"date": self._date_text(day), "amount": self._money(amount)}
                    for day, amount in zip(offer["dates"], offer["amounts"], strict=True)
                ],
                "each": self._money(max(offer["amounts"])),
                "first": self._date_text(offer["dates"][0]),
                "is_even": len(set(offer["amounts"])) == 1,
            }
            for offer in offers
        ]

    def _date_text(self, day):
        return format_date(self.env, day, date_format="d MMMM yyyy")

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
        sender = self.company_id._health_sender()
        shares = tx.invoice_ids.health_share_id
        left = self._amount_cents(shares.filtered(lambda share: share.state in ("due", "partial")))
        patients = sorted(set((shares.partner_id - self.partner_id).mapped("name")))
        return {
            "link": self,
            "tx": tx,
            "state": tx.state,
            "practitioner": self.company_id.name,
            "address": self._address_lines(self.company_id.partner_id),
            **{key: sender[key] for key in ("phone", "email", "mentions")},
            "policy_url": self.company_id.health_policy_url,
            "patient": self.partner_id.name,
            "patients": ", ".join(patients),
            "left": self._money(left) if left and tx.state == "done" else "",
            "amount": self._money(cents(tx.amount)),
            "date": self._day_text(tx.last_state_change, with_time=True),
            "numbers": sorted(shares.fse_id.mapped("name")),
            "reference": tx.reference,
            "is_test": tx.provider_id.state == "test",
        }
