"""No sequence of drops, declines, hand-overs and timeouts leaves a search without a way on."""

import contextlib
from collections.abc import Callable
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.consult import commands, deadlines, rules
from signaling.consult import interpreting_commands as asks
from signaling.consult.evolve import replay
from signaling.consult.ids import ParticipantId, UserId
from signaling.consult.interpreting import RequestState
from signaling.consult.listening import listening_policy
from signaling.consult.presence import EMPTY
from signaling.consult.routing import routing
from signaling.consult.stored import decode, encode
from signaling.consult.values import GUESTS, OVER, Role, SeatHolder, SeatState
from signaling.errors import Refused
from tests.interpreting.consults import DEVICE, HUDA, LINA, SAMI, Search, interpreter
from tests.signaling.scripts import AMAL, CHEN, all_connected
from tests.signaling.test_readme import drawn

Act = Callable[[Search], object]
USERS = (SAMI, LINA, HUDA)
# Longer than all rings, choices and stages of one search; none is open after it unless somebody came.
ALL_OVER_S = 2 * 3600 + 3000


def _seat(user: UserId) -> ParticipantId:
    return ParticipantId(f"p-{user}")


def _of(user: UserId) -> list[Act]:
    participant = _seat(user)
    return [
        lambda s: s.accept(user),
        lambda s: s.come(user),
        lambda s: s.decline(user),
        lambda s: s.lose(participant),
        lambda s: s.seat(participant, commands.Arrive(device=DEVICE)),
        lambda s: s.seat(participant, commands.Leave()),
        lambda s: s.seat(CHEN, commands.Remove(participant=participant)),
        lambda s: s.seat(CHEN, commands.Hold(participant=participant)),
        lambda s: s.seat(CHEN, commands.Resume(participant=participant)),
        lambda s: s.seat(
            CHEN, commands.Admit(participant=participant, device=DEVICE, identity_confirmed=True)
        ),
        lambda s: s.seat(participant, asks.TakeOver()),
        lambda s: s.seat(participant, asks.EndIntroduction()),
        lambda s: s.seat(participant, asks.GiveSignal(kind="repeat")),
    ]


REGISTER = [interpreter(SAMI, known=True), interpreter(LINA), interpreter(HUDA, gender="male")]
ACTS: list[Act] = [
    *(act for user in USERS for act in _of(user)),
    lambda s: s.ask(),
    lambda s: s.seat(CHEN, asks.RingAgain(audio_only=True, candidates=s.able)),
    lambda s: s.seat(CHEN, asks.UsePhoneLine()),
    lambda s: s.seat(CHEN, asks.CloseRequest(another_time=False)),
    lambda s: s.seat(CHEN, asks.BeginBriefing()),
    lambda s: s.seat(CHEN, asks.EndBriefing(reason="done")),
    lambda s: s.seat(CHEN, asks.SetMode(mode="simultaneous")),
    lambda s: s.seat(CHEN, asks.SetMode(mode="consecutive")),
    lambda s: s.lose(CHEN),
    lambda s: s.seat(CHEN, commands.Arrive(device=DEVICE)),
    *((lambda s, n=n: s.wait(n)) for n in (1, 15, 40, 200)),
    lambda s: setattr(s, "register", [*s.register[1:], *s.register[:1]]),
    lambda s: setattr(s, "register", s.register[:-1]),
]
DRAWN = drawn("Interpreting")
lives = st.lists(st.sampled_from(ACTS), max_size=40)
many = settings(max_examples=150, deadline=None)


def play(acts: list[Act]) -> list[Search]:
    """The search after each act; what is not permitted changes nothing."""
    search = Search(
        register=[interpreter(SAMI, known=True), interpreter(LINA), interpreter(HUDA, gender="male")]
    )
    search.both_in()
    moments = []
    for act in acts:
        try:
            act(search)
        except (Refused, AssertionError) as error:
            if isinstance(error, AssertionError) and "clock spins" in str(error):
                raise
        moments.append(Search(consult=search.consult, now=search.now))
    return moments


@many
@given(lives)
def test_every_open_state_ends_by_itself_and_can_be_ended(acts: list[Act]) -> None:
    for moment in play(acts):
        request = moment.consult.request
        if request is None or not request.is_open:
            continue
        assert request.until is not None
        due = deadlines.due_at(moment.consult)
        assert due is not None
        assert due <= max(request.until, moment.now)
        if moment.consult.physician_present and request.state is not RequestState.ACCEPTED:
            allowed = rules.allowed(moment.consult, by=SeatHolder(participant=CHEN), now=moment.now)
            assert {"close_request", "ring_again"} <= allowed


@many
@given(lives)
def test_left_alone_a_search_is_over_after_a_while_and_another_may_begin(acts: list[Act]) -> None:
    for last in play(acts)[-1:]:
        if last.consult.over or last.seat_of(CHEN) is not SeatState.PRESENT:
            continue
        last.wait(ALL_OVER_S)
        if last.consult.phase in OVER:
            continue
        if last.consult.request is not None:
            assert not last.consult.request.is_open
        if len(last.consult.participants) < 6:
            last.ask()
            assert last.request.is_open


@many
@given(lives)
def test_during_a_briefing_no_packet_goes_between_a_guest_and_anybody(acts: list[Act]) -> None:
    for moment in play(acts):
        session = moment.consult.session
        if session is None or session.stage != "briefing":
            continue
        guests = {p.id for p in moment.consult.participants if p.role in GUESTS}
        for link in routing(moment.consult, all_connected(moment.consult)):
            assert link.publisher not in guests
            assert link.subscriber not in guests


@many
@given(lives)
def test_nobody_is_in_two_states_of_a_search_and_whoever_interprets_has_a_seat(acts: list[Act]) -> None:
    for moment in play(acts):
        request, session = moment.consult.request, moment.consult.session
        if request is not None and request.state is RequestState.ACCEPTED:
            assert not moment.ringing()
        if session is not None:
            person = moment.consult.participant(session.interpreter)
            assert person is not None
            assert person.role is Role.INTERPRETER
            assert person.seat in (SeatState.PRESENT, SeatState.LOST, SeatState.ON_HOLD)
            assert session.incoming != session.interpreter


@many
@given(lives)
def test_every_listener_is_told_how_they_hear_everybody_else_in_the_room(acts: list[Act]) -> None:
    for moment in play(acts):
        here = [p for p in moment.consult.participants if p.seat is SeatState.PRESENT]
        for listener in here:
            heard = listening_policy(moment.consult, EMPTY, listener)
            assert set(heard) == {p.id for p in here} - {listener.id}
            for hearing in heard.values():
                assert (hearing.level == "duck") == (hearing.under is not None)


@many
@given(lives)
def test_no_event_takes_a_search_on_a_way_that_is_not_drawn_in_the_readme(acts: list[Act]) -> None:
    search = Search(register=REGISTER)
    search.both_in()
    for act in acts:
        before, so_far = search.consult, len(search.happened)
        with contextlib.suppress(Refused, AssertionError):
            act(search)
        for happened in search.happened[so_far:]:
            for event in happened:
                after = replay(before, (event,)) or before
                was, now = before.request, after.request
                if was is not None and now is not None and was.no == now.no and was.state is not now.state:
                    assert (was.state.value, now.state.value) in DRAWN, event
                before = after


@many
@given(lives)
def test_what_happened_is_read_back_as_it_was_written(acts: list[Act]) -> None:
    search = Search(register=[interpreter(SAMI)])
    search.both_in()
    for act in acts:
        try:
            act(search)
        except (Refused, AssertionError):
            continue
    for happened in search.happened:
        for event in happened:
            assert decode(encode(event)) == event
    assert search.consult.participant(AMAL) is not None
    assert search.now - search.consult.starts_at < timedelta(days=1)
