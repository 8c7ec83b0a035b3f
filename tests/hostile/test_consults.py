"""People who have a seat and use it against others: before admission, across consults, with markup."""

import asyncio
import contextlib
import json
import random
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle
from typing import Any, get_args

import pytest
import pytest_asyncio

from signaling.protocol import messages
from signaling.protocol.fields import Shape
from tests.e2e.kit.tab import eventually
from tests.hostile import spray
from tests.hostile.caller import Call, Caller, enter
from tests.media.loopback import until
from tests.server.browser import SOON_S, Browser, Tab

pytestmark = pytest.mark.asyncio(loop_scope="package")

PACKETS = 3_000
BURST = 30
DROPPED_WITHIN_S = 10.0
MARK = b"a packet of the intruder"
MARKUP = (
    '<img src=x onerror="alert(1)">',
    "<script>document.title='taken'</script>",
    '"><svg onload=alert`1`>',
    "javascript:alert(1)//{{7*7}}${7*7}",
    "</textarea>&lt;b&gt;'--",
)
STRANGE_NAMES = ("a\x00b", "a\u202egnp.exe", "a\r\nSet-Cookie: x", "a\x7f", "\u2066x")
FIELDS: dict[str, object] = {
    "command_id": "replayed-1",
    "name": "Somebody Else",
    "kind": "soon",
    "minutes": 10,
    "starts_at": "2030-01-01T10:00:00Z",
    "ends_at": "2030-01-01T10:30:00Z",
    "language": "en",
    "person": {"role": "companion", "language": "en", "name": "One More"},
}
REASONS = {"decline": "not_expected", "end": "completed", "cancel": "mistake"}


def packets_as(people: tuple[Caller, ...], seed: int, *, first: int = 0) -> list[bytes]:
    """RTP that claims to be of these people: their SSRCs, every payload type and m-line a call has."""
    chance = random.Random(seed)
    ssrcs = [ssrc for one in people for ssrc in one.ssrcs] + [7, 8]
    kinds = [int(kind) for kind in dict.fromkeys(re.findall(r"a=rtpmap:(\d+) ", people[0].offer))]
    [mid_id] = {int(number) for number in re.findall(r"a=extmap:(\d+) \S+sdes:mid", people[0].offer)}
    made = []
    for number in range(first, first + BURST):
        extension = struct.pack("!HHBBH", 0xBEDE, 1, mid_id << 4, ord(chance.choice("0123456789")), 0)
        head = struct.pack("!BBHII", 0x90, chance.choice(kinds), number, number * 960, chance.choice(ssrcs))
        made.append(head + extension + MARK + chance.randbytes(40))
    return made


async def send_as(intruder: Caller, people: tuple[Caller, ...]) -> None:
    """Some thousand packets of the intruder's making, with the intruder's own keys."""
    for first in range(0, PACKETS, BURST):
        for packet in packets_as(people, seed=first, first=first):
            await intruder.send_rtp(packet)
        await asyncio.sleep(spray.BEAT_S)


def listen(*people: Caller) -> None:
    for one in people:
        one.marks = (MARK,)


async def dropped(call: Call) -> int:
    return await call.packets("dropped_refused") + await call.packets("dropped_before_route")


async def test_a_guest_who_waits_is_heard_by_nobody_and_hears_nobody(call: Call) -> None:
    listen(*call.victims)
    guest = await call.invited("A guest")
    await guest.connect_media(silent=True)
    before, slots = await dropped(call), [set(victim.streams) for victim in call.victims]
    async with call.unhurt():
        await send_as(guest, (*call.victims, guest))
        enough = before + PACKETS // 2
        await eventually(
            lambda: dropped(call), lambda n: n > enough, within_s=DROPPED_WITHIN_S, what="packets are dropped"
        )
    assert [victim.heard(MARK) for victim in call.victims] == [0, 0, 0]
    assert [set(victim.streams) for victim in call.victims] == slots
    assert guest.received == 0
    await guest.do("leave")


async def test_a_participant_is_heard_as_nobody_else(call: Call, intruder: Caller) -> None:
    theirs = [set(victim.streams) for victim in call.victims]
    listen(*call.victims)
    async with call.unhurt():
        await send_as(intruder, (*call.victims, intruder))
    for victim, known in zip(call.victims, theirs, strict=True):
        assert victim.heard(MARK) > 0, "in their own slot they are heard"
        assert sum(victim.streams[ssrc].marked.get(MARK, 0) for ssrc in known) == 0


async def test_media_under_keys_of_a_strangers_making_is_no_media(call: Call) -> None:
    listen(*call.victims)
    heard = [victim.heard(MARK) for victim in call.victims]
    before = await call.packets("dropped_stranger")
    forged = [packet + random.Random(9).randbytes(16) for packet in packets_as(call.victims, seed=9)]
    async with call.unhurt(), spray.spraying(call.ports, cycle(forged), per_s=PACKETS):
        await eventually(
            lambda: call.packets("dropped_stranger"),
            lambda n: n > before + PACKETS // 2,
            within_s=DROPPED_WITHIN_S,
            what="packets are dropped",
        )
    assert [victim.heard(MARK) for victim in call.victims] == heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Another consult of the same clinic, with a physician of its own."""

    physician: Caller
    patient: Caller
    board: Tab


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def elsewhere(call: Call) -> Elsewhere:
    """Physician and patient of the other consult in their room, silent."""
    office, own = call.browser(), call.browser()
    await office.post("/api/demo/enter", {"secret": call.server.links["coordinator"].partition("#")[2]})
    board = await office.open({"board": True})
    people = [one for row in (await board.view(type="board_view"))["rows"] for one in row["people"]]
    doctor = next(one["user"] for one in people if "Okafor" in one["name"])
    consult, link = await scheduled(board, doctor)
    password = re.search(r"okafor@demo\.example\s+(\S+)", call.server.logged())
    assert password is not None
    await own.post("/api/signin", {"email": "okafor@demo.example", "password": password[1]})
    physician = await call.joined(Caller(own, await enter(own, consult)))
    patient = await call.guest(link)
    admitted = {"participant": patient.seat["participant_id"], "identity_confirmed": True}
    await physician.do("admit", **admitted)
    for one in (physician, patient):
        await one.connect_media(silent=True)
    return Elsewhere(physician=physician, patient=patient, board=await own.open({"board": True}))


async def scheduled(board: Tab, doctor: str) -> tuple[str, str]:
    now = datetime.now(UTC)
    patient = {"role": "patient", "language": "en", "name": "Somebody Else", "birth_year": 1980}
    where = {"time_zone": "Asia/Kuwait", "country": "KW", "city": "Kuwait City"}
    answer = await board.send(
        type="schedule",
        command_id="elsewhere-1",
        starts_at=now.isoformat(),
        ends_at=(now + timedelta(minutes=30)).isoformat(),
        people=[patient | where, {"role": "physician", "language": "en", "user": doctor}],
    )
    assert answer["type"] == "accepted", answer
    return answer["consult_id"], answer["invitations"][0]["url"]


def naming(field: str, union: object) -> list[type[Shape]]:
    return [one for one in get_args(union) if field in one.model_fields]


def replayed(shape: type[Shape], **ids: Any) -> dict[str, Any]:
    """A message of this type that is as it should be, but for whose ids it has."""
    [kind] = get_args(shape.model_fields["type"].annotation)
    known = {**FIELDS, **ids, "type": kind, "reason": REASONS.get(kind)}
    message = {name: known[name] for name in shape.model_fields if name in known}
    shape.model_validate_json(json.dumps(message))
    return message


async def test_ids_of_another_consult_lead_nowhere_from_a_seat(call: Call, elsewhere: Elsewhere) -> None:
    attacker = elsewhere.physician
    async with call.unhurt():
        versions = [last_view(victim)["version"] for victim in call.victims]
        for victim in call.victims:
            await attacker.open()  # each message costs some of what a connection may send
            for shape in naming("participant", messages.ConsultMessage):
                answer = await attacker.ask(replayed(shape, participant=victim.seat["participant_id"]))
                assert answer == {"type": "refusal", "code": "not_found", "support_id": None}, shape
            closing = {"type": "close_media", "peer": victim.peer}
            assert (await attacker.ask(closing))["type"] == "accepted", "closing what one has not is no fault"
        for shape in naming("consult_id", messages.ConsultMessage):
            ids = {"consult_id": call.consult, "participant": call.patient.seat["participant_id"]}
            assert (await attacker.ask(replayed(shape, **ids)))["code"] == "bad_message"
            await attacker.open()
    assert [last_view(victim)["version"] for victim in call.victims] == versions


async def test_ids_of_another_consult_lead_nowhere_from_the_board_of_whoever_is_not_in_it(
    call: Call, elsewhere: Elsewhere
) -> None:
    ids = {
        "consult_id": call.consult,
        "participant": call.patient.seat["participant_id"],
        "request": 1,
        "audio_only": False,
        "another_time": False,
        "mode": "video",
    }
    shapes = [
        shape
        for shape in naming("consult_id", messages.ConsultMessage | messages.BoardMessage)
        if shape is not messages.Cover  # which is there to be used: a physician may take over
    ]
    assert len(shapes) > 10
    async with call.unhurt():
        for shape in shapes:
            answer = await elsewhere.board.send(**replayed(shape, **ids))
            assert answer == {"type": "refusal", "code": "not_permitted", "support_id": None}, shape


@pytest.mark.parametrize("who", ["patient", "physician"])
async def test_the_seats_of_another_consult_are_not_there(call: Call, elsewhere: Elsewhere, who: str) -> None:
    browser: Browser = getattr(elsewhere, who).browser
    headers = {"Origin": browser.site, "Sec-Fetch-Site": "same-origin"}
    own_participant = getattr(elsewhere, who).seat["participant_id"]
    wanted = [victim.seat for victim in call.victims]
    wanted += [{"consult_id": call.consult, "participant_id": own_participant}]
    wanted += [{**elsewhere.patient.seat, "participant_id": call.patient.seat["participant_id"]}]
    async with call.unhurt():
        for seat in wanted:
            async with browser.http.post(browser.site + "/api/ticket", json=seat, headers=headers) as answer:
                assert (answer.status, await answer.json()) == (404, {"code": "not_found"})
            page = "/c/{consult_id}/{participant_id}".format(**seat)
            async with browser.http.get(browser.site + page) as answer:
                assert answer.status == 404
        enter_it = f"{browser.site}/api/consult/{call.consult}/enter"
        async with browser.http.post(enter_it, json={}, headers=headers) as answer:
            assert answer.status in (401, 403)


async def test_no_packet_crosses_between_consults(call: Call, elsewhere: Elsewhere) -> None:
    one, other = elsewhere.patient, elsewhere.physician
    listen(*call.victims, one, other)
    heard = [victim.heard(MARK) for victim in call.victims]
    async with call.unhurt():
        for attacker in (one, other):
            await send_as(attacker, (*call.victims, attacker))
        for attacker, victim in ((one, call.physician), (other, call.patient)):
            await claim(attacker, victim.peer)
            with contextlib.suppress(ConnectionError):  # what they had may be closed for it
                await send_as(attacker, (*call.victims, attacker))
    assert [victim.heard(MARK) for victim in call.victims] == heard
    for attacker in (one, other):
        assert attacker.heard(MARK) > 0, "within their own consult they hear each other"
        assert attacker.received == attacker.heard(MARK), "and nothing else"


async def claim(attacker: Caller, peer: str) -> None:
    """Come back on a new tab and name somebody else's peer as one's own."""
    attacker.tab = await attacker.browser.open(attacker.seat, peer)
    await attacker.tab.view(type="consult_view")


def last_view(caller: Caller) -> dict[str, Any]:
    return next(told for told in reversed(caller.tab.told) if told["type"] == "consult_view")


async def test_markup_in_names_and_chat_is_text(call: Call, intruder: Caller) -> None:
    me = intruder.seat["participant_id"]
    async with call.unhurt():
        for text in MARKUP:
            await intruder.do("rename", participant=me, name=text)
            await until(partial(is_named, call.physician, me, text), SOON_S)
            await intruder.do("send_message", text=text)
        chat = await call.physician.ask({"type": "fetch_chat", "after_seq": 0})
        assert [message["text"] for message in chat["messages"]] == list(MARKUP)
        seat = call.physician.seat
        for page in (f"/c/{seat['consult_id']}/{seat['participant_id']}", "/board", "/board/new"):
            async with call.physician.browser.http.get(call.server.origin + page) as answer:
                policy, html = answer.headers["Content-Security-Policy"], await answer.text()
            assert answer.status == 200
            assert answer.content_type == "text/html"
            assert not [text for text in MARKUP if text in html]
            assert "script-src 'self';" in policy
            assert "require-trusted-types-for 'script'" in policy
            assert "unsafe" not in policy
    await intruder.do("rename", participant=me, name="A companion")


def is_named(viewer: Caller, participant: str, name: str) -> bool:
    """Whether the viewer is shown exactly this name."""
    return any((one["id"], one["name"]) == (participant, name) for one in last_view(viewer)["people"])


@pytest.mark.parametrize("name", STRANGE_NAMES)
async def test_a_name_with_control_or_direction_characters_is_refused(
    call: Call, intruder: Caller, name: str
) -> None:
    me = intruder.seat["participant_id"]
    async with call.unhurt():
        message = {"type": "rename", "command_id": "strange-1", "participant": me, "name": name}
        assert await intruder.ask(message) == {"type": "protocol_error", "code": "bad_message"}
