"""The signalling socket: browsers on one side, the service on the other."""

from signaling.gateway.client import Limits
from signaling.gateway.shell import PATH, Gateway

__all__ = ["PATH", "Gateway", "Limits"]
