"""What was sealed after somebody had taken their consent back is in no view."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.remux.cuts import Cuts
from media.remux.opened import Meta, Opened
from media.remux.remuxing import remux
from tests.recording.generated import SECOND_US, Recorded, sound
from tests.recording.test_remux_damage import heard_s, talk


def said(at_us: int) -> bytes:
    return json.dumps({"kind": "cut", "at_us": at_us}).encode().ljust(256)


def test_what_came_between_a_revocation_and_the_end_of_its_part_is_not_heard() -> None:
    recorded = Recorded(parts_at_us=(0, 4 * SECOND_US))
    stream = sound(recorded)
    talk(stream, 0, 2)
    talk(stream, 5, 7)

    def with_cut() -> Iterator[Opened]:
        began = 0
        for one in recorded.opened():
            if type(one).__name__ == "PartBegan":
                began += 1
                if began == 2:  # at the end of the first part
                    yield Meta(at_us=3 * SECOND_US, body=said(SECOND_US))
            yield one

    heard = heard_s(_view(recorded, with_cut))
    assert any(at_s < 0.9 for at_s in heard)
    assert not any(1.05 < at_s < 4.9 for at_s in heard)
    assert any(at_s > 5.2 for at_s in heard), "what was agreed to again is played"
    assert any(1.05 < at_s < 2 for at_s in heard_s(_view(recorded, recorded.opened)))


def _view(recorded: Recorded, opened: object) -> bytes:
    import io

    files: dict[str, io.BytesIO] = {}
    recorded.packets.sort(key=lambda one: one[0])
    remux(opened, lambda name: files.setdefault(name, io.BytesIO()))  # type: ignore[arg-type]
    return files["p0"].getvalue()


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=8))
def test_nothing_that_a_cut_names_is_kept_and_everything_else_is(pairs: list[tuple[int, int]]) -> None:
    ends = sorted(max(pair) for pair in pairs)
    cuts, wanted = Cuts(), set[int]()
    for end, (one, other) in zip(ends, sorted(pairs, key=max), strict=True):
        begin = min(one, other)
        cuts.meta(end, said(begin))
        wanted |= set(range(begin + 1, end + 1))
    assert {at for at in range(101) if not cuts.keeps(at)} == wanted


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[" * 60_000, b"[]", b"1", b'{"kind":"cut"}', b'{"kind":"cut","at_us":"x"}', b"\xff"],
)
def test_a_meta_record_that_says_nothing_cuts_nothing(body: bytes) -> None:
    cuts = Cuts()
    cuts.meta(100, body)
    assert cuts.keeps(50)
