"""Data keys wrapped again: after a rotation, parts are opened with the new key without being rewritten.

A part's header cannot change, since its commitment is of exactly those bytes. So the new stanza lies beside
it. Nothing is trusted of it: a data key that is not the part's does not fit the commitment.
"""

import re
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from media.sealed import HPKE, X25519_STANZA, Header, Keys, PartId, Stanza, wrap, wrap_info
from media.unsealed import WrongKeyError, keys_of
from server.vault.keys import ListedKey
from server.vault.places import write_private

_STANZA: Final = struct.Struct(">H16sH")
_NAME: Final = re.compile(r"(\d{5,10})\.([0-9a-f]{32})\.wrap")


class Wraps(Protocol):
    """The stanzas beside the parts: `data_dir/vault/wraps` here, the table recording_wrap at the server."""

    def get(self, part: PartId) -> Sequence[Stanza]:
        """The stanzas of a part; none is usual."""

    def put(self, part: PartId, stanza: Stanza) -> None:
        """Keep one; one for the same part and key is replaced. Raises OSError."""


class NoKeyError(Exception):
    """None of the keys here is one that the part was sealed for, or wrapped to since."""


class NotItsKeyError(Exception):
    """The part names our key, but what it holds for it does not fit: its header was changed, or the shred
    secret is another's.
    """


def stanza_bytes(stanza: Stanza) -> bytes:
    """A stanza as SEALED.md has it in a header: what the table recording_wrap keeps."""
    return _STANZA.pack(stanza.kind, stanza.key_id, len(stanza.sealed)) + stanza.sealed


def read_stanza(data: bytes) -> Stanza:
    """The opposite of `stanza_bytes`.

    Raises:
        ValueError: this is none.
    """
    if len(data) < _STANZA.size:
        raise ValueError("too short for a stanza")
    kind, key_id, length = _STANZA.unpack_from(data)
    if len(data) != _STANZA.size + length:
        raise ValueError("a stanza of another length")
    return Stanza(kind=kind, key_id=key_id, sealed=data[_STANZA.size :])


def data_key(
    header: Header,
    beside: Sequence[Stanza],
    private: Mapping[bytes, X25519PrivateKey],
    shred: bytes,
) -> tuple[bytes, Keys]:
    """A part's data key, and the keys its records are sealed with; the commitment says that they are right.

    Raises:
        NoKeyError: no stanza is for any of the keys `private`.
        NotItsKeyError: there are some, but what they hold does not fit the header.
    """
    ours = [one for one in (*header.stanzas, *beside) if one.key_id in private and one.kind == X25519_STANZA]
    if not ours:
        raise NoKeyError
    info = wrap_info(header.part, header.salt)
    for stanza in ours:
        try:
            dek = HPKE.decrypt(stanza.sealed, private[stanza.key_id], info)
            return dek, keys_of(header, dek, shred)
        except (InvalidTag, ValueError, WrongKeyError):
            continue
    raise NotItsKeyError


def rewrapped(
    header: Header,
    beside: Sequence[Stanza],
    private: Mapping[bytes, X25519PrivateKey],
    shred: bytes,
    to: ListedKey,
) -> Stanza | None:
    """The part's data key wrapped to another key; None where it is wrapped to that already. Pure.

    Raises:
        NoKeyError: no stanza is for any of the keys `private`.
        NotItsKeyError: what they hold does not fit the header.
    """
    if any(one.key_id == to.key_id for one in (*header.stanzas, *beside)):
        return None
    dek, _ = data_key(header, beside, private, shred)
    return wrap(dek, to.key, to.key_id, header.part, header.salt)


class FolderWraps:
    """Stanzas as files: `<recording hex>/<part>.<key id hex>.wrap`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, part: PartId) -> Sequence[Stanza]:
        """The stanzas of a part. A file that holds none is passed over."""
        folder = self._folder / part.recording.hex()
        found: list[Stanza] = []
        if not folder.is_dir():
            return found
        for file in sorted(folder.iterdir()):
            name = _NAME.fullmatch(file.name)
            if name is None or int(name[1]) != part.part:
                continue
            try:
                found.append(read_stanza(file.read_bytes()))
            except (ValueError, OSError):
                continue
        return found

    def put(self, part: PartId, stanza: Stanza) -> None:
        """Keep one; it is on the disk when this returns."""
        folder = self._folder / part.recording.hex()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(folder / f"{part.part:05}.{stanza.key_id.hex()}.wrap", stanza_bytes(stanza))
