"""Whatever routings, orders and people come: what is kept was agreed to by everybody who was routed."""

import tempfile
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from media.interface import RecordingOrder, SourceName
from tests.recording.studio import SOURCE_PLACES, Studio, kept, order

NAMES = ("p", "d", "i", "x")
EXAMPLES = 300


@dataclass(frozen=True)
class Route:
    """Another routing; `agreed` None: without an order."""

    links: AbstractSet[tuple[str, str]]
    agreed: AbstractSet[str] | None
    what: str


@dataclass(frozen=True)
class Revoke:
    """A stop that says when it was decided: never longer ago than packets are held back."""

    links: AbstractSet[tuple[str, str]]
    late_ms: int


@dataclass(frozen=True)
class Talk:
    """A packet each of some who are there, so long after each other."""

    names: AbstractSet[str]
    source: SourceName
    key: bool
    after_ms: int


@dataclass(frozen=True)
class ComeOrGo:
    """A connection comes or goes, with no routing for it."""

    name: str


@dataclass(frozen=True)
class Alone:
    """There is no server any more."""


Action = Route | Revoke | Talk | ComeOrGo | Alone

names = st.sampled_from(NAMES)
LINKS = frozenset(permutations(NAMES, 2))
links = st.sets(st.sampled_from(sorted(LINKS)), min_size=1, max_size=4) | st.just(LINKS)
talk = st.builds(
    Talk,
    names=st.sets(names, min_size=1),
    source=st.sampled_from(tuple(SOURCE_PLACES)),
    key=st.booleans(),
    after_ms=st.integers(20, 150),
)
route = st.builds(
    Route,
    links=links,
    agreed=st.sampled_from((frozenset(NAMES), frozenset(NAMES[:3]), frozenset(NAMES[:2]), None)),
    what=st.sampled_from(("video", "video", "audio")),
)
revoke = st.builds(Revoke, links=links, late_ms=st.integers(0, 200))
KINDS: tuple[tuple[int, st.SearchStrategy[Action]], ...] = (
    (12, talk),
    (4, route),
    (1, revoke),
    (1, st.builds(ComeOrGo, names)),
    (1, st.just(Alone())),
)
action = st.sampled_from([kind for times, kind in KINDS for _ in range(times)]).flatmap(lambda kind: kind)


class Model:
    """The room, and what by the rules may be in a file of it."""

    def __init__(self, folder: Path) -> None:
        self.studio = Studio(folder, *NAMES)
        self.may: set[bytes] = set()
        self.must_not: set[bytes] = set()
        self.unsure: set[bytes] = set()
        """In the very millisecond of a cut: either may be."""
        self.came: dict[bytes, float] = {}
        self.order: RecordingOrder | None = None
        self.links: AbstractSet[tuple[str, str]] = frozenset()

    def do(self, what: Action) -> None:
        """Let it happen, and look at every file."""
        match what:
            case Route():
                self.route(what)
            case Revoke():
                self.revoke(what)
            case Talk():
                self.talk(what)
            case ComeOrGo(name) if name in self.studio.room.peers:
                self.studio.leave(name)
            case ComeOrGo(name):
                self.studio.join(name)
            case Alone():
                self.studio.recorder.stop("server-lost")
                self.order = None
        assert not self.seen() & self.must_not
        assert self.seen() <= self.may

    def seen(self) -> set[bytes]:
        """What the files have."""
        return {each.data[-6:] for _, each in kept(self.studio.parts())}

    def route(self, what: Route) -> None:
        tracks = order(*NAMES).tracks  # of everybody: the worker has to leave out who has not agreed
        agreed = what.agreed
        self.order = None if agreed is None else order(*agreed, tracks=tracks, what=what.what)
        self.links = what.links
        self.studio.link(*sorted(what.links), recording=self.order)

    def revoke(self, what: Revoke) -> None:
        cut_ms = int(self.studio.clock.wall_s * 1_000) - what.late_ms
        for body, at_s in self.came.items():
            if at_s * 1_000 > cut_ms + 1:
                self.may.discard(body)
                self.must_not.add(body)
            elif at_s * 1_000 > cut_ms - 1:
                self.unsure.add(body)
        self.order, self.links = None, what.links
        self.studio.link(*sorted(what.links), recording_stop="revoked", recording_cut_ms=cut_ms)

    def talk(self, what: Talk) -> None:
        for name in sorted(what.names & self.studio.room.peers.keys()):
            self.studio.pass_s(what.after_ms / 1_000)
            body = b"%06d" % len(self.came)
            self.came[body] = self.studio.clock.wall_s
            (self.may if self.is_allowed(name, what.source) else self.must_not).add(body)
            self.studio.say(name, body, source=what.source, key=what.key)

    def is_allowed(self, name: str, source: SourceName) -> bool:
        """The rule: an order, all whom the routing names have agreed, and somebody is to hear this one."""
        told = self.order
        return (
            told is not None
            and {one for link in self.links for one in link} <= set(told.agreed)
            and name in {publisher for publisher, _ in self.links}
            and (source == "audio" or told.what == "video")
        )


@given(st.lists(action, min_size=8, max_size=30))
@settings(max_examples=EXAMPLES, deadline=None)
def test_what_is_kept_was_agreed_to_by_all_who_were_routed_and_came_before_any_cut(
    actions: list[Action],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model = Model(Path(folder))
        model.do(Route(LINKS, frozenset(NAMES), "video"))
        for one in actions:
            model.do(one)
        model.studio.pass_s(1)
        event(f"{min(3, len(model.seen()))} kept, {min(3, len(model.must_not))} forbidden")
        assert model.may - model.unsure <= model.seen() <= model.may
