"""What goes wrong in a request, as a stable code with a status.

* `HttpError`: the request is refused; `code` says why, for the client and for the sentence a person reads
"""

from typing import Final

STATUSES: Final = {
    "bad_request": 400,
    "sign_in_needed": 401,
    "wrong_sign_in": 401,
    "cross_site": 403,
    "not_permitted": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "unknown_invitation": 404,
    "too_slow": 408,
    "not_now": 409,
    "revoked": 410,
    "used": 410,
    "ended": 410,
    "cancelled": 410,
    "too_large": 413,
    "unsupported_type": 415,
    "wrong_host": 421,
    "too_many": 429,
    "internal": 500,
    "busy": 503,
}
RETRY_AFTER_S: Final = {"too_many": 60, "busy": 2}


class HttpError(Exception):
    """A refused request. `hint` is for the developer who reads the answer; it never names a person."""

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.status = STATUSES[code]
        self.hint = hint
