"""An interpreter is called into a running consult: rung, briefed in private, heard in one's own language."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from time import monotonic

import pytest
import pytest_asyncio

from tests.e2e.interpreting.stage import (
    TOLD_S_MAX,
    Called,
    at_desk,
    called,
    comes,
    levels,
    plays,
    pressed_state,
    reads,
    rings,
    who_hears_whom,
)
from tests.e2e.kit import axe
from tests.e2e.kit.observe import hears, sees, traffic
from tests.e2e.kit.people import INTERPRETER, PHYSICIAN
from tests.e2e.kit.tab import eventually
from tests.e2e.three_party import story
from tests.e2e.three_party.cast import CLINIC_SCREEN, picture
from tests.faults.gaps import GapWatch
from web.catalog import load_catalog

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

DUCKED = 0.18
CALLING = "Calling an interpreter for {language}. This usually takes {n} seconds."
SWITCH_S_MAX = 0.3
LISTENED_S = 2.0
MINUTES_S = 1.0  # what is counted may differ from what was heard by so many seconds
THREE = ("patient", "physician", "interpreter")
EVERYBODY = {one: set(THREE) - {one} for one in THREE}
TIMES: dict[str, float] = {}
FRAMES_SENT = """async () => [...(await meridianMedia.getStats()).values()]
  .reduce((sum, one) => sum + (one.type === 'outbound-rtp' ? (one.framesSent ?? 0) : 0), 0)"""
AUDIO = '#screen [data-role="{}"]:not(.tile-self) audio'


def in_language(tag: str, words: str) -> str:
    return load_catalog(tag).text(words)


def arabic(words: str) -> str:
    return in_language("ar", words)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on() -> AsyncIterator[Called]:
    async with called() as made:
        yield made


async def test_when_nobody_answers_the_telephone_line_is_shown_and_the_patient_reads_why(on: Called) -> None:
    for desk in (on.desk, on.second):
        await desk.click("[data-do=availability][value=away]")
        await pressed_state(desk, "away")
    await story.press(on.physician, "request_interpreter")
    await reads(on.physician, "Nobody answers", within_s=5)
    await reads(on.patient, arabic("No interpreter is free yet. The clinic keeps trying."), within_s=5)
    await story.press(on.physician, "use_phone_line")
    await reads(on.physician, "+1 310 555 0177", within_s=5)
    await reads(on.patient, arabic("The clinic calls an interpreter by telephone."), within_s=5)
    await picture(on.physician, "phone-line.physician")
    await picture(on.patient, "phone-line.patient")
    await story.press(on.physician, "close_request")
    await reads(on.physician, "You stopped calling.", within_s=5)
    for desk in (on.desk, on.second):
        await desk.click("[data-do=availability][value=available]")
        await pressed_state(desk, "available")


async def test_one_click_rings_a_desk_within_a_second_and_shows_nothing_of_the_patient(on: Called) -> None:
    began = monotonic()
    await story.press(on.physician, "request_interpreter")
    await rings(on.desk, 1, within_s=3)
    assert monotonic() - began < 2
    await reads(on.patient, arabic(CALLING).partition("{")[0], within_s=3)
    card = await on.desk.inner_text("[data-ring]")
    assert "English" in card
    assert "Arabic" in card
    assert "Salma" not in card
    await picture(on.desk, "interpreting.desk")
    await at_desk(on.desk, "ar")
    await rings(on.desk, 1, within_s=3)
    await axe.is_accessible(on.desk, texts_min=4)
    await picture(on.desk, "interpreting.desk.ar")
    await at_desk(on.desk, "en")
    await rings(on.desk, 1, within_s=3)
    await picture(on.physician, "interpreting.searching")


async def test_the_briefing_reaches_the_patient_in_not_one_packet(on: Called) -> None:
    await comes(on.desk)
    await story.on_screen(on.patient, "briefing")
    await sees(on.physician, '#screen [data-role="interpreter"] video', INTERPRETER)
    assert await packets(on, "physician", "interpreter") > 20
    await hears(on.desk, AUDIO.format("physician"), PHYSICIAN)
    before, frames = await traffic(on.patient), await on.patient.evaluate(FRAMES_SENT)
    await asyncio.sleep(LISTENED_S)
    during = await traffic(on.patient) - before
    assert (during.audio_received, during.video_received, during.audio_sent) == (0, 0, 0)
    assert await on.patient.evaluate(FRAMES_SENT) == frames, "what a browser pads is no picture"
    heard = await who_hears_whom(on, "briefing", "physician", "interpreter")
    assert heard == {"physician": {"interpreter"}, "interpreter": {"physician"}}
    await reads(on.desk, "Only the physician hears you.", within_s=3)
    for name, page in on.pages.items():
        await picture(page, f"briefing.{name}")


async def test_the_introduction_is_on_the_screen_in_both_languages_and_true(on: Called) -> None:
    await story.press(on.physician, "end_briefing")
    TIMES["begun"] = monotonic()
    await story.on_screen(on.patient, "room")
    await reads(on.patient, arabic("This visit is not being recorded."), within_s=5)
    await reads(on.desk, "This visit is not being recorded.", within_s=5)
    await reads(on.desk, arabic("This visit is not being recorded."), within_s=5)
    await reads(on.physician, "40718", within_s=5)
    await picture(on.desk, "introduction.interpreter")
    await picture(on.patient, "introduction.patient")
    await story.press(on.desk, "end_introduction")


async def test_consecutively_no_two_are_loud_while_the_interpreter_speaks(on: Called) -> None:
    await plays(on.patient, {"physician": DUCKED, "interpreter": 1}, what="the patient hears the interpreter")
    await plays(on.physician, {"patient": DUCKED, "interpreter": 1}, what="the physician does")
    await plays(on.desk, {"patient": 1, "physician": 1}, what="the interpreter hears both")
    assert await who_hears_whom(on, "consecutive", *THREE) == EVERYBODY
    await story.press(on.desk, "mute")
    await plays(on.patient, {"physician": 1, "interpreter": 1}, what="in full when the interpreter pauses")
    await story.press(on.desk, "mute")
    await plays(on.patient, {"physician": DUCKED, "interpreter": 1}, what="down again")


async def switched(on: Called, mode: str) -> None:
    """The interpreter switches the mode; nobody who is heard before and after is silent in between."""
    watches = [GapWatch(on.desk, "patient", "physician"), GapWatch(on.patient, "interpreter")]
    for watch in watches:
        await watch.begin()
    connections = await on.patient.evaluate("() => kit.connections.length")
    await on.desk.click(f"[data-do=set_mode][value={mode}]")
    await asyncio.sleep(1)
    for watch in watches:
        for name, gap in (await watch.read()).items():
            if name.endswith("audio"):
                assert gap.longest_s <= SWITCH_S_MAX, name
    assert await on.patient.evaluate("() => kit.connections.length") == connections, "nothing is negotiated"


async def packets(on: Called, listener: str, speaker: str) -> int:
    """Packets of sound that came from one to the other within a moment."""
    script = """(role) => {
      const track = document.querySelector(`#screen [data-role="${role}"]:not(.tile-self) audio`)
        .srcObject.getAudioTracks()[0];
      const receiver = meridianMedia.getReceivers().find((one) => one.track === track);
      return receiver.getStats().then((all) =>
        [...all.values()].find((one) => one.type === 'inbound-rtp')?.packetsReceived ?? 0);
    }"""
    page = on.pages[listener]
    before = await page.evaluate(script, speaker)
    await asyncio.sleep(1)
    return int(await page.evaluate(script, speaker)) - int(before)


async def test_simultaneously_each_hears_their_own_language_and_no_packet_of_the_other(on: Called) -> None:
    await switched(on, "simultaneous")
    await into(on, "patient")
    await plays(on.patient, {"physician": DUCKED, "interpreter": 1}, what="the patient hears Arabic")
    heard = await who_hears_whom(on, "simultaneous, into the patient's language", *THREE)
    assert heard == EVERYBODY | {"physician": {"patient"}}
    await picture(on.desk, "simultaneous.interpreter")
    await picture(on.patient, "simultaneous.patient")
    await into(on, "clinician")
    await plays(on.physician, {"patient": DUCKED, "interpreter": 1}, what="the physician hears English")
    heard = await who_hears_whom(on, "simultaneous, into the clinician's language", *THREE)
    assert heard == EVERYBODY | {"patient": {"physician"}}
    await plays(on.patient, {"physician": 1, "interpreter": 0}, what="nothing is heard over the original")


async def into(on: Called, side: str) -> None:
    """By hand, until the interpreter speaks this side's language."""

    wanted = "Arabic" if side == "patient" else "English"
    for _ in range(2):  # where nobody has spoken yet, the first press only says what is so already
        if await on.desk.inner_text("b[data-part=into]") != wanted:
            await story.press(on.desk, "swap")
            await asyncio.sleep(0.5)

    async def now() -> str:
        return await on.desk.inner_text("b[data-part=into]")

    await eventually(now, lambda name: name == wanted, within_s=5, what=f"they speak to the {side}")


async def test_whoever_understands_both_may_hear_the_original_alone(on: Called) -> None:
    await into(on, "patient")
    await story.press(on.patient, "original")
    await eventually(
        lambda: packets(on, "patient", "interpreter"), lambda n: n == 0, within_s=6, what="no interpretation"
    )
    assert (await levels(on.patient))["physician"] == 1
    await story.press(on.patient, "original")
    await plays(on.patient, {"physician": DUCKED, "interpreter": 1}, what="and back")


async def test_one_tap_is_read_by_both_in_their_languages(on: Called) -> None:
    await on.desk.click("[data-do=give_signal][value=slower]")
    await reads(on.physician, "The interpreter asks you to speak more slowly.", within_s=2)
    await reads(on.patient, arabic("The interpreter asks you to speak more slowly."), within_s=2)
    await picture(on.patient, "signal.patient")
    await on.desk.keyboard.press("1")
    await reads(on.physician, "The interpreter asks you to say that again.", within_s=2)


async def test_back_to_consecutive_without_a_gap(on: Called) -> None:
    await switched(on, "consecutive")
    await plays(on.physician, {"patient": DUCKED, "interpreter": 1}, what="the physician hears both in turn")


async def test_a_second_interpreter_listens_in_and_takes_over_without_a_silence(on: Called) -> None:
    await story.press(on.physician, "request_interpreter")
    await rings(on.second, 1, within_s=20)
    await comes(on.second)
    await reads(on.second, in_language("es", "Nobody hears you yet"), within_s=5)
    await plays(on.second, {"patient": 1, "physician": 1, "interpreter": 1}, what="the second hears them all")
    await picture(on.second, "handover.second")
    for page in (on.patient, on.physician, on.desk, on.second):
        await axe.is_accessible(page, texts_min=1)
    heard = await who_hears_whom(on, "a second interpreter listens in", *THREE, "second")
    assert heard == EVERYBODY | {"second": {"patient", "physician", "interpreter"}}
    await on.patient.evaluate(WATCH_VOICES)
    await story.press(on.second, "take_over")
    TIMES["relieved"] = monotonic()
    await asyncio.sleep(2)
    silence_ms = await on.patient.evaluate("() => kit.voices.longest")
    assert silence_ms <= 500
    await story.press(on.desk, "leave")
    await story.press(on.desk, "leave_yes")


# The longest time in which no interpreter's packet was played.
WATCH_VOICES = """() => {
  const seen = { last: performance.now(), longest: 0 };
  kit.voices = seen;
  const stamps = new Map();
  setInterval(() => {
    for (const tile of document.querySelectorAll('#screen [data-role="interpreter"] audio')) {
      const track = tile.srcObject?.getAudioTracks()[0];
      const receiver = meridianMedia.getReceivers().find((one) => one.track === track);
      const stamp = receiver?.getSynchronizationSources()[0]?.timestamp;
      if (stamp === undefined || stamps.get(tile) === stamp) continue;
      stamps.set(tile, stamp);
      seen.last = performance.now();
    }
    seen.longest = Math.max(seen.longest, performance.now() - seen.last);
  }, 20);
}"""


async def test_a_lost_interpreter_is_said_within_three_seconds_in_both_languages(on: Called) -> None:
    await on.second.context.set_offline(True)
    began = monotonic()
    await on.second.evaluate("() => kit.connections.forEach((one) => one.close())")
    words = "The interpreter lost the connection. Please wait a moment."
    await reads(on.physician, words, within_s=6)
    assert monotonic() - began <= TOLD_S_MAX + 0.5
    await reads(on.patient, arabic(words), within_s=3)
    await sees(on.patient, '#screen [data-role="physician"] video', PHYSICIAN)
    await picture(on.physician, "lost.physician")
    await reads(on.physician, "The interpreter lost the connection. We are calling them back.", within_s=25)


async def counted(on: Called) -> None:
    """The coordinators' table says how long the first interpreter was heard, as it was measured here."""
    coordinator = await on.browsers.open(url=on.server.links["coordinator"], viewport=CLINIC_SCREEN)
    await coordinator.wait_for_url("**/board")
    await coordinator.goto(f"{on.server.origin}/board/interpreters")
    await coordinator.wait_for_selector("[data-language=ar]")
    await picture(coordinator, "interpreters.coordinator")
    text = await coordinator.evaluate("() => fetch('/board/interpreters.csv').then((one) => one.text())")
    rows = list(csv.DictReader(io.StringIO(text)))
    turns = [60 * float(row["minutes"]) for row in rows if row["kind"] == "turn"]
    assert turns[0] == pytest.approx(TIMES["relieved"] - TIMES["begun"], abs=MINUTES_S)
    searches = [row for row in rows if row["kind"] == "search"]
    assert [row["closed"] or "connected" for row in searches[:3]] == ["cancelled", "connected", "connected"]


async def test_with_the_end_everybody_is_cut_within_a_second(on: Called) -> None:
    await story.end_consult(on.physician)
    began = monotonic()
    await story.on_screen(on.patient, "ended", within_s=3)
    assert monotonic() - began < 2
    await on.patient.check("[name=stars][value='5']")
    await story.press(on.patient, "rate")
    await reads(on.patient, arabic("Thank you. This helps us."), within_s=5)
    await picture(on.patient, "rated.patient")
    await counted(on)
    assert "Traceback" not in on.server.logged()
