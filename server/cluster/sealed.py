"""Messages between servers that nobody else can read, make, keep back for later or send twice.

Fernet (AES-128-CBC and HMAC-SHA256, with the time of sealing), its key derived from `cluster.secret`.
https://github.com/fernet/spec/blob/master/Spec.md
"""

import base64
from collections import OrderedDict
from collections.abc import Callable
from time import time
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# A message waits this long at most, in a Redis that stood still for instance; clocks may differ by as much.
FRESH_S: Final = 30
SEEN_MAX: Final = 100_000


class Sealer:
    """Seals and opens with the secret all servers have."""

    def __init__(self, secret: str, *, now_s: Callable[[], float] = time) -> None:
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"meridian between servers")
        self._fernet = Fernet(base64.urlsafe_b64encode(key.derive(secret.encode())))
        self._now_s = now_s
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def seal(self, message: bytes) -> bytes:
        return self._fernet.encrypt_at_time(message, int(self._now_s()))

    def open(self, sealed: bytes) -> bytes | None:
        """What was sealed, once; None for anything that is not ours, is old, or was opened before."""
        now_s = self._now_s()
        try:
            message = self._fernet.decrypt_at_time(sealed, FRESH_S, int(now_s))
        except InvalidToken:
            return None
        mark = sealed[-44:]  # of its HMAC, which differs for each
        while self._seen and (next(iter(self._seen.values())) < now_s or len(self._seen) >= SEEN_MAX):
            self._seen.popitem(last=False)
        if mark in self._seen:
            return None
        self._seen[mark] = now_s + 3 * FRESH_S
        return message
