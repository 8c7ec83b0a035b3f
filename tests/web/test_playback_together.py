"""The views of a recording in a real Chromium: played together, jumps, gaps, keys, voices."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.e2e.kit import axe
from tests.e2e.kit.browsers import Browsers
from tests.web import recording_samples as samples
from tests.web.playback_page import (
    DESK,
    FRAME_MS,
    JUMP_MS_MAX,
    PATH,
    PLACES,
    TOGETHER,
    TOGETHER_MS_MAX,
    apart_ms,
    forget_jump,
    jumped,
    opened,
    position,
    until,
)
from tests.web.recording_site import Vault
from web.render import DIST

pytestmark = [
    pytest.mark.skipif(not (DIST / "manifest.json").exists(), reason="the front end is not built"),
    pytest.mark.timeout(180),
]


# --- playing ------------------------------------------------------------------------------------------------


async def test_the_pictures_stay_together_while_they_play(origin: str, browsers: Browsers) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await opened(page, origin, fragment="#t=17.8")
    await page.keyboard.press("Space")
    await until(page, 18.5)
    clocks, pictures = [], []
    for _ in range(50):
        places = await page.evaluate(PLACES)
        assert len(places) == 4, "three people and a screen"
        clocks.append(apart_ms([one[0] for one in places]))
        pictures.append(apart_ms([one[1] for one in places]))
        await asyncio.sleep(0.1)
    assert max(clocks) <= TOGETHER_MS_MAX
    assert max(pictures) <= TOGETHER_MS_MAX + FRAME_MS, "a picture stands for its length"
    assert browsers.errors == []


async def test_one_that_was_moved_away_comes_back_to_the_others(origin: str, browsers: Browsers) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await opened(page, origin, fragment="#t=17")
    await page.keyboard.press("Space")
    await until(page, 17.5)
    for off_s in (0.15, -0.2, 2.0):
        await page.evaluate("(off) => { document.querySelectorAll('video')[2].currentTime += off; }", off_s)
        await page.wait_for_function(TOGETHER, timeout=6000)


async def test_a_view_that_stalls_holds_all_of_them(vault: Vault, origin: str, browsers: Browsers) -> None:
    vault.held, vault.held_after_bytes = "p1", 100_000
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await page.goto(f"{origin}{PATH}")
    await page.click("[data-do=open]")
    await page.wait_for_selector("#player[data-jump-ms]")
    await page.keyboard.press("Space")
    await page.wait_for_selector("#player[data-state=buffering]")
    await expect(page.locator("#loading")).to_contain_text("Loading")
    first = await position(page)
    assert await page.evaluate("() => [...document.querySelectorAll('video')].every((one) => one.paused)")
    await asyncio.sleep(0.5)
    assert await position(page) == first, "nobody ran on"
    vault.flow.set()
    await page.wait_for_selector("#player[data-state=playing]")
    await until(page, first + 0.5)


async def test_a_jump_takes_less_than_half_a_second(origin: str, browsers: Browsers) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await opened(page, origin)
    await page.keyboard.press("Space")
    await until(page, 0.5)
    took = []
    track = await page.locator(".pic").first.bounding_box()
    assert track is not None
    for share in (0.9, 0.1, 0.7, 0.3):
        await forget_jump(page)
        await page.mouse.click(track["x"] + share * track["width"], track["y"] + track["height"] / 2)
        took.append(await jumped(page))
        assert abs(await position(page) - share * samples.LENGTH_S) < 0.5
    await forget_jump(page)
    await page.locator("#moments a", has_text="Interpreting starts").click()
    took.append(await jumped(page))
    assert 5.2 <= await position(page) < 6
    assert max(took) < JUMP_MS_MAX
    assert await page.get_attribute("#player", "data-state") == "playing", "it goes on where it was sent to"


async def test_dragging_along_the_time_line_moves_through_it(origin: str, browsers: Browsers) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await opened(page, origin)
    track = await page.locator(".pic").first.bounding_box()
    assert track is not None
    y = track["y"] + track["height"] / 2
    await page.mouse.move(track["x"] + 5, y)
    await page.mouse.down()
    for step in range(1, 9):
        await page.mouse.move(track["x"] + step * track["width"] / 10, y)
    await page.mouse.up()
    await page.wait_for_function("() => !document.querySelector('video').seeking")
    assert abs(await position(page) - 24) < 0.5
    places = await page.evaluate(
        "() => [...document.querySelectorAll('[data-kind=person] video')].map((v) => v.currentTime)"
    )
    assert apart_ms(places) < 1


async def test_a_gap_is_skipped_and_named_unless_one_wants_it(origin: str, browsers: Browsers) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await opened(page, origin, fragment="#t=11")
    await page.keyboard.press("Space")
    await until(page, 12.1)
    assert await position(page) >= 16
    await expect(page.locator("#gap-note")).to_have_text("Skipped: paused for 4 s (consent revoked)")
    await page.uncheck("#skip-gaps")
    await page.evaluate("() => { location.hash = '#t=11.5'; }")
    await until(page, 12.5)
    assert await position(page) < 15
    await expect(page.locator("#gap-note")).to_have_text("paused for 4 s (consent revoked)")
    await expect(page.locator("[data-view=p0] .over")).to_have_text("Nothing was recorded here.")
    await until(page, 16.2)
    assert len(await page.evaluate(PLACES)) == 3, "all are back after it"


async def test_the_keyboard_does_everything(origin: str, browsers: Browsers) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await opened(page, origin)
    await page.keyboard.press("End")
    await expect(page.locator("#at")).to_have_text("0:30")
    await page.keyboard.press("Home")
    await expect(page.locator("#at")).to_have_text("0:00")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#at")).to_have_text("0:10")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#at")).to_have_text("0:24")  # the gap does not count
    await page.keyboard.press("ArrowLeft")
    await expect(page.locator("#at")).to_have_text("0:10")
    await page.keyboard.press(",")
    assert await position(page) == pytest.approx(9.96, abs=0.011)
    await page.keyboard.press(".")
    assert await position(page) == pytest.approx(10, abs=0.011)
    await page.focus("#seek")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#seek")).to_have_attribute("aria-valuetext", "24 seconds of 30 seconds")
    await page.keyboard.press("Space")
    await page.wait_for_selector("#player[data-state=playing]")
    await page.keyboard.press("Space")
    await page.wait_for_selector("#player[data-state=paused]")
    await page.focus("#speed")
    await page.keyboard.press("ArrowDown")
    assert await page.input_value("#speed") == "1.25", "a list keeps its own keys"


async def test_at_the_end_it_rests_and_begins_again(origin: str, browsers: Browsers) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await opened(page, origin, fragment="#t=29")
    await page.select_option("#speed", "2")
    await page.click("#play")
    await page.wait_for_selector("#player[data-state=ended]")
    await page.click("#play")
    await page.wait_for_selector("#player[data-state=playing]")
    assert await position(page) < 5


async def test_voices_are_chosen_by_language_and_set_one_by_one(origin: str, browsers: Browsers) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await opened(page, origin)
    heard = """() => [...document.querySelectorAll('[data-kind=person]')]
      .filter((one) => !one.querySelector('video').muted).map((one) => one.dataset.view)"""
    assert await page.evaluate(heard) == ["p0", "p1", "p2"]
    await page.click("#languages [data-language=en]")
    assert await page.evaluate(heard) == ["p1", "p2"], "the interpreter speaks both"
    await page.click("#languages [data-language='']")
    await page.click("text=Volume of each voice")
    await page.focus("#voice-0")
    await page.keyboard.press("Home")
    assert await page.evaluate(heard) == ["p1", "p2"]
    assert await position(page) == 0, "the slider keeps its own keys"


async def test_who_speaks_and_whose_screen_is_shared_is_seen(origin: str, browsers: Browsers) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await opened(page, origin, fragment="#t=1")
    await expect(page.locator(".speaking")).to_have_attribute("data-view", "p0")
    await expect(page.locator("[data-view=p2] .over")).to_have_text("Not here at this moment")
    await expect(page.locator("[data-view=s1]")).to_be_hidden()
    await page.evaluate("() => { location.hash = '#t=20'; }")
    await expect(page.locator(".speaking")).to_have_attribute("data-view", "p2")
    await expect(page.locator("[data-view=s1]")).to_be_visible()
    screen = await page.locator("[data-view=s1]").bounding_box()
    person = await page.locator("[data-view=p0]").bounding_box()
    assert screen is not None
    assert person is not None
    assert screen["width"] * screen["height"] > 3 * person["width"] * person["height"]


async def test_what_cannot_be_played_is_said_and_not_asked_for_again_and_again(
    vault: Vault, origin: str, browsers: Browsers
) -> None:
    vault.broken = "p1"
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await opened(page, origin)
    await expect(page.locator("#broken")).to_contain_text("Some pictures cannot be loaded.")
    await expect(page.locator("[data-view=p1] .over")).to_have_text("This picture cannot be loaded.")
    await page.keyboard.press("Space")
    await until(page, 2)
    assert len(vault.of("open")) == 2, "once more, as the grant may have run out"
    await axe.is_accessible(page, texts_min=10)
    vault.broken = ""
    await page.click("#again")
    await expect(page.locator("#broken")).to_be_hidden()
    await page.wait_for_function("() => document.querySelectorAll('video')[2].readyState > 2")


async def test_when_the_grant_has_run_out_it_is_opened_again_by_itself(
    vault: Vault, origin: str, browsers: Browsers
) -> None:
    vault.grants = {"a-newer-one"}
    vault.answers.append(samples.opened() | {"grant": "a-newer-one"})
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await page.goto(f"{origin}{PATH}")
    await page.click("[data-do=open]")
    await page.wait_for_function(
        "() => [...document.querySelectorAll('video')].every((one) => one.readyState > 2)"
    )
    assert len({str(one) for one in vault.of("open")}) == 1, "the same purpose as before"


@pytest.mark.parametrize("tag", ["en", "ar"])
async def test_time_runs_from_left_to_right_in_every_language(
    origin: str, browsers: Browsers, tag: str
) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await opened(page, origin, tag, "#t=7.5")
    track = await page.locator(".pic").first.bounding_box()
    head = await page.locator("#head").bounding_box()
    assert track is not None
    assert head is not None
    assert head["x"] + head["width"] / 2 == pytest.approx(track["x"] + track["width"] / 4, abs=3)
    await page.focus("#seek")
    await page.keyboard.press("ArrowRight")
    assert await position(page) > 16
