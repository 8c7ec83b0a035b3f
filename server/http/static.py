"""The built front end: files named by their content, compressed when they were built, cached for ever."""

import mimetypes
from pathlib import Path
from typing import Final

from aiohttp import web

from server.http.errors import HttpError

IMMUTABLE: Final = "public, max-age=31536000, immutable"
FILES_MAX: Final = 5000


class StaticFiles:
    """The files below `dist/assets`, listed once: no path from a request ever reaches the file system."""

    def __init__(self, dist: Path) -> None:
        self._files = {
            path.relative_to(dist).as_posix(): path
            for path in sorted((dist / "assets").rglob("*"))[:FILES_MAX]
            if path.is_file() and path.suffix not in (".br", ".gz", ".map")
        }

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """A file; aiohttp picks the compressed twin (`.br`) when the browser takes it."""
        path = self._files.get(request.match_info["file"])
        if path is None:
            raise HttpError("not_found")
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return web.FileResponse(path, headers={"Cache-Control": IMMUTABLE, "Content-Type": kind})
