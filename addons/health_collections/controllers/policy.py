"""The written policy of a practitioner: public, made from the settings, without personal data."""

from odoo import http
from odoo.http import request

from ..models.res_company_policy import POLICY_PATH
from .note import HEADERS


class PolicyPage(http.Controller):
    def _policy_company(self, token):
        if request.env["res.lang"]._get_data(code="fr_FR"):
            request.update_context(lang="fr_FR")
        return request.env["res.company"]._health_find_by_policy_token(token)

    def _policy_unknown(self):
        values = {"code": 404, "practitioner": "", "phone": "", "email": "", "is_public": True}
        return request.render("health_collections.note_refused", values, status=404)

    @http.route(
        f"{POLICY_PATH}/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        multilang=False,
        sitemap=False,
    )
    def written_policy(self, token, **_kwargs):
        company = self._policy_company(token)
        if not company:
            return self._policy_unknown()
        response = request.render(
            "health_collections.written_policy_page",
            {**company._health_written_policy(), "path": f"{POLICY_PATH}/{token}"},
        )
        response.headers.update(HEADERS)
        return response

    @http.route(
        f"{POLICY_PATH}/<string:token>/pdf",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        multilang=False,
        sitemap=False,
    )
    def written_policy_pdf(self, token, **_kwargs):
        company = self._policy_company(token)
        if not company:
            return self._policy_unknown()
        content, kind = (
            request.env["ir.actions.report"]
            .sudo()
            ._render("health_collections.written_policy", company.ids)
        )
        # where nothing can make a PDF, the page itself, ready to be printed
        mime, name = (
            ("application/pdf", "paiement-et-rappels.pdf") if kind == "pdf" else ("text/html", "")
        )
        headers = [("Content-Type", f"{mime}; charset=utf-8" if kind != "pdf" else mime)]
        if name:
            headers.append(("Content-Disposition", f'inline; filename="{name}"'))
        return request.make_response(content, headers=[*headers, *HEADERS.items()])
