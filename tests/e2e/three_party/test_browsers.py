"""Other ways in: a patient in Firefox, and all three in tabs of one browser."""

from functools import partial

from media.addresses import LOOPBACK, local_addresses
from tests.e2e.kit import needs
from tests.e2e.kit.browsers import chromium
from tests.e2e.kit.firefox import firefox
from tests.e2e.kit.meridian import meridian
from tests.e2e.kit.observe import traffic
from tests.e2e.kit.people import INTERPRETER, PATIENT, PHYSICIAN
from tests.e2e.kit.tab import eventually
from tests.e2e.three_party import story

# As people have it: Firefox hides its addresses, and never uses 127.0.0.1. Where there is no other it must.
AS_INSTALLED: dict[str, bool | int | str] = {
    "media.peerconnection.ice.obfuscate_host_addresses": True,
    "media.peerconnection.ice.loopback": local_addresses(()) == (LOOPBACK,),
}


async def test_a_patient_in_firefox_meets_physician_and_interpreter_in_chromium() -> None:
    fox_as_installed = firefox(PATIENT, preferences=AS_INSTALLED)
    async with meridian(log="firefox.log") as server, chromium() as browsers, fox_as_installed as fox:
        await fox.goto(server.links["patient"])
        interpreter = await browsers.open(INTERPRETER, url=server.links["interpreter"])
        physician = await browsers.open(PHYSICIAN, url=server.links["physician"])
        await story.patient_enters(fox)
        await story.interpreter_enters(interpreter)
        await story.physician_enters(physician)
        assert (await traffic(fox)).packets == 0
        await story.admit(physician, "patient", identity=True)
        await story.admit(physician, "interpreter")
        everyone = (
            story.Guest(person=PATIENT, tab=fox),
            story.Guest(person=PHYSICIAN, tab=physician),
            story.Guest(person=INTERPRETER, tab=interpreter),
        )
        await story.meet(*everyone)
        needs.out("room.firefox.png").write_bytes(await fox.screenshot())
        await story.end_consult(physician)
        await story.on_screen(fox, "ended")
        assert browsers.errors == []


async def test_the_three_links_work_as_three_tabs_of_one_browser() -> None:
    async with meridian(log="tabs.log") as server, chromium() as browsers:
        patient = await browsers.open(PATIENT, url=server.links["patient"])
        interpreter, physician = [await patient.context.new_page() for _ in range(2)]
        await interpreter.goto(server.links["interpreter"])
        await physician.goto(server.links["physician"])
        # A tab in the background is not drawn: each is looked at while it is in front.
        for page, enter in (
            (patient, story.patient_enters),
            (interpreter, story.interpreter_enters),
            (physician, story.physician_enters),
        ):
            await page.bring_to_front()
            await enter(page)
        await story.admit(physician, "patient", identity=True)
        await story.admit(physician, "interpreter")
        tabs = {"patient": patient, "interpreter": interpreter, "physician": physician}
        for role, page in tabs.items():
            await page.bring_to_front()
            await story.on_screen(page, "room")
            await story.shows_tiles(page, [other for other in tabs if other != role])
            await eventually(
                partial(traffic, page),
                lambda moved: moved.audio_received > 0 and moved.video_received > 0,
                within_s=story.STEP_S_MAX,
                what=f"sound and pictures reach the {role}",
            )
