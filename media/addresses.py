"""Which local addresses a worker listens on and names in its answers."""

from __future__ import annotations

import ipaddress

import ifaddr

ADDRESSES_MAX = 8
LOOPBACK = "127.0.0.1"


def local_addresses(wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The configured addresses; else (or for 0.0.0.0 and ::) all of this machine; else loopback.

    Link-local addresses are left out: browsers elsewhere cannot use them.
    """
    if wanted and not any(
        ipaddress.ip_address(address.partition("%")[0]).is_unspecified for address in wanted
    ):
        return wanted
    found = [
        ip.ip if isinstance(ip.ip, str) else ip.ip[0]
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]
    usable = [address for address in dict.fromkeys(found) if _usable(address)]
    usable.sort(key=lambda address: ":" in address)
    return tuple(usable[:ADDRESSES_MAX]) or (LOOPBACK,)


def _usable(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    return not (ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified)
