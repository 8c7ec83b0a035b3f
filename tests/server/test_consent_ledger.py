"""The consent ledger: every consent of a consult is in it, and nothing of it can be changed unseen."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server.audit.notes import PublicKey, SigningKey
from server.cli.main import app
from server.recordings.ledger import LedgerError, exported, name_of, verified
from server.storage.database import Database
from server.storage.upgrade import upgrade
from signaling.consult import events as happened
from signaling.consult.ids import ActorId, ClinicId, ConsultId
from signaling.consult.values import Role
from tests.server.program import environment
from tests.server.recorded import HASH, Script

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
CLINIC = ClinicId("demo")


async def consented(database: Database, clinic: str = "demo") -> tuple[ConsultId, Any]:
    """A consult in which the patient consents to the visit and to its recording, and takes that back."""
    script = Script(database, NOON)
    consult = await script.scheduled(clinic=clinic)
    patient = next(consult.of_role(Role.PATIENT)).id
    told = happened.ConsentGiven(
        at=NOON,
        by=ActorId(patient),
        participant=patient,
        text_id="telehealth-1",
        text_hash=HASH,
        language="ar",
    )
    await script.happen(consult.id, told)
    await script.recorded(consult)
    return consult.id, await script.consults.events(consult.id)


@pytest.fixture
async def ledger(database: Database, tmp_path: Path) -> str:
    consult, events = await consented(database)
    key = SigningKey.kept_in(tmp_path, name_of(CLINIC, consult))
    return exported(events, key, clinic=CLINIC, consult=consult, made_at=NOON + timedelta(hours=1))


def changed(ledger: str, change: Callable[[dict[str, Any]], object]) -> str:
    parsed = json.loads(ledger)
    change(parsed)
    return json.dumps(parsed)


def test_every_consent_is_in_it_with_its_text_language_and_method(ledger: str) -> None:
    lines = json.loads(ledger)["lines"]
    assert [(line["purpose"], line["decision"], line["role"]) for line in lines] == [
        ("telehealth", "given", "patient"),
        ("video_recording", "given", "patient"),
        ("video_recording", "given", "physician"),
        ("video_recording", "given", "interpreter"),
        ("video_recording", "revoked", "patient"),
        ("video_recording", "given", "patient"),
    ]
    first = lines[0]
    assert (first["text_id"], first["text_hash"], first["language"]) == ("telehealth-1", HASH, "ar")
    assert (first["method"], first["at"]) == ("tap", NOON.isoformat())
    assert "Patient" not in ledger


def test_it_is_checked_without_a_server(ledger: str, tmp_path: Path) -> None:
    found = verified(ledger)
    assert (found.clinic, found.lines) == ("demo", 6)
    own = SigningKey.kept_in(tmp_path, "meridian/demo/audit").public
    assert verified(ledger, known=own).key.raw == own.raw


@pytest.mark.parametrize("line", range(6))
@pytest.mark.parametrize("field", ["decision", "text_hash", "language", "at", "participant", "no", "hash"])
def test_a_changed_line_is_found(ledger: str, line: int, field: str) -> None:
    with pytest.raises(LedgerError) as caught:
        verified(changed(ledger, lambda parsed: parsed["lines"][line].update({field: "0"})))
    assert caught.value.line == line + 1


@pytest.mark.parametrize(
    "change",
    [
        lambda parsed: parsed["lines"].pop(),
        lambda parsed: parsed["lines"].pop(2),
        lambda parsed: parsed["lines"].reverse(),
        lambda parsed: parsed["lines"].clear(),
        lambda parsed: parsed["lines"].append(parsed["lines"][0]),
        lambda parsed: parsed.update(consult="other"),
        lambda parsed: parsed.update(clinic="other"),
        lambda parsed: parsed.update(made_at="2020-01-01T00:00:00+00:00"),
        lambda parsed: parsed.update(note=parsed["note"].replace("6", "5")),
        lambda parsed: parsed.update(format="meridian-consents-2"),
        lambda parsed: parsed.pop("key"),
        lambda parsed: parsed.update(lines=[1]),
        lambda parsed: parsed["lines"][0].update(no=float("nan")),
        lambda parsed: parsed["lines"][0].update(role="\ud800"),
    ],
)
def test_what_is_cut_moved_or_taken_from_another_consult_is_found(
    ledger: str, change: Callable[[dict[str, Any]], object]
) -> None:
    with pytest.raises(LedgerError):
        verified(changed(ledger, change))


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000])
def test_what_is_no_ledger_is_said_to_be_none(text: str) -> None:
    with pytest.raises(LedgerError):
        verified(text)


def test_one_that_is_made_anew_with_another_key_is_found_by_who_knows_the_clinics(
    ledger: str, tmp_path: Path
) -> None:
    other = SigningKey.kept_in(tmp_path / "other", "x").public
    assert isinstance(other, PublicKey)
    with pytest.raises(LedgerError):
        verified(ledger, known=other)


# --- the commands -----------------------------------------------------------------------------------------


async def _prepared(tmp_path: Path) -> ConsultId:
    (tmp_path / "data").mkdir()
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'data' / 'meridian.sqlite3'}")
    await upgrade(database)
    consult, _ = await consented(database, clinic="main")
    await database.close()
    return consult


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: CliRunner().invoke(app, ["consent", *map(str, arguments)])


def test_it_is_exported_and_verified_and_a_tampered_line_named(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    consult = asyncio.run(_prepared(tmp_path))
    file = tmp_path / "ledger.json"
    assert command("export", consult, "--to", file).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert command("export", consult, "--to", file).exit_code == 1  # nothing is written over
    done = command("verify", file)
    assert done.exit_code == 0
    assert f"6 consents of consult {consult}" in done.stdout
    key = SigningKey.kept_in(tmp_path / "data", "meridian/main/audit").public
    assert command("verify", file, "--key", key).exit_code == 0
    assert command("verify", file, "--key", "nonsense").exit_code == 2
    file.chmod(0o600)
    file.write_text(file.read_text().replace('"revoked"', '"refused"'))
    done = command("verify", file)
    assert done.exit_code == 1
    assert "line 5" in done.stderr


def test_an_unknown_consult_is_said_to_be_none(command: Callable[..., Any], tmp_path: Path) -> None:
    asyncio.run(_prepared(tmp_path))
    assert command("export", "nothing", "--to", tmp_path / "x").exit_code == 1
    assert not (tmp_path / "x").exists()
    assert command("verify", tmp_path / "x").exit_code == 1
