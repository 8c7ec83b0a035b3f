"""Networks that drop, move and translate: everybody keeps their seat and hears the others again soon.

Round trip 50 ms. What is measured is what the pages play, in both directions.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.kit.network import ip
from tests.e2e.kit.observe import traffic
from tests.e2e.kit.tab import eventually
from tests.e2e.three_party import story
from tests.faults.stage import ONE_WAY_MS, TIMES, Stage, heard, least, note, seen, stage

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

# Seconds from the network's return until all is heard again, by seconds without it.
BACK_S = {1: 0.3, 10: 1.5, 60: 3.0}
MOVED_S = 2.0
TILE = "() => document.querySelector('#screen [data-role=\"{}\"]:not(.tile-self)').innerText"
LOST_WORDS = "Connection lost"
SLACK_S = 0.1  # of what a jitter buffer holds before it plays
TOLD_S = 15


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on() -> AsyncIterator[Stage]:
    async with stage() as made:
        yield made


async def back(on: Stage, role: str, seconds: int, *, times: int = TIMES) -> float:
    """The network of one person is gone for so long; seconds from its return until all hear all again."""
    return await least(lambda: _back(on, role, seconds), BACK_S[seconds] + SLACK_S, times=times)


async def _back(on: Stage, role: str, seconds: int) -> float:
    line = on.guests[role].home.line
    await on.mark()
    await line.set(cut=True)
    await asyncio.sleep(seconds)  # the fault is its length
    await line.set(delay_ms=ONE_WAY_MS)
    await on.flows(within_s=20)
    late_s = heard(await on.longest()) - seconds
    note(f"{role}: {seconds} s without network, heard again after its return", late_s)
    return late_s


async def test_a_second_without_network_is_over_when_it_is_over(on: Stage) -> None:
    assert await back(on, "patient", 1) <= BACK_S[1] + SLACK_S
    assert await back(on, "physician", 1) <= BACK_S[1] + SLACK_S


async def test_ten_seconds_without_network_are_told_in_words_and_the_seat_is_kept(on: Stage) -> None:
    physician = on.guests["physician"].page
    told = asyncio.create_task(
        eventually(
            lambda: physician.evaluate(TILE.format("patient")),
            lambda words: LOST_WORDS in words,
            within_s=TOLD_S,
            what="the physician reads that the patient's connection is lost",
        )
    )
    assert await back(on, "patient", 10) <= BACK_S[10] + SLACK_S
    await told
    assert await physician.locator("[data-waiting]").count() == 0, "nobody waits for a second admission"
    assert "Traceback" not in on.server.logged()


async def test_a_minute_without_network_and_a_laptop_asleep_cost_nobody_their_seat(on: Stage) -> None:
    physician = on.guests["physician"]

    async def sleep() -> None:
        await asyncio.sleep(5)
        pids = _pids(physician.home.namespace)
        _signal(pids, signal.SIGSTOP)
        await asyncio.sleep(30)
        _signal(pids, signal.SIGCONT)

    asleep = asyncio.create_task(sleep())
    assert await back(on, "patient", 60, times=2) <= BACK_S[60] + SLACK_S
    await asleep
    assert await story.on_screen(physician.page, "room") == "room"
    assert await physician.page.locator("[data-waiting]").count() == 0


def _pids(namespace: str) -> list[int]:
    """Every process of a home: a laptop that sleeps is one where they all stand still."""
    found = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=True)
    return [int(one) for one in found.stdout.split()]


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


async def test_a_phone_that_moves_to_its_other_network_is_heard_again_within_two_seconds(on: Stage) -> None:
    home = on.guests["patient"].home
    first, second = home.line, await on.net.add_line(home)
    await second.set(delay_ms=ONE_WAY_MS)
    on.net.use(home, first)
    await on.flows(within_s=20)
    await asyncio.sleep(5)  # both links are old news when the first one goes
    await on.mark()
    ip("-n", home.namespace, "addr", "flush", "dev", first.device)
    on.net.use(home, second)
    await asyncio.sleep(MOVED_S)
    await on.flows(within_s=20)
    gaps = await on.longest()
    note("phone moves to its other network, sound", heard(gaps))
    note("phone moves to its other network, picture", seen(gaps))
    assert heard(gaps) <= MOVED_S, gaps
    assert seen(gaps) <= MOVED_S, gaps


async def test_a_router_that_forgets_its_translation_costs_two_packets_of_sound_at_most(on: Stage) -> None:
    patient = on.guests["patient"]
    for guest in on.guests.values():
        await guest.home.line.set()
    await asyncio.sleep(1)
    before = {role: await traffic(guest.page) for role, guest in on.guests.items()}
    connections = await patient.page.evaluate("() => kit.connections.length")
    await patient.home.line.set(nat_ports=11)
    await asyncio.sleep(3)
    for role, guest in on.guests.items():
        lost = (await traffic(guest.page) - before[role]).audio_lost
        assert lost <= 2, f"{role}: {lost} packets of sound"
    assert await patient.page.evaluate("() => kit.connections.length") == connections
