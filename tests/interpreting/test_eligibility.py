"""Who may be rung at all, and in which tier: a property over every way of not being fit."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.consult.eligibility import (
    SEEN_WITHIN,
    Interpreter,
    candidates,
    covers,
    interprets,
    is_eligible,
    tier_of,
)
from signaling.consult.ids import UserId
from signaling.consult.interpreting import Tier
from tests.interpreting.consults import ARABIC, SAMI, interpreter
from tests.signaling.scripts import NINE

UNFIT = [
    {"vetted": False},
    {"medical": False},
    {"busy": True},
    {"excluded": True},
    {"availability": "on_break"},
    {"availability": "away"},
    {"seen_at": None},
    {"seen_at": NINE - SEEN_WITHIN - timedelta(seconds=1)},
    {"camera": False},
    {"pairs": frozenset({("ar", "en")})},
    {"pairs": frozenset({("en", "ar")})},
    {"pairs": frozenset({("es", "en"), ("en", "es")})},
]


@pytest.mark.parametrize("change", UNFIT, ids=lambda change: "-".join(f"{k}" for k in change))
def test_nobody_unfit_is_rung(change: dict[str, object]) -> None:
    assert is_eligible(interpreter(SAMI), ARABIC, now=NINE)
    assert not is_eligible(interpreter(SAMI, **change), ARABIC, now=NINE)


def test_whoever_has_no_camera_is_rung_where_being_heard_is_enough() -> None:
    heard = replace(ARABIC, mode="audio")
    assert is_eligible(interpreter(SAMI, camera=False), heard, now=NINE)


@pytest.mark.parametrize(
    ("qualified", "wanted", "fits"),
    [
        ("ar", "ar-EG", True),
        ("ar-EG", "ar-EG", True),
        ("ar-EG", "ar", False),
        ("ar-EG", "ar-MA", False),
        ("zh", "zh-Hans", True),
        ("yue", "cmn", False),
        ("es", "est", False),
        ("AR", "ar-eg", True),
    ],
)
def test_a_dialect_is_covered_by_its_language_and_not_the_other_way_round(
    qualified: str, wanted: str, *, fits: bool
) -> None:
    assert covers(qualified, wanted) is fits


def test_both_directions_are_needed_whichever_is_asked_first() -> None:
    both = interpreter(SAMI)
    assert interprets(both, "ar", "en")
    assert interprets(both, "en", "ar")


@pytest.mark.parametrize(
    ("changes", "tier"),
    [
        ({"known": True}, Tier.KNOWN),
        ({}, Tier.STAFF),
        ({"employer": "agency"}, Tier.AGENCY),
        ({"known": True, "gender": "male"}, Tier.ALL),
        ({"gender": None}, Tier.ALL),
    ],
)
def test_a_preference_puts_last_and_never_out(changes: dict[str, object], tier: Tier) -> None:
    preferred = replace(ARABIC, gender="female")
    assert tier_of(interpreter(SAMI, **changes), preferred) is tier
    assert is_eligible(interpreter(SAMI, **changes), preferred, now=NINE)


people = st.builds(
    Interpreter,
    user=st.integers(0, 30).map(lambda n: UserId(f"u{n}")),
    employer=st.sampled_from(["staff", "agency"]),
    pairs=st.frozensets(st.tuples(st.sampled_from(["ar", "en", "es"]), st.sampled_from(["ar", "en", "es"]))),
    vetted=st.booleans(),
    medical=st.booleans(),
    gender=st.sampled_from(["female", "male", None]),
    camera=st.booleans(),
    availability=st.sampled_from(["available", "on_break", "away"]),
    seen_at=st.sampled_from([None, NINE, NINE - timedelta(minutes=5)]),
    busy=st.booleans(),
    excluded=st.booleans(),
    known=st.booleans(),
)


@given(st.lists(people, unique_by=lambda one: one.user))
def test_whoever_is_rung_is_vetted_qualified_and_free(register: list[Interpreter]) -> None:
    by_user = {one.user: one for one in register}
    for rung in candidates(register, ARABIC, now=NINE):
        one = by_user[rung.user]
        assert one.vetted
        assert one.medical
        assert not one.busy
        assert not one.excluded
        assert one.availability == "available"
