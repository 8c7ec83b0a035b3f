"""Processes that die, stand still or are replaced under a running consult: nobody is admitted again."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.kit.tab import eventually
from tests.e2e.three_party import story
from tests.faults.clicks import heard_since, listen
from tests.faults.stage import Stage, heard, least, note, seen, stage
from tests.hostile.machine import processes

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

SOUND_BACK_S, PICTURE_BACK_S = 3.0, 4.0
NO_GAP_S = 0.3
STOPPED_S = 5
SETTLED_S, STEADY_S = 3, 1  # the browser's noise suppression takes a tone down at first
CLICK_MIN = 3.0  # a tone cut off at its height jumps ten times as far as it ever does by itself
DRAINED_S_MAX = 10
MESSAGES = "() => [...document.querySelectorAll('[data-part=log] .said')].map((one) => one.textContent)"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on() -> AsyncIterator[Stage]:
    async with stage() as made:
        yield made


def workers(on: Stage) -> list[int]:
    found = processes(on.server.process.pid)
    return [pid for pid in found if b"media.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def test_sound_and_picture_are_back_without_a_click_after_a_media_worker_is_killed(on: Stage) -> None:
    listener = on.guests["patient"].page
    await listen(listener, "physician")

    async def late() -> float:
        """How much later than allowed sound or picture was back."""
        await asyncio.sleep(SETTLED_S)
        await heard_since(listener)
        gaps = await killed(on)
        note("media worker killed, sound", heard(gaps))
        note("media worker killed, picture", seen(gaps))
        return max(heard(gaps) - SOUND_BACK_S, seen(gaps) - PICTURE_BACK_S)

    assert await least(late, 0) <= 0
    through = await heard_since(listener)
    await asyncio.sleep(STEADY_S)
    steady = await heard_since(listener)
    ratio = through.jump / steady.jump
    note("media worker killed, steepest jump, times the steepest of the tone itself", ratio, unit="x")
    assert ratio <= CLICK_MIN, (through, steady)


async def killed(on: Stage) -> dict[str, float]:
    """Kill every media worker; the gaps until all is heard and seen again."""
    await on.mark()
    before = workers(on)
    assert before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(SOUND_BACK_S)
    await on.flows(within_s=20)
    assert not set(workers(on)) & set(before)
    return await on.longest()


async def test_a_media_worker_that_stands_still_for_five_seconds_goes_on_where_it_was(on: Stage) -> None:
    await on.mark()
    stopped = workers(on)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(STOPPED_S)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    await on.flows(within_s=20)
    late_s = heard(await on.longest()) - STOPPED_S
    note(f"media worker stopped for {STOPPED_S} s, sound after that", late_s)
    assert late_s <= SOUND_BACK_S
    assert set(workers(on)) == set(stopped)


async def test_a_killed_server_costs_no_packet_and_what_is_sent_meanwhile_happens_once(on: Stage) -> None:
    patient, physician = on.guests["patient"].page, on.guests["physician"].page
    await story.press(patient, "chat")
    await on.mark()
    on.server.process.kill()
    await on.server.process.wait()
    await patient.fill("#dialog-chat [name=text]", "Are you there?")
    await story.press(patient, "send")
    await on.server.restart()
    await story.press(physician, "tab-chat")

    async def arrived() -> list[str]:
        return list(await physician.evaluate(MESSAGES))

    await eventually(
        arrived, lambda texts: texts == ["Are you there?"], within_s=15, what="the message is there"
    )
    await on.flows(within_s=20)
    gaps = await on.longest()
    note("server killed and started again, sound", heard(gaps))
    assert heard(gaps) <= NO_GAP_S, gaps
    assert await story.on_screen(physician, "room") == "room"
    assert await physician.locator("[data-waiting]").count() == 0
    assert await arrived() == ["Are you there?"]


async def test_a_server_asked_to_end_for_a_new_version_leaves_the_consult_running(on: Stage) -> None:
    await on.mark()
    on.server.process.send_signal(signal.SIGTERM)
    code = await asyncio.wait_for(on.server.process.wait(), DRAINED_S_MAX)
    await on.server.restart()
    await asyncio.sleep(NO_GAP_S)
    await on.flows(within_s=20)
    gaps = await on.longest()
    note("server ended and started again for a new version, sound", heard(gaps))
    assert code == 0
    assert heard(gaps) <= SOUND_BACK_S, gaps
    assert "Traceback" not in on.server.logged()
