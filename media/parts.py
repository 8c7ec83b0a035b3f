"""Writes sealed parts to a folder, so that a crash costs at most the last second.

A part's file is made new, written from its beginning to its end, and never opened for writing again: after a
crash, a short write or a full disk another part begins, under a key of its own. So no nonce is ever used
twice. It blocks while the disk does: whoever records calls it from a thread that forwards nothing.
"""

import errno
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from media.gathering import Arrival, Gathered, gather
from media.sealed import KEY_BYTES, Checkpoint, PartId, RecordKind, Sealer, wrap

SYNC_US: Final = 400_000  # with half a second until a packet is in the file: a power cut costs one at most
PART_US_MAX: Final = 900_000_000
PART_BYTES_MAX: Final = 256 * 1024 * 1024
META_BYTES: Final = 256  # metadata is padded to a multiple: its length says nothing
_NEW: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_MODE: Final = 0o440
T = TypeVar("T")


_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class PartLostError(Exception):
    """The part takes no more. What is on the disk stays readable; the next write begins another."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(os.strerror(cause.errno) if cause.errno else str(cause))
        self.is_full = cause.errno in _FULL
        """Whether it is because there is no room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who can read a part once it is closed: the clinic's key, and the one in escrow."""

    key_id: bytes
    key: X25519PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDisk:
    """How far a part is on the disk: no crash takes it away any more."""

    part: int
    upto: Checkpoint
    ended: str = ""  # why it is over; "" while it is not


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Packets of one track in the order in which they came; `about` says in a meta record what it is."""

    track: int
    arrivals: Sequence[Arrival]
    about: Mapping[str, object] | None = None


class Part:
    """One part's file, open."""

    def __init__(self, path: Path, sealer: Sealer, *, number: int, at_us: int) -> None:
        """Make the file; its header is on the disk, and its name in the folder, when this returns.

        Raises:
            OSError: there is such a file already, or the disk takes no more.
        """
        self.number = number
        self.began_us = at_us
        self.waits_since_us: int | None = None
        """Since when something is in the file that may not be on the disk."""
        self._sealer = sealer
        self._file = os.open(path, _NEW, _MODE)
        try:
            self._write(sealer.header)
            os.fsync(self._file)
            _fsync_folder(path.parent)
        except OSError:
            self.abandon()
            with suppress(OSError):
                path.unlink()  # nothing is in it; who tries again and again would leave a heap of them
            raise

    @property
    def checkpoint(self) -> Checkpoint:
        """How far it is written by now."""
        return self._sealer.checkpoint

    def put(self, kind: RecordKind, body: bytes, *, at_us: int, track: int = 0, sync: bool = False) -> None:
        """Write a record, in one piece. Raises `OSError` if the disk took less."""
        self._write(self._sealer.seal(kind, body, at_us=at_us, track=track, sync=sync))

    def sync(self) -> OnDisk:
        """Wait until all of it is on the disk."""
        os.fdatasync(self._file)
        self.waits_since_us = None
        return OnDisk(part=self.number, upto=self._sealer.checkpoint)

    def end(self, reason: str, now_us: int) -> OnDisk:
        """Write the final record and close the file."""
        self._write(self._sealer.final(reason, at_us=now_us))
        there = replace(self.sync(), ended=reason)
        self.abandon()
        return there

    def abandon(self) -> None:
        """Close the file as it is."""
        with suppress(OSError):  # what could not be written has been said already
            os.close(self._file)

    def _write(self, data: bytes) -> None:
        if os.write(self._file, data) != len(data):
            raise OSError(errno.ENOSPC, "the disk took a piece of a record")


class Parts:
    """The parts of one recording, one after the other. Times are microseconds since it began."""

    def __init__(
        self,
        folder: Path,
        *,
        recording: bytes,
        shred: bytes,
        recipients: Sequence[Recipient],
        first: int = 1,
        about: Mapping[str, object] | None = None,
        begun: Callable[[OnDisk], None] | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """`recording` is 16 bytes, `shred` 32; `first` is the number of the next part, never used before.

        `about` is the first record of each part; `begun` is called when the header of one is on the disk.
        """
        self._folder = folder
        self._recording = recording
        self._shred = shred
        self._recipients = recipients
        self._next = first
        self._about = about
        self._begun = begun
        self._random = random
        self._part: Part | None = None
        self._described: dict[int, Mapping[str, object]] = {}
        """What the part says of each track so far."""

    def begin(self, now_us: int) -> None:
        """Make a part's file ahead of its first packet; nothing happens where one is open.

        Raises:
            PartLostError: the disk takes nothing: better known now than when there is something to lose.
        """
        if self._part is None:
            self._on_disk(lambda part: None, now_us)

    def write(self, batches: Sequence[Batch], now_us: int) -> None:
        """Put packets into the file, oldest first; what is not gathered here is in no record.

        Raises:
            PartLostError: the disk takes no more. What is not in the file is lost.
        """
        records = [(one, batch.about) for batch in batches for one in gather(batch.track, batch.arrivals)]
        records.sort(key=lambda record: record[0].at_us)
        for one, about in records:
            self._put(one, about, now_us)

    def meta(self, what: Mapping[str, object], now_us: int) -> OnDisk:
        """Write down who joined, agreed or left: on the disk when this returns.

        Raises:
            PartLostError: it is not.
        """

        def written(part: Part) -> OnDisk:
            part.put(RecordKind.META, _meta_body(what), at_us=now_us)
            return part.sync()

        return self._on_disk(written, now_us)

    def tick(self, now_us: int) -> OnDisk | None:
        """See that it comes to the disk; call it after each `write`. Answers now and then how far it is.

        Raises:
            PartLostError: the disk takes no more.
        """
        part = self._part
        if part is None or part.waits_since_us is None or now_us - part.waits_since_us < SYNC_US:
            return None
        if now_us - part.began_us >= PART_US_MAX or part.checkpoint.size_bytes >= PART_BYTES_MAX:
            return self.end("rotated", now_us)
        return self._on_disk(Part.sync, now_us)

    def end(self, reason: str, now_us: int) -> OnDisk | None:
        """Close the part: nothing here can read it afterwards. Another begins with the next packet.

        Raises:
            PartLostError: its end could not be written; it will be found torn.
        """
        if self._part is None:
            return None
        there = self._on_disk(lambda one: one.end(reason, now_us), now_us)
        self._part = None
        return there

    def _put(self, one: Gathered, about: Mapping[str, object] | None, now_us: int) -> None:
        def put(part: Part) -> None:
            if about is not None and self._described.get(one.track) is not about:
                part.put(RecordKind.META, _meta_body(about), at_us=one.at_us)
                self._described[one.track] = about
            part.put(RecordKind.MEDIA, one.body, at_us=one.at_us, track=one.track, sync=one.sync)

        self._on_disk(put, now_us)

    def _on_disk(self, change: Callable[[Part], T], now_us: int) -> T:
        """Change the part, or the next one where none is open; whatever the disk refuses ends it."""
        try:
            if self._part is None:
                self._part = self._new_part(now_us)
                self._introduce(self._part, now_us)
            if self._part.waits_since_us is None:
                self._part.waits_since_us = now_us
            return change(self._part)
        except OSError as error:
            if self._part is not None:
                self._part.abandon()
                self._part = None
            raise PartLostError(error) from error

    def _introduce(self, part: Part, now_us: int) -> None:
        self._described.clear()
        if self._begun is not None:
            self._begun(OnDisk(part=part.number, upto=part.checkpoint))
        if self._about is not None:
            part.put(RecordKind.META, _meta_body(self._about), at_us=now_us)

    def _new_part(self, now_us: int) -> Part:
        number, self._next = self._next, self._next + 1
        which = PartId(recording=self._recording, part=number)
        dek, salt = self._random(KEY_BYTES), self._random(KEY_BYTES)
        stanzas = [wrap(dek, one.key, one.key_id, which, salt) for one in self._recipients]
        sealer = Sealer(which, dek=dek, shred=self._shred, salt=salt, stanzas=stanzas)
        return Part(part_file(self._folder, self._recording, number), sealer, number=number, at_us=now_us)


def part_file(folder: Path, recording: bytes, number: int) -> Path:
    """Where a part is: its name says which recording it is of, and of no person."""
    return folder / f"{recording.hex()}.{number:05}.tcr"


def highest_part(folder: Path, recording: bytes) -> int:
    """The highest number of a part of this recording that has a file; 0 where there is none.

    Raises:
        OSError: the folder cannot be read.
    """
    begins, numbers = recording.hex() + ".", [0]
    with os.scandir(folder) as files:
        for file in files:
            number = file.name.removeprefix(begins).removesuffix(".tcr")
            if file.name.startswith(begins) and number.isdecimal():
                numbers.append(int(number))
    return max(numbers)


def _meta_body(what: Mapping[str, object]) -> bytes:
    text = json.dumps(what, ensure_ascii=False, separators=(",", ":")).encode()
    return text.ljust(-(-len(text) // META_BYTES) * META_BYTES)


def _fsync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
