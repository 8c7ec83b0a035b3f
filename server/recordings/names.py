"""The id of a recording as people's pages have it, and as files and the vault have it."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Final

from signaling.consult.ids import RecordingId

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


def hex_of(recording: RecordingId) -> str:
    """The 16 bytes of an id in hex (32 characters). Raises ValueError for what is no id."""
    raw = base64.urlsafe_b64decode(recording + "==")
    if len(raw) != 16:
        raise ValueError("an id of a recording has 16 bytes")
    return raw.hex()


def id_of(name: str) -> RecordingId:
    """The id behind 32 hexadecimal digits. Raises ValueError for anything else."""
    raw = bytes.fromhex(name)
    if len(raw) != 16:
        raise ValueError("a recording is named by 32 hexadecimal digits")
    return RecordingId(base64.urlsafe_b64encode(raw).decode().rstrip("="))


def epoch_ms_of(begun_at: datetime) -> int:
    """What times in a recording count from, as whole milliseconds since 1970."""
    return (begun_at - _BEGINNING) // timedelta(milliseconds=1)
