"""Datagrams from an address nobody knows, at a bounded rate, and the hostile ones to send."""

import asyncio
import contextlib
import hashlib
import hmac
import random
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

from OpenSSL import SSL

STRANGER = "127.0.0.2"
BEAT_S = 0.01
Address = tuple[str, int]


class Spray:
    """One source that sends to each of `targets` in turn."""

    def __init__(self, targets: Sequence[Address]) -> None:
        self.sent = 0
        self.answers = 0
        self._targets = targets
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((STRANGER, 0))
        self._socket.settimeout(0)

    def send(self, datagram: bytes) -> None:
        """To the next target; what the machine has no room for is not sent."""
        with contextlib.suppress(OSError):
            self._socket.sendto(datagram, self._targets[self.sent % len(self._targets)])
        self.sent += 1

    async def run(self, datagrams: Iterator[bytes], *, per_s: int) -> None:
        """Send for ever, a few each hundredth of a second; a late beat is not made up for."""
        while True:
            for _ in range(round(per_s * BEAT_S)):
                self.send(next(datagrams))
            self.hear()
            await asyncio.sleep(BEAT_S)

    def hear(self) -> None:
        """Count what has come back."""
        with contextlib.suppress(OSError):
            while self._socket.recv(2_048):
                self.answers += 1

    def close(self) -> None:
        """Stop hearing."""
        self.hear()
        self._socket.close()


@contextlib.asynccontextmanager
async def spraying(
    targets: Sequence[Address], datagrams: Iterator[bytes], *, per_s: int
) -> AsyncIterator[Spray]:
    """Send while the block runs."""
    spray = Spray(targets)
    task = asyncio.create_task(spray.run(datagrams, per_s=per_s))
    try:
        yield spray
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        spray.close()


def client_hello() -> bytes:
    """What a DTLS client says first."""
    client = SSL.Connection(SSL.Context(SSL.DTLS_METHOD), None)
    client.set_connect_state()
    with contextlib.suppress(SSL.WantReadError):
        client.do_handshake()
    return client.bio_read(1_500)


FATAL_ALERT = bytes.fromhex("15fefd000000000000000000020228")
CLOSE_NOTIFY = bytes.fromhex("15fefd000000000000000000020100")


def race() -> Iterator[bytes]:
    """ClientHello, alerts and nothing, over and over."""
    datagrams = (client_hello(), FATAL_ALERT, b"", CLOSE_NOTIFY)
    while True:
        yield from datagrams


def binding_request(username: str, password: str, transaction: bytes) -> bytes:
    """A connectivity check (RFC 8445 section 7.1) that nominates its pair."""
    name = username.encode()
    body = (
        struct.pack("!HH", 0x0006, len(name)) + name + bytes(-len(name) % 4) + struct.pack("!HH", 0x0025, 0)
    )

    def head(more: int) -> bytes:
        return struct.pack("!HHI", 0x0001, len(body) + more, 0x2112A442) + transaction

    digest = hmac.new(password.encode(), head(24) + body, hashlib.sha1).digest()
    body += struct.pack("!HH", 0x0008, 20) + digest
    return head(8) + body + struct.pack("!HHI", 0x8028, 4, zlib.crc32(head(8) + body) ^ 0x5354554E)


def malformed(ssrcs: Sequence[int], seed: int) -> Iterator[bytes]:
    """STUN, RTP, RTCP, DTLS and noise, none of it right, some of it nearly."""
    chance = random.Random(seed)
    kinds: tuple[Callable[[random.Random, Sequence[int]], bytes], ...] = (_stun, _rtp, _rtcp, _dtls, _noise)
    while True:
        yield chance.choice(kinds)(chance, ssrcs)


def _stun(chance: random.Random, _ssrcs: Sequence[int]) -> bytes:
    body = b"".join(
        struct.pack("!HH", chance.choice((6, 8, 0x24, 0x8028, chance.getrandbits(16))), chance.getrandbits(6))
        + chance.randbytes(chance.randrange(64))
        for _ in range(chance.randrange(6))
    )
    length = chance.choice((len(body), len(body) & ~3, 0xFFFF, chance.getrandbits(16)))
    cookie = chance.choice((0x2112A442, 0x2112A442, 0))
    kind = chance.choice((1, 1, 0x101, 0x111, 3))
    return struct.pack("!HHI", kind, length, cookie) + chance.randbytes(12) + body


def _rtp(chance: random.Random, ssrcs: Sequence[int]) -> bytes:
    head = struct.pack(
        "!BBHII",
        chance.randrange(128, 192),
        chance.randrange(256),
        chance.getrandbits(16),
        chance.getrandbits(32),
        chance.choice(ssrcs),
    )
    return (head + chance.randbytes(chance.randrange(200)))[: chance.choice((1, 4, 11, 12, 16, 300))]


def _rtcp(chance: random.Random, ssrcs: Sequence[int]) -> bytes:
    head = struct.pack(
        "!BBHI",
        chance.randrange(128, 192),
        chance.randrange(192, 224),
        chance.choice((0, 1, 6, 0xFFFF)),
        chance.choice(ssrcs),
    )
    return head + chance.randbytes(chance.randrange(120))


def _dtls(chance: random.Random, _ssrcs: Sequence[int]) -> bytes:
    head = struct.pack("!BHHHIH", chance.randrange(20, 64), 0xFEFD, 0, 0, 0, chance.getrandbits(16))
    return head + chance.randbytes(chance.randrange(200))


def _noise(chance: random.Random, _ssrcs: Sequence[int]) -> bytes:
    return chance.randbytes(chance.choice((0, 1, 2, 20, 700, 1_400, 9_000)))
