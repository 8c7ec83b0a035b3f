"""The boards of a clinic's staff: sent anew, at most a few times a second, when something on them changed."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from signaling.consult.ids import ClinicId, ConnectionId, ConsultId
from signaling.consult.values import StaffUser
from signaling.errors import Code, Refused
from signaling.ports import BoardEntry, Clinics, Clock, Outbox
from signaling.protocol.interpreting_shapes import DeskView
from signaling.protocol.shapes import BoardRow
from signaling.protocol.views import Seen, board_for, on_board, row_for
from signaling.service.connections import Board, Connections
from signaling.service.consults import Consults

ROWS_KEPT_MAX: Final = 5000  # rows made for one viewer and still true


def staff(entry: BoardEntry) -> StaffUser:
    """The member of staff acting from a board."""
    return StaffUser(user=entry.user, role=entry.role, clinic=entry.clinic)


async def _no_desk(_: BoardEntry) -> DeskView | None:
    return None


class Boards:
    """Sends boards."""

    def __init__(
        self,
        *,
        consults: Consults,
        connections: Connections,
        clinics: Clinics,
        clock: Clock,
    ) -> None:
        """No board is open yet."""
        self._consults = consults
        self._connections = connections
        self._clinics = clinics
        self._clock = clock
        self._changed: set[ClinicId] = set()
        self.desk_of: Callable[[BoardEntry], Awaitable[DeskView | None]] = _no_desk
        self._rows: dict[tuple[StaffUser, ConsultId], tuple[Seen, BoardRow]] = {}

    def mark(self, clinic: ClinicId) -> None:
        """Something on this clinic's boards has changed."""
        self._changed.add(clinic)

    def turn_the_page(self) -> None:
        """Boards that show today are due anew when the clinic's day has changed."""
        for clinic in self._connections.clinics():
            today = self._today(clinic).isoformat()
            if any(b.day is None and b.shown != today for _, b in self._connections.boards(clinic)):
                self.mark(clinic)

    def _today(self, clinic: ClinicId) -> date:
        return self._clock.now().astimezone(ZoneInfo(self._clinics.facts(clinic).time_zone)).date()

    async def flush(self, outbox: Outbox) -> None:
        """Send the boards that have changed since the last flush."""
        for clinic in tuple(self._changed):
            self._changed.discard(clinic)
            try:
                for connection, board in self._connections.boards(clinic):
                    await self.show(connection, board, outbox)
            except Exception:
                self.mark(clinic)  # what failed is sent the next time
                raise

    def open_day(self, connection: ConnectionId, day: str | None) -> Board:
        """Choose the day a board shows; None is today."""
        board = self._connections.board(connection)
        if board is None:
            raise Refused(Code.NOT_PERMITTED, "only on a board")
        if day is not None:
            try:
                date.fromisoformat(day)
            except ValueError as error:
                raise Refused(Code.BAD_TIMES, "no such day") from error
        board.day = day
        return board

    async def show(self, connection: ConnectionId, board: Board, outbox: Outbox) -> None:
        """Send one board."""
        entry, now = board.entry, self._clock.now()
        zone = self._clinics.facts(entry.clinic).time_zone
        day = date.fromisoformat(board.day) if board.day else self._today(entry.clinic)
        rows = await self._rows_for(staff(entry), *_day(day, zone), now)
        board.revision += 1
        board.shown = day.isoformat()
        view = board_for(
            day.isoformat(),
            rows,
            viewer=staff(entry),
            time_zone=zone,
            revision=board.revision,
            now=now,
            desk=await self.desk_of(entry),
        )
        if self._connections.board(connection) is board:  # it may have closed meanwhile
            outbox.send(connection, view)

    async def _rows_for(
        self, viewer: StaffUser, start: datetime, end: datetime, now: datetime
    ) -> Sequence[BoardRow]:
        rows = []
        for consult in await self._consults.store.board(viewer.clinic, start, end):
            seen = await self._consults.seen(consult)
            if on_board(seen.consult, viewer):
                rows.append(self._row(viewer, seen, now))
        return rows

    def _row(self, viewer: StaffUser, seen: Seen, now: datetime) -> BoardRow:
        """A row shows nothing but what `seen` holds, so it is made again only when that is another one."""
        kept = self._rows.get((viewer, seen.consult.id))
        if kept is not None and _same(kept[0], seen):
            return kept[1]
        if len(self._rows) >= ROWS_KEPT_MAX:
            self._rows.clear()
        row = row_for(seen, viewer, now=now)
        self._rows[viewer, seen.consult.id] = (seen, row)
        return row


def _same(one: Seen, other: Seen) -> bool:
    """Whether both hold the very same values; they are immutable, so being the same object will do."""
    return (
        one.consult is other.consult
        and one.presence is other.presence
        and one.people is other.people
        and one.continued_as == other.continued_as
    )


def _day(day: date, zone: str) -> tuple[datetime, datetime]:
    """The start and end of a date in a time zone; 23 to 25 hours apart."""
    midnight = datetime.combine(day, time.min, tzinfo=ZoneInfo(zone))
    following = datetime.combine(day + timedelta(days=1), time.min, tzinfo=ZoneInfo(zone))
    return midnight, following
