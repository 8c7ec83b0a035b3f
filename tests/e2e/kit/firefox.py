"""Firefox for tests, driven by WebDriver BiDi over its own WebSocket: no geckodriver, no Node.js."""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.e2e.kit import needs
from tests.e2e.kit.page_scripts import KEEP_CONNECTIONS, synthetic_media
from tests.e2e.kit.people import Person
from tests.e2e.kit.process import stopped
from tests.e2e.kit.sound import silent_card

START_S_MAX = 60
COMMAND_S_MAX = 60
LISTENING = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")

PREFERENCES: dict[str, bool | int | str] = {
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.autoplay.block-webaudio": False,
    # Real addresses in candidates, loopback among them: a test machine may have no other.
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.peerconnection.ice.loopback": True,
    "remote.active-protocols": 1,
    "remote.prefs.recommended": True,
    # Nothing is fetched from elsewhere.
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.http.http3.enable": False,
    "network.proxy.type": 0,
    "services.settings.server": "",
    "toolkit.telemetry.enabled": False,
}


class Firefox:
    """One Firefox with one page; has the shape of `Tab`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._page = ""

    async def command(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one BiDi command and give its result; RuntimeError with Firefox's words when it fails."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        told = await asyncio.wait_for(answer, COMMAND_S_MAX)
        if told["type"] == "error":
            raise RuntimeError(f"{method}: {told['error']}: {told['message']}")
        result: dict[str, Any] = told["result"]
        return result

    async def listen(self) -> None:
        """Hand answers to whoever waits for them, until Firefox is gone."""
        async for message in self._socket:
            told = message.json()
            waiting = self._waiting.pop(told.get("id"), None)
            if waiting and not waiting.done():
                waiting.set_result(told)

    async def prepare(self, scripts: list[str]) -> None:
        """Start the BiDi session and put scripts before every page's own."""
        await self.command("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
        tree = await self.command("browsingContext.getTree")
        self._page = tree["contexts"][0]["context"]
        for script in scripts:
            await self.command("script.addPreloadScript", functionDeclaration=f"() => {{ {script} }}")

    async def goto(self, url: str) -> None:
        await self.command("browsingContext.navigate", context=self._page, url=url, wait="complete")

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Call the JavaScript function `expression` with `arg`; both ways as JSON, promises are awaited."""
        called = f"await ({expression})(JSON.parse(arg))"
        told = await self.command(
            "script.callFunction",
            functionDeclaration=f"async (arg) => JSON.stringify({called} ?? null)",
            arguments=[{"type": "string", "value": json.dumps(arg)}],
            target={"context": self._page},
            awaitPromise=True,
            userActivation=True,
        )
        if told["type"] == "exception":
            raise RuntimeError(told["exceptionDetails"]["text"])
        return json.loads(told["result"]["value"])

    async def click(self, selector: str) -> None:
        """Click the first element that matches, as the page would see it."""
        script = (
            "(selector) => document.querySelector(selector)?.click() ?? !!document.querySelector(selector)"
        )
        if not await self.evaluate(script, selector):
            raise AssertionError(f"nothing to click: {selector}")

    async def screenshot(self) -> bytes:
        told = await self.command("browsingContext.captureScreenshot", context=self._page)
        return base64.b64decode(told["data"])


async def _address(process: asyncio.subprocess.Process) -> str:
    """Where Firefox says it listens."""
    assert process.stderr
    async for line in process.stderr:
        found = LISTENING.search(line)
        if found:
            return found[1].decode()
    raise RuntimeError("Firefox ended before it listened")


async def _ignored(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass


@contextlib.asynccontextmanager
async def firefox(
    person: Person | None = None,
    *,
    url: str | None = None,
    preferences: dict[str, bool | int | str] | None = None,
) -> AsyncIterator[Firefox]:
    """A Firefox with a page of its own; `person` is seen and heard by synthetic camera and microphone."""
    program = needs.firefox()
    scripts = [KEEP_CONNECTIONS, *([synthetic_media(person)] if person else [])]
    async with contextlib.AsyncExitStack() as exits:
        card = await exits.enter_async_context(silent_card())
        profile = Path(
            exits.enter_context(tempfile.TemporaryDirectory(prefix="firefox-", ignore_cleanup_errors=True))
        )
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in (PREFERENCES | (preferences or {})).items()
        ]
        (profile / "user.js").write_text("".join(lines))
        process = await asyncio.create_subprocess_exec(
            *(program, "--headless", "--no-remote", "--profile", str(profile)),
            *("--remote-debugging-port", "0", "about:blank"),
            env={**os.environ, **card, "HOME": str(profile), "MOZ_DISABLE_AUTO_SAFE_MODE": "1"},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        await exits.enter_async_context(stopped(process))
        address = await asyncio.wait_for(_address(process), START_S_MAX)
        client = await exits.enter_async_context(aiohttp.ClientSession())
        socket = await client.ws_connect(f"{address}/session", max_msg_size=0)
        browser = Firefox(socket)
        assert process.stderr
        for work in (browser.listen(), _ignored(process.stderr)):
            task = asyncio.create_task(work)
            exits.callback(task.cancel)
        await browser.prepare(scripts)
        if url:
            await browser.goto(url)
        yield browser
