"""What every event has."""

from dataclasses import dataclass
from datetime import datetime

from signaling.consult.ids import ActorId


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that has happened: when (UTC), and who caused it."""

    at: datetime
    by: ActorId
