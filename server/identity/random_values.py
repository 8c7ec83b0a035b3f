"""Ids, secrets and their hashes: all randomness and all reading of the clock in the server starts here."""

import hashlib
import secrets
from datetime import UTC, datetime
from typing import Final

ID_BYTES: Final = 16
SECRET_BYTES: Final = 32
SECRET_CHARS: Final = 43


def new_id() -> str:
    """A new id: 128 random bits in base64url, beginning with a letter or digit."""
    while (value := secrets.token_urlsafe(ID_BYTES))[0] in "-_":
        continue
    return value


def new_secret() -> str:
    """A new secret: 256 random bits in base64url (43 characters)."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hashed(secret: str) -> str:
    """What is stored of a secret: its SHA-256 in hex. 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_password() -> str:
    """A password to hand to a person: 20 characters in groups, about 95 bits, without look-alikes."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SystemIds:
    """Ids from the operating system's randomness."""

    def new(self) -> str:
        return new_id()
