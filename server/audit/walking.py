"""Reading the log in order and looking at each entry: is it as it was written, and next to the one before?"""

import hmac
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from server.audit.chain import FIRST_PREV, canonical
from server.audit.tree import Peaks

PAGE_ENTRIES: Final = 1000
HEAD: Final = ("at", "kind", "actor", "role", "consult", "object", "purpose", "outcome")
COLUMNS: Final = ("seq", *HEAD, "body", "salt", "body_mac", "prev", "hash")
# Not a `select` of the table: turning each value into the one it already is would take a third of the time.
_PAGE: Final = text(
    f"select {', '.join(COLUMNS)} from audit where seq > :after order by seq limit :page"  # noqa: S608
)

What = Literal["edited", "deleted", "erased", "tail cut", "rebuilt", "checkpoint"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, from which entry on. `why` is a sentence for whoever looks into it."""

    what: What
    seq: int
    why: str


async def pages(
    connection: AsyncConnection, *, after: int = 0, page_entries: int = PAGE_ENTRIES
) -> AsyncIterator[Sequence[Row[Any]]]:
    """The entries after number `after`, in order, some at a time; `COLUMNS` are their values."""
    while True:
        rows = (await connection.execute(_PAGE, {"after": after, "page": page_entries})).all()
        if rows:
            yield rows
            after = rows[-1].seq
        if len(rows) < page_entries:
            return


class Walk:
    """How far the log was looked at: the last entry's hash and the tree of all up to it.

    `may_be_erased` says whether an entry without its body is one that was to lose it.
    """

    def __init__(
        self,
        peaks: Peaks,
        last_hash: bytes = FIRST_PREV,
        *,
        may_be_erased: Callable[[int], bool] | None = None,
    ) -> None:
        self.peaks = peaks
        self.last_hash = last_hash
        self._may_be_erased = may_be_erased

    def go_on(self, rows: Sequence[Any], *, until: int | None = None) -> Fault | None:
        """Look at the next entries; those after number `until` are left. Stops at the first fault."""
        for row in rows:
            seq = row[0]
            if until is not None and isinstance(seq, int) and seq > until:
                return None
            try:
                fault = self._look(row)
            except (TypeError, ValueError, OverflowError, AttributeError):
                # A column has a value of another type: SQLite takes that.
                fault = Fault("edited", self.peaks.size + 1, "it has values that no entry has")
            if fault is not None:
                return fault
        return None

    def _look(self, row: Any) -> Fault | None:
        seq, *head, body, salt, body_mac, prev, hash_ = row
        peaks = self.peaks
        last = peaks.size
        if seq != last + 1:
            return Fault("deleted", last + 1, f"the entry after {last} is {seq}")
        # As `chain` says, in one place: this is most of the time of looking at a long log.
        leaf = seq.to_bytes(8, "big") + prev + sha256(canonical(head)).digest() + body_mac
        if sha256(b"\x00" + leaf).digest() != hash_:
            return Fault("edited", seq, "its hash is not that of what it says")
        if prev != self.last_hash:
            return Fault("edited", max(1, last), f"{last} or {seq} was replaced: the hashes do not meet")
        if body is not None and salt is not None:
            if hmac.digest(salt, body, "sha256") != body_mac:
                return Fault("edited", seq, "its body is not the one that was written")
        elif body is not None or salt is not None:
            return Fault("edited", seq, "its body and its salt are erased together or not at all")
        elif self._may_be_erased is not None and not self._may_be_erased(seq):
            return Fault("erased", seq, "its body is gone, and no later entry says who erased it")
        peaks.add(hash_)
        self.last_hash = hash_
        return None
