"""What recording costs a worker: the same consults while they are recorded and while they are not."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from media.bench.report import Row, machine
from media.bench.targets import Ours
from media.interface import RecordedTrack, RecordingKey, RecordingOrder, Routing, SourceName

RESULTS: Final = Path(__file__).parent / "RECORDING.md"
RECIPIENTS: Final = 2
"""The clinic's key and the one in escrow."""
SOURCES: Final[tuple[SourceName, ...]] = ("audio", "video")

_TEXT = """# Recording

{machine}.
Written by `python -m media.bench recording`.

The consults of [RESULTS.md](RESULTS.md) in one worker, while they are not recorded and while they are; in
turns, {seconds:.0f} s each, median of {repeats} such pairs. Counted is the CPU time of the whole worker, with
the thread that seals and writes, and what the kernel does for it. The last two columns are medians of the
pairs: neighbours move single figures by 40 %.

| consults | packets in /s | of a core | recorded, of a core | µs for a packet in | µs to record one | more |
|---|---|---|---|---|---|---|
{rows}
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Right after each other: not recorded, and recorded."""

    plain: Row
    recorded: Row

    @property
    def more_us(self) -> float:
        """Processor time to record a packet."""
        return _cost_us(self.recorded) - _cost_us(self.plain)

    @property
    def more(self) -> float:
        """As a share of what the packet costs anyway."""
        return self.more_us / _cost_us(self.plain)


class Recorded(Ours):
    """One worker that can record everything everybody sends."""

    name = "Recorded"
    _revision = 1

    async def record(self, *, on: bool) -> None:
        """Record all consults from now on, or none."""
        self._revision += 1
        for room, routing in self.routings.items():
            order = _order(routing) if on else None
            await self.plane.route(room, replace(routing, revision=self._revision, recording=order))


def _order(routing: Routing) -> RecordingOrder:
    """Everybody has agreed."""
    names = sorted({route.publisher for route in routing.routes})
    keys = [X25519PrivateKey.generate().public_key() for _ in range(RECIPIENTS)]
    return RecordingOrder(
        recording=secrets.token_hex(16),
        epoch_ms=int(time.time() * 1_000),
        first_part=1,
        what="video",
        shred=secrets.token_hex(32),
        recipients=tuple(
            RecordingKey(
                key_id=secrets.token_hex(16), public=key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
            )
            for key in keys
        ),
        agreed=tuple(names),
        tracks=tuple(
            RecordedTrack(peer=name, source=source, track=4 * index + place)
            for index, name in enumerate(names)
            for place, source in enumerate(SOURCES)
        ),
        consents="00" * 32,
    )


def text(pairs: list[Pair], seconds: float, repeats: int) -> str:
    """The whole page."""
    rows = [
        line([pair for pair in pairs if pair.plain.consults == consults])
        for consults in dict.fromkeys(pair.plain.consults for pair in pairs)
    ]
    return _TEXT.format(machine=machine(), seconds=seconds, repeats=repeats, rows="\n".join(rows))


def line(pairs: list[Pair]) -> str:
    """A row of the table, of pairs with as many consults."""
    cells = [
        str(pairs[0].plain.consults),
        f"{median(pair.recorded.received_per_s for pair in pairs):,.0f}",
        f"{median(pair.plain.cpu_share for pair in pairs) * 100:.1f} %",
        f"{median(pair.recorded.cpu_share for pair in pairs) * 100:.1f} %",
        f"{median(_cost_us(pair.plain) for pair in pairs):.1f}",
        f"{median(pair.more_us for pair in pairs):.1f}",
        f"{median(pair.more for pair in pairs) * 100:.0f} %",
    ]
    return "| " + " | ".join(cells) + " |"


def _cost_us(row: Row) -> float:
    return row.cpu_share / row.received_per_s * 1e6
