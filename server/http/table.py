"""How a route is declared: method, path, who may. `routes.py` has the whole table."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Who(StrEnum):
    """Who may use a route. The handler gets nothing it would have to check again."""

    ANYONE = "anyone"  # pages and answers without anything of a person in them
    INVITED = "invited"  # whoever has the secret of an invitation, in the body
    SEATED = "seated"  # whoever holds the seat's cookie
    STAFF = "staff"  # whoever is signed in
    SEATED_OR_STAFF = "seated_or_staff"  # the body says which
    DEMO = "demo"  # whoever has a link of the demo; the route exists there alone
    SOCKET = "socket"  # the gateway asks for a ticket
    MONITOR = "monitor"  # this machine, or the metrics token


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One line of the table."""

    method: Literal["GET", "POST"]
    path: str
    who: Who
    handler: Handler


# By the canonical path of a route.
RULES: Final = web.AppKey("rules", dict[str, Who])


def rule_of(request: web.Request) -> Who | None:
    """Who may use the route a request matched; None when it matched none."""
    resource = request.match_info.route.resource
    return request.app[RULES].get(resource.canonical) if resource is not None else None
