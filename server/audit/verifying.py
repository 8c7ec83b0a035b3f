"""Is the log what was written? Looks at every entry, and at what checkpoints say the log was.

Checkpoints that were shipped elsewhere ("anchors") decide: whoever can write the database can write a whole
new chain, but not one that these are checkpoints of.
"""

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.audit.erasing import erased
from server.audit.log import CHAIN
from server.audit.notes import Checkpoint, NoteError, PublicKey, opened
from server.audit.tree import Peaks
from server.audit.walking import Fault, Walk, pages
from server.storage.audit_tables import AuditCheckpoint, AuditHead, AuditRow

VERIFY_PAGE_ENTRIES: Final = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found. `entries` were looked at, from number `first` on; `anchored` is the last entry that an
    anchor vouches for, `checkpoints` is how many stored ones and anchors the entries were compared with.
    """

    faults: Sequence[Fault]
    first: int
    entries: int
    anchored: int
    checkpoints: int


@dataclass(frozen=True, slots=True)
class _Said:
    """A checkpoint and where it is from."""

    checkpoint: Checkpoint
    source: str
    is_anchor: bool


class Verification:
    """One look at a log."""

    def __init__(
        self,
        connection: AsyncConnection,
        keys: Collection[PublicKey],
        *,
        anchors: Mapping[str, str] | None = None,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> None:
        """Only checkpoints that one of `keys` has signed count. `anchors` are notes by file name."""
        self._connection = connection
        self._keys = tuple(keys)
        self._anchors = anchors or {}
        self._progress = progress
        self._faults: list[Fault] = []
        self._said: list[_Said] = []
        self._anchored = 0

    async def run(self, *, since: int = 1) -> Verdict:
        """Look at the entries from number `since` on, or from a little before, where a checkpoint is."""
        stored = await self._stored()
        head = select(AuditHead.seq, AuditHead.hash).where(AuditHead.chain == CHAIN)
        said_head = (await self._connection.execute(head)).one_or_none()
        for name, note in self._anchors.items():
            self._take(note, source=name, is_anchor=True)
        walk = await self._start(stored, since)
        first, entries = walk.peaks.size + 1, 0
        self._said.sort(key=lambda said: said.checkpoint.size)
        compared = [said for said in self._said if said.checkpoint.size >= first]
        anchored = (said.checkpoint.size for said in self._said if said.is_anchor)
        self._anchored = max((size for size in anchored if size < first), default=0)
        fault = await self._walk(walk, compared)
        entries = walk.peaks.size + 1 - first
        self._add(fault or self._tail(walk, compared, said_head))
        faults = sorted(self._faults, key=lambda one: one.seq)
        return Verdict(
            faults=faults, first=first, entries=entries, anchored=self._anchored, checkpoints=len(compared)
        )

    def _add(self, fault: Fault | None) -> None:
        if fault is not None:
            self._faults.append(fault)

    async def _stored(self) -> Mapping[int, Row[Any]]:
        query = select(*AuditCheckpoint.__table__.c).order_by(AuditCheckpoint.size)
        rows = {row.size: row for row in await self._connection.execute(query)}
        for size, row in rows.items():
            self._take(row.note, source=f"the stored checkpoint of {size}", is_anchor=False, size=size)
        return rows

    def _take(self, note: str, *, source: str, is_anchor: bool, size: int | None = None) -> None:
        try:
            checkpoint = opened(note, self._keys)
        except NoteError as error:
            self._add(Fault("checkpoint", size or 0, f"{source}: {error}"))
            return
        if size is not None and checkpoint.size != size:
            self._add(Fault("checkpoint", size, f"{source} is one of {checkpoint.size} entries"))
            return
        self._said.append(_Said(checkpoint, source, is_anchor))

    async def _start(self, stored: Mapping[int, Row[Any]], since: int) -> Walk:
        """At the newest signed checkpoint before `since`, else at the beginning."""
        gone = await erased(self._connection)
        roots = {said.checkpoint.size: said.checkpoint.root for said in self._said if not said.is_anchor}
        for size in sorted((size for size in roots if 0 < size < since), reverse=True):
            try:
                peaks = Peaks.loaded(size, stored[size].peaks)
            except (TypeError, ValueError):
                continue
            row = await self._connection.execute(select(AuditRow.hash).where(AuditRow.seq == size))
            last_hash = row.scalar_one_or_none()
            if peaks.root() == roots[size] and last_hash is not None:
                return Walk(peaks, last_hash, may_be_erased=gone.__contains__)
        return Walk(Peaks(), may_be_erased=gone.__contains__)

    async def _walk(self, walk: Walk, compared: Sequence[_Said]) -> Fault | None:
        """Look at all entries, and stop at each checkpoint to compare."""
        query = select(AuditRow.seq).order_by(AuditRow.seq.desc()).limit(1)
        total = (await self._connection.execute(query)).scalar_one_or_none() or 0
        to_come = deque(compared)
        pages_ = pages(self._connection, after=walk.peaks.size, page_entries=VERIFY_PAGE_ENTRIES)
        async for rows in pages_:
            before = walk.peaks.size
            while to_come and to_come[0].checkpoint.size <= rows[-1].seq:
                said = to_come.popleft()
                size = said.checkpoint.size
                fault = walk.go_on(rows[walk.peaks.size - before :], until=size) or self._compare(walk, said)
                if fault is not None:
                    return fault
            fault = walk.go_on(rows[walk.peaks.size - before :])
            if fault is not None:
                return fault
            self._progress(walk.peaks.size, total)
        return None

    def _compare(self, walk: Walk, said: _Said) -> Fault | None:
        size, first = said.checkpoint.size, self._anchored + 1
        if walk.peaks.root() != said.checkpoint.root:
            return Fault("rebuilt", first, f"entries {first} to {size} are not those of {said.source}")
        if said.is_anchor:
            self._anchored = size
        return None

    def _tail(self, walk: Walk, compared: Sequence[_Said], head: Any) -> Fault | None:
        """Whether there were more entries once."""
        size = walk.peaks.size
        beyond = [said for said in compared if said.checkpoint.size > size]
        if beyond:
            said = beyond[-1]
            why = f"{said.source} has {said.checkpoint.size} entries, here are {size}"
            return Fault("tail cut", size + 1, why)
        if head is None:
            return None if size == 0 else Fault("tail cut", size + 1, "the note of the last entry is gone")
        if head.seq > size:
            return Fault("tail cut", size + 1, f"entry {head.seq} was the last, here are {size}")
        if head.seq == size and head.hash != walk.last_hash and size:
            return Fault("edited", size, "it is not the entry that was appended last")
        return None
