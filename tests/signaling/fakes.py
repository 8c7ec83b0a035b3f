"""In-memory stand-ins for the ports. The store passes the same contract suite as the real ones."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from signaling.consult.eligibility import Availability, Interpreter
from signaling.consult.events import Event
from signaling.consult.evolve import replay
from signaling.consult.ids import ActorId, ClinicId, ConnectionId, ConsultId, ParticipantId, PeerId, UserId
from signaling.consult.interpreting_events import RingAccepted
from signaling.consult.stored import decode, encode
from signaling.consult.values import OPEN, Consult, Phase, Role
from signaling.errors import Code, Engaged, MediaUnavailable, Unstored, VersionConflict
from signaling.ports import (
    BOARD_ROWS_MAX,
    ChatRow,
    ClinicFacts,
    CommandRow,
    DeskEntry,
    Entry,
    Notes,
    Person,
    PersonChange,
    Relay,
    Routing,
    SeatEntry,
    SideRows,
)
from signaling.protocol.messages import ServerMessage

RUNNING = (Phase.WAITING, Phase.IN_PROGRESS)


@dataclass
class MemoryStore:
    """Consults in dictionaries; events are kept as the JSON a database would keep."""

    events: dict[ConsultId, list[str]] = field(default_factory=dict)
    summaries: dict[ConsultId, tuple[Consult, datetime | None]] = field(default_factory=dict)
    people: dict[ConsultId, dict[ParticipantId, Person]] = field(default_factory=dict)
    messages: dict[ConsultId, list[ChatRow]] = field(default_factory=dict)
    commands: list[CommandRow] = field(default_factory=list)
    cases: dict[ConsultId, str] = field(default_factory=dict)
    engagements: dict[UserId, ConsultId] = field(default_factory=dict)
    numbers: dict[UserId, str] = field(default_factory=dict)
    conflicts: int = 0  # how many of the next appends lose to another writer

    async def load(self, consult: ConsultId) -> Consult | None:
        return replay(None, map(decode, self.events.get(consult, ())))

    async def append(
        self,
        after: Consult,
        events: Sequence[Event],
        *,
        expected_version: int,
        due_at: datetime | None,
        rows: SideRows,
    ) -> None:
        if self.conflicts:
            self.conflicts -= 1
            raise VersionConflict
        if len(self.events.get(after.id, ())) != expected_version:
            raise VersionConflict
        if after.continues is not None and (await self.continued_as(after.continues)) not in (None, after.id):
            raise VersionConflict
        self._check_claims(after.id, events)
        if rows.command is not None:
            if await self.done(rows.command.actor, rows.command.command_id):
                raise VersionConflict
            self.commands.append(rows.command)
        self.events.setdefault(after.id, []).extend(map(encode, events))
        self.summaries[after.id] = (after, due_at)
        directory = self.people.setdefault(after.id, {})
        for change in rows.people:
            directory[change.participant] = _changed(directory.get(change.participant), change)
        self.messages.setdefault(after.id, []).extend(rows.chat)
        if rows.case is not None:
            self.cases[after.id] = rows.case
        if after.over:
            self.cases.pop(after.id, None)
        if rows.engaged is not None:
            others = {u: c for u, c in self.engagements.items() if c != after.id}
            self.engagements = dict.fromkeys(rows.engaged, after.id) | others

    def _check_claims(self, consult: ConsultId, events: Sequence[Event]) -> None:
        claims = {event.user for event in events if isinstance(event, RingAccepted)}
        if any(self.engagements.get(user, consult) != consult for user in claims):
            raise Engaged

    async def due(self, now: datetime, *, limit: int) -> Sequence[ConsultId]:
        found = [(at, c.id) for c, at in self.summaries.values() if at is not None and at <= now]
        return [consult for _, consult in sorted(found)[:limit]]

    async def versions(self, consults: Sequence[ConsultId]) -> Mapping[ConsultId, int]:
        return {c: self.summaries[c][0].version for c in consults if c in self.summaries}

    async def live(self, *, limit: int) -> Sequence[ConsultId]:
        found = (c for c, _ in self.summaries.values() if c.phase in OPEN)
        return [c.id for c in found if c.phase in RUNNING or c.opened][:limit]

    async def board(self, clinic: ClinicId, start: datetime, end: datetime) -> Sequence[ConsultId]:
        found = [
            (c.starts_at, c.id)
            for c, _ in self.summaries.values()
            if c.clinic == clinic and (start <= c.starts_at < end or c.phase in RUNNING)
        ]
        return [consult for _, consult in sorted(found)[:BOARD_ROWS_MAX]]

    async def directory(self, consult: ConsultId) -> Mapping[ParticipantId, Person]:
        return dict(self.people.get(consult, {}))

    async def notes(self, consult: ConsultId) -> Notes:
        return Notes(case=self.cases.get(consult), numbers=self.numbers)

    async def ringing(self, clinic: ClinicId) -> Sequence[ConsultId]:
        found = (c for c, _ in self.summaries.values() if c.clinic == clinic and c.request is not None)
        return [c.id for c in found if c.request is not None and c.request.is_open and not c.over]

    async def chat(self, consult: ConsultId, *, after_seq: int, limit: int) -> Sequence[ChatRow]:
        return [row for row in self.messages.get(consult, ()) if row.seq > after_seq][:limit]

    async def done(self, actor: ActorId, command_id: str) -> CommandRow | None:
        found = (one for one in self.commands if (one.actor, one.command_id) == (actor, command_id))
        return next(found, None)

    async def continued_as(self, consult: ConsultId) -> ConsultId | None:
        return next((c.id for c, _ in self.summaries.values() if c.continues == consult), None)


def _changed(person: Person | None, change: PersonChange) -> Person:
    told = {
        name: getattr(change, name)
        for name in PersonChange.__slots__
        if name not in ("participant", "user") and getattr(change, name) is not None
    }
    return replace(person or Person(name=""), **told)


@dataclass
class FakeClock:
    """A clock that is set by hand."""

    time: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def pass_s(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class CountingIds:
    """Ids that tell their order."""

    count: int = 0

    def new(self) -> str:
        self.count += 1
        return f"id{self.count:06d}"


@dataclass
class MemoryMedia:
    """A media plane that remembers what it was told."""

    peers: dict[PeerId, ConsultId] = field(default_factory=dict)
    routings: dict[ConsultId, Routing] = field(default_factory=dict)
    closed: list[ConsultId] = field(default_factory=list)
    fault: Code | None = None  # what the next calls fail with

    async def connect(self, consult: ConsultId, peer: PeerId, offer: str) -> str:
        self._fail()
        self.peers[peer] = consult
        return f"answer to {len(offer)}"

    async def route(self, consult: ConsultId, routing: Routing) -> None:
        self._fail()
        if consult not in self.routings or self.routings[consult].revision < routing.revision:
            self.routings[consult] = routing

    async def close_peer(self, consult: ConsultId, peer: PeerId) -> None:
        self._fail()
        self.peers.pop(peer, None)

    async def close_consult(self, consult: ConsultId) -> None:
        self._fail()
        self.closed.append(consult)
        self.peers = {peer: c for peer, c in self.peers.items() if c != consult}
        self.routings.pop(consult, None)

    def _fail(self) -> None:
        if self.fault is not None:
            raise MediaUnavailable(self.fault)

    def links(self, consult: ConsultId) -> set[tuple[str, str]]:
        """Who hears whom now: (publisher peer, subscriber peer) of every audio link."""
        routing = self.routings.get(consult)
        links = routing.links if routing else frozenset()
        return {(link.publisher, link.subscriber) for link in links if link.source == "audio"}


@dataclass
class MemoryInterpreters:
    """A register by hand; whoever is engaged in the store is busy."""

    store: MemoryStore
    people: dict[UserId, DeskEntry] = field(default_factory=dict)

    async def register(self, consult: Consult) -> Sequence[Interpreter]:
        elsewhere = {user for user, where in self.store.engagements.items() if where != consult.id}
        return [replace(one.interpreter, busy=user in elsewhere) for user, one in self.people.items()]

    async def entry(self, user: UserId) -> DeskEntry | None:
        return self.people.get(user)

    async def set_availability(self, user: UserId, availability: Availability, *, now: datetime) -> bool:
        del now
        return self._change(user, availability=availability)

    async def at_desk(self, users: Collection[UserId], *, now: datetime) -> None:
        for user in users:
            self._change(user, seen_at=now)

    def _change(self, user: UserId, **changes: Any) -> bool:
        entry = self.people.get(user)
        if entry is None:
            return False
        self.people[user] = replace(entry, interpreter=replace(entry.interpreter, **changes))
        return True

    async def expected_s(self, clinic: ClinicId, language: str) -> int:
        del clinic, language
        return 20


class OneRelay:
    """One TURN server, and a password nobody would guess is one."""

    def of(self, participant: ParticipantId) -> Sequence[Relay]:
        return (Relay(urls=("turn:turn.example",), username=f"1:{participant}", credential="pass"),)


@dataclass
class MemoryTickets:
    """Tickets made by hand; each works once."""

    entries: dict[str, Entry] = field(default_factory=dict)
    made: int = 0
    is_away: bool = False  # whatever keeps them does not answer

    def make(self, entry: Entry) -> str:
        self.made += 1
        ticket = f"ticket-number-{self.made:06d}-of-this-test"
        self.entries[ticket] = entry
        return ticket

    async def redeem(self, ticket: str) -> Entry | None:
        self._fail()
        return self.entries.pop(ticket, None)

    async def next(self, seat: SeatEntry) -> str:
        self._fail()
        return self.make(seat)

    def _fail(self) -> None:
        if self.is_away:
            raise Unstored


@dataclass
class MemoryInvitations:
    """Counts the links it makes."""

    issued: list[tuple[ConsultId, ParticipantId]] = field(default_factory=list)

    async def issue(self, consult: ConsultId, participant: ParticipantId) -> str:
        self.issued.append((consult, participant))
        return f"https://clinic.test/v#secret{len(self.issued)}"


@dataclass
class OneClinic:
    """One clinic in Los Angeles."""

    staff: dict[UserId, Role] = field(default_factory=dict)

    def facts(self, clinic: ClinicId) -> ClinicFacts:
        del clinic
        return ClinicFacts(
            name="International Health",
            phone="+1 310 555 0100",
            time_zone="America/Los_Angeles",
            emergency_numbers={"AE": "998", "OM": "9999"},
        )

    async def role_of(self, clinic: ClinicId, user: UserId) -> Role | None:
        return self.staff.get(user) if clinic == "clinic" else None


@dataclass
class OneText:
    """One text to agree to, in Arabic; those about recording also in English. French is not reviewed."""

    text: tuple[str, str, str] = ("telehealth-1", "0" * 64, "ar")

    def is_known(self, text_id: str, text_hash: str, language: str) -> bool:
        about = text_id in ("recording-audio-1", "recording-video-1") and language in ("ar", "en", "fr")
        return (text_id, text_hash, language) == self.text or (about and text_hash == self.text[1])

    def is_reviewed(self, text_id: str, language: str) -> bool:
        del text_id
        return language != "fr"


@dataclass
class Sent:
    """An outbox that keeps what was sent."""

    messages: dict[ConnectionId, list[ServerMessage]] = field(default_factory=dict)
    closed: list[ConnectionId] = field(default_factory=list)

    def send(self, connection: ConnectionId, message: ServerMessage) -> None:
        assert connection not in self.closed, "sent after the close"
        self.messages.setdefault(connection, []).append(message)

    def close(self, connection: ConnectionId) -> None:
        self.closed.append(connection)
