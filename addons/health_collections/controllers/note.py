"""The patient's page: what I owe, why, and how I pay it; no log-in."""

import time
from collections import deque

from odoo import http
from odoo.exceptions import ValidationError
from odoo.http import request
from odoo.tools import consteq

from odoo.addons.health_billing.tools import cents
from odoo.addons.payment.controllers.portal import PaymentPortal
from odoo.addons.payment.controllers.post_processing import PaymentPostProcessing

from ..models.health_payment_link import PATH

#: unknown links that one address may try, and in how many seconds
MISSES, WINDOW = 20, 600
#: addresses remembered at most, per worker
ADDRESSES = 10_000
SESSION_KEY = "health_note_token"
HEADERS = {
    "Cache-Control": "no-store, private",
    "X-Robots-Tag": "noindex, nofollow",
    # the address holds the key: no other site may learn it
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def _misses():
    registry = request.registry
    if not hasattr(registry, "_health_note_misses"):
        registry._health_note_misses = {}
    return registry._health_note_misses


def _is_flooding():
    tries = _misses().get(request.httprequest.remote_addr)
    while tries and tries[0] < time.monotonic() - WINDOW:
        tries.popleft()
    return bool(tries) and len(tries) >= MISSES


def _note_miss():
    misses = _misses()
    if len(misses) >= ADDRESSES:
        misses.clear()
    misses.setdefault(request.httprequest.remote_addr, deque(maxlen=MISSES)).append(
        time.monotonic()
    )


class NotePortal(PaymentPortal):
    def _note_speak_french(self):
        if request.env["res.lang"]._get_data(code="fr_FR"):
            request.update_context(lang="fr_FR")

    def _note_render(self, template, values, status=200):
        response = request.render(f"health_collections.{template}", values, status=status)
        response.headers.update(HEADERS)
        return response

    def _note_refuse(self, status, **values):
        values = {"code": status, "practitioner": "", "phone": "", "email": "", **values}
        return self._note_render("note_refused", values, status=status)

    def _note_link(self, token):
        """The link of a token, or the page that says why there is none.

        :return: (link with full rights, None) or (None, response).
        """
        self._note_speak_french()
        if _is_flooding():
            return None, self._note_refuse(429)
        link = request.env["health.payment.link"]._find(token)
        if not link:
            _note_miss()
            return None, self._note_refuse(404)
        if link.state != "active":
            company = link.company_id
            # whoever held the link knew the practitioner; nothing is said of the patient
            return None, self._note_refuse(
                410, practitioner=company.name, phone=company.phone or "", email=company.email or ""
            )
        return link, None

    @http.route(
        f"{PATH}/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        multilang=False,
        sitemap=False,
    )
    def note(self, token, **_kwargs):
        link, refusal = self._note_link(token)
        if refusal:
            return refusal
        link._touch()
        request.session[SESSION_KEY] = token
        return self._note_render("note_page", {**link._page_values(), "path": f"{PATH}/{token}"})

    @http.route(
        f"{PATH}/<string:token>/payer",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        multilang=False,
        sitemap=False,
    )
    def note_pay(self, token, **_kwargs):
        link, refusal = self._note_link(token)
        if refusal:
            return refusal
        shares = link._open_shares()
        if not shares or link._transactions_under_way(shares):
            return request.redirect(f"{PATH}/{token}")
        request.session[SESSION_KEY] = token
        amount = link._transaction_amount(shares)
        providers, methods = self._note_providers(link, amount)
        values = {
            **link._page_values(),
            "path": f"{PATH}/{token}",
            # context of Odoo's payment form
            "reference_prefix": "",
            "currency": link.company_id.currency_id,
            "partner_id": link.partner_id.id,
            "providers_sudo": providers,
            "payment_methods_sudo": methods,
            "tokens_sudo": request.env["payment.token"].sudo(),
            "availability_report": {},
            "show_tokenize_input_mapping": dict.fromkeys(providers.ids, False),
            "transaction_route": f"{PATH}/{token}/transaction",
            "landing_route": f"{PATH}/retour",
            "access_token": link._access_token(shares),
            "res_company": link.company_id,
        }
        values["amount_text"], values["amount"] = values["amount"], amount
        return self._note_render("note_pay", values)

    def _note_providers(self, link, amount):
        """Payment providers of the practitioner's own company, and their methods."""
        providers = (
            request.env["payment.provider"]
            .sudo()
            ._get_compatible_providers(
                link.company_id.id,
                link.partner_id.id,
                amount,
                currency_id=link.company_id.currency_id.id,
            )
            .filtered("is_published")
        )
        methods = (
            request.env["payment.method"]
            .sudo()
            ._get_compatible_payment_methods(
                providers.ids, link.partner_id.id, currency_id=link.company_id.currency_id.id
            )
        )
        return providers, methods

    @http.route(f"{PATH}/<string:token>/transaction", type="jsonrpc", auth="public")
    def note_transaction(
        self,
        token,
        access_token=None,
        amount=None,
        provider_id=None,
        payment_method_id=None,
        flow=None,
        **kwargs,
    ):
        """Start the payment of everything that is open; the amount is the server's own.

        :raises ValidationError: in French, when the link, the seal, the amount or the
            provider is not right, or
            when a payment is already under way.
        """
        self._note_speak_french()
        env = request.env
        link = (
            env["health.payment.link"]._find(token)
            if not _is_flooding()
            else env["health.payment.link"].sudo()
        )
        if not link:
            _note_miss()
        if not link or link.state != "active":
            raise ValidationError(env._("This link is no longer valid. Nothing was debited."))
        self._validate_transaction_kwargs(kwargs, additional_allowed_keys=("payment_reference",))
        # a write: of two clicks at once, the second waits and then sees what the first did
        link._touch()
        shares = link._open_shares()
        if not shares:
            raise ValidationError(env._("Everything is paid already. Nothing was debited."))
        if link._transactions_under_way(shares):
            raise ValidationError(
                env._("A payment is already under way. Nothing more was debited.")
            )
        seal = link._access_token(shares)
        if (
            not isinstance(access_token, str)
            or not consteq(access_token, seal)
            or not self._note_is_amount(amount, link._amount_cents(shares))
        ):
            raise ValidationError(
                env._("The amount to pay has changed. Load the page again. Nothing was debited.")
            )
        providers, methods = self._note_providers(link, link._transaction_amount(shares))
        provider = providers.filtered(lambda one: one.id == provider_id)
        method = methods.filtered(
            lambda one: one.id == payment_method_id and provider in one.provider_ids
        )
        if not provider or not method or flow not in ("direct", "redirect"):
            raise ValidationError(
                env._("This means of payment is not available. Nothing was debited.")
            )
        transaction = link._reusable_transaction(shares, provider, method)
        if transaction:
            PaymentPostProcessing.monitor_transaction(transaction)
        else:
            transaction = self._create_transaction(
                provider_id=provider.id,
                payment_method_id=method.id,
                token_id=None,
                amount=link._transaction_amount(shares),
                currency_id=link.company_id.currency_id.id,
                partner_id=link.partner_id.id,
                flow=flow,
                tokenization_requested=False,
                # no key in what is stored: the session leads back to the receipt
                landing_route=f"{PATH}/retour",
                reference_prefix=link._transaction_reference(),
                custom_create_values={
                    "invoice_ids": [(6, 0, shares.move_id.ids)],
                    "health_payment_link_id": link.id,
                },
            )
        request.session[SESSION_KEY] = token
        return transaction._get_processing_values()

    @staticmethod
    def _note_is_amount(amount, expected):
        """Whether the amount that the browser says is the one that the server computed (in
        cents).
        """
        if isinstance(amount, bool) or not isinstance(amount, (int, float)):
            return False
        return abs(amount) < 10**9 and cents(amount) == expected

    @http.route(
        f"{PATH}/retour",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        multilang=False,
        sitemap=False,
    )
    def note_back(self, **_kwargs):
        """Where the payment provider sends the patient back to: their receipt, if this browser
        knows the link.
        """
        self._note_speak_french()
        token = request.session.get(SESSION_KEY)
        transaction = (
            request.env["payment.transaction"]
            .sudo()
            .browse(request.session.get(PaymentPostProcessing.MONITORED_TX_ID_KEY))
            .exists()
        )
        if token and transaction.health_payment_link_id:
            return request.redirect(f"{PATH}/{token}/recu/{transaction.reference}")
        return self._note_render("note_back", {"practitioner": ""})

    @http.route(
        f"{PATH}/<string:token>/recu/<string:reference>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        multilang=False,
        sitemap=False,
    )
    def note_receipt(self, token, reference, **_kwargs):
        link, refusal = self._note_link(token)
        if refusal:
            return refusal
        transaction = (
            request.env["payment.transaction"]
            .sudo()
            .search(
                [
                    ("reference", "=", reference),
                    ("health_payment_link_id.partner_id", "=", link.partner_id.id),
                    ("health_payment_link_id.company_id", "=", link.company_id.id),
                ],
                limit=1,
            )
        )
        if not transaction:
            _note_miss()
            return self._note_refuse(404)
        if transaction.state == "done" and not transaction.is_post_processed:
            # the browser may be faster than the poll and the cron: a receipt is shown for what is
            # booked
            transaction._post_process()
        values = {**link._receipt_values(transaction), "path": f"{PATH}/{token}"}
        return self._note_render("note_receipt", values)


class NotePostProcessing(PaymentPostProcessing):
    @http.route()
    def display_status(self, **kwargs):
        """Override of `payment`: a patient who came by a link waits on a page of ours."""
        transaction = self._get_monitored_transaction()
        token = request.session.get(SESSION_KEY)
        if not (transaction.health_payment_link_id and token):
            return super().display_status(**kwargs)
        if request.env["res.lang"]._get_data(code="fr_FR"):
            request.update_context(lang="fr_FR")
        link = transaction.health_payment_link_id
        response = request.render(
            "health_collections.note_status",
            {**link._receipt_values(transaction), "path": f"{PATH}/{token}"},
        )
        response.headers.update(HEADERS)
        return response
