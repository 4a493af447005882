"""A patient's page as a browser sees it, for the tests of its parts."""

import re

from odoo.tests import HttpCase
from odoo.tools import mute_logger

from .common import CollectionsCommon


class Refused(Exception):
    """The server answered a call with an error."""


class NoteCase(CollectionsCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls.late("000301", amo=1890, amo_rate=60)
        cls.second = cls.late("000302", patient=840)
        cls.provider = cls.demo_provider(cls.nurse)
        cls.method = cls.provider.payment_method_ids[:1]

    def setUp(self):
        super().setUp()
        self.link, self.token = self.make_link(self.patient)

    def make_link(self, patient):
        link, url = self.env["health.payment.link"]._make_one(patient, "hand")
        return link, url.rsplit("/", 1)[1]

    def page(self, path, status=200):
        response = self.url_open(path, allow_redirects=False)
        self.assertEqual(response.status_code, status, response.text[:500])
        return response

    def transaction(self, token=None, path="payer", **values):
        """Ask the server to start a payment, as the payment form does."""
        token = token or self.token
        form = self.page(f"/ma-note/{self.token}/{path}").text
        params = {
            "provider_id": self.provider.id,
            "payment_method_id": self.method.id,
            "token_id": None,
            "amount": float(re.search(r'data-amount="([\d.]+)"', form)[1]),
            "flow": "direct",
            "tokenization_requested": False,
            "landing_route": "/elsewhere",
            "is_validation": False,
            "access_token": re.search(r'data-access-token="(\w+)"', form)[1],
            **values,
        }
        return self.rpc(f"/ma-note/{token}/transaction/{path}", params)

    def send(self, path, data=None, files=None, status=303):
        """Send a form of the page, as a browser does."""
        response = self.url_open(
            path, data=data or {}, files=files, allow_redirects=False, method="POST"
        )
        self.assertEqual(response.status_code, status, response.text[:500])
        return response

    def requests(self):
        return self.env["health.debtor.request"].search([("company_id", "=", self.nurse.id)])

    def rpc(self, path, params):
        """Result of a call as the browser makes it; AssertionError with the server's message if
        it refuses.
        """
        with mute_logger("odoo.http"):
            answer = self.url_open(path, json={"jsonrpc": "2.0", "id": 0, "params": params}).json()
        if "error" in answer:
            raise Refused(answer["error"]["data"]["message"])
        return answer.get("result")

    def refused(self, call, *args, **values):
        """What the server says when it refuses a call.

        Not `assertRaises`: Odoo's undoes what was done meanwhile, so that nothing could be found wrong.
        """
        try:
            call(*args, **values)
        except Refused as refusal:
            return str(refusal)
        raise AssertionError("the server did not refuse")

    def assertRefused(self, token=None, **values):
        count = self.env["payment.transaction"].search_count([])
        said = self.refused(self.transaction, token, **values)
        self.assertEqual(self.env["payment.transaction"].search_count([]), count)
        return said

    def simulate(self, reference, state="done"):
        return self.rpc(
            "/payment/demo/simulate_payment",
            {"reference": reference, "payment_details": "4242", "simulated_state": state},
        )

    def pay_online(self):
        reference = self.transaction()["reference"]
        self.simulate(reference)
        poll = self.rpc("/payment/status/poll", {})
        self.assertEqual(poll["state"], "done")
        self.assertEqual(poll["landing_route"], "/ma-note/retour")
        return self.env["payment.transaction"].search([("reference", "=", reference)])
