"""What a decider is given: the consult, who acts, and when."""

from dataclasses import dataclass
from datetime import datetime

from signaling.consult.events import Event
from signaling.consult.ids import ActorId, ParticipantId
from signaling.consult.values import Consult, Participant, Role
from signaling.errors import Code, Refused

Events = tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One command to decide. `role` is None for the clock; `me` is None without a seat in the consult."""

    consult: Consult
    by: ActorId
    role: Role | None
    me: Participant | None
    now: datetime

    @property
    def myself(self) -> Participant:
        """The acting participant; the table lets nobody else through to the deciders that ask."""
        if self.me is None:
            raise Refused(Code.NOT_PERMITTED, "only from a seat in the consult")
        return self.me

    def target(self, wanted: ParticipantId) -> Participant:
        """The participant a command is about; refused if there is none."""
        found = self.consult.participant(wanted)
        if found is None:
            raise Refused(Code.NOT_FOUND, "no such participant")
        return found
