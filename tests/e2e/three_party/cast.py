"""The three of the demonstration's next consult, each in a browser of their own, up to the waiting room."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from playwright.async_api import Page

from tests.e2e.kit import needs
from tests.e2e.kit.browsers import Browsers, chromium
from tests.e2e.kit.meridian import Meridian, meridian
from tests.e2e.kit.people import INTERPRETER, PATIENT, PHYSICIAN
from tests.e2e.three_party import story

CLINIC_SCREEN = {"width": 1366, "height": 768}  # the shared workstation's


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Patient and interpreter wait, the physician is in the room; nobody has been admitted."""

    server: Meridian
    browsers: Browsers
    patient: story.Guest
    physician: story.Guest
    interpreter: story.Guest

    @property
    def everyone(self) -> tuple[story.Guest, story.Guest, story.Guest]:
        return self.patient, self.physician, self.interpreter

    async def admit_all(self) -> None:
        await story.admit(self.physician.tab, "patient", identity=True)
        await story.admit(self.physician.tab, "interpreter")
        for guest in self.everyone:
            await story.on_screen(guest.tab, "room")


async def picture(page: Page, name: str) -> None:
    """Leave a screenshot to look at."""
    await page.screenshot(path=needs.out(f"{name}.png"), animations="disabled", caret="hide")


@contextlib.asynccontextmanager
async def cast() -> AsyncIterator[Cast]:
    """A patient in Kuwait on a phone, in Arabic; a physician at the clinic; an interpreter at home."""
    async with meridian() as server, chromium() as browsers:
        patient = await browsers.open(
            PATIENT, url=server.links["patient"], phone=True, locale="ar-KW", time_zone="Asia/Kuwait"
        )
        interpreter = await browsers.open(INTERPRETER, url=server.links["interpreter"])
        physician = await browsers.open(PHYSICIAN, url=server.links["physician"], viewport=CLINIC_SCREEN)
        pages = {"patient": patient, "interpreter": interpreter, "physician": physician}
        try:
            await story.patient_enters(patient)
            await story.interpreter_enters(interpreter)
            await story.physician_enters(physician)
            yield Cast(
                server=server,
                browsers=browsers,
                patient=story.Guest(person=PATIENT, tab=patient),
                physician=story.Guest(person=PHYSICIAN, tab=physician),
                interpreter=story.Guest(person=INTERPRETER, tab=interpreter),
            )
        except AssertionError:
            for name, page in pages.items():
                await picture(page, f"failed.{name}")
            raise
