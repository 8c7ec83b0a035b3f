"""What every command has."""

from typing import Annotated

from signaling.protocol.fields import CommandId, ConsultRef, Shape


class Asked(Shape):
    """What every command has."""

    command_id: Annotated[
        CommandId, "Made by the client; the same id again is answered again, not done again."
    ]


class About(Asked):
    """A message about a consult."""

    consult_id: Annotated[ConsultRef | None, "Required from a board, absent from a seat."] = None
