"""What the service needs from outside: storage, media, time, ids, tickets, invitations.

The server provides them. Each port has a contract suite in `tests/contracts/` or a fake in
`tests/signaling/`; every adapter passes the suite.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from signaling.consult.eligibility import Availability, Interpreter
from signaling.consult.events import Event
from signaling.consult.ids import (
    ActorId,
    ClinicId,
    ConnectionId,
    ConsultId,
    DeviceId,
    MessageId,
    ParticipantId,
    PeerId,
    RecordingId,
    UserId,
)
from signaling.consult.news import News
from signaling.consult.people import ClinicFacts, Notes, Person, PersonChange
from signaling.consult.recording import What
from signaling.consult.values import Consult, Role, Source
from signaling.protocol.messages import ServerMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRow:
    """One chat message. `text` is empty once erased."""

    seq: int
    message: MessageId
    participant: ParticipantId
    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRow:
    """A command that was done: whoever sends it again, to whichever server, is told what came of it."""

    actor: ActorId
    command_id: str
    at: datetime
    consult: ConsultId
    participant: ParticipantId | None = None  # whom it was about, where the answer says so


@dataclass(frozen=True, slots=True, kw_only=True)
class SideRows:
    """Rows that commit in the same transaction as the events that refer to them."""

    people: tuple[PersonChange, ...] = ()
    chat: tuple[ChatRow, ...] = ()
    command: CommandRow | None = None
    case: str | None = None  # the case card, in the physician's words; None leaves it as it is
    engaged: frozenset[UserId] | None = None  # the interpreters taken up from here on; None: as before


NO_ROWS = SideRows()
BOARD_ROWS_MAX = 200


class ConsultStore(Protocol):
    """Durable consults: events, and the rows they refer to."""

    async def load(self, consult: ConsultId) -> Consult | None:
        """Return the consult folded from its events (`evolve.replay`), or None."""
        ...

    async def append(
        self,
        after: Consult,
        events: Sequence[Event],
        *,
        expected_version: int,
        due_at: datetime | None,
        rows: SideRows,
    ) -> None:
        """Store `events` as versions expected_version + 1 ..., `rows` and a summary of `after`, or nothing.

        `after` is the consult with `events` applied; its phase, times, version and `due_at` (None: never
        due) are what lists and deadlines are found by. `expected_version` 0 makes a new consult.

        Raises:
            VersionConflict: these versions exist, another consult already `continues` the same one, or
                the same command of the same actor was done.
            Engaged: whoever accepts a ring is taken up by another consult.
        """
        ...

    async def due(self, now: datetime, *, limit: int) -> Sequence[ConsultId]:
        """Consults whose `due_at` is at or before `now`, the longest due first, at most `limit`."""
        ...

    async def live(self, *, limit: int) -> Sequence[ConsultId]:
        """Consults whose phase is waiting or in_progress, or whose waiting room is open; at most `limit`."""
        ...

    async def board(self, clinic: ClinicId, start: datetime, end: datetime) -> Sequence[ConsultId]:
        """Consults of `clinic` starting in [start, end), and its waiting and in_progress ones whenever they
        started, by starts_at then id, at most `BOARD_ROWS_MAX`.
        """
        ...

    async def versions(self, consults: Sequence[ConsultId]) -> Mapping[ConsultId, int]:
        """The version each of these consults has; those that do not exist are left out."""
        ...

    async def directory(self, consult: ConsultId) -> Mapping[ParticipantId, Person]:
        """The people of a consult; empty if there is no such consult."""
        ...

    async def notes(self, consult: ConsultId) -> Notes:
        """What else is noted of a consult."""
        ...

    async def ringing(self, clinic: ClinicId) -> Sequence[ConsultId]:
        """Consults of `clinic` in which an interpreter is rung, or on their way."""
        ...

    async def chat(self, consult: ConsultId, *, after_seq: int, limit: int) -> Sequence[ChatRow]:
        """Chat messages with seq > `after_seq`, in order, at most `limit`."""
        ...

    async def done(self, actor: ActorId, command_id: str) -> CommandRow | None:
        """The command of this actor with this id, if it was done."""
        ...

    async def continued_as(self, consult: ConsultId) -> ConsultId | None:
        """The consult that `continues` this one, or None."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerLink:
    """Forward `source` of one peer to one slot of another. Slots: 0..4 for people, 0 for the screen."""

    publisher: PeerId
    source: Source
    subscriber: PeerId
    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTrack:
    """Keep `source` of a peer as track `number` of the recording."""

    peer: PeerId
    source: Source
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingOrder:
    """Keep these tracks, as long as the routing names no peer that is not one of `agreed`."""

    recording: RecordingId
    what: What
    begun_at: datetime  # the beginning of its time line
    agreed: frozenset[PeerId]
    tracks: frozenset[RecordedTrack]
    consents: str  # SHA-256 (hex) of who agreed to which text


RecordingEnd = Literal["paused", "revoked", "ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Everything that is forwarded and recorded in one consult; whatever is not named is neither."""

    revision: int  # grows with each routing of a consult; an older one is ignored
    links: frozenset[PeerLink]
    recording: RecordingOrder | None = None
    # Where nothing is to be recorded (any more): why, and from when on nothing is kept that has arrived.
    recording_end: RecordingEnd = "paused"
    recording_cut_at: datetime | None = None


class MediaPort(Protocol):
    """The media plane. Notices come back by the service's `media_*` methods."""

    async def connect(self, consult: ConsultId, peer: PeerId, offer: str) -> str:
        """Take a peer's SDP offer and return the answer.

        Raises:
            MediaUnavailable: `bad_offer` if the offer is at fault, `media_unavailable` if we are.
        """
        ...

    async def route(self, consult: ConsultId, routing: Routing) -> None:
        """Make `routing` what is forwarded; a consult without peers needs nothing done."""
        ...

    async def close_peer(self, consult: ConsultId, peer: PeerId) -> None:
        """Stop everything of a peer, at once; an unknown peer needs nothing done."""
        ...

    async def close_consult(self, consult: ConsultId) -> None:
        """Stop everything of a consult, at once; an unknown consult needs nothing done."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """TURN servers, and the credential they accept for a while."""

    urls: tuple[str, ...]
    username: str
    credential: str


class Relays(Protocol):
    """Where media may be relayed when a network blocks the direct way."""

    def of(self, participant: ParticipantId) -> Sequence[Relay]:
        """Fresh credentials for one connection of this participant; empty where there is no relay."""
        ...


class Others(Protocol):
    """The other servers that use the same database; what they say comes by the service's `heard`."""

    def say(self, news: News) -> None:
        """Tell all of them soon. Returns at once and never fails; what is said may be lost."""
        ...


class Nobody:
    """The `Others` of a server that has its database for itself."""

    def say(self, news: News) -> None:
        """Nobody listens."""


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Now, aware, in UTC."""
        ...


class Ids(Protocol):
    """Fresh ids."""

    def new(self) -> str:
        """128 random bits, url-safe."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskEntry:
    """An interpreter's own line of the register."""

    interpreter: Interpreter
    number: str  # said in the introduction, and in the record


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatEntry:
    """A ticket opened a seat in one consult."""

    consult: ConsultId
    participant: ParticipantId
    device: DeviceId
    further: bool = False  # another device had used the invitation before this one


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardEntry:
    """A ticket opened the board of a clinic."""

    clinic: ClinicId
    user: UserId
    role: Role  # physician, coordinator, or an interpreter, who only sees their own consults


Entry = SeatEntry | BoardEntry


class Tickets(Protocol):
    """One-use tickets: one is asked for over HTTP and valid for 30 s, the next comes over the socket."""

    async def redeem(self, ticket: str) -> Entry | None:
        """What the ticket opens, the first time and in time; else None. Never raises for a bad ticket.

        Raises:
            Unstored: what keeps tickets is away; the same ticket may be tried again.
        """
        ...

    async def next(self, seat: SeatEntry) -> str:
        """A ticket for this seat's next connection; an earlier one of the same device stops working.

        Raises:
            Unstored: as above.
        """
        ...


class Interpreters(Protocol):
    """The register of interpreters, and who sits at their desk."""

    async def register(self, consult: Consult) -> Sequence[Interpreter]:
        """Everybody on the clinic's register, as this consult sees them: busy, excluded, known."""
        ...

    async def entry(self, user: UserId) -> DeskEntry | None:
        """What the register says of one interpreter; None if they are not on it."""
        ...

    async def set_availability(self, user: UserId, availability: Availability, *, now: datetime) -> bool:
        """Be rung or not. Returns False for somebody who is not on the register."""
        ...

    async def at_desk(self, users: Collection[UserId], *, now: datetime) -> None:
        """These have their desk open now."""
        ...

    async def expected_s(self, clinic: ClinicId, language: str) -> int:
        """How many seconds it usually took of late until somebody for this language was there."""
        ...


class Invitations(Protocol):
    """Invitation links. The secret is stored hashed; the link is returned once."""

    async def issue(self, consult: ConsultId, participant: ParticipantId) -> str:
        """Make a link for a participant without a staff account; earlier links of theirs stop working."""
        ...


class Clinics(Protocol):
    """The clinics served here, and their staff."""

    def facts(self, clinic: ClinicId) -> ClinicFacts:
        """The facts of a clinic."""
        ...

    async def role_of(self, clinic: ClinicId, user: UserId) -> Role | None:
        """What a member of this clinic's staff is, or None for anybody else."""
        ...


class ConsentTexts(Protocol):
    """The texts people agree to, every version ever shown."""

    def is_known(self, text_id: str, text_hash: str, language: str) -> bool:
        """Whether this is the SHA-256 (hexadecimal) of that text in that language."""
        ...

    def is_reviewed(self, text_id: str, language: str) -> bool:
        """Whether a person has reviewed that text in that language, or none needs to be here."""
        ...


class Outbox(Protocol):
    """Towards the browsers. The gateway is one; calls return at once and never fail."""

    def send(self, connection: ConnectionId, message: ServerMessage) -> None:
        """Send a message, in order with the others; a connection too slow to take it is closed."""
        ...

    def close(self, connection: ConnectionId) -> None:
        """Close a connection after what was sent to it."""
        ...


__all__ = [
    "BOARD_ROWS_MAX",
    "NO_ROWS",
    "BoardEntry",
    "ChatRow",
    "ClinicFacts",
    "Clinics",
    "Clock",
    "CommandRow",
    "ConsentTexts",
    "ConsultStore",
    "DeskEntry",
    "Entry",
    "Ids",
    "Interpreters",
    "Invitations",
    "MediaPort",
    "Nobody",
    "Notes",
    "Others",
    "Outbox",
    "PeerLink",
    "Person",
    "PersonChange",
    "RecordedTrack",
    "RecordingEnd",
    "RecordingOrder",
    "Relay",
    "Relays",
    "Routing",
    "SeatEntry",
    "SideRows",
    "Tickets",
]
