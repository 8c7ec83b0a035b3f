"""A worker names the addresses others can reach, and loopback only when there is nothing else or it is
wanted.
"""

import asyncio

import ifaddr
import pytest

from media.addresses import local_addresses
from media.clock import Clock
from media.mux import Mux


def machine(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Pretend that this machine has these addresses."""
    ips = [ifaddr.IP((a, 0, 0) if ":" in a else a, 24, "eth0") for a in addresses]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: [ifaddr.Adapter("eth0", "eth0", ips)])


def test_all_addresses_but_loopback_and_link_local_are_used_ipv4_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine(monkeypatch, "127.0.0.1", "::1", "2001:db8::5", "fe80::1", "169.254.3.4", "192.0.2.5")
    assert local_addresses(()) == ("192.0.2.5", "2001:db8::5")


def test_loopback_is_used_when_there_is_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, "127.0.0.1", "::1")
    assert local_addresses(()) == ("127.0.0.1",)


def test_configured_addresses_are_used_as_they_are_and_the_wildcard_means_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine(monkeypatch, "192.0.2.5")
    assert local_addresses(("127.0.0.1",)) == ("127.0.0.1",)
    assert local_addresses(("0.0.0.0",)) == ("192.0.2.5",)  # noqa: S104 - that is the point


async def test_an_address_that_has_gone_is_left_out_and_none_at_all_is_an_error() -> None:
    mux = Mux(("127.0.0.1", "203.0.113.99"), 0, Clock())
    assert mux.addresses == ("127.0.0.1",)
    mux.close()
    with pytest.raises(OSError, match="addresses"):
        Mux(("203.0.113.99",), 0, Clock())
    await asyncio.sleep(0)


async def test_a_port_in_use_is_an_error() -> None:
    mux = Mux(("127.0.0.1",), 0, Clock())
    with pytest.raises(OSError, match="in use"):
        Mux(("127.0.0.1",), mux.port, Clock())
    mux.close()
