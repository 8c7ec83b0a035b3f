"""Offers that are none, from somebody who is in the room: a stable code, and nobody else notices."""

import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.hostile.caller import Call, Caller
from tests.media.offers import CHROMIUM, FIREFOX, audio, data, offer, video

pytestmark = pytest.mark.asyncio(loop_scope="package")

GENERATED = 150
A_TAB = 4
"""Offers one tab may send at once without being too fast."""
PLAIN = offer(audio("0"), video("1"), audio("2", "recvonly"))
CANDIDATE = "a=candidate:1 1 udp 2130706431 {} 9 typ host\r\n"
# What the server may say to an offer; anything else, `internal` above all, is a bug.
ANSWERS = {"media_answer", "bad_offer", "bad_message", "too_large", "closed"}

TOO_LONG = {
    "over 64 KiB": PLAIN + "a=x:y\r\n" * 11_000,
    "over the offer's own limit": PLAIN + "a=x:y\r\n" * 5_000,
    "one endless line": "v=0\r\na=" + "x" * 40_000,
    "longer than any offer in UTF-8": PLAIN + "a=\U0001f4a3\r\n" * 6_000,
    "10,000 candidates": PLAIN + CANDIDATE.format("192.0.2.9") * 10_000,
}
REFUSED = {
    "1,000 m-lines": PLAIN + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" * 900,
    "25 m-lines": offer(*(audio(str(mid)) for mid in range(25))),
    "no m-line": offer(),
    "empty lines": "\r\n" * 1_000,
    "no SDP": "hello",
    "JSON": '{"type": "offer"}',
    "NUL": PLAIN.replace("v=0", "v=0\x00"),
    "NUL in an m-line": PLAIN.replace("m=audio", "m=au\x00dio"),
    "a lone surrogate": "\ud800" + PLAIN,
    "a payload type of 999 digits": PLAIN.replace("SAVPF 111", "SAVPF " + "9" * 999),
    "digits of another script": PLAIN.replace("SAVPF 111", "SAVPF \u0661\u0661\u0661"),
    "a negative port": PLAIN.replace("m=audio 9", "m=audio -9"),
    "the same mid twice": PLAIN.replace("a=mid:1", "a=mid:0"),
    "a mid that would be a header": PLAIN.replace("a=mid:1", "a=mid:1 \u2028x"),
    "no fingerprint": PLAIN.replace("a=fingerprint", "a=nothing"),
    "a fingerprint of nothing": PLAIN.replace("sha-256 ", "sha-256 :"),
    "a weak fingerprint": PLAIN.replace("sha-256", "md5"),
    "no password": PLAIN.replace("a=ice-pwd", "a=nothing"),
    "an endless name for ICE": PLAIN.replace("ice-ufrag:abcd", "ice-ufrag:" + "a" * 9_000),
    "a setup from elsewhere": PLAIN.replace("a=setup:actpass", "a=setup:holdconn"),
    "an extension with the id -1": PLAIN.replace("a=rtcp-mux", "a=extmap:-1 urn:x\r\na=rtcp-mux"),
    "an SSRC too big": PLAIN.replace("a=rtcp-mux", "a=ssrc:99999999999 cname:x\r\na=rtcp-mux"),
}
ANSWERED = {
    "a data channel": offer(audio("0"), data("1")),
    "24 data channels": offer(*(data(str(mid)) for mid in range(24))),
    "candidates that are names": PLAIN + CANDIDATE.format("made-up.local") + CANDIDATE.format("example.org"),
    "candidates of the inside": PLAIN + CANDIDATE.format("127.0.0.1") + CANDIDATE.format("169.254.169.254"),
    "400 candidates": PLAIN + CANDIDATE.format("192.0.2.9") * 400,
    "candidates that are none": PLAIN + "a=candidate:\r\na=candidate:1 1\r\n" * 50,
    "the same attribute 2,000 times": PLAIN + "a=ssrc:1 x\r\n" * 2_000,
    "kinds nobody knows": PLAIN.replace("m=video", "m=hologram"),
}


async def outcome(intruder: Caller, sdp: str) -> str:
    """What becomes of an offer: the type of the answer, or the code."""
    answer = await intruder.ask({"type": "connect_media", "offer": sdp})
    said: str = answer.get("code") or answer["type"]
    if answer["type"] in ("protocol_error", "closed"):
        await intruder.open()
    return said


async def test_what_is_too_long_for_an_offer_ends_the_connection(call: Call, intruder: Caller) -> None:
    async with call.unhurt():
        for what, sdp in TOO_LONG.items():
            assert await outcome(intruder, sdp) in {"bad_message", "too_large", "closed"}, what


async def test_what_is_no_offer_is_refused_with_one_code(call: Call, intruder: Caller) -> None:
    async with call.unhurt():
        for number, (what, sdp) in enumerate(REFUSED.items()):
            if number % A_TAB == 0:
                await intruder.open()
            assert await outcome(intruder, sdp) in {"bad_offer", "bad_message"}, what


async def test_an_offer_of_more_than_we_take_is_answered_with_what_we_take(
    call: Call, intruder: Caller
) -> None:
    async with call.unhurt():
        for number, (what, sdp) in enumerate(ANSWERED.items()):
            if number % A_TAB == 0:
                await intruder.open()
            answer = await intruder.ask({"type": "connect_media", "offer": sdp})
            assert answer["type"] == "media_answer", what
            assert answer["answer"].count("m=") == sdp.count("m="), what
            assert "m=application 9" not in answer["answer"], what


def lines_of(*texts: str) -> list[str]:
    return sorted({line for text in texts for line in text.split("\r\n") if line})


LINE = st.one_of(
    st.sampled_from(lines_of(CHROMIUM, FIREFOX, PLAIN)),
    st.builds(lambda letter, rest: f"{letter}={rest}", st.sampled_from("vostcbam"), st.text(max_size=40)),
    st.text(max_size=60),
)


def _changed(seed: int, extra: list[str]) -> str:
    """A real offer with lines dropped, doubled, swapped and put in, and characters changed."""
    chance = random.Random(seed)
    lines = chance.choice((CHROMIUM, FIREFOX, PLAIN)).split("\r\n")
    for line in extra:
        lines.insert(chance.randrange(1, len(lines)), line)
    for _ in range(chance.randrange(6)):
        at = chance.randrange(1, len(lines))
        changes: tuple[Callable[[str], list[str]], ...] = (
            lambda line: [],
            lambda line: [line, line],
            lambda line: [line[: len(line) // 2]],
            lambda line: [line.replace(":", " ").replace("1", "4294967296")],
        )
        lines[at : at + 1] = chance.choice(changes)(lines[at])
    return "\r\n".join(lines)


NONSENSE = st.one_of(
    st.builds(_changed, st.integers(0, 2**32), st.lists(LINE, max_size=8)),
    st.lists(LINE, min_size=1, max_size=40).map(lambda lines: "\r\n".join(["v=0", *lines])),
)


def generated() -> Iterator[str]:
    """The same offers each time."""
    made: list[str] = []

    @settings(
        max_examples=GENERATED,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(NONSENSE)
    def collect(sdp: str) -> None:
        made.append(sdp)

    collect()
    return iter(made)


async def test_no_nonsense_in_an_offer_is_a_fault_of_ours(call: Call, intruder: Caller) -> None:
    seen: dict[str, int] = {}
    async with call.unhurt():
        for number, sdp in enumerate(generated()):
            if number % A_TAB == 0:
                await intruder.open()
            said = await outcome(intruder, sdp)
            assert said in ANSWERS, sdp
            seen[said] = seen.get(said, 0) + 1
    assert seen.keys() >= {"media_answer", "bad_offer"}
