"""The headers of every response, errors included."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from server.http.origin import Site

HSTS_MAX_AGE_S: Final = 63_072_000
PERMISSIONS: Final = ", ".join(
    [
        *(f"{feature}=(self)" for feature in ("camera", "microphone", "display-capture")),
        *(
            f"{feature}=(self)"
            for feature in ("autoplay", "fullscreen", "picture-in-picture", "screen-wake-lock")
        ),
        *(f"{feature}=()" for feature in ("geolocation", "usb", "serial", "hid", "midi")),
        *(f"{feature}=()" for feature in ("payment", "browsing-topics")),
    ]
)


def content_security_policy(site: Site) -> str:
    """What a page may load and do: our own files and socket, nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "media-src 'self' blob:",
            f"connect-src 'self' {site.socket_origin}",
            "font-src 'none'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        )
    )


def security_headers(site: Site) -> dict[str, str]:
    """Header by header; `Cache-Control` only where the response has none of its own."""
    headers = {
        "Content-Security-Policy": content_security_policy(site),
        "Permissions-Policy": PERMISSIONS,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    if site.secure:
        headers["Strict-Transport-Security"] = f"max-age={HSTS_MAX_AGE_S}; includeSubDomains"
    return headers


def adder(site: Site) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """The signal handler that adds them."""
    headers = security_headers(site)

    async def add(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(headers)
        response.headers.setdefault("Cache-Control", "no-store")
        # Names the versions of Python and aiohttp.
        response.headers.pop("Server", None)

    return add
