"""Headers of every answer: a snapshot over every route, errors included."""

from typing import Any

import pytest

from server.http.headers import security_headers
from server.http.origin import Site, household, real_peer, site
from server.http.routes import DEMO_ROUTES, ROUTES
from server.settings import Settings
from server.settings_loading import load

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self' wss://visits.example.org; font-src 'none'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)


def test_the_headers_are_these() -> None:
    headers = security_headers(Site(origins=("https://visits.example.org",)))
    assert headers == {
        "Content-Security-Policy": POLICY,
        "Permissions-Policy": (
            "camera=(self), microphone=(self), display-capture=(self), "
            "autoplay=(self), fullscreen=(self), picture-in-picture=(self), screen-wake-lock=(self), "
            "geolocation=(), usb=(), serial=(), hid=(), midi=(), payment=(), browsing-topics=()"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    }


async def test_every_route_and_every_error_carries_them(http: Any) -> None:
    expected = security_headers(http.services.site)
    paths = [route.path for route in ROUTES + DEMO_ROUTES] + ["/nowhere", "/api/nowhere", "/static/none.js"]
    for path in paths:
        for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS"):
            for headers in ({}, {"Accept": "text/html"}, {"Host": "evil.example"}):
                answer = await http.client.request(method, path, headers=headers, allow_redirects=False)
                carried = {name: answer.headers.get(name) for name in expected}
                assert carried == expected, (method, path)
                assert "Server" not in answer.headers
                assert answer.headers["Cache-Control"] == "no-store"


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(http: Any) -> None:
    body = {"secret": http.secret("patient"), "language": "ar", "has_camera_interface": True}
    answers = [
        await http.post("/api/demo/enter", {"secret": http.secret("physician")}),
        await http.post("/api/invitation/exchange", body),
        await http.get("/help?lang=ar"),
    ]
    for answer in answers:
        parts = answer.headers["Set-Cookie"].split("; ")
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(parts)
        assert not any(part.startswith("Domain") for part in parts)


def test_a_server_for_this_machine_is_reached_by_its_names_alone(settings: Settings) -> None:
    port = settings.server.port
    assert site(settings).hosts == {f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"}
    public = load(overrides={"server": {"host": "0.0.0.0", "public_url": "https://visits.example.org"}})  # noqa: S104
    assert site(public.settings).origins == ("https://visits.example.org",)


class Sent:
    """As much of a request as the peer is found from."""

    def __init__(self, remote: str, forwarded: str) -> None:
        from multidict import CIMultiDict

        self.remote = remote
        self.headers = CIMultiDict({"X-Forwarded-For": forwarded} if forwarded else {})


@pytest.mark.parametrize(
    ("remote", "forwarded", "peer"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
        ("10.0.0.2", "198.51.100.9", "198.51.100.9"),
        ("10.0.0.2", "203.0.113.66, 198.51.100.9", "198.51.100.9"),
        ("10.0.0.2", "203.0.113.66, 198.51.100.9, 10.0.0.3", "198.51.100.9"),
        ("10.0.0.2", "not an address", "10.0.0.2"),
        ("10.0.0.2", ",".join(["10.0.0.9"] * 5000), "10.0.0.9"),
        ("10.0.0.2", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_only_trusted_proxies_say_who_the_peer_is(remote: str, forwarded: str, peer: str) -> None:
    trusted = load(overrides={"server": {"trusted_proxies": ["10.0.0.0/8"]}}).settings.server.trusted_proxies
    assert real_peer(Sent(remote, forwarded), trusted) == peer  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("", ""),
    ],
)
def test_limits_count_a_household_not_its_addresses(address: str, counted: str) -> None:
    assert household(address) == counted
