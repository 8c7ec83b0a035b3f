"""The kit itself: it sees and hears who is there, and notices when it is somebody else or nobody."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.e2e.kit import axe, needs, observe
from tests.e2e.kit.browsers import chromium
from tests.e2e.kit.firefox import firefox
from tests.e2e.kit.people import INTERPRETER, PATIENT, PHYSICIAN
from tests.e2e.kit.tab import Tab

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Kit</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<main><h1>Kit</h1><video autoplay playsinline></video></main>
<script>
  // Both ends of a call in one page: what the camera and microphone give goes through a connection and back.
  async function call() {
    const stream = await navigator.mediaDevices.getUserMedia({ video: true,
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
    const a = new RTCPeerConnection(), b = new RTCPeerConnection();
    a.onicecandidate = (event) => b.addIceCandidate(event.candidate);
    b.onicecandidate = (event) => a.addIceCandidate(event.candidate);
    b.ontrack = (event) => { document.querySelector('video').srcObject = event.streams[0]; };
    for (const track of stream.getTracks()) a.addTrack(track, stream);
    await a.setLocalDescription();
    await b.setRemoteDescription(a.localDescription);
    await b.setLocalDescription();
    await a.setRemoteDescription(b.localDescription);
  }
</script></html>"""

ARABIC = """<!doctype html><html lang="ar" dir="rtl"><meta charset="utf-8"><title>زيارة</title>
<main><h1>زيارة الطبيب</h1><p>مرحبا بكم في العيادة</p><p>أدخل رمز الدعوة</p><p>الطبيب ينتظرك الآن</p>
<p>المترجم معنا</p><p id="faint" style="color:#bbb">هذا النص باهت جدا</p></main></html>"""


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    def page(text: str) -> web.Response:
        return web.Response(text=text, content_type="text/html")

    async def call(_: web.Request) -> web.Response:
        return page(PAGE)

    async def arabic(_: web.Request) -> web.Response:
        return page(ARABIC)

    app = web.Application()
    app.add_routes([web.get("/", call), web.get("/arabic", arabic)])
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url("")).rstrip("/")
    await server.close()


async def calls_and_is_recognised(tab: Tab) -> None:
    await tab.evaluate("() => call()")
    await observe.sees(tab, "video", PATIENT)
    await observe.hears(tab, "video", PATIENT)


async def test_chromium_shows_and_plays_the_persons_own_colour_and_tone(origin: str) -> None:
    async with chromium() as browsers:
        page = await browsers.open(PATIENT, url=origin)
        await calls_and_is_recognised(page)
        moved = await observe.traffic_during(page, 1)
        assert moved.audio_sent > 30
        assert moved.video_received > 10
        assert moved.video_frames > 5
        assert browsers.errors == []


async def test_another_person_is_not_taken_for_the_expected_one(origin: str) -> None:
    async with chromium() as browsers:
        page = await browsers.open(PHYSICIAN, url=origin)
        await page.evaluate("() => call()")
        await observe.sees(page, "video", PHYSICIAN)
        with pytest.raises(AssertionError, match="shows the patient"):
            await observe.sees(page, "video", PATIENT, within_s=0.5)
        with pytest.raises(AssertionError, match="patient's tone alone"):
            await observe.hears(page, "video", PATIENT, within_s=1)


async def test_a_page_that_does_not_call_moves_no_packets_and_shows_nobody(origin: str) -> None:
    async with chromium() as browsers:
        page = await browsers.open(PATIENT, url=origin, phone=True, locale="ar-KW", time_zone="Asia/Kuwait")
        assert (await observe.traffic_during(page, 0.5)).packets == 0
        assert await observe.centre_colour(page, "video") is None
        assert await page.evaluate("() => [innerWidth < 450, navigator.language]") == [True, "ar-KW"]


@pytest.mark.parametrize(
    ("devices", "granted", "error"), [(True, False, "NotAllowedError"), (False, True, "NotFoundError")]
)
async def test_a_camera_can_be_refused_or_absent(
    origin: str, *, devices: bool, granted: bool, error: str
) -> None:
    async with chromium() as browsers:
        page = await browsers.open(url=origin, devices=devices, granted=granted)
        assert await page.evaluate("() => call().catch((error) => error.name)") == error


async def test_an_error_in_a_page_is_not_missed(origin: str) -> None:
    async with chromium() as browsers:
        page = await browsers.open(PATIENT, url=origin)
        await page.evaluate("() => { console.error('broken'); }")
        assert browsers.errors == ["patient: broken"]


async def test_firefox_shows_and_plays_the_persons_own_colour_and_tone(origin: str) -> None:
    async with firefox(PATIENT, url=origin) as page:
        await calls_and_is_recognised(page)
        assert (await observe.traffic_during(page, 1)).audio_sent > 30
        needs.out("firefox.png").write_bytes(await page.screenshot())
        with pytest.raises(AssertionError, match="interpreter's tone alone"):
            await observe.hears(page, "video", INTERPRETER, within_s=1)


async def test_faint_arabic_text_is_found(origin: str) -> None:
    async with chromium() as browsers:
        page = await browsers.open(url=f"{origin}/arabic")
        found = await axe.findings(page)
        assert [text[:14] for text in found.violations] == ["color-contrast"]
        assert found.contrast == 6
        await page.evaluate("() => document.getElementById('faint').removeAttribute('style')")
        await axe.is_accessible(page, texts_min=6)
        with pytest.raises(AssertionError, match="only 6 texts"):
            await axe.is_accessible(page, texts_min=7)
