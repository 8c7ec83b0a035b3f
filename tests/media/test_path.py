"""A peer is followed to its new address, at once when it proves itself with media, and without flapping."""

from media.path import Path


def test_the_first_checked_address_is_used_before_it_is_nominated() -> None:
    path: Path[str] = Path()
    assert path.checked("wifi", nominated=False, now_s=0.0)
    assert path.address == "wifi"


def test_media_from_a_new_address_is_followed_at_once() -> None:
    path: Path[str] = Path()
    path.checked("wifi", nominated=True, now_s=0.0)
    path.media("wifi", 1.0)
    assert path.media("mobile", 1.001)
    assert path.address == "mobile"


def test_a_nomination_is_followed_at_once() -> None:
    path: Path[str] = Path()
    path.checked("wifi", nominated=True, now_s=0.0)
    path.media("wifi", 1.0)
    assert path.checked("mobile", nominated=True, now_s=1.001)


def test_a_check_without_nomination_is_followed_only_when_the_current_address_is_silent() -> None:
    path: Path[str] = Path()
    path.checked("wifi", nominated=True, now_s=0.0)
    path.media("wifi", 1.0)
    assert not path.checked("mobile", nominated=False, now_s=1.2)
    assert path.checked("mobile", nominated=False, now_s=1.4)


def test_checks_from_two_addresses_in_turn_do_not_flap() -> None:
    path: Path[str] = Path()
    path.checked("a", nominated=False, now_s=0.0)
    moves = [
        ms
        for ms in range(0, 2_000, 50)
        if path.checked("ab"[ms // 50 % 2], nominated=False, now_s=ms / 1_000)
    ]
    assert len(moves) <= 4


def test_every_authentic_packet_counts_as_a_sign_of_life() -> None:
    path: Path[str] = Path()
    path.checked("a", nominated=False, now_s=1.0)
    assert path.heard_at_s == 1.0
    path.checked("b", nominated=False, now_s=1.1)
    assert path.heard_at_s == 1.1
    path.media("a", 1.2)
    assert path.heard_at_s == 1.2
