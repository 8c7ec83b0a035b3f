"""The one UDP port of a worker: reads it, tells the protocols apart, finds the peer, drops and counts the
rest.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
from collections import Counter
from typing import Protocol

from media import stun
from media.clock import Clock

DRAIN_MAX = 64
"""Datagrams read in one go, so that timers and the control connection get their turn."""
DATAGRAM_BYTES_MAX = 2_048
SOCKET_BUFFER_BYTES = 4 << 20
STRANGERS_PER_S = 200
"""Media packets from unknown addresses we try to decrypt, per second and worker."""

log = logging.getLogger(__name__)

RemoteAddress = tuple[str, int] | tuple[str, int, int, int]


class Link:
    """One socket, bound to one local address: an answer must leave from the address the question came to."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.peers: dict[RemoteAddress, MuxPeer] = {}
        """Remote addresses that have proven to belong to a peer."""


class MuxPeer(Protocol):
    """What the port needs of a peer. All `on_` methods return whether the packet was authentic and used."""

    password: str

    def holds(self, link: Link, address: RemoteAddress) -> bool: ...
    def on_check(self, link: Link, address: RemoteAddress, *, nominated: bool) -> None: ...
    def on_dtls(self, data: bytes) -> bool: ...
    def on_media(self, link: Link, address: RemoteAddress, data: bytes) -> bool: ...


class Mux:
    """All sockets of a worker and the tables that lead from a datagram to a peer."""

    def __init__(self, addresses: tuple[str, ...], port: int, clock: Clock) -> None:
        self.links: list[Link] = []
        self.by_ufrag: dict[str, MuxPeer] = {}
        self.by_ssrc: dict[int, set[MuxPeer]] = {}
        self.received = 0
        self.dropped: Counter[str] = Counter()
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._tokens = float(STRANGERS_PER_S)
        self._tokens_at_s = clock.now_s
        self.addresses = tuple(address for address in addresses if self._listen(address, port))
        """Those of `addresses` we listen on: one may have gone since they were listed."""
        if not self.links:
            raise OSError(errno.EADDRNOTAVAIL, "none of the addresses is of this machine")
        _check_buffers(self.links)
        for link in self.links:
            self._loop.add_reader(link.sock, self._drain, link)

    def _listen(self, address: str, port: int) -> bool:
        try:
            self.links.append(Link(bound_socket(address, port)))
        except OSError as problem:
            if problem.errno == errno.EADDRNOTAVAIL:
                return False
            self.close()
            raise
        return True

    @property
    def port(self) -> int:
        """The port in use."""
        port: int = self.links[0].sock.getsockname()[1]
        return port

    def close(self) -> None:
        """Stop reading and release the port."""
        for link in self.links:
            self._loop.remove_reader(link.sock)
            link.sock.close()
        self.links.clear()

    def _drain(self, link: Link) -> None:
        receive = link.sock.recvfrom
        peers = link.peers
        read_clock = self._clock.read
        for _ in range(DRAIN_MAX):
            try:
                data, address = receive(DATAGRAM_BYTES_MAX)
            except OSError:  # nothing left to read, or an ICMP error that belongs to an earlier send
                return
            read_clock()
            self.received += 1
            first = data[0] if data else 255
            if 127 < first < 192:
                peer = peers.get(address)
                if peer is not None:
                    peer.on_media(link, address, data)
                else:
                    self._stranger(link, address, data)
            elif first < 4:
                self._check(link, address, data)
            elif 19 < first < 64:
                peer = peers.get(address)
                if peer is None or not peer.on_dtls(data):
                    self.dropped["dtls"] += 1
            else:
                self.dropped["foreign"] += 1

    def _check(self, link: Link, address: RemoteAddress, data: bytes) -> None:
        request = stun.parse_request(data)
        peer = self.by_ufrag.get(request.local_ufrag) if request else None
        if request is None or peer is None or not stun.verify(request, peer.password):
            self.dropped["stun"] += 1
            return
        owner = link.peers.get(address)
        if owner is not None and owner is not peer and owner.holds(link, address):
            self.dropped["taken"] += 1  # somebody with credentials of their own claims another's address
            return
        answer = stun.success(request.transaction, (address[0], address[1]), peer.password)
        self.send(link, address, answer)
        peer.on_check(link, address, nominated=request.nominated)

    def _stranger(self, link: Link, address: RemoteAddress, data: bytes) -> None:
        """Media from an unknown address: a known peer's network may have changed.

        Its encryption proves it.
        """
        candidates = self.by_ssrc.get(int.from_bytes(data[8:12], "big")) if len(data) > 12 else None
        if candidates and not 192 <= data[1] <= 223:
            for peer in tuple(candidates):
                if not self._may_try():
                    break
                if peer.on_media(link, address, data):
                    return
        self.dropped["stranger"] += 1

    def _may_try(self) -> bool:
        now_s = self._clock.now_s
        self._tokens = min(STRANGERS_PER_S, self._tokens + (now_s - self._tokens_at_s) * STRANGERS_PER_S)
        self._tokens_at_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def send(self, link: Link, address: RemoteAddress, data: bytes | memoryview) -> None:
        """Send one datagram; a full buffer or a missing route loses it, as any network may."""
        try:
            link.sock.sendto(data, address)
        except OSError:
            self.dropped["send"] += 1


def _check_buffers(links: list[Link]) -> None:
    """Say when the kernel gave us less than we asked for: a short pause of the process then loses packets."""
    granted = min(link.sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) for link in links)
    if granted < SOCKET_BUFFER_BYTES:
        log.warning(
            "UDP receive buffer: %d of %d bytes; raise net.core.rmem_max", granted, SOCKET_BUFFER_BYTES
        )


def bound_socket(address: str, port: int) -> socket.socket:
    """A non-blocking UDP socket on one local address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    sock = socket.socket(socket.AF_INET6 if ip.version == 6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.settimeout(0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER_BYTES)
        if ip.version == 6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock
