"""The made-up server's part about recordings: answers, media files, and what a test can hold back."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.web import recording_samples as samples

BLOCK_BYTES = 16_384


class Vault:
    """What the server knows of one recording; a test changes it before it opens the page.

    `preparing`: shares that are said to be done before it is ready. `answers`: one for each opening, the last
    stays. `held`: a view of which only the first bytes come until `flow` is set. `broken`: a view that no
    browser can play. `sent`: what came in.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[Any] = list(samples.rows())
        self.alerts: list[dict[str, Any]] = []
        self.deletion = "asked"
        self.preparing: list[float] = []
        self.composing: list[float] = [0.2, 0.6]
        self.answers = [samples.opened()]
        self.grants = {samples.GRANT}
        self.held = ""
        self.broken = ""
        self.held_after_bytes = 0
        self.flow = asyncio.Event()
        self.sent: list[dict[str, Any]] = []

    def of(self, what: str) -> list[dict[str, Any]]:
        """Bodies that came to an address that ends like this."""
        return [one for one in self.sent if one["path"].endswith(f"/{what}")]

    def routes(self) -> list[web.RouteDef]:
        base = "/api/recordings"
        return [
            web.post(base, self._list),
            web.post(f"{base}/acknowledge", self._acknowledge),
            web.get(f"{base}/{{id}}/views/{{view}}", self._view),
            web.get(f"{base}/{{id}}/composed", self._composed),
            web.post(f"{base}/{{id}}/{{what:.+}}", self._post),
        ]

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response({"rows": self.rows, "alerts": self.alerts})

    async def _acknowledge(self, request: web.Request) -> web.Response:
        self.sent.append({"path": request.path, **(await request.json())})
        self.alerts = []
        return web.json_response({})

    async def _post(self, request: web.Request) -> web.Response:
        self.sent.append({"path": request.path, **(await request.json())})
        answers: Mapping[str, Any] = {
            "open": self._opened,
            "export": self._exported,
            "compose": self._compose,
            "compose/cancel": dict,
            "access-log": samples.accesses,
            "delete": lambda: {"state": self.deletion},
            "hold": dict,
        }
        return web.json_response(answers[request.match_info["what"]]())

    def _opened(self) -> dict[str, Any]:
        if self.preparing:
            return {"state": "preparing", "done": self.preparing.pop(0)}
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def _exported(self) -> dict[str, Any]:
        url = f"/api/recordings/{samples.ID}/views/p0?grant={samples.GRANT}&download=1"
        return {
            "files": [{"view": "p0", "name": "patient.webm", "url": url}],
            "composed": {"state": "none"},
            "grant": samples.GRANT,
        }

    def _compose(self) -> dict[str, Any]:
        if self.composing:
            return {"state": "running", "done": self.composing.pop(0)}
        return {"state": "ready"}

    async def _composed(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(self.folder / "p0.webm")

    async def _view(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("grant") not in self.grants:
            raise web.HTTPForbidden
        if request.match_info["view"] == self.broken:
            return web.Response(body=b"no film", content_type="video/mp4")
        file = self.folder / f"{request.match_info['view']}.webm"
        if request.match_info["view"] == self.held and not self.flow.is_set():
            return await self._drop_by_drop(request, file)
        return web.FileResponse(file, headers={"Content-Type": "video/webm"})

    async def _drop_by_drop(self, request: web.Request, file: Path) -> web.StreamResponse:
        """A range of a file whose end does not come before `flow` is set."""
        whole = file.read_bytes()
        start = request.http_range.start or 0
        response = web.StreamResponse(status=206, headers={"Content-Type": "video/webm"})
        response.headers["Accept-Ranges"] = "bytes"
        response.headers["Content-Range"] = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
        response.content_length = len(whole) - start
        await response.prepare(request)
        for at in range(start, len(whole), BLOCK_BYTES):
            if at >= self.held_after_bytes:
                await self.flow.wait()
            await response.write(whole[at : at + BLOCK_BYTES])
        return response
