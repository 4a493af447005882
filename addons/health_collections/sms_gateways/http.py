"""Any gateway with a plain HTTP interface: what is asked and how the answer reads are settings."""

import json

import requests

from .base import Gateway, GatewayError, Incoming, Report, Result

#: seconds to connect, and to wait for the answer
TIMEOUT = (5, 15)
#: characters of an answer that are kept to tell a person why
KEPT = 200
WRONG_NUMBER = 422


def dig(values, path):
    """The value at a dotted path of a JSON answer, or None.

    >>> dig({"messages": [{"id": 7}]}, "messages.0.id"), dig({"a": 1}, "b.c"), dig("text", "")
    (7, None, None)
    """
    if not path:
        return None
    for name in path.split("."):
        if isinstance(values, dict):
            values = values.get(name)
        elif isinstance(values, list) and name.isdigit() and int(name) < len(values):
            values = values[int(name)]
        else:
            return None
    return values


def fill(pattern, words):
    """A JSON pattern with its words in braces replaced; only after it was read, so that nothing can break out.

    >>> fill({"to": "{number}", "n": 1, "l": ["{text}"]}, {"number": "+33", "text": 'a"b'})
    {'to': '+33', 'n': 1, 'l': ['a"b']}
    """
    if isinstance(pattern, dict):
        return {key: fill(value, words) for key, value in pattern.items()}
    if isinstance(pattern, list):
        return [fill(value, words) for value in pattern]
    if isinstance(pattern, str):
        for name, value in words.items():
            pattern = pattern.replace("{%s}" % name, value)
    return pattern


def listed(text):
    return {word.strip().lower() for word in (text or "").split(",")} - {""}


class HttpGateway(Gateway):
    def send(self, number, text, uuid):
        settings = self.settings
        words = {
            "number": number,
            "digits": number.lstrip("+"),
            "sender": settings.sender or "",
            "reference": uuid,
            "callback": settings._callback_address(),
            # last: a text that holds braces is nobody's pattern
            "text": text,
        }
        try:
            answer = requests.request(
                settings.method,
                settings.url,
                timeout=TIMEOUT,
                # what is signed for one server is not told to another
                allow_redirects=False,
                headers=self._headers(),
                auth=(settings.login or "", settings.secret or "")
                if settings.auth == "basic"
                else None,
                **self._payload(fill(json.loads(settings.pattern), words)),
            )
        except requests.exceptions.InvalidURL as error:
            raise GatewayError(
                settings.env._("The address of the gateway is not valid.")
            ) from error
        except requests.RequestException as error:
            return Result(uuid, "unreachable", reason=type(error).__name__)
        return self._read(answer, uuid)

    def _headers(self):
        settings = self.settings
        if settings.auth == "bearer":
            return {"Authorization": f"Bearer {settings.secret or ''}"}
        if settings.auth == "header":
            return {settings.login or "X-Api-Key": settings.secret or ""}
        return {}

    def _payload(self, values):
        if self.settings.method == "GET":
            return {"params": values}
        return {"json": values} if self.settings.body == "json" else {"data": values}

    def _read(self, answer, uuid):
        settings = self.settings
        try:
            values = answer.json()
        except ValueError:
            values = None
        reason = f"{answer.status_code} {(answer.text or '')[:KEPT]}".strip()
        if answer.status_code == requests.codes.too_many_requests or answer.status_code >= 500:
            return Result(uuid, "unreachable", reason=reason)
        if answer.status_code == WRONG_NUMBER:
            return Result(uuid, "wrong_number", reason=reason)
        if not 200 <= answer.status_code < 300:
            return Result(uuid, "refused", reason=reason)
        if settings.answer_path:
            found = str(dig(values, settings.answer_path) or "").lower()
            if found not in listed(settings.answer_good):
                return Result(uuid, "refused", reason=reason)
        reference = dig(values, settings.reference_path)
        return Result(uuid, "accepted", reference=str(reference) if reference else uuid)

    def read_report(self, values):
        settings = self.settings
        reference = dig(values, settings.report_reference)
        status = dig(values, settings.report_status)
        if not reference or status is None:
            return None
        status = str(status).lower()
        if status in listed(settings.report_delivered):
            outcome = "delivered"
        else:
            outcome = "failed" if status in listed(settings.report_failed) else "pending"
        return Report(str(reference), outcome, status)

    def read_incoming(self, values):
        number = dig(values, self.settings.incoming_number)
        text = dig(values, self.settings.incoming_text)
        if not number or text is None:
            return None
        return Incoming(str(number), str(text))
