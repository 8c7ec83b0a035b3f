"""SRTP on shared buffers: pylibsrtp's own methods copy each packet three times.

Its private names are only here.
"""

from __future__ import annotations

from typing import Any

from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib  # private: tests/media/test_private_names.py watches them

DATAGRAM_BYTES_MAX = 1_600
"""Longer than any packet a browser sends; the tag must still fit behind it."""
_TRAILER_BYTES_MAX = 160

_buffer = bytearray(DATAGRAM_BYTES_MAX + _TRAILER_BYTES_MAX)
_view = memoryview(_buffer)
_native: Any = ffi.from_buffer(_buffer)
_length: Any = ffi.new("int *")
_protect_rtp: Any = lib.srtp_protect
_protect_rtcp: Any = lib.srtp_protect_rtcp
_unprotect_rtp: Any = lib.srtp_unprotect
_unprotect_rtcp: Any = lib.srtp_unprotect_rtcp


class Receiver:
    """Decrypts and authenticates what one peer sends; replayed packets fail."""

    def __init__(self, session: Session) -> None:
        self._session = session  # owns the native object
        self._handle: Any = session._srtp[0]  # noqa: SLF001

    def rtp(self, data: bytes) -> bytes | None:
        """The packet, or None when it is not authentic, replayed or too long."""
        return self._run(_unprotect_rtp, data)

    def rtcp(self, data: bytes) -> bytes | None:
        """The compound packet, or None as for `rtp`."""
        return self._run(_unprotect_rtcp, data)

    def _run(self, function: Any, data: bytes) -> bytes | None:
        size = len(data)
        if size > DATAGRAM_BYTES_MAX:
            return None
        _buffer[:size] = data
        _length[0] = size
        if function(self._handle, _native, _length):
            return None
        return bytes(_view[: _length[0]])


class Sender:
    """Encrypts what we send to one peer.

    The result is valid until the next call of any sender or receiver.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._handle: Any = session._srtp[0]  # noqa: SLF001

    def rtp(self, head: bytes | bytearray, payload: bytes) -> memoryview | None:
        """The protected packet `head + payload`; None when it is too long."""
        middle = len(head)
        size = middle + len(payload)
        if size > DATAGRAM_BYTES_MAX:
            return None
        _buffer[:middle] = head
        _buffer[middle:size] = payload
        _length[0] = size
        if _protect_rtp(self._handle, _native, _length):
            return None
        return _view[: _length[0]]

    def rtcp(self, packet: bytes) -> memoryview | None:
        """The protected compound packet; None when it is too long."""
        size = len(packet)
        if size > DATAGRAM_BYTES_MAX:
            return None
        _buffer[:size] = packet
        _length[0] = size
        if _protect_rtcp(self._handle, _native, _length):
            return None
        return _view[: _length[0]]
