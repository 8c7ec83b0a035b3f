"""The boundary around every request: who is asking, what may not pass, what is answered when something fails.

No handler below it deals with headers, cross-site requests, unexpected failures or the access log.
"""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

from aiohttp import web
from sqlalchemy.exc import InterfaceError, OperationalError

from server.http.errors import RETRY_AFTER_S, STATUSES, HttpError
from server.http.keys import SERVICES
from server.http.monitoring import METRICS
from server.http.origin import real_peer, refuse_cross_site
from server.http.pages import error_page
from server.http.table import Who, rule_of
from server.identity.random_values import new_id
from server.logs import logger
from server.storage.database import DatabaseBusyError
from signaling.errors import Unstored

log = logger("http")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SUPPORT_ID_CHARS: Final = 8
_METHODS: Final = frozenset({"GET", "HEAD", "POST"})
# A status without a code of its own is somebody probing; the client learns the least.
_CODES: Final = {status: code for code, status in reversed(STATUSES.items())}


@web.middleware
async def boundary(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Check, handle, answer failures, log."""
    services = request.app[SERVICES]
    request = request.clone(remote=real_peer(request, services.settings.server.trusted_proxies))
    started_s = monotonic()
    try:
        response = await _handled(request, handler)
    except HttpError as error:
        response = _failed(request, error)
    except (DatabaseBusyError, Unstored, OperationalError, InterfaceError) as error:
        log.warning("the database is away", path=_pattern(request), kind=type(error).__name__)
        response = _failed(request, HttpError("busy"))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = _failed(request, HttpError(_CODES.get(error.status, "bad_request")))
        _keep_allow(error, response)
    except ConnectionResetError as error:
        if request.transport is None or request.transport.is_closing():
            raise  # they hung up in the middle; nobody is there to answer
        response = _broken(request, error)
    except Exception as error:  # noqa: BLE001 (the last line: a bug is logged loudly under a support id)
        response = _broken(request, error)
    _log(request, response, started_s)
    return response


async def _handled(request: web.Request, handler: Handler) -> web.StreamResponse:
    services = request.app[SERVICES]
    rule = rule_of(request)
    if rule is Who.MONITOR:
        return await handler(request)
    if request.host not in services.site.hosts:
        raise HttpError("wrong_host", "server.public_url is another name than the one in this request")
    if rule is not Who.SOCKET:
        refuse_cross_site(request, services.site)
    return await handler(request)


def _keep_allow(error: web.HTTPException, response: web.StreamResponse) -> None:
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]


def _broken(request: web.Request, error: Exception) -> web.StreamResponse:
    support_id = new_id()[:SUPPORT_ID_CHARS]
    log.error("request failed", path=_pattern(request), support_id=support_id, exc_info=error)
    return _failed(request, HttpError("internal"), support_id)


def _failed(request: web.Request, error: HttpError, support_id: str | None = None) -> web.StreamResponse:
    if wants_page(request):
        response = error_page(request, error, support_id)
    else:
        body = {"code": error.code, "hint": error.hint or None, "support_id": support_id}
        response = web.json_response(
            {key: value for key, value in body.items() if value}, status=error.status
        )
    if error.code in RETRY_AFTER_S:
        response.headers["Retry-After"] = str(RETRY_AFTER_S[error.code])
    return response


def wants_page(request: web.Request) -> bool:
    """Whether a person looks at the answer rather than a script."""
    return (
        request.method in ("GET", "HEAD")
        and not request.path.startswith(("/api/", "/static/", "/socket.io/"))
        and "text/html" in request.headers.get("Accept", "")
    )


def _pattern(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(none)"


def _log(request: web.Request, response: web.StreamResponse, started_s: float) -> None:
    """One line: the route's pattern, never the path or query as sent; no address."""
    method = request.method if request.method in _METHODS else "(other)"
    path, seconds = _pattern(request), monotonic() - started_s
    request.app[METRICS].count(method=method, path=path, status=response.status, seconds=seconds)
    log.info("request", method=method, path=path, status=response.status, ms=round(seconds * 1000, 1))
