"""A made-up recording of a consult of three, for tests of the pages of recordings.

Half a minute: consent is taken back at 12 s and given again at 16 s, the interpreter joins at 5 s, the
physician shares a screen from 18 to 24 s.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from tests.web.playback_media import Spans
from web.pages import RecordingRow

LENGTH_S: Final = 30.0
GAP: Final = (12.0, 16.0)
SPANS: Final[Mapping[str, Spans]] = {
    "p0": ((0, 12), (16, 30)),
    "p1": ((0, 12), (16, 30)),
    "p2": ((5, 12), (16, 30)),
    "s1": ((18, 24),),
}
SPEECH: Final[Mapping[str, Spans]] = {
    "p0": ((0.5, 3), (6, 7.5), (16.4, 19), (25, 27)),
    "p1": ((3.2, 4.8), (9, 11), (21, 23)),
    "p2": ((7.6, 8.8), (11, 11.8), (19.2, 20.8), (27.1, 29)),
    "s1": (),
}
ID: Final = "rRr0123456789_-abcdefA"
FOREIGN_ID: Final = "fFf0123456789_-abcdefA"
TORN_ID: Final = "tTt0123456789_-abcdefA"
ASKED_ID: Final = "aAa0123456789_-abcdefA"
GONE_ID: Final = "gGg0123456789_-abcdefA"
GRANT: Final = "grant-of-this-opening"

MAY_ALL: Final = {"play": True, "export": True, "delete": False, "break_glass": False, "hold": True}
MAY_CONFIRM: Final = MAY_ALL | {"delete": True}
MAY_BREAK: Final = {"play": False, "export": False, "delete": False, "break_glass": True}
MAY_CARE: Final = {"play": False, "export": False, "delete": True, "break_glass": False, "hold": True}


def row(recording: str = ID, **more: Any) -> RecordingRow:
    """A complete recording that a physician may play and export."""
    given: dict[str, Any] = {
        "recording_id": recording,
        "consult_id": "consult-3",
        "title": "",
        "patient": "Salma Al-Rashidi",
        "physician": "Dr. Elena Marlowe",
        "started_at": "2026-11-24T16:36:00Z",
        "duration_s": 30,
        "what": "video",
        "state": "complete",
        "keep_until": "2033-11-24T16:36:00Z",
        "held": False,
        "deletion": None,
        "shredded_at": None,
        "may": MAY_ALL,
    }
    return cast("RecordingRow", given | more)


def asked_row() -> RecordingRow:
    """One that a coordinator wants to have destroyed, as its physician sees it."""
    asked = {"by": "Jonas Weber", "reason": "The patient asked us to"}
    return row(ASKED_ID, may=MAY_CONFIRM, deletion=asked)


def rows() -> list[RecordingRow]:
    """One in each state, as a physician sees them."""
    gone = {"play": False, "export": False, "delete": False}
    return [
        row(),
        row(TORN_ID, patient="Tomás Echeverría", state="torn", duration_s=754, what="audio", held=True),
        row(FOREIGN_ID, patient="Wei Lanying", physician="Dr. Ama Boateng", may=MAY_BREAK, duration_s=3720),
        row("p" * 22, patient="Rafael Quintana", state="preparing", duration_s=None, keep_until=None),
        row(
            GONE_ID, patient="Omar Al-Sabah", state="destroyed", shredded_at="2026-11-26T09:00:00Z", may=gone
        ),
    ]


def us(spans: Spans) -> list[list[int]]:
    return [[round(start * 1e6), round(end * 1e6)] for start, end in spans]


def manifest(status: str = "complete") -> dict[str, Any]:
    """As the vault says it: two parts, four views."""
    part = {"why": "", "records": 900, "size_bytes": 400_000, "ended": "revoked"}
    parts = [
        {**part, "part": 1, "status": "complete", "began_us": 0, "ended_us": 12_000_000},
        {**part, "part": 2, "status": status, "began_us": 16_000_000, "ended_us": 30_000_000},
    ]
    views = [
        {
            "view": name,
            "participant": int(name[1:]),
            "kind": "screen" if name.startswith("s") else "person",
            "mime": "video/webm",
            "bytes": 400_000,
            "duration_us": 30_000_000,
            "has_video": True,
            "spans": us(spans),
            "speech": us(SPEECH[name]),
        }
        for name, spans in SPANS.items()
    ]
    return {
        "status": status,
        "parts": parts,
        "duration_us": round(LENGTH_S * 1e6),
        "epoch_ms": 1_795_538_160_000,
        "what": "video",
        "gaps": us([GAP]),
        "views": views,
    }


def opened(status: str = "complete") -> dict[str, Any]:
    """The answer of POST /api/recordings/<id>/open, once it is ready."""
    people = [
        {"index": 0, "name": "Salma Al-Rashidi", "role": "patient", "language": "ar"},
        {"index": 1, "name": "Dr. Elena Marlowe", "role": "physician", "language": "en"},
        {"index": 2, "name": "Karim Haddad", "role": "interpreter", "language": "ar"},
    ]
    timeline = [
        {"at_us": 0, "kind": "recording_started"},
        {"at_us": 0, "kind": "consented", "person": 0},
        {"at_us": 0, "kind": "consented", "person": 1},
        {"at_us": 4_500_000, "kind": "joined", "person": 2},
        {"at_us": 5_000_000, "kind": "consented", "person": 2},
        {"at_us": 5_200_000, "kind": "interpreting_started", "person": 2},
        {"at_us": 12_000_000, "kind": "revoked", "person": 0},
        {"at_us": 12_000_000, "kind": "recording_paused", "why": "revoked"},
        {"at_us": 15_900_000, "kind": "consented", "person": 0},
        {"at_us": 16_000_000, "kind": "recording_resumed"},
        {"at_us": 30_000_000, "kind": "recording_stopped", "why": "ended"},
    ]
    agreed = {"purpose": "video_recording", "decision": "agreed"}
    consents = [
        {**agreed, "person": 0, "language": "ar", "at": "2026-11-24T16:35:40Z"},
        {**agreed, "person": 1, "language": "en", "at": "2026-11-24T16:35:20Z"},
        {**agreed, "person": 0, "decision": "revoked", "language": "ar", "at": "2026-11-24T16:36:12Z"},
    ]
    return {
        "state": "ready",
        "manifest": manifest(status),
        "people": people,
        "timeline": timeline,
        "consents": consents,
        "may": MAY_ALL,
        "grant": GRANT,
    }


def alerts() -> list[dict[str, Any]]:
    """What a coordinator sees at the top of the list."""
    at = "2026-11-25T02:00:00Z"
    who = {"who": "Dr. Ama Boateng", "reason": "Unconscious in the emergency room"}
    return [{"alert": "alert-1", "recording_id": ID, "at": at, **who}]


def accesses() -> dict[str, Any]:
    marlowe = {"who": "Dr. Elena Marlowe", "role": "physician", "purpose": "treatment", "outcome": "ok"}
    return {
        "rows": [
            {**marlowe, "at": "2026-11-25T10:00:00Z", "kind": "recording.played"},
            {**marlowe, "at": "2026-11-25T10:05:00Z", "kind": "recording.exported", "purpose": "legal"},
            {"at": "2026-11-26T00:00:00Z", "who": "clock", "role": "clock", "kind": "recording.stopped",
             "purpose": "", "outcome": "ok"},
        ]
    }  # fmt: skip
