"""A network between a peer and a worker that loses media packets and gives the peer new addresses, as
mobile ones do.
"""

import asyncio
import random
import socket
from collections.abc import Callable


class Network:
    """Forwards datagrams between one client and a worker on loopback, through an address it can change."""

    def __init__(self, port: int, *, loss_up: float = 0.0, loss_down: float = 0.0) -> None:
        self._worker = ("127.0.0.1", port)
        self._loss_up, self._loss_down = loss_up, loss_down
        self._random = random.Random(4)
        self._loop = asyncio.get_running_loop()
        self._near = self._socket(self._from_client)
        self._near.bind(("127.0.0.1", 0))
        self._far = self._socket(self._from_worker)
        self._client: tuple[str, int] | None = None
        self.dropped = 0

    def answer(self, sdp: str) -> str:
        """The answer with this network's port in place of the worker's."""
        return sdp.replace(f" {self._worker[1]} typ host", f" {self._near.getsockname()[1]} typ host")

    def change_address(self) -> None:
        """From now on the client appears under another port; the old one is dead."""
        self._loop.remove_reader(self._far)
        self._far.close()
        self._far = self._socket(self._from_worker)

    def close(self) -> None:
        """Cut all wires."""
        for sock in (self._near, self._far):
            self._loop.remove_reader(sock)
            sock.close()

    def _socket(self, reader: Callable[[socket.socket], None]) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.settimeout(0)
        self._loop.add_reader(sock, reader, sock)
        return sock

    def _from_client(self, sock: socket.socket) -> None:
        data, address = sock.recvfrom(2_048)
        self._client = (address[0], address[1])
        if not self._lost(data, self._loss_up):
            self._far.sendto(data, self._worker)

    def _from_worker(self, sock: socket.socket) -> None:
        data = sock.recv(2_048)
        if self._client is not None and not self._lost(data, self._loss_down):
            self._near.sendto(data, self._client)

    def _lost(self, data: bytes, share: float) -> bool:
        """Only RTP gets lost, so that a test fails for one reason at a time."""
        is_rtp = len(data) > 1 and 127 < data[0] < 192 and not 192 <= data[1] <= 223
        lost = is_rtp and self._random.random() < share
        self.dropped += lost
        return lost
