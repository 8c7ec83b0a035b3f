"""The HTTP side: who gets in, what changes nothing, what every answer carries."""

import asyncio
from typing import Any

import pytest
from yarl import URL

from server.http import body
from server.http.routes import DEMO_ROUTES, ROUTES
from server.http.table import RULES, Who
from server.identity.throttle import TICKETS_PER_MINUTE

SCANNERS = [
    "WhatsApp/2.23",
    "facebookexternalhit/1.1",
    "Slackbot-LinkExpanding 1.0",
    "Microsoft Office SafeLinks",
]


async def test_every_route_of_the_application_is_declared(http: Any) -> None:
    app = http.client.server.app
    declared = set(app[RULES])
    for route in app.router.routes():
        assert route.resource.canonical in declared
    assert {route.path.replace("{file:.+}", "{file}") for route in ROUTES + DEMO_ROUTES} <= declared


async def test_the_invitation_is_exchanged_for_one_seat_and_opens_its_page(http: Any) -> None:
    page = await http.enter("patient")
    assert page.startswith("/c/")
    answer = await http.get(page)
    assert answer.status == 200
    text = await answer.text()
    assert 'lang="ar"' in text
    assert http.secret("patient") not in text


async def test_three_links_in_one_browser_are_three_people(http: Any) -> None:
    await http.sign_in("physician")
    patient, interpreter = await http.enter("patient"), await http.enter("interpreter", "en")
    consult = patient.split("/")[2]
    entered = await http.post(f"/api/consult/{consult}/enter")
    physician = (await entered.json())["url"]
    assert len({patient, interpreter, physician}) == 3
    for page, role in ((patient, "patient"), (interpreter, "interpreter"), (physician, "physician")):
        answer = await http.get(page)
        assert answer.status == 200
        assert f'"role": "{role}"' in (text := await answer.text()) or f'"role":"{role}"' in text
        _, _, consult_id, participant_id = page.split("/")
        ticket = await http.post("/api/ticket", {"consult_id": consult_id, "participant_id": participant_id})
        entry = await http.services.tickets.redeem((await ticket.json())["ticket"])
        assert entry.participant == participant_id
    names = [cookie.key for cookie in http.client.session.cookie_jar if "seat" in cookie.key]
    assert len(set(names)) == 3


async def test_link_scanners_use_nothing_up(http: Any) -> None:
    for agent in SCANNERS:
        for method in ("GET", "HEAD"):
            for path in ("/v", f"/v?x={'a' * 43}", "/demo", "/"):
                answer = await http.client.request(method, path, headers={"User-Agent": agent})
                assert answer.status == 200
                assert "Set-Cookie" not in answer.headers
    for _ in range(3):
        preview = await http.post(
            "/api/invitation/preview", {"secret": http.secret("patient"), "language": "en"}
        )
        assert (await preview.json())["state"] == "open"
    page = await http.enter("patient")
    seat = await http.services.seats.find(
        *page.split("/")[2:], _seat_cookie(http), now=http.services.clock.now()
    )
    assert not seat.further


def _seat_cookie(http: Any) -> str:
    return next(str(cookie.value) for cookie in http.client.session.cookie_jar if "seat" in cookie.key)


async def test_a_further_browser_makes_a_further_device(http: Any) -> None:
    await http.enter("patient")
    first = _seat_cookie(http)
    http.client.session.cookie_jar.clear()
    page = await http.enter("patient")
    second = _seat_cookie(http)
    now = http.services.clock.now()
    find = http.services.seats.find
    assert not (await find(*page.split("/")[2:], first, now=now)).further
    assert (await find(*page.split("/")[2:], second, now=now)).further


async def test_the_preview_says_what_the_person_needs_and_names_no_patient(http: Any) -> None:
    answer = await http.post(
        "/api/invitation/preview", {"secret": http.secret("interpreter"), "language": "en"}
    )
    text = await answer.text()
    facts = await answer.json()
    assert facts["physician_name"] == "Dr. Elena Marlowe"
    assert facts["interpreter"] is True
    assert facts["role"] == "interpreter"
    assert "Salma" not in text
    assert "Nadia" not in text


async def test_unknown_and_malformed_secrets_learn_nothing(http: Any) -> None:
    answer = await http.post("/api/invitation/preview", {"secret": "A" * 43, "language": "en"})
    assert answer.status == 200
    facts = await answer.json()
    assert facts["state"] == "unknown"
    assert facts["physician_name"] == ""
    body = {"secret": "A" * 43, "language": "en", "has_camera_interface": True}
    answer = await http.post("/api/invitation/exchange", body)
    assert (answer.status, (await answer.json())["code"]) == (404, "unknown_invitation")
    answer = await http.post("/api/invitation/preview", {"secret": "short", "language": "en"})
    assert (answer.status, (await answer.json())["code"]) == (400, "bad_request")


async def test_guessing_is_slowed_down(http: Any) -> None:
    statuses = [
        (await http.post("/api/invitation/preview", {"secret": "A" * 43, "language": "en"})).status
        for _ in range(40)
    ]
    assert statuses.count(200) == http.services.settings.invitations.tries_per_minute
    assert statuses[-1] == 429


async def test_one_device_cannot_crowd_out_the_tickets_of_others(http: Any) -> None:
    _, _, consult, participant = (await http.enter("patient")).split("/")
    seat = {"consult_id": consult, "participant_id": participant}
    answers = [(await http.post("/api/ticket", seat)).status for _ in range(TICKETS_PER_MINUTE + 1)]
    assert answers == [200] * TICKETS_PER_MINUTE + [429]


async def test_someone_elses_seat_and_one_that_does_not_exist_look_the_same(http: Any) -> None:
    page = await http.enter("patient")
    http.client.session.cookie_jar.clear()
    answers = [await http.get(path) for path in (page, "/c/nothing/nobody")]
    assert [answer.status for answer in answers] == [404, 404]
    assert await answers[0].text() == await answers[1].text()
    consult, participant = page.split("/")[2:]
    tickets = [
        await http.post("/api/ticket", {"consult_id": c, "participant_id": p})
        for c, p in ((consult, participant), ("nothing", "nobody"))
    ]
    assert [ticket.status for ticket in tickets] == [404, 404]


async def test_staff_pages_ask_for_a_sign_in(http: Any) -> None:
    for path in ("/board", "/board/new", "/desk"):
        answer = await http.get(path)
        assert answer.status == 303
        assert answer.headers["Location"].startswith("/signin?next=")
    assert (await http.post("/api/ticket", {"board": True})).status == 401
    assert (await http.post("/api/consult/x/enter")).status == 401


async def test_every_page_of_staff_opens_for_whom_it_is(http: Any) -> None:
    opened = {}
    for colleague, password in http.demo.passwords:
        answer = await http.post("/api/signin", {"email": colleague.email, "password": password})
        assert answer.status == 200
        home = (await answer.json())["url"]
        assert (await http.get(home)).status == 200
        opened[colleague.role] = [
            path for path in ("/board", "/board/new", "/desk") if (await http.get(path)).status == 200
        ]
        assert (await http.get("/")).headers["Location"] == home
        await http.post("/api/signout")
        assert (await http.get(home)).status == 303
    assert opened == {
        "physician": ["/board"],
        "coordinator": ["/board", "/board/new"],
        "interpreter": ["/desk"],
    }


async def test_a_wrong_password_and_an_unknown_account_are_answered_alike(http: Any) -> None:
    email = http.demo.passwords[0][0].email
    answers = [
        await http.post("/api/signin", {"email": who, "password": "not it at all"})
        for who in (email, "nobody@example.org")
    ]
    assert [answer.status for answer in answers] == [401, 401]
    assert await answers[0].text() == await answers[1].text()


async def test_signing_out_ends_the_sign_in_its_seats_and_its_sockets(http: Any) -> None:
    await http.sign_in("physician")
    patient = await http.enter("patient")
    consult = patient.split("/")[2]
    page = (await (await http.post(f"/api/consult/{consult}/enter")).json())["url"]
    kept = {cookie.key: cookie.value for cookie in http.client.session.cookie_jar}
    answer = await http.post("/api/signout")
    assert "storage" in answer.headers["Clear-Site-Data"]
    assert len(http.hung_up) == 1
    http.client.session.cookie_jar.update_cookies(kept, URL(http.origin))
    assert (await http.get("/board")).status == 303
    assert (await http.get(page)).status == 404
    assert (await http.get(patient)).status == 200


async def test_the_seat_of_staff_ends_with_their_sign_in(http: Any) -> None:
    await http.sign_in("physician")
    consult = (await http.enter("patient")).split("/")[2]
    page = (await (await http.post(f"/api/consult/{consult}/enter")).json())["url"]
    assert (await http.get(page)).status == 200
    http.services.clock.pass_s(http.services.settings.sign_in.idle_s)
    assert (await http.get(page)).status == 404


async def test_a_planted_staff_cookie_is_replaced_at_sign_in(http: Any) -> None:
    http.client.session.cookie_jar.update_cookies({"meridian_staff": "x" * 43}, URL(http.origin))
    await http.sign_in("physician")
    cookie = next(one for one in http.client.session.cookie_jar if one.key == "meridian_staff")
    assert cookie.value != "x" * 43
    assert (await http.get("/board")).status == 200


async def test_a_demo_link_signs_in_once_and_its_browser_may_come_back(http: Any) -> None:
    await http.sign_in("physician")
    await http.sign_in("physician")
    http.client.session.cookie_jar.clear()
    answer = await http.post("/api/demo/enter", {"secret": http.secret("physician")})
    assert (answer.status, (await answer.json())["code"]) == (410, "used")


async def test_only_people_of_a_consult_may_enter_it(http: Any) -> None:
    consult = (await http.enter("patient")).split("/")[2]
    await http.sign_in("coordinator")
    answer = await http.post(f"/api/consult/{consult}/enter")
    assert (answer.status, (await answer.json())["code"]) == (403, "not_permitted")
    assert (await http.post("/api/consult/unknown/enter")).status == 404


CROSS_SITE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {},
]


POSTS = [route.path.replace("{consult_id}", "x") for route in ROUTES + DEMO_ROUTES if route.method == "POST"]


async def test_no_other_site_can_make_a_browser_change_anything(http: Any) -> None:
    for path in POSTS:
        for headers in CROSS_SITE:
            answer = await http.client.post(path, json={}, headers=headers)
            assert (answer.status, (await answer.json())["code"]) == (403, "cross_site"), (path, headers)


async def test_only_plain_json_is_read(http: Any) -> None:
    own = {"Sec-Fetch-Site": "same-origin"}
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = await http.client.post("/api/signin", data="{}", headers=own | {"Content-Type": kind})
        assert answer.status == 415
    answer = await http.client.post(
        "/api/signin",
        data=b"\x1f\x8b",
        headers=own | {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    )
    assert answer.status == 415
    answer = await http.client.post("/api/signin", json={"email": "a" * 100_000}, headers=own)
    assert (answer.status, (await answer.json())["code"]) == (413, "too_large")
    answer = await http.client.post(
        "/api/signin", data="[", headers=own | {"Content-Type": "application/json"}
    )
    assert answer.status == 400


async def raw(http: Any, *lines: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", http.services.settings.server.port)
    host = http.origin.removeprefix("http://")
    own = (f"Host: {host}", "Sec-Fetch-Site: same-origin", "Content-Type: application/json")
    writer.write("\r\n".join((lines[0], *own, *lines[1:], "", "{")).encode())
    return reader, writer


async def test_a_body_that_is_too_long_or_never_comes_is_not_waited_for(
    http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "ARRIVES_WITHIN_S", 0.05)
    for length, status in (("99999999", "413"), ("100", "408")):
        reader, writer = await raw(http, "POST /api/signin HTTP/1.1", f"Content-Length: {length}")
        async with asyncio.timeout(5):
            assert (await reader.readline()).decode().split()[1] == status
        writer.close()


async def test_a_request_under_another_host_name_is_refused(http: Any) -> None:
    answer = await http.client.get("/", headers={"Host": "evil.example"})
    assert (answer.status, (await answer.json())["code"]) == (421, "wrong_host")


async def test_an_answer_to_a_person_is_a_page_and_to_a_script_is_json(http: Any) -> None:
    page = await http.get("/nowhere")
    assert (page.status, page.content_type) == (404, "text/html")
    script = await http.client.get("/nowhere")
    assert await script.json() == {"code": "not_found"}
    wrong = await http.client.request("DELETE", "/board", headers={"Sec-Fetch-Site": "same-origin"})
    assert wrong.status in (405, 415)


async def test_a_bug_is_answered_with_a_support_id_and_nothing_of_itself(
    http: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_page: object) -> str:
        raise KeyError("Salma")

    monkeypatch.setattr(http.services.front.renderer, "render", broken)
    answer = await http.client.get("/help")
    body = await answer.json()
    assert (answer.status, body["code"]) == (500, "internal")
    assert len(body["support_id"]) == 8
    assert "Salma" not in str(body)


async def test_the_language_of_a_seat_and_of_an_invitation_is_nobody_elses(http: Any) -> None:
    page = await http.enter("patient")
    assert 'dir="ltr"' in await (await http.get(f"{page}?lang=en")).text()
    assert 'dir="ltr"' in await (await http.get(page)).text()
    other = await http.enter("interpreter", "ar")
    assert 'dir="rtl"' in await (await http.get(other)).text()
    assert "Set-Cookie" not in (await http.get("/v?lang=ar")).headers
    assert 'dir="ltr"' in await (await http.get("/v", Accept_Language="en")).text()


async def test_the_names_of_places_are_in_the_language_of_the_page(http: Any) -> None:
    body = {"secret": http.secret("patient"), "language": "ar"}
    facts = await (await http.post("/api/invitation/preview", body)).json()
    assert facts["zone"] == {"id": "Asia/Kuwait", "city": "مدينة الكويت"}


async def test_a_page_can_be_read_in_another_language_and_stays_so(http: Any) -> None:
    assert 'dir="rtl"' in await (await http.get("/help?lang=ar")).text()
    assert 'dir="rtl"' in await (await http.get("/help", Accept_Language="en")).text()
    assert 'dir="ltr"' in await (await http.get("/help?lang=en")).text()
    assert "Set-Cookie" not in (await http.get("/help?lang=xx-nothing")).headers


async def test_sign_in_goes_on_to_our_own_pages_alone(http: Any) -> None:
    assert "/board/new" in await (await http.get("/signin?next=/board/new")).text()
    for wanted in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert "evil" not in await (await http.get(f"/signin?next={wanted}")).text()


async def test_static_files_are_cached_for_ever_compressed_and_nothing_else_is_served(http: Any) -> None:
    name = next(iter(sorted(name for name in http.services.front.files._files if name.endswith(".css"))))
    reader, writer = await asyncio.open_connection("127.0.0.1", http.services.settings.server.port)
    host = http.origin.removeprefix("http://")
    writer.write(f"GET /static/{name} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: br\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()
    assert head.startswith("HTTP/1.1 200")
    assert "immutable" in head
    assert "Content-Encoding: br" in head
    assert "Content-Type: text/css" in head
    for path in ("manifest.json", "../render.py", "%2e%2e/render.py", "assets/", "assets/none.js"):
        assert (await http.client.get(f"/static/{path}")).status == 404


async def test_monitors_see_life_readiness_and_numbers(http: Any) -> None:
    assert await (await http.client.get("/healthz")).json() == {"alive": True}
    ready = await http.client.get("/readyz")
    assert (ready.status, (await ready.json())["ready"]) == (200, True)
    text = await (await http.client.get("/metrics")).text()
    assert "meridian_requests_total" in text
    assert 'meridian_media_packets_total{what="forwarded",worker="0"} 7.0' in text
    assert (await http.client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"})).status == 404


def test_the_table_says_for_every_route_who_may() -> None:
    matrix = {f"{route.method} {route.path}": route.who for route in ROUTES + DEMO_ROUTES}
    assert len(matrix) == len(ROUTES + DEMO_ROUTES)
    posts = {name: who for name, who in matrix.items() if name.startswith("POST")}
    assert posts == {
        "POST /api/invitation/preview": Who.INVITED,
        "POST /api/invitation/exchange": Who.INVITED,
        "POST /api/ticket": Who.SEATED_OR_STAFF,
        "POST /api/signin": Who.ANYONE,
        "POST /api/signout": Who.ANYONE,
        "POST /api/consult/{consult_id}/enter": Who.STAFF,
        "POST /api/interpreters": Who.STAFF,
        "POST /api/interpreters/save": Who.STAFF,
        "POST /api/interpreters/shift": Who.STAFF,
        "POST /api/interpreters/unshift": Who.STAFF,
        "POST /api/desk": Who.STAFF,
        "POST /api/recordings": Who.STAFF,
        "POST /api/recordings/acknowledge": Who.STAFF,
        "POST /api/recordings/{recording_id}/open": Who.STAFF,
        "POST /api/recordings/{recording_id}/export": Who.STAFF,
        "POST /api/recordings/{recording_id}/compose": Who.STAFF,
        "POST /api/recordings/{recording_id}/compose/cancel": Who.STAFF,
        "POST /api/recordings/{recording_id}/access-log": Who.STAFF,
        "POST /api/recordings/{recording_id}/delete": Who.STAFF,
        "POST /api/recordings/{recording_id}/hold": Who.STAFF,
        "POST /api/consult/{consult_id}/{participant_id}/rate": Who.SEATED,
        "POST /api/demo/enter": Who.DEMO,
    }
