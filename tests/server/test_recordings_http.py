"""Recordings over HTTP: nothing is shown before it is written down, and nobody is shown more than theirs."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, text, update

from server.recordings.grants import HELD_MAX, LIFETIME_S, Grants, Opening
from server.storage.audit_tables import AuditRow
from server.storage.recording_tables import RecordingRow
from signaling.consult.ids import RecordingId
from tests.server.recorded import MEDIA, FakeVault, Progress, Script

OPEN = {"purpose": "treatment"}
EMERGENCY = {"purpose": "treatment", "break_glass": True, "reason": "found unconscious, allergies unknown"}


class Studio:
    """A recorded consult of the demo's physician, and its addresses."""

    def __init__(self, http: Any, vault: FakeVault, script: Script) -> None:
        self.http, self.vault, self.script = http, vault, script
        self.base = f"/api/recordings/{script.recording}"

    async def post(self, path: str, body: object = None, *, status: int = 200) -> Any:
        answer = await self.http.post(self.base + path, body)
        assert answer.status == status, await answer.text()
        return await answer.json()

    async def opened(self, body: object = None) -> Any:
        found = await self.post("/open", OPEN if body is None else body)
        assert found["state"] == "ready"
        return found

    async def view(self, grant: str, path: str = "/views/p0", **headers: str) -> Any:
        return await self.http.get(f"{self.base}{path}?grant={grant}", Accept="*/*", **headers)

    async def told(self, *kinds: str) -> list[Any]:
        async with self.http.services.database.read() as connection:
            rows = (await connection.execute(select(AuditRow).order_by(AuditRow.seq))).all()
        return [row for row in rows if row.object == self.script.recording and row.kind in kinds]

    async def audit_refuses(self) -> None:
        """From now on the database takes no entry of the audit log."""
        refuses = "create trigger refuses before insert on audit begin select raise(abort, 'no'); end"
        async with self.http.services.database.write() as connection:
            await connection.execute(text(refuses))


@pytest.fixture
async def studio(http: Any, vault: FakeVault) -> Studio:
    services = http.services
    physician = await services.accounts.id_of("marlowe@demo.example")
    script = Script(services.database, services.clock.now())
    await script.recorded(await script.scheduled(physician=str(physician)))
    notice = Progress(recording=script.name, records=50, size_bytes=9900, chain="c" * 64, ended="ended")
    await services.recordings.store.progress(notice, now=services.clock.now())
    services.recordings.secrets.get_or_create(script.name)
    await http.sign_in("physician")
    return Studio(http, vault, script)


async def become(studio: Studio, role: str, clinic: str = "demo") -> None:
    """Sign in as somebody new, in the same browser."""
    services = studio.http.services
    email, password = f"{role}-{clinic}@new.example", "a long enough password"
    if await services.accounts.id_of(email) is None:
        await services.accounts.add(
            email=email,
            name="Somebody New",
            role=role,
            clinic_id=clinic,
            language="en",
            languages=("en",),
            password=password,
            now=services.clock.now(),
        )
    studio.http.client.session.cookie_jar.clear()
    answer = await studio.http.post("/api/signin", {"email": email, "password": password})
    assert answer.status == 200


async def back(studio: Studio) -> None:
    """The physician of the consult again."""
    studio.http.client.session.cookie_jar.clear()
    services = studio.http.services
    user = await services.accounts.id_of("marlowe@demo.example")
    answer = await studio.http.post("/api/demo/enter", {"secret": services.demo_links.issue(user)})
    assert answer.status == 200


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away is given up at once."""
    monkeypatch.setattr("server.storage.lasting.WITHIN_S", 0.0)


# --- the list -----------------------------------------------------------------------------------------------


async def test_the_list_says_what_there_is_and_what_one_may(studio: Studio) -> None:
    [row] = (await (await studio.http.post("/api/recordings")).json())["rows"]
    assert row["recording_id"] == studio.script.recording
    assert (row["patient"], row["what"], row["state"], row["duration_s"]) == (
        "Patient",
        "video",
        "complete",
        5,
    )
    assert row["may"] == {
        "play": True,
        "export": True,
        "delete": False,
        "hold": True,
        "release": False,
        "break_glass": False,
    }
    await become(studio, "coordinator")
    [row] = (await (await studio.http.post("/api/recordings")).json())["rows"]
    assert [name for name, may in row["may"].items() if may] == ["delete", "hold"]
    await become(studio, "coordinator", "elsewhere")
    assert (await (await studio.http.post("/api/recordings")).json())["rows"] == []


# --- opening and media --------------------------------------------------------------------------------------


async def test_a_recording_is_opened_for_a_purpose_and_played(studio: Studio) -> None:
    opened = await studio.opened()
    assert opened["manifest"]["status"] == "complete"
    assert [person["role"] for person in opened["people"]] == ["patient", "physician", "interpreter"]
    assert {line["kind"] for line in opened["timeline"]} >= {"recording_started", "recording_paused"}
    assert len(opened["consents"]) == 5
    [asked] = [about for what, about in studio.vault.asked if what == "prepare"]
    part = {"part": 1, "records": 50, "size_bytes": 9900, "chain": "c" * 64, "ended": "ended"}
    assert asked == [part]
    answer = await studio.view(opened["grant"])
    assert (answer.status, await answer.read()) == (200, MEDIA)
    assert answer.headers["Content-Type"] == "video/webm"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "X-Vault" not in answer.headers
    assert "Content-Disposition" not in answer.headers
    assert studio.vault.open == 0


async def test_a_range_is_passed_on_in_both_directions(studio: Studio) -> None:
    opened = await studio.opened()
    answer = await studio.view(opened["grant"], Range="bytes=100-5099")
    assert (answer.status, await answer.read()) == (206, MEDIA[100:5100])
    assert answer.headers["Content-Range"] == f"bytes 100-5099/{len(MEDIA)}"
    assert answer.headers["Accept-Ranges"] == "bytes"


async def test_what_is_opened_and_played_is_written_down_once_each(studio: Studio) -> None:
    studio.vault.asks_until_ready = 2
    for done in (0.5, 0.5):
        assert await studio.post("/open", OPEN) == {"state": "preparing", "done": done}
    opened = await studio.opened()
    for _ in range(3):
        await studio.view(opened["grant"], Range="bytes=0-9")
    [row] = await studio.told("recording.opened")
    assert (row.purpose, row.role, row.outcome) == ("treatment", "physician", "ok")
    assert len(await studio.told("recording.played")) == 1
    await studio.opened()  # the page is loaded anew: that is another opening
    assert len(await studio.told("recording.opened")) == 2


@pytest.mark.usefixtures("impatient")
async def test_without_an_entry_in_the_audit_log_nothing_is_shown(studio: Studio) -> None:
    opened = await studio.opened()
    asked = len(studio.vault.asked)
    await studio.audit_refuses()
    for path, body in (("/open", {"purpose": "legal"}), ("/export", OPEN), ("/access-log", {})):
        answer = await studio.http.post(studio.base + path, body)
        assert answer.status == 503
        assert "manifest" not in await answer.text()
    answer = await studio.view(opened["grant"])
    assert answer.status == 503
    assert MEDIA[:64] not in await answer.read()
    assert len(studio.vault.asked) == asked


async def test_a_grant_is_for_one_browser_and_one_recording(studio: Studio) -> None:
    opened = await studio.opened()
    assert (await studio.view("")).status == 403
    assert (await studio.view("x" * 43)).status == 403
    other = Script(studio.http.services.database, studio.http.services.clock.now())
    user = await studio.http.services.accounts.id_of("marlowe@demo.example")
    await other.recorded(await other.scheduled(physician=str(user)))
    path = f"/api/recordings/{other.recording}/views/p0?grant={opened['grant']}"
    assert (await studio.http.get(path)).status == 403
    await back(studio)  # the same person, signed in anew
    assert (await studio.view(opened["grant"])).status == 403


async def test_what_is_no_view_is_not_found(studio: Studio) -> None:
    opened = await studio.opened()
    for path in ("/views/p7", "/views/p0.key", "/views/composed"):
        assert (await studio.view(opened["grant"], path)).status == 404


async def test_without_its_vault_a_recording_is_not_shown(studio: Studio) -> None:
    opened = await studio.opened()
    studio.vault.away = True
    assert (await studio.view(opened["grant"])).status == 503
    await studio.post("/open", OPEN, status=503)


async def test_files_that_were_tampered_with_are_written_down(studio: Studio) -> None:
    studio.vault.status = "tampered"
    opened = await studio.opened()
    assert "part_lost" in {line["kind"] for line in opened["timeline"]}
    await studio.opened()
    [row] = await studio.told("recording.verified")
    assert row.outcome == "tampered"
    [listed] = (await (await studio.http.post("/api/recordings")).json())["rows"]
    assert listed["state"] == "tampered"


async def test_whoever_hangs_up_leaves_nothing_open(studio: Studio) -> None:
    opened = await studio.opened()
    head = await studio.http.client.head(f"{studio.base}/views/p0?grant={opened['grant']}")
    assert (head.status, await head.read()) == (200, b"")
    async with asyncio.timeout(5):
        await studio.vault.closed.wait()
    assert studio.vault.open == 0


# --- rights -------------------------------------------------------------------------------------------------


async def test_a_physician_without_a_part_in_the_consult_breaks_the_glass_and_coordinators_see_it(
    studio: Studio,
) -> None:
    await become(studio, "physician")
    await studio.post("/open", OPEN, status=403)
    for reason in ("", "too short", "            "):
        await studio.post("/open", EMERGENCY | {"reason": reason}, status=400)
    assert await studio.told("recording.break_glass") == []
    opened = await studio.opened(EMERGENCY)
    assert (await studio.view(opened["grant"])).status == 200
    await studio.post("/export", OPEN, status=403)
    [row] = await studio.told("recording.break_glass")
    assert b"found unconscious" in row.body
    assert (await (await studio.http.post("/api/recordings")).json())["alerts"] == []
    await become(studio, "coordinator")
    [alert] = (await (await studio.http.post("/api/recordings")).json())["alerts"]
    assert (alert["who"], alert["recording_id"]) == ("Somebody New", studio.script.recording)
    assert alert["reason"] == EMERGENCY["reason"]
    for status in (200, 200):
        answer = await studio.http.post("/api/recordings/acknowledge", {"alert": alert["alert"]})
        assert answer.status == status
    assert (await (await studio.http.post("/api/recordings")).json())["alerts"] == []
    assert len(await studio.told("recording.acknowledged")) == 1


async def test_a_coordinator_of_another_clinic_acknowledges_nothing(studio: Studio) -> None:
    await become(studio, "physician")
    await studio.opened(EMERGENCY)
    await become(studio, "coordinator")
    [alert] = (await (await studio.http.post("/api/recordings")).json())["alerts"]
    await become(studio, "coordinator", "elsewhere")
    answer = await studio.http.post("/api/recordings/acknowledge", {"alert": alert["alert"]})
    assert answer.status == 404


async def test_what_was_refused_is_written_down(studio: Studio) -> None:
    await become(studio, "coordinator")
    await studio.post("/open", OPEN, status=403)
    await become(studio, "physician", "elsewhere")
    await studio.post("/open", OPEN, status=404)
    rows = await studio.told("recording.refused")
    assert [(row.outcome, row.role, row.body) for row in rows] == [
        ("refused", "coordinator", b'{"wanted":"play"}'),
        ("refused", "physician", b'{"wanted":"see"}'),
    ]


# --- handing out --------------------------------------------------------------------------------------------


async def test_a_recording_is_exported_for_a_purpose_with_an_entry_for_each_file(studio: Studio) -> None:
    exported = await studio.post("/export", {"purpose": "patient_request"})
    [file] = exported["files"]
    answer = await studio.http.get(file["url"], Accept="*/*")
    assert (answer.status, await answer.read()) == (200, MEDIA)
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert "Patient" not in disposition
    assert [row.purpose for row in await studio.told("recording.exported", "recording.downloaded")] == [
        "patient_request",
        "patient_request",
    ]


async def test_one_file_of_all_is_made_written_down_and_stopped(studio: Studio) -> None:
    assert await studio.post("/compose", OPEN) == {"state": "running", "done": 0.25}
    assert await studio.post("/compose", OPEN) == {"state": "running", "done": 0.25}
    assert len(await studio.told("recording.composed")) == 1
    names: Any
    [names] = [about for what, about in studio.vault.asked if what == "compose"]
    assert (names["p0"], names["s0"]) == ("Patient", "Patient")
    await studio.post("/compose/cancel")
    assert await studio.post("/compose", OPEN) == {"state": "failed", "code": "stopped"}
    played, exported = await studio.opened(), await studio.post("/export", OPEN)
    assert (await studio.view(played["grant"], "/composed")).status == 403
    answer = await studio.view(exported["grant"], "/composed")
    assert (answer.status, await answer.read()) == (200, MEDIA)
    assert answer.headers["Content-Disposition"].startswith("attachment")


# --- looking after them -------------------------------------------------------------------------------------


async def test_a_recording_is_destroyed_when_a_second_person_agrees(studio: Studio) -> None:
    opened = await studio.opened()
    await studio.post("/delete", {"reason": "for fun"}, status=409)
    await become(studio, "coordinator")
    assert await studio.post("/delete", {"reason": "the patient asks"}) == {"state": "asked"}
    [row] = (await (await studio.http.post("/api/recordings")).json())["rows"]
    assert row["deletion"] == {"by": "Somebody New", "reason": "the patient asks"}
    assert not row["may"]["delete"]
    await become(studio, "physician")
    await studio.post("/delete", {"reason": "me too"}, status=403)
    await back(studio)
    assert await studio.post("/delete", {"reason": "so do I"}) == {"state": "destroyed"}
    assert not studio.http.services.recordings.secrets.has(studio.script.name)
    assert await studio.post("/open", OPEN) == {"state": "failed", "code": "destroyed"}
    assert (await studio.view(opened["grant"])).status == 403
    [row] = (await (await studio.http.post("/api/recordings")).json())["rows"]
    assert row["state"] == "destroyed"
    assert not any(row["may"].values())
    assert len(await studio.told("recording.destroyed")) == 1


async def test_a_hold_is_put_on_by_a_physician_and_taken_off_by_a_coordinator(studio: Studio) -> None:
    assert await studio.post("/hold", {"held": True, "reason": "a claim"}) == {"held": True}
    await studio.post("/hold", {"held": False, "reason": "over"}, status=403)
    await become(studio, "coordinator")
    await studio.post("/delete", {"reason": "x"}, status=409)
    assert await studio.post("/hold", {"held": False, "reason": "settled"}) == {"held": False}


async def test_the_log_names_who_opened_a_recording_and_reading_it_is_in_it(studio: Studio) -> None:
    await studio.opened()
    await become(studio, "coordinator")
    rows = (await studio.post("/access-log"))["rows"]
    assert [(row["kind"], row["role"], row["who"]) for row in rows] == [
        ("recording.log_read", "coordinator", "Somebody New"),
        ("recording.verified", "physician", "Dr. Elena Marlowe"),
        ("recording.opened", "physician", "Dr. Elena Marlowe"),
    ]
    assert rows[-1]["purpose"] == "treatment"
    await become(studio, "physician")
    await studio.post("/access-log", status=403)


async def test_a_recording_that_is_being_made_is_not_opened(studio: Studio) -> None:
    async with studio.http.services.database.write() as connection:
        await connection.execute(update(RecordingRow).values(ended_at=None, state="on"))
    assert await studio.post("/open", OPEN) == {"state": "failed", "code": "running"}
    assert await studio.told("recording.opened") == []


# --- grants -------------------------------------------------------------------------------------------------


def test_a_grant_lasts_for_a_while_after_its_last_use() -> None:
    now_s = [0.0]
    grants = Grants(lambda: now_s[0])
    opening = Opening(recording=RecordingId("r"), sign_in="s", kind="play", purpose="legal")
    secret = grants.give(opening)
    for _ in range(3):
        now_s[0] += LIFETIME_S - 1
        assert grants.find(secret, recording=opening.recording, sign_in="s") == opening
    now_s[0] += LIFETIME_S
    assert grants.find(secret, recording=opening.recording, sign_in="s") is None


def test_grants_are_bounded() -> None:
    grants = Grants(lambda: 0.0)
    opening = Opening(recording=RecordingId("r"), sign_in="s", kind="play", purpose="legal")
    first = grants.give(opening)
    last = [grants.give(opening) for _ in range(HELD_MAX)][-1]
    assert grants.find(first, recording=opening.recording, sign_in="s") is None
    assert grants.find(last, recording=opening.recording, sign_in="s") == opening
