"""Gathers packets into the media records of a sealed part, and takes them out again. Pure.

A packet alone would show its size to whoever sees the file, and cost 40 bytes; a second of them would be lost
with a crash. So a track's packets wait together, for a quarter of a second at most.

Every packet of a recording comes through here, so it makes as few objects for one as it can.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from media.sealed import PLAIN_MAX

RECORD_US: Final = 200_000  # looked at every 50 ms: a record at least every 250 ms
PACKET_MAX: Final = 65_535 - 6  # bytes: one always fits a record
_PACKET: Final = struct.Struct(">IH")


class Packet(NamedTuple):
    """An RTP packet or an RTCP Sender Report as it arrived, `at_us` after the recording began."""

    at_us: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What one media record is to hold. `sync`: its first packet begins a picture that needs no other."""

    track: int
    at_us: int  # of the first packet
    sync: bool
    body: bytes


@dataclass(slots=True)
class _Waiting:
    at_us: int
    sync: bool
    size_bytes: int = 0
    pieces: list[bytes] = field(default_factory=list)


class Gathering:
    """The packets of all tracks that are in no record yet."""

    def __init__(self) -> None:
        self._waiting: dict[int, _Waiting] = {}

    def add(self, track: int, packet: Packet, *, sync: bool) -> Gathered | None:
        """Take a packet. Answers with the record before, where this packet begins another.

        Raises:
            ValueError: a packet is longer than any datagram.
        """
        at_us, data = packet
        length = len(data)
        had = self._waiting.get(track)
        if had is not None and not sync and had.size_bytes + _PACKET.size + length <= PLAIN_MAX:
            had.pieces += (_PACKET.pack(max(0, at_us - had.at_us), length), data)
            had.size_bytes += _PACKET.size + length
            return None
        if length > PACKET_MAX:
            raise ValueError("longer than a datagram")
        full = self.taken(track)
        self._waiting[track] = _Waiting(at_us, sync, _PACKET.size + length, [_PACKET.pack(0, length), data])
        return full

    def taken(self, track: int) -> Gathered | None:
        """What waits of one track; None where nothing does."""
        one = self._waiting.pop(track, None)
        if one is None:
            return None
        return Gathered(track=track, at_us=one.at_us, sync=one.sync, body=b"".join(one.pieces))

    def due(self, now_us: int) -> list[Gathered]:
        """The records whose first packet has waited for `RECORD_US`, oldest first."""
        return self._all([track for track, one in self._waiting.items() if now_us - one.at_us >= RECORD_US])

    def rest(self) -> list[Gathered]:
        """Everything that waits, oldest first: nothing does afterwards."""
        return self._all(list(self._waiting))

    def _all(self, tracks: list[int]) -> list[Gathered]:
        found = [one for track in tracks if (one := self.taken(track)) is not None]
        return sorted(found, key=lambda one: one.at_us)


def packets(body: bytes, at_us: int) -> Iterator[Packet]:
    """The packets of a media record whose head says `at_us`.

    Raises:
        ValueError: this is no such body.
    """
    at = 0
    while at < len(body):
        if len(body) - at < _PACKET.size:
            raise ValueError("half a packet")
        after_us, length = _PACKET.unpack_from(body, at)
        at += _PACKET.size
        if len(body) - at < length:
            raise ValueError("half a packet")
        yield Packet(at_us=at_us + after_us, data=body[at : at + length])
        at += length
