"""What a patient asks from their page: another payer, a doubt, a call, instalments, a new link."""

from odoo import fields, http
from odoo.exceptions import UserError
from odoo.http import request

from ..models.health_debtor_request import PHOTOS
from ..models.health_payment_link import PATH
from .note import NotePortal, note_route

#: word in addresses → kind of request
KINDS = {
    "mutuelle": "insurer",
    "desaccord": "dispute",
    "rappel": "callback",
    "question": "other",
}
WORDS = f"<any({','.join(KINDS)}):word>"
MEGABYTE = 1024 * 1024


def _longest_body(_controller):
    """Bytes of the largest form that is read at all: its photos are weighed one by one afterwards."""
    most = request.env["health.parameter"].value_of("note_photo_mb")
    return (2 * PHOTOS * most + 1) * MEGABYTE


class NoteRequestPortal(NotePortal):
    # These forms carry no session token: what allows them is the key in their own address, which no other site
    # can know, and not a cookie that a browser would add by itself.

    @note_route(f"/{WORDS}")
    def note_ask(self, token, word, who=None, **_kwargs):
        link, refusal = self._note_link(token, who)
        if refusal:
            return refusal
        if not link._open_shares():
            return request.redirect(f"{PATH}/{token}")
        return self._note_form(token, link, word)

    def _note_form(self, token, link, word, error="", said=None):
        values = {
            **self._note_values(token, link),
            "word": word,
            "kind": KINDS[word],
            "error": error,
            "said": said or {},
            "photo_mb": request.env["health.parameter"].value_of("note_photo_mb"),
        }
        return self._note_render("note_ask", values, status=422 if error else 200)

    @note_route(f"/{WORDS}", methods=["POST"], csrf=False, max_content_length=_longest_body)
    def note_asked(self, token, word, who=None, **form):
        link, refusal = self._note_link(token, who)
        if refusal:
            return refusal
        try:
            # all or nothing: a photo that cannot be read leaves no half of a request
            with request.env.cr.savepoint():
                self._note_take(link, KINDS[word], form)
        except UserError as error:
            return self._note_form(token, link, word, error=str(error), said=form)
        tail = f"/{who}" if who else ""
        return request.redirect(f"{PATH}/{token}/recue/{word}{tail}")

    def _note_take(self, link, kind, form):
        """Keep one request, if this link has not sent too many today."""
        env = request.env
        key = f"link-{link.parent_id.id or link.id}"
        Try = env["health.note.try"]
        if Try._is_too_many("request", key):
            raise UserError(
                env._(
                    "You have already sent us several messages today: we have them all. "
                    "We answer as soon as possible."
                )
            )
        numbers = request.httprequest.form.getlist("fse")
        shares = link._open_shares().filtered(lambda share: share.fse_id.name in numbers)
        message = self._note_text(form, "message")
        moment = {
            "morning": env._("Rather in the morning."),
            "afternoon": env._("Rather in the afternoon."),
        }.get(form.get("moment"))
        taken = env["health.debtor.request"]._take(
            link,
            kind,
            shares,
            message="\n".join(filter(None, (message, moment))),
            phone=self._note_text(form, "phone"),
            photos=self._note_photos(),
        )
        Try._note("request", key)
        return taken

    @staticmethod
    def _note_text(form, name):
        value = form.get(name)
        return value if isinstance(value, str) else ""

    def _note_photos(self):
        """Contents of the photos sent, each weighed.

        :raises UserError: in French, when there are too many or one is too heavy.
        """
        env = request.env
        most = env["health.parameter"].value_of("note_photo_mb")
        files = [
            file for file in request.httprequest.files.getlist("photo") if file and file.filename
        ]
        if len(files) > PHOTOS:
            raise UserError(env._("Send at most %s photos.", PHOTOS))
        contents = [file.read(most * MEGABYTE + 1) for file in files]
        if any(len(content) > most * MEGABYTE for content in contents):
            raise UserError(
                env._("One photo is heavier than %s MB. Take it with less detail.", most)
            )
        return [content for content in contents if content]

    @note_route(f"/recue/{WORDS}")
    def note_received(self, token, word, who=None, **_kwargs):
        link, refusal = self._note_link(token, who)
        if refusal:
            return refusal
        return self._note_render(
            "note_received", {**self._note_values(token, link), "kind": KINDS[word]}
        )

    # -- instalments --------------------------------------------------------------------------------

    def _note_offers(self, link):
        """What may be spread, and how: nothing when a plan runs or waits already."""
        shares = link._open_shares()
        if shares.plan_id.filtered(lambda plan: plan.state in ("running", "asked")):
            return shares.browse(), []
        if link._transactions_under_way(shares):
            return shares.browse(), []
        today = fields.Date.context_today(link)
        return shares, request.env["health.plan"].sudo()._offers(shares, today)

    @note_route("/echelonner")
    def note_spread(self, token, who=None, **_kwargs):
        link, refusal = self._note_link(token, who)
        if refusal:
            return refusal
        shares, offers = self._note_offers(link)
        if not shares:
            return request.redirect(f"{PATH}/{token}")
        return self._note_spread_form(token, link, offers)

    def _note_spread_form(self, token, link, offers, error="", said=None):
        values = {
            **self._note_values(token, link),
            "offers": link._offer_values(offers),
            "error": error,
            "said": said or {},
        }
        return self._note_render("note_spread", values, status=422 if error else 200)

    @note_route("/echelonner", methods=["POST"], csrf=False)
    def note_spread_asked(self, token, who=None, **form):
        link, refusal = self._note_link(token, who)
        if refusal:
            return refusal
        env = request.env
        # of two clicks at once, the second waits and then finds the plan of the first
        link._touch()
        shares, offers = self._note_offers(link)
        tail = f"/{who}" if who else ""
        if not shares:
            return request.redirect(f"{PATH}/{token}/accord{tail}")
        counts = {str(offer["count"]): offer["count"] for offer in offers}
        count = counts.get(form.get("count"))
        try:
            with env.cr.savepoint():
                if count:
                    env["health.plan"].sudo()._ask(
                        link.partner_id,
                        link.company_id,
                        shares,
                        count,
                        fields.Date.context_today(link),
                        link=link,
                    )
                elif form.get("count") == "other" or not offers:
                    self._note_take(link, "plan", form)
                else:
                    raise UserError(env._("Choose in how many times you wish to pay."))
        except UserError as error:
            return self._note_spread_form(token, link, offers, error=str(error), said=form)
        return request.redirect(f"{PATH}/{token}/accord{tail}")

    @note_route("/accord")
    def note_agreed(self, token, who=None, **_kwargs):
        link, refusal = self._note_link(token, who)
        if refusal:
            return refusal
        return self._note_render("note_agreed", self._note_values(token, link))

    # -- a link that is too old ------------------------------------------------------------------------

    @http.route(
        f"{PATH}/<string:token>/renouveler",
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        website=True,
        multilang=False,
        sitemap=False,
    )
    def note_renew(self, token, **_kwargs):
        self._note_speak_french()
        if self._note_is_flooding():
            return self._note_refuse(429)
        link = request.env["health.payment.link"]._find(token)
        if not link:
            self._note_miss()
            return self._note_refuse(404)
        # what is said does not depend on whether a mail left: a page tells nothing of an address
        link._renew()
        return self._note_render("note_renewed", {"practitioner": link.company_id.name})
