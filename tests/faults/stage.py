"""A consult in its room over lines of 50 ms round trip, everybody's gaps watched: where faults are tried."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from playwright.async_api import Page

from tests.e2e.kit import media, needs
from tests.e2e.kit.browsers import Browsers, chromium
from tests.e2e.kit.meridian import Meridian, meridian
from tests.e2e.kit.network import SERVER, Home, Internet, internet
from tests.e2e.kit.people import INTERPRETER, PATIENT, PHYSICIAN, Person
from tests.e2e.kit.tab import eventually
from tests.e2e.three_party import story
from tests.faults.gaps import Gap, GapWatch

ONE_WAY_MS = 25
TIMES = 3
FLOWS_S_MAX = 0.5  # shorter than any gap that is tried
SPEAK: dict[str, media.Language] = {"patient": "ar", "physician": "en", "interpreter": "es"}
PEOPLE = {"patient": PATIENT, "physician": PHYSICIAN, "interpreter": INTERPRETER}


@dataclass(slots=True)
class Guest:
    """Somebody on the stage."""

    role: str
    person: Person
    page: Page
    home: Home
    watch: GapWatch


@dataclass(slots=True)
class Stage:
    """Everybody in the room; the server can be replaced while it plays."""

    net: Internet
    server: Meridian
    browsers: Browsers
    guests: dict[str, Guest] = field(default_factory=dict)

    async def mark(self) -> None:
        await asyncio.gather(*(guest.watch.mark() for guest in self.guests.values()))

    async def gaps(self) -> dict[str, Gap]:
        """By `listener hears|sees speaker`."""
        found = {}
        for role, guest in self.guests.items():
            for name, gap in (await guest.watch.read()).items():
                speaker, kind = name.split(" ")
                found[f"{role} {'hears' if kind == 'audio' else 'sees'} {speaker}"] = gap
        return found

    async def flows(self, *, within_s: float) -> float:
        """Wait until everybody hears and sees everybody; seconds it took."""
        began = monotonic()

        async def still() -> dict[str, float]:
            return {
                name: gap.still_s for name, gap in (await self.gaps()).items() if gap.still_s > FLOWS_S_MAX
            }

        await eventually(
            still, lambda late: not late, within_s=within_s, what="everybody hears and sees everybody"
        )
        return monotonic() - began

    async def longest(self) -> dict[str, float]:
        """The longest gap since the mark, in seconds."""
        return {name: round(gap.longest_s, 2) for name, gap in (await self.gaps()).items()}


def note(fault: str, value: float, *, unit: str = "s") -> None:
    """Leave what was measured in tests/e2e/.out/faults.txt, for the table in server/README.md."""
    with needs.out("faults.txt").open("a") as file:
        file.write(f"{datetime.now(UTC):%F %T}  {value:6.2f} {unit}  {fault}\n")


async def least(measure: Callable[[], Awaitable[float]], within: float, *, times: int = TIMES) -> float:
    """The least of what is measured up to so many times, until it is `within`; each is in faults.txt.

    Two cores that run the server, its workers and three browsers stand still now and then by themselves. That
    is not what is asked here, and it does not happen each time; what the product itself costs does.
    """
    found = await measure()
    for _ in range(times - 1):
        if found <= within:
            break
        found = min(found, await measure())
    return found


def heard(gaps: dict[str, float]) -> float:
    """The longest silence of all."""
    return max(gap for name, gap in gaps.items() if " hears " in name)


def seen(gaps: dict[str, float]) -> float:
    """The longest freeze of all."""
    return max(gap for name, gap in gaps.items() if " sees " in name)


@contextlib.asynccontextmanager
async def stage(
    *roles: str,
    env: dict[str, str] | None = None,
    one_way_ms: float = ONE_WAY_MS,
    lifelike: bool = False,
    **start: Any,
) -> AsyncIterator[Stage]:
    """These people (patient and physician, where none are named) in their room.

    `lifelike`: with speech in place of tones, and a physician whose picture is hard to encode.
    """
    roles = roles or ("patient", "physician")
    async with internet() as net:
        own = {"MERIDIAN_MEDIA__BIND": SERVER, **(env or {})}
        async with (
            meridian("--lan", env=own, prefix=net.server, log="faults.log", **start) as server,
            chromium() as browsers,
        ):
            made = Stage(net, server, browsers)
            for role in roles:
                await _enter(made, role, roles, lifelike=lifelike)
                await made.guests[role].home.line.set(delay_ms=one_way_ms)
            physician = made.guests["physician"].page
            for role in roles:
                if role != "physician":
                    await story.admit(physician, role, identity=role == "patient")
            for guest in made.guests.values():
                await story.on_screen(guest.page, "room")
                await guest.watch.begin()
            await made.flows(within_s=20)
            yield made


async def _enter(made: Stage, role: str, roles: tuple[str, ...], *, lifelike: bool) -> None:
    home = await made.net.home()
    page = await made.browsers.open(
        PEOPLE[role],
        url=made.server.links[role],
        home=home,
        phone=role == "patient",
        speaks=SPEAK[role] if lifelike else None,
        busy=lifelike and role == "physician",  # to encode three of them is more than two cores can do
    )
    enter = {
        "patient": story.patient_enters,
        "physician": story.physician_enters,
        "interpreter": story.interpreter_enters,
    }[role]
    await enter(page)
    others = [other for other in roles if other != role]
    made.guests[role] = Guest(role, PEOPLE[role], page, home, GapWatch(page, *others))
