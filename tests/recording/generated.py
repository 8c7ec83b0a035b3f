"""Recordings that nobody made: RTP of senders with clocks of their own, over a network that loses some."""

from __future__ import annotations

import functools
import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import pack
from typing import Any

import av

from media import rtcp
from media.gathering import Arrival, gather
from media.remux.opened import Media, Meta, Opened, PartBegan, Remuxed
from media.remux.remuxing import remux

SECOND_US = 1_000_000
SOUND, CAMERA, SCREEN = 0, 1, 2
LEVEL_ID = 3
OPUS, VP8, H264 = 111, 96, 102
RECORD_US = 200_000
CODECS = {str(OPUS): "opus", str(VP8): "VP8", str(H264): "H264"}


def track_meta(track: int, level: int = LEVEL_ID) -> bytes:
    """What a recorder says before the first packet of a track."""
    source = ("audio", "camera", "screen")[track & 3]
    codecs = {number: name for number, name in CODECS.items() if (name == "opus") == (source == "audio")}
    said = {"kind": "track", "track": track, "source": source, "codecs": codecs, "level": level}
    return json.dumps(said).encode().ljust(256)


def _media(waiting: dict[int, list[Arrival]]) -> Iterator[Media]:
    """What waits, as records; nothing does afterwards."""
    for track, arrivals in waiting.items():
        for full in gather(track, arrivals):
            yield Media(track=full.track, at_us=full.at_us, body=full.body)
    waiting.clear()


@dataclass
class Recorded:
    """Packets as they arrive, in any order of writing down."""

    packets: list[tuple[int, int, bytes]] = field(default_factory=list)
    parts_at_us: tuple[int, ...] = (0,)
    level: int = LEVEL_ID

    def arrives(self, track: int, at_us: float, data: bytes) -> None:
        self.packets.append((int(at_us), track, data))

    def opened(self) -> Iterator[Opened]:
        """The records, as a vault opens them."""
        waiting: dict[int, list[Arrival]] = {}
        looked_us = 0
        for number, began_us in enumerate(self.parts_at_us):
            ends_us = (*self.parts_at_us, 1 << 62)[number + 1]
            yield PartBegan(part=number + 1, parts=len(self.parts_at_us))
            yield Meta(at_us=began_us, body=b'{"kind":"recording","epoch_ms":0}')
            described: set[int] = set()
            for at_us, track, data in self.packets:
                if not began_us <= at_us < ends_us:
                    continue
                if track not in described:
                    described.add(track)
                    yield Meta(at_us=at_us, body=track_meta(track, self.level))
                if at_us - looked_us > RECORD_US:
                    looked_us = at_us
                    yield from _media(waiting)
                waiting.setdefault(track, []).append((at_us, data, False))
            yield from _media(waiting)

    def remuxed(self, **more: Any) -> dict[str, tuple[Remuxed, bytes]]:
        """The views, each with its file."""
        self.packets.sort(key=lambda one: one[0])
        files: dict[str, io.BytesIO] = {}

        def open_view(name: str) -> io.BytesIO:
            assert name not in files
            files[name] = io.BytesIO()
            return files[name]

        views = remux(self.opened, open_view, **more)
        assert {view.view for view in views} == set(files)
        return {view.view: (view, files[view.view].getvalue()) for view in views}


@dataclass
class Network:
    """How long a packet takes: `base_us`, and a queue now and then; some are lost and come again."""

    base_us: float = 30_000
    jitter_us: float = 0
    loss: float = 0
    gone: float = 0
    random: random.Random = field(default_factory=lambda: random.Random(7))

    def arrival_us(self, sent_us: float) -> float | None:
        queue = self.random.expovariate(1 / self.jitter_us) if self.jitter_us else 0
        if self.gone and self.random.random() < self.gone:
            return None
        late = self.random.uniform(60_000, 900_000) if self.random.random() < self.loss else 0
        return sent_us + self.base_us + queue + late


@dataclass
class Stream:
    """What sends one track. `hz` is how fast its counter really runs, `ntp` how wrong its clock is."""

    into: Recorded
    track: int
    ssrc: int
    payload_type: int
    hz: float
    network: Network = field(default_factory=Network)
    ntp_ppm: float = 0
    ntp_us: float = 1_700_000_000_000_000
    number: int = 65_500
    timestamp: int = 4_294_960_000
    clock_began_us: float = 0
    report_late_us: float = 0

    def stamp(self, true_us: float) -> int:
        return (self.timestamp + int((true_us - self.clock_began_us) * self.hz / 1e6)) & 0xFFFFFFFF

    def send(
        self,
        true_us: float,
        payload: bytes,
        *,
        marker: bool = True,
        sent_us: float | None = None,
        level: int | None = None,
        lost: bool = False,
    ) -> None:
        """Send a packet of something captured at `true_us`."""
        first, extension = 0x80, b""
        if level is not None:
            first, extension = 0x90, pack(">HHBBxx", 0xBEDE, 1, LEVEL_ID << 4, level)
        head = pack(
            ">BBHII",
            first,
            self.payload_type | (0x80 if marker else 0),
            self.number & 0xFFFF,
            self.stamp(true_us),
            self.ssrc,
        )
        self.number += 1
        at_us = self.network.arrival_us(true_us if sent_us is None else sent_us)
        if at_us is not None and not lost:
            self.into.arrives(self.track, at_us, head + extension + payload)

    def report(self, true_us: float) -> None:
        """Send a sender report."""
        wall_s = (self.ntp_us + true_us * (1 + self.ntp_ppm / 1e6)) / 1e6
        at_us = self.network.arrival_us(true_us)
        if at_us is not None:
            data = rtcp.sender_report(self.ssrc, wall_s, self.stamp(true_us + self.report_late_us), 0, 0)
            self.into.arrives(self.track, at_us, data)


def sound(into: Recorded, person: int = 0, **more: Any) -> Stream:
    """A microphone."""
    told = {"ssrc": 1000 + person, "hz": 48_000.0, **more}
    return Stream(into=into, track=4 * person + SOUND, payload_type=OPUS, **told)


def camera(into: Recorded, person: int = 0, **more: Any) -> Stream:
    """A camera."""
    told = {"ssrc": 2000 + person, "hz": 90_000.0, "payload_type": VP8, **more}
    return Stream(into=into, track=4 * person + CAMERA, **told)


def opus(true_us: int) -> bytes:
    """An Opus packet of 20 ms that says when it was captured."""
    return b"\xf8T" + pack(">q", true_us)


def vp8(true_us: int, *, size: tuple[int, int] | None = None, descriptor: bytes = b"\x10") -> bytes:
    """A VP8 frame in one payload that says when it was captured; `size`: it needs no other."""
    if size is None:
        return descriptor + b"\x31\x00\x00T" + pack(">q", true_us)
    return descriptor + b"\x10\x00\x00\x9d\x01\x2a" + pack("<HH", *size) + b"T" + pack(">q", true_us)


@dataclass
class Read:
    """A packet of a view: when it is to be played, and what it said itself."""

    at_us: int
    key: bool
    data: bytes
    true_us: int | None


def read(data: bytes, kind: str) -> list[Read]:
    """The packets of one kind in a view, without decoding them. `true_us` is None for silence."""
    found = []
    with av.open(io.BytesIO(data), "r") as container:
        streams = [one for one in container.streams if one.type == kind]
        if not streams:
            return []
        for packet in container.demux(streams[0]):
            if packet.size and packet.pts is not None and packet.time_base is not None:
                body = bytes(packet)
                true_us = int.from_bytes(body[-8:], "big") if body[-9:-8] == b"T" else None
                at_us = int(packet.pts * packet.time_base * 1_000_000)
                found.append(Read(at_us, packet.is_keyframe, body, true_us))
    return found


def duration_us(data: bytes) -> int:
    """How long a view says it is."""
    with av.open(io.BytesIO(data), "r") as container:
        return container.duration or 0


def parameter_sets(size: tuple[int, int], profile: str) -> list[bytes]:
    """What x264 says of its pictures."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.profile = "yuv420p", profile
    encoder.flags |= 1 << 22  # apart from the pictures
    encoder.open()
    units = bytes(encoder.extradata or b"").replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return [one for one in units if one and one[0] & 0x1F in (7, 8)]


@functools.cache
def h264_key() -> bytes:
    """A STAP-A of parameter sets and an IDR slice that nobody can decode."""
    units = [*parameter_sets((64, 48), "Baseline"), b"\x65\x88\x80\x10\x00"]
    return b"\x78" + b"".join(pack(">H", len(one)) + one for one in units)
