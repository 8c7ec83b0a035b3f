"""Where the vault keeps what: all below `data_dir/vault`, for its account alone."""

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SOCKET_PATH_BYTES_MAX: Final = 100
"""Linux allows 107, macOS 103."""


@dataclass(frozen=True, slots=True)
class Places:
    """The folders and files of one data directory."""

    data_dir: Path

    @property
    def vault(self) -> Path:
        """All that is the vault's own."""
        return self.data_dir / "vault"

    @property
    def keys(self) -> Path:
        """Private keys, `<key id hex>.key`, 32 bytes each."""
        return self.vault / "keys"

    @property
    def secret(self) -> Path:
        """The vault's own secret, 32 bytes: what views are sealed with, beside the shred secret."""
        return self.vault / "secret"

    @property
    def escrow(self) -> Path:
        """Where the escrow key waits to be taken away, when nobody said where to put it."""
        return self.vault / "escrow-keep-offline.key"

    @property
    def wraps(self) -> Path:
        """Data keys wrapped to newer keys."""
        return self.vault / "wraps"

    @property
    def views(self) -> Path:
        """Sealed views, a folder for each recording."""
        return self.vault / "views"

    @property
    def lock(self) -> Path:
        """Held by the one vault that runs."""
        return self.vault / "vault.lock"

    @property
    def public_keys(self) -> Path:
        """The list of public keys: the server reads it, the vault writes it."""
        return self.data_dir / "recording-keys.json"

    @property
    def recordings(self) -> Path:
        """The sealed parts, written by the media workers."""
        return self.data_dir / "recordings"

    def prepare(self) -> None:
        """Make the vault's folders, for this account alone. A group that may enter `vault` stays: it is
        how a server of another account reaches the socket. Raises OSError.
        """
        self.vault.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.keys, self.wraps, self.views):
            folder.mkdir(mode=0o700, exist_ok=True)
            folder.chmod(0o700)


def socket_path(data_dir: Path) -> Path:
    """Where the vault listens: in its folder, or beside it where the path is too long for a socket.

    Raises:
        PermissionError: the place beside it belongs to somebody else.
    """
    path = data_dir.resolve() / "vault" / "vault.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"meridian-vault-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()  # in a directory everybody can write, a link may lead anywhere
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder.name} must belong to this account alone")
    return folder / "vault.sock"


def write_private(file: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file whole or not at all; it is on the disk when this returns. Raises OSError."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        draft.chmod(mode)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
