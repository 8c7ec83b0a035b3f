"""After a new clinic key: what was sealed for the ones before is wrapped to it too, beside the parts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from media.sealed import HEADER_MAX, CutHeaderError, Header, PartId, parse_header
from server.recordings.secrets import Secrets
from server.vault.keys import ListedKey
from server.vault.source import PartSource
from server.vault.wraps import NoKeyError, NotItsKeyError, Wraps, data_key, rewrapped

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Rewrapped:
    """What became of the parts; `failed` are those no key here opens: recording (16 bytes), part, why."""

    wrapped: int = 0
    already: int = 0
    failed: list[tuple[bytes, int, str]] = field(default_factory=list)


def rewrap(
    source: PartSource,
    wraps: Wraps,
    secrets: Secrets,
    private: Mapping[bytes, X25519PrivateKey],
    to: ListedKey,
    progress: Progress = lambda done, of: None,
) -> Rewrapped:
    """Wrap the data key of every part to `to`, where it is not yet. Destroyed recordings are left alone.

    It can be broken off and begun again. Raises OSError.
    """
    found = Rewrapped()
    recordings = source.recordings()
    for number, recording in enumerate(recordings):
        progress(number, len(recordings))
        shred = secrets.get(recording.hex())
        for part in [one.part for one in source.list(recording)] if shred is not None else []:
            which = PartId(recording=recording, part=part)
            try:
                header = _header(source, which)
                made = rewrapped(header, wraps.get(which), private, shred or b"", to) if header else None
            except (NoKeyError, NotItsKeyError, ValueError) as error:
                found.failed.append((recording, part, type(error).__name__))
                continue
            if made is None:
                found.already += 1
            else:
                wraps.put(which, made)
                found.wrapped += 1
    progress(len(recordings), len(recordings))
    return found


def sealed_for_one_alone(
    source: PartSource,
    wraps: Wraps,
    secrets: Secrets,
    private: Mapping[bytes, X25519PrivateKey],
    key_id: bytes,
) -> list[tuple[bytes, int]]:
    """The parts (recording, part) that no key of `private` opens but this one. Raises OSError."""
    others = {other: key for other, key in private.items() if other != key_id}
    needed: list[tuple[bytes, int]] = []
    for recording in source.recordings():
        shred = secrets.get(recording.hex())
        for part in [one.part for one in source.list(recording)] if shred is not None else []:
            which = PartId(recording=recording, part=part)
            try:
                header = _header(source, which)
            except ValueError:
                continue  # no key opens it
            stanzas = [*header.stanzas, *wraps.get(which)] if header else []
            if header is None or all(one.key_id != key_id for one in stanzas):
                continue
            try:
                data_key(header, wraps.get(which), others, shred or b"")
            except (NoKeyError, NotItsKeyError):
                needed.append((recording, part))
    return needed


def _header(source: PartSource, which: PartId) -> Header | None:
    """A part's header; None where a crash has cut it, so that there is nothing to open. Raises ValueError."""
    with source.open(which.recording, which.part) as data:
        try:
            return parse_header(data[:HEADER_MAX])
        except CutHeaderError:
            return None
