"""People whose network blocks the direct way get in by a relay, and are told so in words."""

import contextlib
from collections.abc import AsyncIterator
from time import monotonic

from playwright.async_api import Page, expect

from tests.e2e.kit.browsers import Browsers, chromium
from tests.e2e.kit.coturn import coturn
from tests.e2e.kit.meridian import Meridian, meridian
from tests.e2e.kit.network import SERVER, SERVER_V6, Home, internet
from tests.e2e.kit.observe import hears, sees
from tests.e2e.kit.people import PATIENT, PHYSICIAN
from tests.e2e.kit.tab import eventually
from tests.e2e.three_party import story
from tests.e2e.three_party.cast import picture
from web.catalog_build import read_catalog

PLAIN, TLS, DEAD = 3478, 443, 3999
WITHIN_S = 6
NO_UDP = "RULE meta l4proto udp drop"
NO_PLAIN = f"RULE tcp dport {PLAIN} drop"
DIRECTLY = "Sound and picture reach the clinic directly."
BY_RELAY = "This network blocks the direct way. Sound and picture go through our relay. That works too."
AS_PAGES = "This network lets only web pages through. Sound and picture go the same way. That works too."
CONNECTED = "() => document.querySelector('#screen').dataset.media === 'connected'"


@contextlib.asynccontextmanager
async def behind_a_firewall() -> AsyncIterator[tuple[Meridian, Browsers, Home]]:
    """A server with a relay beside it, and a home whose way there can be blocked."""
    async with (
        internet() as net,
        coturn(SERVER, plain=PLAIN, tls=TLS, peers=[SERVER], prefix=net.server) as relay,
    ):
        home = await net.home()
        # The first relay is down: nothing answers on its port, not even to say so.
        home.block(f"RULE udp dport {DEAD} drop")
        urls = ",".join((f"turn:{SERVER}:{DEAD}", *relay.urls))
        env = relay.env | {"MERIDIAN_TURN__URLS": urls, "MERIDIAN_MEDIA__BIND": f"{SERVER},{SERVER_V6}"}
        async with (
            meridian("--lan", env=env, prefix=net.server, log="firewall.log") as server,
            chromium() as browsers,
        ):
            yield server, browsers, home


def arabic(words: str) -> str:
    """What an Arabic page says in place of these words."""
    return str(read_catalog("ar")[words].string)


async def reconnect(page: Page) -> float:
    """Reload in the waiting room; seconds from there until sound and picture have a way."""
    began = monotonic()
    await page.reload()
    await story.on_screen(page, "waiting")
    await eventually(lambda: page.evaluate(CONNECTED), bool, within_s=20, what="media is connected")
    return monotonic() - began


async def test_a_patient_whose_network_blocks_udp_gets_in_by_tcp_and_by_tls_and_is_told_which_way() -> None:
    async with behind_a_firewall() as (server, browsers, home):
        home.block(NO_UDP)
        patient = await browsers.open(PATIENT, url=server.links["patient"], home=home, phone=True)
        await story.press(patient, "join")
        await story.press(patient, "open_devices")
        checked = patient.locator("[data-part=network-words]")
        await expect(checked).to_contain_text(arabic(BY_RELAY), timeout=10_000)  # before arriving
        await picture(patient, "firewall.first-check")
        home.block()
        await story.press(patient, "next")
        await story.patient_agrees(patient)
        path = patient.locator("[data-part=path]")
        assert await reconnect(patient) < WITHIN_S
        await expect(path).to_contain_text(arabic(DIRECTLY), timeout=10_000)

        home.block(NO_UDP)
        assert await reconnect(patient) < WITHIN_S
        await expect(path).to_contain_text(arabic(BY_RELAY))

        home.block("RULE meta nfproto ipv4 meta l4proto udp drop")
        assert await reconnect(patient) < WITHIN_S
        await expect(path).to_contain_text(arabic(DIRECTLY))  # over IPv6

        home.block(NO_UDP, NO_PLAIN)
        assert await reconnect(patient) < WITHIN_S
        await expect(path).to_contain_text(arabic(AS_PAGES))
        await picture(patient, "firewall.waiting")
        await story.press(patient, "recheck")
        await expect(checked).to_contain_text(arabic(AS_PAGES))
        await picture(patient, "firewall.check")
        await story.press(patient, "next")

        physician = await browsers.open(PHYSICIAN, url=server.links["physician"], home=home)
        await story.physician_enters(physician)
        await story.admit(physician, "patient", identity=True)
        await story.on_screen(patient, "room")
        for page, role, person in ((patient, "physician", PHYSICIAN), (physician, "patient", PATIENT)):
            await sees(page, f'#screen [data-role="{role}"]:not(.tile-self) video', person)
            await hears(page, f'#screen [data-role="{role}"]:not(.tile-self) audio', person)
        assert browsers.errors == []
