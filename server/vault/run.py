"""The vault's process: keys for a first start, the socket, its end on SIGTERM.

`python -m server vault` runs it under an account of its own. `child.py` runs `python -m server.vault.run`
beside the server; then it ends with the server, whose end closes its standard input.

* `VaultError`: it cannot start
"""

import argparse
import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiohttp import web

from server.logs import configure, logger
from server.settings import Server
from server.vault.composing import Composing
from server.vault.environment import keep_memory_private
from server.vault.http import Vault, application
from server.vault.jobs import Jobs
from server.vault.keys import KeysError, ensure_keys
from server.vault.places import Places, socket_path

WAIT_S: Final = 5.0
"""How long the vault before this one may take to end."""
LOOK_S: Final = 0.05
FINISH_S_MAX: Final = 1.0
READ_END_BYTES: Final = 1024

log = logger("vault")


class VaultError(Exception):
    """The vault cannot start. `hint` is the next step."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@asynccontextmanager
async def running(
    data_dir: Path, *, storage_url: str | None = None, shared: bool = False
) -> AsyncIterator[Path]:
    """The vault while it runs; gives the socket's path. `shared`: the group of its folder may use it.

    Raises:
        VaultError: another runs, its folder cannot be used, or the keys are damaged.
    """
    try:
        made = await asyncio.to_thread(ensure_keys, data_dir, datetime.now(UTC))
        path = socket_path(data_dir)
    except KeysError as error:
        raise VaultError(str(error), hint=error.hint) from error
    except OSError as error:
        message = f"the vault's folder cannot be used ({error.strerror or error})"
        raise VaultError(message, hint="see who owns server.data_dir/vault") from error
    _warn(data_dir, made=made)
    with await _alone(Places(data_dir).lock):
        jobs = Jobs(data_dir, storage_url=storage_url)
        composing = Composing(jobs)
        await jobs.tidy()
        runner = web.AppRunner(
            application(Vault(jobs, composing)),
            access_log=None,
            shutdown_timeout=FINISH_S_MAX,
            handle_signals=False,
        )
        await runner.setup()
        try:
            await _listening(runner, path, shared=shared)
            yield path
        finally:
            await runner.cleanup()
            await composing.close()
            await jobs.close()
            await asyncio.to_thread(path.unlink, missing_ok=True)


async def _listening(runner: web.AppRunner, path: Path, *, shared: bool) -> None:
    """Listen: from its first moment, the socket is for this account alone, or for its group."""
    await asyncio.to_thread(path.unlink, missing_ok=True)
    before = os.umask(0o117 if shared else 0o177)
    try:
        await web.UnixSite(runner, path).start()
    except OSError as error:
        raise VaultError(f"cannot listen on {path.name} ({error.strerror})", hint="see vault/") from error
    finally:
        os.umask(before)


def _warn(data_dir: Path, *, made: bool) -> None:
    places = Places(data_dir)
    if made:
        log.warning("made the first keys of recordings")
    if places.escrow.exists():
        log.warning("the escrow key lies beside what it is to save: move it offline", file=places.escrow.name)


async def _alone(file: Path) -> "_Lock":
    """Hold the folder as the only vault; the one before may be ending. Raises `VaultError`."""
    lock = _Lock(file)
    deadline = asyncio.get_running_loop().time() + WAIT_S
    while not lock.taken():
        if asyncio.get_running_loop().time() > deadline:
            lock.close()
            raise VaultError("another vault runs here", hint="end it, or set recording.vault")
        await asyncio.sleep(LOOK_S)
    return lock


class _Lock:
    def __init__(self, file: Path) -> None:
        self._file = file.open("w")

    def taken(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_error: object) -> None:
        self.close()


async def run(
    data_dir: Path, *, storage_url: str | None = None, shared: bool = False, with_parent: bool = False
) -> None:
    """Run until SIGTERM or SIGINT; `with_parent`: or until standard input ends. Raises `VaultError`."""
    keep_memory_private()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, ended.set)
    async with running(data_dir, storage_url=storage_url, shared=shared):
        log.info("the vault is open")
        with _parent(ended) if with_parent else nullcontext():
            await ended.wait()
    log.info("the vault is closed")


@contextmanager
def _parent(ended: asyncio.Event) -> Iterator[None]:
    """Set `ended` when standard input ends."""
    loop, stdin = asyncio.get_running_loop(), sys.stdin.fileno()
    os.set_blocking(stdin, False)

    def readable() -> None:
        with suppress(BlockingIOError):
            if not os.read(stdin, READ_END_BYTES):
                loop.remove_reader(stdin)
                ended.set()

    loop.add_reader(stdin, readable)
    try:
        yield
    finally:
        loop.remove_reader(stdin)


def main(arguments: Sequence[str]) -> None:
    """What `child.py` starts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--storage-url", default=None)
    parser.add_argument("--log-format", default="auto")
    parser.add_argument("--log-level", default="info")
    options = parser.parse_args(arguments)
    configure(Server(log_format=options.log_format, log_level=options.log_level))
    try:
        asyncio.run(run(options.data_dir, storage_url=options.storage_url, with_parent=True))
    except VaultError as error:
        log.error("the vault does not start", why=str(error), hint=error.hint)  # noqa: TRY400 (no traceback)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main(sys.argv[1:])
