"""Who sends what in which moment of a consult, and what comes of it."""

from typing import Any, Final, get_args

from pydantic import BaseModel

from signaling.consult.ids import ClinicId, ConnectionId, ConsultId, ParticipantId, UserId
from signaling.consult.values import Role
from signaling.errors import ProtocolError, Refused
from signaling.ports import BoardEntry
from signaling.protocol import messages
from tests.signaling.world import CLINIC, DR_CHEN, DR_OKAFOR, HASH, LEILA, MARIA, NOT_COMMANDS, World


def _board(user: UserId, role: Role, clinic: str = CLINIC) -> BoardEntry:
    return BoardEntry(clinic=ClinicId(clinic), user=user, role=role)


SEATS: Final = {
    "patient": Role.PATIENT,
    "companion": Role.COMPANION,
    "interpreter": Role.INTERPRETER,
    "physician": Role.PHYSICIAN,
}
BOARDS: Final = {
    "dr chen": _board(DR_CHEN, Role.PHYSICIAN),  # the physician of the consult
    "outsider": _board(DR_OKAFOR, Role.PHYSICIAN),
    "coordinator": _board(MARIA, Role.COORDINATOR),
    "desk": _board(LEILA, Role.INTERPRETER),
    "elsewhere": _board(UserId("u-far"), Role.COORDINATOR, "elsewhere"),
}
EVERYBODY: Final = (*SEATS, *BOARDS)
PERSON: Final = {"role": "companion", "language": "en", "name": "One More"}
PATIENT: Final = PERSON | {
    "role": "patient",
    "birth_year": 1980,
    "time_zone": "Asia/Dubai",
    "country": "AE",
    "city": "Dubai",
}
FIELDS: Final[dict[str, Any]] = {
    "text_id": "telehealth-1",
    "text_hash": HASH,
    "language": "ar",
    "country": "AE",
    "text": "words",
    "audio_on": True,
    "video_on": True,
    "check": {"camera": None, "microphone": None, "speaker": None, "network": None},
    "level": "good",
    "after_seq": 0,
    "offer": "v=0",
    "peer": "0123456789abcdef",
    "identity_confirmed": True,
    "name": "Somebody",
    "kind": "soon",
    "minutes": 10,
    "starts_at": "2026-03-02T11:00:00Z",
    "ends_at": "2026-03-02T11:30:00Z",
    "person": PERSON,
    "day": None,
    "mode": "video",
    "request": 1,
    "availability": "available",
    "into": "patient",
    "prefers": True,
    "what": "video",
    "no": 1,
}
# The same name for different things.
OF_VERB: Final[dict[str, dict[str, str]]] = {
    "set_mode": {"mode": "simultaneous"},
    "give_signal": {"kind": "repeat"},
    "ask_recording": {"text_id": "recording-video-1"},
    "agree_to_recording": {"text_id": "recording-video-1"},
}
MOMENTS: Final = {
    "admit": "waiting",
    "decline": "waiting",
    "resume": "on hold",
    "reschedule": "scheduled",
    "cancel": "scheduled",
    "continue_consult": "ended",
    "ring_again": "searching",
    "use_phone_line": "searching",
    "close_request": "searching",
    "agree_to_recording": "asked",
    "refuse_recording": "asked",
    "stop_recording": "asked",
}
REASONS: Final = {"decline": "not_expected", "end": "completed", "cancel": "mistake"}


def shapes() -> dict[str, type[BaseModel]]:
    """Every message a client may send, by its type."""
    every = get_args(messages.SeatMessage | messages.ConsultMessage | messages.BoardMessage)
    return {get_args(shape.model_fields["type"].annotation)[0]: shape for shape in every}


class Scene:
    """Two consults of a clinic, the first one brought to a moment; everybody has a page of it open."""

    def __init__(self) -> None:
        self.world = World()
        self.other: tuple[ConsultId, dict[Role, ParticipantId]] = (ConsultId(""), {})

    async def begin(self, moment: str) -> None:
        """To `scheduled`, `waiting`, `in room`, `searching`, `asked`, `on hold` or `ended`."""
        world = self.world
        await world.scheduled()
        self.other = (world.consult, world.people)
        await (world.scheduled if moment == "scheduled" else world.waiting)()
        for who, role in SEATS.items():
            await world.connect(who, role)
        if moment != "scheduled":
            await world.ask("companion", "arrive")
            await world.ask(
                "companion", "give_consent", text_id="telehealth-1", text_hash=HASH, language="ar"
            )
        if moment not in ("scheduled", "waiting"):
            for role in (Role.PATIENT, Role.COMPANION, Role.INTERPRETER):
                await world.ask("physician", "admit", participant=world.people[role], identity_confirmed=True)
        if moment == "searching":
            await world.ask("physician", "request_interpreter")
        if moment == "asked":
            await self.ask("physician", "ask_recording", other=False)
        if moment == "on hold":
            await world.ask("physician", "hold", participant=world.people[Role.INTERPRETER])
        if moment == "ended":
            await world.ask("physician", "end", reason="completed")
        for who, entry in BOARDS.items():
            world.boards.add(who)
            await world.service.attach(ConnectionId(who), entry)

    async def ask(self, who: str, verb: str, *, other: bool, **said: str) -> str:
        """Send a message that is well formed: `done`, or the code it was refused with.

        Args:
            who: a seat of the first consult or somebody with a board.
            verb: the type of the message.
            other: about the second consult and the people in it.
            said: fields in place of the usual ones.
        """
        consult, people = self.other if other else (self.world.consult, self.world.people)
        role = Role.PATIENT if who == "interpreter" else Role.INTERPRETER
        message = {
            "participant": people[role],
            "reason": REASONS.get(verb),
            **FIELDS,
            **OF_VERB.get(verb, {}),
            **said,
        }
        if verb == "request_interpreter":
            message.pop("language")
        fields = {name: message[name] for name in shapes()[verb].model_fields if name in message}
        if verb == "schedule":
            fields["people"] = [PATIENT, {"role": "physician", "language": "en", "user": DR_CHEN}]
        named = shapes()[verb].model_fields.get("consult_id")
        if named is not None and (other or who in BOARDS or named.is_required()):
            fields["consult_id"] = consult
        if verb in NOT_COMMANDS:
            fields.pop("command_id", None)
        try:
            await self.world.ask(who, verb, **fields)
        except (Refused, ProtocolError) as error:
            return str(error.code)
        return "done"
