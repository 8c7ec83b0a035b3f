"""What the vault answers on its socket. Whoever can open the socket may do all of it: the server alone.

Bodies are JSON. An error is `{"code": …}` with status 400, 404, 410 (destroyed), 416, 500 or 503.
"""

import asyncio
from typing import Any, Final

from aiohttp import web

from server.logs import logger
from server.vault.composing import MIME, Composing
from server.vault.jobs import Jobs, State
from server.vault.keys import KeysError
from server.vault.opening import CannotOpenError
from server.vault.preparing import Ready, Sealing, known_parts, open_view, sealing_of
from server.vault.ranges import NotSatisfiableError, Range, parsed
from server.vault.sealed_file import BrokenViewError, SealedFile

PIECE_BYTES: Final = 262_144
BODY_BYTES_MAX: Final = 4 << 20
NAME_CHARS_MAX: Final = 120

log = logger("vault")


class Vault:
    """The handlers; `jobs` and `composing` do the work."""

    def __init__(self, jobs: Jobs, composing: Composing) -> None:
        self._jobs = jobs
        self._composing = composing

    def routes(self) -> list[web.RouteDef]:
        """All there is."""
        recording = "/recordings/{recording:[0-9a-f]{32}}"
        return [
            web.get("/healthz", self.healthz),
            web.post(f"{recording}/prepare", self.prepare),
            web.get(f"{recording}/views/{{view:[ps][0-9]{{1,2}}}}", self.view),
            web.post(f"{recording}/destroy", self.destroy),
            web.post(f"{recording}/compose", self.compose),
            web.get(f"{recording}/compose", self.compose_state),
            web.post(f"{recording}/compose/cancel", self.compose_cancel),
            web.get(f"{recording}/composed", self.composed),
        ]

    async def healthz(self, _request: web.Request) -> web.Response:
        """It runs."""
        return web.json_response({"ok": True})

    async def prepare(self, request: web.Request) -> web.Response:
        """Begin to make the views, or say how far it is."""
        try:
            known = known_parts((await request.json())["parts"])
        except (ValueError, KeyError, TypeError):
            return _error(400, "bad_request")
        return web.json_response(_body(await self._jobs.prepare(_recording(request), known)))

    async def destroy(self, request: web.Request) -> web.Response:
        """Remove the views."""
        await self._composing.cancel(_recording(request))
        return web.json_response({"removed": await self._jobs.destroy(_recording(request))})

    async def view(self, request: web.Request) -> web.StreamResponse:
        """A view, or one range of it."""
        found = await self._jobs.views(_recording(request))
        view = request.match_info["view"]
        entry = _entry(found, view)
        if found is None or entry is None:
            return _error(404, "not_found")
        sealing, made = found
        file = await asyncio.to_thread(open_view, self._jobs.data_dir, sealing, made.generation, view)
        with file:
            return await self.streamed(request, file, str(entry["mime"]), sealing.recording)

    async def compose(self, request: web.Request) -> web.Response:
        """Begin to make one file of all, or say how far it is."""
        try:
            names = {
                str(view): str(name)[:NAME_CHARS_MAX]
                for view, name in (await request.json())["names"].items()
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            return _error(400, "bad_request")
        return web.json_response(_body(await self._composing.start(_recording(request), names)))

    async def compose_state(self, request: web.Request) -> web.Response:
        """How far the one file is."""
        state = await self._composing.state(_recording(request))
        return web.json_response({"state": "none"} if state is None else _body(state))

    async def compose_cancel(self, request: web.Request) -> web.Response:
        """End the making of the one file."""
        await self._composing.cancel(_recording(request))
        return web.json_response({})

    async def composed(self, request: web.Request) -> web.StreamResponse:
        """The one file, or a range of it."""
        found = await self._composing.open(_recording(request))
        if found is None:
            return _error(404, "not_found")
        sealing, path, name = found
        file = await asyncio.to_thread(SealedFile.open, path, sealing.key(name), name)
        with file:
            return await self.streamed(request, file, MIME, sealing.recording)

    async def streamed(
        self, request: web.Request, file: SealedFile, mime: str, recording: bytes
    ) -> web.StreamResponse:
        """The answer with what is asked for of an open file; it ends when the recording is destroyed."""
        size = file.size_bytes
        headers = {"Accept-Ranges": "bytes", "Content-Type": mime, "Cache-Control": "no-store"}
        try:
            wanted = parsed(request.headers.get("Range"), size)
        except NotSatisfiableError:
            unit = {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"}
            return web.json_response({"code": "range"}, status=416, headers=unit)
        part = wanted or Range(0, size)
        response = web.StreamResponse(status=206 if wanted else 200, headers=headers)
        if wanted:
            response.headers["Content-Range"] = wanted.content_range(size)
        response.content_length = part.end - part.start
        await response.prepare(request)
        try:
            if request.method != "HEAD":
                for at in range(part.start, part.end, PIECE_BYTES):
                    length = min(PIECE_BYTES, part.end - at)
                    await response.write(await asyncio.to_thread(self._piece, file, at, length, recording))
            await response.write_eof()
        except (CannotOpenError, BrokenViewError, OSError) as error:
            log.info("an answer was cut short", why=type(error).__name__)
            if request.transport is not None:
                request.transport.close()  # there is no other way to say it now
        return response

    def _piece(self, file: SealedFile, at: int, length: int, recording: bytes) -> bytes:
        sealing_of(self._jobs.data_dir, recording)  # destroyed meanwhile: not a piece more
        file.seek(at)
        return file.read(length)


def application(vault: Vault) -> web.Application:
    """The application of the vault's socket."""
    app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[_errors])
    app.add_routes(vault.routes())
    return app


@web.middleware
async def _errors(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except CannotOpenError as error:
        return _error(410 if error.code == "destroyed" else 404, error.code)
    except KeysError as error:
        log.warning("the keys are not as they must be", why=str(error))
        return _error(503, "no_key")
    except FileNotFoundError:
        return _error(404, "not_found")  # made anew or removed just now
    except (OSError, BrokenViewError) as error:
        log.error("a request failed", exc_info=error)  # noqa: TRY400 (the formatter says what is safe)
        return _error(500, "internal")
    return response


def _recording(request: web.Request) -> bytes:
    return bytes.fromhex(request.match_info["recording"])


def _entry(found: tuple[Sealing, Ready] | None, view: str) -> dict[str, Any] | None:
    if found is None:
        return None
    return next((one for one in found[1].manifest["views"] if one["view"] == view), None)


def _error(status: int, code: str) -> web.Response:
    return web.json_response({"code": code}, status=status)


def _body(state: State) -> dict[str, Any]:
    if state.state == "ready":
        return {"state": "ready", "manifest": state.manifest}
    if state.state == "failed":
        return {"state": "failed", "code": state.code}
    return {"state": "preparing", "done": state.done}
