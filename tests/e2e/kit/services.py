"""Real Redis and PostgreSQL for tests: own ports and folders, stopped by the process that started them."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.kit import needs
from tests.e2e.kit.ports import free_port

START_S_MAX = 20
STOP_S_MAX = 10
POLL_S = 0.02
REDIS_PASSWORD = "only-for-tests"


@contextlib.contextmanager
def running(command: list[str], *ready: str | Path, folder: Path, stop: signal.Signals) -> Iterator[None]:
    """The program for the length of the block, once the command `ready` succeeds; it logs to `folder`/log."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START_S_MAX
        while subprocess.run(ready, capture_output=True, check=False).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(POLL_S)
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """URL of an empty Redis that keeps nothing on disk."""
    server = needs.program("redis-server", package="redis-server")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="redis-") as name:
        command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        command += ["--dir", name, "--requirepass", REDIS_PASSWORD]
        ping = (
            needs.program("redis-cli", package="redis-tools"),
            "-p",
            str(port),
            "-a",
            REDIS_PASSWORD,
            "ping",
        )
        with running(command, *ping, folder=Path(name), stop=signal.SIGTERM):
            yield f"redis://:{REDIS_PASSWORD}@127.0.0.1:{port}/0"


def _postgres_programs() -> Path:
    """The newest installed version's folder; Debian keeps these programs out of PATH."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda path: int(path.parts[-3].split(".")[0]), default=None)
    return (newest or Path(needs.program("initdb", package="postgresql"))).parent


def _as_somebody_else(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: there it runs as another user, who is given the folder."""
    if os.geteuid() != 0:
        return []
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    os.chown(folder, user.pw_uid, user.pw_gid)
    program = needs.program("setpriv", package="util-linux")
    return [program, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """postgresql://… of an empty database; quick because it may forget everything when the power fails."""
    programs = _postgres_programs()
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        other = _as_somebody_else(folder)
        options = ["-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run(
            [*other, programs / "initdb", "-D", folder / "data", *options],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        fast = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=50")
        settings = [part for each in ("listen_addresses=127.0.0.1", *fast) for part in ("-c", each)]
        command = [*other, str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port)]
        ready = (programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port))
        start = [*command, "-k", str(folder), *settings]
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for clients.
        with running(start, *ready, folder=folder, stop=signal.SIGINT):
            yield f"postgresql://test@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
