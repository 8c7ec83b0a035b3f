"""Sealed recordings in a data directory with keys, as a server and its workers leave them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from media.parts import part_file
from media.remux.opened import Meta, Opened, PartBegan
from media.sealed import Checkpoint, PartId, RecordKind, Sealer, wrap
from server.recordings.secrets import FOLDER, Secrets
from server.vault.keys import ensure_keys, recipients
from server.vault.opening import KnownPart, Opening, PartReport, examined
from server.vault.places import Places
from server.vault.preparing import opening_of, sealing_of
from server.vault.source import FolderParts
from tests.recording.generated import Recorded, camera, opus, sound, vp8

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
RECORDING = bytes(range(16))
SECOND_US = 1_000_000
PACKET_US = 20_000
PICTURE_US = 100_000
PART_SECONDS = 3


def spoken(people: int = 2, parts: int = 2) -> Recorded:
    """So many people who speak, in parts of some seconds."""
    into = Recorded(parts_at_us=tuple(number * PART_SECONDS * SECOND_US for number in range(parts)))
    for person in range(people):
        voice, picture = sound(into, person), camera(into, person)
        for at_us in range(0, (parts * PART_SECONDS - 1) * SECOND_US, PACKET_US):
            if at_us % SECOND_US == 0:
                voice.report(at_us)
                picture.report(at_us)
            voice.send(at_us, opus(at_us), level=20)
            if at_us % PICTURE_US == 0:
                picture.send(at_us, vp8(at_us, size=(320, 240) if at_us % SECOND_US == 0 else None))
    into.packets.sort(key=lambda one: one[0])
    return into


@dataclass
class Clinic:
    """A data directory. `known` is what the server's log would have of the parts that were sealed."""

    data_dir: Path
    known: list[KnownPart] = field(default_factory=list)
    recording: bytes = RECORDING

    @classmethod
    def at(cls, data_dir: Path) -> Clinic:
        ensure_keys(data_dir, NOW)
        Places(data_dir).recordings.mkdir(exist_ok=True)
        return cls(data_dir)

    @property
    def secrets(self) -> Secrets:
        return Secrets(self.data_dir / FOLDER)

    @property
    def told(self) -> list[dict[str, Any]]:
        """As a request has it."""
        return [
            {
                "part": one.part,
                "records": one.records,
                "size_bytes": one.size_bytes,
                "chain": one.chain.hex(),
                "ended": one.ended,
            }
            for one in self.known
        ]

    def file(self, part: int) -> Path:
        return part_file(Places(self.data_dir).recordings, self.recording, part)

    def sealer(self, part: int) -> Sealer:
        which, dek, salt = PartId(recording=self.recording, part=part), os.urandom(32), os.urandom(32)
        stanzas = [wrap(dek, one.key, one.key_id, which, salt) for one in recipients(self.data_dir)]
        shred = self.secrets.get_or_create(self.recording.hex())
        return Sealer(which, dek=dek, shred=shred, salt=salt, stanzas=stanzas)

    def record(self, records: Sequence[Opened]) -> None:
        """Seal what was opened; the reason of each part but the last is "rotated"."""
        parts = sum(isinstance(one, PartBegan) for one in records)
        pieces: list[bytes] = []
        sealer: Sealer | None = None
        for one in [*records, PartBegan(part=parts + 1, parts=parts)]:
            if isinstance(one, PartBegan):
                if sealer is not None:
                    self._end(sealer, pieces, one.part - 1, last=one.part > parts)
                sealer = self.sealer(one.part) if one.part <= parts else None
                pieces = [sealer.header] if sealer else []
                at_us = 0
            elif sealer is not None:
                kind, track = (RecordKind.META, 0) if isinstance(one, Meta) else (RecordKind.MEDIA, one.track)
                at_us = max(at_us, one.at_us)
                pieces.append(sealer.seal(kind, one.body, at_us=one.at_us, track=track))
                self._at_us = at_us

    def _end(self, sealer: Sealer, pieces: list[bytes], part: int, *, last: bool) -> None:
        reason = "ended" if last else "rotated"
        pieces.append(sealer.final(reason, at_us=self._at_us))
        self.file(part).write_bytes(b"".join(pieces))
        self.known.append(known_of(part, sealer.checkpoint, reason))

    def opening(self, known: Sequence[KnownPart] | None = None) -> Opening:
        sealing = sealing_of(self.data_dir, self.recording)
        source = FolderParts(Places(self.data_dir).recordings)
        return opening_of(self.data_dir, sealing, self.known if known is None else known, source)

    def reports(self, known: Sequence[KnownPart] | None = None) -> list[PartReport]:
        return examined(self.opening(known))


def known_of(part: int, upto: Checkpoint, ended: str = "") -> KnownPart:
    return KnownPart(
        part=part, records=upto.records, size_bytes=upto.size_bytes, chain=upto.chain, ended=ended
    )


def recorded(data_dir: Path, *, people: int = 2, parts: int = 2) -> Clinic:
    """A clinic with one short recording."""
    clinic = Clinic.at(data_dir)
    clinic.record(list(spoken(people, parts).opened()))
    return clinic
