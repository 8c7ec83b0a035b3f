"""Which of a peer's addresses we send to. Pure: time is an argument, addresses are opaque.

Only authenticated packets come here. Media is believed at once, and so is a connectivity check that
nominates. A check that does not is followed only when media from the current address has stopped: a browser
that lost an interface checks the new one long before it nominates it.
"""

from __future__ import annotations

from typing import Generic, TypeVar

SILENT_S = 0.3
MOVE_SPACING_S = 0.5
"""Between moves without nomination: a browser may check two of its addresses in turn."""

A = TypeVar("A")


class Path(Generic[A]):
    """The address of one peer; A identifies our socket and the remote address together."""

    def __init__(self) -> None:
        self.address: A | None = None
        self.heard_at_s = float("-inf")
        """Last authenticated packet of any kind, from anywhere."""
        self.media_at_s = float("-inf")
        """Last authenticated RTP or RTCP from the current address."""
        self._moved_at_s = float("-inf")

    def checked(self, address: A, *, nominated: bool, now_s: float) -> bool:
        """A connectivity check came; True when the peer's address has changed."""
        self.heard_at_s = now_s
        if address == self.address:
            return False
        silent = now_s - self.media_at_s > SILENT_S and now_s - self._moved_at_s > MOVE_SPACING_S
        if self.address is None or nominated or silent:
            return self._move(address, now_s)
        return False

    def media(self, address: A, now_s: float) -> bool:
        """A media packet came; True when the peer's address has changed."""
        self.heard_at_s = self.media_at_s = now_s
        return address is not self.address and address != self.address and self._move(address, now_s)

    def _move(self, address: A, now_s: float) -> bool:
        self.address = address
        self._moved_at_s = now_s
        return True
