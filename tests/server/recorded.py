"""A consult that was recorded, in a database; and a vault without keys, which shows made-up views."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from server.identity.random_values import new_id
from server.recordings.names import epoch_ms_of, hex_of
from server.storage.consults import Consults
from server.storage.database import Database
from server.vault.client import VaultState, VaultUnavailableError
from signaling.consult import events as happened
from signaling.consult import recording_events as recorded
from signaling.consult.events import Event
from signaling.consult.evolve import replay
from signaling.consult.ids import ActorId, ClinicId, ConsultId, ParticipantId, RecordingId, UserId
from signaling.consult.values import Consult, Policy, Role
from signaling.ports import PersonChange, SideRows

HASH = "5" * 64
MEDIA = bytes(range(256)) * 40


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What a worker tells of a part."""

    recording: str
    part: int = 1
    records: int = 0
    size_bytes: int = 134
    chain: str = "a" * 64
    ended: str = ""


class Script:
    """Makes a recording of a consult, event after event, a second apart."""

    def __init__(self, database: Database, at: datetime) -> None:
        self.database = database
        self.consults = Consults(database)
        self.at = at
        self.recording = RecordingId(new_id())
        self.name = hex_of(self.recording)

    async def scheduled(self, clinic: str = "demo", physician: str = "dr-chen") -> Consult:
        """A consult of patient, physician and interpreter."""
        consult = ConsultId(new_id())
        people = {
            "patient": (Role.PATIENT, "ar", None),
            "physician": (Role.PHYSICIAN, "en", UserId(physician)),
            "interpreter": (Role.INTERPRETER, "ar", None),
        }
        events: list[Event] = [
            happened.ConsultScheduled(
                at=self.at,
                by=ActorId("maria"),
                consult=consult,
                clinic=ClinicId(clinic),
                starts_at=self.at,
                ends_at=self.at + timedelta(minutes=30),
                interpreting=None,
                continues=None,
                policy=Policy(),
            ),
            *(
                happened.ParticipantInvited(
                    at=self.at,
                    by=ActorId("maria"),
                    participant=ParticipantId(f"{name}-{consult[:4]}"),
                    role=role,
                    language=language,
                    user=user,
                )
                for name, (role, language, user) in people.items()
            ),
        ]
        after = replay(None, events)
        assert after is not None
        names = tuple(
            PersonChange(participant=p.id, name=p.role.value.title(), user=p.user) for p in after.participants
        )
        await self.consults.append(
            after, events, expected_version=0, due_at=None, rows=SideRows(people=names)
        )
        return after

    async def happen(self, consult: ConsultId, *events: Event) -> Consult:
        """Store events."""
        before = await self.consults.load(consult)
        assert before is not None
        after = replay(before, events)
        assert after is not None
        await self.consults.append(
            after, events, expected_version=before.version, due_at=None, rows=SideRows()
        )
        return after

    def event(self, kind: type[Any], **fields: object) -> Any:
        """An event of this recording, a second after the last one."""
        self.at += timedelta(seconds=1)
        return kind(at=self.at, by=fields.pop("by", ActorId("clock")), recording=self.recording, **fields)

    def agreed(self, participant: ParticipantId, language: str = "en") -> recorded.RecordingAgreed:
        event: recorded.RecordingAgreed = self.event(
            recorded.RecordingAgreed,
            by=ActorId(participant),
            participant=participant,
            what="video",
            text_id="recording-video-1",
            text_hash=HASH,
            language=language,
        )
        return event

    async def recorded(self, consult: Consult) -> None:
        """From the question to the end, with a pause."""
        physician = next(consult.of_role(Role.PHYSICIAN)).id
        asked = self.event(recorded.RecordingAsked, by=ActorId(physician), no=1, what="video")
        await self.happen(consult.id, asked)
        await self.happen(
            consult.id,
            *(self.agreed(p.id, p.language) for p in consult.participants),
            self.event(recorded.RecordingBegun),
        )
        patient = next(consult.of_role(Role.PATIENT)).id
        revoked = self.event(recorded.RecordingRefused, participant=patient, revoked=True)
        await self.happen(consult.id, revoked, self.event(recorded.RecordingPaused, why="revoked"))
        again = self.agreed(patient, "ar")
        await self.happen(consult.id, again, self.event(recorded.RecordingResumed))
        await self.happen(consult.id, self.event(recorded.RecordingStopped, why="physician"))


class FakeVault:
    """Keeps the contract of `Vault`; a recording is ready after `asks_until_ready` more asks."""

    def __init__(self, epoch_at: datetime) -> None:
        self.epoch_ms = epoch_ms_of(epoch_at)
        self.asks_until_ready = 0
        self.status = "complete"
        self.away = False
        self.asked: list[tuple[str, object]] = []
        self.destroyed: list[str] = []
        self.open = 0
        self.closed = asyncio.Event()
        self.composes = VaultState(state="none")

    def _ask(self, what: str, about: object) -> None:
        if self.away:
            raise VaultUnavailableError
        self.asked.append((what, about))

    async def prepare(self, recording: str, parts: Sequence[Mapping[str, object]]) -> VaultState:
        self._ask("prepare", [dict(part) for part in parts])
        if recording in self.destroyed:
            return VaultState(state="failed", code="destroyed")
        if self.asks_until_ready:
            self.asks_until_ready -= 1
            return VaultState(state="preparing", done=0.5)
        return VaultState(state="ready", done=1.0, manifest=self._manifest())

    def _manifest(self) -> dict[str, Any]:
        view = {"view": "p0", "participant": 0, "kind": "person", "mime": "video/webm", "bytes": len(MEDIA)}
        part = {"part": 1, "status": self.status, "why": "", "began_us": 0, "ended_us": 4_000_000}
        return {
            "status": self.status,
            "parts": [part],
            "duration_us": 4_000_000,
            "epoch_ms": self.epoch_ms,
            "what": "video",
            "gaps": [],
            "views": [view],
        }

    @asynccontextmanager
    async def view(self, recording: str, view: str, range_header: str | None) -> AsyncIterator[Piece]:
        self._ask("view", view)
        headers = {"Content-Type": "video/webm", "Accept-Ranges": "bytes", "X-Vault": "inside"}
        self.open += 1
        try:
            if view not in ("p0", "composed"):
                yield Piece(404, {}, b"")
            elif range_header is None:
                yield Piece(200, headers | {"Content-Length": str(len(MEDIA))}, MEDIA)
            else:
                first, _, last = range_header.removeprefix("bytes=").partition("-")
                part = MEDIA[int(first) : int(last) + 1]
                unit = f"bytes {first}-{last}/{len(MEDIA)}"
                sizes = {"Content-Range": unit, "Content-Length": str(len(part))}
                yield Piece(206, headers | sizes, part)
        finally:
            self.open -= 1
            self.closed.set()

    async def destroy(self, recording: str) -> None:
        self._ask("destroy", recording)
        self.destroyed.append(recording)

    async def compose(self, recording: str, names: Mapping[str, str]) -> VaultState:
        self._ask("compose", dict(names))
        self.composes = VaultState(state="preparing", done=0.25)
        return self.composes

    async def composing(self, recording: str) -> VaultState:
        self._ask("composing", recording)
        return self.composes

    async def cancel_composing(self, recording: str) -> None:
        self._ask("cancel", recording)
        self.composes = VaultState(state="none")


class Piece:
    """Some bytes of a view."""

    def __init__(self, status: int, headers: Mapping[str, str], media: bytes) -> None:
        self.status = status
        self.headers = headers
        self._media = media

    async def pieces(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._media), 4096):
            yield self._media[at : at + 4096]
