"""Key frame requests: one for all, repeated until the key frame is there, seldom to a camera that is off."""

from itertools import pairwise

import pytest

from media.keyframes import RETRY_S_MAX, SPACING_S, KeyframeRequests


def sent(
    requests: KeyframeRequests, milliseconds: range, *, rtt_s: float = 0.05, active: bool = True
) -> list[int]:
    """When requests go out, if it is checked each millisecond."""
    return [ms for ms in milliseconds if requests.due(ms / 1_000, rtt_s, ms / 1_000 if active else None)]


def test_the_first_request_goes_out_at_once_and_again_after_a_round_trip_and_the_encoders_time() -> None:
    requests = KeyframeRequests()
    requests.want(0.0)
    assert sent(requests, range(500)) == pytest.approx([0, 150, 300, 450], abs=3)


def test_many_who_ask_at_once_cause_one_request() -> None:
    requests = KeyframeRequests()
    for ms in range(0, 100, 10):
        requests.want(ms / 1_000)
    assert sent(requests, range(100, 200)) == [100]


def test_after_the_key_frame_nothing_more_is_asked() -> None:
    requests = KeyframeRequests()
    requests.want(0.0)
    assert sent(requests, range(10)) == [0]
    requests.arrived(0.01)
    assert sent(requests, range(10, 2_000)) == []


def test_who_asks_right_after_a_key_frame_is_served_a_little_later() -> None:
    requests = KeyframeRequests()
    requests.want(0.0)
    sent(requests, range(10))
    requests.arrived(0.03)
    requests.want(0.05)
    assert sent(requests, range(50, 400))[0] == 30 + round(SPACING_S * 1_000)


def test_requests_become_rarer_when_no_key_frame_comes() -> None:
    requests = KeyframeRequests()
    requests.want(0.0)
    times = sent(requests, range(20_000))
    pauses = [after - before for before, after in pairwise(times)]
    assert all(after >= before - 1 for before, after in pairwise(pauses))
    assert 400 < pauses[-1] <= 2_000


def test_a_camera_that_never_sent_is_asked_when_it_does() -> None:
    requests = KeyframeRequests()
    requests.want(0.0)
    assert sent(requests, range(3_000), active=False) == []
    assert sent(requests, range(3_000, 3_010)) == [3_000]


def test_a_picture_that_stands_still_is_asked_for_now_and_then() -> None:
    requests = KeyframeRequests()
    requests.want(10.0)
    asked = [ms for ms in range(10_000, 20_000) if requests.due(ms / 1_000, 0.05, 2.0)]
    pauses = [after - before for before, after in pairwise(asked)]
    assert asked[0] == 10_000
    assert all(pause == pytest.approx(RETRY_S_MAX * 1_000, abs=2) for pause in pauses)


def test_a_camera_that_sends_again_is_asked_at_once() -> None:
    requests = KeyframeRequests()
    requests.want(10.0)
    assert requests.due(10.0, 0.05, 2.0)
    assert not requests.due(10.4, 0.05, 2.0)
    assert requests.due(10.5, 0.05, 10.5)
    assert not requests.due(10.501, 0.05, 10.501)
