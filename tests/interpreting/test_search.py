"""The search for an interpreter: who is rung when, who wins, and what if nobody comes."""

import pytest

from signaling.consult import commands
from signaling.consult import interpreting_commands as asks
from signaling.consult import interpreting_events as events
from signaling.consult.interpreting import (
    BRIEFING_S,
    CHOOSE_WITHIN_S,
    COME_WITHIN_S,
    INTRODUCTION_S,
    ROUNDS_MAX,
    SAME_INTERPRETER_S,
    TIER_S,
    RequestState,
    Stage,
)
from signaling.consult.values import SeatState, TheClock
from signaling.errors import Code, Refused
from tests.interpreting.consults import (
    ARABIC,
    DEVICE,
    HUDA,
    LINA,
    SAMI,
    Search,
    accepting,
    booked,
    desk,
    interpreter,
)
from tests.signaling.scripts import AMAL, CHEN, DESK


@pytest.fixture
def search() -> Search:
    """Patient and physician are in the room; three interpreters sit at their desks, one for each tier."""
    made = Search(
        register=[
            interpreter(SAMI, known=True),
            interpreter(LINA),
            interpreter(HUDA, employer="agency"),
        ]
    )
    made.both_in()
    return made


def test_the_first_tier_rings_at_once_and_goes_on_ringing_when_the_next_one_does(search: Search) -> None:
    search.ask()
    assert search.ringing() == {SAMI}
    search.wait(TIER_S[0])
    assert search.ringing() == {SAMI, LINA}
    search.wait(TIER_S[1])
    assert search.ringing() == {SAMI, LINA, HUDA}


def test_a_tier_without_anybody_to_ring_costs_no_time(search: Search) -> None:
    search.register = [interpreter(HUDA, employer="agency")]
    search.ask()
    assert search.ringing() == {HUDA}


def test_when_all_who_were_rung_have_declined_the_next_tier_rings_at_once(search: Search) -> None:
    search.ask()
    search.decline(SAMI)
    search.wait(0)
    assert search.ringing() == {LINA}


def test_whoever_becomes_free_while_it_rings_is_rung_too(search: Search) -> None:
    search.register = [interpreter(SAMI), interpreter(LINA, availability="on_break")]
    search.ask()
    assert search.ringing() == {SAMI}
    search.register = [interpreter(SAMI), interpreter(LINA)]
    search.do(TheClock(), asks.AdvanceRequest(candidates=search.able))
    assert search.ringing() == {SAMI, LINA}


def test_the_first_to_accept_wins_and_the_others_are_told_that_it_is_taken(search: Search) -> None:
    search.ask()
    search.wait(TIER_S[0])
    search.accept(LINA)
    assert search.ringing() == set()
    with pytest.raises(Refused) as refused:
        search.accept(SAMI)
    assert refused.value.code is Code.TAKEN
    assert search.request.by_user == LINA
    assert search.do(desk(LINA), accepting(1, LINA)) == (), "accepting twice is accepting once"


def test_whoever_was_not_rung_cannot_accept(search: Search) -> None:
    search.ask()
    with pytest.raises(Refused) as refused:
        search.accept(HUDA)
    assert refused.value.code is Code.NOT_NOW
    with pytest.raises(Refused) as refused:
        search.seat(CHEN, accepting(1, SAMI))
    assert refused.value.code is Code.NOT_PERMITTED


def test_a_second_request_waits_for_the_first(search: Search) -> None:
    search.ask()
    with pytest.raises(Refused) as refused:
        search.ask()
    assert refused.value.code is Code.ALREADY_ASKED


def test_whoever_accepts_and_does_not_come_is_passed_over_and_the_others_ring_again(search: Search) -> None:
    search.ask()
    search.wait(TIER_S[0])
    participant = search.accept(SAMI)
    search.wait(COME_WITHIN_S)
    assert any(isinstance(e, events.InterpreterCameNot) for happened in search.happened for e in happened)
    assert SAMI not in search.ringing()
    assert LINA in search.ringing()
    assert search.seat_of(participant) is SeatState.INVITED, "they may still come to the waiting room"


def test_an_interpreter_who_was_asked_for_is_briefed_without_being_let_in_again(search: Search) -> None:
    search.ask()
    participant = search.come(SAMI)
    assert search.request.state is RequestState.CONNECTED
    assert search.seat_of(participant) is SeatState.PRESENT
    assert (search.session.interpreter, search.session.stage) == (participant, Stage.BRIEFING)


def test_without_a_physician_in_the_room_whoever_was_asked_for_waits(search: Search) -> None:
    search.ask()
    participant = search.accept(SAMI)
    search.lose(CHEN)
    search.seat(participant, commands.Arrive(device=DEVICE))
    assert search.seat_of(participant) is SeatState.WAITING


def test_nobody_there_is_said_at_once_and_a_choice_is_asked_for(search: Search) -> None:
    search.register = []
    search.ask()
    assert search.request.state is RequestState.UNANSWERED
    allowed = {asks.RingAgain, asks.UsePhoneLine, asks.CloseRequest}
    for command in (
        asks.RingAgain(audio_only=True, candidates=()),
        asks.UsePhoneLine(),
        asks.CloseRequest(another_time=True),
    ):
        tried = Search(consult=search.consult, now=search.now)
        tried.do(DESK, command)
        allowed.discard(type(command))
    assert not allowed


def test_without_a_choice_all_are_rung_again_and_at_last_it_is_given_up(search: Search) -> None:
    search.ask()
    for number in range(1, ROUNDS_MAX + 1):
        assert search.request.round == number
        search.wait(sum(TIER_S) + CHOOSE_WITHIN_S)
    assert search.request.state is RequestState.CLOSED
    assert search.request.reason == "gave_up"
    search.ask()
    assert search.request.no == 2, "and may be asked for anew"


def test_audio_only_rings_those_without_a_camera_too(search: Search) -> None:
    search.register = [interpreter(SAMI, camera=False)]
    search.ask()
    assert search.request.state is RequestState.UNANSWERED
    # Who may be rung is looked up for what is wanted from here on.
    wider = interpreter(SAMI, camera=True)
    search.register = [wider]
    search.do(DESK, asks.RingAgain(audio_only=True, candidates=search.able))
    assert search.request.wanted.mode == "audio"
    assert search.ringing() == {SAMI}


def test_the_telephone_line_is_counted_each_time_it_is_used(search: Search) -> None:
    search.register = []
    search.ask()
    search.do(DESK, asks.UsePhoneLine())
    assert search.request.state is RequestState.BY_PHONE
    search.do(DESK, asks.RingAgain(audio_only=False, candidates=()))
    search.do(DESK, asks.UsePhoneLine())
    assert search.consult.phone_used == 2


def test_a_request_taken_back_takes_back_the_way_in_of_whoever_is_coming(search: Search) -> None:
    search.ask()
    participant = search.accept(SAMI)
    search.seat(CHEN, asks.CloseRequest(another_time=False))
    assert search.seat_of(participant) is SeatState.REVOKED
    assert search.request.reason == "cancelled"


def test_a_lost_interpreter_is_rung_alone_and_comes_back_to_where_they_were(search: Search) -> None:
    search.ask()
    participant = search.come(SAMI)
    search.seat(CHEN, asks.EndBriefing(reason="done"))
    search.lose(participant)
    assert search.ringing() == {SAMI}
    assert search.request.lost == participant
    search.wait(SAME_INTERPRETER_S - 1)
    assert search.ringing() == {SAMI}
    search.seat(participant, commands.Arrive(device=DEVICE))
    assert search.request.state is RequestState.CONNECTED
    assert search.session.stage is Stage.INTRODUCTION


def test_after_a_while_the_others_are_rung_for_a_lost_one_and_whoever_comes_is_briefed(
    search: Search,
) -> None:
    search.ask()
    lost = search.come(SAMI)
    search.seat(CHEN, asks.EndBriefing(reason="done"))
    search.lose(lost)
    search.wait(SAME_INTERPRETER_S)
    assert search.ringing() == {SAMI, LINA}, "the lost one may still come back"
    coming = search.come(LINA)
    assert search.seat_of(lost) is SeatState.LEFT
    assert (search.session.interpreter, search.session.stage) == (coming, Stage.BRIEFING)


def test_one_who_listens_in_takes_over_only_when_they_say_so(search: Search) -> None:
    search.ask()
    first = search.come(SAMI)
    search.seat(CHEN, asks.EndBriefing(reason="done"))
    search.seat(first, asks.EndIntroduction())
    search.ask()
    assert search.request.relieves
    second = search.come(LINA)
    assert (search.session.interpreter, search.session.incoming) == (first, second)
    with pytest.raises(Refused):
        search.seat(first, asks.TakeOver())
    search.seat(second, asks.TakeOver())
    assert (search.session.interpreter, search.session.incoming) == (second, None)
    assert search.session.stage is Stage.INTERPRETING


def test_one_who_listens_in_takes_over_by_themselves_when_the_other_is_lost_or_leaves(search: Search) -> None:
    search.ask()
    first = search.come(SAMI)
    search.ask()
    second = search.come(LINA)
    search.lose(first)
    assert search.session.interpreter == second
    search.seat(first, commands.Arrive(device=DEVICE))
    assert search.session.incoming == first, "whoever was lost listens in when they are back"
    search.seat(second, commands.Leave())
    assert search.session.interpreter == first


def stage(search: Search) -> Stage:
    return search.session.stage


def test_a_briefing_and_an_introduction_end_by_themselves(search: Search) -> None:
    search.ask()
    search.come(SAMI)
    search.wait(BRIEFING_S - 1)
    assert stage(search) is Stage.BRIEFING
    search.wait(1)
    assert stage(search) is Stage.INTRODUCTION
    search.wait(INTRODUCTION_S)
    assert stage(search) is Stage.INTERPRETING


def test_an_interpreter_booked_on_demand_is_rung_when_the_physician_is_in_the_room() -> None:
    search = Search(consult=booked(on_demand=True), register=[interpreter(SAMI)])
    search.wait(0)
    assert search.consult.request is None
    search.seat(CHEN, commands.Arrive(device=DEVICE))
    search.wait(0)
    assert search.ringing() == {SAMI}
    assert search.request.wanted.patient_language == "ar-EG"


def test_with_the_end_of_the_consult_nothing_rings_and_nobody_interprets(search: Search) -> None:
    search.ask()
    search.seat(CHEN, commands.End(reason="completed"))
    assert search.ringing() == set()
    assert search.request.reason == "consult_over"
    with pytest.raises(Refused):
        search.accept(SAMI)


def test_a_patient_cannot_ask_ring_or_brief(search: Search) -> None:
    for command in (
        asks.RequestInterpreter(wanted=ARABIC, candidates=(), expected_s=20),
        asks.RingAgain(audio_only=False, candidates=()),
        asks.BeginBriefing(),
        asks.SetMode(mode="simultaneous"),
        asks.GiveSignal(kind="repeat"),
    ):
        with pytest.raises(Refused) as refused:
            search.seat(AMAL, command)
        assert refused.value.code is Code.NOT_PERMITTED
