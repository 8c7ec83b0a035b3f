"""Gathers packets into the media records of a sealed part, and takes them out again. Pure.

A packet alone would show its size to whoever sees the file, and cost 40 bytes; a second of them would be lost
with a crash. So a record holds what came of a track within a fifth of a second. Every packet of a recording
comes through here: it makes as few objects for one as it can.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from media.sealed import PLAIN_MAX

PACKET_MAX: Final = 65_535 - 6  # bytes: one always fits a record
_PACKET: Final = struct.Struct(">IH")


class Packet(NamedTuple):
    """An RTP packet or an RTCP Sender Report as it arrived, `at_us` after the recording began."""

    at_us: int
    data: bytes


Arrival = tuple[int, bytes, bool]
"""When it came (`at_us` as above), the packet, and whether a player may begin with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What one media record is to hold. `sync`: its first packet begins a picture that needs no other."""

    track: int
    at_us: int  # of the first packet
    sync: bool
    body: bytes


def gather(track: int, arrivals: Iterable[Arrival]) -> list[Gathered]:
    """The records for what came of one track, in the order in which it came.

    Raises:
        ValueError: a packet is longer than any datagram.
    """
    gathered: list[Gathered] = []
    pieces: list[bytes] = []
    first_us, begins, room = 0, False, 0
    pack, head_bytes = _PACKET.pack, _PACKET.size
    for at_us, data, sync in arrivals:
        room -= head_bytes + len(data)
        if sync or room < 0:
            if pieces:
                gathered.append(Gathered(track=track, at_us=first_us, sync=begins, body=b"".join(pieces)))
            pieces, first_us, begins, room = [], at_us, sync, PLAIN_MAX - head_bytes - len(data)
            if len(data) > PACKET_MAX:
                raise ValueError("longer than a datagram")
        pieces += (pack(at_us - first_us if at_us > first_us else 0, len(data)), data)
    if pieces:
        gathered.append(Gathered(track=track, at_us=first_us, sync=begins, body=b"".join(pieces)))
    return gathered


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
