"""Commands that open the database: upgrade it, add staff, list consults."""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo

import typer
from pydantic import StringConstraints, TypeAdapter, ValidationError

from server.cli.loaded import ConfigOption, loaded
from server.cli.output import MISUSED, fail, say

if TYPE_CHECKING:
    from server.settings import Settings
    from server.storage.database import Database

db = typer.Typer(help="Database.", no_args_is_help=True)
user = typer.Typer(help="Accounts of staff.", no_args_is_help=True)
consult = typer.Typer(help="Consults.", no_args_is_help=True)

T = TypeVar("T")
LISTED_DAYS: Final = 7
_Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]


@asynccontextmanager
async def opened(settings: "Settings", *, current: bool = True) -> AsyncIterator["Database"]:
    """The settings' database for a command, which ends if its tables are of another version."""
    from server.storage.database import Database
    from server.storage.upgrade import NewerDatabaseError, is_usable

    if settings.database.url is None:
        settings.server.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings.database_url)
    try:
        try:
            is_right = not current or await is_usable(database)
        except NewerDatabaseError:
            fail("a later version has used this database", hint="use that version")
        if not is_right:
            fail("the database is not of this version", hint="python -m server db upgrade")
        yield database
    finally:
        await database.close()


def on_database(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; a database that cannot be reached is no bug of ours."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return asyncio.run(work)
    except (SQLAlchemyError, OSError) as error:
        fail(f"the database cannot be used ({type(error).__name__})", hint="database.url, server.data_dir")


@db.command()
def upgrade(config: ConfigOption = None) -> None:
    """Bring the database to the tables of this version."""

    async def work() -> None:
        from server.storage.upgrade import NewerDatabaseError
        from server.storage.upgrade import upgrade as run

        async with opened(loaded(config).settings, current=False) as database:
            try:
                before, after = await run(database)
            except NewerDatabaseError:
                fail("a later version has used this database", hint="start that version")
        print(f"{after} (was {before or 'empty'})" if before != after else f"{after} (nothing to do)")

    on_database(work())


@db.command()
def backup(file: Path, config: ConfigOption = None) -> None:
    """Write a copy of the database to a new file, while the server runs."""
    from server.storage.backup import BackupError, back_up

    try:
        back_up(loaded(config).settings.database_url, file)
    except BackupError as error:
        fail(str(error), hint=error.hint)
    say(f"wrote {file} ({file.stat().st_size / 1e6:.1f} MB)")


@db.command()
def restore(file: Path, config: ConfigOption = None) -> None:
    """Make the database from a backup, where there is none yet; then bring it to this version."""
    from server.storage.backup import BackupError
    from server.storage.backup import restore as run

    try:
        run(loaded(config).settings.database_url, file)
    except BackupError as error:
        fail(str(error), hint=error.hint)
    say(f"restored from {file}")
    upgrade(config)


def _check(shape: Any, value: str, message: str) -> str:
    """What every page and view can show later; trimmed."""
    try:
        return str(TypeAdapter(shape).validate_python(value))
    except ValidationError:
        fail(message, code=MISUSED)


@user.command("add")
def add(
    email: str,
    *,
    name: Annotated[str, typer.Option(help="Name shown to patients and colleagues.")],
    role: Annotated[str, typer.Option(help="physician, coordinator or interpreter.")],
    language: Annotated[str, typer.Option(help="Language of their pages, BCP 47.")] = "en",
    speaks: Annotated[str, typer.Option(help="Languages an interpreter works in, with commas.")] = "",
    config: ConfigOption = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password.")] = False,
) -> None:
    """Make an account. A generated password is printed once, unless one is read from standard input."""
    from server.identity.accounts import STAFF_ROLES, Accounts, EmailTakenError
    from server.identity.passwords import Passwords
    from server.identity.random_values import SystemClock
    from signaling.consult.ids import ClinicId
    from signaling.protocol.fields import Language, Name

    known = next((one for one in STAFF_ROLES if one == role), None)
    if known is None:
        fail(f"no such role: {role[:20]}", hint=", ".join(STAFF_ROLES), code=MISUSED)
    _check(_Email, email, "that is no e-mail address")
    name = _check(Name, name, "a name has 1 to 120 characters")
    _check(Language, language, f"--language: no such language tag: {language[:20]}")
    password = _password(from_stdin=password_stdin)
    settings = loaded(config).settings

    async def work() -> None:
        async with opened(settings) as database:
            try:
                await Accounts(database, Passwords()).add(
                    email=email,
                    name=name,
                    role=known,
                    clinic_id=ClinicId(settings.clinic.id),
                    language=language,
                    languages=[part.strip() for part in speaks.split(",") if part.strip()],
                    password=password,
                    now=SystemClock().now(),
                )
            except EmailTakenError:
                fail("there is an account with this e-mail address", hint="user reset-password")

    on_database(work())
    say("the account can sign in")
    if not password_stdin:
        print(password)


@user.command("reset-password")
def reset_password(
    email: str,
    *,
    config: ConfigOption = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password.")] = False,
) -> None:
    """Give an account a new password and sign it out everywhere."""
    password = _password(from_stdin=password_stdin)

    async def work() -> bool:
        from server.identity.accounts import Accounts
        from server.identity.passwords import Passwords

        async with opened(loaded(config).settings) as database:
            return await Accounts(database, Passwords()).reset_password(email=email, password=password)

    if not on_database(work()):
        fail("there is no account with this e-mail address")
    say("every sign-in of the account has ended")
    if not password_stdin:
        print(password)


@user.command("disable")
def disable(email: str, config: ConfigOption = None) -> None:
    """Close an account: nobody signs in with it any more, and its open pages close within a minute."""

    async def work() -> bool:
        from server.identity.accounts import Accounts
        from server.identity.passwords import Passwords
        from server.identity.random_values import SystemClock

        async with opened(loaded(config).settings) as database:
            return await Accounts(database, Passwords()).disable(email=email, now=SystemClock().now())

    if not on_database(work()):
        fail("there is no open account with this e-mail address")
    say("the account is closed")


def _password(*, from_stdin: bool) -> str:
    from server.identity.passwords import PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN
    from server.identity.random_values import new_password

    if not from_stdin:
        return new_password()
    password = sys.stdin.readline(PASSWORD_CHARS_MAX + 2).rstrip("\n")
    if not PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX:
        fail(f"a password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters", code=MISUSED)
    return password


@consult.command("list")
def list_consults(
    days: Annotated[int, typer.Option(min=1, max=LISTED_DAYS, help="From today on.")] = 1,
    config: ConfigOption = None,
) -> None:
    """List the clinic's consults: time, phase, people in it, id. No names."""
    settings = loaded(config).settings

    async def work() -> None:
        from server.storage.consults import Consults
        from signaling.consult.ids import ClinicId

        zone = ZoneInfo(settings.clinic.time_zone)
        start = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        async with opened(settings) as database:
            consults = Consults(database)
            ids = await consults.board(ClinicId(settings.clinic.id), start, start + timedelta(days=days))
            for one in [await consults.load(consult_id) for consult_id in ids]:
                if one is not None:
                    at = one.starts_at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
                    print(f"{at}  {one.phase:<12} {len(one.participants)}  {one.id}")

    on_database(work())
