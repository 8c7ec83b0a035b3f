"""Ports for the programs a test starts."""

import contextlib
import socket


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, *, count: int = 1) -> int:
    """A port of 127.0.0.1 that is free now, the first of `count` free ones in a row."""
    while True:
        with contextlib.ExitStack() as sockets:
            first = 0
            try:
                for offset in range(count):
                    taken = sockets.enter_context(socket.socket(socket.AF_INET, kind))
                    taken.bind(("127.0.0.1", first + offset if first else 0))
                    first = first or taken.getsockname()[1]
            except (OSError, OverflowError):
                continue
            return first
