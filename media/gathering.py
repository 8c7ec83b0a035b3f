"""Gathers packets into the media records of a sealed part, and takes them out again. Pure.

A packet alone would show its size to whoever sees the file, and cost 40 bytes; a second of them would be lost
with a crash. So a track's packets wait together, for a quarter of a second at most.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from media.sealed import PLAIN_MAX

RECORD_US: Final = 200_000  # looked at every 50 ms: a record at least every 250 ms
PACKET_MAX: Final = 65_535 - 6  # bytes: one always fits a record
_PACKET: Final = struct.Struct(">IH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
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
    body: bytearray = field(default_factory=bytearray)


class Gathering:
    """The packets of all tracks that are in no record yet."""

    def __init__(self) -> None:
        self._waiting: dict[int, _Waiting] = {}

    def add(self, track: int, packet: Packet, *, sync: bool) -> Gathered | None:
        """Take a packet. Answers with the record before, where this packet begins another.

        Raises:
            ValueError: a packet is longer than any datagram.
        """
        if len(packet.data) > PACKET_MAX:
            raise ValueError("longer than a datagram")
        full = None
        had = self._waiting.get(track)
        if had is not None and (sync or len(had.body) + _PACKET.size + len(packet.data) > PLAIN_MAX):
            full, had = self._taken(track), None
        if had is None:
            had = self._waiting[track] = _Waiting(packet.at_us, sync)
        had.body += _PACKET.pack(max(0, packet.at_us - had.at_us), len(packet.data)) + packet.data
        return full

    def due(self, now_us: int) -> list[Gathered]:
        """The records whose first packet has waited for `RECORD_US`, oldest first."""
        late = [track for track, one in self._waiting.items() if now_us - one.at_us >= RECORD_US]
        return sorted((self._taken(track) for track in late), key=lambda one: one.at_us)

    def rest(self) -> list[Gathered]:
        """Everything that waits, oldest first: nothing does afterwards."""
        return sorted((self._taken(track) for track in list(self._waiting)), key=lambda one: one.at_us)

    def _taken(self, track: int) -> Gathered:
        one = self._waiting.pop(track)
        return Gathered(track=track, at_us=one.at_us, sync=one.sync, body=bytes(one.body))


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
