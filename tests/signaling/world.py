"""A clinic for tests: people with names, a service on fakes, and a consult brought to where a test begins."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from signaling.consult.ids import ClinicId, ConnectionId, ConsultId, DeviceId, ParticipantId, UserId
from signaling.consult.values import Policy, Role
from signaling.errors import Code, Refused
from signaling.ports import BoardEntry, Nobody, Others, SeatEntry
from signaling.protocol import codec, messages
from signaling.protocol.shapes import BoardView, ConsultView
from signaling.service import Presences, Service
from tests.signaling.fakes import (
    CountingIds,
    FakeClock,
    MemoryInterpreters,
    MemoryInvitations,
    MemoryMedia,
    MemoryStore,
    OneClinic,
    OneRelay,
    OneText,
    Sent,
)

CLINIC = ClinicId("clinic")
DR_CHEN = UserId("u-chen")
DR_OKAFOR = UserId("u-okafor")
MARIA = UserId("u-maria")  # the coordinator
LEILA = UserId("u-leila")  # an interpreter of the house
STAFF = {
    DR_CHEN: Role.PHYSICIAN,
    DR_OKAFOR: Role.PHYSICIAN,
    MARIA: Role.COORDINATOR,
    LEILA: Role.INTERPRETER,
}
PHONE = DeviceId("d-phone")
LAPTOP = DeviceId("d-laptop")
HASH = "0" * 64
NO_CONSULT = ConsultId("")


@dataclass
class World:
    """One server with everything around it."""

    store: MemoryStore = field(default_factory=MemoryStore)
    media: MemoryMedia = field(default_factory=MemoryMedia)
    clock: FakeClock = field(default_factory=FakeClock)
    ids: CountingIds = field(default_factory=CountingIds)
    invitations: MemoryInvitations = field(default_factory=MemoryInvitations)
    clinics: OneClinic = field(default_factory=lambda: OneClinic(staff=dict(STAFF)))
    texts: OneText = field(default_factory=OneText)
    sent: Sent = field(default_factory=Sent)
    presence: Presences = field(default_factory=Presences)
    others: Others = field(default_factory=Nobody)
    interpreters: MemoryInterpreters | None = None
    consult: ConsultId = field(default=NO_CONSULT)
    people: dict[Role, ParticipantId] = field(default_factory=dict)
    commands: int = 0

    def __post_init__(self) -> None:
        self.register = self.interpreters or MemoryInterpreters(store=self.store)
        self.service = self.restarted()

    def restarted(self) -> Service:
        """A service that knows nothing yet."""
        return Service(
            store=self.store,
            presence=self.presence,
            media=self.media,
            relays=OneRelay(),
            clock=self.clock,
            ids=self.ids,
            invitations=self.invitations,
            clinics=self.clinics,
            texts=self.texts,
            outbox=self.sent,
            policy=Policy(),
            interpreters=self.register,
            others=self.others,
        )

    async def restart(self) -> None:
        """The server dies and starts again a second later; presence is lost, the media plane lives on."""
        self.presence = Presences()
        self.clock.pass_s(1)
        self.service = self.restarted()
        await self.service.start()
        await self.service.count_absent(alone=True)

    async def ask(self, who: str, what: str, /, **fields: Any) -> messages.Answer:
        """Send one message as a browser would and return the answer."""
        connection = ConnectionId(who)
        message = {"type": what, **fields}
        if what not in NOT_COMMANDS:
            self.commands += 1
            message.setdefault("command_id", f"command-{self.commands}")
        board = who in self.boards
        return await self.service.handle(connection, codec.decode(message, board=board))

    boards: set[str] = field(default_factory=set)

    async def open_board(self, who: str, user: UserId, clinic: ClinicId = CLINIC) -> None:
        """A member of staff opens the board."""
        self.boards.add(who)
        entry = BoardEntry(clinic=clinic, user=user, role=STAFF[user])
        await self.service.attach(ConnectionId(who), entry)

    async def connect(
        self,
        who: str,
        role: Role,
        device: DeviceId | None = None,
        peer: str | None = None,
        *,
        further: bool = False,
    ) -> None:
        """Someone opens the page of their seat."""
        entry = SeatEntry(
            consult=self.consult,
            participant=self.people[role],
            device=device or DeviceId(f"d-{role}"),
            further=further,
        )
        await self.service.attach(ConnectionId(who), entry, peer=peer)  # type: ignore[arg-type]

    async def drop(self, who: str) -> None:
        """A connection closes."""
        await self.service.detach(ConnectionId(who))

    async def scheduled(self) -> None:
        """A consult of patient, companion, physician and interpreter, at noon; Maria's board is open."""
        await self.open_board("maria", MARIA)
        starts_at = self.clock.now() + timedelta(minutes=10)
        answer = await self.ask(
            "maria",
            "schedule",
            starts_at=starts_at.isoformat(),
            ends_at=(starts_at + timedelta(minutes=30)).isoformat(),
            people=[
                {
                    "role": "patient",
                    "language": "ar",
                    "name": "Amal Haddad",
                    "birth_year": 1980,
                    "time_zone": "Asia/Dubai",
                    "country": "AE",
                    "city": "Dubai",
                },
                {"role": "companion", "language": "ar", "name": "Omar Haddad"},
                {"role": "physician", "language": "en", "user": DR_CHEN, "name": "Dr Grace Chen"},
                {"role": "interpreter", "language": "ar", "name": "Nour Saleh"},
            ],
        )
        assert isinstance(answer, messages.Accepted)
        assert answer.consult_id is not None
        self.consult = answer.consult_id
        consult = await self.store.load(self.consult)
        assert consult is not None
        self.people = {p.role: p.id for p in consult.participants}

    async def waiting(self) -> None:
        """Patient and interpreter wait, the physician is in the room; all have offered media."""
        await self.scheduled()
        for who, role in (
            ("amal", Role.PATIENT),
            ("chen", Role.PHYSICIAN),
            ("nour", Role.INTERPRETER),
        ):
            await self.connect(who, role)
            await self.ask(who, "arrive")
            await self.ask(who, "connect_media", offer="v=0")
        await self.ask("amal", "give_consent", text_id="telehealth-1", text_hash=HASH, language="ar")

    async def in_room(self) -> None:
        """Everybody who waited is admitted."""
        await self.waiting()
        await self.admit("amal", Role.PATIENT)
        await self.admit("nour", Role.INTERPRETER)

    async def admit(self, who: str, role: Role, **fields: Any) -> messages.Answer:
        """The physician admits someone."""
        del who
        return await self.ask(
            "chen", "admit", participant=self.people[role], identity_confirmed=True, **fields
        )

    def view(self, who: str) -> ConsultView:
        """The newest view a connection was sent."""
        views = [m for m in self.sent.messages[ConnectionId(who)] if isinstance(m, ConsultView)]
        return views[-1]

    def board(self, who: str) -> BoardView:
        """The newest board a connection was sent."""
        boards = [m for m in self.sent.messages[ConnectionId(who)] if isinstance(m, BoardView)]
        return boards[-1]

    def told(self, who: str) -> list[str]:
        """The types of everything a connection was sent, views left out."""
        return [m.type for m in self.sent.messages.get(ConnectionId(who), []) if "view" not in m.type]

    def closed(self, who: str) -> bool:
        """Whether the server has closed a connection."""
        return ConnectionId(who) in self.sent.closed

    async def peer_of(self, role: Role) -> str | None:
        """The peer of a participant."""
        return (await self.presence.get(self.consult)).of(self.people[role]).peer

    async def hear_each_other(self) -> set[tuple[Role, Role]]:
        """Who is forwarded to whom now, by role: (speaker, listener)."""
        presence = await self.presence.get(self.consult)
        roles = {presence.of(p).peer: role for role, p in self.people.items()}
        return {(roles[a], roles[b]) for a, b in self.media.links(self.consult)}  # type: ignore[index]


NOT_COMMANDS = frozenset(
    {
        "set_media",
        "report_device_check",
        "report_connection",
        "fetch_chat",
        "connect_media",
        "close_media",
        "open_board",
        "set_availability",
        "set_direction",
        "prefer_original",
    }
)


async def refused(world: World, who: str, what: str, /, **fields: object) -> Code:
    """The code a message is refused with."""
    with pytest.raises(Refused) as caught:
        await world.ask(who, what, **fields)
    return caught.value.code
