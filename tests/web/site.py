"""A small site for tests of pages in a browser: real pages, styles, scripts and headers, a made-up server."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import socketio
from aiohttp import web

from server.http.headers import security_headers
from server.http.origin import Site
from tests.web import samples
from web.catalog import page_languages
from web.pages import InvitationState
from web.render import DIST, Renderer


class Clinic:
    """What the made-up server knows; a test changes it before it opens a page. `sent` is what came in."""

    def __init__(self) -> None:
        self.invitation: InvitationState = "open"
        self.language = "en"
        self.waiting = True
        self.user = samples.PHYSICIAN
        self.sent: list[dict[str, Any]] = []
        self.ack: dict[str, Any] = {
            "type": "accepted",
            "version": 2,
            "consult_id": None,
            "participant": None,
            "invitations": [],
        }


def channel(clinic: Clinic) -> socketio.AsyncServer:
    """The message channel: a ticket lets in, open_board is answered by a board, the rest by `clinic.ack`."""
    server = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins=[])

    async def connect(_sid: str, _environ: dict[str, Any], auth: dict[str, str]) -> bool:
        return auth["ticket"] == "ticket-for-one-connection"

    async def message(sid: str, data: dict[str, Any]) -> dict[str, Any]:
        clinic.sent.append(data)
        if data["type"] == "open_board":
            view = samples.board(
                datetime.now(UTC), some=clinic.waiting, user=clinic.user, day=data.get("day")
            )
            await server.emit("message", view, to=sid)
            return {"type": "accepted"}
        return clinic.ack

    server.on("connect", connect)
    server.on("message", message)
    return server


def application(clinic: Clinic, origin: str, routes: Sequence[web.RouteDef] = ()) -> web.Application:
    """The made-up server; its own answers come after those of `routes`."""
    renderer = Renderer.load()
    rendered = {tag: samples.pages(tag) for tag in page_languages()}
    app = web.Application()
    headers = security_headers(Site(origins=(origin,)))

    async def page(request: web.Request) -> web.Response:
        found = rendered[request.query.get("lang", "en")].get(request.path)
        if found is None:
            raise web.HTTPNotFound
        return web.Response(text=renderer.render(found), content_type="text/html")

    async def preview(request: web.Request) -> web.Response:
        clinic.sent.append({"path": request.path, **(await request.json())})
        return web.json_response(samples.preview(clinic.invitation, datetime.now(UTC), clinic.language))

    async def interpreters(request: web.Request) -> web.Response:
        clinic.sent.append({"path": request.path, **(await request.json())})
        return web.json_response(samples.interpreters(datetime.now(UTC)))

    async def answer(request: web.Request) -> web.Response:
        clinic.sent.append({"path": request.path, **(await request.json())})
        if request.path == "/api/desk":
            now = datetime.now(UTC)
            shift = {"starts_at": now.isoformat(), "ends_at": now.isoformat()}
            return web.json_response({"minutes": 96, "consults": 4, "shifts": [shift]})
        return web.json_response({"ticket": "ticket-for-one-connection", "url": "/help", "expires_in_s": 30})

    async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(headers)

    app.on_response_prepare.append(add_headers)
    app.add_routes(routes)
    app.router.add_static("/static", DIST)
    app.router.add_post("/api/invitation/preview", preview)
    app.router.add_post("/api/interpreters", interpreters)
    app.router.add_post("/api/{what:.+}", answer)
    channel(clinic).attach(app)
    app.router.add_get("/{path:(?!socket.io).*}", page)
    return app


@contextlib.asynccontextmanager
async def site(port: int, routes: Sequence[web.RouteDef] = ()) -> AsyncIterator[tuple[str, Clinic]]:
    """The site's origin and what its server knows, until the block ends."""
    clinic = Clinic()
    origin = f"http://127.0.0.1:{port}"
    runner = web.AppRunner(application(clinic, origin, routes), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield origin, clinic
    finally:
        await runner.cleanup()
