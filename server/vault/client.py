"""How the server talks to the vault.

```python
vault = VaultClient(data_dir)
state = await vault.prepare(recording_hex, parts)  # ask again until it is not "preparing"
async with vault.view(recording_hex, "p0", request.headers.get("Range")) as answer:
    answer.status, answer.headers  # 200, 206, 404, 410, 416
    async for piece in answer.pieces():
        ...
await vault.destroy(recording_hex)
await vault.close()
```

* `VaultUnavailableError`: it does not answer; try again later
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import aiohttp

from server.vault.places import socket_path

ANSWER_S_MAX: Final = 10.0
PIECE_BYTES: Final = 262_144
_KEPT_HEADERS: Final = ("Content-Type", "Content-Length", "Content-Range", "Accept-Ranges")


class VaultUnavailableError(Exception):
    """The vault does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultState:
    """How far something is that takes time.

    `done` is 0 to 1. `manifest` is there when a preparing is ready. `code` says why it failed: destroyed,
    no_key, missing, tampered, internal; of composing also too_many, busy.
    """

    state: Literal["none", "preparing", "ready", "failed"]
    done: float = 0.0
    manifest: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultAnswer:
    """A view, or a range of it, while its context lasts."""

    status: int
    headers: Mapping[str, str]
    """Content-Type, Content-Length, Content-Range, Accept-Ranges: what to send on to the player."""
    _response: aiohttp.ClientResponse

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body. Raises `VaultUnavailableError` where it ends early: it was destroyed, or is damaged."""
        try:
            async for piece in self._response.content.iter_chunked(PIECE_BYTES):
                yield piece
        except (aiohttp.ClientError, TimeoutError) as error:
            raise VaultUnavailableError from error


class VaultClient:
    """The vault of a data directory. `recording` is an id in hex (32 characters) everywhere.

    `before` is waited for ahead of everything that is asked: it may start the vault.
    """

    def __init__(self, data_dir: Path, before: Callable[[], Awaitable[None]] | None = None) -> None:
        self._data_dir = data_dir
        self._before = before
        self._session: aiohttp.ClientSession | None = None

    async def is_open(self) -> bool:
        """Whether it answers."""
        try:
            return bool((await self._answer("GET", "/healthz", None))["ok"])
        except VaultUnavailableError:
            return False

    async def prepare(self, recording: str, parts: Sequence[Mapping[str, object]]) -> VaultState:
        """Begin to make the views, or hear how far it is. A failure is told once; asking again tries again.

        `parts` is what the log has: [{"part", "records", "size_bytes", "chain" (hex), "ended"}], or nothing.

        Raises:
            VaultUnavailableError: it does not answer, or not as it should.
        """
        body = {"parts": [dict(one) for one in parts]}
        return _state(await self._json("POST", f"/recordings/{recording}/prepare", body))

    @asynccontextmanager
    async def view(self, recording: str, view: str, range_header: str | None) -> AsyncIterator[VaultAnswer]:
        """A view (or `composed`), with the player's Range header. Raises `VaultUnavailableError`."""
        if self._before is not None:
            await self._before()
        name = view if view == "composed" else f"views/{view}"
        headers = {} if range_header is None else {"Range": range_header}
        # Its length may take a player hours; only an answer that does not begin is none.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_S_MAX, sock_read=None)
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                response = await self._opened().get(
                    f"http://vault/recordings/{recording}/{name}", headers=headers, timeout=timeout
                )
        except (aiohttp.ClientError, OSError) as error:
            raise VaultUnavailableError from error
        try:
            kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
            yield VaultAnswer(status=response.status, headers=kept, _response=response)
        finally:
            response.close()

    async def destroy(self, recording: str) -> None:
        """Remove the views, and end what is being made. The secret is destroyed by the server, before.

        Raises:
            VaultUnavailableError: it does not answer. Without the secret nothing there opens any more; the
                vault removes it at its next start.
        """
        await self._json("POST", f"/recordings/{recording}/destroy")

    async def compose(self, recording: str, names: Mapping[str, str]) -> VaultState:
        """Begin to make one file of all views, or hear how far it is; `names` are drawn: view to name.

        The views must have been prepared: "failed" with code missing if not. Then `view(…, "composed", …)`.

        Raises:
            VaultUnavailableError: it does not answer, or not as it should.
        """
        return _state(await self._json("POST", f"/recordings/{recording}/compose", {"names": dict(names)}))

    async def composing(self, recording: str) -> VaultState:
        """How far the composing is; state none where nobody has asked. Raises `VaultUnavailableError`."""
        return _state(await self._json("GET", f"/recordings/{recording}/compose"))

    async def cancel_composing(self, recording: str) -> None:
        """End it. Raises `VaultUnavailableError`."""
        await self._json("POST", f"/recordings/{recording}/compose/cancel")

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            path = socket_path(self._data_dir)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(path=str(path), limit=0), auto_decompress=False
            )
        return self._session

    async def _json(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        if self._before is not None:
            await self._before()
        return await self._answer(method, path, body)

    async def _answer(self, method: str, path: str, body: Mapping[str, object] | None) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=ANSWER_S_MAX)
        try:
            async with self._opened().request(
                method, f"http://vault{path}", json=body, timeout=timeout
            ) as response:
                found = await response.json()
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise VaultUnavailableError from error
        if response.status >= 500 or not isinstance(found, dict):
            raise VaultUnavailableError
        return found


def _state(body: Mapping[str, Any]) -> VaultState:
    state = body.get("state")
    if state not in ("none", "preparing", "ready", "failed"):
        return VaultState(state="failed", code=str(body.get("code", "internal")))
    return VaultState(
        state=state,
        done=float(body.get("done", 0.0)),
        manifest=body.get("manifest") or {},
        code=str(body.get("code", "")),
    )
