"""Erasing bodies: at the end of retention, or because a person asks. That it was done is an entry itself."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.audit.log import Entry, append
from server.storage.audit_tables import OBJECT_CHARS_MAX, AuditRow

ERASE: Final = "audit.erase"


async def erase(
    connection: AsyncConnection, seqs: Collection[int], entry: Entry, *, now: datetime
) -> list[int]:
    """Erase the bodies of these entries, in a transaction of `Database.write()`.

    `entry` says who does it and why; its kind and object are set here. The object names the entries, as
    "3-17,20"; what does not fit goes into further ones. Returns the numbers of the entries that were added.
    """
    runs = list(_runs(seqs))
    for low, high in runs:
        gone = update(AuditRow).where(AuditRow.seq.between(low, high))
        await connection.execute(gone.values(body=None, salt=None))
    entries = [replace(entry, kind=ERASE, object=named) for named in _texts(runs)]
    return [await append(connection, one, now=now) for one in entries]


async def seqs_of_consult(connection: AsyncConnection, consult: str) -> list[int]:
    """The entries about a consult that still have a body; those that tell of erasing are not among them."""
    query = select(AuditRow.seq).where(
        AuditRow.consult == consult, AuditRow.body.is_not(None), AuditRow.kind != ERASE
    )
    return list((await connection.execute(query.order_by(AuditRow.seq))).scalars())


class Erased:
    """Which entries are said, by later ones, to have lost their bodies."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._ranges: list[tuple[int, int]] = []
        for low, high in sorted(ranges):
            if self._ranges and low <= self._ranges[-1][1] + 1:
                low_before, high_before = self._ranges.pop()
                self._ranges.append((low_before, max(high, high_before)))
            else:
                self._ranges.append((low, high))

    def __contains__(self, seq: int) -> bool:
        at = bisect_right(self._ranges, (seq, seq))
        near = self._ranges[max(0, at - 1) : at + 1]
        return any(low <= seq <= high for low, high in near)


async def erased(connection: AsyncConnection) -> Erased:
    """Read what the log says of erasing. Whether those entries are real is for the walk to find."""
    query = select(AuditRow.seq, AuditRow.object).where(AuditRow.kind == ERASE)
    ranges = []
    for seq, named in await connection.execute(query):
        ranges += [(low, high) for low, high in _parsed(named) if high < seq]
    return Erased(ranges)


def _runs(seqs: Collection[int]) -> Iterator[tuple[int, int]]:
    low = high = 0
    for seq in sorted(set(seqs)):
        if low and seq == high + 1:
            high = seq
            continue
        if low:
            yield low, high
        low = high = seq
    if low:
        yield low, high


def _texts(runs: Iterable[tuple[int, int]]) -> Iterator[str]:
    text = ""
    for low, high in runs:
        run = str(low) if low == high else f"{low}-{high}"
        if text and len(text) + 1 + len(run) > OBJECT_CHARS_MAX:
            yield text
            text = ""
        text = f"{text},{run}" if text else run
    if text:
        yield text


def _parsed(text: str) -> Iterator[tuple[int, int]]:
    for run in text.split(","):
        low, _, high = run.partition("-")
        if low.isdecimal() and (not high or high.isdecimal()):
            yield int(low), int(high or low)
