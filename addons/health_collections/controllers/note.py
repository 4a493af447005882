"""The patient's page: what I owe, why, and how I pay it; no log-in."""

from odoo import SUPERUSER_ID, api, http
from odoo.exceptions import ValidationError
from odoo.http import request
from odoo.tools import consteq

from odoo.addons.health_billing.tools import cents, euros
from odoo.addons.payment.controllers.portal import PaymentPortal
from odoo.addons.payment.controllers.post_processing import PaymentPostProcessing

from ..models.health_payment_link import PATH

SESSION_KEY = "health_note_token"
HEADERS = {
    "Cache-Control": "no-store, private",
    "X-Robots-Tag": "noindex, nofollow",
    # the address holds the key: no other site may learn it
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
}
#: on the pages that need no script of a payment provider: nothing but our own files
STRICT = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: pages with Odoo's payment form, whose provider brings its own scripts
OPEN_PAGES = ("note_pay", "note_status")
#: what one payment may be for → its word in addresses
WHAT = {"all": "payer", "instalment": "echeance", "rest": "reste"}


def note_route(*paths, **options):
    """A route below a link, with or without another practitioner of the same visit."""
    paths = [f"{PATH}/<string:token>{path}" for path in paths]
    return http.route(
        [*paths, *(f"{path}/<string:who>" for path in paths)],
        **{
            "type": "http",
            "auth": "public",
            "methods": ["GET"],
            "website": True,
            "multilang": False,
            "sitemap": False,
            **options,
        },
    )


class NotePortal(PaymentPortal):
    def _note_speak_french(self):
        if request.env["res.lang"]._get_data(code="fr_FR"):
            request.update_context(lang="fr_FR")

    def _note_render(self, template, values, status=200):
        response = request.render(f"health_collections.{template}", values, status=status)
        response.headers.update(HEADERS)
        if template not in OPEN_PAGES:
            response.headers["Content-Security-Policy"] = STRICT
        return response

    def _note_refuse(self, status, **values):
        values = {"code": status, "practitioner": "", "phone": "", "email": "", **values}
        return self._note_render("note_refused", values, status=status)

    def _note_is_flooding(self):
        Try = request.env["health.note.try"]
        return Try._is_too_many("miss", Try._visitor(request.httprequest.remote_addr))

    def _note_miss(self):
        """Count a link or a receipt that does not exist against whoever tried it."""
        Try = request.env["health.note.try"]
        Try._note("miss", Try._visitor(request.httprequest.remote_addr))

    def _note_miss_refused(self):
        """Count a miss whose refusal undoes all the request did: it is written once that is done."""
        Try = request.env["health.note.try"]
        visitor = Try._visitor(request.httprequest.remote_addr)
        registry = request.env.registry

        def write():
            with registry.cursor() as cr:
                api.Environment(cr, SUPERUSER_ID, {})["health.note.try"]._note("miss", visitor)

        request.env.cr.postrollback.add(write)

    def _note_link(self, token, who=None):
        """The link of a token, or the page that says why there is none.

        :param who: another practitioner of the same visit.
        :return: (link with full rights, None) or (None, response).
        """
        self._note_speak_french()
        if self._note_is_flooding():
            return None, self._note_refuse(429)
        link = request.env["health.payment.link"]._find(token)
        if not link:
            self._note_miss()
            return None, self._note_refuse(404)
        if link.state != "active":
            sender = link.company_id._health_sender()
            # whoever held the link knew the practitioner; nothing is said of the patient
            return None, self._note_refuse(
                410,
                practitioner=sender["name"],
                phone=sender["phone"],
                email=sender["email"],
                policy_url=link.company_id.health_policy_url,
                path=f"{PATH}/{token}",
                can_renew=bool(link._can_renew()),
            )
        part = link._of_visit(who)
        if not part:
            self._note_miss()
            return None, self._note_refuse(404)
        return part, None

    def _note_values(self, token, link):
        """What every page of one practitioner needs."""
        values = link._account_values()
        return {
            **values,
            "link": link,
            "path": f"{PATH}/{token}",
            "tail": f"/{values['who']}" if values["who"] else "",
        }

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

    @note_route("/payer")
    def note_pay(self, token, who=None, **_kwargs):
        return self._note_pay(token, who, "all")

    @note_route("/echeance")
    def note_pay_instalment(self, token, who=None, **_kwargs):
        return self._note_pay(token, who, "instalment")

    @note_route("/reste")
    def note_pay_rest(self, token, who=None, **_kwargs):
        return self._note_pay(token, who, "rest")

    def _note_pay(self, token, who, what):
        link, refusal = self._note_link(token, who)
        if refusal:
            return refusal
        shares, amount_cents = link._to_pay(what)
        if not amount_cents or link._transactions_under_way(shares):
            return request.redirect(f"{PATH}/{token}")
        request.session[SESSION_KEY] = token
        amount = euros(amount_cents)
        providers, methods = self._note_providers(link, amount)
        values = self._note_values(token, link)
        values |= {
            "notes": [note for note in values["notes"] if note["share_id"] in shares.ids],
            "amount_text": link._money(amount_cents),
            "what": what,
            # context of Odoo's payment form
            "amount": amount,
            "reference_prefix": "",
            "currency": link.company_id.currency_id,
            "partner_id": link.partner_id.id,
            "providers_sudo": providers,
            "payment_methods_sudo": methods,
            "tokens_sudo": request.env["payment.token"].sudo(),
            "availability_report": {},
            "show_tokenize_input_mapping": dict.fromkeys(providers.ids, False),
            "transaction_route": f"{PATH}/{token}/transaction/{WHAT[what]}{values['tail']}",
            "landing_route": f"{PATH}/retour",
            "access_token": link._access_token(shares, amount_cents),
            "res_company": link.company_id,
        }
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

    @note_route("/transaction/<string:word>", type="jsonrpc", methods=["POST"], website=False)
    def note_transaction(
        self,
        token,
        word,
        who=None,
        access_token=None,
        amount=None,
        provider_id=None,
        payment_method_id=None,
        flow=None,
        **kwargs,
    ):
        """Start one payment; the amount is the server's own.

        :raises ValidationError: in French, when the link, the seal, the amount or the
            provider is not right, when a payment is already under way, or when too many were started.
        """
        self._note_speak_french()
        env = request.env
        link = self._note_payable_link(token, who)
        what = next((what for what, name in WHAT.items() if name == word), "")
        self._validate_transaction_kwargs(kwargs, additional_allowed_keys=("payment_reference",))
        # a write: of two clicks at once, the second waits and then sees what the first did
        link._touch()
        shares, amount_cents = link._to_pay(what)
        # and so does another link that asks for the same
        link._lock(shares)
        if not amount_cents:
            raise ValidationError(env._("Everything is paid already. Nothing was debited."))
        if link._transactions_under_way(shares):
            raise ValidationError(
                env._("A payment is already under way. Nothing more was debited.")
            )
        seal = link._access_token(shares, amount_cents)
        if (
            not isinstance(access_token, str)
            or not consteq(access_token, seal)
            or not self._note_is_amount(amount, amount_cents)
        ):
            raise ValidationError(
                env._("The amount to pay has changed. Load the page again. Nothing was debited.")
            )
        providers, methods = self._note_providers(link, euros(amount_cents))
        provider = providers.filtered(lambda one: one.id == provider_id)
        method = methods.filtered(
            lambda one: one.id == payment_method_id and provider in one.provider_ids
        )
        if not provider or not method or flow not in ("direct", "redirect"):
            raise ValidationError(
                env._("This means of payment is not available. Nothing was debited.")
            )
        transaction = link._reusable_transaction(shares, amount_cents, provider, method)
        if transaction:
            PaymentPostProcessing.monitor_transaction(transaction)
        else:
            self._note_count_payment(link)
            transaction = self._create_transaction(
                provider_id=provider.id,
                payment_method_id=method.id,
                token_id=None,
                amount=euros(amount_cents),
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

    def _note_payable_link(self, token, who):
        """The link of a token that may start a payment.

        :raises ValidationError: in French, when there is none; a try that missed is counted.
        """
        env = request.env
        flooding = self._note_is_flooding()
        found = env["health.payment.link"]._find(token) if not flooding else None
        link = found and found.state == "active" and found._of_visit(who)
        if not link:
            if not flooding and (not found or found.state == "active"):
                self._note_miss_refused()
            raise ValidationError(env._("This link is no longer valid. Nothing was debited."))
        return link

    def _note_count_payment(self, link):
        """A link starts a few payments, not the tens that somebody needs who tries stolen cards.

        :raises ValidationError: in French, when too many were started within the hour.
        """
        Try = request.env["health.note.try"]
        key = f"link-{link.parent_id.id or link.id}"
        if Try._is_too_many("payment", key):
            raise ValidationError(
                request.env._(
                    "Too many payments were started. Try again in an hour, or call your practitioner. "
                    "Nothing was debited."
                )
            )
        Try._note("payment", key)

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
            .search([("reference", "=", reference)], limit=1)
        )
        paid_by = transaction.health_payment_link_id
        # whichever of this person's links it was paid by: each receipt is its practitioner's
        own = link._visit().filtered(
            lambda one: (
                paid_by
                and (one.partner_id, one.company_id) == (paid_by.partner_id, paid_by.company_id)
            )
        )
        if not own:
            self._note_miss()
            return self._note_refuse(404)
        if transaction.state == "done" and not transaction.is_post_processed:
            # the browser may be faster than the poll and the cron: a receipt is shown for what is
            # booked
            transaction._post_process()
        who = own[:1]._who()
        values = {
            **own[:1]._receipt_values(transaction),
            "path": f"{PATH}/{token}",
            "tail": f"/{who}" if who else "",
        }
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
