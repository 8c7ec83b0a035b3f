"""`recording`: look at recordings on this machine, with the vault's keys."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from server.cli.loaded import ConfigOption, loaded
from server.cli.output import say

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from server.settings import Settings
    from server.vault.offline import Verdict
    from server.vault.opening import KnownPart, Opening
    from server.vault.source import PartSource

_EXITS: Final = """
Run it as the vault's account, on the machine that has the parts.

Exit codes: 0 all is complete; 1 something is torn by a crash, plays and ends early; 2 something was tampered
with or is missing (also: misused); 3 it cannot be said: no key, destroyed, no such recording.
"""

app = typer.Typer(help=f"Recordings on this machine.\n{_EXITS}", no_args_is_help=True)

COMPLETE, TORN, TAMPERED, UNKNOWN = 0, 1, 2, 3
_CODES: Final = {"complete": COMPLETE, "torn": TORN, "tampered": TAMPERED, "missing": TAMPERED}
# From the least to the worst: what was tampered with is not hidden by what cannot be said.
_WORSE: Final = (COMPLETE, TORN, UNKNOWN, TAMPERED)
STEP: Final = 0.1
KeyOption = Annotated[
    Path | None,
    typer.Option("--key", help="A further private key, such as the one in escrow.", show_default=False),
]


@app.command("list", epilog=_EXITS)
def list_recordings(config: ConfigOption = None) -> None:
    """List what there are parts of: id in hex, parts, bytes, and whether it was destroyed."""
    from server.recordings.secrets import FOLDER, Secrets

    settings = loaded(config).settings
    shreds = Secrets(settings.server.data_dir / FOLDER)
    with _said():
        source = _source(settings)
        for recording in source.recordings():
            parts = source.list(recording)
            there = "" if shreds.get(recording.hex()) is not None else "  cannot be opened any more"
            size_bytes = sum(one.size_bytes for one in parts)
            print(f"{recording.hex()}  {len(parts):>4} parts  {size_bytes:>13} bytes{there}")


@app.command(epilog=_EXITS)
def verify(
    recording: Annotated[str, typer.Argument(help="Its id, or that in hex.", show_default=False)] = "",
    *,
    every: Annotated[bool, typer.Option("--all", help="All that were not destroyed.")] = False,
    key: KeyOption = None,
    config: ConfigOption = None,
) -> None:
    """Open every record and say what each part is. Where the database answers, its log is compared too."""
    from server.vault.offline import Verdict, verified
    from server.vault.opening import CannotOpenError

    if bool(recording) == every:
        _unknown("name a recording, or --all")
    settings = loaded(config).settings
    log = _log(settings, None if every else _named(recording))
    with _said():
        worst, further = COMPLETE, _further(key)
        names = _all(settings, log) if every else [_named(recording)]
        for name in names:
            try:
                found = verified(_opening(settings, name, log, further), _progress(name.hex()))
            except CannotOpenError as error:
                if every and error.code == "destroyed":
                    continue
                found = Verdict(status="unknown", code=error.code)
            _show(name, found)
            worst = max(worst, _CODES.get(found.status, UNKNOWN), key=_WORSE.index)
    raise SystemExit(worst)


@app.command(epilog=_EXITS)
def export(
    recording: Annotated[str, typer.Argument(help="Its id, or that in hex.")],
    *,
    to: Annotated[Path, typer.Option(help="An existing folder for the files.")],
    key: KeyOption = None,
    config: ConfigOption = None,
) -> None:
    """Write the views as plain files: whoever can read the folder can then see and hear them.

    It is an entry of the audit log, where the database answers.
    """
    from server.vault.offline import exported
    from server.vault.opening import CannotOpenError

    settings, name = loaded(config).settings, _named(recording)
    if not to.is_dir():
        _unknown(f"there is no folder {to}")
    log = _log(settings, name)
    with _said():
        try:
            opening = _opening(settings, name, log, _further(key))
        except CannotOpenError as error:
            _unknown(f"{name.hex()} cannot be opened: {error.code}")
        _record_export(settings, name)
        found, files = exported(opening, to, _progress(name.hex()))
    for file in files:
        print(file)
    report = {"status": found.status, "parts": [asdict(one) for one in found.parts]}
    (to / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    _show(name, found, brief=True)
    raise SystemExit(_CODES.get(found.status, UNKNOWN))


def _show(name: bytes, found: "Verdict", *, brief: bool = False) -> None:
    for one in found.parts if not brief else ():
        why = f"  {one.why}" if one.why else ""
        print(
            f"  part {one.part:<4} {one.status:<9} {one.records:>8} records {one.size_bytes:>11} bytes{why}"
        )
    say_or_print = say if brief else print
    say_or_print(f"{name.hex()}  {found.status}{f' ({found.code})' if found.code else ''}")


def _progress(name: str) -> Callable[[float], None]:
    said = 0.0

    def progress(done: float) -> None:
        nonlocal said
        if done - said >= STEP:
            said = done
            say(f"{name}  {done:.0%}")

    return progress


def _unknown(message: str) -> NoReturn:
    """Nothing can be said."""
    say(f"error: {message}")
    raise SystemExit(UNKNOWN)


@contextmanager
def _said() -> Iterator[None]:
    """What keeps us from saying anything is said."""
    from server.vault.keys import KeysError

    try:
        yield
    except KeysError as error:
        say(f"hint: {error.hint}")
        _unknown(str(error))
    except OSError as error:
        _unknown(f"a file cannot be used ({error.strerror}): {error.filename or ''}")


def _named(recording: str) -> bytes:
    from server.recordings.names import hex_of
    from signaling.consult.ids import RecordingId

    try:
        name = bytes.fromhex(recording if len(recording) == 32 else hex_of(RecordingId(recording)))
    except ValueError:
        _unknown("that is no id of a recording")
    return name


def _source(settings: "Settings") -> "PartSource":
    from server.vault.source import source_for

    return source_for(settings.server.data_dir, settings.recording.storage_url)


def _all(settings: "Settings", log: "dict[bytes, list[KnownPart]]") -> Sequence[bytes]:
    """Those there are parts of, and those the log has."""
    return sorted({*_source(settings).recordings(), *log})


def _further(key: Path | None) -> "dict[bytes, X25519PrivateKey]":
    from server.vault.keys import read_private

    return dict([read_private(key)]) if key is not None else {}


def _opening(
    settings: "Settings",
    name: bytes,
    log: "dict[bytes, list[KnownPart]]",
    further: "dict[bytes, X25519PrivateKey]",
) -> "Opening":
    from server.vault.offline import opened_offline

    return opened_offline(
        settings.server.data_dir,
        name,
        known=log.get(name, []),
        source=_source(settings),
        further=further,
    )


def _log(settings: "Settings", name: bytes | None) -> "dict[bytes, list[KnownPart]]":
    """What the server's log has of the parts; nothing, which is said, where the database does not answer."""
    from server.cli.recording_log import NoLogError, known_of

    try:
        return known_of(settings, name)
    except NoLogError as error:
        say(f"{error}; a part that was cut or removed at its end looks like a crash")
        return {}


def _record_export(settings: "Settings", name: bytes) -> None:
    from server.cli.recording_log import NoLogError, record_export

    try:
        record_export(settings, name)
    except NoLogError as error:
        say(f"warning: {error}; this export is in no audit log")
