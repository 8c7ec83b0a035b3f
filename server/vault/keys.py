"""The keys recordings are sealed for: the clinic's, which the vault uses, and one in escrow, kept elsewhere.

Private keys are files only the vault's account can read. The public list is what the server seals with.

* `KeysError`: they cannot be made, found or erased; says why and what to do
"""

import fcntl
import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from server.vault.places import Places, write_private

SECRET_BYTES: Final = 32
KEY_ID_BYTES: Final = 16
Role = Literal["clinic", "escrow"]


class KeysError(Exception):
    """The keys are not as they must be. `hint` is the next step."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKey:
    """A public key as the list has it. `key_id` is 16 bytes, `public` 32; times are ISO 8601."""

    key_id: bytes
    public: bytes
    role: Role
    since: str
    retired: str | None = None

    @property
    def key(self) -> X25519PublicKey:
        """What a data key is wrapped to."""
        return X25519PublicKey.from_public_bytes(self.public)


def key_id_of(public: bytes) -> bytes:
    """The id of a public key (32 bytes): the beginning of its SHA-256, so a private key alone has it too."""
    return hashlib.sha256(b"tcr1/key" + public).digest()[:KEY_ID_BYTES]


def listed(data_dir: Path) -> list[ListedKey]:
    """The public list, oldest first; empty where there is none.

    Raises:
        KeysError: the list cannot be read.
    """
    try:
        text = Places(data_dir).public_keys.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise KeysError("recording-keys.json cannot be read", hint="look at its owner and mode") from error
    try:
        return [_parsed(one) for one in json.loads(text)]
    except (ValueError, KeyError, TypeError) as error:
        hint = "restore it from a backup, or take the public keys from `vault keys list` elsewhere"
        raise KeysError("recording-keys.json is damaged", hint=hint) from error


def recipients(data_dir: Path) -> list[ListedKey]:
    """The keys a new part is sealed for: those that are not retired. Raises `KeysError`."""
    return [one for one in listed(data_dir) if one.retired is None]


def private_keys(data_dir: Path) -> dict[bytes, X25519PrivateKey]:
    """All private keys this vault has, by key id, retired ones too.

    Raises:
        KeysError: one cannot be read.
    """
    found: dict[bytes, X25519PrivateKey] = {}
    for file in sorted(Places(data_dir).keys.glob("*.key")):
        key_id, key = read_private(file)
        found[key_id] = key
    return found


def read_private(file: Path) -> tuple[bytes, X25519PrivateKey]:
    """A private key (32 bytes in a file), and its id. Raises `KeysError`."""
    try:
        key = X25519PrivateKey.from_private_bytes(file.read_bytes())
    except OSError as error:
        raise KeysError(
            f"the key {file.name} cannot be read ({error.strerror})", hint="run as the vault's account"
        ) from error
    except ValueError as error:
        raise KeysError(f"{file.name} holds no key", hint="a key is 32 bytes; restore it") from error
    return key_id_of(key.public_key().public_bytes_raw()), key


def vault_secret(data_dir: Path) -> bytes:
    """The vault's own secret (32 bytes). Raises `KeysError`."""
    try:
        found = Places(data_dir).secret.read_bytes()
    except OSError as error:
        raise KeysError("the vault has no secret yet", hint="python -m server vault keys init") from error
    if len(found) != SECRET_BYTES:
        raise KeysError("the vault's secret is damaged", hint="remove vault/secret and vault/views")
    return found


def ensure_keys(data_dir: Path, now: datetime) -> bool:
    """Make what a first start needs: a clinic key, an escrow key, the vault's secret. What is there stays.

    The escrow key is left in the vault's folder; `Places.escrow` says where. It is to be taken away.
    Answers whether keys were made. Two that start at once make one set.

    Raises:
        KeysError: the list is damaged.
        OSError: the disk refuses.
    """
    with _held(data_dir) as places:
        _ensure_secret(places)
        if listed(data_dir):
            return False
        _init(places, places.escrow, now)
        return True


def init(data_dir: Path, escrow: Path, now: datetime) -> list[ListedKey]:
    """Make the first keys; the private escrow key is written to the file `escrow`, which must not exist.

    Raises:
        KeysError: there are keys already, or such a file.
        OSError: the disk refuses.
    """
    with _held(data_dir) as places:
        if listed(data_dir):
            raise KeysError("there are keys already", hint="vault keys rotate makes a new clinic key")
        _ensure_secret(places)
        return _init(places, escrow, now)


def add_clinic_key(data_dir: Path, now: datetime) -> ListedKey:
    """Make a new clinic key; the ones before are retired: new parts are sealed for the new one alone.

    Their private keys stay, since parts are wrapped to them, until `erase`.

    Raises:
        KeysError: there are none yet, or the list is damaged.
        OSError: the disk refuses.
    """
    with _held(data_dir) as places:
        before = listed(data_dir)
        if not before:
            raise KeysError("there are no keys yet", hint="python -m server vault keys init")
        made = _made(places, now)
        retired = now.isoformat()
        kept = [
            replace(one, retired=retired) if one.role == "clinic" and one.retired is None else one
            for one in before
        ]
        _write_list(places, [*kept, made])
        return made


def erase(data_dir: Path, key_id: bytes) -> None:
    """Erase the private key of a retired clinic key. The caller has seen that nothing needs it any more.

    Raises:
        KeysError: there is no such key, or it is in use.
        OSError: the disk refuses.
    """
    with _held(data_dir) as places:
        known = next((one for one in listed(data_dir) if one.key_id == key_id), None)
        if known is None:
            raise KeysError("there is no such key", hint="python -m server vault keys list")
        if known.retired is None:
            raise KeysError("the key is in use", hint="python -m server vault keys rotate")
        file = places.keys / f"{key_id.hex()}.key"
        if file.exists():
            file.write_bytes(secrets.token_bytes(SECRET_BYTES))
            file.unlink()


@contextmanager
def _held(data_dir: Path) -> Iterator[Places]:
    """Change keys alone."""
    places = Places(data_dir)
    places.prepare()
    with (places.keys / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield places


def _ensure_secret(places: Places) -> None:
    if not places.secret.exists():
        write_private(places.secret, secrets.token_bytes(SECRET_BYTES))


def _init(places: Places, escrow: Path, now: datetime) -> list[ListedKey]:
    if escrow.exists():
        raise KeysError("the file for the escrow key exists", hint="name another, or take that key away")
    away = X25519PrivateKey.generate()
    write_private(escrow, away.private_bytes_raw())
    made = [_made(places, now), _entry(away.public_key(), "escrow", now)]
    _write_list(places, made)
    return made


def _made(places: Places, now: datetime) -> ListedKey:
    key = X25519PrivateKey.generate()
    entry = _entry(key.public_key(), "clinic", now)
    write_private(places.keys / f"{entry.key_id.hex()}.key", key.private_bytes_raw())
    return entry


def _entry(public: X25519PublicKey, role: Role, now: datetime) -> ListedKey:
    raw = public.public_bytes_raw()
    return ListedKey(key_id=key_id_of(raw), public=raw, role=role, since=now.isoformat())


def _write_list(places: Places, keys: list[ListedKey]) -> None:
    entries = [
        {
            "key_id": one.key_id.hex(),
            "public": one.public.hex(),
            "role": one.role,
            "since": one.since,
            "retired": one.retired,
        }
        for one in keys
    ]
    write_private(places.public_keys, json.dumps(entries, indent=1).encode() + b"\n", mode=0o644)


def _parsed(entry: Mapping[str, str | None]) -> ListedKey:
    key_id, public = bytes.fromhex(str(entry["key_id"])), bytes.fromhex(str(entry["public"]))
    role: Role = "escrow" if entry["role"] == "escrow" else "clinic"
    if len(key_id) != KEY_ID_BYTES or len(public) != 32 or entry["role"] not in ("clinic", "escrow"):
        raise ValueError("no key")
    return ListedKey(
        key_id=key_id, public=public, role=role, since=str(entry["since"]), retired=entry["retired"]
    )
