"""Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01): build,
parse, collect.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from struct import pack, unpack_from

from media.rtp import unwrap

PENDING_MAX = 2_000
"""Packets remembered for the next feedback; at one feedback each 100 ms that is 200 Mbit/s."""
STATUS_MAX = 8_000
"""Packets one feedback can speak of; a longer gap begins anew."""
ARRIVALS_MAX = 190
"""Packets one feedback reports as arrived: it fits a datagram even when there is a gap after each."""
_REFERENCE_S = 0.064
_TICK_S = 0.00025
_RUN_MAX = 0x1FFF


class BadFeedback(ValueError):  # noqa: N818 - a name of its own
    """The feedback's lengths contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One packet of ours, as its receiver saw it."""

    number: int
    """16 bit transport-wide sequence number."""
    at_s: float | None
    """On the receiver's clock; None when it did not arrive."""


class ArrivalLog:
    """Collects the arrivals of one peer's packets and writes the feedback about them."""

    def __init__(self) -> None:
        self._arrivals: dict[int, float] = {}
        self._newest = -1
        self._next = -1
        """First number the last feedback did not speak of."""
        self._count = 0

    @property
    def pending(self) -> bool:
        return bool(self._arrivals)

    def arrived(self, number: int, now_s: float) -> None:
        """Note a packet by its 16 bit number; retransmissions and padding have numbers too and count."""
        if self._newest < 0:
            self._newest = self._next = number + 0x10000
        full = unwrap(number, self._newest)
        if len(self._arrivals) < PENDING_MAX:
            self._arrivals.setdefault(full, now_s)
        self._newest = max(self._newest, full)

    def feedback(self, sender_ssrc: int, media_ssrc: int) -> bytes:
        """One RTCP packet about what came since the last one. Call while `pending`."""
        numbers = sorted(self._arrivals)[:ARRIVALS_MAX]
        newest = numbers[-1]
        first = max(min(self._next, numbers[0]), newest - STATUS_MAX + 1)
        told = {number: self._arrivals.pop(number) for number in numbers}
        told = {number: at_s for number, at_s in told.items() if number >= first}
        packet = build(sender_ssrc, media_ssrc, self._count, first, newest, told)
        self._count = (self._count + 1) & 0xFF
        self._next = max(self._next, newest + 1)
        return packet


def build(
    sender_ssrc: int, media_ssrc: int, count: int, first: int, newest: int, arrivals: dict[int, float]
) -> bytes:
    """Feedback about the numbers `first` to `newest`; `arrivals` has the time of each that came."""
    start = min(arrivals.values())
    reference = int(start / _REFERENCE_S)
    clock_s = reference * _REFERENCE_S
    symbols, deltas = [], []
    for number in range(first, newest + 1):
        at_s = arrivals.get(number)
        if at_s is None:
            symbols.append(0)
            continue
        delta = max(-0x8000, min(0x7FFF, round((at_s - clock_s) / _TICK_S)))
        clock_s += delta * _TICK_S  # from the rounded clock, so that errors do not add up
        small = 0 <= delta <= 0xFF
        symbols.append(1 if small else 2)
        deltas.append(bytes((delta,)) if small else pack("!h", delta))
    body = pack("!IIHH", sender_ssrc, media_ssrc, first & 0xFFFF, len(symbols))
    body += (reference & 0xFFFFFF).to_bytes(3, "big") + bytes((count,)) + _chunks(symbols) + b"".join(deltas)
    padding = -len(body) & 3
    if padding:
        body += bytes(padding - 1) + bytes((padding,))
    return pack("!BBH", 0x8F | (0x20 if padding else 0), 205, len(body) // 4) + body


def _chunks(symbols: list[int]) -> bytes:
    """Run lengths where seven or more are equal, vectors of seven two-bit symbols elsewhere."""
    out = []
    at = 0
    while at < len(symbols):
        end = at
        while end < len(symbols) and symbols[end] == symbols[at] and end - at < _RUN_MAX:
            end += 1
        if end - at >= 7:
            out.append(pack("!H", symbols[at] << 13 | end - at))
            at = end
            continue
        vector = 0xC000
        for place, symbol in enumerate(symbols[at : at + 7]):
            vector |= symbol << 12 - 2 * place
        out.append(pack("!H", vector))
        at += 7
    return b"".join(out)


def status_count(body: bytes) -> int:
    """How many packets a feedback speaks of, before it is read: a few bytes can claim 65,535."""
    return int.from_bytes(body[2:4], "big")


def parse(body: bytes) -> list[Arrival]:
    """Read what follows the two SSRCs of a feedback packet; raises `BadFeedback`."""
    try:
        first, count = unpack_from("!HH", body)
        clock_s = int.from_bytes(body[4:7], "big") * _REFERENCE_S
        symbols, at = _symbols(body, count)
        arrivals = []
        for place, symbol in enumerate(symbols):
            if symbol == 1:
                clock_s += body[at] * _TICK_S
                at += 1
            elif symbol == 2:
                clock_s += unpack_from("!h", body, at)[0] * _TICK_S
                at += 2
            arrivals.append(
                Arrival(number=(first + place) & 0xFFFF, at_s=clock_s if symbol in (1, 2) else None)
            )
    except (struct.error, IndexError) as problem:
        raise BadFeedback("feedback cut off") from problem
    return arrivals


def _symbols(body: bytes, count: int) -> tuple[list[int], int]:
    symbols: list[int] = []
    at = 8
    while len(symbols) < count:
        chunk = unpack_from("!H", body, at)[0]
        at += 2
        if not chunk & 0x8000:
            symbols += [chunk >> 13] * min(chunk & _RUN_MAX, count - len(symbols))
        elif chunk & 0x4000:
            symbols += [chunk >> 12 - 2 * place & 3 for place in range(7)]
        else:
            symbols += [chunk >> 13 - place & 1 for place in range(14)]
    return symbols[:count], at
