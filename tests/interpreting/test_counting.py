"""The counts are what the events say: nothing is kept beside them that could say something else."""

import csv
import io
from datetime import timedelta

import pytest

from server.http.interpreters import as_csv
from signaling.consult import commands
from signaling.consult import interpreting_commands as asks
from signaling.consult.counting import Counted, by_language, count, percentile, usual_s
from signaling.consult.events import Event
from signaling.consult.ids import ConsultId
from signaling.consult.interpreting import EXPECTED_S, TIER_S
from signaling.consult.rules import decide
from signaling.consult.values import TheClock
from tests.interpreting.consults import (
    BOOKED_AT,
    DEVICE,
    HUDA,
    LINA,
    SAMI,
    Search,
    booking,
    interpreter,
)
from tests.signaling.scripts import CHEN, DESK


class Told(Search):
    """A search whose whole history is kept, from the first event on."""

    def history(self) -> list[Event]:
        first = decide(None, booking(), by=DESK, now=BOOKED_AT)
        return [*first, *(event for happened in self.happened for event in happened)]


@pytest.fixture
def told() -> Told:
    made = Told(
        register=[interpreter(SAMI, known=True), interpreter(LINA), interpreter(HUDA, employer="agency")]
    )
    made.both_in()
    return made


def wait(told: Told, seconds: float) -> None:
    told.now += timedelta(seconds=seconds)


def test_a_search_is_counted_with_its_rings_refusals_and_times(told: Told) -> None:
    told.ask()
    told.decline(SAMI)
    told.wait(4)
    told.accept(LINA)
    wait(told, 5)
    told.seat(told.request.participant, commands.Arrive(device=DEVICE))  # type: ignore[arg-type]
    (search,) = count(told.history()).searches
    assert (search.rings, search.declined, search.rounds) == (2, 1, 1)
    assert search.connect_s == 9
    assert not search.abandoned


def test_minutes_are_those_in_which_both_sides_heard_the_interpreter(told: Told) -> None:
    told.ask()
    participant = told.come(SAMI)
    wait(told, 60)  # the briefing is not interpreting
    told.seat(CHEN, asks.EndBriefing(reason="done"))
    wait(told, 300)
    # Marked lost ten seconds after the last packet; back after a minute.
    wait(told, 10)
    told.lose(participant)
    wait(told, 15)
    told.seat(participant, commands.Arrive(device=DEVICE))
    wait(told, 120)
    told.seat(CHEN, commands.End(reason="completed"))
    turns = count(told.history()).turns
    assert [round(turn.minutes * 60) for turn in turns] == [300, 120]
    assert {turn.participant for turn in turns} == {participant}


def test_two_interpreters_have_their_own_minutes(told: Told) -> None:
    told.ask()
    first = told.come(SAMI)
    told.seat(CHEN, asks.EndBriefing(reason="done"))
    wait(told, 60)
    told.ask()
    second = told.come(LINA)
    wait(told, 30)
    told.seat(second, asks.TakeOver())
    wait(told, 45)
    told.seat(CHEN, commands.End(reason="completed"))
    turns = count(told.history()).turns
    assert [(turn.participant, round(turn.minutes * 60)) for turn in turns] == [(first, 90), (second, 45)]


def test_given_up_by_phone_and_over_are_abandoned(told: Told) -> None:
    told.register = []
    told.ask()
    told.do(DESK, asks.UsePhoneLine())
    told.do(DESK, asks.CloseRequest(another_time=True))
    told.ask()
    told.seat(CHEN, commands.End(reason="completed"))
    first, second = count(told.history()).searches
    assert (first.abandoned, first.by_phone, first.closed) == (True, True, "another_time")
    assert (second.abandoned, second.closed) == (True, "consult_over")


def test_signals_are_counted(told: Told) -> None:
    told.ask()
    participant = told.come(SAMI)
    told.seat(CHEN, asks.EndBriefing(reason="done"))
    for kind in ("repeat", "slower", "repeat"):
        told.seat(participant, asks.GiveSignal(kind=kind))
    assert count(told.history()).signals == ("repeat", "slower", "repeat")


def test_percentiles_and_abandonment_are_by_language(told: Told) -> None:
    told.ask()
    told.wait(TIER_S[0])
    told.come(LINA)
    told.do(TheClock(), asks.AdvanceRequest())
    counted = [count(told.history())] * 3
    (language,) = by_language(counted)
    assert (language.language, language.searches, language.connected) == ("ar-EG", 3, 3)
    assert (language.connect_p50_s, language.connect_p90_s) == (TIER_S[0], TIER_S[0])
    assert usual_s(counted) == TIER_S[0]
    assert usual_s([]) == EXPECTED_S
    assert percentile([], 50) is None
    assert percentile([1, 2, 3, 4, 5], 50) == 3


def test_the_csv_says_what_the_events_say_and_names_nobody(told: Told) -> None:
    told.ask()
    told.come(SAMI)
    told.seat(CHEN, asks.EndBriefing(reason="done"))
    wait(told, 90)
    told.seat(CHEN, commands.End(reason="completed"))
    counted: Counted = count(told.history())
    rows = list(csv.DictReader(io.StringIO(as_csv([(ConsultId("c"), counted)]))))
    searches = [row for row in rows if row["kind"] == "search"]
    turns = [row for row in rows if row["kind"] == "turn"]
    assert [row["asked_at"] for row in searches] == [one.asked_at.isoformat() for one in counted.searches]
    assert sum(int(row["rings"]) for row in searches) == sum(one.rings for one in counted.searches)
    assert sum(float(row["minutes"]) for row in turns) == pytest.approx(sum(t.minutes for t in counted.turns))
    assert [row["minutes"] for row in turns] == ["1.5"]
