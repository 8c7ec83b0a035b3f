"""The server is killed and started again in the middle of a consult: nobody notices more than a moment."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aioice.ice
import pytest

from tests.media.loopback import Participant, until, with_loopback
from tests.server.browser import Browser, Tab
from tests.server.program import Demo
from web.consents import consent_text

SILENT_S_MAX = 1.0
LOOK_S = 0.05


class Page:
    """One person's page: its seat, its socket, its media."""

    def __init__(self, browser: Browser, seat: dict[str, str], hertz: float) -> None:
        self.browser = browser
        self.seat = seat
        self.media = Participant(seat["consult_id"], seat["participant_id"], hertz=hertz)
        self.peer: str | None = None
        self.tab: Tab

    async def open(self) -> Tab:
        self.tab = await self.browser.open(self.seat, self.peer)
        return self.tab

    async def connect(self, _room: str, _name: str, offer: str) -> str:
        """Take the offer where the media plane's tests would: through the socket."""
        answer = await self.tab.send(type="connect_media", offer=offer)
        self.peer = answer["peer"]
        return str(answer["answer"])

    async def arrive(self) -> None:
        await self.open()
        assert (await self.tab.send(type="arrive", command_id=f"arrive-{id(self)}"))["type"] == "accepted"
        await self.media.negotiate(self)  # type: ignore[arg-type]  # all it asks of a plane is `connect`
        await until(lambda: self.media.connection.connectionState == "connected", 8)

    @property
    def heard(self) -> int:
        """Frames of everybody this page hears."""
        return sum(self.media.audio_frames)


@pytest.fixture
async def browser(free_port: int) -> AsyncIterator[Browser]:
    one = Browser(f"http://127.0.0.1:{free_port}")
    yield one
    await one.close()


async def patient_waits(browser: Browser, links: dict[str, str], stack: AsyncExitStack) -> Page:
    """The patient has arrived and agreed."""
    patient = Page(browser, await browser.take_seat(links["patient"]), hertz=440)
    stack.push_async_callback(patient.media.close)
    await patient.arrive()
    text = consent_text("telehealth-2", "en")
    consent = {"text_id": text.text_id, "text_hash": text.sha256, "language": text.language}
    await patient.tab.send(type="give_consent", command_id="consent-1", **consent)
    return patient


async def sign_in(browser: Browser, links: dict[str, str]) -> None:
    await browser.post("/api/demo/enter", {"secret": links["physician"].partition("#")[2]})


async def physician_admits(browser: Browser, patient: Page, stack: AsyncExitStack) -> Page:
    """The physician, signed in, comes and lets the patient in; they hear each other."""
    entered = await browser.post(f"/api/consult/{patient.seat['consult_id']}/enter")
    _, _, consult, me = entered["url"].split("/")
    physician = Page(browser, {"consult_id": consult, "participant_id": me}, hertz=660)
    stack.push_async_callback(physician.media.close)
    await physician.arrive()
    admit = {"participant": patient.seat["participant_id"], "identity_confirmed": True}
    assert (await physician.tab.send(type="admit", command_id="admit-001", **admit))["type"] == "accepted"
    await until(lambda: min(patient.heard, physician.heard) > 10, 10)
    return physician


async def in_room(browser: Browser, links: dict[str, str], stack: AsyncExitStack) -> tuple[Page, Page]:
    """Patient and physician hear each other."""
    patient = await patient_waits(browser, links, stack)
    await sign_in(browser, links)
    return patient, await physician_admits(browser, patient, stack)


async def longest_silence_s(page: Page, stop: asyncio.Event) -> float:
    """The longest time without a new frame until `stop`."""
    longest, heard, since = 0.0, page.heard, time.monotonic()
    while not stop.is_set():
        await asyncio.sleep(LOOK_S)
        if page.heard != heard:
            heard, since = page.heard, time.monotonic()
        longest = max(longest, time.monotonic() - since)
    return longest


async def test_a_killed_server_started_again_keeps_seats_and_sound_and_admits_nobody_anew(
    tmp_path: Path, free_port: int, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", with_loopback)
    servers = [Demo(tmp_path, free_port)]
    async with AsyncExitStack() as stack:
        stack.callback(lambda: servers[-1].end())  # noqa: PLW0108 (the last one by then)
        patient, physician = await in_room(browser, await asyncio.to_thread(servers[-1].links), stack)
        before: dict[str, Any] = await physician.tab.view(screen="room", phase="in_progress")
        stop = asyncio.Event()
        silences = [asyncio.create_task(longest_silence_s(page, stop)) for page in (patient, physician)]
        servers[-1].process.kill()
        servers[-1].process.wait()
        servers.append(Demo(tmp_path, free_port))
        await asyncio.to_thread(servers[-1].links)
        for page in (patient, physician):
            await page.open()
        for page in (patient, physician):
            view = await page.tab.view(type="consult_view")
            assert (view["screen"], view["me"]["admitted"]) == ("room", True)
            assert view["version"] >= before["version"]
        heard = patient.heard, physician.heard
        await until(lambda: patient.heard > heard[0] + 50 and physician.heard > heard[1] + 50, 10)
        stop.set()
        assert max(await asyncio.gather(*silences)) < SILENT_S_MAX
        told = [message["type"] for page in (patient, physician) for message in page.tab.told]
        assert "media_lost" not in told
        assert len(await asyncio.to_thread(_workers, tmp_path)) == 1
        code, _ = await asyncio.to_thread(servers[-1].end)
        assert code == 0


def _workers(tmp_path: Path) -> list[str]:
    """The media workers on this data directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().decode()
        except OSError:
            continue
        if str(tmp_path) in line and "worker" in line:
            found.append(entry.name)
    return found
