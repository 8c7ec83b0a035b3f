"""The vault as the server needs it: whoever has the keys. `server.vault.client` is the real one.

* `VaultAwayError`: it does not answer
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Protocol

Streamed = tuple[int, Mapping[str, str], AsyncGenerator[bytes, None]]


class VaultAwayError(Exception):
    """The vault does not answer. What was asked can be asked again."""


class Vault(Protocol):
    """Recordings are named in hex. Everything raises `VaultAwayError`."""

    async def prepare(self, recording: str, parts: Sequence[Mapping[str, object]]) -> dict[str, Any]:
        """Make what is played, or say how far that is.

        Args:
            recording: 32 hexadecimal digits.
            parts: what the worker told of each part; files that have less were tampered with.

        Returns:
            {"state": "preparing", "done": 0..1}, {"state": "ready", "manifest": ...} or {"state": "failed",
            "code": ...}.
        """
        ...

    async def stream_view(self, recording: str, view: str, range_header: str | None) -> Streamed:
        """Status (200, 206, 404, 416), headers and bytes of a view, from where the Range says."""
        ...

    async def destroy(self, recording: str) -> None:
        """Drop everything that was made of a recording; doing it again changes nothing."""
        ...

    async def compose(self, recording: str, names: Sequence[str] = ()) -> dict[str, Any]:
        """Begin to make one file of all views. What is being made, or is there, is not made again."""
        ...

    async def composed(self, recording: str) -> dict[str, Any]:
        """{"state": "none" | "running" | "ready" | "failed", "done": 0..1, "code": ...}."""
        ...

    async def cancel_composing(self, recording: str) -> None:
        """Make it no more."""
        ...

    async def stream_composed(self, recording: str, range_header: str | None) -> Streamed:
        """As `stream_view`, of the one file."""
        ...


class NoVault:
    """Where there is none: nothing is shown, and nothing is destroyed to the end."""

    async def prepare(self, recording: str, parts: Sequence[Mapping[str, object]]) -> dict[str, Any]:
        raise VaultAwayError

    async def stream_view(self, recording: str, view: str, range_header: str | None) -> Streamed:
        raise VaultAwayError

    async def destroy(self, recording: str) -> None:
        raise VaultAwayError

    async def compose(self, recording: str, names: Sequence[str] = ()) -> dict[str, Any]:
        raise VaultAwayError

    async def composed(self, recording: str) -> dict[str, Any]:
        raise VaultAwayError

    async def cancel_composing(self, recording: str) -> None:
        raise VaultAwayError

    async def stream_composed(self, recording: str, range_header: str | None) -> Streamed:
        raise VaultAwayError
