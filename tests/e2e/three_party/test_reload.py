"""A reload keeps the seat: nobody admits again, media is back soon, the others see one person, once."""

import time

from playwright.async_api import Page

from tests.e2e.kit.observe import sees, traffic_during
from tests.e2e.kit.people import PATIENT
from tests.e2e.three_party import story
from tests.e2e.three_party.cast import cast, picture

BACK_S_MAX = 3.0

# How many tiles of the patient the physician's page ever shows at a time, and what it says of them.
WATCH_TILES = """() => {
  window.kit.tiles = { most: 0, least: 99, words: [] };
  const look = () => {
    const tiles = document.querySelectorAll('#screen [data-person][data-role="patient"]');
    const seen = window.kit.tiles;
    seen.most = Math.max(seen.most, tiles.length);
    seen.least = Math.min(seen.least, tiles.length);
    const state = tiles[0]?.dataset.showing;
    if (state && seen.words.at(-1) !== state) seen.words.push(state);
  };
  look();
  const all = { subtree: true, childList: true, attributes: true };
  new MutationObserver(look).observe(document.querySelector("#screen"), all);
}"""
WAITING_CARDS = "() => document.querySelectorAll('[data-waiting]').length"


async def test_a_reload_keeps_the_seat_and_media_is_back_within_three_seconds() -> None:
    async with cast() as people:
        await people.admit_all()
        await story.meet(*people.everyone)
        patient, physician = people.patient, people.physician
        await physician.tab.evaluate(WATCH_TILES)

        began = time.monotonic()
        assert isinstance(patient.tab, Page)
        await patient.tab.reload(wait_until="commit")
        mine = '#screen [data-role="{}"]:not(.tile-self) video'
        await sees(patient.tab, mine.format("physician"), physician.person)
        back_s = time.monotonic() - began
        await story.meet(*people.everyone)

        assert await story.on_screen(patient.tab, "room") == "room"
        assert await physician.tab.evaluate(WAITING_CARDS) == 0, "nobody waits for a second admission"
        tiles = await physician.tab.evaluate("() => kit.tiles")
        assert (tiles["least"], tiles["most"]) == (1, 1), tiles
        assert "left" not in tiles["words"], tiles
        assert back_s <= BACK_S_MAX, f"the patient saw the physician again after {back_s:.1f} s"
        assert people.browsers.errors == []


async def test_a_second_tab_and_a_second_device_ask_before_they_take_over_and_there_is_one_voice() -> None:
    async with cast() as people:
        await people.admit_all()
        await story.meet(*people.everyone)
        first, physician = people.patient.tab, people.physician
        assert isinstance(first, Page)
        await physician.tab.evaluate(WATCH_TILES)
        second = await first.context.new_page()
        await second.goto(first.url)
        await story.on_screen(second, "displaced")
        assert await story.on_screen(first, "room") == "room", "the tab in use goes on until asked to"
        await picture(second, "second.tab")
        await story.press(second, "take_seat")
        await story.on_screen(first, "displaced")
        moved = story.Guest(person=PATIENT, tab=second)
        await story.meet(moved, physician, people.interpreter)
        assert (await traffic_during(first, 1)).packets == 0

        device = await people.browsers.open(PATIENT, url=people.server.links["patient"], phone=True)
        await story.press(device, "join")
        await story.on_screen(device, "displaced")
        assert (await traffic_during(device, 1)).packets == 0
        assert await story.on_screen(second, "room") == "room"
        tiles = await physician.tab.evaluate("() => kit.tiles")
        assert (tiles["least"], tiles["most"]) == (1, 1), tiles
