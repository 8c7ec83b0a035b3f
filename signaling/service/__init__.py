"""Load, decide, append, publish: what happens between a message and the views that follow it."""

from signaling.service.presences import InProcessPresence
from signaling.service.service import Service

__all__ = ["InProcessPresence", "Service"]
