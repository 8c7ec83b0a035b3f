"""Cookies: one for staff, one for each seat, one for the page language."""

import re
from typing import Final

from aiohttp import web

from server.http.origin import Site
from server.identity.random_values import SECRET_CHARS
from server.identity.seats import COOKIE_PREFIX, cookie_name
from signaling.consult.ids import ConsultId, ParticipantId

STAFF: Final = "meridian_staff"
LANGUAGE: Final = "meridian_lang"
SEAT_LANGUAGE: Final = "meridian_seat_lang"
LANGUAGE_MAX_AGE_S: Final = 365 * 86400
_SECRET: Final = re.compile(f"[A-Za-z0-9_-]{{{SECRET_CHARS}}}")


def name(site: Site, plain: str) -> str:
    """`__Host-` binds a cookie to this host and to https; browsers refuse it on plain http."""
    return f"__Host-{plain}" if site.secure else plain


def read(request: web.Request, site: Site, plain: str) -> str | None:
    """The secret in a cookie, if it has the form of one."""
    value = request.cookies.get(name(site, plain))
    return value if value is not None and _SECRET.fullmatch(value) else None


def seat(
    request: web.Request, site: Site, consult_id: ConsultId, participant_id: ParticipantId
) -> str | None:
    return read(request, site, cookie_name(consult_id, participant_id))


def seats(request: web.Request, site: Site) -> dict[str, str]:
    """The secrets of all seats this browser has cookies for, by the name of the cookie."""
    prefix = name(site, COOKIE_PREFIX)
    return {
        key: value
        for key, value in request.cookies.items()
        if key.startswith(prefix) and _SECRET.fullmatch(value)
    }


def put(
    response: web.StreamResponse, site: Site, plain: str, value: str, *, max_age_s: int | None = None
) -> None:
    """Set a cookie that no script can read and no other site's page sends along."""
    response.set_cookie(
        name(site, plain),
        value,
        max_age=max_age_s,
        path="/",
        secure=site.secure,
        httponly=True,
        samesite="Lax",
    )


def drop(response: web.StreamResponse, site: Site, plain: str) -> None:
    """Take a cookie back from the browser."""
    drop_named(response, site, name(site, plain))


def drop_named(response: web.StreamResponse, site: Site, full_name: str) -> None:
    response.del_cookie(full_name, path="/", secure=site.secure, httponly=True, samesite="Lax")


def language_name(path: str) -> tuple[str, str] | None:
    """Name and path of the cookie that keeps the language chosen on a page; None where none is kept.

    Several people may have their pages in one browser: a seat's language is the seat's own, and an invitation
    opens in the language of whoever is invited.
    """
    if path.startswith("/c/"):
        return SEAT_LANGUAGE, path
    return None if path == "/v" else (LANGUAGE, "/")
