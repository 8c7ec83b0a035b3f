"""`consent`: who agreed to what in a consult, as a file that can be checked anywhere."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.cli.database import on_database, opened
from server.cli.loaded import ConfigOption, loaded
from server.cli.output import MISUSED, fail, say

if TYPE_CHECKING:
    from server.audit.notes import PublicKey

app = typer.Typer(help="Who agreed to what in a consult.", no_args_is_help=True)

NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL


@app.command()
def export(
    consult: str,
    to: Annotated[Path, typer.Option("--to", help="The file to write; it must not be there.")],
    config: ConfigOption = None,
) -> None:
    """Write the consent ledger of a consult, signed with the key of the audit log. That is logged."""
    settings = loaded(config).settings

    async def work() -> str:
        from server.audit.log import Audit, Entry
        from server.audit.notes import KeyFileError, SigningKey
        from server.identity.random_values import SystemClock
        from server.recordings.ledger import exported, name_of
        from server.storage.consults import Consults
        from signaling.consult.ids import ClinicId, ConsultId

        clinic, clock = ClinicId(settings.clinic.id), SystemClock()
        async with opened(settings) as database:
            found = await Consults(database).load(ConsultId(consult))
            if found is None or found.clinic != clinic:
                fail("there is no such consult", hint="python -m server consult list")
            try:
                key = SigningKey.kept_in(settings.server.data_dir, name_of(clinic, found.id))
            except KeyFileError as error:
                fail(str(error))
            entry = Entry(kind="consent.exported", actor="operator", role="operator", consult=found.id)
            await Audit(database, clock).record(entry)
            events = await Consults(database).events(found.id)
            return exported(events, key, clinic=clinic, consult=found.id, made_at=clock.now())

    _write(to, on_database(work()))
    say(f"wrote {to}")


@app.command()
def verify(
    file: Path,
    key: Annotated[
        str | None,
        typer.Option(help="The clinic's key, as `audit key` shows it. Not set: the file's own."),
    ] = None,
) -> None:
    """Check a consent ledger, on any machine. Exit code 0: it is what was signed; 1: it is not."""
    from server.recordings.ledger import FILE_BYTES_MAX, LedgerError, verified

    try:
        with file.open(encoding="utf-8") as source:
            text = source.read(FILE_BYTES_MAX)
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read ({type(error).__name__})")
    try:
        found = verified(text, known=_key(key) if key else None)
    except LedgerError as error:
        fail(str(error), hint="it was changed after it was signed, or is no ledger of that clinic")
    print(f"{found.lines} consents of consult {found.consult}, as of {found.made_at}")
    print(f"signed by {found.key}")
    if key is None:
        say("that is the key in the file; compare it with the clinic's, or give --key")


def _key(text: str) -> "PublicKey":
    from server.audit.notes import NoteError, PublicKey

    try:
        return PublicKey.parse(text)
    except NoteError as error:
        fail(f"--key: {error}", hint="python -m server audit key", code=MISUSED)


def _write(file: Path, text: str) -> None:
    """Names of people are not in it, but who they are to a consult is: for this account alone."""
    try:
        with os.fdopen(os.open(file, NEW_FILE, 0o600), "w", encoding="utf-8") as target:
            target.write(text)
    except OSError as error:
        fail(f"{file} cannot be written ({error.strerror})")
