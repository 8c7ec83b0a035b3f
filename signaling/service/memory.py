"""Answers already given, so that a command sent twice happens once."""

from collections import OrderedDict
from typing import Final

from signaling.consult.ids import ActorId
from signaling.protocol.messages import Answer

ACTORS_MAX: Final = 4096
ANSWERS_MAX: Final = 64  # per actor; a client repeats within seconds, not hundreds of commands later


class Answers:
    """The last answers to each actor, by the `command_id` the client made."""

    def __init__(self) -> None:
        """Nothing was answered yet."""
        self._actors: OrderedDict[ActorId, OrderedDict[str, Answer]] = OrderedDict()

    def get(self, actor: ActorId, command_id: str) -> Answer | None:
        """What this actor was answered to this id, or None."""
        return self._actors.get(actor, OrderedDict()).get(command_id)

    def put(self, actor: ActorId, command_id: str, answer: Answer) -> None:
        """Remember an answer, forgetting the oldest of too many."""
        answers = self._actors.setdefault(actor, OrderedDict())
        self._actors.move_to_end(actor)
        answers[command_id] = answer
        if len(answers) > ANSWERS_MAX:
            answers.popitem(last=False)
        if len(self._actors) > ACTORS_MAX:
            self._actors.popitem(last=False)
