"""A duty day in virtual time: a hundred requests, twelve interpreters who refuse, overlook and drop."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import quantiles

from signaling.consult import commands
from signaling.consult.eligibility import Interpreter
from signaling.consult.ids import ParticipantId, UserId
from signaling.consult.interpreting import RequestState, Wanted
from signaling.consult.values import SeatState
from tests.e2e.kit.needs import out
from tests.interpreting.consults import DEVICE, Search, booked, interpreter
from tests.signaling.scripts import CHEN, NINE

REQUESTS, INTERPRETERS, DAY_S = 100, 12, 8 * 3600
LANGUAGES = ("ar", "es", "zh")
REFUSES, OVERLOOKS, DROPS = 0.15, 0.15, 0.1
P50_S_MAX, P90_S_MAX = 20, 60


@dataclass
class Call:
    """One request of the day, and what the dice say about it."""

    starts_s: int
    lasts_s: int
    language: str
    drops: bool
    search: Search = field(default_factory=Search)
    connected_s: int | None = None
    answers: dict[UserId, int | None] = field(default_factory=dict)
    comes_at: int | None = None

    @property
    def participant(self) -> ParticipantId | None:
        session = self.search.consult.session
        return session.interpreter if session is not None else None


class Day:
    """The desks and the calls, second by second."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.register = [
            interpreter(
                UserId(f"u-{n}"),
                employer="staff" if n < 8 else "agency",
                pairs=frozenset(
                    pair
                    for language in (LANGUAGES[n % 3], LANGUAGES[(n + n // 3 + 1) % 3])
                    for pair in ((language, "en"), ("en", language))
                ),
            )
            for n in range(INTERPRETERS)
        ]
        self.calls = [
            Call(
                starts_s=self.dice.randrange(DAY_S),
                lasts_s=self.dice.randrange(240, 1200),
                language=LANGUAGES[n % 3],
                drops=self.dice.random() < DROPS,
            )
            for n in range(REQUESTS)
        ]

    def busy(self) -> set[UserId]:
        """Whoever is in a call or on their way to one: the store's own bookkeeping, in one set."""
        users = set()
        for call in self.calls:
            request = call.search.consult.request
            if request is not None and not call.search.consult.over and request.by_user is not None:
                users.add(request.by_user)
        return users

    def able(self) -> list[Interpreter]:
        busy = self.busy()
        return [replace(one, busy=one.user in busy) for one in self.register]

    def run(self) -> None:
        for second in range(DAY_S + 3600):
            for call in self.calls:
                if call.starts_s <= second and not call.search.consult.over:
                    self.step(call, second)

    def step(self, call: Call, second: int) -> None:
        if call.starts_s == second:
            self.begin(call, NINE + timedelta(seconds=second))
        search = call.search
        search.now = NINE + timedelta(seconds=second)
        if second >= call.starts_s + call.lasts_s and search.request.state is RequestState.CONNECTED:
            search.seat(CHEN, commands.End(reason="completed"))
            return
        halfway = second == call.starts_s + call.lasts_s // 2
        who = call.participant if halfway and call.drops else None
        if who is not None and search.seat_of(who) is SeatState.PRESENT:
            search.lose(who)
        if search.request.is_open:
            search.register = self.able()
            search.wait(0)
            self.answer(call, second)

    def begin(self, call: Call, now: datetime) -> None:
        call.search = Search(consult=booked(f"c{call.starts_s}"), now=now, register=self.able())
        call.search.both_in()
        call.search.ask(Wanted(patient_language=call.language, clinician_language="en"))

    def answer(self, call: Call, second: int) -> None:
        """Each rung desk answers once, after a while; whoever accepted comes a few seconds later."""
        search = call.search
        if call.comes_at is not None and second >= call.comes_at:
            participant = search.request.participant
            call.comes_at = None
            if participant is not None:
                search.seat(participant, commands.Arrive(device=DEVICE))
                if call.connected_s is None:
                    call.connected_s = second - call.starts_s
            return
        for user in sorted(search.ringing()):
            if user not in call.answers:
                late = self.dice.random() < OVERLOOKS
                call.answers[user] = None if late else second + self.dice.randrange(3, 10)
            at = call.answers[user]
            if at is None or second < at or user in self.busy() - {search.request.by_user}:
                continue
            if self.dice.random() < REFUSES:
                search.decline(user)
            else:
                search.accept(user)
                call.comes_at = second + self.dice.randrange(3, 7)
                return


def connect_times(day: Day) -> Iterator[int]:
    return (call.connected_s for call in day.calls if call.connected_s is not None)


def test_a_duty_day_connects_half_within_twenty_seconds_and_leaves_nothing_ringing() -> None:
    day = Day(seed=11)
    day.run()
    times = sorted(connect_times(day))
    cuts = quantiles(times, n=10)
    report = (
        f"{len(times)} of {REQUESTS} connected; p50 {cuts[4]:.0f} s, p90 {cuts[8]:.0f} s, max {times[-1]} s"
    )
    out("duty-day.txt").write_text(report + "\n")
    assert len(times) >= 0.97 * REQUESTS, report
    assert cuts[4] <= P50_S_MAX, report
    assert cuts[8] <= P90_S_MAX, report
    for call in day.calls:
        assert call.search.consult.over or not call.search.request.is_open
