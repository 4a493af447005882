from odoo.http import request, route

from odoo.addons.web.controllers.home import Home


class HealthHome(Home):
    @route()
    def web_client(self, s_action=None, **kw):
        """Override of `web`: an agency user starts with every practitioner selected, not with the agency alone.

        One queue over all clients is the point of the product; a selection made by hand stays.
        """
        response = super().web_client(s_action=s_action, **kw)
        if response.status_code == 200 and not request.httprequest.cookies.get("cids"):
            user = request.env["res.users"].sudo().browse(request.session.uid)
            if user.has_group("health_billing.group_biller") or user.has_group(
                "health_billing.group_accountant"
            ):
                ids = [user.company_id.id, *(user.company_ids - user.company_id).ids]
                response.set_cookie("cids", "-".join(map(str, ids)), path="/", samesite="Lax")
        return response
