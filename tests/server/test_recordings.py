"""Recordings in the database: rows and audit log agree, rights are one table, destroying survives crashes."""

from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from server.identity.accounts import Account
from server.recordings import life
from server.recordings.access import NOTHING, Relation, Right, is_reason, rights
from server.recordings.care import Care, NotNowError
from server.recordings.life import Life
from server.recordings.names import epoch_ms_of
from server.recordings.secrets import Secrets
from server.recordings.store import Recordings
from server.recordings.timeline import consents, timeline
from server.storage.audit_tables import AuditRow
from server.storage.database import Database
from server.vault.client import VaultUnavailableError
from signaling.consult import recording_events as recorded
from signaling.consult.ids import ClinicId, UserId
from signaling.consult.values import Role
from tests.server.recorded import FakeVault, Progress, Script

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
ROLES = ("physician", "coordinator", "interpreter", "patient", "companion", "somebody new")
TREATS = {Right.SEE, Right.PLAY, Right.EXPORT, Right.AGREE_TO_DELETION, Right.HOLD, Right.READ_LOG}
COORDINATES = {
    Right.SEE,
    Right.ASK_DELETION,
    Right.HOLD,
    Right.RELEASE,
    Right.READ_LOG,
    Right.ACKNOWLEDGE,
}


class At:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.time = NOON + timedelta(hours=1)

    def now(self) -> datetime:
        return self.time


def account(user: str, role: Any) -> Account:
    return Account(
        user_id=UserId(user),
        name=user,
        role=role,
        clinic_id=ClinicId("demo"),
        language="en",
        languages=("en",),
    )


CHEN, MARIA = account("dr-chen", "physician"), account("maria", "coordinator")


async def entries(database: Database, *kinds: str) -> list[Any]:
    query = select(AuditRow).order_by(AuditRow.seq)
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
    return [row for row in rows if not kinds or row.kind in kinds]


async def made(database: Database) -> Script:
    script = Script(database, NOON)
    await script.recorded(await script.scheduled())
    return script


# --- rights -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "same_clinic", "takes_part"), list(product(ROLES, (True, False), (True, False)))
)
def test_each_role_may_what_the_table_says_and_nothing_else(
    *, role: str, same_clinic: bool, takes_part: bool
) -> None:
    expected: set[Right] = set()
    if same_clinic and role == "physician":
        expected = TREATS if takes_part else {Right.SEE, Right.BREAK_GLASS}
    if same_clinic and role == "coordinator":
        expected = COORDINATES
    found = rights(Relation(role=role, same_clinic=same_clinic, takes_part=takes_part))
    assert found == expected


def test_nobody_both_asks_for_a_deletion_and_agrees_to_it() -> None:
    for role, takes_part in product(ROLES, (True, False)):
        mine = rights(Relation(role=role, same_clinic=True, takes_part=takes_part))
        assert not {Right.ASK_DELETION, Right.AGREE_TO_DELETION} <= mine
        assert not {Right.PLAY, Right.BREAK_GLASS} <= mine
    assert rights(Relation(role="physician", same_clinic=False, takes_part=True)) == NOTHING


def test_a_reason_says_something() -> None:
    assert [is_reason(text) for text in ("", "   x      ", "emergency", "emergency!")] == [
        False,
        False,
        False,
        True,
    ]


# --- rows and audit log -----------------------------------------------------------------------------------


async def test_what_happens_to_a_recording_is_in_its_row_and_in_the_audit_log(
    each_database: Database,
) -> None:
    script = await made(each_database)
    found = await Recordings(each_database).one(script.recording)
    assert found is not None
    assert (found.state, found.what, found.no, found.ended_why) == ("stopped", "video", 1, "physician")
    assert found.epoch_ms == epoch_ms_of(found.started_at or NOON)
    assert found.keep_until is not None
    assert [(p.index, p.role, p.name) for p in found.people] == [
        (0, "patient", "Patient"),
        (1, "physician", "Physician"),
        (2, "interpreter", "Interpreter"),
    ]
    assert found.is_treated_by(UserId("dr-chen"))
    assert not found.is_treated_by(UserId("dr-okafor"))
    told = [row.kind for row in await entries(each_database) if row.object == script.recording]
    assert told == [
        "recording.asked",
        *["consent.given"] * 3,
        "recording.begun",
        "consent.revoked",
        "recording.paused",
        "consent.given",
        "recording.resumed",
        "recording.stopped",
    ]
    given = (await entries(each_database, "consent.given"))[0]
    assert (given.role, given.purpose) == ("patient", "video_recording")
    assert b"recording-video-1" in given.body


async def test_the_list_has_the_clinics_own_recordings_that_were_begun(each_database: Database) -> None:
    script = await made(each_database)
    never = Script(each_database, NOON + timedelta(days=1))
    consult = await never.scheduled()
    await never.happen(consult.id, never.event(recorded.RecordingAsked, no=1, what="audio"))
    other = Script(each_database, NOON)
    await other.recorded(await other.scheduled(clinic="elsewhere"))
    listed = await Recordings(each_database).of_clinic(ClinicId("demo"))
    assert [one.id for one in listed] == [script.recording]


async def test_a_part_is_written_down_with_its_checkpoints(each_database: Database) -> None:
    script = await made(each_database)
    recordings = Recordings(each_database)
    for notice in (
        Progress(recording=script.name),
        Progress(recording=script.name, records=40, size_bytes=9000, chain="b" * 64),
        Progress(recording=script.name, records=50, size_bytes=9900, chain="c" * 64, ended="ended"),
    ):
        for _ in range(2):  # told twice, as after a fault
            assert await recordings.progress(notice, now=NOON)
    late = Progress(recording=script.name, records=45, size_bytes=9500, chain="d" * 64)
    assert await recordings.progress(late, now=NOON)
    found = await recordings.one(script.recording)
    assert found is not None
    [part] = found.parts
    assert (part.records, part.size_bytes, part.chain, part.ended) == (50, 9900, "c" * 64, "ended")
    told = [row.kind for row in await entries(each_database) if row.kind.startswith("recording.")][-3:]
    assert told == ["recording.part", "recording.checkpoint", "recording.part"]


async def test_a_part_of_an_unknown_recording_is_not_kept(database: Database) -> None:
    assert not await Recordings(database).progress(Progress(recording="0" * 32), now=NOON)
    assert await entries(database, "recording.part") == []


async def test_a_change_without_an_entry_in_the_audit_log_is_not_made(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = await made(database)

    async def refuses(*_: object, **__: object) -> int:
        raise RuntimeError("the audit log takes nothing")

    monkeypatch.setattr("server.recordings.care.append", refuses)
    care = Care(database)
    with pytest.raises(RuntimeError):
        await care.hold(script.recording, held=True, by=CHEN, reason="a claim", now=NOON)
    found = await Recordings(database).one(script.recording)
    assert found is not None
    assert not found.held


# --- the time line ----------------------------------------------------------------------------------------


async def test_the_time_line_counts_from_the_recordings_beginning(database: Database) -> None:
    script = await made(database)
    found = await Recordings(database).one(script.recording)
    assert found is not None
    assert found.epoch_ms is not None
    events = await script.consults.events(found.consult)
    lost = {"part": 2, "status": "torn", "began_us": 1_500_000, "ended_us": None}
    whole = {"part": 1, "status": "complete", "began_us": 0, "ended_us": 1_000_000}
    lines = timeline(events, found.people, recording=found.id, epoch_ms=found.epoch_ms, parts=[whole, lost])
    assert [(line["at_us"], line["kind"], line.get("person"), line.get("why")) for line in lines] == [
        (0, "consented", 0, None),
        (0, "consented", 1, None),
        (0, "consented", 2, None),
        (0, "recording_started", None, None),
        (1_000_000, "revoked", 0, None),
        (1_500_000, "part_lost", None, "torn"),
        (2_000_000, "recording_paused", None, "revoked"),
        (3_000_000, "consented", 0, None),
        (4_000_000, "recording_resumed", None, None),
        (5_000_000, "recording_stopped", None, "physician"),
    ]
    answers = consents(events, found.people, recording=found.id, what=found.what)
    assert [(one["person"], one["decision"], one["language"]) for one in answers] == [
        (0, "agreed", "ar"),
        (1, "agreed", "en"),
        (2, "agreed", "ar"),
        (0, "revoked", "ar"),
        (0, "agreed", "ar"),
    ]


# --- deletion by two people, holds ------------------------------------------------------------------------


async def test_one_person_alone_deletes_nothing(each_database: Database) -> None:
    script = await made(each_database)
    care = Care(each_database)

    async def agree(by: Account) -> None:
        await care.agree_to_deletion(script.recording, by=by, reason="yes", now=NOON)

    with pytest.raises(NotNowError, match="not_asked"):
        await agree(CHEN)
    await care.ask_deletion(script.recording, by=MARIA, reason="the patient asks", now=NOON)
    await care.ask_deletion(script.recording, by=MARIA, reason="the patient asks", now=NOON)
    with pytest.raises(NotNowError, match="same_person"):
        await agree(MARIA)
    await care.drop_deletion(script.recording, by=CHEN, now=NOON)
    with pytest.raises(NotNowError, match="not_asked"):
        await agree(CHEN)
    await care.ask_deletion(script.recording, by=MARIA, reason="once more", now=NOON)
    await agree(CHEN)
    found = await Recordings(each_database).one(script.recording)
    assert found is not None
    assert found.is_gone
    told = [row.kind for row in await entries(each_database) if row.kind.startswith("recording.delete")]
    assert told == [
        "recording.delete_asked",
        "recording.delete_dropped",
        "recording.delete_asked",
        "recording.delete_agreed",
    ]


async def test_a_hold_keeps_a_recording_from_deletion_and_retention(each_database: Database) -> None:
    script = await made(each_database)
    care, clock = Care(each_database), At()
    await care.hold(script.recording, held=True, by=CHEN, reason="a claim", now=NOON)
    with pytest.raises(NotNowError, match="held"):
        await care.ask_deletion(script.recording, by=MARIA, reason="please", now=NOON)
    clock.time += timedelta(days=9000)
    life = Life(each_database, Secrets(Path("/nonexistent")), FakeVault(NOON), clock)
    assert await life.due() == []
    await care.hold(script.recording, held=False, by=MARIA, reason="settled", now=NOON)
    assert await life.due() == [script.recording]


async def test_what_is_being_recorded_is_not_deleted(database: Database) -> None:
    script = Script(database, NOON)
    consult = await script.scheduled()
    await script.happen(consult.id, script.event(recorded.RecordingAsked, no=1, what="video"))
    physician = next(consult.of_role(Role.PHYSICIAN)).id
    await script.happen(consult.id, script.agreed(physician), script.event(recorded.RecordingBegun))
    with pytest.raises(NotNowError, match="running"):
        await Care(database).ask_deletion(script.recording, by=MARIA, reason="x", now=NOON)


# --- destroying -------------------------------------------------------------------------------------------


class Destroying:
    """A recording that is over, with a secret, and what destroys it."""

    def __init__(self, database: Database, folder: Path, script: Script) -> None:
        self.database, self.script, self.clock = database, script, At()
        self.secrets, self.vault = Secrets(folder / "secrets"), FakeVault(NOON)
        self.removed: list[str] = []
        self.life = Life(database, self.secrets, self.vault, self.clock, remove_files=self._remove)

    async def _remove(self, recording: str) -> None:
        self.removed.append(recording)

    async def found(self) -> Any:
        return await Recordings(self.database).one(self.script.recording)


@pytest.fixture
async def destroying(each_database: Database, tmp_path: Path) -> Destroying:
    script = await made(each_database)
    notice = Progress(recording=script.name, records=50, size_bytes=9900, chain="c" * 64, ended="ended")
    await Recordings(each_database).progress(notice, now=NOON)
    one = Destroying(each_database, tmp_path, script)
    one.secrets.get_or_create(script.name)
    return one


async def test_a_recording_is_destroyed_when_its_time_is_over_and_not_before(destroying: Destroying) -> None:
    keep_until = (await destroying.found()).keep_until
    destroying.clock.time = keep_until - timedelta(seconds=1)
    assert await destroying.life.look() == 0
    assert destroying.secrets.has(destroying.script.name)
    destroying.clock.time = keep_until
    assert await destroying.life.look() == 1
    assert not destroying.secrets.has(destroying.script.name)
    assert destroying.vault.destroyed == destroying.removed == [destroying.script.name]
    assert (await destroying.found()).shredded_at == keep_until
    [certificate] = await entries(destroying.database, "recording.destroyed")
    assert b'"why":"retention"' in certificate.body
    assert b"c" * 64 in certificate.body
    assert await destroying.life.look() == 0


async def test_destroying_that_was_cut_off_anywhere_is_done_to_the_end(
    destroying: Destroying, monkeypatch: pytest.MonkeyPatch
) -> None:
    destroying.clock.time = (await destroying.found()).keep_until
    destroying.vault.away = True
    assert await destroying.life.look() == 0
    found = await destroying.found()
    assert found.destroying_at is not None
    assert found.shredded_at is None  # and no certificate of what is not done
    assert await entries(destroying.database, "recording.destroyed") == []
    destroying.vault.away = False

    async def cut_off(_recording: object) -> None:
        raise OSError("the machine is gone")

    with monkeypatch.context() as cut:
        cut.setattr(destroying.life, "_certify", cut_off)
        with pytest.raises(OSError):
            await destroying.life.destroy(destroying.script.recording)
    with pytest.raises(NotNowError, match="gone"):  # a hold that comes now is too late
        await Care(destroying.database).hold(
            destroying.script.recording, held=True, by=CHEN, reason="late", now=NOON
        )
    assert await destroying.life.look() == 1
    assert len(await entries(destroying.database, "recording.destroying")) == 1
    assert len(await entries(destroying.database, "recording.destroyed")) == 1


async def test_a_server_without_the_secret_leaves_destroying_to_the_one_that_has_it(
    destroying: Destroying, tmp_path: Path
) -> None:
    destroying.clock.time = (await destroying.found()).keep_until
    elsewhere = Secrets(tmp_path / "another server")
    other = Life(destroying.database, elsewhere, destroying.vault, destroying.clock)
    assert await other.look() == 0
    assert (await destroying.found()).destroying_at is None
    destroying.vault.away = True
    assert await destroying.life.look() == 0
    assert not await other.destroy(destroying.script.recording)
    destroying.vault.away = False
    assert await destroying.life.look() == 1


async def test_what_cannot_be_destroyed_hides_nothing_that_can(
    destroying: Destroying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "AT_ONCE_MAX", 1)
    others = [await made(destroying.database) for _ in range(3)]
    for script in others[1:]:
        destroying.secrets.get_or_create(script.name)
    at_other_server = Progress(recording=others[0].name, records=1, size_bytes=99)
    await Recordings(destroying.database).progress(at_other_server, now=NOON)
    destroy = destroying.secrets.destroy

    def refusing(recording: str) -> bool:
        if recording == others[1].name:
            raise PermissionError
        return destroy(recording)

    monkeypatch.setattr(destroying.secrets, "destroy", refusing)
    destroying.clock.time = (await destroying.found()).keep_until + timedelta(days=1)
    assert await destroying.life.look() == 2
    assert set(destroying.removed) == {destroying.script.name, others[2].name}


async def test_files_that_stay_do_not_keep_a_recording_from_being_destroyed(destroying: Destroying) -> None:
    async def stays(_recording: str) -> None:
        raise OSError("read-only")

    life = Life(
        destroying.database, destroying.secrets, destroying.vault, destroying.clock, remove_files=stays
    )
    destroying.clock.time = (await destroying.found()).keep_until
    assert await life.look() == 1


async def test_what_two_people_decided_is_destroyed_at_once(destroying: Destroying) -> None:
    care, recording = Care(destroying.database), destroying.script.recording
    await care.ask_deletion(recording, by=MARIA, reason="the patient asks", now=NOON)
    assert not await destroying.life.destroy(recording)
    await care.agree_to_deletion(recording, by=CHEN, reason="so do I", now=NOON)
    destroying.vault.away = True
    with pytest.raises(VaultUnavailableError):
        await destroying.life.destroy(recording)
    assert not destroying.secrets.has(destroying.script.name)
    destroying.vault.away = False
    assert await destroying.life.destroy(recording)
    [certificate] = await entries(destroying.database, "recording.destroyed")
    assert b'"asked_by":"maria"' in certificate.body
