"""Makes the views of a recording: opens its parts, remuxes them, seals what comes out.

It runs in a process of its own, `python -m server.vault.preparing`, because it computes for minutes: the
process that answers players must not wait for it. That process says a JSON object a line: `{"done": 0.42}`
now and then, at last `{"state": "ready"}` or `{"state": "failed", "code": …}`.

```
views/<recording hex>/manifest                  sealed: what it was made of, its generation, what was found
views/<recording hex>/<generation hex>/<view>   sealed files
```
"""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from media.remux.opened import Opened, PartBegan, Remuxed, opened
from media.remux.remuxing import remux
from media.sealed import RecordKind
from media.unsealed import Record
from server.recordings.secrets import FOLDER, Secrets
from server.vault import keys
from server.vault.environment import keep_memory_private
from server.vault.opening import CannotOpenError, KnownPart, Opening, gaps, whole
from server.vault.places import Places, write_private
from server.vault.sealed_file import BrokenViewError, SealedFile, open_blob, seal_blob, view_key
from server.vault.source import PartSource, source_for
from server.vault.wraps import FolderWraps

MANIFEST: Final = "manifest"
FORMAT: Final = 1
PROGRESS_STEP: Final = 0.01
NICE: Final = 10  # consults go before recordings
KNOWN_BYTES_MAX: Final = 4 << 20

Manifest = dict[str, Any]
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Sealing:
    """What seals and opens the views of one recording, while its shred secret exists."""

    recording: bytes
    shred: bytes
    vault_secret: bytes

    def key(self, view: str) -> bytes:
        """The key of a view, or of the manifest."""
        return view_key(self.vault_secret, self.shred, self.recording, view)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The views of a recording, as they lie there."""

    made_of: str
    generation: str
    manifest: Manifest


def known_parts(entries: object) -> list[KnownPart]:
    """What the server says it knows of the parts, as the body of a request has it.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(entries, list):
        raise ValueError("parts: a list")  # noqa: TRY004 (whoever sent it is told so, not who called)
    try:
        return [
            KnownPart(
                part=int(one["part"]),
                records=int(one["records"]),
                size_bytes=int(one["size_bytes"]),
                chain=bytes.fromhex(one["chain"]),
                ended=str(one["ended"]),
            )
            for one in entries
        ]
    except (KeyError, TypeError) as error:
        raise ValueError("parts: each with part, records, size_bytes, chain, ended") from error


def sealing_of(data_dir: Path, recording: bytes) -> Sealing:
    """What the views of a recording are sealed with.

    Raises:
        CannotOpenError: its shred secret is destroyed, or there never was one.
        KeysError: the vault has no secret.
        OSError: a file cannot be read.
    """
    shreds = Secrets(data_dir / FOLDER)
    shred = shreds.get(recording.hex())
    if shred is None:
        raise CannotOpenError("destroyed" if shreds.is_destroyed(recording.hex()) else "missing")
    return Sealing(recording, shred, keys.vault_secret(data_dir))


def opening_of(data_dir: Path, sealing: Sealing, known: Sequence[KnownPart], source: PartSource) -> Opening:
    """A recording, ready to be read with the keys of this vault. Raises KeysError, OSError."""
    return Opening(
        sealing.recording,
        source=source,
        private=keys.private_keys(data_dir),
        wraps=FolderWraps(Places(data_dir).wraps),
        shred=sealing.shred,
        known=known,
    )


def made_of(recording: bytes, known: Sequence[KnownPart], source: PartSource) -> str:
    """A digest of what views are made of: another one, and they must be made again. Raises OSError."""
    parts = [[one.part, one.size_bytes] for one in source.list(recording)]
    told = sorted([one.part, one.records, one.size_bytes, one.chain.hex()] for one in known)
    return hashlib.sha256(json.dumps([FORMAT, parts, told]).encode()).hexdigest()


def folder_of(data_dir: Path, recording: bytes) -> Path:
    """Where the views of a recording are."""
    return Places(data_dir).views / recording.hex()


def ready(data_dir: Path, sealing: Sealing) -> Ready | None:
    """The views there are, or None. Raises OSError."""
    try:
        sealed = (folder_of(data_dir, sealing.recording) / MANIFEST).read_bytes()
        return Ready(**json.loads(open_blob(sealing.key(MANIFEST), sealed, MANIFEST.encode())))
    except (FileNotFoundError, BrokenViewError, TypeError, ValueError):
        return None


def open_view(data_dir: Path, sealing: Sealing, generation: str, view: str) -> SealedFile:
    """A view, to be read. Raises FileNotFoundError, `BrokenViewError`, OSError."""
    return SealedFile.open(
        folder_of(data_dir, sealing.recording) / generation / view, sealing.key(view), view
    )


class _Views:
    """The files of one generation while they are written."""

    def __init__(self, folder: Path, sealing: Sealing) -> None:
        self._folder = folder
        self._sealing = sealing
        self._files: list[SealedFile] = []

    def open(self, view: str) -> SealedFile:
        """A new view."""
        file = SealedFile.create(self._folder / view, self._sealing.key(view), view)
        self._files.append(file)
        return file

    def finish(self) -> None:
        """All of them are whole."""
        for file in self._files:
            file.finish()

    def close(self) -> None:
        """Whatever became of them."""
        for file in self._files:
            file.close()


class Recorded:
    """The records of a recording for the remuxer, and what the recording says of itself."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self.epoch_ms = 0
        self.what = ""

    def __call__(self) -> Iterator[Opened]:
        parts = len(self._opening.parts)
        for part, record in self._opening.records():
            if record is None:
                yield PartBegan(part=part, parts=parts)
                continue
            self._learn(record)
            found = opened(record)
            if found is not None:
                yield found

    def _learn(self, record: Record) -> None:
        if record.head.kind is not RecordKind.META or self.what:
            return
        with contextlib.suppress(ValueError, KeyError, TypeError):
            said = json.loads(record.body)
            if said["kind"] == "recording":
                self.epoch_ms, self.what = int(said["epoch_ms"]), str(said["what"])


def prepare(
    data_dir: Path,
    recording: bytes,
    known: Sequence[KnownPart],
    *,
    source: PartSource,
    progress: Progress = lambda done: None,
) -> Manifest:
    """Make the views and their manifest; those there were before are removed. Blocks for as long as it takes.

    Raises:
        CannotOpenError: there is nothing that can be opened; `code` says why.
        KeysError: the vault has no keys.
        OSError: the disk fails.
    """
    sealing = sealing_of(data_dir, recording)
    stamp = made_of(recording, known, source)
    opening = opening_of(data_dir, sealing, known, source)
    recorded = Recorded(opening)
    folder, generation = folder_of(data_dir, recording), secrets.token_hex(8)
    (folder / generation).mkdir(mode=0o700, parents=True)
    views = _Views(folder / generation, sealing)
    try:
        made = remux(recorded, views.open, progress)
        manifest = _manifest(opening, recorded, made)
        views.finish()
        sealing_of(data_dir, recording)  # what was destroyed meanwhile is not made anew
        content = {"made_of": stamp, "generation": generation, "manifest": manifest}
        sealed = seal_blob(sealing.key(MANIFEST), json.dumps(content).encode(), MANIFEST.encode())
        write_private(folder / MANIFEST, sealed)
    except BaseException:
        views.close()
        shutil.rmtree(folder / generation, ignore_errors=True)
        raise
    tidy(folder, generation)
    return manifest


def tidy(folder: Path, generation: str) -> None:
    """Remove the views of other generations, such as those of a process that was killed."""
    for other in folder.iterdir():
        if other.is_dir() and other.name != generation:
            shutil.rmtree(other, ignore_errors=True)


def _manifest(opening: Opening, recorded: Recorded, made: Sequence[Remuxed]) -> Manifest:
    status = whole(opening.reports)
    ends = [one.ended_us for one in opening.reports]
    return {
        "status": status,
        "parts": [asdict(one) for one in opening.reports],
        "duration_us": max((one.duration_us for one in made), default=max(ends, default=0)),
        "epoch_ms": recorded.epoch_ms,
        "what": recorded.what,
        "gaps": gaps(opening.reports),
        "views": [_view(one) for one in made],
    }


def _view(one: Remuxed) -> Manifest:
    """As the manifest names it: `bytes` instead of `size_bytes`."""
    entry = asdict(one)
    entry["bytes"] = entry.pop("size_bytes")
    return entry


def _say(line: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class _Telling:
    """Says how much is done, not too often. Raises BrokenPipeError when nobody listens any more."""

    def __init__(self) -> None:
        self._said = 0.0

    def __call__(self, done: float) -> None:
        if done - self._said >= PROGRESS_STEP:
            self._said = done
            _say({"done": round(done, 3)})


def main(arguments: Sequence[str]) -> None:
    """`DATA_DIR RECORDING_HEX STORAGE_URL`, what the server knows of the parts on standard input."""
    data_dir, recording, storage_url = Path(arguments[0]), bytes.fromhex(arguments[1]), arguments[2]
    os.nice(NICE)
    keep_memory_private()
    try:
        known = known_parts(json.loads(sys.stdin.read(KNOWN_BYTES_MAX)))
        prepare(
            data_dir,
            recording,
            known,
            source=source_for(data_dir, storage_url or None),
            progress=_Telling(),
        )
    except CannotOpenError as error:
        _say({"state": "failed", "code": error.code})
    except keys.KeysError:
        _say({"state": "failed", "code": "no_key"})
    else:
        _say({"state": "ready"})


if __name__ == "__main__":
    main(sys.argv[1:])
