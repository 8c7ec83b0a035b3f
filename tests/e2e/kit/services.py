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


class Service:
    """A program that is ready when a command succeeds; it logs to `folder`/log and can be started again."""

    def __init__(self, command: list[str], *ready: str | Path, folder: Path, url: str) -> None:
        self.url = url
        self._command = command
        self._ready = ready
        self.folder = folder
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        with (self.folder / "log").open("ab") as output:
            return subprocess.Popen(self._command, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + START_S_MAX
        while subprocess.run(self._ready, capture_output=True, check=False).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "log").read_text(errors="replace")
                raise RuntimeError(f"{self._command[0]} did not start:\n{log[-2000:]}")
            time.sleep(POLL_S)

    def end(self, by: signal.Signals) -> None:
        """`by` this signal; SIGKILL when that does not help."""
        self.process.send_signal(by)
        try:
            self.process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def start_again(self) -> None:
        """After its end; ready when this returns."""
        self.process = self._start()
        self.wait_ready()


@contextlib.contextmanager
def running(service: Service, *, stop: signal.Signals) -> Iterator[Service]:
    """The program for the length of the block, once it is ready."""
    try:
        service.wait_ready()
        yield service
    finally:
        service.end(stop)


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """URL of an empty Redis that keeps nothing on disk."""
    with redis_service() as service:
        yield service.url


@contextlib.contextmanager
def redis_service() -> Iterator[Service]:
    """The same, to be killed and started again."""
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
        url = f"redis://:{REDIS_PASSWORD}@127.0.0.1:{port}/0"
        service = Service(command, *ping, folder=Path(name), url=url)
        with running(service, stop=signal.SIGTERM):
            yield service


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
    with postgres_service() as service:
        yield service.url


@contextlib.contextmanager
def postgres_service() -> Iterator[Service]:
    """The same, to be killed and started again."""
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
        # A database has a machine of its own; here it must not take from browsers what they measure.
        start = ["nice", "-n", "15", *command, "-k", str(folder), *settings]
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for clients.
        url = f"postgresql://test@127.0.0.1:{port}/postgres"
        with running(Service(start, *ready, folder=folder, url=url), stop=signal.SIGINT) as service:
            yield service
    finally:
        shutil.rmtree(folder, ignore_errors=True)
