"""Which connections are open here, and what each is for."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from signaling.consult.ids import ClinicId, ConnectionId, ConsultId, DeviceId, ParticipantId, UserId
from signaling.consult.values import Role
from signaling.ports import BoardEntry, Entry, SeatEntry


@dataclass(slots=True, kw_only=True)
class Board:
    """An open board: the day asked for (None is today), the one last shown, the boards sent so far."""

    entry: BoardEntry
    day: str | None = None
    shown: str | None = None
    revision: int = 0


class Connections:
    """The open connections by id, by consult and by clinic."""

    def __init__(self) -> None:
        """None is open."""
        self._entries: dict[ConnectionId, Entry] = {}
        self._seats: dict[ConsultId, dict[ConnectionId, SeatEntry]] = {}
        self._boards: dict[ClinicId, dict[ConnectionId, Board]] = {}

    def add(self, connection: ConnectionId, entry: Entry) -> None:
        """A connection opened."""
        self._entries[connection] = entry
        if isinstance(entry, SeatEntry):
            self._seats.setdefault(entry.consult, {})[connection] = entry
        else:
            self._boards.setdefault(entry.clinic, {})[connection] = Board(entry=entry)

    def remove(self, connection: ConnectionId) -> Entry | None:
        """A connection is gone; returns what it was for, None if that is known already."""
        entry = self._entries.pop(connection, None)
        if isinstance(entry, SeatEntry):
            seats = self._seats[entry.consult]
            del seats[connection]
            if not seats:
                del self._seats[entry.consult]
        elif isinstance(entry, BoardEntry):
            boards = self._boards[entry.clinic]
            del boards[connection]
            if not boards:
                del self._boards[entry.clinic]
        return entry

    def entry(self, connection: ConnectionId) -> Entry | None:
        """What a connection is for."""
        return self._entries.get(connection)

    def seats(self, consult: ConsultId) -> tuple[tuple[ConnectionId, SeatEntry], ...]:
        """The seat connections of a consult, the oldest first."""
        return tuple(self._seats.get(consult, {}).items())

    def of(self, consult: ConsultId, participant: ParticipantId) -> tuple[tuple[ConnectionId, DeviceId], ...]:
        """One participant's connections and their devices, the oldest first."""
        return tuple(
            (connection, entry.device)
            for connection, entry in self.seats(consult)
            if entry.participant == participant
        )

    def consults(self) -> tuple[ConsultId, ...]:
        """The consults somebody is connected to."""
        return tuple(self._seats)

    def board(self, connection: ConnectionId) -> Board | None:
        """The board of a connection."""
        entry = self._entries.get(connection)
        if not isinstance(entry, BoardEntry):
            return None
        return self._boards[entry.clinic][connection]

    def accounts(self) -> frozenset[UserId]:
        """The accounts with an open board."""
        return frozenset(entry.user for entry in self._entries.values() if isinstance(entry, BoardEntry))

    def desks(self) -> frozenset[UserId]:
        """The interpreters with their desk open."""
        boards = (entry for entry in self._entries.values() if isinstance(entry, BoardEntry))
        return frozenset(entry.user for entry in boards if entry.role is Role.INTERPRETER)

    def of_account(self, user: UserId, devices: Collection[DeviceId]) -> tuple[ConnectionId, ...]:
        """The boards of an account, and the seats on these devices."""
        return tuple(
            connection
            for connection, entry in self._entries.items()
            if (entry.user == user if isinstance(entry, BoardEntry) else entry.device in devices)
        )

    def boards(self, clinic: ClinicId) -> Iterator[tuple[ConnectionId, Board]]:
        """The open boards of a clinic."""
        return iter(tuple(self._boards.get(clinic, {}).items()))

    def clinics(self) -> tuple[ClinicId, ...]:
        """The clinics with an open board."""
        return tuple(self._boards)
