"""What every gateway is to be able to do."""

from dataclasses import dataclass


class GatewayError(Exception):
    """The gateway cannot be used at all for now; the text is for a person. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one message given to the gateway."""

    uuid: str
    #: "accepted", "wrong_number", "refused" (for good) or "unreachable" (try again later)
    outcome: str
    reference: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a gateway tells later of one message: delivered, failed, or only on its way."""

    reference: str
    #: "delivered", "failed" or "pending"
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """An SMS that somebody sent to us."""

    number: str
    text: str


class Gateway:
    """One gateway with its settings, a record of `health.sms.gateway` with full rights."""

    def __init__(self, settings):
        self.settings = settings

    def send(self, number: str, text: str, uuid: str) -> Result:
        """Give one message; ``uuid`` is the same when it is tried again: a good gateway sends it once."""
        raise NotImplementedError

    def read_report(self, values: dict) -> Report | None:
        """What the gateway called us for, if it is a report on a message."""
        raise NotImplementedError

    def read_incoming(self, values: dict) -> Incoming | None:
        """What the gateway called us for, if it is a message of somebody."""
        raise NotImplementedError
