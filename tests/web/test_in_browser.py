"""The pages in a real Chromium: accessible in both languages, on a phone, enlarged, narrow, and alive."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from tests.e2e.kit import axe
from tests.e2e.kit.browsers import Browsers, chromium
from tests.e2e.kit.ports import free_port
from tests.web import samples
from tests.web.site import Clinic, site
from web.render import DIST

pytestmark = [
    pytest.mark.skipif(not (DIST / "manifest.json").exists(), reason="the front end is not built"),
    pytest.mark.timeout(180),
]

PATIENT_PAGES = ("/", "/help", "/v", "/error/not_found", "/error/internal")
STAFF_PAGES = ("/signin", "/board", "/board/new", "/board/interpreters", "/desk")
LANGUAGES = ("en", "ar")
ACCESSIBLE = (*LANGUAGES, "es", "zh-Hans")
FRAGMENT = f"#{samples.SECRET}"
NARROW = {"width": 320, "height": 568}
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1366, "height": 768}
IN_INSTAGRAM = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 Instagram 300.0"
)
# Targets of at least 44 px for patients and 24 px for staff, links within sentences excepted (WCAG 2.5.8).
SMALL_TARGETS = """(least) => [...document.querySelectorAll('a, button, input, select, summary')]
  .filter((one) => one.offsetParent && !one.classList.contains('skip'))
  .map((one) => { const box = one.getBoundingClientRect();
    return [one.textContent.trim().slice(0, 30) || one.id, Math.round(box.width), Math.round(box.height)]; })
  .filter(([, width, height]) => width < least || height < least)"""
OVERFLOW = "() => document.documentElement.scrollWidth - innerWidth"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture
async def served(port: int) -> AsyncIterator[tuple[str, Clinic]]:
    async with site(port) as (origin, clinic):
        yield origin, clinic


@pytest.fixture
async def browsers() -> AsyncIterator[Browsers]:
    async with chromium() as found:
        yield found


def address(origin: str, path: str, tag: str = "en") -> str:
    return f"{origin}{path}?lang={tag}{FRAGMENT if path == '/v' else ''}"


async def settled(page: Page, path: str) -> None:
    """Until the script has shown what it shows."""
    if path == "/v":
        await page.wait_for_selector("#main:not([data-screen=loading])")
    if path == "/board":
        await page.wait_for_selector(".queue")
    if path == "/board/interpreters":
        await page.wait_for_selector("[data-language]")
    if path == "/desk":
        await page.wait_for_selector(".ring")


@pytest.mark.parametrize("tag", ACCESSIBLE)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_patient_pages_are_accessible_on_a_phone(
    served: tuple[str, Clinic], browsers: Browsers, tag: str, scheme: str
) -> None:
    origin, clinic = served
    clinic.language = tag
    page = await browsers.open(viewport=PHONE, color_scheme=scheme, reduced_motion="reduce")
    for path in PATIENT_PAGES:
        await page.goto(address(origin, path, tag))
        await settled(page, path)
        await axe.is_accessible(page, texts_min=4)
        assert await page.evaluate(SMALL_TARGETS, 44) == [], path
    assert browsers.errors == []


@pytest.mark.parametrize("tag", ACCESSIBLE)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_staff_pages_are_accessible_at_a_desk(
    served: tuple[str, Clinic], browsers: Browsers, tag: str, scheme: str
) -> None:
    origin, _clinic = served
    page = await browsers.open(viewport=DESK, color_scheme=scheme, reduced_motion="reduce")
    for path in STAFF_PAGES:
        await page.goto(address(origin, path, tag))
        await settled(page, path)
        await axe.is_accessible(page, texts_min=4)
        assert await page.evaluate(SMALL_TARGETS, 24) == [], path
    assert browsers.errors == []


@pytest.mark.parametrize("tag", LANGUAGES)
async def test_every_dialog_of_the_board_is_accessible(
    served: tuple[str, Clinic], browsers: Browsers, tag: str
) -> None:
    origin, _clinic = served
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await page.goto(address(origin, "/board", tag))
    for first, second in (
        (".acts [data-do=admit]", "[data-do=not-this]"),
        ("[data-do=notice]", None),
        ("[data-do=cover]", None),
        (".queue [data-do=manage]", "[data-do=invite]"),
        (".queue [data-do=manage]", "[data-do=reschedule]"),
        (".queue [data-do=manage]", "[data-do=cancel]"),
    ):
        for chosen in filter(None, (first, second)):
            await page.locator(chosen).first.click()
            await page.wait_for_selector("dialog[open]")
            await axe.is_accessible(page, texts_min=3)
        await page.keyboard.press("Escape")
        await expect(page.locator("dialog")).to_have_count(0)


@pytest.mark.parametrize("tag", LANGUAGES)
async def test_a_coordinator_changes_the_register_and_the_plan_by_keyboard(
    served: tuple[str, Clinic], browsers: Browsers, tag: str
) -> None:
    origin, clinic = served
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await page.goto(address(origin, "/board/interpreters", tag))
    await settled(page, "/board/interpreters")
    await page.focus("[data-line=u5] [data-do=edit]")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("dialog[open]")
    await axe.is_accessible(page, texts_min=4)
    await page.fill("#line-number", "71205")
    await page.check("[name=vetted]")
    await page.check("[name=language][value=es]")
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog[open]")).to_have_count(0)
    saved = next(one for one in clinic.sent if one.get("path") == "/api/interpreters/save")
    assert (saved["user"], saved["number"], saved["vetted"]) == ("u5", "71205", True)
    assert ["es", "en"] in saved["pairs"]
    assert ["en", "ar"] in saved["pairs"]
    await page.fill("#shift-day", "2026-12-01")
    await page.fill("#shift-from", "22:00")
    await page.fill("#shift-to", "06:00")
    await page.keyboard.press("Enter")
    await expect(page.locator("#problem")).to_have_text("")
    added = [one for one in clinic.sent if one.get("path") == "/api/interpreters/shift"]
    assert [(one["starts_at"], one["ends_at"]) for one in added] == [
        ("2026-12-02T06:00:00.000Z", "2026-12-02T14:00:00.000Z")
    ], "over midnight, in the clinic's own time"


@pytest.mark.parametrize("tag", LANGUAGES)
async def test_nothing_scrolls_sideways_when_narrow_or_enlarged(
    served: tuple[str, Clinic], browsers: Browsers, tag: str
) -> None:
    origin, clinic = served
    clinic.language = tag
    narrow = await browsers.open(viewport=NARROW)
    enlarged = await browsers.open(viewport=PHONE, flags=("--blink-settings=defaultFontSize=32",))
    wide = await browsers.open(viewport=DESK, flags=("--blink-settings=defaultFontSize=32",))
    for path in (*PATIENT_PAGES, *STAFF_PAGES):
        for page in (narrow, enlarged if path in PATIENT_PAGES else wide):
            await page.goto(address(origin, path, tag))
            await settled(page, path)
            assert await page.evaluate(OVERFLOW) <= 0, path


async def test_with_forced_colours_every_page_is_accessible(
    served: tuple[str, Clinic], browsers: Browsers
) -> None:
    origin, _clinic = served
    page = await browsers.open(viewport=DESK, forced_colors="active")
    for path in (*PATIENT_PAGES, *STAFF_PAGES):
        await page.goto(address(origin, path))
        await settled(page, path)
        assert (await axe.findings(page)).violations == (), path


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("open", "Join the visit"),
        ("too_early", "You are early."),
        ("ended", "This visit is over"),
        ("cancelled", "This visit was cancelled"),
        ("no_show", "We waited for you."),
        ("revoked", "This link is no longer in use"),
        ("unknown", "This link is not complete"),
    ],
)
async def test_an_invitation_says_how_it_stands_and_how_to_reach_the_clinic(
    served: tuple[str, Clinic], browsers: Browsers, state: str, says: str
) -> None:
    origin, clinic = served
    clinic.invitation = state  # type: ignore[assignment]
    page = await browsers.open(viewport=PHONE)
    await page.goto(address(origin, "/v"))
    await settled(page, "/v")
    await expect(page.locator("#state")).to_contain_text(says)
    assert await page.locator("a[href^='tel:']").count() >= 1
    await axe.is_accessible(page, texts_min=4)


async def test_an_invitation_shows_both_clocks_with_city_and_weekday(
    served: tuple[str, Clinic], browsers: Browsers
) -> None:
    origin, _clinic = served
    page = await browsers.open(viewport=PHONE, time_zone="Europe/London")
    await page.goto(address(origin, "/v"))
    await settled(page, "/v")
    times = await page.locator(".when").inner_text()
    assert "Your time, Kuwait City" in times
    assert "Doctor’s time, Los Angeles" in times
    assert "This device shows the time of London" in times
    assert len(re.findall(r"day, \d+ ", times)) == 3


async def test_looking_uses_nothing_up_and_only_the_button_takes_the_seat(
    served: tuple[str, Clinic], browsers: Browsers
) -> None:
    origin, clinic = served
    page = await browsers.open(viewport=PHONE)
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    await page.goto(address(origin, "/v"))
    await settled(page, "/v")
    assert {one["path"] for one in clinic.sent} == {"/api/invitation/preview"}
    await page.click("[data-do=join]")
    await page.wait_for_url("**/help")
    taken = clinic.sent[-1]
    assert taken["path"] == "/api/invitation/exchange"
    assert taken["secret"] == samples.SECRET
    assert taken["language"] == "en"
    assert not any(samples.SECRET in url.partition("#")[0] for url in seen)


async def test_the_language_of_the_invitation_is_taken_and_the_secret_survives_a_change(
    served: tuple[str, Clinic], browsers: Browsers
) -> None:
    origin, clinic = served
    clinic.language = "ar"
    page = await browsers.open(viewport=PHONE)
    await page.goto(f"{origin}/v{FRAGMENT}")
    await page.wait_for_url(f"**/v?lang=ar{FRAGMENT}")
    await expect(page.locator("html")).to_have_attribute("dir", "rtl")
    await settled(page, "/v")
    await page.click("a[data-language=en]")
    await page.wait_for_url(f"**/v?lang=en{FRAGMENT}")
    await settled(page, "/v")
    await expect(page.locator("h1")).to_have_text("Your video visit")


async def test_inside_another_application_the_page_leads_out_of_it(
    served: tuple[str, Clinic], browsers: Browsers
) -> None:
    origin, clinic = served
    page = await browsers.open(viewport=PHONE, user_agent=IN_INSTAGRAM)
    await page.goto(address(origin, "/v"))
    await expect(page.locator("#main")).to_have_attribute("data-screen", "in-app")
    await expect(page.locator("#state")).to_contain_text("You are inside Instagram.")
    assert await page.input_value("input.link") == page.url
    assert clinic.sent == []
    await axe.is_accessible(page, texts_min=6)


async def test_a_link_without_its_secret_says_so(served: tuple[str, Clinic], browsers: Browsers) -> None:
    origin, clinic = served
    page = await browsers.open(viewport=PHONE)
    await page.goto(f"{origin}/v?lang=en")
    await expect(page.locator("h1")).to_have_text("This link is not complete")
    assert clinic.sent == []


async def test_the_calendar_entry_is_made_on_the_phone(
    served: tuple[str, Clinic], browsers: Browsers
) -> None:
    origin, clinic = served
    clinic.invitation = "too_early"
    page = await browsers.open(viewport=PHONE)
    await page.goto(address(origin, "/v"))
    async with page.expect_download() as downloading:
        await page.click("[data-do=calendar]")
    path = await (await downloading.value).path()
    text = path.read_text("utf-8")
    assert text.startswith("BEGIN:VCALENDAR")
    assert samples.SECRET not in text


async def test_the_board_admits_a_patient_only_after_the_tick(
    served: tuple[str, Clinic], browsers: Browsers
) -> None:
    origin, clinic = served
    page = await browsers.open(viewport=DESK)
    await page.goto(address(origin, "/board"))
    await page.locator(".acts [data-do=admit]").first.click()
    dialog = page.locator("dialog")
    await expect(dialog).to_contain_text("Salma Al-Rashidi")
    await expect(dialog).to_contain_text("1959")
    await expect(dialog).to_contain_text("112")
    await page.click("[data-do=confirm-admit]")
    await expect(dialog.locator("[role=alert]")).to_contain_text("Please tick")
    assert not [one for one in clinic.sent if one.get("type") == "admit"]
    await page.check("#identity")
    await page.click("[data-do=confirm-admit]")
    await page.wait_for_url("**/help?lang=en")
    sent = next(one for one in clinic.sent if one.get("type") == "admit")
    assert sent["consult_id"] == "consult-3"
    assert sent["identity_confirmed"] is True
    assert clinic.sent[-1]["path"] == "/api/consult/consult-3/enter"


async def test_a_refusal_is_said_in_the_dialog_and_nothing_is_lost(
    served: tuple[str, Clinic], browsers: Browsers
) -> None:
    origin, clinic = served
    clinic.ack = {"type": "refusal", "code": "physician_absent", "support_id": None}
    page = await browsers.open(viewport=DESK)
    await page.goto(address(origin, "/board"))
    await page.locator("[data-do=notice]").first.click()
    await page.click("[data-do=confirm-notice]")
    await expect(page.locator("dialog [role=alert]")).to_contain_text("A physician must be in the consult")
    await expect(page.locator("[data-do=confirm-notice]")).to_be_enabled()


async def test_the_title_and_the_count_name_nobody(served: tuple[str, Clinic], browsers: Browsers) -> None:
    origin, clinic = served
    page = await browsers.open(viewport=DESK)
    await page.goto(address(origin, "/board"))
    await expect(page.locator("#waiting-count")).to_have_text("3")
    assert await page.title() == "3 waiting · Meridian"
    clinic.waiting = False
    await page.reload()
    await expect(page.locator("#waiting h2")).to_have_text("Nobody is waiting")


async def test_the_board_looks_ahead_and_comes_back_to_today(
    served: tuple[str, Clinic], browsers: Browsers
) -> None:
    origin, clinic = served
    page = await browsers.open(viewport=DESK)
    await page.goto(address(origin, "/board"))
    await expect(page.locator("#today-title")).to_have_text("Today")
    await settled(page, "/board")
    await page.click("[data-do=day][data-step='1']")
    await page.click("[data-do=day][data-step='1']")
    await expect(page.locator("#today")).to_have_text("No consults on this day.")
    await expect(page.locator("#waiting-count")).to_have_text("3")
    asked = [one["day"] for one in clinic.sent if one.get("type") == "open_board"]
    assert asked[0] is None
    assert len(set(asked)) == 3
    await page.click("[data-do=day][data-step='0']")
    await expect(page.locator("#today-title")).to_have_text("Today")
    assert clinic.sent[-1] == {"type": "open_board", "day": None}


async def test_a_lost_link_is_replaced_by_a_new_one(served: tuple[str, Clinic], browsers: Browsers) -> None:
    origin, clinic = served
    clinic.ack = clinic.ack | {"invitations": [{"participant": "p-patient", "url": f"{origin}/v#{'x' * 43}"}]}
    page = await browsers.open(viewport=DESK)
    await page.goto(address(origin, "/board"))
    await page.locator("#today .plain").last.click()
    await page.click("[data-do=renew]")
    await page.click("[data-do=confirm-renew]")
    await expect(page.locator(".links-out li")).to_have_text(re.compile(r"Omar Al-Sabah \(Patient\)"))
    assert (clinic.sent[-1]["type"], clinic.sent[-1]["participant"]) == ("renew_invitation", "p-patient")


async def test_a_dialog_gives_the_keyboard_back(served: tuple[str, Clinic], browsers: Browsers) -> None:
    origin, _clinic = served
    page = await browsers.open(viewport=DESK)
    await page.goto(address(origin, "/board"))
    opener = page.locator("[data-do=notice]").first
    await opener.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog h2")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(opener).to_be_focused()


async def test_the_board_says_when_it_is_cut_off_and_comes_back_by_itself(
    port: int, browsers: Browsers
) -> None:
    page = await browsers.open(viewport=DESK)
    async with site(port) as (origin, _clinic):
        await page.goto(address(origin, "/board"))
        await page.wait_for_selector(".queue")
    await expect(page.locator("#link-state")).to_contain_text("Connecting again")
    async with site(port):
        await expect(page.locator("#link-state")).to_be_empty(timeout=20_000)


async def test_a_new_consult_shows_both_clocks_and_gives_out_links(
    served: tuple[str, Clinic], browsers: Browsers
) -> None:
    origin, clinic = served
    links = [{"participant": one, "url": f"{origin}/v#{one * 43}"} for one in "ab"]
    clinic.ack = clinic.ack | {"invitations": links}
    page = await browsers.open(viewport=DESK)
    await page.goto(address(origin, "/board/new"))
    await page.click("[data-do=schedule]")
    await expect(page.locator("#patient-name")).to_be_focused()
    await page.fill("#patient-name", "Salma Al-Rashidi")
    await page.fill("#birth-year", "1959")
    await page.select_option("#language", "ar")
    await page.select_option("#country", "KW")
    await page.fill("#day", "2031-11-25")
    await page.fill("#time", "17:30")
    await expect(page.locator("#clocks")).to_contain_text("4:30 AM")
    await expect(page.locator("#clocks")).to_contain_text("It is another day there: Wednesday.")
    await page.select_option("#physician", "u1")
    await page.select_option("#interpreter", "invite")
    await page.fill("#interpreter-name", "Karim Haddad")
    await page.click("[data-do=schedule]")
    await expect(page.locator(".links-out li")).to_have_count(2)
    await expect(page.locator(".links-out")).to_contain_text("Salma Al-Rashidi (patient)")
    sent = next(one for one in clinic.sent if one.get("type") == "schedule")
    assert sent["starts_at"] == "2031-11-26T01:30:00.000Z"
    assert sent["people"][0]["time_zone"] == "Asia/Kuwait"
    await axe.is_accessible(page, texts_min=6)


async def test_signing_in_says_what_is_missing_before_it_asks_the_server(
    served: tuple[str, Clinic], browsers: Browsers
) -> None:
    origin, clinic = served
    page = await browsers.open(viewport=DESK)
    await page.goto(address(origin, "/signin"))
    await page.click("[data-do=sign-in]")
    await expect(page.locator("#email")).to_be_focused()
    await expect(page.locator("#problem")).to_contain_text("e-mail")
    assert clinic.sent == []
    await page.fill("#email", "elena@clinic.example")
    await page.fill("#password", "correct horse")
    await page.click("[data-do=sign-in]")
    await page.wait_for_url("**/board")
