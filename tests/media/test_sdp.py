"""Offers are read into typed sections, and whatever else is sent is refused with a stable code."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.answer import answer_offer
from media.sdp import OFFER_BYTES_MAX, SECTIONS_MAX, BadSdp, parse_offer
from tests.media.offers import CHROMIUM, CREDENTIALS, ENDPOINT, FIREFOX, audio, data, offer, video


def test_a_chromium_offer_is_read() -> None:
    read = parse_offer(CHROMIUM)
    assert [s.direction for s in read.sections] == ["sendonly"] * 3 + ["recvonly"] * 11
    assert read.setup == "actpass"
    assert read.mixed_extensions
    assert read.bundled == {str(n) for n in range(14)}
    assert read.sections[0].ssrcs == (4_070_066_423,)


def test_a_firefox_offer_is_read_with_its_layers_and_directed_extensions() -> None:
    read = parse_offer(FIREFOX)
    camera = read.sections[1]
    assert camera.rids == ("l", "h")
    assert camera.extensions["urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"] == 9
    assert camera.rtx_of == {1_486_120_315: 3_390_120_231, 2_394_111_158: 870_495_864}
    assert read.fingerprint_algorithm == "sha-256"


def test_candidates_are_ignored_whatever_they_say() -> None:
    line = "a=candidate:1 1 udp 1 0a1b.local 9 typ host\r\na=candidate:nonsense\r\na=end-of-candidates\r\n"
    assert parse_offer(offer(audio("0") + line)) == parse_offer(offer(audio("0")))


def test_up_to_24_sections_are_read_and_more_refused() -> None:
    assert len(parse_offer(offer(*(audio(str(n)) for n in range(SECTIONS_MAX)))).sections) == SECTIONS_MAX
    with pytest.raises(BadSdp) as refused:
        parse_offer(offer(*(audio(str(n)) for n in range(SECTIONS_MAX + 1))))
    assert refused.value.code == "too_many_sections"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_sdp"),
        ("hello", "not_sdp"),
        ("v=0\r\ngarbage\r\n", "not_sdp"),
        ("v=0\r\ns=-\r\n", "no_sections"),
        ("v=0\r\n" + "a=x\r\n" * 20_000, "sdp_too_long"),
        ("v=0\r\n" + "x" * OFFER_BYTES_MAX, "sdp_too_long"),
        (offer(audio("0"), audio("0")), "mid_repeated"),
        (offer(audio("")), "mid"),
        (offer(audio("a" * 17)), "mid"),
        (offer(audio("a b")), "mid"),
        (offer("m=audio\r\n"), "media_line"),
        (offer("m=audio x UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"), "number"),
        (offer("m=audio 9 RTP/AVP 0\r\na=mid:0\r\n"), "media_line"),
        (offer("m=audio 9 UDP/TLS/RTP/SAVPF 128\r\na=mid:0\r\n"), "number"),
        (offer("m=audio 9 UDP/TLS/RTP/SAVPF \u0661\r\na=mid:0\r\n"), "media_line"),
        (offer(audio("0") + "a=ssrc:99999999999 cname:x\r\n"), "number"),
        (offer(audio("0") + "a=extmap:x urn:y\r\n"), "number"),
        (offer(audio("0"), transport=False), "fingerprint"),
        (offer(audio("0")).replace("sha-256", "md5"), "fingerprint"),
        (offer(audio("0")).replace("a=ice-pwd:" + "x" * 24, "a=ice-pwd:short"), "ice"),
        (offer(audio("0")).replace("setup:actpass", "setup:maybe"), "setup"),
    ],
)
def test_a_malformed_offer_is_refused_with_its_code(text: str, code: str) -> None:
    with pytest.raises(BadSdp) as refused:
        parse_offer(text)
    assert refused.value.code == code
    assert refused.value.hint


def _answered_or_refused(text: str) -> None:
    try:
        answer_offer(parse_offer(text), ENDPOINT, CREDENTIALS)
    except BadSdp:
        return


@given(st.text(max_size=300))
def test_no_text_makes_the_parser_fail(text: str) -> None:
    _answered_or_refused(text)
    _answered_or_refused("v=0\r\n" + text)


@settings(max_examples=150)
@given(st.data())
def test_no_mutation_of_a_real_offer_makes_parser_or_answer_fail(choose: st.DataObject) -> None:
    source = choose.draw(
        st.sampled_from([FIREFOX, offer(audio("0"), video("1"), video("2", "recvonly"), data("3"))])
    )
    lines = source.split("\r\n")
    for _ in range(choose.draw(st.integers(1, 4))):
        at = choose.draw(st.integers(0, len(lines) - 1))
        match choose.draw(st.integers(0, 4)):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[choose.draw(st.integers(0, len(lines) - 1))])
            case 2:
                cut = choose.draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:cut] + choose.draw(st.text(max_size=6)) + lines[at][cut + 1 :]
            case 3:
                lines[at] = lines[at].replace(
                    "1", choose.draw(st.sampled_from(["", "-1", "99999999999", "\u0661"]))
                )
            case _:
                lines[at] = lines[at].split(":")[0]
        lines = lines or [""]
    _answered_or_refused("\r\n".join(lines))
