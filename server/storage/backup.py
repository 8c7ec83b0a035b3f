"""A copy of the database while it is in use, and a database from such a copy.

SQLite is copied by its own online backup, PostgreSQL by pg_dump and pg_restore of its version or a later.

* `BackupError`: it was not made, or not put back; `hint` is the next step
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url

PRIVATE: Final = 0o600
SAID_CHARS_MAX: Final = 300


class BackupError(Exception):
    """Nothing was changed where there was something before."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def back_up(url: str, file: Path) -> None:
    """Write a consistent copy of the database to a new file, readable by this account alone.

    Raises:
        BackupError: the file exists, or the database or its programs cannot be used.
    """
    if file.exists():
        raise BackupError(f"{file} exists", hint="name a new file; a backup never replaces another")
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    try:
        part.touch(mode=PRIVATE)
        where = make_url(url)
        if where.get_backend_name() == "sqlite":
            _copy_sqlite(Path(where.database or ""), part)
        else:
            _postgres(where, "pg_dump", "--format=custom", f"--file={part}")
        part.replace(file)
    except OSError as error:
        raise BackupError(
            f"{file} cannot be written ({error.strerror})", hint="check folder and disk"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def restore(url: str, file: Path) -> None:
    """Make the database from a backup. There must be none yet: nothing is overwritten.

    Raises:
        BackupError: there is a database already, or the file is no whole backup.
    """
    if not file.is_file():
        raise BackupError(f"{file} is not there", hint="name a file that `db backup` made")
    where = make_url(url)
    if where.get_backend_name() == "sqlite":
        _restore_sqlite(file, Path(where.database or ""))
    else:
        options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
        _postgres(where, "pg_restore", *options, "--dbname=" + (where.database or ""), str(file))


def _copy_sqlite(source: Path, target: Path) -> None:
    if not source.exists():
        raise BackupError(f"{source} is not there", hint="check server.data_dir; is there a database yet?")
    try:
        # Not read-only: a reader of a write-ahead log may have to make its index.
        with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(target)) as here:
            there.backup(here)
            here.execute("PRAGMA journal_mode = DELETE")  # one file, whole by itself
            _check(here)
    except sqlite3.Error as error:
        raise BackupError(f"not copied ({type(error).__name__})", hint="check disk and database") from error


def _restore_sqlite(file: Path, target: Path) -> None:
    if target.exists():
        raise BackupError(f"{target} exists", hint="move it away first; nothing is overwritten")
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as copy:
            _check(copy)
    except sqlite3.Error as error:
        raise BackupError(f"{file} is no whole backup of SQLite", hint="take an earlier one") from error
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.touch(mode=PRIVATE)
    shutil.copyfile(file, part)
    part.replace(target)


def _check(database: sqlite3.Connection) -> None:
    (answer,) = database.execute("PRAGMA integrity_check").fetchone()
    (revision,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    if answer != "ok" or not revision:
        raise sqlite3.DatabaseError("integrity_check")


def _postgres(where: URL, program: str, *options: str) -> None:
    found = shutil.which(program) or _newest(program)
    if found is None:
        raise BackupError(f"{program} is not installed", hint="apt-get install postgresql-client")
    done = subprocess.run(  # noqa: S603 (a program found above, and no shell)
        [found, *options], env=_environment(where), capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip()[-SAID_CHARS_MAX:]
        raise BackupError(f"{program}: {said}", hint="check database.url; to restore it must be empty")


def _newest(program: str) -> str | None:
    """Debian keeps each version's programs out of the way."""
    versions: Sequence[Path] = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return str(versions[-1]) if versions else None


def _environment(where: URL) -> Mapping[str, str]:
    """The address for libpq: in the environment, as other accounts can read a command line."""
    query = {name: value for name, value in where.query.items() if isinstance(value, str)}
    named = {
        "PGHOST": query.get("host") or where.host,
        "PGPORT": query.get("port") or (str(where.port) if where.port else None),
        "PGUSER": where.username,
        "PGPASSWORD": where.password,
        "PGDATABASE": where.database,
    }
    return {**os.environ, **{name: value for name, value in named.items() if value}}
