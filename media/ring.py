"""The last seconds of one source as decrypted packets, for retransmission and for whoever needs the recent
past.
"""

from __future__ import annotations

from media.rtp import sequence

VIDEO_PACKETS_MAX = 2_048
"""Two seconds at 10 Mbit/s; a power of two, so that a sequence number finds its place by masking."""
AUDIO_PACKETS_MAX = 128
"""Two and a half seconds of 20 ms packets."""
RING_BYTES_MAX = 3 << 20


class Ring:
    """Packets by sequence number; the oldest make room when places or bytes run out."""

    def __init__(self, packets_max: int, bytes_max: int = RING_BYTES_MAX) -> None:
        if packets_max & (packets_max - 1):
            raise ValueError("the number of places is a power of two")
        self._mask = packets_max - 1
        self._bytes_max = bytes_max
        self._places: list[bytes | None] = [None] * packets_max
        self._oldest = 0
        self.newest = -1
        """Unwrapped sequence number; -1 when the ring is empty."""
        self.size_bytes = 0

    def put(self, number: int, packet: bytes) -> None:
        """Keep a packet under its unwrapped sequence number; one older than the ring reaches is not kept."""
        if self.newest < 0:
            self._oldest = self.newest = number
        elif number > self.newest:
            self._advance(number)
        elif number <= self.newest - len(self._places):
            return
        place = number & self._mask
        self.size_bytes += len(packet) - len(self._places[place] or b"")
        self._places[place] = packet
        self._oldest = min(self._oldest, number)
        while self.size_bytes > self._bytes_max and self._oldest < self.newest:
            self._forget(self._oldest)
            self._oldest += 1

    def get(self, number: int) -> bytes | None:
        """The packet with this sequence number (any multiple of 2^16 apart), if it is still there."""
        packet = self._places[number & self._mask]
        return packet if packet is not None and sequence(packet) == number & 0xFFFF else None

    def clear(self) -> None:
        """Forget everything, as when the source begins anew."""
        self._places = [None] * len(self._places)
        self.newest, self._oldest, self.size_bytes = -1, 0, 0

    def _advance(self, number: int) -> None:
        if number - self.newest >= len(self._places):
            self.clear()
            self._oldest = number
        else:
            for skipped in range(self.newest + 1, number):
                self._forget(skipped)
            self._oldest = max(self._oldest, number - self._mask)
        self.newest = number

    def _forget(self, number: int) -> None:
        place = number & self._mask
        self.size_bytes -= len(self._places[place] or b"")
        self._places[place] = None
