"""The whole server in one process: pages, sockets, database and a media worker."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import socketio
from aiohttp import web
from argon2 import PasswordHasher

from server import app
from server.app import running
from server.demo import Demo
from server.identity.accounts import Accounts
from server.identity.passwords import Passwords
from server.settings import Settings
from server.storage.database import Database
from tests.server.browser import SOON_S, Browser, Tab
from web.consents import consent_text

KEEP_EVERY_S = 0.1
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
async def demo(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Demo]:
    monkeypatch.setattr(app, "KEEP_EVERY_S", KEEP_EVERY_S)
    monkeypatch.setattr(app, "Passwords", lambda: Passwords(QUICK))
    async with running(settings, demo=True, goes_on=lambda: False) as made:
        assert made is not None
        yield made


@pytest.fixture
async def browser(settings: Settings) -> AsyncIterator[Browser]:
    one = Browser(settings.public_url)
    yield one
    await one.close()


async def patient_waits(demo: Demo, browser: Browser) -> tuple[dict[str, str], Tab]:
    """The patient's seat and page, in the waiting room."""
    seat = await browser.take_seat(demo.links["patient"])
    patient = await browser.open(seat)
    await patient.view(type="consult_view", screen="check")
    text = consent_text("telehealth-2", "en")
    consent = {"text_id": text.text_id, "text_hash": text.sha256, "language": text.language}
    unknown = await patient.send(
        type="give_consent", command_id="consent-0", **(consent | {"language": "ar"})
    )
    assert unknown["code"] == "not_found"
    assert (await patient.send(type="give_consent", command_id="consent-1", **consent))["type"] == "accepted"
    assert (await patient.send(type="arrive", command_id="arrive-1"))["type"] == "accepted"
    return seat, patient


async def physician_admits(demo: Demo, browser: Browser, seat: dict[str, str]) -> Tab:
    """The physician's page, after letting the patient in from the board's visit."""
    await browser.post("/api/demo/enter", {"secret": demo.links["physician"].partition("#")[2]})
    board = await browser.open({"board": True})
    [row] = [one for one in (await board.view(type="board_view"))["rows"] if one["waiting_since"]]
    assert row["mine"]
    entered = await browser.post(f"/api/consult/{row['consult_id']}/enter")
    _, _, consult, me = entered["url"].split("/")
    physician = await browser.open({"consult_id": consult, "participant_id": me})
    assert (await physician.send(type="arrive", command_id="arrive-2"))["type"] == "accepted"
    await physician.view(screen="room")
    admit = {"participant": seat["participant_id"], "identity_confirmed": True}
    assert (await physician.send(type="admit", command_id="admit-001", **admit))["type"] == "accepted"
    return physician


async def test_three_tabs_of_one_browser_meet_in_a_consult(demo: Demo, browser: Browser) -> None:
    seat, patient = await patient_waits(demo, browser)
    waiting = await patient.view(screen="waiting")
    assert waiting["physician_name"] == "Dr. Elena Marlowe"
    assert waiting["clinic_name"] == "Test Clinic"
    await physician_admits(demo, browser, seat)
    await patient.view(screen="room")
    interpreter = await browser.open(await browser.take_seat(demo.links["interpreter"]))
    assert (await interpreter.send(type="arrive", command_id="arrive-3"))["type"] == "accepted"
    await interpreter.view(screen="waiting")


async def test_the_patient_follows_when_the_consult_goes_on(demo: Demo, browser: Browser) -> None:
    seat, patient = await patient_waits(demo, browser)
    physician = await physician_admits(demo, browser, seat)
    await physician.send(type="end", command_id="end-00001", reason="technical")
    await patient.view(screen="ended")
    new = (await physician.send(type="continue_consult", command_id="again-001", minutes=15))["consult_id"]
    assert (await patient.view(type="consult_continued"))["consult_id"] == new
    assert (await patient.view(continued_as=new))["screen"] == "ended"
    follows = await browser.open(seat | {"consult_id": new})
    view = await follows.view(type="consult_view")
    assert (view["screen"], view["me"]["must_consent"]) == ("check", False)
    assert (await follows.send(type="arrive", command_id="arrive-4"))["type"] == "accepted"
    await follows.view(screen="waiting")


async def test_a_ticket_opens_one_socket(demo: Demo, browser: Browser) -> None:
    seat = await browser.take_seat(demo.links["patient"])
    ticket = (await browser.post("/api/ticket", seat))["ticket"]
    first, second = Tab(), Tab()
    await first.connect(browser.site, ticket)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await second.connect(browser.site, ticket)
    await first.socket.disconnect()


async def test_signing_out_closes_the_board_within_a_second(demo: Demo, browser: Browser) -> None:
    await browser.post("/api/demo/enter", {"secret": demo.links["physician"].partition("#")[2]})
    board = await browser.open({"board": True})
    await board.view(type="board_view")
    await browser.post("/api/signout")
    async with asyncio.timeout(1.0):
        await board.gone.wait()


async def test_the_pages_of_a_closed_account_are_closed(
    demo: Demo, browser: Browser, settings: Settings
) -> None:
    email = next(colleague.email for colleague, _ in demo.passwords if colleague.role == "physician")
    await browser.post("/api/demo/enter", {"secret": demo.links["physician"].partition("#")[2]})
    board = await browser.open({"board": True})
    await board.view(type="board_view")
    other = Database(settings.database_url)
    assert await Accounts(other, Passwords()).disable(email=email, now=datetime.now(UTC))
    await other.close()
    async with asyncio.timeout(SOON_S):
        await board.gone.wait()


async def test_an_interpreter_of_the_hospital_sees_their_own_consults_and_changes_none(
    demo: Demo, browser: Browser
) -> None:
    colleague, password = next(one for one in demo.passwords if one[0].role == "interpreter")
    await browser.post("/api/signin", {"email": colleague.email, "password": password})
    desk = await browser.open({"board": True})
    rows = (await desk.view(type="board_view"))["rows"]
    assert [row["mine"] for row in rows] == [True] * len(rows)
    assert len(rows) == 1
    asked = {"consult_id": rows[0]["consult_id"], "reason": "mistake"}
    assert (await desk.send(type="cancel", command_id="cancel-01", **asked))["code"] == "not_permitted"
    opened = await desk.send(type="open_board", day=None)
    assert opened["type"] == "accepted"


async def test_somebody_who_hangs_up_is_no_bug_of_ours(
    demo: Demo, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, ended = asyncio.Event(), asyncio.Event()
    wait_for_more = web.Request.read

    async def read(request: web.Request) -> bytes:
        reading.set()
        try:
            return await wait_for_more(request)
        finally:
            ended.set()

    monkeypatch.setattr(web.Request, "read", read)
    address = browser.site.removeprefix("http://")
    _, writer = await asyncio.open_connection(*address.split(":"))
    head = ("POST /api/signin HTTP/1.1", f"Host: {address}", "Sec-Fetch-Site: same-origin")
    kind = ("Content-Type: application/json", "Content-Length: 100", "", "{")
    writer.write("\r\n".join(head + kind).encode())
    async with asyncio.timeout(SOON_S):
        await reading.wait()
        writer.close()
        await ended.wait()
        async with browser.http.get(f"{browser.site}/metrics") as answer:
            assert 'path="/api/signin",status="500"' not in await answer.text()
