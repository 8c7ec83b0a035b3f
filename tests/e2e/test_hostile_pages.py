"""What pages of other origins and words with markup in them do in real browsers: nothing."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from aiohttp import web
from playwright.async_api import Page, expect

from tests.e2e.kit.browsers import chromium
from tests.e2e.kit.meridian import meridian
from tests.e2e.kit.people import PHYSICIAN
from tests.e2e.kit.ports import free_port
from tests.e2e.kit.tab import eventually
from tests.e2e.three_party import story
from tests.e2e.three_party.cast import cast

# Ways out of where text stands (text, attribute, script, comment, template), and what would then run.
EXITS = ("", '">', "'>", "</script>", "-->", "</textarea>", "`};", "]]>", "{{7*7}}", "</template>")
RUNS = (
    "<img src=x onerror=owned()>",
    "<svg onload=owned()>",
    "<script>owned()</script>",
    '<a href="javascript:owned()">a</a>',
    "<iframe srcdoc='<script>parent.owned()</script>'>",
    "<details open ontoggle=owned()>",
)
MARKUP = tuple(way + run for way in EXITS for run in RUNS)
NAME = """"><img src=x onerror=owned()>'</b>{{7*7}}"""
PATIENT_NAME = """</script><svg onload=owned()>&lt;i&gt;"""
OWNED = """() => ({
  ran: window.ran ?? 0,
  grown: document.querySelectorAll(
    'img[src="x"], svg[onload], a[href^="javascript"], iframe[srcdoc], details[ontoggle]').length,
})"""
WATCH = "() => { window.owned = () => { window.ran = (window.ran ?? 0) + 1; }; }"
SHOWN = "(text) => document.body.innerText.replaceAll(/[\\u2066-\\u2069]/g, '').includes(text)"
SENT_BY_OTHERS = """async (origin) => {
  const tried = {};
  const post = async (name, path, options) => {
    try {
      const answer = await fetch(origin + path, {method: 'POST', credentials: 'include', ...options});
      tried[name] = answer.type === 'opaque' ? 'opaque' : `read ${answer.status}`;
    } catch { tried[name] = 'refused'; }
  };
  const json = {headers: {'Content-Type': 'application/json'}};
  await post('ticket as json', '/api/ticket', {...json, body: '{"board":true}'});
  await post('ticket as text', '/api/ticket', {mode: 'no-cors', body: '{"board":true}'});
  await post('sign out', '/api/signout', {mode: 'no-cors', body: '{}'});
  await post('polling', '/socket.io/?EIO=4&transport=polling', {mode: 'no-cors', body: '40{}'});
  try {
    await fetch(`${origin}/board`, {credentials: 'include'});
    tried.page = 'read';
  } catch { tried.page = 'refused'; }
  tried.socket = await new Promise((done) => {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    socket.onopen = () => done('open');
    socket.onerror = () => done('refused');
  });
  const loads = [['script', 'script', '/static/dist/manifest.json'], ['image', 'img', '/board']];
  for (const [name, tag, path] of loads)
    tried[name] = await new Promise((done) => {
      const element = document.createElement(tag);
      element.onload = () => done('loaded');
      element.onerror = () => done('refused');
      element.src = origin + path;
      document.body.append(element);
    });
  return tried;
}"""
FORM = """([action, fields]) => {
  const form = document.createElement('form');
  Object.assign(form, {method: 'POST', enctype: 'text/plain', action, target: 'sink'});
  const input = document.createElement('input');
  [input.name, input.value] = fields;
  form.append(input);
  document.body.append(form);
  form.submit();
}"""
FRAMED = """async (url) => {
  const frame = document.createElement('iframe');
  const loaded = new Promise((done) => { frame.onload = done; });
  frame.src = url;
  document.body.append(frame);
  await loaded;
  try { return frame.contentDocument ? 'same' : 'blocked'; } catch { return 'blocked'; }
}"""


@contextlib.asynccontextmanager
async def elsewhere() -> AsyncIterator[int]:
    """A web server of somebody else's, with an empty page; its port."""
    app = web.Application()

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><iframe name=sink></iframe>", content_type="text/html")

    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield port
    finally:
        await runner.cleanup()


async def unowned(page: Page) -> None:
    """Nothing of the markup ran or became an element."""
    assert await page.evaluate(OWNED) == {"ran": 0, "grown": 0}


async def shown(page: Page, text: str) -> None:
    await eventually(lambda: page.evaluate(SHOWN, text), bool, within_s=10, what="it is shown as written")
    await unowned(page)


async def test_markup_in_names_and_messages_is_shown_as_written_and_runs_nowhere() -> None:
    async with cast() as people:
        patient, physician, _ = people.everyone
        for guest in people.everyone:
            await guest.tab.evaluate(WATCH)
        await people.admit_all()
        desk: Page = physician.tab  # type: ignore[assignment]
        phone: Page = patient.tab  # type: ignore[assignment]

        await desk.locator("[data-line]", has_text="Interpreter").locator("[data-do=rename]").click()
        await desk.fill("#dialog-rename input", NAME)
        await story.press(desk, "rename_yes")
        for guest in people.everyone:
            if guest.role != "interpreter":
                await shown(guest.tab, NAME)  # type: ignore[arg-type]

        await story.press(phone, "chat")
        await story.press(desk, "tab-chat")
        said = [
            "\n".join(MARKUP[start : start + 20]).replace("\n", " ") for start in range(0, len(MARKUP), 20)
        ]
        for text in said:
            assert len(text) < 2000
            await phone.fill("#dialog-chat [name=text]", text)
            await story.press(phone, "send")
            await shown(phone, text)
        for text in said:
            await shown(desk, text)
        assert people.browsers.errors == []


async def test_markup_in_a_booking_is_shown_as_written_from_the_board_to_the_invitation() -> None:
    async with meridian(log="markup.log") as server, chromium() as browsers:
        page = await browsers.open(devices=False)
        await page.context.add_init_script(f"({WATCH})()")
        await page.goto(server.links["coordinator"])
        await page.wait_for_url("**/board")
        await page.goto(f"{server.origin}/board/new")
        fields = {
            "patient-name": PATIENT_NAME,
            "birth-year": "1959",
            "city": NAME,
            "day": (datetime.now(UTC) + timedelta(days=7)).date().isoformat(),
            "time": "10:00",
            "companion-name": NAME,
            "interpreter-name": NAME,
        }
        for name, value in (("language", "ar"), ("country", "KW"), ("interpreter", "invite")):
            await page.select_option(f"#{name}", value)
        await page.select_option("#physician", index=1)
        for name, value in fields.items():
            await page.fill(f"#{name}", value)
        await page.click("[data-do=schedule]")
        await shown(page, PATIENT_NAME)
        await shown(page, NAME)
        link = await page.locator(".links-out").evaluate(
            "(list) => /http\\S+\\/v#\\S+/.exec(list.innerText + [...list.querySelectorAll('input')]"
            ".map((one) => one.value).join(' '))[0]"
        )
        await page.goto(f"{server.origin}/board")
        await page.wait_for_selector("[data-do=day]:visible")
        await unowned(page)
        guest = await browsers.open(devices=False)
        await guest.context.add_init_script(f"({WATCH})()")
        await guest.goto(link)
        await guest.wait_for_selector("[data-do=join], [data-screen]")
        await unowned(guest)
        assert browsers.errors == []


async def test_a_page_of_another_origin_reads_sends_and_opens_nothing_as_the_person_who_is_signed_in() -> (
    None
):
    async with meridian(log="elsewhere.log") as server, elsewhere() as port, chromium() as browsers:
        page = await browsers.open(PHYSICIAN, url=server.links["physician"])
        await page.wait_for_url("**/board")
        own = page.url
        cookies = {one["name"]: one["value"] for one in await page.context.cookies()}
        assert cookies
        # Another site, which is sent no SameSite=Lax cookies; the same site on another port, which is.
        for host in ("localhost", "127.0.0.1"):
            other = await page.context.new_page()
            await other.goto(f"http://{host}:{port}/")
            tried = await other.evaluate(SENT_BY_OTHERS, server.origin)
            assert tried == {
                "ticket as json": "refused",
                "ticket as text": "refused",
                "sign out": "refused",
                "polling": "refused",
                "page": "refused",
                "socket": "refused",
                "script": "refused",
                "image": "refused",
            }, host
            await other.evaluate(FORM, [f"{server.origin}/api/signout", ['{"a":"', '"}']])
            assert await other.evaluate(FRAMED, own) == "blocked"
            await other.wait_for_timeout(500)
        assert {one["name"]: one["value"] for one in await page.context.cookies()} == cookies
        await page.goto(own)
        await expect(page.locator("[data-do=enter]").first).to_be_visible()
