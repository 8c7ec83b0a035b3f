"""Opens a recording: its parts in order, what each of them is, and what the whole is.

Records are opened one after the other and kept by nobody here, so memory does not depend on their number.
"""

import itertools
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from media.sealed import (
    HEADER_MAX,
    CutHeaderError,
    Header,
    Keys,
    PartId,
    RecordKind,
    parse_header,
    read_final,
)
from media.unsealed import Damaged, PartData, Record, Torn, records
from server.vault.source import PartSource
from server.vault.wraps import NoKeyError, NotItsKeyError, Wraps, data_key

PartStatus = Literal["complete", "torn", "tampered", "missing", "no_key"]
Status = Literal["complete", "torn", "tampered", "missing"]
GAP_US_MIN: Final = 1_000_000
NO_KEY: Final = "no key here opens it"
CUT: Final = "it lacks what the log says was written"


class CannotOpenError(Exception):
    """Nothing of the recording can be opened. `code`: destroyed, no_key, missing, tampered."""

    def __init__(self, code: Literal["destroyed", "no_key", "missing", "tampered"]) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPart:
    """What the server's log has of a part: its last checkpoint. `records` 0 is its beginning."""

    part: int
    records: int
    size_bytes: int
    chain: bytes
    ended: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartReport:
    """What a part is. `why` is English for the log and the command line; times are since the recording began.

    `records` are the whole ones, the final one included; `ended` is what that one says.
    """

    part: int
    status: PartStatus
    why: str = ""
    records: int = 0
    size_bytes: int = 0
    began_us: int = 0
    ended_us: int = 0
    ended: str = ""


@dataclass(slots=True)
class _Seen:
    """What has been read of a part so far."""

    records: int = 0
    began_us: int = 0
    ended_us: int = 0
    ended: str | None = None
    fits: bool = True  # with the checkpoint, as far as it was read
    why: str = ""
    is_tampered: bool = False


class Opening:
    """One recording, read from its beginning to its end, as often as wanted.

    `reports` says what its parts are once `records` has ended.
    """

    def __init__(
        self,
        recording: bytes,
        *,
        source: PartSource,
        private: Mapping[bytes, X25519PrivateKey],
        wraps: Wraps,
        shred: bytes,
        known: Sequence[KnownPart] = (),
    ) -> None:
        """`recording` is 16 bytes, `shred` 32; `known` is what the log has of its parts.

        Raises:
            OSError: its parts cannot be listed.
        """
        self._recording = recording
        self._source = source
        self._private = private
        self._wraps = wraps
        self._shred = shred
        self._known = {one.part: one for one in known}
        self._sizes = {one.part: one.size_bytes for one in source.list(recording)}
        last = max([0, *self._sizes, *self._known])
        self.parts: Sequence[int] = range(1, last + 1)
        """The numbers of all parts there are or should be."""
        self.reports: list[PartReport] = []

    @property
    def size_bytes(self) -> int:
        """All of its parts together."""
        return sum(self._sizes.values())

    def records(self) -> Iterator[tuple[int, Record | None]]:
        """Each part's number with None, then with each of its whole records, up to where it is damaged.

        Raises:
            OSError: a part cannot be read.
        """
        reports: list[PartReport] = []
        for part in self.parts:
            report = yield from self._of_part(part)
            reports.append(report)
        self.reports = reports

    def _of_part(self, part: int) -> Generator[tuple[int, Record | None], None, PartReport]:
        """The records of a part; the generator's value is its report."""
        yield part, None
        if part not in self._sizes:
            return _missing(part, self._known.get(part))
        with self._opened(part) as data:
            known = self._known.get(part)
            try:
                header, keys = self._header(data, part)
            except CutHeaderError:
                return _cut_header(part, known, self._sizes[part])
            except NoKeyError:
                return PartReport(part=part, status="no_key", why=NO_KEY, size_bytes=len(data))
            except (NotItsKeyError, ValueError) as error:
                why = str(error) or "its header does not fit the keys"
                return PartReport(part=part, status="tampered", why=why, size_bytes=len(data))
            seen = _Seen(fits=known is None or known.records == 0)
            for record in _followed(data, header, keys, known, seen):
                yield part, record
            return _judged(part, seen, len(data))

    def _opened(self, part: int) -> AbstractContextManager[PartData]:
        return self._source.open(self._recording, part)

    def _header(self, data: PartData, part: int) -> tuple[Header, Keys]:
        header = parse_header(data[:HEADER_MAX])
        which = PartId(recording=self._recording, part=part)
        if header.part != which:
            raise ValueError("another part under this name")
        return header, data_key(header, self._wraps.get(which), self._private, self._shred)[1]


def _followed(
    data: PartData, header: Header, keys: Keys, known: KnownPart | None, seen: _Seen
) -> Iterator[Record]:
    """The whole records; what is noticed on the way goes into `seen`."""
    try:
        for record in records(data, header, keys):
            at_us = record.head.at_us
            seen.began_us = min(seen.began_us, at_us) if seen.records else at_us
            seen.ended_us = max(seen.ended_us, at_us)
            seen.records += 1
            if known is not None and seen.records == known.records:
                seen.fits = (record.ends_at, record.chain) == (known.size_bytes, known.chain)
            if record.head.kind is RecordKind.FINAL:
                seen.ended = read_final(record.body)[2]
            yield record
    except Damaged as damage:
        seen.why, seen.is_tampered = str(damage), True
    except Torn:
        seen.why = "it ends within a record"


def _judged(part: int, seen: _Seen, size_bytes: int) -> PartReport:
    status: PartStatus = "complete"
    why = seen.why
    if seen.is_tampered or not seen.fits:
        status, why = "tampered", why if seen.is_tampered else CUT
    elif seen.ended is None or why:
        status, why = "torn", why or "it ends without a final record"
    return PartReport(
        part=part,
        status=status,
        why=why,
        records=seen.records,
        size_bytes=size_bytes,
        began_us=seen.began_us,
        ended_us=seen.ended_us,
        ended=seen.ended or "",
    )


def _missing(part: int, known: KnownPart | None) -> PartReport:
    why = "its file is gone" if known is not None else "there is no such file, and the log has no word of it"
    return PartReport(part=part, status="missing", why=why)


def _cut_header(part: int, known: KnownPart | None, size_bytes: int) -> PartReport:
    """A header that is cut is a crash's doing, unless it was on the disk before."""
    if known is not None:
        return PartReport(part=part, status="tampered", why=CUT, size_bytes=size_bytes)
    return PartReport(part=part, status="torn", why="it ends within its header", size_bytes=size_bytes)


def whole(reports: Sequence[PartReport]) -> Status:
    """What a recording is whose parts are so. A part no key opens is as good as missing.

    Raises:
        CannotOpenError: none of its parts can be opened.
    """
    seen = {one.status for one in reports}
    if not seen & {"complete", "torn"} and not any(one.records for one in reports):
        for code in ("tampered", "no_key", "missing"):
            if code in seen:
                raise CannotOpenError(code)
        raise CannotOpenError("missing")
    order: tuple[Status, ...] = ("tampered", "missing", "torn")
    if "no_key" in seen:
        seen.add("missing")
    return next((one for one in order if one in seen), "complete")


def examined(opening: Opening) -> list[PartReport]:
    """What the parts of a recording are; everything is read and nothing kept. Raises OSError."""
    for _ in opening.records():
        pass
    return opening.reports


def gaps(reports: Sequence[PartReport]) -> list[tuple[int, int]]:
    """The times between parts in which nothing was recorded: pauses, crashes, parts that are gone. In µs."""
    there = [one for one in reports if one.records]
    between = [(before.ended_us, after.began_us) for before, after in itertools.pairwise(there)]
    return [(start, end) for start, end in between if end - start >= GAP_US_MIN]
