"""The vault as others need it; `server.vault.client.VaultClient` is the real one.

Everything raises `VaultUnavailableError` where it does not answer.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NoReturn, Protocol

from server.vault.client import VaultState, VaultUnavailableError


class Answer(Protocol):
    """A file of the vault, or a range of it, while its context lasts."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def pieces(self) -> AsyncIterator[bytes]: ...


class Vault(Protocol):
    """Recordings are named in hex; see `VaultClient` for what is asked and answered."""

    async def prepare(self, recording: str, parts: Sequence[Mapping[str, object]]) -> VaultState: ...

    def view(
        self, recording: str, view: str, range_header: str | None
    ) -> AbstractAsyncContextManager[Answer]: ...

    async def destroy(self, recording: str) -> None: ...

    async def compose(self, recording: str, names: Mapping[str, str]) -> VaultState: ...

    async def composing(self, recording: str) -> VaultState: ...

    async def cancel_composing(self, recording: str) -> None: ...


class NoVault:
    """Where there is none: nothing is shown, and nothing is destroyed to the end."""

    async def prepare(self, recording: str, parts: Sequence[Mapping[str, object]]) -> NoReturn:
        raise VaultUnavailableError

    def view(self, recording: str, view: str, range_header: str | None) -> NoReturn:
        raise VaultUnavailableError

    async def destroy(self, recording: str) -> NoReturn:
        raise VaultUnavailableError

    async def compose(self, recording: str, names: Mapping[str, str]) -> NoReturn:
        raise VaultUnavailableError

    async def composing(self, recording: str) -> NoReturn:
        raise VaultUnavailableError

    async def cancel_composing(self, recording: str) -> NoReturn:
        raise VaultUnavailableError
