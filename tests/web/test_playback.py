"""The pages of recordings in a real Chromium: the list, asking why, warnings, papers, for everybody."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.e2e.kit import axe
from tests.e2e.kit.browsers import Browsers
from tests.web import recording_samples as samples
from tests.web.playback_page import DESK, NARROW, OVERFLOW, PATH, PHONE, opened, shot
from tests.web.recording_site import Vault
from web.render import DIST

pytestmark = [
    pytest.mark.skipif(not (DIST / "manifest.json").exists(), reason="the front end is not built"),
    pytest.mark.timeout(180),
]


# --- the list -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", ["en", "ar"])
async def test_the_list_says_of_each_recording_how_it_is(origin: str, browsers: Browsers, tag: str) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await page.goto(f"{origin}/recordings?lang={tag}")
    await expect(page.locator("[data-recording]")).to_have_count(5)
    await axe.is_accessible(page, texts_min=10)
    assert await page.evaluate(OVERFLOW) <= 0
    if tag == "en":
        await expect(page.locator(f"[data-recording={samples.ID}]")).to_contain_text("8:36 AM")
        await expect(page.locator(f"[data-recording={samples.TORN_ID}]")).to_contain_text("Legal hold")
        await expect(page.locator(f"[data-recording={samples.FOREIGN_ID}]")).to_contain_text(
            "Not your consult"
        )
        await expect(page.locator(f"[data-recording={samples.GONE_ID}]")).to_contain_text("Destroyed on")
        await page.screenshot(path=shot("recordings.desk.png"))
    await page.focus(f"[data-recording={samples.ID}] a")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{PATH}*")


async def test_without_recordings_the_list_says_how_they_come_to_be(
    vault: Vault, origin: str, browsers: Browsers
) -> None:
    vault.rows = []
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await page.goto(f"{origin}/recordings")
    await expect(page.locator("#list")).to_contain_text("There are no recordings")
    await axe.is_accessible(page, texts_min=4)


async def test_a_coordinator_sees_who_broke_the_glass_until_they_have_looked_at_it(
    vault: Vault, origin: str, browsers: Browsers
) -> None:
    vault.alerts = samples.alerts()
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await page.goto(f"{origin}/recordings")
    await expect(page.locator("[data-alert]")).to_contain_text(
        "Dr. Ama Boateng opened the recording of Salma Al-Rashidi in an emergency: Unconscious"
    )
    await axe.is_accessible(page, texts_min=10)
    await page.click("[data-do=acknowledge]")
    await expect(page.locator("[data-alert]")).to_have_count(0)
    assert vault.of("acknowledge")[0]["alert"] == "alert-1"


# --- before it is shown -------------------------------------------------------------------------------------


async def test_nothing_is_asked_of_the_server_before_somebody_says_what_it_is_for(
    vault: Vault, origin: str, browsers: Browsers
) -> None:
    vault.preparing = [0.1, 0.7]
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await page.goto(f"{origin}{PATH}")
    await axe.is_accessible(page, texts_min=6)
    assert vault.sent == []
    await page.check("[name=purpose][value=legal]")
    await page.keyboard.press("Enter")
    await expect(page.locator("progress")).to_have_attribute("aria-label", "The recording is being prepared")
    await expect(page.locator("progress + *, .row:has(progress) .num")).to_contain_text("10 %")
    await page.wait_for_selector("#player:not([hidden])")
    body = {"purpose": "legal", "reason": "", "break_glass": False}
    assert [{key: one[key] for key in body} for one in vault.of("open")] == [body] * 3
    await expect(page.locator("#play")).to_be_focused()


async def test_whoever_was_not_there_opens_it_only_with_a_reason(
    vault: Vault, origin: str, browsers: Browsers
) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await page.goto(f"{origin}/recordings/{samples.FOREIGN_ID}")
    await expect(page.locator("#gate .note-stop")).to_contain_text("You do not take part in this consult")
    await axe.is_accessible(page, texts_min=6)
    await page.fill("#reason", "short")
    await page.click("[data-do=open]")
    await expect(page.locator("#gate [role=alert]")).to_contain_text("10 characters")
    assert vault.sent == []
    await page.fill("#reason", "Unconscious in the emergency room")
    await page.click("[data-do=open]")
    await page.wait_for_selector("#player:not([hidden])")
    assert vault.of("open")[0]["break_glass"] is True
    assert vault.of("open")[0]["reason"] == "Unconscious in the emergency room"


async def test_a_coordinator_sees_facts_and_asks_for_deletion_and_cannot_watch(
    vault: Vault, origin: str, browsers: Browsers
) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await page.goto(f"{origin}/recordings/{samples.TORN_ID}")
    await expect(page.locator("#gate")).to_contain_text("You may not watch this recording.")
    await expect(page.locator("[data-do=open]")).to_have_count(0)
    await expect(page.locator("#export")).to_be_hidden()
    await page.click("#delete")
    await axe.is_accessible(page, texts_min=4)
    await page.fill("#reason", "The patient asked us to delete it")
    await page.click("[data-do=confirm-delete]")
    await expect(page.locator("#deletion")).to_contain_text("waits for a physician's confirmation")
    assert vault.of("delete")[0]["reason"] == "The patient asked us to delete it"


@pytest.mark.parametrize("does", ["confirm-delete", "keep"])
async def test_a_physician_confirms_what_another_asked_for_or_keeps_it(
    vault: Vault, origin: str, browsers: Browsers, does: str
) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    vault.deletion = "kept" if does == "keep" else "destroyed"
    await page.goto(f"{origin}/recordings/{samples.ASKED_ID}")
    await expect(page.locator("#deletion")).to_contain_text("waits for your confirmation")
    await page.click("#delete")
    await expect(page.locator("dialog")).to_contain_text("Jonas Weber asks for it: The patient asked us to")
    await page.fill("#reason", "I have spoken with the patient")
    async with page.expect_navigation():
        await page.click(f"[data-do={does}]")
    assert vault.of("delete")[0]["drop"] is (does == "keep")


@pytest.mark.parametrize(
    ("status", "says", "role"),
    [
        ("torn", "This recording was interrupted", "note"),
        ("tampered", "Do not rely on what you see and hear", "alert"),
        ("missing", "A part of this recording is missing", "alert"),
    ],
)
async def test_what_is_wrong_with_a_recording_is_said_before_anything_else(
    vault: Vault, origin: str, browsers: Browsers, status: str, says: str, role: str
) -> None:
    vault.answers = [samples.opened(status)]
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await opened(page, origin)
    await expect(page.locator(f"#warning [role={role}]")).to_contain_text(says)
    await expect(page.locator("#warning")).to_contain_text("Part 2")
    await axe.is_accessible(page, texts_min=10)


# --- papers -------------------------------------------------------------------------------------------------


async def test_tracks_and_one_file_are_exported_with_a_purpose(
    vault: Vault, origin: str, browsers: Browsers
) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await opened(page, origin)
    await page.click("#export")
    await axe.is_accessible(page, texts_min=4)
    await page.check("dialog [value=patient_request]")
    await page.keyboard.press("Enter")
    await expect(page.locator(".files a")).to_have_attribute("download", "")
    assert vault.of("export")[0]["purpose"] == "patient_request"
    await page.click("[data-do=compose]")
    await expect(page.locator("dialog progress")).to_have_attribute("value", "20")
    await page.click("[data-do=cancel-compose]")
    await expect(page.locator("dialog [role=status]")).to_have_text("It was stopped.")
    assert len(vault.of("compose/cancel")) == 1
    await page.click("[data-do=compose]")
    await expect(page.locator("dialog a[href*=composed]")).to_be_focused()
    assert vault.of("compose")[-1]["purpose"] == "patient_request"
    await axe.is_accessible(page, texts_min=4)


async def test_consents_and_the_log_are_there_to_read(vault: Vault, origin: str, browsers: Browsers) -> None:
    page = await browsers.open(viewport=DESK, reduced_motion="reduce")
    await opened(page, origin)
    await page.click("#consents")
    await expect(page.locator("dialog tbody tr").nth(2)).to_contain_text("took the consent back")
    await axe.is_accessible(page, texts_min=4)
    await page.keyboard.press("Escape")
    await page.click("#access-log")
    await expect(page.locator("dialog tbody tr").nth(1)).to_contain_text("exported")
    await axe.is_accessible(page, texts_min=4)
    await page.click("dialog [data-do=close]")
    await expect(page.locator("#access-log")).to_be_focused()
    await page.click("#hold")
    await page.fill("#reason", "Asked for by the court")
    async with page.expect_navigation():
        await page.click("[data-do=confirm-hold]")
    assert vault.of("hold") == [
        {"path": f"/api/recordings/{samples.ID}/hold", "held": True, "reason": "Asked for by the court"}
    ]


# --- for everybody ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "tag", "options"),
    [
        ("desk", "en", {"viewport": DESK}),
        ("desk-dark", "en", {"viewport": DESK, "color_scheme": "dark"}),
        ("phone", "en", {"viewport": PHONE}),
        ("arabic", "ar", {"viewport": DESK}),
        ("arabic-phone", "ar", {"viewport": PHONE}),
        ("contrast", "en", {"viewport": DESK, "forced_colors": "active"}),
    ],
)
async def test_the_player_is_accessible_wherever_it_is_used(
    origin: str, browsers: Browsers, name: str, tag: str, options: dict[str, Any]
) -> None:
    page = await browsers.open(reduced_motion="reduce", **options)
    await opened(page, origin, tag, "#t=20")
    assert (await axe.findings(page)).violations == ()
    assert await page.evaluate(OVERFLOW) <= 0
    await page.screenshot(path=shot(f"recording.{name}.screen.png"))
    await page.evaluate("() => { location.hash = '#t=7'; }")
    await expect(page.locator("[data-view=s1]")).to_be_hidden()
    await page.screenshot(path=shot(f"recording.{name}.png"), full_page=True)
    assert (await axe.findings(page)).violations == ()


@pytest.mark.parametrize("tag", ["en", "ar"])
async def test_nothing_scrolls_sideways_when_narrow_or_enlarged(
    origin: str, browsers: Browsers, tag: str
) -> None:
    narrow = await browsers.open(viewport=NARROW)
    wide = await browsers.open(viewport=DESK, flags=("--blink-settings=defaultFontSize=32",))
    for page in (narrow, wide):
        await page.goto(f"{origin}/recordings?lang={tag}")
        await page.wait_for_selector("[data-recording]")
        assert await page.evaluate(OVERFLOW) <= 0
        await opened(page, origin, tag, "#t=20")
        assert await page.evaluate(OVERFLOW) <= 0
    await wide.screenshot(path=shot(f"recording.enlarged.{tag}.png"), full_page=True)
