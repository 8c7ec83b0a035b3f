"""Every error this component raises.

* `SignalingError`: caused by a client; has a stable `code`.
    * `ProtocolError`: the client is broken. Say so, then close the connection.
    * `Refused`: the person may not do this, or not now. Say so, carry on.
* `VersionConflict`: another writer was faster. Load again and retry, a bounded number of times.
* `Engaged`: an interpreter who accepts is taken up by another consult. Becomes `Refused` at the service.
* `Unstored`: the store is away or full, and nothing was changed. The person is told so.
* `MediaUnavailable`: the media plane cannot take this peer. Becomes `Refused` at the service.

Anything else that escapes a handler is our bug: it is logged loudly under a support id, and the client
is told the code `internal`. Texts name settings and counts, never a person.
"""

from enum import StrEnum


class Code(StrEnum):
    """Stable reasons for a refusal; the browser shows a sentence of its own for each."""

    ALREADY_ASKED = "already_asked"
    ALREADY_HERE = "already_here"
    ALREADY_SHARING = "already_sharing"
    BAD_OFFER = "bad_offer"
    BAD_PEOPLE = "bad_people"
    BAD_TIMES = "bad_times"
    BUSY = "busy"
    CANCELLED = "cancelled"
    CONSENT_MISSING = "consent_missing"
    CONSULT_FULL = "consult_full"
    DECLINED = "declined"
    ELSEWHERE = "elsewhere"
    ENDED = "ended"
    IDENTITY_UNCONFIRMED = "identity_unconfirmed"
    INTERNAL = "internal"
    MEDIA_UNAVAILABLE = "media_unavailable"
    NO_SHOW = "no_show"
    NOT_FOUND = "not_found"
    NOT_NOW = "not_now"
    NOT_STORED = "not_stored"
    NOT_PERMITTED = "not_permitted"
    PHYSICIAN_ABSENT = "physician_absent"
    REMOVED = "removed"
    REVOKED = "revoked"
    SEPARATED = "separated"
    TAKEN = "taken"
    TEXT_NOT_REVIEWED = "text_not_reviewed"
    TOO_EARLY = "too_early"
    TOO_MANY = "too_many"


class SignalingError(Exception):
    """A client caused this; `code` is stable and may be sent to it."""

    code: str


class Refused(SignalingError):  # noqa: N818 (the domain's word)
    """The person may not do this, or not now. `hint` is for the log and the developer, never shown."""

    def __init__(self, code: Code, hint: str = "") -> None:
        super().__init__(f"{code}: {hint}" if hint else str(code))
        self.code: Code = code
        self.hint = hint


class ProtocolError(SignalingError):
    """The client sent something no correct client sends; its connection is closed."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class VersionConflict(Exception):  # noqa: N818 (the domain's word)
    """Another writer appended first; nothing of this append was stored."""


class Engaged(Exception):  # noqa: N818 (the domain's word)
    """The interpreter is taken up by another consult; nothing of this append was stored."""


class Unstored(Exception):  # noqa: N818 (the domain's word)
    """The store cannot be reached or written, for longer than it is worth waiting; nothing was changed."""


class MediaUnavailable(Exception):  # noqa: N818 (the domain's word)
    """The media plane cannot take this peer; `code` says whether the offer is at fault."""

    def __init__(self, code: Code, hint: str = "") -> None:
        super().__init__(f"{code}: {hint}" if hint else str(code))
        self.code = code
        self.hint = hint
