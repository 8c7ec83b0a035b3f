"""Who hears whom, at which level: for every mode and stage, a table."""

import pytest

from signaling.consult import interpreting_commands as asks
from signaling.consult.ids import ParticipantId
from signaling.consult.interpreting import Side
from signaling.consult.listening import listening_policy
from signaling.consult.presence import EMPTY, ConsultPresence, with_direction, with_original
from signaling.consult.routing import routing
from signaling.consult.values import Consult
from tests.interpreting.consults import LINA, SAMI, Search, connected, interpreter
from tests.signaling.scripts import AMAL, CHEN

TERP, RELIEF = ParticipantId(f"p-{SAMI}"), ParticipantId(f"p-{LINA}")
NAMES = {AMAL: "patient", CHEN: "physician", TERP: "interpreter", RELIEF: "relief"}
Table = dict[str, str]


@pytest.fixture
def search() -> Search:
    """Patient, physician and an interpreter who interprets."""
    made = Search(register=[interpreter(SAMI, known=True), interpreter(LINA)])
    made.both_in()
    made.ask()
    made.come(SAMI)
    return made


def interpreting(search: Search) -> None:
    search.seat(CHEN, asks.EndBriefing(reason="done"))
    search.seat(TERP, asks.EndIntroduction())


def table(consult: Consult, presence: ConsultPresence = EMPTY) -> Table:
    """`listener: speaker level, ...` of everybody in the room."""
    rows = {}
    for listener in consult.participants:
        heard = listening_policy(consult, presence, listener)
        if heard:
            rows[NAMES[listener.id]] = ", ".join(f"{NAMES[s]} {h.level}" for s, h in heard.items())
    return rows


def into(side: Side) -> ConsultPresence:
    return with_direction(EMPTY, TERP, side)


def test_without_an_interpreter_everybody_hears_everybody() -> None:
    alone = Search()
    alone.both_in()
    assert table(alone.consult) == {"patient": "physician full", "physician": "patient full"}


def test_in_a_briefing_the_patient_hears_and_is_heard_by_nobody(search: Search) -> None:
    assert table(search.consult) == {
        "patient": "physician off, interpreter off",
        "physician": "patient off, interpreter full",
        "interpreter": "patient off, physician full",
    }


CONSECUTIVE = {
    "patient": "physician duck, interpreter full",
    "physician": "patient duck, interpreter full",
    "interpreter": "patient full, physician full",
}


def test_consecutively_everybody_hears_everybody_and_no_two_are_loud(search: Search) -> None:
    search.seat(CHEN, asks.EndBriefing(reason="done"))
    assert table(search.consult) == CONSECUTIVE, "already while the interpreter is introduced"
    search.seat(TERP, asks.EndIntroduction())
    for presence in (EMPTY, into("patient"), into("clinician")):
        assert table(search.consult, presence) == CONSECUTIVE


def test_simultaneously_each_hears_their_own_language_and_nothing_of_the_other(search: Search) -> None:
    interpreting(search)
    search.seat(TERP, asks.SetMode(mode="simultaneous"))
    assert table(search.consult, into("patient")) == {
        "patient": "physician duck, interpreter full",
        "physician": "patient duck, interpreter off",
        "interpreter": "patient full, physician full",
    }
    assert table(search.consult, into("clinician")) == {
        "patient": "physician duck, interpreter off",
        "physician": "patient duck, interpreter full",
        "interpreter": "patient full, physician full",
    }
    assert table(search.consult)["patient"] == "physician duck, interpreter full", "before anybody has spoken"


def test_whoever_understands_both_hears_the_original_and_no_interpretation(search: Search) -> None:
    interpreting(search)
    search.seat(TERP, asks.SetMode(mode="simultaneous"))
    presence = with_original(into("patient"), AMAL, prefers=True)
    assert table(search.consult, presence)["patient"] == "physician full, interpreter off"
    search.seat(TERP, asks.SetMode(mode="consecutive"))
    assert table(search.consult, presence)["patient"] == "physician full, interpreter full"


def test_whoever_listens_in_hears_both_and_is_heard_by_nobody_until_they_take_over(search: Search) -> None:
    interpreting(search)
    search.ask()
    search.come(LINA)
    heard = table(search.consult)
    assert heard["relief"] == "patient full, physician full, interpreter full"
    assert "relief off" in heard["patient"]
    assert "relief off" in heard["physician"]
    search.seat(RELIEF, asks.TakeOver())
    heard = table(search.consult)
    assert heard["patient"] == "physician duck, interpreter off, relief full"
    assert heard["interpreter"] == "patient full, physician full, relief full"


def test_what_is_off_is_not_forwarded_and_all_else_is(search: Search) -> None:
    interpreting(search)
    search.seat(TERP, asks.SetMode(mode="simultaneous"))
    for presence in (into("patient"), into("clinician"), with_original(into("patient"), AMAL, prefers=True)):
        links = routing(search.consult, connected(search.consult, presence))
        audio = {(link.subscriber, link.publisher) for link in links if link.source == "audio"}
        expected = {
            (listener.id, speaker)
            for listener in search.consult.participants
            for speaker, hearing in listening_policy(search.consult, presence, listener).items()
            if hearing.level != "off"
        }
        assert audio == expected
