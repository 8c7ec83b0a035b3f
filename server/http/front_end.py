"""The built front end: pages that name its files, and the files. The demonstration notices a new build."""

from typing import Final

from server.http.static import StaticFiles
from server.logs import logger
from web.render import DIST, MissingAssetError, Renderer

MANIFEST: Final = DIST / "manifest.json"

log = logger("front_end")


class FrontEnd:
    """Reads the build once; with `follows_builds` again when it has changed, for whoever works on it."""

    def __init__(self, *, follows_builds: bool) -> None:
        """Raises `web.render.MissingAssetError` without a build."""
        self._follows_builds = follows_builds
        self._built_ns = _built_ns()
        self._renderer = Renderer.load()
        self._files = StaticFiles(DIST)

    @property
    def renderer(self) -> Renderer:
        """What makes the pages."""
        self._follow()
        return self._renderer

    @property
    def files(self) -> StaticFiles:
        """The files that pages name."""
        self._follow()
        return self._files

    def _follow(self) -> None:
        if not self._follows_builds or (built_ns := _built_ns()) == self._built_ns:
            return
        self._built_ns = built_ns
        try:
            self._renderer, self._files = Renderer.load(), StaticFiles(DIST)
        except (MissingAssetError, ValueError) as error:  # in the middle of a build: the last one goes on
            log.warning("the front end is not read anew", exc_info=error)


def _built_ns() -> int:
    try:
        return MANIFEST.stat().st_mtime_ns
    except OSError:
        return 0
