"""A network of a test's own: the server in one namespace, every person in another, over a line one can spoil.

    async with internet() as net:
        home = await net.home("patient")
        async with meridian("--lan", prefix=net.server, …) as server: …
        await browsers.open(PATIENT, url=…, home=home)
        await home.line.set("both", delay_ms=125, loss_percent=5)

Needs root and /dev/net/tun; where one is missing the test is skipped and says so.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.kit import impair, needs
from tests.e2e.kit.process import stop

SERVER = "10.77.0.1"
SERVER_V6 = "fd77::1"
_numbers = count()
_ELSEWHERE = "192.0.2.0/24"  # where the server looks for its own address towards the network


def ip(*words: str) -> None:
    subprocess.run([needs.program("ip", package="iproute2"), *words], check=True, capture_output=True)


@dataclass(frozen=True, slots=True)
class Line:
    """One way from a person's home to the server."""

    device: str
    address: str
    process: asyncio.subprocess.Process

    async def set(self, way: str = "both", **profile: Any) -> None:
        """A new profile (`impair.Profile`) for `up`, `down` or `both`; returns once it is in force."""
        assert self.process.stdin is not None
        self.process.stdin.write((json.dumps({"way": way, **profile}) + "\n").encode())
        await said(self.process, "set")


@dataclass(slots=True)
class Home:
    """Where one person is: a namespace with one line, later perhaps another."""

    namespace: str
    number: int
    lines: list[Line] = field(default_factory=list)
    folder: Path = Path()

    @property
    def line(self) -> Line:
        """The one in use."""
        return self.lines[-1]

    @property
    def inside(self) -> list[str]:
        """The words that run a command here."""
        return ["ip", "netns", "exec", self.namespace]

    def launcher(self, program: str) -> str:
        """A program that runs here, for those who start it by its path alone."""
        path = self.folder / f"{self.namespace}-{Path(program).name}"
        path.write_text(f'#!/bin/sh\nexec nsenter --net=/run/netns/{self.namespace} -- {program} "$@"\n')
        path.chmod(0o755)
        return str(path)

    def block(self, *rules: str) -> None:
        """Only these nftables rules hold for what leaves this home; none lets everything out."""
        nft = needs.program("nft", package="nftables")
        chain = "add chain inet home out { type filter hook output priority 0; policy accept; }"
        text = "\n".join(["flush ruleset", "add table inet home", chain, *rules])
        rules_in = [*self.inside, nft, "-f", "-"]
        subprocess.run(
            rules_in, input=f"{text}\n".replace("RULE", "add rule inet home out"), text=True, check=True
        )


class Internet:
    """Homes around one server."""

    def __init__(self, name: str, folder: Path, exits: contextlib.AsyncExitStack) -> None:
        self._name = name
        self._folder = folder
        self._exits = exits
        self._homes = 0
        self._lines = 0
        self.server = ["ip", "netns", "exec", f"{name}-srv"]

    async def home(self, line: bool = True) -> Home:  # noqa: FBT001, FBT002
        self._homes += 1
        home = Home(f"{self._name}-h{self._homes}", self._homes, folder=self._folder)
        self._namespace(home.namespace)
        if line:
            await self.add_line(home)
        return home

    async def add_line(self, home: Home) -> Line:
        """A further way from this home, with an address of its own; it becomes the one in use."""
        self._lines += 1
        n = self._lines
        person = impair.End(
            namespace=home.namespace,
            device=f"wan{n}",
            own=(f"10.77.{n}.2", f"fd77:{n}::2"),
            other=(f"10.77.{n}.1", f"fd77:{n}::1"),
        )
        server = impair.End(
            namespace=f"{self._name}-srv", device=f"to{n}", own=person.other, other=person.own
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.e2e.kit.impair", impair.words(person, server)),
            cwd=needs.ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._exits.push_async_callback(stop, process)
        await said(process, "ready")
        line = Line(person.device, person.own[0], process)
        home.lines.append(line)
        self.use(home, line)
        return line

    def use(self, home: Home, line: Line) -> None:
        """Let everything that leaves this home take this way."""
        for family, address in (
            ("-4", line.address),
            ("-6", line.address.replace("10.77.", "fd77:").replace(".2", "::2")),
        ):
            ip(
                "-n",
                home.namespace,
                family,
                "route",
                "replace",
                "default",
                "dev",
                line.device,
                "src",
                address,
            )

    def _namespace(self, name: str) -> None:
        ip("netns", "add", name)
        self._exits.callback(ip, "netns", "delete", name)
        ip("-n", name, "link", "set", "lo", "up")

    def prepare(self) -> None:
        """The server's namespace: its addresses are on no device that comes and goes."""
        name = f"{self._name}-srv"
        self._namespace(name)
        ip("-n", name, "addr", "add", f"{SERVER}/32", "dev", "lo")
        ip("-n", name, "-6", "addr", "add", f"{SERVER_V6}/128", "dev", "lo", "nodad")
        ip("-n", name, "route", "add", _ELSEWHERE, "dev", "lo", "src", SERVER)


async def said(process: asyncio.subprocess.Process, word: str) -> None:
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 10)).decode().strip()
    if line != word:
        raise AssertionError(f"the line said {line!r}, not {word!r}")


@contextlib.asynccontextmanager
async def internet() -> AsyncIterator[Internet]:
    """An empty network; everything of it is gone after the block."""
    if os.geteuid() != 0 or not Path("/dev/net/tun").exists():
        pytest.skip("bad networks need root and /dev/net/tun: sudo python3 dev.py test")
    with tempfile.TemporaryDirectory(prefix="net-") as folder:
        async with contextlib.AsyncExitStack() as exits:
            net = Internet(f"mn{os.getpid()}-{next(_numbers)}", Path(folder), exits)
            net.prepare()
            yield net
