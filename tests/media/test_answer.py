"""Every offer is answered: sources and slots by their place, transport lines everywhere, the rest refused
politely.
"""

import pytest

from media.answer import answer_offer
from media.description import PeerDescription
from media.sdp import BadSdp, parse_offer
from tests.media.offers import CHROMIUM, CREDENTIALS, ENDPOINT, FIREFOX, audio, data, offer, video


def answered(text: str, *, passive: bool = False) -> tuple[list[list[str]], PeerDescription]:
    """The answer as lists of lines, session first, and the description."""
    sdp, description = answer_offer(parse_offer(text), ENDPOINT, CREDENTIALS, passive=passive)
    assert sdp.endswith("\r\n")
    return [
        part.split("\r\n") for part in sdp.removesuffix("\r\n").replace("\r\nm=", "\0m=").split("\0")
    ], description


def test_chromium_gets_three_sources_and_eleven_slots() -> None:
    sections, description = answered(CHROMIUM)
    assert len(sections) == 15
    assert [up.source for up in description.upstreams] == ["audio", "video", "screen"]
    assert [(d.source, d.slot) for d in description.downstreams] == (
        [("audio", n) for n in range(5)] + [("video", n) for n in range(5)] + [("screen", 0)]
    )
    assert description.upstreams[0].ssrc == 4_070_066_423


def test_every_section_carries_the_transport_lines_because_firefox_crashes_without() -> None:
    for text in (CHROMIUM, FIREFOX):
        sections, _ = answered(text)
        for lines in sections[1:]:
            for name in (
                "a=ice-ufrag:",
                "a=ice-pwd:",
                "a=fingerprint:sha-256 ",
                "a=setup:active",
                "a=rtcp-mux",
            ):
                assert any(line.startswith(name) for line in lines), name


def test_candidates_are_our_addresses_in_the_first_section_only() -> None:
    sections, _ = answered(CHROMIUM)
    found = [line for lines in sections for line in lines if "candidate" in line]
    assert found == [
        "a=candidate:1 1 udp 2130706431 192.0.2.10 7900 typ host",
        "a=candidate:2 1 udp 2130706175 2001:db8::10 7900 typ host",
        "a=end-of-candidates",
    ]
    assert found[0] in sections[1]


def test_we_are_the_dtls_client_unless_asked_otherwise_or_the_browser_is() -> None:
    assert answered(CHROMIUM)[1].dtls_role == "client"
    sections, description = answered(CHROMIUM, passive=True)
    assert description.dtls_role == "server"
    assert "a=setup:passive" in sections[1]
    assert answered(offer(audio("0").replace("actpass", "active")))[1].dtls_role == "server"


def test_vp8_comes_before_h264_baseline_and_other_codecs_are_left_out() -> None:
    sections, description = answered(CHROMIUM)
    codecs = description.upstreams[1].codecs
    assert [codec.name for codec in codecs] == ["vp8", "h264"]
    assert all(codec.rtx_payload_type is not None and codec.nack and codec.pli for codec in codecs)
    assert any("profile-level-id=42e01f" in line for line in sections[2])
    assert not any("42001f" in line or "ulpfec" in line for line in sections[2])


def test_opus_asks_for_in_band_redundancy() -> None:
    sections, _ = answered(FIREFOX)
    assert "a=fmtp:109 minptime=10;useinbandfec=1" in sections[1]


def test_two_layers_of_the_camera_are_taken_the_small_one_first() -> None:
    sections, description = answered(FIREFOX)
    (up,) = (up for up in description.upstreams if up.source == "video")
    lines = next(lines for lines in sections if f"a=mid:{up.mid}" in lines)
    assert up.layers == ("l", "h")
    assert "a=simulcast:recv l;h" in lines
    assert {"a=rid:l recv", "a=rid:h recv"} <= set(lines)
    assert up.extensions.rid
    others = [up for up in description.upstreams if up.source != "video"]
    assert all(up.layers == () and up.extensions.rid == 0 for up in others)


def test_audio_and_video_of_a_slot_share_stream_and_cname() -> None:
    sections, description = answered(CHROMIUM)
    by_slot = {
        (d.source, d.slot): lines for d, lines in zip(description.downstreams, sections[4:], strict=True)
    }
    assert "a=msid:slot2 slot2-audio" in by_slot["audio", 2]
    assert "a=msid:slot2 slot2-video" in by_slot["video", 2]
    assert {d.cname for d in description.downstreams if d.slot == 2} == {"slot2"}
    assert "a=msid:screen screen-video" in by_slot["screen", 0]


def test_all_stream_numbers_of_a_peer_differ() -> None:
    _, description = answered(CHROMIUM)
    numbers = [n for d in description.downstreams for n in (d.ssrc, d.rtx_ssrc) if n is not None]
    assert len(numbers) == len(set(numbers)) == 17


def test_a_data_channel_is_rejected_and_the_rest_still_works() -> None:
    sections, description = answered(offer(data("0"), audio("1")))
    assert sections[1][0] == "m=application 0 UDP/DTLS/SCTP webrtc-datachannel"
    assert "a=group:BUNDLE 1" in sections[0]
    assert any(line.startswith("a=candidate:") for line in sections[2])
    assert [up.source for up in description.upstreams] == ["audio"]


def test_video_without_a_common_codec_is_rejected_and_audio_still_works() -> None:
    sections, description = answered(offer(audio("0"), video("1", codec="AV1/90000")))
    assert sections[2][0].startswith("m=video 0 ")
    assert "a=inactive" in sections[2]
    assert [up.source for up in description.upstreams] == ["audio"]


@pytest.mark.parametrize("count", [1, 2, 7, 24])
def test_any_number_of_sections_is_answered_one_for_one(count: int) -> None:
    makers = (audio, video)
    texts = [
        makers[n % 2](str(n), ("sendonly", "recvonly", "sendrecv", "inactive")[n % 4]) for n in range(count)
    ]
    sections, _ = answered(offer(*texts))
    assert len(sections) == count + 1
    assert [next(line for line in lines if line.startswith("a=mid:")) for lines in sections[1:]] == [
        f"a=mid:{n}" for n in range(count)
    ]


def test_an_offer_of_nothing_usable_is_answered_with_rejections() -> None:
    sections, description = answered(offer(data("0")))
    assert sections[1][0].startswith("m=application 0 ")
    assert not description.upstreams
    assert not description.downstreams


def test_without_bundle_only_the_first_section_is_taken() -> None:
    sections, description = answered(offer(audio("0"), video("1"), bundle=False))
    assert [up.mid for up in description.upstreams] == ["0"]
    assert sections[2][0].startswith("m=video 0 ")
    assert not any("BUNDLE" in line for line in sections[0])


def test_a_second_microphone_and_a_seventh_video_slot_are_inactive() -> None:
    sections, description = answered(
        offer(audio("0"), audio("1"), *(video(str(n), "recvonly") for n in range(2, 9)))
    )
    assert "a=inactive" in sections[2]
    assert "a=inactive" in sections[9]
    assert len(description.downstreams) == 6


def test_rtcp_on_a_port_of_its_own_is_refused() -> None:
    with pytest.raises(BadSdp) as refused:
        answered(offer(audio("0").replace("a=rtcp-mux\r\n", "")))
    assert refused.value.code == "rtcp_mux"


def test_transport_feedback_is_promised_only_where_the_browser_asked_for_it() -> None:
    uri = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    with_feedback = audio("0") + f"a=extmap:3 {uri}\r\n"
    assert answered(offer(with_feedback))[1].upstreams[0].extensions.transport_cc == 3
    without = with_feedback.replace("a=rtcp-fb:111 transport-cc\r\n", "")
    assert answered(offer(without))[1].upstreams[0].extensions.transport_cc == 0
