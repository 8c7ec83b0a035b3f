"""`doctor`: what this machine lacks for serving, in clear words."""

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from server.cli.loaded import ConfigOption, loaded
from server.cli.output import FAILED

if TYPE_CHECKING:
    from server.settings import Settings

DISK_FREE_BYTES_MIN: Final = 1_000_000_000
REDIS_ANSWER_S_MAX: Final = 2.0
# A clock before this version was made is wrong.
CLOCK_NOT_BEFORE: Final = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found; `hint` is empty when all is well, `advice` when nothing could be better."""

    check: str
    found: str
    hint: str = ""
    advice: str = ""


def doctor(config: ConfigOption = None) -> None:
    """Check ports, folders, clock, disk, front end and media worker; say what to do about what is wrong."""
    settings = loaded(config).settings
    wrong = 0
    for finding in findings(settings):
        wrong += bool(finding.hint)
        print(f"{'WRONG' if finding.hint else 'ok   '}  {finding.check}: {finding.found}", flush=True)
        if finding.hint or finding.advice:
            print(f"       {finding.hint or finding.advice}")
    if wrong:
        print(f"{wrong} to put right", file=sys.stderr)
        raise SystemExit(FAILED)


def findings(settings: "Settings") -> Iterator[Finding]:
    """All checks, one after the other."""
    checks: tuple[Callable[[Settings], Finding], ...] = (
        _python,
        _data_dir,
        _disk,
        _clock,
        _web_port,
        _media_ports,
        _front_end,
        _database,
        _redis,
        _cluster,
        _worker,
    )
    for check in checks:
        yield check(settings)
    yield from _relays(settings)
    yield from recordings(settings)


def recordings(settings: "Settings") -> Iterator[Finding]:
    """Who can open recordings, and whether the key that is to save them lies beside them."""
    from server.vault.keys import KeysError, listed
    from server.vault.places import Places

    if not settings.recording.enabled:
        yield Finding(check="recordings", found="are not made")
        return
    data_dir = settings.server.data_dir
    if settings.recording.vault == "child":
        yield Finding(
            check="vault",
            found="runs under the account of the server and the media workers",
            advice="whoever breaks into one of them can read recordings; "
            'set recording.vault = "separate" and run python -m server vault under another account',
        )
    else:
        yield _separate(Places(data_dir).vault)
    try:
        keys = [one for one in listed(data_dir) if one.retired is None]
    except KeysError as error:
        yield Finding(check="recording keys", found=str(error), hint=error.hint)
        return
    found = ", ".join(one.role for one in keys) or "none; the first start makes them"
    lies_here = Places(data_dir).escrow.exists()
    advice = f"move {Places(data_dir).escrow} to a place that is not this machine" if lies_here else ""
    yield Finding(check="recording keys", found=found, advice=advice)


def _separate(folder: Path) -> Finding:
    """A vault of its own account: whose folder is it?"""
    if not folder.exists():
        hint = "python -m server vault, under an account of its own"
        return Finding(check="vault", found="has never run here", hint=hint)
    if folder.stat().st_uid == os.getuid():
        found = 'recording.vault is "separate", but its folder belongs to this account'
        return Finding(
            check="vault", found=found, hint="run this as the server, and the vault under another account"
        )
    return Finding(check="vault", found="belongs to another account")


def _relays(settings: "Settings") -> Iterator[Finding]:
    """Each way to each TURN server, as a browser would go it."""
    from server.cli.turn_legs import trouble

    if not settings.turn.urls:
        yield Finding(check="relay", found="none is set; who cannot send UDP to the media ports stays out")
    for url in settings.turn.urls:
        found = asyncio.run(trouble(url, settings))
        hint = found.hint if found else ""
        yield Finding(check=f"relay {url}", found=found.found if found else "relays to us", hint=hint)


def _python(_settings: "Settings") -> Finding:
    return Finding(check="Python", found=sys.version.split()[0])


def _data_dir(settings: "Settings") -> Finding:
    from server.data_dir import DataDirError, prepare

    folder = settings.server.data_dir
    try:
        prepare(folder)
    except DataDirError as error:
        return Finding(check="data folder", found=str(error), hint=error.hint)
    return Finding(check="data folder", found=f"{folder} can be written")


def _disk(settings: "Settings") -> Finding:
    folder = settings.server.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    hint = "" if free >= DISK_FREE_BYTES_MIN else "free at least 1 GB, or set server.data_dir to another disk"
    return Finding(check="disk", found=f"{free / 1e9:.1f} GB free", hint=hint)


def _clock(_settings: "Settings") -> Finding:
    now = datetime.now(UTC)
    hint = "" if now >= CLOCK_NOT_BEFORE else "set this machine's clock; appointments depend on it"
    return Finding(check="clock", found=now.strftime("%Y-%m-%d %H:%M UTC"), hint=hint)


def _web_port(settings: "Settings") -> Finding:
    host, port = settings.server.host, settings.server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            found = f"TCP {host}:{port} cannot be bound ({error.strerror})"
            return Finding(check="web port", found=found, hint="set server.port or server.host to a free one")
    return Finding(check="web port", found=f"TCP {host}:{port} is free")


def _media_ports(settings: "Settings") -> Finding:
    from server.media_adapter import worker_count

    first, workers = settings.media.port, worker_count(settings.media)
    for port in range(first, first + workers):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("", port))
            except OSError as error:
                found = f"UDP {port} cannot be bound ({error.strerror})"
                return Finding(
                    check="media ports", found=found, hint="set media.port to the first of a free range"
                )
    return Finding(check="media ports", found=f"UDP {first} to {first + workers - 1} are free")


def _front_end(_settings: "Settings") -> Finding:
    from web.render import MissingAssetError, Renderer

    try:
        Renderer.load()
    except MissingAssetError:
        return Finding(check="front end", found="is not built", hint="python3 dev.py run builds it")
    return Finding(check="front end", found="is built")


def _database(settings: "Settings") -> Finding:
    from sqlalchemy.exc import SQLAlchemyError

    from server.storage.database import Database
    from server.storage.upgrade import is_usable

    async def current() -> bool:
        database = Database(settings.database_url)
        try:
            return await is_usable(database)
        finally:
            await database.close()

    sqlite = settings.database.url is None
    if sqlite and not (settings.server.data_dir / "meridian.sqlite3").exists():
        return Finding(check="database", found="SQLite, made at the first start")
    try:
        is_right = asyncio.run(current())
    except (SQLAlchemyError, OSError) as error:
        found = f"does not answer ({type(error).__name__})"
        return Finding(check="database", found=found, hint="check database.url")
    found = "is of this version" if is_right else "is of another version"
    return Finding(check="database", found=found, hint="" if is_right else "python -m server db upgrade")


def _redis(settings: "Settings") -> Finding:
    from redis import Redis
    from redis.exceptions import RedisError

    if settings.redis.url is None:
        return Finding(check="Redis", found="none is set; this server counts tries alone")
    url, wait_s = settings.redis.url.get_secret_value(), REDIS_ANSWER_S_MAX
    try:
        with Redis.from_url(url, socket_timeout=wait_s, socket_connect_timeout=wait_s) as redis:
            redis.ping()
    except (RedisError, OSError) as error:
        found = f"does not answer ({type(error).__name__})"
        return Finding(check="Redis", found=found, hint="check redis.url, and that Redis runs")
    return Finding(check="Redis", found="answers")


def _cluster(settings: "Settings") -> Finding:
    address = settings.cluster.address
    if address is None:
        return Finding(check="other servers", found="cluster.address is not set; there may be none")
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        for family, kind, protocol, _, where in socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(where)
    except OSError as error:
        found = f"{address} cannot be bound ({error.strerror})"
        hint = "set cluster.address to an address of this machine that other servers reach"
        return Finding(check="other servers", found=found, hint=hint)
    return Finding(check="other servers", found=f"reach this one at {address}, if their networks let them")


def _worker(settings: "Settings") -> Finding:
    from media.interface import WorkerUnavailable
    from server.media_adapter import start_and_stop

    try:
        seconds = asyncio.run(start_and_stop(settings))
    except (WorkerUnavailable, OSError) as error:
        found = f"does not start ({type(error).__name__})"
        return Finding(
            check="media worker", found=found, hint="the reason is in the lines above; check media.*"
        )
    return Finding(check="media worker", found=f"started in {seconds:.1f} s")
