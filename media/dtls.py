"""DTLS for one peer: aiortc's transport over a stand-in for its ICE transport.

Every private aiortc name is in this file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)

from media.description import DtlsRole, PeerDescription
from media.srtp import Receiver, Sender

FIRST_REPEAT_S = 0.110
"""OpenSSL repeats a lost flight after 1 s; on a network of 100 ms that is an eternity."""
LAST_REPEAT_S = 3.0
HANDSHAKE_S_MAX = 30.0
QUEUE_MAX = 64
FLIGHT_MAX = 16

Certificate = RTCCertificate


def make_certificate() -> Certificate:
    """A fresh self-signed certificate; one serves all peers of a process."""
    return RTCCertificate.generateCertificate()


def fingerprint_of(certificate: Certificate) -> str:
    """The sha-256 fingerprint, as it stands in SDP."""
    return next(f.value for f in certificate.getFingerprints() if f.algorithm == "sha-256")


class _Pipe:
    """What `RTCDtlsTransport` uses of an ICE transport: `role`, `_recv`, `_send`.

    Repeats a flight that stays unanswered.
    """

    role = "controlled"

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._send_datagram = send
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_MAX)
        self._flight: list[bytes] = []
        self._answered = False
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self.first_sent_at_s: float | None = None
        self.round_trip_s: float | None = None
        self.repeating = True

    def put(self, datagram: bytes) -> bool:
        """A datagram from the peer; False when the queue is full and it is dropped."""
        if self._queue.full():
            return False
        if self.round_trip_s is None and self.first_sent_at_s is not None:
            self.round_trip_s = self._loop.time() - self.first_sent_at_s
        # The next datagram we send begins a new flight. Until then we go on repeating the old one: the
        # peer's own
        # repetition of its last flight is no acknowledgement.
        self._answered = True
        self._queue.put_nowait(datagram)
        return True

    async def _recv(self) -> bytes:
        return await self._queue.get()

    async def _send(self, data: bytes) -> None:
        if self._answered:
            self._flight = []
            self._answered = False
        if self.first_sent_at_s is None:
            self.first_sent_at_s = self._loop.time()
        if len(self._flight) < FLIGHT_MAX:
            self._flight.append(data)
        self._schedule(FIRST_REPEAT_S)
        self._send_datagram(data)

    def stop_repeating(self) -> None:
        """The handshake is over, one way or the other."""
        self.repeating = False
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self, delay_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.repeating and delay_s <= LAST_REPEAT_S:
            self._timer = self._loop.call_later(delay_s, self._repeat, delay_s)

    def _repeat(self, delay_s: float) -> None:
        self.round_trip_s = self.round_trip_s or 0.0  # an answer after a repetition measures nothing
        for datagram in self._flight:
            self._send_datagram(datagram)
        self._schedule(delay_s * 2)


class DtlsLink:
    """The DTLS association with one peer.

    Calls back once when it is up, and once when it has ended for any reason.
    """

    def __init__(
        self,
        certificate: Certificate,
        description: PeerDescription,
        send: Callable[[bytes], object],
        on_up: Callable[[Receiver, Sender], None],
        on_end: Callable[[], None],
    ) -> None:
        self._pipe = _Pipe(send)
        self._parameters = RTCDtlsParameters(
            [RTCDtlsFingerprint(description.fingerprint_algorithm, description.fingerprint)]
        )
        self._transport = _transport(self._pipe, certificate, description.dtls_role)
        self._on_up = on_up
        self._on_end = on_end
        self._task = asyncio.create_task(self._run())

    @property
    def round_trip_s(self) -> float | None:
        """What the handshake took from our first datagram to the first answer; None when unknown."""
        return self._pipe.round_trip_s or None

    def put(self, datagram: bytes) -> bool:
        """Hand over a datagram whose first byte is 20 to 63; False when it had to be dropped."""
        return self._pipe.put(datagram)

    async def close(self) -> None:
        """Say goodbye to the peer and end; `on_end` is not called any more."""
        self._on_end = _nothing
        self._pipe.stop_repeating()
        self._task.cancel()
        await self._transport.stop()

    async def _run(self) -> None:
        try:
            async with asyncio.timeout(HANDSHAKE_S_MAX):
                await self._transport.start(self._parameters)
        except TimeoutError:
            pass
        finally:
            self._pipe.stop_repeating()
        if self._transport.state != "connected":
            self._on_end()
            return
        self._transport.on("statechange", self._changed)
        self._on_up(Receiver(self._transport._rx_srtp), Sender(self._transport._tx_srtp))  # noqa: SLF001

    def _changed(self) -> None:
        if self._transport.state in ("closed", "failed"):
            on_end, self._on_end = self._on_end, _nothing
            on_end()


def _nothing() -> None:
    """What is called instead of `on_end` once the end is known."""


def _transport(pipe: _Pipe, certificate: Certificate, role: DtlsRole) -> RTCDtlsTransport:
    transport = RTCDtlsTransport(pipe, [certificate])  # type: ignore[arg-type]
    transport._set_role(role)  # noqa: SLF001
    # Alone in the list: as DTLS server Chromium would else choose the AES-CM profile, which costs a third
    # more.
    transport._srtp_profiles = [SRTP_AEAD_AES_128_GCM]  # noqa: SLF001
    return transport
