"""Roads for SMS. A gateway is a small class; `health.sms.gateway` says which one and with what settings.

An addon that brings another gateway adds its code to the field `kind` and answers in `_gateway_class`.
"""

from .base import Gateway, GatewayError, Incoming, Report, Result
from .http import HttpGateway

__all__ = ["Gateway", "GatewayError", "HttpGateway", "Incoming", "Report", "Result"]
