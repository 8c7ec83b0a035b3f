"""Ports for the programs a test starts."""

import contextlib
import os
import random
import socket
from typing import Final

# Below the ports the kernel gives to connections; of two processes that run tests, each has its own.
RANGES: Final = {"gw0": (12_000, 20_000), "gw1": (20_000, 28_000)}


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, *, count: int = 1) -> int:
    """A port of 127.0.0.1 that is free now, the first of `count` free ones in a row."""
    lowest, end = RANGES.get(os.environ.get("PYTEST_XDIST_WORKER", ""), (12_000, 28_000))
    while True:
        first = random.randrange(lowest, end - count)
        with contextlib.ExitStack() as sockets:
            try:
                for port in range(first, first + count):
                    taken = sockets.enter_context(socket.socket(socket.AF_INET, kind))
                    taken.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
