"""The aiohttp application: the route table behind the boundary."""

from collections.abc import Iterable

from aiohttp import web

from server.http.body import BODY_BYTES_MAX
from server.http.boundary import boundary
from server.http.headers import adder
from server.http.keys import SERVICES, Services
from server.http.monitoring import METRICS, Metrics
from server.http.routes import DEMO_ROUTES, ROUTES
from server.http.table import RULES, Who
from signaling.gateway import PATH


def application(services: Services, *, socket_routes: Iterable[web.AbstractRouteDef]) -> web.Application:
    """Make the application; `socket_routes` are those of the gateway."""
    app = web.Application(middlewares=[boundary], client_max_size=BODY_BYTES_MAX)
    app[SERVICES] = services
    app[METRICS] = Metrics(services.media_packets)
    rules: dict[str, Who] = {PATH: Who.SOCKET}
    for route in ROUTES if services.demo_links is None else ROUTES + DEMO_ROUTES:
        # With GET comes HEAD: mail scanners send it.
        add = app.router.add_get if route.method == "GET" else app.router.add_post
        added = add(route.path, route.handler)
        if added.resource is not None:
            rules[added.resource.canonical] = route.who
    app.add_routes(socket_routes)
    app[RULES] = rules
    app.on_response_prepare.append(adder(services.site))
    return app
