"""Runs Debian's Janus with a private configuration and speaks its WebSocket protocol."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
from pathlib import Path
from typing import Any

import aiohttp

WEBSOCKET_PORT = 38_188
START_S_MAX = 10.0
REQUEST_S_MAX = 10.0
EVENT_LOOPS = 2
NO_SUCH_FEED = 428

_CONFIGURATION = """
general: {{ configs_folder = "{directory}" debug_level = 2 session_timeout = 0
  event_loops = {loops} interface = "{address}"
  plugins_folder = "{library}/plugins" transports_folder = "{library}/transports"
  events_folder = "{library}/events" loggers_folder = "{library}/loggers" }}
media: {{ rtp_port_range = "20000-29999" ipv6 = false }}
nat: {{ nice_debug = false full_trickle = false ice_lite = false ice_enforce_list = "{address}" }}
transports: {{ disable = "{unused}" }}
loggers: {{ disable = "libjanus_jsonlog.so" }}
events: {{ broadcast = false }}
"""
_UNUSED = ",".join(f"libjanus_{name}.so" for name in ("http", "mqtt", "nanomsg", "pfunix", "rabbitmq"))
_WEBSOCKET = 'general: {{ json = "compact" ws = true ws_port = {port} ws_ip = "127.0.0.1" wss = false }}\n'


def is_installed() -> bool:
    """Whether there is a Janus to compare with."""
    return shutil.which("janus") is not None


class JanusRefused(Exception):  # noqa: N818 - a name of its own
    """Janus answered with an error; `code` is its number."""

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__(str(data))
        self.code = data.get("error_code", 0)


class Janus:
    """One Janus process and one session with it."""

    def __init__(self, directory: Path, address: str) -> None:
        self._directory, self._address = directory, address
        self._process: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None
        self._answers: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._session = 0
        self._admin = 0

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Start the process and open a session. Raises `TimeoutError`."""
        configuration = await asyncio.to_thread(self._configure)
        self._process = await asyncio.create_subprocess_exec(
            "janus",
            f"--configs-folder={self._directory}",
            f"--config={configuration}",
            cwd=self._directory,  # it makes a folder for recordings where it is started
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self._http = aiohttp.ClientSession()
        url = f"ws://127.0.0.1:{WEBSOCKET_PORT}"
        async with asyncio.timeout(START_S_MAX):
            while True:
                try:
                    self._socket = await self._http.ws_connect(
                        url, protocols=("janus-protocol",), max_msg_size=0
                    )
                    break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.1)
        self._reader = asyncio.create_task(self._read())
        self._session = (await self._request({"janus": "create"}))["data"]["id"]
        self._admin = await self._attach()

    async def stop(self) -> None:
        """End session and process."""
        if self._reader is not None:
            self._reader.cancel()
        if self._http is not None:
            await self._http.close()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()

    async def create(self, room: int) -> None:
        """A room for one consult."""
        body = {
            "request": "create",
            "room": room + 1,
            "publishers": 6,
            "bitrate": 0,
            "fir_freq": 0,
            "videocodec": "vp8",
        }
        await self._message(self._admin, body | {"transport_wide_cc_ext": False, "audiolevel_event": False})

    async def publish(self, room: int, offer: str) -> tuple[int, str]:
        """Join and publish; returns the publisher's id and the answer."""
        handle = await self._attach()
        joined = await self._message(
            handle, {"request": "join", "ptype": "publisher", "room": room + 1}, event=True
        )
        answered = await self._message(
            handle, {"request": "publish"}, {"type": "offer", "sdp": offer}, event=True
        )
        return joined["plugindata"]["data"]["id"], answered["jsep"]["sdp"]

    async def subscribe(self, room: int, publishers: list[int]) -> tuple[int, str]:
        """Subscribe to all of these; returns the handle and Janus' offer."""
        handle = await self._attach()
        streams = [{"feed": publisher} for publisher in publishers]
        body = {"request": "join", "ptype": "subscriber", "room": room + 1, "streams": streams}
        async with asyncio.timeout(REQUEST_S_MAX):
            while True:
                try:
                    return handle, (await self._message(handle, body, event=True))["jsep"]["sdp"]
                except JanusRefused as refusal:
                    if refusal.code != NO_SUCH_FEED:
                        raise
                await asyncio.sleep(0.05)  # a publisher exists for others only when its media flows

    async def begin(self, handle: int, answer: str) -> None:
        """Accept the offer of `subscribe`."""
        await self._message(handle, {"request": "start"}, {"type": "answer", "sdp": answer}, event=True)

    def _configure(self) -> Path:
        self._directory.mkdir(parents=True, exist_ok=True)
        library = next(path for path in Path("/usr/lib").glob("*/janus") if (path / "plugins").is_dir())
        configuration = self._directory / "janus.jcfg"
        configuration.write_text(
            _CONFIGURATION.format(
                directory=self._directory,
                address=self._address,
                library=library,
                loops=EVENT_LOOPS,
                unused=_UNUSED,
            )
        )
        (self._directory / "janus.transport.websockets.jcfg").write_text(
            _WEBSOCKET.format(port=WEBSOCKET_PORT)
        )
        (self._directory / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")
        return configuration

    async def _attach(self) -> int:
        reply = await self._request({"janus": "attach", "plugin": "janus.plugin.videoroom"})
        handle: int = reply["data"]["id"]
        return handle

    async def _message(
        self, handle: int, body: dict[str, Any], jsep: dict[str, str] | None = None, *, event: bool = False
    ) -> dict[str, Any]:
        request: dict[str, Any] = {"janus": "message", "handle_id": handle, "body": body}
        if jsep is not None:
            request["jsep"] = jsep
        return await self._request(request, event=event)

    async def _request(self, request: dict[str, Any], *, event: bool = False) -> dict[str, Any]:
        """One request and its answer; `event`: the answer comes after an acknowledgement."""
        transaction = secrets.token_hex(8)
        answers = self._answers[transaction] = asyncio.Queue()
        if self._session:
            request["session_id"] = self._session
        await self._socket.send_json(request | {"transaction": transaction})
        try:
            async with asyncio.timeout(REQUEST_S_MAX):
                reply = await answers.get()
                while event and reply["janus"] == "ack":
                    reply = await answers.get()
        finally:
            del self._answers[transaction]
        if reply["janus"] == "error" or "error" in reply.get("plugindata", {}).get("data", {}):
            raise JanusRefused(reply.get("plugindata", {}).get("data", reply))
        return reply

    async def _read(self) -> None:
        async for message in self._socket:
            reply = message.json()
            answers = self._answers.get(reply.get("transaction", ""))
            if answers is not None:
                answers.put_nowait(reply)
