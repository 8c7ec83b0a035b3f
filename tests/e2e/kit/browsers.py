"""Chromium for tests: one process for each person, as camera and microphone files are given to a process."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Error, Page, Playwright, async_playwright

from tests.e2e.kit import media, needs
from tests.e2e.kit.network import Home
from tests.e2e.kit.page_scripts import KEEP_CONNECTIONS
from tests.e2e.kit.people import Person

FLAGS = (
    "--no-sandbox",  # test machines run as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
)
FAKE_DEVICES = "--use-fake-device-for-media-stream"
GRANT_DEVICES = "--use-fake-ui-for-media-stream"
PHONE = "iPhone 14"
DESK = {"width": 1440, "height": 900}
PAGE_MS_MAX = 15_000


class Browsers:
    """Opens a page for each person and knows what went wrong in any of them."""

    def __init__(self, playwright: Playwright, exits: contextlib.AsyncExitStack) -> None:
        self._playwright = playwright
        self._exits = exits
        self.errors: list[str] = []

    async def open(
        self,
        person: Person | None = None,
        *,
        url: str | None = None,
        phone: bool = False,
        locale: str = "en-US",
        time_zone: str = "America/Los_Angeles",
        speaks: media.Language | None = None,
        busy: bool = False,
        clock: bool = False,
        devices: bool = True,
        granted: bool = True,
        flags: tuple[str, ...] = (),
        home: Home | None = None,
        **options: Any,
    ) -> Page:
        """A page in a browser of its own.

        `person` is seen and heard by camera and microphone (`speaks`: a sentence in place of the tone;
        `busy`: a picture that is hard to encode; `clock`: one that counts its frames).
        Without `devices` there are none; without `granted` the person refuses them. At a `home` the browser
        is in that network, and trusts every certificate. Other `options` go to the context.
        """
        given = [*FLAGS, *flags]
        if devices:
            given.append(FAKE_DEVICES)
        if devices and granted:
            given.append(GRANT_DEVICES)
        if person:
            made = media.busy_clip if busy else media.clock_clip if clock else media.camera_clip
            clip = made(person)
            given.append(f"--use-file-for-fake-video-capture={clip}")
            voice = media.speech(speaks) if speaks else media.tone(person)
            given.append(f"--use-file-for-fake-audio-capture={voice}")
        if home:
            given.append("--ignore-certificate-errors")  # of TURN too, which the context's option leaves out
        browser = await self._launch(given, home)
        screen = self._phone() if phone else {"viewport": DESK}
        context = await browser.new_context(
            **{**screen, "locale": locale, "timezone_id": time_zone, **options}
        )
        context.set_default_timeout(PAGE_MS_MAX)
        await context.add_init_script(KEEP_CONNECTIONS)
        page = await context.new_page()
        self._listen(page, person.name if person else "page")
        if url:
            await page.goto(url)
        return page

    async def _launch(self, flags: list[str], home: Home | None) -> Browser:
        program = home.launcher(needs.chromium()) if home else needs.chromium()
        browser = await self._playwright.chromium.launch(executable_path=program, headless=True, args=flags)
        self._exits.push_async_callback(_closed, browser)
        return browser

    def _phone(self) -> dict[str, Any]:
        device = dict(self._playwright.devices[PHONE])
        device.pop("default_browser_type")
        return device

    def _listen(self, page: Page, name: str) -> None:
        def console(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.errors.append(f"{name}: {message.text}")

        page.on("console", console)
        page.on("pageerror", lambda error: self.errors.append(f"{name}: {error}"))


async def _closed(browser: Browser) -> None:
    with contextlib.suppress(Error):  # a test may have ended the process itself
        await browser.close()


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browsers]:
    """Browsers for one test; every process is closed at the end."""
    needs.chromium()
    async with async_playwright() as playwright, contextlib.AsyncExitStack() as exits:
        yield Browsers(playwright, exits)
