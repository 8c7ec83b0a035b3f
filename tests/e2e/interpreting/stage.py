"""A patient on a phone in Arabic, a physician, and interpreters at their desks, each in their own browser."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from playwright.async_api import Page

from tests.e2e.kit import needs
from tests.e2e.kit.browsers import Browsers, chromium
from tests.e2e.kit.meridian import Meridian, meridian
from tests.e2e.kit.people import COMPANION, INTERPRETER, PATIENT, PHYSICIAN
from tests.e2e.kit.tab import Tab, eventually
from tests.e2e.three_party import story
from tests.e2e.three_party.cast import CLINIC_SCREEN, picture

TOLD_S_MAX = 3.0
LEVELS = """() => Object.fromEntries([...document.querySelectorAll('#screen [data-person]:not(.tile-self)')]
  .filter((tile) => tile.offsetParent !== null && tile.querySelector('audio').srcObject)
  .map((tile) => [tile.dataset.role, tile.querySelector('audio').volume]))"""
AT_DESK = "() => location.pathname === '/desk'"
RINGS = "() => document.querySelectorAll('[data-ring]').length"
TEXT = "(selector) => document.querySelector(selector)?.innerText ?? ''"


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """Patient and physician are in the room; the desks are open."""

    server: Meridian
    browsers: Browsers
    patient: Page
    physician: Page
    desk: Page
    second: Page

    @property
    def pages(self) -> dict[str, Page]:
        return {
            "patient": self.patient,
            "physician": self.physician,
            "interpreter": self.desk,
            "second": self.second,
        }


@contextlib.asynccontextmanager
async def called() -> AsyncIterator[Called]:
    """Everybody up to where the physician asks for an interpreter."""
    async with meridian(log="interpreting.log") as server, chromium() as browsers:
        on = Called(
            server=server,
            browsers=browsers,
            patient=await browsers.open(
                PATIENT, url=server.links["patient"], phone=True, locale="ar-KW", time_zone="Asia/Kuwait"
            ),
            physician=await browsers.open(PHYSICIAN, url=server.links["physician"], viewport=CLINIC_SCREEN),
            # They speak: a steady tone is noise to a browser, which turns it down to where nobody is heard.
            desk=await browsers.open(
                INTERPRETER, url=server.links["desk"], viewport=CLINIC_SCREEN, speaks="ar"
            ),
            second=await browsers.open(
                COMPANION, url=server.links["second desk"], viewport=CLINIC_SCREEN, speaks="es"
            ),
        )
        try:
            await story.patient_enters(on.patient)
            await story.physician_enters(on.physician)
            await story.admit(on.physician, "patient", identity=True)
            await story.on_screen(on.patient, "room")
            for desk, tag in ((on.desk, "en"), (on.second, "es")):
                await at_desk(desk, tag)
            yield on
        except AssertionError:
            for name, page in on.pages.items():
                await picture(page, f"failed.{name}")
            raise


async def at_desk(desk: Page, tag: str) -> None:
    """The desk is open in this language, and its interpreter available."""
    await eventually(lambda: story.asked(desk, AT_DESK), bool, within_s=20, what="the desk is open")
    await desk.goto(f"{desk.url.partition('?')[0]}?lang={tag}")
    await pressed_state(desk, "available")


async def pressed_state(desk: Tab, state: str) -> None:
    """The desk shows that its interpreter is in this state."""
    chosen = f"() => document.querySelector('[data-do=availability][value={state}]')?.ariaPressed === 'true'"
    await eventually(lambda: story.asked(desk, chosen), bool, within_s=20, what=f"the desk is {state}")


async def rings(desk: Tab, count: int, *, within_s: float) -> float:
    """Wait until so many requests ring at a desk."""
    return float(
        await eventually(
            lambda: story.asked(desk, RINGS),
            lambda seen: seen == count,
            within_s=within_s,
            what=f"{count} ring at the desk",
        )
    )


async def comes(desk: Page) -> None:
    """Accept the ring with a key, and be in the room."""
    await desk.keyboard.press("a")
    await story.check_devices(desk)
    await story.on_screen(desk, "room")


async def levels(page: Tab) -> dict[str, float]:
    """How loud a page plays each of the others now, by role."""
    found = await page.evaluate(LEVELS)
    return {role: round(volume, 2) for role, volume in found.items()}


async def plays(page: Tab, expected: dict[str, float], *, what: str) -> None:
    """Wait until a page plays the others at these levels."""
    await eventually(lambda: levels(page), lambda seen: seen == expected, within_s=6, what=what)


HEARD = """async () => {
  const reports = [...(await meridianMedia.getStats()).values()].filter((one) => one.type === 'inbound-rtp');
  const found = {};
  for (const tile of document.querySelectorAll('#screen [data-person]:not(.tile-self)')) {
    const audio = tile.querySelector('audio');
    const track = audio.srcObject?.getAudioTracks()[0];
    const report = track && reports.find((one) => one.trackIdentifier === track.id);
    if (tile.offsetParent === null || !report) continue;
    found[tile.dataset.role] = [report.packetsReceived, report.totalAudioEnergy, audio.volume];
  }
  return found;
}"""


async def who_hears_whom(on: Called, moment: str, *roles: str) -> dict[str, set[str]]:
    """Of whom packets of sound arrive at these people within a second; a table of it is left in .out.

    In the table: packets, energy of what was received, and how loud it is played.
    """
    before = {role: await on.pages[role].evaluate(HEARD) for role in roles}
    await asyncio.sleep(1)
    found: dict[str, set[str]] = {}
    lines = [moment]
    for role in roles:
        after = await on.pages[role].evaluate(HEARD)
        found[role] = set()
        for speaker, (packets, energy, volume) in sorted(after.items()):
            packets_before, energy_before, _ = before[role].get(speaker, (0, 0, 0))
            came = packets - packets_before
            lines.append(
                f"  {role:<12} hears {speaker:<12} {came:3d} packets {energy - energy_before:8.5f} energy "
                f"at {volume:.2f}"
            )
            if came > 5:
                found[role].add(speaker)
    with needs.out("who-hears-whom.txt").open("a") as file:
        file.write("\n".join(lines) + "\n")
    return found


async def reads(page: Tab, words: str, *, within_s: float) -> None:
    """Wait until the page shows these words."""
    await eventually(
        lambda: story.asked(page, TEXT, "#screen"),
        lambda text: words in (text or ""),
        within_s=within_s,
        what=f"the page says “{words}”",
    )
