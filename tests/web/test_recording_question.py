"""How people are asked to be recorded, told of it, and stop it: the seat page in a real Chromium."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.kit import axe
from tests.e2e.kit.browsers import Browsers
from tests.e2e.kit.ports import free_port
from tests.web.seat_site import SPOKEN, Answers, Consult, recording, seat_site, view
from web.consents import RECORDING, consent_text
from web.render import DIST

pytestmark = [
    pytest.mark.skipif(not (DIST / "manifest.json").exists(), reason="the front end is not built"),
    pytest.mark.timeout(120),
]

PHONE = {"width": 390, "height": 844}
LANDSCAPE = {"width": 844, "height": 390}
NARROW = {"width": 320, "height": 568}
DESK = {"width": 1366, "height": 768}
ALL: Answers = {"physician": "agreed", "interpreter": "agreed", "patient": "agreed"}
ASKED: Answers = {**ALL, "patient": None}
# A device with one voice; what it is told to say is kept.
VOICE = """
const spoken = (window.spoken = []);
const voice = { lang: '%s', localService: true, name: 'own' };
Object.defineProperty(window, 'speechSynthesis', { value: {
  speaking: false, getVoices: () => [voice], cancel() {},
  speak(said) { spoken.push([said.lang, said.text]); },
}});
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
"""
# A device without voices; how often a sound is played is counted.
MUTE = """
const none = { speaking: false, getVoices: () => [], cancel() {} };
Object.defineProperty(window, 'speechSynthesis', { value: none });
window.sounds = 0;
HTMLMediaElement.prototype.play = async function () { if (this.src) window.sounds += 1; };
"""
APART = """() => {
  const box = (selector) => document.querySelector(selector).getBoundingClientRect();
  const [sheet, stage, dock] = ['.ask', '[data-part=stage]', '.dock'].map(box);
  const over = (a, b) => Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
    Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  return { picture: over(sheet, stage), controls: over(sheet, dock), height: stage.height };
}"""

OVERFLOW = "() => document.documentElement.scrollWidth - innerWidth"


@pytest.fixture
async def served() -> AsyncIterator[tuple[str, Consult]]:
    async with seat_site(free_port()) as (origin, consult):
        yield origin, consult


async def opened(
    served: tuple[str, Consult],
    browsers: Browsers,
    shown: Mapping[str, Any],
    *,
    tag: str = "en",
    before: str = "",
    **options: Any,
) -> Page:
    origin, consult = served
    page = await browsers.open(**{"viewport": PHONE, "reduced_motion": "reduce", **options})
    if before:
        await page.add_init_script(before)
    await consult.show(shown)
    await page.goto(f"{origin}/c/consult/{shown['me']['role']}?lang={tag}")
    await page.wait_for_selector(f"#screen[data-screen={shown['screen']}]")
    return page


def patient(state: str, answers: Answers = ALL, why: str | None = None, no: int = 1) -> dict[str, Any]:
    return view("patient", recording(state, answers, me="patient", why=why, no=no))


def physician(state: str, answers: Answers = ALL, why: str | None = None) -> dict[str, Any]:
    return view("physician", recording(state, answers, me="physician", why=why))


@pytest.mark.parametrize("size", [PHONE, LANDSCAPE, DESK], ids=["phone", "landscape", "desk"])
async def test_the_question_covers_neither_the_picture_nor_the_controls(
    served: tuple[str, Consult], browsers: Browsers, size: dict[str, int]
) -> None:
    page = await opened(served, browsers, patient("asked", ASKED), viewport=size)
    await expect(page.locator(".ask")).to_be_visible()
    seen = await page.evaluate(APART)
    assert seen["picture"] == seen["controls"] == 0
    assert seen["height"] > 90
    for name in ("[data-do=agree_to_recording]", "[data-do=refuse_recording]", "[data-part=free]"):
        await expect(page.locator(f".ask {name}")).to_be_in_viewport(ratio=1)


async def test_both_answers_look_the_same(served: tuple[str, Consult], browsers: Browsers) -> None:
    page = await opened(served, browsers, patient("asked", ASKED))
    look = "(one) => { const s = getComputedStyle(one); return [s.backgroundColor, s.color, s.borderColor,"
    look += (
        " s.fontSize, s.fontWeight, one.getBoundingClientRect().width, one.getBoundingClientRect().height]; }"
    )
    yes = await page.locator(".ask [data-do=agree_to_recording]").evaluate(look)
    assert yes == await page.locator(".ask [data-do=refuse_recording]").evaluate(look)


async def test_a_yes_names_exactly_the_words_that_were_read(
    served: tuple[str, Consult], browsers: Browsers
) -> None:
    page = await opened(served, browsers, patient("asked", ASKED), tag="ar")
    text = consent_text(RECORDING["video"], "ar")
    for words in (text.title, *text.paragraphs):
        await expect(page.locator(".ask")).to_contain_text(words)
    await page.click(".ask [data-do=agree_to_recording]")
    await expect(page.locator(".ask")).to_be_hidden()
    (sent,) = served[1].of("agree_to_recording")
    shown = (sent["what"], sent["text_id"], sent["text_hash"], sent["language"])
    assert shown == ("video", text.text_id, text.sha256, "ar")


async def test_a_tap_or_a_key_meant_for_something_else_is_no_answer(
    served: tuple[str, Consult], browsers: Browsers
) -> None:
    page = await opened(served, browsers, view("patient"))
    await page.locator(".dock [data-do=mute]").focus()
    await page.evaluate(
        """() => new MutationObserver((_, watch) => {
      if (!document.querySelector('.ask').open) return;
      watch.disconnect();
      const answers = [...document.querySelectorAll('.ask .two button')];
      window.deaf = answers.map((one) => one.disabled);
      for (const one of answers) one.click();
    }).observe(document.body, { attributes: true, subtree: true, attributeFilter: ['open', 'class'] })"""
    )
    await served[1].show(patient("asked", ASKED))
    await expect(page.locator(".ask")).to_be_visible()
    await expect(page.locator(".ask [data-do=agree_to_recording]")).to_be_enabled()
    assert await page.evaluate("window.deaf") == [True, True]
    await expect(page.locator(".dock [data-do=mute]")).to_be_focused()
    assert served[1].of("agree_to_recording") == served[1].of("refuse_recording") == []


async def test_closed_the_question_waits_as_a_line_and_comes_back_only_when_asked_for(
    served: tuple[str, Consult], browsers: Browsers
) -> None:
    page = await opened(served, browsers, patient("asked", ASKED))
    await page.click("[data-do=recording_later]")
    line = page.locator("[data-matter=recording-asked]")
    await expect(line).to_contain_text("You are asked whether this visit may be recorded.")
    await served[1].show(patient("asked", {**ASKED, "interpreter": None}))
    await expect(page.locator(".ask")).to_be_hidden()
    await line.locator("button").click()
    await expect(page.locator(".ask")).to_be_visible()
    await expect(page.locator(".ask [data-answer=none]")).to_have_count(2)
    await page.keyboard.press("Tab")
    await page.locator(".ask [data-do=recording_later]").focus()
    await page.keyboard.press("Escape")
    await expect(page.locator(".ask")).to_be_hidden()
    await expect(line.locator("button")).to_be_focused()


async def test_another_question_is_asked_anew(served: tuple[str, Consult], browsers: Browsers) -> None:
    page = await opened(served, browsers, patient("asked", ASKED))
    await page.click("[data-do=recording_later]")
    await served[1].show(patient("stopped", ASKED, "physician"))
    await expect(page.locator("[data-matter=recording-asked]")).to_have_count(0)
    await served[1].show(patient("asked", ASKED, no=2))
    await expect(page.locator(".ask")).to_be_visible()


async def test_without_a_reviewed_text_there_is_only_a_no(
    served: tuple[str, Consult], browsers: Browsers
) -> None:
    served[1].texts = False
    page = await opened(served, browsers, patient("asked", ASKED))
    await expect(page.locator(".ask [data-part=no-text]")).to_contain_text("so you cannot agree")
    await expect(page.locator(".ask [data-do=agree_to_recording]")).to_be_hidden()
    # This page is not in what the person speaks, and there is one that is.
    await expect(page.locator(".ask [data-language=ar]")).to_be_visible()
    await page.click(".ask [data-do=refuse_recording]")
    assert len(served[1].of("refuse_recording")) == 1


async def test_stopping_is_one_tap_and_can_be_undone_with_one(
    served: tuple[str, Consult], browsers: Browsers
) -> None:
    page = await opened(served, browsers, patient("on"))
    await page.click("[data-part=recording-stop]")
    await served[1].show(patient("paused", {**ALL, "patient": "revoked"}, "revoked"))
    assert len(served[1].of("refuse_recording")) == 1
    await expect(page.locator("[data-part=recording-words]")).to_have_text(
        "Recording paused: you do not agree"
    )
    await expect(page.locator("[data-part=recording-stop]")).to_be_hidden()
    await page.click("[data-matter=recording-undo] button")
    assert len(served[1].of("agree_to_recording")) == 1
    await expect(page.locator("[data-matter=recording-undo]")).to_have_count(0)


async def test_whoever_said_no_can_read_the_question_again(
    served: tuple[str, Consult], browsers: Browsers
) -> None:
    page = await opened(served, browsers, patient("paused", {**ALL, "patient": "refused"}, "refused"))
    await expect(page.locator(".ask")).to_be_hidden()
    await page.click("[data-part=recording-change]")
    # Another view of the same answer does not take it away.
    await served[1].show(patient("paused", {**ALL, "patient": "refused", "interpreter": None}, "refused"))
    await page.click(".ask [data-do=agree_to_recording]")
    assert len(served[1].of("agree_to_recording")) == 1


async def test_a_refused_stop_is_said_and_changes_nothing(
    served: tuple[str, Consult], browsers: Browsers
) -> None:
    page = await opened(served, browsers, patient("on"))
    served[1].refusal = "not_stored"
    await page.click("[data-part=recording-stop]")
    await expect(page.locator("#problem")).to_contain_text("could not save")
    await expect(page.locator("[data-part=recording-stop]")).to_be_visible()
    await expect(page.locator("[data-matter=recording-undo]")).to_have_count(0)


async def test_cut_off_for_three_seconds_the_page_says_that_it_does_not_know(
    served: tuple[str, Consult], browsers: Browsers
) -> None:
    page = await opened(served, browsers, patient("on"))
    mark = page.locator("[data-part=recording]")
    await expect(mark).to_have_text("Recording")
    await served[1].cut()
    await expect(mark).to_have_attribute("data-state", "unknown", timeout=8_000)
    await expect(mark).to_have_text("Recording: not known")
    served[1].online = True
    await expect(mark).to_have_attribute("data-state", "on", timeout=20_000)


async def test_what_changes_is_said_aloud_in_the_language_of_the_page(
    served: tuple[str, Consult], browsers: Browsers
) -> None:
    page = await opened(served, browsers, patient("asked", ASKED), before=VOICE % "en-GB")
    await page.click("[data-do=read_aloud]")
    await served[1].show(patient("on"))
    await served[1].show(patient("paused", {**ALL, "interpreter": None}, "newcomer"))
    await expect(page.locator("#announce")).to_have_text("Recording paused: waits for Karim Haddad to agree")
    await served[1].show(patient("on"))
    await served[1].show(patient("stopped", ALL, "physician"))
    await expect(page.locator("#announce")).to_have_text("The recording is over.")
    read, *said = await page.evaluate("window.spoken")
    text = consent_text(RECORDING["video"], "en")
    assert read == ["en", " ".join((text.title, *text.paragraphs))]
    assert said == [
        ["en", "This visit is now recorded."],
        ["en", "The recording is paused."],
        ["en", "This visit is recorded again."],
        ["en", "The recording is over."],
    ]


async def test_without_a_voice_for_the_language_a_sound_is_played(
    served: tuple[str, Consult], browsers: Browsers
) -> None:
    page = await opened(served, browsers, patient("asked", ASKED), before=MUTE)
    await expect(page.locator(".ask")).to_be_visible()
    await expect(page.locator("[data-do=read_aloud]")).to_be_hidden()
    for step in (patient("on"), patient("paused", ALL, "failed"), patient("stopped")):
        await served[1].show(step)
    await expect(page.locator("[data-part=recording]")).to_have_attribute("data-state", "stopped")
    assert await page.evaluate("window.sounds") == 3


async def test_the_physician_asks_with_the_words_read_and_sees_each_answer(
    served: tuple[str, Consult], browsers: Browsers
) -> None:
    page = await opened(served, browsers, view("physician"), viewport=DESK)
    await page.click(".dock [data-do=ask_recording]")
    await page.click("[data-do=record_what][value=audio]")
    text = consent_text(RECORDING["audio"], "en")
    await expect(page.locator("#dialog-record [data-part=text]")).to_contain_text(text.paragraphs[0])
    await page.click("[data-do=ask_recording_yes]")
    (sent,) = served[1].of("ask_recording")
    assert (sent["what"], sent["text_id"], sent["text_hash"]) == ("audio", text.text_id, text.sha256)
    await served[1].show(physician("asked", {**ASKED, "interpreter": "refused"}))
    panel = page.locator("[data-part=recording-panel]")
    for words in ("You agree", "Salma Al-Rashidi is asked", "Karim Haddad does not agree"):
        await expect(panel).to_contain_text(words)
    await expect(page.locator(".ask")).to_be_hidden()
    await panel.get_by_text("Take the question back").click()
    assert len(served[1].of("stop_recording")) == 1


async def test_the_physician_is_told_before_who_could_only_say_no(
    served: tuple[str, Consult], browsers: Browsers
) -> None:
    shown = view("physician", spoken={**SPOKEN, "patient": "fr"})
    page = await opened(served, browsers, shown, viewport=DESK)
    await page.click(".dock [data-do=ask_recording]")
    words = "Salma Al-Rashidi cannot agree: nobody has reviewed a text in French."
    await expect(page.locator("#dialog-record")).to_contain_text(words)


async def test_after_a_fault_the_physician_lets_it_go_on_with_one_tap(
    served: tuple[str, Consult], browsers: Browsers
) -> None:
    shown = physician("paused", ALL, "failed")
    shown["can"].append("ask_recording")
    page = await opened(served, browsers, shown, viewport=DESK)
    await page.click("[data-matter=recording-failed] button")
    (sent,) = served[1].of("ask_recording")
    assert sent["what"] == "video"
    await expect(page.locator("#dialog-record")).to_be_hidden()


async def test_the_stop_is_in_reach_while_messages_are_written(
    served: tuple[str, Consult], browsers: Browsers
) -> None:
    page = await opened(served, browsers, physician("on"), viewport=DESK)
    await page.click("#tab-chat")
    await page.click(".dock [data-do=stop_recording]")
    assert len(served[1].of("stop_recording")) == 1


async def test_a_late_joiner_is_asked_at_once(served: tuple[str, Consult], browsers: Browsers) -> None:
    late = recording("paused", {**ALL, "interpreter": None}, me="interpreter", why="newcomer")
    page = await opened(served, browsers, view("interpreter", late), viewport=DESK)
    await expect(page.locator(".ask")).to_be_visible()
    await expect(page.locator("[data-part=recording-words]")).to_have_text(
        "Recording paused: your answer is missing"
    )


async def test_the_waiting_room_says_that_the_visit_is_recorded(
    served: tuple[str, Consult], browsers: Browsers
) -> None:
    outside = {**recording("on", ALL, me="patient"), "answers": [], "mine": None}
    page = await opened(served, browsers, view("patient", outside, screen="waiting"))
    await expect(page.locator("[data-part=recorded]")).to_contain_text("This visit is being recorded.")
    await expect(page.locator("[data-part=recorded-stop]")).to_be_hidden()


async def test_on_hold_one_can_still_stop_it(served: tuple[str, Consult], browsers: Browsers) -> None:
    held = view("patient", recording("on", ALL, me="patient"), screen="on_hold")
    held["can"].append("refuse_recording")
    page = await opened(served, browsers, held)
    await page.click("[data-part=recorded-stop]")
    assert len(served[1].of("refuse_recording")) == 1


@pytest.mark.parametrize("tag", ["en", "ar"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_state_of_a_recording_is_accessible(
    served: tuple[str, Consult], browsers: Browsers, tag: str, scheme: str
) -> None:
    page = await opened(served, browsers, patient("asked", ASKED), tag=tag, color_scheme=scheme)
    await expect(page.locator(".ask")).to_be_visible()
    await axe.is_accessible(page, texts_min=5)
    for shown in (patient("on"), patient("paused", {**ALL, "patient": "revoked"}, "revoked")):
        await served[1].show(shown)
        await expect(page.locator("[data-part=recording]")).to_have_attribute(
            "data-state", shown["recording"]["state"]
        )
        await axe.is_accessible(page, texts_min=3)
    desk = await opened(
        served, browsers, physician("asked", ASKED), tag=tag, color_scheme=scheme, viewport=DESK
    )
    await expect(desk.locator("[data-part=recording-panel]")).to_be_visible()
    await axe.is_accessible(desk, texts_min=5)


@pytest.mark.parametrize("tag", ["en", "ar"])
async def test_a_narrow_or_enlarged_page_shows_all_of_the_question(
    served: tuple[str, Consult], browsers: Browsers, tag: str
) -> None:
    page = await opened(served, browsers, patient("asked", ASKED), tag=tag, viewport=NARROW)
    await expect(page.locator(".ask")).to_be_visible()
    assert await page.evaluate(OVERFLOW) <= 0
    await page.evaluate("() => scrollTo(0, document.documentElement.scrollHeight)")
    await expect(page.locator(".dock [data-do=leave]")).to_be_in_viewport(ratio=1)
    await served[1].show(patient("paused", {**ALL, "interpreter": None}, "newcomer"))
    await expect(page.locator("[data-part=recording]")).to_have_attribute("data-state", "paused")
    assert await page.evaluate(OVERFLOW) <= 0
