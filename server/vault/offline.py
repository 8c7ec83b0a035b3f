"""Recordings without a running vault: for the command line, under the vault's account."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from media.remux.opened import Remuxed
from media.remux.remuxing import remux
from server.recordings.secrets import FOLDER, Secrets
from server.vault import keys
from server.vault.opening import CannotOpenError, KnownPart, Opening, PartReport, Status, whole
from server.vault.places import Places
from server.vault.preparing import Recorded
from server.vault.source import PartSource
from server.vault.wraps import FolderWraps

Progress = Callable[[float], None]
_COPIED: Final = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a recording is. "unknown": nothing can be said; `code` says why: destroyed, no_key."""

    status: Status | Literal["unknown"]
    parts: Sequence[PartReport] = ()
    code: str = ""


def opened_offline(
    data_dir: Path,
    recording: bytes,
    *,
    known: Sequence[KnownPart],
    source: PartSource,
    further: Mapping[bytes, X25519PrivateKey],
) -> Opening:
    """A recording, with the vault's keys and `further` ones, such as the one in escrow.

    Raises:
        CannotOpenError: its shred secret is destroyed, or there is none.
        KeysError: a key cannot be read.
        OSError: a file cannot be read.
    """
    shreds = Secrets(data_dir / FOLDER)
    shred = shreds.get(recording.hex())
    if shred is None:
        raise CannotOpenError("destroyed" if shreds.is_destroyed(recording.hex()) else "no_key")
    return Opening(
        recording,
        source=source,
        private={**keys.private_keys(data_dir), **further},
        wraps=FolderWraps(Places(data_dir).wraps),
        shred=shred,
        known=known,
    )


def verified(opening: Opening, progress: Progress = lambda done: None) -> Verdict:
    """Read all of it and say what it is. Raises OSError."""
    for part, record in opening.records():
        if record is None:
            progress((part - 1) / len(opening.parts))
    progress(1.0)
    return _verdict(opening)


def exported(
    opening: Opening, to: Path, progress: Progress = lambda done: None
) -> tuple[Verdict, list[Path]]:
    """Write the views as plain files into the folder `to`, for this account alone; their paths.

    Nothing of them stays where that fails.

    Raises:
        FileExistsError: one of them is there.
        OSError: the disk fails.
    """
    drafts: dict[str, Path] = {}
    try:
        with ExitStack() as stack:

            def open_view(view: str) -> BinaryIO:
                drafts[view] = to / f".{view}.{os.getpid()}"
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                file = os.open(drafts[view], flags, _COPIED)
                return stack.enter_context(os.fdopen(file, "w+b"))

            made = remux(Recorded(opening), open_view, progress)
        return _verdict(opening), [_named(drafts[one.view], to, one) for one in made]
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _named(draft: Path, to: Path, made: Remuxed) -> Path:
    path = to / f"{made.view}.{made.mime.partition('/')[2]}"
    os.link(draft, path)  # unlike a rename, never over another file
    return path


def _verdict(opening: Opening) -> Verdict:
    try:
        return Verdict(status=whole(opening.reports), parts=opening.reports)
    except CannotOpenError as error:
        code = error.code
        if code in ("tampered", "missing"):
            return Verdict(status=code, parts=opening.reports)
        return Verdict(status="unknown", parts=opening.reports, code=code)
