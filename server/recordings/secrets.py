"""The shred secrets: one for each recording, needed beside the vault's key to open any of its parts.

Destroying one makes every copy of its recording unreadable, those in backups included, as long as no backup
has this folder in it.

* `SecretDestroyedError`: the secret of this recording is gone for good
"""

import contextlib
import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

from server.identity.random_values import new_id

SECRET_BYTES: Final = 32
FOLDER: Final = "recording-secrets"
_PLACE: Final = "place"
_OTHERS: Final = 0o007
_HEX: Final = re.compile(r"[0-9a-f]{32}")


class SecretDestroyedError(Exception):
    """The secret of a recording was destroyed; there will not be another."""


class Secrets:
    """The secrets in one folder, a file each, for this account alone: a group may read what it may list.

    A recording is named by its id in hex (32 characters). Functions raise ValueError for any other name, and
    OSError when the disk fails. They block for a moment: call them in a thread.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_or_create(self, recording: str) -> bytes:
        """The secret (32 bytes), on the disk before this returns. Raises `SecretDestroyedError`."""
        self._prepare()
        if self._gone(recording).exists():
            raise SecretDestroyedError
        known = self.get(recording)
        if known is not None:
            return known
        made = secrets.token_bytes(SECRET_BYTES)
        try:
            self._write(self._file(recording), made)
        except FileExistsError:
            other = self.get(recording)
            if other is None:
                raise
            return other
        return made

    def get(self, recording: str) -> bytes | None:
        """The secret, or None where there is none."""
        try:
            found = self._file(recording).read_bytes()
        except FileNotFoundError:
            return None
        if len(found) != SECRET_BYTES:
            raise OSError("a secret of a recording is damaged")
        return found

    def destroy(self, recording: str) -> bool:
        """Overwrite and remove it, on the disk before this returns; whether there was one.

        A mark without content stays, so that nothing makes a second secret for the same recording.
        Overwriting reaches the same blocks on most disks, not on all: flash memory may keep the old ones
        until it needs them. The folder is to be on an encrypted disk.
        """
        self._prepare()
        self._gone(recording).touch(mode=0o600)
        file = self._file(recording)
        try:
            descriptor = os.open(file, os.O_WRONLY)
        except FileNotFoundError:
            self._sync_folder()
            return False
        try:
            os.write(descriptor, secrets.token_bytes(SECRET_BYTES))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        file.unlink()
        self._sync_folder()
        return True

    def has(self, recording: str) -> bool:
        """Whether there is a file of this secret, be it whole or damaged."""
        return self._file(recording).exists()

    def is_destroyed(self, recording: str) -> bool:
        """Whether it was here once and was destroyed."""
        return self._gone(recording).exists() and not self.has(recording)

    def place(self) -> str:
        """An id of this folder: of several servers, the one that has a secret is the one that destroys it."""
        self._prepare()
        file = self._folder / _PLACE
        if not file.exists():
            with contextlib.suppress(FileExistsError):  # a server that starts beside this one was faster
                self._write(file, new_id().encode())
        return file.read_text(encoding="ascii")

    def _prepare(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(self._folder.stat().st_mode)
        if mode & _OTHERS:  # a group stays that somebody let in: the vault's, where it has an account
            self._folder.chmod(mode & ~_OTHERS)

    def _file(self, recording: str) -> Path:
        return self._folder / f"{_checked(recording)}.secret"

    def _gone(self, recording: str) -> Path:
        return self._folder / f"{_checked(recording)}.destroyed"

    def _write(self, file: Path, content: bytes) -> None:
        """All of it or nothing: a name only points to what is on the disk. Raises FileExistsError."""
        draft = self._folder / f".{new_id()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            try:
                if self._folder.stat().st_mode & stat.S_IRGRP:
                    os.fchmod(descriptor, 0o640)
                os.write(descriptor, content)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.link(draft, file)
        finally:
            draft.unlink()
        self._sync_folder()

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _checked(recording: str) -> str:
    if _HEX.fullmatch(recording) is None:
        raise ValueError("a recording is named by 32 hexadecimal digits")
    return recording
