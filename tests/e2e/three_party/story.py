"""The steps three people take in a consult, as they take them: by pressing what is on their screens."""

from dataclasses import dataclass
from typing import Any

from playwright.async_api import Error

from tests.e2e.kit.observe import hears, sees
from tests.e2e.kit.people import Person
from tests.e2e.kit.tab import Tab, eventually

STEP_S_MAX = 20

PRESS = """(name) => {
  const shown = (element) => element.offsetParent !== null && !element.disabled;
  const button = [...document.querySelectorAll(`[data-do="${name}"]`)].find(shown);
  button?.click();
  return Boolean(button);
}"""
PRESS_ABOUT = """([name, role]) => {
  const card = document.querySelector(`[data-waiting][data-role="${role}"]`);
  const button = card?.querySelector(`[data-do="${name}"]`);
  button?.click();
  return Boolean(button);
}"""
SCREEN = "() => document.querySelector('#screen')?.dataset.screen ?? null"
DIALOGS = "() => document.querySelectorAll('dialog[open]').length"
TICK = """(selector) => {
  const box = document.querySelector(selector);
  if (!box || box.offsetParent === null) return false;
  if (!box.checked) box.click();
  return box.checked;
}"""
FILL = """([selector, value]) => {
  const field = document.querySelector(selector);
  if (!field) return false;
  field.value = value;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  field.dispatchEvent(new Event('change', { bubbles: true }));
  return true;
}"""
TILES = """() => [...document.querySelectorAll('#screen [data-person]')]
  .filter((tile) => tile.offsetParent !== null && !tile.classList.contains('tile-self'))
  .map((tile) => tile.dataset.role).sort()"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Somebody in the consult: who they look and sound like, and their tab."""

    person: Person
    tab: Tab

    @property
    def role(self) -> str:
        return self.person.name


async def asked(tab: Tab, script: str, arg: Any = None) -> Any:
    """What the page answers; None while it goes from one document to the next."""
    try:
        return await tab.evaluate(script, arg)
    except (Error, RuntimeError) as error:
        if "closed" in str(error):
            raise
        return None


async def press(tab: Tab, name: str) -> None:
    """Press the button once it is on the screen."""
    await eventually(
        lambda: asked(tab, PRESS, name), bool, within_s=STEP_S_MAX, what=f"“{name}” can be pressed"
    )


async def on_screen(tab: Tab, *names: str, within_s: float = STEP_S_MAX) -> str:
    """Wait until the page shows one of these screens, and say which."""
    shown = await eventually(
        lambda: asked(tab, SCREEN),
        lambda name: name in names,
        within_s=within_s,
        what=f"the screen is {names}",
    )
    return str(shown)


async def fill(tab: Tab, selector: str, value: str) -> None:
    """Fill in a field as typing does."""
    await eventually(
        lambda: asked(tab, FILL, [selector, value]), bool, within_s=STEP_S_MAX, what=f"{selector} is there"
    )


async def check_devices(tab: Tab) -> None:
    """From the check's first page to after the devices; staff who passed it in this browser skip it."""

    async def begun() -> str | None:
        screen = await asked(tab, SCREEN)
        if screen == "check":
            return "check" if await asked(tab, PRESS, "open_devices") else None
        return screen if screen in ("waiting", "room") else None

    if await eventually(begun, bool, within_s=STEP_S_MAX, what="the check begins") == "check":
        await press(tab, "next")


async def patient_enters(tab: Tab) -> None:
    """From the invitation to the waiting room: devices, place, consent."""
    await press(tab, "join")
    await check_devices(tab)
    await patient_agrees(tab)


async def patient_agrees(tab: Tab) -> None:
    """From after the devices to the waiting room: place, consent."""
    await fill(tab, "#country", "KW")
    await fill(tab, "#place", "Salmiya, Block 4, Street 12")
    await press(tab, "place_next")
    await press(tab, "consent_yes")
    await on_screen(tab, "waiting")


async def interpreter_enters(tab: Tab) -> None:
    """From the invitation to the waiting room."""
    await press(tab, "join")
    await check_devices(tab)
    await on_screen(tab, "waiting")


async def physician_enters(tab: Tab) -> None:
    """From the board, whose first row is the next to be seen, to the room."""
    await press(tab, "enter")
    await check_devices(tab)
    await on_screen(tab, "room")


async def end_consult(physician: Tab) -> None:
    """The physician ends it, and confirms."""
    await press(physician, "end")
    await press(physician, "end_yes")


async def admit(physician: Tab, role: str, *, identity: bool = False) -> None:
    """The physician lets somebody in from the room's panel."""
    await eventually(
        lambda: asked(physician, PRESS_ABOUT, ["admit", role]),
        bool,
        within_s=STEP_S_MAX,
        what=f"the {role} waits",
    )
    if not identity:
        return
    box = "#dialog-admit input[name=identity]"
    await eventually(
        lambda: asked(physician, TICK, box), bool, within_s=STEP_S_MAX, what="identity is ticked"
    )
    await press(physician, "admit_yes")
    await eventually(
        lambda: asked(physician, DIALOGS), lambda shown: shown == 0, within_s=STEP_S_MAX, what="it is done"
    )


async def shows_tiles(tab: Tab, roles: list[str]) -> None:
    """The page shows a tile for each of these people and for nobody else."""
    wanted = sorted(roles)
    what = f"there are tiles of {wanted} alone"
    await eventually(lambda: asked(tab, TILES), lambda seen: seen == wanted, within_s=STEP_S_MAX, what=what)


async def meet(*guests: Guest) -> None:
    """Everybody sees and hears exactly the others."""
    for me in guests:
        others = [other for other in guests if other is not me]
        await shows_tiles(me.tab, [other.role for other in others])
        for other in others:
            tile = f'#screen [data-role="{other.role}"]:not(.tile-self)'
            await sees(me.tab, f"{tile} video", other.person)
            await hears(me.tab, f"{tile} audio", other.person)
