"""What a monitor asks: is the process alive, is it ready, how is it doing. Numbers, nothing of a person."""

import hmac
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from server.http.errors import HttpError
from server.http.keys import SERVICES
from server.settings import is_loopback

LIVE_MAX: Final = 2000
BUCKETS_S: Final = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The numbers of one server."""

    def __init__(self, media_packets: Callable[[], Mapping[tuple[int, str], int]]) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(MediaPackets(media_packets))
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.requests = Counter(
            "meridian_requests",
            "HTTP requests by route.",
            ("method", "path", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "meridian_request_seconds",
            "Time to answer.",
            ("path",),
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self.workers = Gauge("meridian_media_workers", "Media workers that run.", registry=self.registry)
        self.consults = Gauge(
            "meridian_consults_live", "Consults whose waiting room is open.", registry=self.registry
        )

    def count(self, *, method: str, path: str, status: int, seconds: float) -> None:
        self.requests.labels(method, path, str(status)).inc()
        self.seconds.labels(path).observe(seconds)


class MediaPackets(Collector):
    """Counters the media workers keep; those of a new worker begin at 0, which Prometheus understands."""

    def __init__(self, totals: Callable[[], Mapping[tuple[int, str], int]]) -> None:
        self._totals = totals

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "meridian_media_packets", "Packets by what became of them.", labels=("worker", "what")
        )
        for (worker, what), count in sorted(self._totals().items()):
            family.add_metric((str(worker), what), count)
        yield family


METRICS: Final = web.AppKey("metrics", Metrics)


async def alive(_request: web.Request) -> web.StreamResponse:
    """The process answers."""
    return web.json_response({"alive": True})


async def ready(request: web.Request) -> web.StreamResponse:
    """The database answers, every media worker runs, other servers are heard; otherwise 503.

    A Redis that is away is said and is no reason: all servers would be taken out at once, while their people
    talk on and changes still come by the database.
    """
    services = request.app[SERVICES]
    running, wanted = services.media_workers()
    parts = {"database": await services.database.is_ready(), "media": running == wanted}
    hearing = services.hearing()
    is_ready = all(parts.values()) and hearing != "deaf"
    if hearing is not None:
        parts["redis"] = hearing == "heard"
    return web.json_response({"ready": is_ready, **parts}, status=200 if is_ready else 503)


async def metrics(request: web.Request) -> web.StreamResponse:
    """Prometheus text, for this machine or for whoever has the token."""
    _check_monitor(request)
    services, numbers = request.app[SERVICES], request.app[METRICS]
    numbers.workers.set(services.media_workers()[0])
    numbers.consults.set(len(await services.consults.live(limit=LIVE_MAX)))
    return web.Response(
        body=generate_latest(numbers.registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}
    )


def _check_monitor(request: web.Request) -> None:
    token = request.app[SERVICES].settings.server.metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token is not None and hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
        return
    # A proxy on this machine that is not trusted would make everybody look local.
    if is_loopback(request.remote or "") and "X-Forwarded-For" not in request.headers:
        return
    raise HttpError("not_found")
