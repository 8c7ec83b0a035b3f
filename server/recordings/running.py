"""What recordings need while the server runs: keys, a vault, and what looks after them in the background."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from server.audit.anchors import FOLDER
from server.audit.checkpoints import Checkpoints, keep_checkpoints
from server.audit.notes import SigningKey, origin_of
from server.logs import logger
from server.recordings.ordering import Orders
from server.settings import Settings
from server.storage.database import Database
from server.vault.child import VaultChild
from server.vault.client import VaultClient
from server.vault.keys import KeysError, ensure_keys
from signaling.ports import Clock

START_S_MAX: Final = 8.0

log = logger("recordings")


async def orders(settings: Settings, database: Database, now: datetime) -> Orders | None:
    """What lets workers record; None where nothing is to be. Makes the first keys where the vault is ours."""
    recording, folder = settings.recording, settings.server.data_dir
    if not recording.enabled:
        return None
    if recording.vault == "child":
        try:
            await asyncio.to_thread(ensure_keys, folder, now)
        except (KeysError, OSError) as error:
            log.warning("recordings cannot be sealed", why=str(error))
    return Orders(database, folder)


async def vault(stack: AsyncExitStack, settings: Settings) -> VaultClient:
    """The vault: one of our own, which ends with the server, or one that somebody else runs.

    Ours starts with the first thing that is asked of it: most servers' days pass without anybody watching.
    """
    folder = settings.server.data_dir
    if not settings.recording.enabled or settings.recording.vault != "child":
        client = VaultClient(folder)
    else:
        child, starting = VaultChild(settings), asyncio.Lock()
        stack.push_async_callback(child.stop)

        async def awake() -> None:
            async with starting:
                if not child.is_kept:
                    await child.start()
                    plain = VaultClient(folder)
                    try:
                        await child.ready(plain, START_S_MAX)
                    finally:
                        await plain.close()

        client = VaultClient(folder, awake)
    stack.push_async_callback(client.close)
    return client


def checkpoints(settings: Settings, database: Database, clock: Clock) -> Coroutine[Any, Any, None]:
    """Sign the audit log now and then, for ever. Raises `KeyFileError`, OSError."""
    folder: Path = settings.server.data_dir
    key = SigningKey.kept_in(folder, origin_of(settings.clinic.id))
    return keep_checkpoints(Checkpoints(database, clock, key, folder / FOLDER))
