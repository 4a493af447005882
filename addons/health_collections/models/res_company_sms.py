from odoo import models

from odoo.addons.sms.tools.sms_api import SmsApiBase

from ..sms_gateways import GatewayError


class GatewayApi(SmsApiBase):
    """What Odoo's queue of SMS talks to: the gateway of the practitioner."""

    PROVIDER_TO_SMS_FAILURE_TYPE = {
        **SmsApiBase.PROVIDER_TO_SMS_FAILURE_TYPE,
        "wrong_number": "sms_number_format",
        "unreachable": "sms_server",
        "refused": "unknown",
        "no_gateway": "sms_acc",
    }

    def __init__(self, env, company=None, account=None):
        super().__init__(env, account=account)
        self._set_company(company or env.company)

    def _send_sms_batch(self, messages, delivery_reports_url=False):
        """See `sms`: list of texts with their numbers → list of results."""
        flat = [
            (entry["number"], message["content"], entry["uuid"])
            for message in messages
            for entry in message["numbers"]
        ]
        gateway = self.env["health.sms.gateway"]._of(self.company)
        if not gateway:
            reason = self.env._("No SMS gateway is set up: see Settings, SMS gateways.")
            return [
                {"uuid": uuid, "state": "no_gateway", "failure_reason": reason}
                for _number, _text, uuid in flat
            ]
        try:
            given = {result.uuid: result for result in gateway._give(flat)}
        except GatewayError as error:
            return [
                {"uuid": uuid, "state": "refused", "failure_reason": str(error)}
                for _number, _text, uuid in flat
            ]
        return [
            {
                "uuid": uuid,
                "state": "success" if given[uuid].outcome == "accepted" else given[uuid].outcome,
                "failure_reason": given[uuid].reason,
                "reference": given[uuid].reference,
                "gateway_id": gateway.id,
            }
            if uuid in given
            else {"uuid": uuid, "state": "unreachable", "failure_reason": ""}
            for _number, _text, uuid in flat
        ]


class ResCompany(models.Model):
    _inherit = "res.company"

    def _get_sms_api_class(self):
        """Override of `sms`: the agency's own gateway, never the paid service of Odoo."""
        self.ensure_one()
        return GatewayApi

    def _health_open_channels(self):
        """Override: SMS where a gateway is set up."""
        channels = super()._health_open_channels()
        return channels | {"sms"} if self.env["health.sms.gateway"]._of(self) else channels
