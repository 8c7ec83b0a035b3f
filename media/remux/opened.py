"""What goes into a remuxer, and what comes out of it: the values that cross its border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol

from media.sealed import RecordKind
from media.unsealed import Record

HEAD_BYTES_MAX: Final = 4_096
"""A view is written from its beginning to its end; only so much of its beginning is written again at last."""

Span = tuple[int, int]
"""From and until, in microseconds of the recording."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartBegan:
    """The records of the next part follow."""

    part: int
    """1 for the first one there is; only the progress is reckoned from it."""
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """A meta record: JSON, padded with spaces."""

    at_us: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A media record of one track; `at_us` is that of its head."""

    track: int
    at_us: int
    body: bytes


Opened = PartBegan | Meta | Media


def opened(record: Record) -> Meta | Media | None:
    """The record as a remuxer takes it; None for those that hold nothing to play."""
    if record.head.kind is RecordKind.MEDIA:
        return Media(track=record.head.track, at_us=record.head.at_us, body=record.body)
    if record.head.kind is RecordKind.META:
        return Meta(at_us=record.head.at_us, body=record.body)
    return None


class ViewFile(Protocol):
    """Where a view is written: any binary file that can seek. Whoever opened it closes it."""

    def write(self, data: bytes, /) -> int:
        """Write all of `data`."""

    def seek(self, offset: int, /) -> int:
        """Go to a byte from the beginning: only to somewhere in the first `HEAD_BYTES_MAX`, only at last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remuxed:
    """A view that was written. All of them begin at 0 of the recording and are equally long."""

    view: str
    """`p<participant>` (sound and camera) or `s<participant>` (screen)."""
    participant: int
    kind: Literal["person", "screen"]
    mime: Literal["video/webm", "audio/webm", "video/mp4"]
    size_bytes: int
    duration_us: int
    has_video: bool
    spans: tuple[Span, ...]
    """When media came; pauses of more than a second are between them."""
    speech: tuple[Span, ...]
    """When a voice was heard, by the sender's own audio levels; none if it sent no levels."""
    frozen: tuple[Span, ...] = ()
    """When the picture stands still because packets were lost."""
    left_out: tuple[Span, ...] = ()
    """When there were pictures in another codec than the one this view is in."""
