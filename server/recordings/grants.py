"""Short-lived leave to fetch the media of a recording, after its opening is in the audit log.

In memory: when the server is started again, pages open their recording again, which is written down again.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, Literal

from server.identity.random_values import hashed, new_secret
from signaling.consult.ids import RecordingId

LIFETIME_S: Final = 900.0
HELD_MAX: Final = 2000

Kind = Literal["play", "export"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What was written down before: who, in which browser, opens what, for what.

    `sign_in`: the hash of the browser's cookie.
    """

    recording: RecordingId
    sign_in: str
    kind: Kind
    purpose: str
    break_glass: bool = False


@dataclass(slots=True)
class _Held:
    opening: Opening
    until_s: float
    fetched: set[str] = field(default_factory=set)


class Grants:
    """The openings that are good now. Each lasts `LIFETIME_S` from its last use."""

    def __init__(self, now_s: Callable[[], float] = monotonic) -> None:
        self._now_s = now_s
        self._held: OrderedDict[str, _Held] = OrderedDict()
        # Written down, and being prepared: asking again meanwhile is the same opening.
        self._waiting: OrderedDict[Opening, float] = OrderedDict()

    def wait(self, opening: Opening) -> None:
        """Remember that an opening is in the audit log already."""
        self._forget_late()
        self._waiting[opening] = self._now_s() + LIFETIME_S
        self._waiting.move_to_end(opening)
        while len(self._waiting) > HELD_MAX:
            self._waiting.popitem(last=False)

    def is_waiting(self, opening: Opening) -> bool:
        """Whether this opening is in the audit log, and its media was not shown yet."""
        return self._now_s() < self._waiting.get(opening, 0.0)

    def done(self, opening: Opening) -> None:
        """What was waited for is there, or will not be: the next time is another opening."""
        self._waiting.pop(opening, None)

    def give(self, opening: Opening) -> str:
        """A grant for an opening that is in the audit log. Over `HELD_MAX`, the one least used is taken."""
        self._forget_late()
        self.done(opening)
        while len(self._held) >= HELD_MAX:
            self._held.popitem(last=False)
        secret = new_secret()
        self._held[hashed(secret)] = _Held(opening, self._now_s() + LIFETIME_S)
        return secret

    def find(self, secret: str, *, recording: RecordingId, sign_in: str) -> Opening | None:
        """The opening of a grant that is good for this recording in this browser. Counts as use."""
        held = self._held.get(hashed(secret))
        if held is None or self._now_s() >= held.until_s:
            return None
        if held.opening.recording != recording or held.opening.sign_in != sign_in:
            return None
        held.until_s = self._now_s() + LIFETIME_S
        self._held.move_to_end(hashed(secret))
        return held.opening

    def is_first(self, secret: str, view: str) -> bool:
        """Whether a view was not fetched yet with a grant."""
        held = self._held.get(hashed(secret))
        return held is not None and view not in held.fetched

    def fetched(self, secret: str, view: str) -> None:
        """Remember that a view was fetched, and that this is in the audit log."""
        held = self._held.get(hashed(secret))
        if held is not None:
            held.fetched.add(view)

    def drop(self, recording: RecordingId) -> None:
        """Take back all of a recording."""
        for secret in [s for s, held in self._held.items() if held.opening.recording == recording]:
            del self._held[secret]
        for opening in [one for one in self._waiting if one.recording == recording]:
            del self._waiting[opening]

    def _forget_late(self) -> None:
        now_s = self._now_s()
        for secret in [s for s, held in self._held.items() if held.until_s <= now_s]:
            del self._held[secret]
        for opening in [one for one, until_s in self._waiting.items() if until_s <= now_s]:
            del self._waiting[opening]
