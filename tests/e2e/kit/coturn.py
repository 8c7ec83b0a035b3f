"""A real coturn for tests, with the configuration Meridian writes."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from server.lan import certificate
from server.turn import turnserver_conf
from tests.e2e.kit import needs
from tests.e2e.kit.process import stop
from tests.e2e.kit.tab import eventually

SECRET = "turn-secret-of-tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coturn:
    """A running relay; `certificate` is the one of its TLS leg."""

    urls: tuple[str, ...]
    certificate: Path
    log: Path

    @property
    def env(self) -> dict[str, str]:
        """What a Meridian needs to know of it."""
        return {"MERIDIAN_TURN__URLS": ",".join(self.urls), "MERIDIAN_TURN__SECRET": SECRET}


@contextlib.asynccontextmanager
async def coturn(
    host: str, *, plain: int, tls: int, peers: Sequence[str], prefix: Sequence[str] = (), more: str = ""
) -> AsyncIterator[Coturn]:
    """coturn on this address until the block ends; `more` lines follow what Meridian writes."""
    program = needs.program("turnserver", package="coturn")
    name = f"[{host}]" if ":" in host else host
    urls = (f"turn:{name}:{plain}", f"turn:{name}:{plain}?transport=tcp", f"turns:{name}:{tls}")
    with tempfile.TemporaryDirectory(prefix="turn-") as kept:
        folder = Path(kept)
        chain, key = certificate(folder, ip_address(host))  # type: ignore[arg-type]
        own = turnserver_conf(
            urls=urls,
            secret=SECRET,
            realm="visits.example",
            peers=peers,
            certificate=str(chain),
            key=str(key),
        )
        places = f"listening-ip={host}\nrelay-ip={host}\npidfile={folder}/pid\nuserdb={folder}/db\n"
        (folder / "turnserver.conf").write_text(f"{own}{places}log-file=stdout\nverbose\n{more}\n")
        log = folder / "log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(*prefix, program, "-c", str(folder / "turnserver.conf")),
                cwd=folder,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
            )

        async def listens() -> bool:
            if process.returncode is not None:
                raise AssertionError(f"coturn ended ({process.returncode}):\n{log.read_text()[-2000:]}")
            return "listener opened on" in log.read_text(errors="replace")

        try:
            await eventually(listens, bool, within_s=10, what="coturn listens")
            yield Coturn(urls=urls, certificate=chain, log=log)
        finally:
            await stop(process, within_s=3)
