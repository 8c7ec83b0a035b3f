"""A consult of three is recorded: agreed to in browsers, interrupted in every way, watched and exported."""

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import av
import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.e2e.kit import axe, media, needs
from tests.e2e.kit.browsers import Browsers, chromium
from tests.e2e.kit.clock import LOOP_S, STEP_S, loudness, place_in, sights
from tests.e2e.kit.meridian import Meridian, meridian
from tests.e2e.kit.people import INTERPRETER, PATIENT, PHYSICIAN
from tests.e2e.kit.tab import eventually
from tests.e2e.three_party import story
from tests.e2e.three_party.cast import CLINIC_SCREEN, picture
from tests.hostile.machine import processes
from web.catalog import load_catalog

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

RECORDED_S = 4.0
PIECE_S = 2.0
REVOKED_S = 3.0
GAP_S = 1.0
EDGE_S = 0.3  # the last word of a voice ends a moment after the last picture
QUIET = 20
LOUD = 300
JUMP_MS_MAX = 500
STEP_S_MAX = 0.04
AHEAD_S_MAX = 0.1
BEHIND_S_MAX = 2.0
VOICE_S_MAX = 0.2
FOUND: dict[str, float] = {}
# From the page itself, as a request from elsewhere is refused whoever sends it.
LISTED = """async () => (await fetch('/api/recordings', { method: 'POST', body: '{}',
  headers: { 'Content-Type': 'application/json' } })).status"""
STATE = "() => document.querySelector('[data-part=recording]')?.dataset.state ?? null"
WORDS = "() => document.querySelector('[data-part=recording-words]')?.innerText ?? ''"
OPENED = "(name) => document.querySelector(`#dialog-${name}`)?.open === true"


@dataclass(slots=True, kw_only=True)
class Filmed:
    """Patient and physician are in the room; the interpreter waits. Cameras count, voices are known."""

    server: Meridian
    browsers: Browsers
    patient: Page
    physician: Page
    interpreter: Page

    @property
    def pages(self) -> dict[str, Page]:
        return {"patient": self.patient, "physician": self.physician, "interpreter": self.interpreter}

    def parts(self) -> list[Path]:
        return sorted((self.server.data / "recordings").glob("*.tcr"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on() -> AsyncIterator[Filmed]:
    async with meridian(log="recording.log") as server, chromium() as browsers:
        made = Filmed(
            server=server,
            browsers=browsers,
            patient=await browsers.open(
                PATIENT,
                url=server.links["patient"],
                phone=True,
                locale="ar-KW",
                time_zone="Asia/Kuwait",
                speaks="ar",
                clock=True,
            ),
            physician=await browsers.open(
                PHYSICIAN, url=server.links["physician"], viewport=CLINIC_SCREEN, speaks="en", clock=True
            ),
            interpreter=await browsers.open(
                INTERPRETER, url=server.links["interpreter"], speaks="es", clock=True
            ),
        )
        try:
            await story.patient_enters(made.patient)
            await story.physician_enters(made.physician)
            await story.admit(made.physician, "patient", identity=True)
            await story.on_screen(made.patient, "room")
            await story.interpreter_enters(made.interpreter)
            yield made
        except AssertionError:
            for name, page in made.pages.items():
                await picture(page, f"failed.recording.{name}")
            raise


async def shows(page: Page, state: str, *, within_s: float = 5.0) -> float:
    """Wait until the page's mark says so; returns the seconds it took."""
    return float(
        await eventually(
            lambda: story.asked(page, STATE),
            lambda seen: seen == state,
            within_s=within_s,
            what=f"the page says that recording is {state}",
        )
        and 0.0
    )


async def opens(page: Page, name: str) -> None:
    await eventually(lambda: story.asked(page, OPENED, name), bool, within_s=5, what=f"{name} is open")


async def test_everybody_present_is_asked_in_their_language_and_then_it_is_recorded(on: Filmed) -> None:
    for page in (on.patient, on.physician):
        await shows(page, "none")
    await story.press(on.physician, "ask_recording")
    await opens(on.physician, "record")
    await picture(on.physician, "recording.ask.physician")
    await story.press(on.physician, "ask_recording_yes")
    await opens(on.patient, "recording")
    text = load_catalog("ar").text("Yes, record")
    assert text in await on.patient.inner_text("#dialog-recording")
    await picture(on.patient, "recording.sheet.patient")
    await axe.is_accessible(on.patient, texts_min=5)
    for page in (on.patient, on.physician):
        await shows(page, "asked")
    assert on.parts() == []
    await story.press(on.patient, "agree_to_recording")
    for page in (on.patient, on.physician):
        await shows(page, "on")
    await eventually(lambda: found(on, 1), bool, within_s=3, what="there is a part")
    await asyncio.sleep(RECORDED_S)
    for name in ("patient", "physician"):
        await picture(on.pages[name], f"recording.on.{name}")


async def found(on: Filmed, count: int) -> bool:
    return len(on.parts()) >= count


async def test_the_interpreter_joins_in_the_middle_and_it_waits_for_them(on: Filmed) -> None:
    await story.admit(on.physician, "interpreter")
    await story.on_screen(on.interpreter, "room")
    for page in on.pages.values():
        await shows(page, "paused")
    await opens(on.interpreter, "recording")
    await picture(on.physician, "recording.newcomer.physician")
    await story.press(on.interpreter, "agree_to_recording")
    for page in on.pages.values():
        await shows(page, "on")
    await asyncio.sleep(RECORDED_S)


async def test_the_patient_revokes_with_one_tap_and_agrees_again(on: Filmed) -> None:
    await story.press(on.patient, "refuse_recording")
    for page in on.pages.values():
        await shows(page, "paused", within_s=2)
    await picture(on.patient, "recording.revoked.patient")
    await asyncio.sleep(REVOKED_S - 1)
    sizes = {part: part.stat().st_size for part in on.parts()}
    await asyncio.sleep(1)
    assert {part: part.stat().st_size for part in on.parts()} == sizes
    await story.press(on.patient, "recording_open")
    await story.press(on.patient, "agree_to_recording")
    for page in on.pages.values():
        await shows(page, "on")
    await asyncio.sleep(RECORDED_S)


async def test_a_killed_worker_costs_one_part_and_another_begins(on: Filmed) -> None:
    before = len(on.parts())
    killed_s = monotonic()
    for pid in workers(on):
        os.kill(pid, signal.SIGKILL)
    await eventually(lambda: found(on, before + 1), bool, within_s=20, what="another part")
    FOUND["worker killed, another part after, s"] = monotonic() - killed_s
    await asyncio.sleep(RECORDED_S)
    for page in on.pages.values():
        await shows(page, "on")


def workers(on: Filmed) -> list[int]:
    found = processes(on.server.process.pid)
    return [pid for pid in found if b"media.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def test_it_is_watched_afterwards_in_one_timeline_and_every_opening_is_logged(on: Filmed) -> None:
    await story.end_consult(on.physician)
    await story.on_screen(on.patient, "ended")
    page = await on.physician.context.new_page()
    await page.goto(f"{on.server.origin}/recordings?lang=en")
    await page.click("[data-recording] a")
    await page.click("[data-do=open]")
    await page.wait_for_selector("#player[data-jump-ms]", timeout=60_000)
    await picture(page, "recording.playback")
    assert await page.locator("#stage video").count() == 3
    moments = await page.inner_text("#moments")
    for words in (
        "Recording pauses",
        "takes the consent back",
        "Gap of",
        "a part is missing",
        "Recording ends",
    ):
        assert words in moments, moments
    await page.evaluate("() => delete document.getElementById('player').dataset.jumpMs")
    await page.fill("#seek", "2")
    await page.wait_for_selector("#player[data-jump-ms]")
    FOUND["jump_ms"] = float(await page.get_attribute("#player", "data-jump-ms") or "nan")
    await page.click("#access-log")
    await page.wait_for_selector("#dialogs dialog[open] >> text=Marlowe")
    await page.close()


async def test_one_file_of_all_shows_everybody_side_by_side(
    on: Filmed, tmp_path_factory: pytest.TempPathFactory
) -> None:
    page = await on.physician.context.new_page()
    await page.goto(f"{on.server.origin}/recordings?lang=en")
    await page.click("[data-recording] a")
    await page.click("[data-do=open]")
    await page.click("#export")
    await page.click("[data-do=confirm-export]")
    await page.click("[data-do=compose]", timeout=30_000)
    ready = "#dialogs dialog[open] a[href*='composed']"
    await page.wait_for_selector(ready, timeout=90_000)
    answer = await page.request.get(f"{on.server.origin}{await page.get_attribute(ready, 'href')}")
    assert answer.status == 200
    file = tmp_path_factory.mktemp("composed") / "all.webm"
    file.write_bytes(await answer.body())
    seen = colours(file, at_s=7.0)
    for person in (PATIENT, PHYSICIAN, INTERPRETER):
        assert any(alike(colour, person.colour) for colour in seen), f"{person.name} is not in the picture"
    assert max(loudness(file)) > LOUD
    await page.close()


def colours(file: Path, *, at_s: float) -> set[tuple[int, int, int]]:
    """What there is in the picture of that moment, every sixteenth point both ways."""
    with av.open(str(file)) as container:
        frame = next(one for one in container.decode(video=0) if (one.time or 0.0) >= at_s)
        picture = frame.reformat(format="rgb24")
    plane = bytes(picture.planes[0])
    size = picture.planes[0].line_size
    points = ((x * 3 + y * size) for y in range(0, picture.height, 16) for x in range(0, picture.width, 16))
    return {(plane[at], plane[at + 1], plane[at + 2]) for at in points}


def alike(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 60 for a, b in zip(one, other, strict=True))


async def test_the_patient_and_the_interpreter_cannot_open_it(on: Filmed) -> None:
    assert await on.physician.evaluate(LISTED) == 200
    for page in (on.patient, on.interpreter):
        assert await page.evaluate(LISTED) in (401, 403)


async def test_what_is_exported_is_what_was_seen_and_said_and_nothing_of_the_pauses(
    on: Filmed, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("export")
    recording = on.parts()[0].name.partition(".")[0]
    code = await command(on, "recording", "export", recording, "--to", str(folder))
    assert code == 1, "one part ends early: its worker was killed"
    files = {file.stem.rpartition(".")[2].rpartition("-")[2]: file for file in folder.glob("*.webm")}
    assert set(files) == {"p0", "p1", "p2"}, files
    for view in ("p0", "p1"):
        nothing_of_the_pause(files[view])
    for view, voice in (("p0", "ar"), ("p1", "en"), ("p2", "es")):
        in_step(files[view], known=loudness(media.speech(voice)))  # type: ignore[arg-type]


def nothing_of_the_pause(file: Path) -> None:
    """While the patient had not agreed, `REVOKED_S`, there is neither a picture nor a sound."""
    seen, curve = sights(file), loudness(file)
    missing = [b.at_s - a.at_s for a, b in itertools.pairwise(seen) if b.at_s - a.at_s > GAP_S]
    FOUND[f"{file.stem}, worker killed, no picture for, s"] = missing[-1]
    gaps = [a.at_s for a, b in itertools.pairwise(seen) if b.at_s - a.at_s > REVOKED_S]
    assert gaps, f"{file.name}: nothing is left out"
    for begins_s in gaps:
        inside = curve[round((begins_s + EDGE_S) / STEP_S) : round((begins_s + REVOKED_S) / STEP_S)]
        assert max(inside) < QUIET, f"{file.name}: something is heard after {begins_s} s"


def in_step(file: Path, *, known: list[float]) -> None:
    """The clock and the voice run as the file does, over every gap.

    A fake camera of a busy browser loses time, and never wins any: what is shown falls behind its own
    beginning by steps, and is in step between them.
    """
    seen = sights(file)
    assert len(seen) > 100, f"{file.name}: the clock is not seen"
    behind = [turned(one.at_s - one.clock_s, seen[0].at_s - seen[0].clock_s, LOOP_S) for one in seen]
    slips(f"{file.stem} picture", behind)
    curve, loop_s = loudness(file), len(known) * STEP_S
    places = []
    for begins_s in loud_moments(curve):
        at_s, alike = place_in(curve[round(begins_s / STEP_S) : round((begins_s + PIECE_S) / STEP_S)], known)
        if alike > 0.8:
            places.append(begins_s - at_s)
    assert len(places) >= 2, f"{file.name}: the voice is not heard"
    slips(f"{file.stem} voice", [turned(one, places[0], loop_s) for one in places])


def turned(value_s: float, from_s: float, loop_s: float) -> float:
    """The distance on a loop, the shorter way round."""
    return (value_s - from_s + loop_s / 2) % loop_s - loop_s / 2


def slips(name: str, behind_s: list[float]) -> None:
    steps = [after - before for before, after in itertools.pairwise(behind_s)]
    FOUND[f"{name}, lost in all"] = behind_s[-1]
    FOUND[f"{name}, middle step"] = sorted(map(abs, steps))[len(steps) // 2]
    assert FOUND[f"{name}, middle step"] < STEP_S_MAX, FOUND
    assert min(behind_s) > -AHEAD_S_MAX, f"{name} is ahead of its clock: {FOUND}"
    assert max(behind_s) < (VOICE_S_MAX if "voice" in name else BEHIND_S_MAX), (
        f"{name} is behind its clock: {FOUND}"
    )


def loud_moments(curve: list[float]) -> list[float]:
    """Where pieces of speech begin that are long enough to be recognised."""
    size = round(PIECE_S / STEP_S)
    return [
        at * STEP_S
        for at in range(0, len(curve) - size, size)
        if sum(value > 200 for value in curve[at : at + size]) > size * 0.5
    ]


async def command(on: Filmed, *words: str) -> int:
    """Run a command of the program beside the server, on its data."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", *words),
        cwd=needs.ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(needs.ROOT),
            "MERIDIAN_SERVER__DATA_DIR": str(on.server.data),
            "MERIDIAN_CLINIC__ID": "demo",
        },
    )
    return await process.wait()


async def test_what_was_measured_is_left_to_be_read() -> None:
    lines = [f"{name:<40} {value:8.3f}" for name, value in sorted(FOUND.items())]
    needs.out("recording-measured.txt").write_text("\n".join(lines) + "\n")
    assert FOUND["jump_ms"] < JUMP_MS_MAX
