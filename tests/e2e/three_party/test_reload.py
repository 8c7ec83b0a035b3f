"""A reload keeps the seat: nobody admits again, media is back soon, the others see one person, once."""

import time

from playwright.async_api import Page

from tests.e2e.kit.observe import sees
from tests.e2e.three_party import story
from tests.e2e.three_party.cast import cast

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
