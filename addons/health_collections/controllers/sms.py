"""Where SMS gateways report what became of messages, and bring the answers of people."""

from odoo.http import Controller, request, route

from ..models.health_sms_gateway import PATH


class SmsGateway(Controller):
    @route(
        f"{PATH}/<string:token>",
        type="http",
        auth="public",
        methods=["GET", "POST"],
        csrf=False,
        save_session=False,
    )
    def called(self, token, **params):
        values = dict(params)
        if request.httprequest.mimetype == "application/json":
            read = request.httprequest.get_json(force=True, silent=True)
            if isinstance(read, dict):
                values = read
        if not request.env["health.sms.gateway"].sudo()._called(token, values):
            return request.not_found()
        return request.make_response("OK", [("Content-Type", "text/plain")])
