"""Load, decide, append, publish: what happens between a message and the views that follow it."""

from signaling.service.presences import Presences
from signaling.service.service import Service

__all__ = ["Presences", "Service"]
