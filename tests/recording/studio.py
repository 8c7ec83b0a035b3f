"""A room that records, without sockets, threads or a real clock; and what is in its parts afterwards."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from media import rtp
from media.clock import Clock
from media.description import Codec, Extensions, Upstream
from media.gathering import Packet, packets
from media.interface import (
    Notice,
    RecordedTrack,
    RecordingKey,
    RecordingOrder,
    RecordingProgress,
    Route,
    Routing,
    SourceName,
)
from media.peer import Peer
from media.recorder import Recorder
from media.recording_thread import WAKE_S, Writer
from media.room import Room
from media.sealed import RecordKind, parse_header
from media.source import PublisherClock, Source
from media.unsealed import Examined, Record, examine, keys_of, records, unwrap
from tests.media.packets import packet, vp8
from tests.recording.killed import KEY, KEY_ID, SHRED

RECORDING = bytes(range(16))
NOW_S, WALL_S = 1_000.0, 1_700_000_000.0
EPOCH_MS = int(WALL_S * 1_000) - 10_000
"""The recording began ten seconds before a test does."""
VP8 = Codec(name="vp8", payload_type=96, rtx_payload_type=97, nack=True, pli=True)
OPUS = Codec(name="opus", payload_type=111)
LEVEL = 1
SOURCE_PLACES: dict[SourceName, int] = {"audio": 0, "video": 1, "screen": 2}


@dataclass
class Person:
    """As much of a peer as a room asks for."""

    sources: dict[SourceName, Source]
    slots: dict[tuple[SourceName, int], Any] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    @property
    def uplink(self) -> "Person":
        return self

    def request_keyframe(self, source: Source) -> None:
        """Nobody is asked here; tests look at what is wanted."""


def order(*agreed: str, **changes: Any) -> RecordingOrder:
    """An order for everything of these people, of whom each has agreed."""
    public = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    values: dict[str, Any] = {
        "recording": RECORDING.hex(),
        "epoch_ms": EPOCH_MS,
        "first_part": 1,
        "what": "video",
        "shred": SHRED.hex(),
        "recipients": (RecordingKey(key_id=KEY_ID.hex(), public=public.hex()),),
        "agreed": agreed,
        "tracks": tuple(
            RecordedTrack(peer=name, source=source, track=4 * index + place)
            for index, name in enumerate(agreed)
            for source, place in SOURCE_PLACES.items()
        ),
        "consents": "cc" * 32,
    }
    return RecordingOrder(**(values | changes))


def routes(*links: tuple[str, str]) -> tuple[Route, ...]:
    """The second of each two hears and sees the first."""
    return tuple(
        Route(publisher=one, source=source, subscriber=other, slot=0)
        for one, other in links
        for source in SOURCE_PLACES
    )


class Studio:
    """Room `r` of a worker, its disk being `folder`."""

    def __init__(self, folder: Path, *people: str) -> None:
        self.folder = folder
        self.told: list[Notice] = []
        self.clock = Clock(NOW_S, WALL_S)
        self.writer = Writer(folder, lambda function, *arguments: function(*arguments))
        self.recorder = Recorder("r", self.clock, self.writer, self.told.append, lambda: self.clock.wall_s)
        self.room = Room("r", self.recorder)
        self.revision = 0
        self.worked_at_s = NOW_S
        for name in people:
            self.join(name)

    def join(self, name: str, *, layers: bool = False, video: Codec = VP8) -> Person:
        """Somebody is there who sends sound, a picture and a screen."""
        clock = PublisherClock()

        def made(source: SourceName, ssrc: int) -> Source:
            codecs = (OPUS,) if source == "audio" else (video,)
            extensions = Extensions(audio_level=LEVEL if source == "audio" else 0)
            one = Source(
                Upstream(mid="1", source=source, codecs=codecs, extensions=extensions), self.clock, clock
            )
            one.begin(ssrc)
            return one

        person = Person({name: made(name, 10 + place) for name, place in SOURCE_PLACES.items()})
        if layers:
            person.sources["video"].small = made("video", 20)
        self.room.peers[name] = cast(Peer, person)
        self.room.connect()
        return person

    def leave(self, name: str) -> None:
        """Somebody is gone."""
        del self.room.peers[name]
        self.room.connect()

    def route(self, *people: str, recording: RecordingOrder | None = None, **changes: Any) -> None:
        """These people hear and see each other from now on."""
        self.link(*permutations(people, 2), recording=recording, **changes)

    def link(self, *links: tuple[str, str], recording: RecordingOrder | None = None, **changes: Any) -> None:
        """The second of each two hears and sees the first from now on."""
        self.revision += 1
        routing = Routing(revision=self.revision, routes=routes(*links), recording=recording, **changes)
        assert self.room.route(routing)

    def record(self, *people: str, **changes: Any) -> None:
        """As above, and they are recorded, because all have agreed."""
        self.route(*people, recording=order(*people, **changes))

    def pass_s(self, seconds: float) -> None:
        """Time goes by, and the thread does its work when it would."""
        until_s = self.clock.now_s + seconds
        while self.worked_at_s + WAKE_S <= until_s:
            self.worked_at_s += WAKE_S
            self.clock.now_s = self.worked_at_s
            self.work()
        self.clock.now_s = until_s

    def work(self) -> None:
        """What the thread does when it is woken."""
        self.writer.work(self.clock.now_s)

    def say(self, name: str, body: bytes, *, source: SourceName = "audio", key: bool = False) -> bytes:
        """A packet of somebody arrives; returns it."""
        peer = self.room.peers[name]
        one = peer.sources[source]
        return self.arrive(one, body, key=key)

    def arrive(self, source: Source, body: bytes, *, key: bool = False) -> bytes:
        """The next packet of a source arrives; returns it."""
        number = 1 + source._highest if source._highest >= 0 else 1
        data = rtp_packet(source, number, body, key=key)
        source.receive(data, rtp.payload_offset(data))
        return data

    def parts(self) -> list[bytes]:
        """The files, oldest first."""
        return [file.read_bytes() for file in sorted(self.folder.glob("*.tcr"))]

    def progress(self) -> list[RecordingProgress]:
        """What was told of parts."""
        return [notice for notice in self.told if isinstance(notice, RecordingProgress)]

    def at_us(self) -> int:
        """Now, on the recording's own clock."""
        return int((self.clock.wall_s - EPOCH_MS / 1_000) * 1e6)


def rtp_packet(source: Source, number: int, body: bytes, *, key: bool = False) -> bytes:
    """A packet of a source of these tests."""
    payload_type = next(iter(source.codecs))
    payload = body if source.is_audio else vp8(key=key, body=body)
    return packet(
        number, timestamp=number * 960, ssrc=source.ssrc or 0, payload_type=payload_type, payload=payload
    )


def key_of(data: bytes) -> bytes:
    """A part's data key."""
    return unwrap(parse_header(data), KEY, KEY_ID)


def found(data: bytes) -> Examined:
    """What a reader says of a part."""
    return examine(data, key_of(data), SHRED)


def opened(data: bytes) -> list[Record]:
    """The records of a part."""
    header = parse_header(data)
    return list(records(data, header, keys_of(header, key_of(data), SHRED)))


def metas(data: bytes) -> list[dict[str, Any]]:
    """What a part says of itself."""
    return [json.loads(one.body) for one in opened(data) if one.head.kind is RecordKind.META]


def kept(files: Sequence[bytes]) -> list[tuple[int, Packet]]:
    """All packets of these parts with the numbers of their tracks, in the order of their arrival."""
    taken = [
        (one.head.track, each)
        for data in files
        for one in opened(data)
        if one.head.kind is RecordKind.MEDIA
        for each in packets(one.body, one.head.at_us)
    ]
    return sorted(taken, key=lambda one: one[1].at_us)
