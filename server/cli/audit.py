"""`audit`: the log of who did what. Is it what was written; entries of it; proof for others.

Reading entries is an entry itself, which is written first.
"""

import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from server.cli.database import on_database, opened
from server.cli.loaded import ConfigOption, loaded
from server.cli.output import MISUSED, fail, say

if TYPE_CHECKING:
    from server.audit.notes import PublicKey
    from server.audit.verifying import Verdict
    from server.settings import Settings
    from server.storage.database import Database

app = typer.Typer(help="Who did what: a log that nobody can rewrite unseen.", no_args_is_help=True)

SHOWN_MAX: Final = 10_000
PROGRESS_EVERY_S: Final = 1.0
KeyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--key", help="A further key that signs the log, as `audit key` shows it.", show_default=False
    ),
]


@app.command()
def key(config: ConfigOption = None) -> None:
    """Print the public key that checkpoints are signed for; keep it where this machine's owner has no say."""
    print(_own_key(loaded(config).settings, make=True))


@app.command()
def verify(
    anchors: Annotated[
        Path | None,
        typer.Option(help="Folder of checkpoints that were shipped elsewhere.", show_default=False),
    ] = None,
    since: Annotated[int, typer.Option(min=1, help="From this entry on; earlier ones are trusted.")] = 1,
    keys: KeyOption = None,
    config: ConfigOption = None,
) -> None:
    """Look at every entry. Exit code 0: the log is what was written; 1: not from the number shown on."""
    settings = loaded(config).settings
    known = _keys(settings, keys)
    notes, folder = _anchors(settings, anchors)

    async def work() -> "Verdict":
        from server.audit.verifying import Verification

        async with opened(settings) as database, database.read() as connection:
            looking = Verification(connection, known, anchors=notes, progress=_progress("looked at"))
            return await looking.run(since=since)

    verdict = on_database(work())
    for fault in verdict.faults:
        print(f"{fault.seq} {fault.what}: {fault.why}")
    if verdict.faults:
        fail("the audit log is not what was written", hint="keep this database and the anchors as they are")
    last = verdict.first + verdict.entries - 1
    print(f"ok: {verdict.entries} entries from {verdict.first} on, {verdict.checkpoints} checkpoints")
    if verdict.anchored < last:
        say(f"no anchor has entries {verdict.anchored + 1} to {last} yet")
    if anchors is None and notes:
        say(f"the anchors were those of {folder}; copies from elsewhere (--anchors) prove more")


@app.command()
def prove(seq: Annotated[int, typer.Argument(min=1)], config: ConfigOption = None) -> None:
    """Print the proof that an entry is in the log, as JSON; `audit check-proof` checks it anywhere."""
    settings = loaded(config).settings
    known = _keys(settings, None)

    async def work() -> bytes:
        from server.audit import proving

        async with opened(settings) as database:
            await _record_reading(database, f"prove:{seq}")
            async with database.read() as connection:
                try:
                    return proving.dump(await proving.prove(connection, seq, known))
                except proving.ProofError as error:
                    fail(f"entry {seq} cannot be proved: {error}", hint="audit verify says what is wrong")

    print(on_database(work()).decode())


@app.command("check-proof")
def check_proof(file: Path, keys: KeyOption = None, config: ConfigOption = None) -> None:
    """Check a proof, without the database. Exit code 0: the entry is in the log that the key has signed."""
    from server.audit import proving

    known = _keys(None if keys else loaded(config).settings, keys)
    try:
        proved = proving.check(proving.load(file.read_bytes()), known)
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror})", code=MISUSED)
    except proving.ProofError as error:
        fail(f"the proof does not hold: {error}")
    print(f"ok: entry {proved.seq} is in the log of {proved.size} entries")
    print(json.dumps({"seq": proved.seq, **proved.head}, ensure_ascii=False))
    print("its body was erased" if proved.body is None else proved.body)


@app.command()
def export(
    since: Annotated[int, typer.Option(min=1, help="From this entry on.")] = 1, config: ConfigOption = None
) -> None:
    """Print the log as NDJSON, bytes in hex: all that is needed to verify it elsewhere."""
    settings = loaded(config).settings

    async def work() -> None:
        from server.audit.walking import pages

        async with opened(settings) as database:
            own = await _record_reading(database, "export")
            show = _progress("written")
            async with database.read() as connection:
                async for rows in pages(connection, after=since - 1):
                    print("\n".join(_exported(row) for row in rows))
                    show(rows[-1].seq, own)

    on_database(work())


@app.command("show")
def show(
    consult: Annotated[str, typer.Option(help="Of this consult alone.", show_default=False)] = "",
    limit: Annotated[int, typer.Option(min=1, max=SHOWN_MAX, help="The newest ones.")] = 50,
    config: ConfigOption = None,
) -> None:
    """List entries, oldest first: number, time, kind, outcome, and what else there is."""
    settings = loaded(config).settings

    async def work() -> None:
        async with opened(settings) as database:
            try:
                await _record_reading(database, "show", consult=consult)
            except ValueError:
                fail("that is no id of a consult", code=MISUSED)
            for line in [_shown(row) async for row in _newest(database, consult, limit)]:
                print(line)

    on_database(work())


def _own_key(settings: "Settings", *, make: bool = False) -> "PublicKey | None":
    from server.audit.notes import KEY_FILE, KeyFileError, SigningKey, origin_of

    folder = settings.server.data_dir
    try:
        if not make and not (folder / KEY_FILE).exists():
            return None
        return SigningKey.kept_in(folder, origin_of(settings.clinic.id)).public
    except (KeyFileError, OSError) as error:
        fail(str(error), hint="server.data_dir")


def _keys(settings: "Settings | None", further: list[str] | None) -> "list[PublicKey]":
    from server.audit.notes import NoteError, PublicKey

    try:
        known = [PublicKey.parse(one) for one in further or ()]
    except NoteError as error:
        fail(f"--key: {error}", hint="as `audit key` shows it", code=MISUSED)
    own = _own_key(settings) if settings is not None else None
    if own is not None:
        known.append(own)
    if not known and settings is None:
        fail(
            "there is no key to check with", hint="--key, as `audit key` shows it at the clinic", code=MISUSED
        )
    return known


def _anchors(settings: "Settings", folder: Path | None) -> tuple[dict[str, str], Path]:
    from server.audit.anchors import FOLDER, read

    own = settings.server.data_dir / FOLDER
    if folder is None and not own.is_dir():
        return {}, own
    try:
        notes = dict(read(folder or own))
    except OSError as error:
        fail(f"{folder or own} cannot be read ({error.strerror})", code=MISUSED)
    if folder is not None and not notes:
        fail(f"{folder} has no checkpoints", hint="files *.checkpoint", code=MISUSED)
    return notes, folder or own


async def _record_reading(database: "Database", what: str, *, consult: str = "") -> int:
    """Say in the log who reads it, by the number of their account on this machine."""
    from server.audit.log import Audit, Entry
    from server.identity.random_values import SystemClock

    entry = Entry(kind="audit.read", actor=f"os:{os.getuid()}", role="operator", consult=consult, object=what)
    return await Audit(database, SystemClock()).record(entry)


async def _newest(database: "Database", consult: str, limit: int) -> AsyncIterator[Any]:
    from sqlalchemy import select

    from server.storage.audit_tables import AuditRow

    query = select(*AuditRow.__table__.c).order_by(AuditRow.seq.desc()).limit(limit)
    if consult:
        query = query.where(AuditRow.consult == consult)
    async with database.read() as connection:
        for row in reversed((await connection.execute(query)).all()):
            yield row


def _shown(row: Any) -> str:
    named = ("actor", "role", "consult", "object", "purpose")
    parts = [f"{name}={value}" for name in named if (value := getattr(row, name))]
    body = "(erased)" if row.body is None else row.body.decode(errors="replace")
    end = [] if body == "{}" else [body]
    line = " ".join([f"{row.seq:>6}", row.at, row.kind, row.outcome, *parts, *end])
    # What somebody put into the table must not move the terminal's cursor.
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in line)


def _exported(row: Any) -> str:
    from server.audit.walking import HEAD

    said: dict[str, object] = {"seq": row.seq} | {name: getattr(row, name) for name in HEAD}
    # The text as it was hashed, not the value: another writer of JSON would write other bytes.
    said["body"] = None if row.body is None else row.body.decode(errors="replace")
    for name in ("salt", "body_mac", "prev", "hash"):
        value = getattr(row, name)
        said[name] = None if value is None else value.hex()
    return json.dumps(said, ensure_ascii=False)


def _progress(done_word: str) -> Callable[[int, int], None]:
    """Says how far it is, every `PROGRESS_EVERY_S`."""
    said_s = monotonic()

    def show(done: int, of: int) -> None:
        nonlocal said_s
        if monotonic() - said_s >= PROGRESS_EVERY_S:
            said_s = monotonic()
            say(f"{done_word} {done} of {of} entries")

    return show
