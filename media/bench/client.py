"""A participant for measurements: real ICE, DTLS and SRTP, made-up video and audio, everything it receives
only counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import socket
import time
import zlib
from dataclasses import dataclass
from struct import pack

from media import stun
from media.description import DtlsRole, PeerDescription
from media.dtls import Certificate, DtlsLink
from media.mux import bound_socket
from media.srtp import Receiver, Sender

VIDEO_PAYLOAD_BYTES = 1_100
AUDIO_PAYLOAD_BYTES = 100
PACKETS_PER_FRAME = 6
FRAMES_PER_S = 30
AUDIO_PER_S = 50
KEYFRAME_S = 1.0
TICK_S = 0.005
BEHIND_S_MAX = 0.1
"""A load process that got no CPU time for longer does not send all it has missed at once: that would fill
the kernel's receive buffer, as no browser does, and the loss would be counted against what is measured.
"""
CHECK_S = 0.05
KEEPALIVE_S = 2.0
CONNECT_S_MAX = 15.0

AUDIO_TYPE, VIDEO_TYPE = 111, 96
_KEY = b"\x10\x00" + bytes(VIDEO_PAYLOAD_BYTES - 2)
_DELTA = b"\x10\x01" + bytes(VIDEO_PAYLOAD_BYTES - 2)
_REST = b"\x00" + bytes(VIDEO_PAYLOAD_BYTES - 1)
_VOICE = bytes(AUDIO_PAYLOAD_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """The other side, as its description says."""

    ufrag: str
    password: str
    fingerprint: str
    address: str
    port: int
    our_role: DtlsRole
    we_offered: bool
    """Then we are the controlling side of ICE."""


class LoadPeer:
    """One PeerConnection of a load participant."""

    def __init__(self, certificate: Certificate, address: str) -> None:
        self.ufrag, self.password = secrets.token_hex(4), secrets.token_hex(12)
        self.audio_ssrc, self.video_ssrc = secrets.randbits(31) | 1, secrets.randbits(31) | 1
        self._certificate = certificate
        self._sock = bound_socket(address, 0)
        self.port: int = self._sock.getsockname()[1]
        self._loop = asyncio.get_running_loop()
        self._remote: Remote | None = None
        self._to = ("", 0)
        self._dtls: DtlsLink | None = None
        self._sender: Sender | None = None
        self._up = asyncio.Event()
        self._checks: asyncio.Task[None] | None = None
        self._phase_s = secrets.randbelow(1_000) / 1_000
        self._audio_count = self._frame_count = self._video_sequence = 0
        self._started_at_s = self._sent_at_s = 0.0
        self.sent = self.received = 0
        self._loop.add_reader(self._sock, self._drain)

    async def connect(self, remote: Remote) -> None:
        """Connect; raises `TimeoutError`."""
        self._remote = remote
        self._to = (remote.address, remote.port)
        self._checks = asyncio.create_task(self._check())
        async with asyncio.timeout(CONNECT_S_MAX):
            await self._up.wait()

    async def close(self) -> None:
        """Hang up."""
        if self._checks is not None:
            self._checks.cancel()
        if self._dtls is not None:
            await self._dtls.close()
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def start_sending(self) -> None:
        """The media clock begins now."""
        self._sent_at_s = time.monotonic()
        self._started_at_s = self._sent_at_s + self._phase_s / FRAMES_PER_S

    def send_due(self, now_s: float) -> None:
        """Send what a browser would have sent by now."""
        self._started_at_s += max(0.0, now_s - self._sent_at_s - BEHIND_S_MAX)
        self._sent_at_s = now_s
        elapsed_s = now_s - self._started_at_s
        while self._audio_count < elapsed_s * AUDIO_PER_S:
            self._send(AUDIO_TYPE | 0x80, self._audio_count, self._audio_count * 960, self.audio_ssrc, _VOICE)
            self._audio_count += 1
        while self._frame_count < elapsed_s * FRAMES_PER_S:
            key = self._frame_count % int(KEYFRAME_S * FRAMES_PER_S) == 0
            for n in range(PACKETS_PER_FRAME):
                payload = _REST if n else _KEY if key else _DELTA
                marker = 0x80 if n == PACKETS_PER_FRAME - 1 else 0
                stamp = self._frame_count * 90_000 // FRAMES_PER_S
                self._send(VIDEO_TYPE | marker, self._video_sequence, stamp, self.video_ssrc, payload)
                self._video_sequence += 1
            self._frame_count += 1

    def _send(self, kind: int, sequence: int, timestamp: int, ssrc: int, payload: bytes) -> None:
        head = pack("!BBHII", 0x80, kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
        data = self._sender.rtp(head, payload) if self._sender else None
        if data is not None:
            self.sent += self._send_datagram(data)

    def _send_datagram(self, data: bytes | memoryview) -> bool:
        try:
            self._sock.sendto(data, self._to)
        except BlockingIOError:
            return False
        return True

    async def _check(self) -> None:
        """Connectivity checks until we are connected, then one now and then as consent."""
        while self._remote is not None:
            self._send_datagram(binding_request(self._remote, self.ufrag))
            await asyncio.sleep(KEEPALIVE_S if self._up.is_set() else CHECK_S)

    def _drain(self) -> None:
        while True:
            try:
                data, address = self._sock.recvfrom(2_048)
            except OSError:
                return
            first = data[0] if data else 255
            if 127 < first < 192:
                self._got(data)
            elif 19 < first < 64:
                if self._dtls is not None:
                    self._dtls.put(data)
            elif first < 4:
                self._on_stun(data, address)

    def _got(self, data: bytes) -> None:
        self.received += not 192 <= data[1] <= 223

    def _on_stun(self, data: bytes, address: tuple[str, int]) -> None:
        request = stun.parse_request(data)
        if request is not None and stun.verify(request, self.password):
            self._sock.sendto(stun.success(request.transaction, address, self.password), address)
        elif data[:2] == b"\x01\x01" and self._dtls is None and self._remote is not None:
            self._dtls = DtlsLink(
                self._certificate,
                _described(self._remote),
                self._send_datagram,
                self._connected,
                self._failed,
            )

    def _connected(self, receiver: Receiver, sender: Sender) -> None:
        self._sender = sender
        self._up.set()

    def _failed(self) -> None:
        self._sender = None


def _described(remote: Remote) -> PeerDescription:
    return PeerDescription(
        ufrag="",
        password="",
        fingerprint_algorithm="sha-256",
        fingerprint=remote.fingerprint,
        dtls_role=remote.our_role,
        upstreams=(),
        downstreams=(),
    )


def binding_request(remote: Remote, ufrag: str) -> bytes:
    """A connectivity check (RFC 8445 section 7.2.2); the controlling side nominates with every one."""
    name = f"{remote.ufrag}:{ufrag}".encode()
    body = pack("!HH", 6, len(name)) + name + bytes(-len(name) & 3) + pack("!HHI", 0x24, 4, 0x6E7F00FF)
    body += pack("!HHQ", 0x802A if remote.we_offered else 0x8029, 8, secrets.randbits(64))
    body += pack("!HH", 0x25, 0) if remote.we_offered else b""
    transaction = secrets.token_bytes(12)
    head = pack("!HHI", stun.BINDING_REQUEST, len(body) + 24, stun.COOKIE) + transaction
    body += pack("!HH", 8, 20) + hmac.new(remote.password.encode(), head + body, hashlib.sha1).digest()
    head = pack("!HHI", stun.BINDING_REQUEST, len(body) + 8, stun.COOKIE) + transaction
    return head + body + pack("!HHI", 0x8028, 4, zlib.crc32(head + body) ^ 0x5354554E)


def own_address() -> str:
    """This machine's own IPv4 address (no packet is sent); loopback where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address
