"""Where a request comes from: the real peer behind trusted proxies, and whether our own page sent it."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from server.http.errors import HttpError
from server.settings import Network, Settings, as_origin, is_loopback

HOUSEHOLD_BITS: Final = 64
FORWARDED_HOPS_MAX: Final = 10
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Under which origins we are reached; the first is the one in links."""

    origins: tuple[str, ...]

    @property
    def secure(self) -> bool:
        return self.origins[0].startswith("https:")

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset(urlsplit(origin).netloc for origin in self.origins)

    @property
    def socket_origin(self) -> str:
        """The WebSocket origin, for the content security policy of browsers whose 'self' leaves it out."""
        return "ws" + self.origins[0].removeprefix("http")


def site(settings: Settings) -> Site:
    """The origins of these settings: the public one, and this machine's other names when it is only that."""
    public = settings.public_url
    if settings.server.public_url is None and is_loopback(settings.server.host):
        scheme, port = public.split("://")[0], settings.server.port
        names = ("127.0.0.1", "localhost", "[::1]")
        others = (as_origin(f"{scheme}://{name}:{port}") for name in names)
        return Site(origins=tuple(dict.fromkeys([public, *others])))
    return Site(origins=(public,))


def real_peer(request: web.BaseRequest, trusted: Sequence[Network]) -> str:
    """The address of the client: the socket's, or what trusted proxies forwarded, from the nearest one on."""
    peer = request.remote or ""
    hops = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    for hop in reversed(hops[-FORWARDED_HOPS_MAX:]):
        if not _is_trusted(peer, trusted) or not _is_address(hop.strip()):
            break
        peer = hop.strip()
    return peer


def household(address: str) -> str:
    """What limits by address count: of IPv6 the network, since every home has 2^64 addresses (RFC 6177)."""
    if ":" not in address or not _is_address(address):
        return address
    plain = ip_address(address.partition("%")[0])
    mapped = plain.ipv4_mapped if isinstance(plain, IPv6Address) else None
    return str(mapped) if mapped else str(ip_network(f"{plain}/{HOUSEHOLD_BITS}", strict=False))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_trusted(peer: str, trusted: Sequence[Network]) -> bool:
    return _is_address(peer) and any(ip_address(peer) in network for network in trusted)


def refuse_cross_site(request: web.BaseRequest, site: Site) -> None:
    """Let a request that may change something through only when a page of ours sent it, as JSON."""
    if request.method in SAFE_METHODS:
        return
    sent_by = request.headers.get("Sec-Fetch-Site")
    same = sent_by == "same-origin" if sent_by else request.headers.get("Origin") in site.origins
    if not same:
        raise HttpError("cross_site", "only our own pages may send this")
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        raise HttpError("unsupported_type", "send application/json, not compressed")
