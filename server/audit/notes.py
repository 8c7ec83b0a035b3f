"""Checkpoints as signed notes: what they say, and the key that signs them.

The forms are C2SP's, so that witnesses and logs of others can take them:
https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note

* `NoteError`: this is no checkpoint, or nobody we know has signed it
* `KeyFileError`: the signing key cannot be read or made
"""

import base64
import binascii
import contextlib
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_FILE: Final = "audit-signing.key"
KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 4
ED25519: Final = b"\x01"
PRIVATE: Final = 0o600
NOTE_CHARS_MAX: Final = 10_000
_DASH: Final = "\u2014 "
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


class NoteError(Exception):
    """A text is no checkpoint of this log, or is signed by none of the keys."""


class KeyFileError(Exception):
    """The signing key cannot be read or made."""


def origin_of(clinic: str) -> str:
    """The name of a clinic's log, and of the key that signs its checkpoints."""
    return f"meridian/{clinic}/audit"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Who has signed: the name is the log's origin. `str` of it is C2SP's verifier key."""

    name: str
    raw: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + ED25519 + self.raw).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.raw).decode()}"

    @classmethod
    def parse(cls, text: str) -> "PublicKey":
        """From what `str` gives.

        Raises:
            NoteError: it is none.
        """
        try:
            name, key_id, encoded = text.strip().split("+", 2)
            kind_and_raw = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise NoteError("no verifier key") from error
        key = cls(name, kind_and_raw[1:])
        if kind_and_raw[:1] != ED25519 or len(key.raw) != KEY_BYTES or key.id.hex() != key_id:
            raise NoteError("no verifier key of Ed25519")
        return key

    def has_signed(self, text: str, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log was: its name, how many entries it had, and the root of their tree."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class SigningKey:
    """The key of one log."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = PublicKey(name, private.public_key().public_bytes_raw())

    @classmethod
    def kept_in(cls, folder: Path, name: str) -> "SigningKey":
        """The key of the data directory, made at first use, readable by this account alone.

        Raises:
            KeyFileError: it cannot be read or made.
        """
        file = folder / KEY_FILE
        try:
            if not file.exists():
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _make(file)
            raw = file.read_bytes()
        except OSError as error:
            raise KeyFileError(f"{file} cannot be used ({error.strerror})") from error
        if len(raw) != KEY_BYTES:
            raise KeyFileError(f"{file} is no key of {KEY_BYTES} bytes")
        return cls(name, Ed25519PrivateKey.from_private_bytes(raw))

    def sign(self, checkpoint: Checkpoint) -> str:
        """The checkpoint as a signed note."""
        text = checkpoint.text()
        signed = self.public.id + self._private.sign(text.encode())
        return f"{text}\n{_DASH}{self.public.name} {base64.b64encode(signed).decode()}\n"


def _make(file: Path) -> None:
    """Of two processes that make it at once, both use the one that was first."""
    part = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(Ed25519PrivateKey.generate().private_bytes_raw())
            out.flush()
            os.fsync(out.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(part, file)
    finally:
        part.unlink()


def opened(note: str, keys: Iterable[PublicKey]) -> Checkpoint:
    """What a note says, if one of these keys has signed it.

    Raises:
        NoteError: it is no checkpoint, of another log, or signed by none of them.
    """
    text, signatures = _split(note)
    checkpoint = _read(text)
    known = {(key.name, key.id): key for key in keys if key.name == checkpoint.origin}
    for line in signatures.splitlines():
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        try:
            signed = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise NoteError("no signed note") from error
        key = known.get((name, signed[:KEY_ID_BYTES]))
        if key is not None:
            if key.has_signed(text, signed[KEY_ID_BYTES:]):
                return checkpoint
            raise NoteError("its signature is wrong")
    raise NoteError("signed by no key that is known here")


def parsed(note: str) -> Checkpoint:
    """What a note says, whoever has signed it. Raises `NoteError`."""
    return _read(_split(note)[0])


def _split(note: str) -> tuple[str, str]:
    if len(note) > NOTE_CHARS_MAX:
        raise NoteError("too long for a checkpoint")
    text, blank, signatures = note.partition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise NoteError("no signed note")
    return text + "\n", signatures


def _read(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise NoteError("no checkpoint")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except ValueError as error:
        raise NoteError("no checkpoint") from error
    if len(root) != KEY_BYTES:
        raise NoteError("no checkpoint")
    return Checkpoint(lines[0], int(lines[1]), root)
