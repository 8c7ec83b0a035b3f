"""`recording` and `vault` on the command line, without a vault that runs: what they say, and how they end."""

import json
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.cli.doctor import Finding, recordings
from server.cli.main import app
from server.recordings.names import id_of
from server.settings import Recording, Server, Settings
from server.vault.keys import listed, private_keys
from server.vault.places import Places
from tests.recording.generated import read
from tests.recording.vaulted import RECORDING, Clinic, recorded, spoken
from tests.server.program import environment

NAME = RECORDING.hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def meridian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MERIDIAN_SERVER__DATA_DIR", str(tmp_path / "data"))

    def run(*arguments: str) -> Done:
        done = CliRunner().invoke(app, list(arguments))
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return Done(code=done.exit_code, out=done.stdout, err=done.stderr)

    return run


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    (tmp_path / "data").mkdir()
    return recorded(tmp_path / "data")


@pytest.fixture
def other(clinic: Clinic) -> Clinic:
    """A second recording in the same place."""
    second = Clinic(clinic.data_dir, recording=b"2" * 16)
    second.record(list(spoken(1, 1).opened()))
    return second


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 100)


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def test_it_lists_what_there_is(clinic: Clinic, other: Clinic, meridian: Run) -> None:
    other.secrets.destroy(other.recording.hex())
    lines = meridian("recording", "list").out.splitlines()
    assert [line.split()[:2] for line in lines] == [[NAME, "2"], [other.recording.hex(), "1"]]
    assert [line.endswith("any more") for line in lines] == [False, True]


@pytest.mark.parametrize("name", [NAME, str(id_of(NAME))])
def test_a_whole_recording_ends_with_0(clinic: Clinic, meridian: Run, name: str) -> None:
    done = meridian("recording", "verify", name)
    assert done.code == 0
    assert f"{NAME}  complete" in done.out
    assert "part 2    complete" in done.out
    assert "there is no database" in done.err
    assert "100%" in done.err


def test_a_torn_one_ends_with_1(clinic: Clinic, meridian: Run) -> None:
    cut(clinic.file(2))
    done = meridian("recording", "verify", NAME)
    assert (done.code, f"{NAME}  torn" in done.out) == (1, True)


def test_one_that_was_changed_ends_with_2(clinic: Clinic, meridian: Run) -> None:
    flip(clinic.file(1))
    done = meridian("recording", "verify", NAME)
    assert (done.code, f"{NAME}  tampered" in done.out) == (2, True)


def test_one_that_lacks_a_part_ends_with_2(clinic: Clinic, meridian: Run) -> None:
    clinic.file(1).unlink()
    done = meridian("recording", "verify", NAME)
    assert (done.code, f"{NAME}  missing" in done.out) == (2, True)


def test_what_cannot_be_opened_ends_with_3(clinic: Clinic, meridian: Run) -> None:
    for file in Places(clinic.data_dir).keys.glob("*.key"):
        file.unlink()
    done = meridian("recording", "verify", NAME)
    assert (done.code, "unknown (no_key)" in done.out) == (3, True)


def test_what_is_destroyed_ends_with_3(clinic: Clinic, meridian: Run) -> None:
    clinic.secrets.destroy(NAME)
    done = meridian("recording", "verify", NAME)
    assert (done.code, "unknown (destroyed)" in done.out) == (3, True)


@pytest.mark.parametrize("arguments", [(), ("nonsense",), (NAME, "--all"), ("f" * 32,)])
def test_what_is_no_recording_ends_with_3(clinic: Clinic, meridian: Run, arguments: tuple[str, ...]) -> None:
    assert meridian("recording", "verify", *arguments).code == 3


def test_of_all_the_worst_counts(clinic: Clinic, other: Clinic, meridian: Run) -> None:
    assert meridian("recording", "verify", "--all").code == 0
    cut(other.file(1))
    assert meridian("recording", "verify", "--all").code == 1
    flip(clinic.file(1))
    assert meridian("recording", "verify", "--all").code == 2


def test_of_all_those_that_were_destroyed_are_passed_over(
    clinic: Clinic, other: Clinic, meridian: Run
) -> None:
    other.secrets.destroy(other.recording.hex())
    done = meridian("recording", "verify", "--all")
    assert (done.code, other.recording.hex() in done.out) == (0, False)


def test_the_escrow_key_verifies_what_the_clinic_lost_its_key_for(clinic: Clinic, meridian: Run) -> None:
    for file in Places(clinic.data_dir).keys.glob("*.key"):
        file.unlink()
    done = meridian("recording", "verify", NAME, "--key", str(Places(clinic.data_dir).escrow))
    assert done.code == 0


def test_an_export_plays_and_is_for_one_account(clinic: Clinic, meridian: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    done = meridian("recording", "export", NAME, "--to", str(tmp_path / "out"))
    assert done.code == 0
    assert "in no audit log" in done.err
    files = [tmp_path / "out" / "p0.webm", tmp_path / "out" / "p1.webm"]
    assert done.out.splitlines() == [str(file) for file in files]
    assert sorted((tmp_path / "out").iterdir()) == sorted([*files, tmp_path / "out" / "report.json"])
    for file in files:
        assert read(file.read_bytes(), "audio")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads((tmp_path / "out" / "report.json").read_text())["status"] == "complete"


def test_an_export_of_what_is_torn_ends_with_1_and_one_over_files_with_3(
    clinic: Clinic, meridian: Run, tmp_path: Path
) -> None:
    cut(clinic.file(2))
    (tmp_path / "out").mkdir()
    assert meridian("recording", "export", NAME, "--to", str(tmp_path / "out")).code == 1
    before = (tmp_path / "out" / "p0.webm").read_bytes()
    assert meridian("recording", "export", NAME, "--to", str(tmp_path / "out")).code == 3
    assert (tmp_path / "out" / "p0.webm").read_bytes() == before
    assert not list((tmp_path / "out").glob(".*"))


def with_log(clinic: Clinic, meridian: Run) -> Path:
    """A database whose log has the recording's parts."""
    assert meridian("db", "upgrade").code == 0
    file = clinic.data_dir / "meridian.sqlite3"
    day = "2026-11-28 09:00:00.000000"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "INSERT INTO recording (recording_id, consult_id, clinic_id, no, what, state, asked_at)"
            " VALUES (?, 'consult', 'main', 1, 'video', 'stopped', ?)",
            (id_of(NAME), day),
        )
        rows = [
            (id_of(NAME), one.part, day, one.records, one.size_bytes, one.chain.hex(), one.ended, day)
            for one in clinic.known
        ]
        database.executemany(
            "INSERT INTO recording_part (recording_id, part, began_at, records, size_bytes, chain, ended, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
    return file


def test_with_the_log_of_the_database_a_cut_is_told_from_a_crash(clinic: Clinic, meridian: Run) -> None:
    with_log(clinic, meridian)
    done = meridian("recording", "verify", NAME)
    assert (done.code, "database" in done.err) == (0, False)
    cut(clinic.file(2))
    assert meridian("recording", "verify", NAME).code == 2
    clinic.file(2).unlink()
    done = meridian("recording", "verify", "--all")
    assert (done.code, "its file is gone" in done.out) == (2, True)


def test_an_export_is_in_the_audit_log_before_there_are_files(
    clinic: Clinic, meridian: Run, tmp_path: Path
) -> None:
    file = with_log(clinic, meridian)
    (tmp_path / "out").mkdir()
    done = meridian("recording", "export", NAME, "--to", str(tmp_path / "out"))
    assert (done.code, "audit" in done.err) == (0, False)
    with closing(sqlite3.connect(file)) as database:
        entries = database.execute("SELECT kind, role, consult, object FROM audit").fetchall()
    assert entries == [("recording.exported", "operator", "consult", id_of(NAME))]


def test_the_exit_codes_are_in_the_help(meridian: Run) -> None:
    for command in ("verify", "export"):
        said = " ".join(meridian("recording", command, "--help").out.split())
        assert "Exit codes: 0 all is complete; 1" in said


def test_keys_are_made_listed_rotated_and_erased(meridian: Run, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    assert meridian("vault", "keys", "init", "--escrow", str(tmp_path / "escrow.key")).code == 0
    assert meridian("vault", "keys", "init").code == 1
    clinic = recorded(data_dir)
    [old] = private_keys(data_dir)
    done = meridian("vault", "keys", "rotate")
    assert (done.code, "2 parts wrapped" in done.err) == (0, True)
    shown = [line.split() for line in meridian("vault", "keys", "list").out.splitlines()]
    assert [(line[1], line[3]) for line in shown] == [
        ("clinic", "retired"),
        ("escrow", "in"),
        ("clinic", "in"),
    ]
    assert meridian("vault", "keys", "retire", old.hex()).code == 0
    assert old not in private_keys(data_dir)
    assert [one.status for one in clinic.reports()] == ["complete", "complete"]


def test_a_key_that_parts_need_is_not_erased(clinic: Clinic, meridian: Run) -> None:
    [old] = private_keys(clinic.data_dir)
    wraps = Places(clinic.data_dir).wraps
    assert meridian("vault", "keys", "rotate").code == 0
    for file in wraps.rglob("*.wrap"):
        file.unlink()
    done = meridian("vault", "keys", "retire", old.hex())
    assert (done.code, "2 parts need this key" in done.err) == (1, True)
    assert meridian("vault", "keys", "rewrap").code == 0
    assert meridian("vault", "keys", "retire", old.hex()).code == 0


def test_without_escrow_it_is_warned_that_the_key_lies_here(meridian: Run) -> None:
    done = meridian("vault", "keys", "init")
    assert (done.code, "warning: the escrow key is" in done.err) == (0, True)


def test_retire_wants_a_key_id(clinic: Clinic, meridian: Run) -> None:
    assert meridian("vault", "keys", "retire", "xyz").code == 2
    used = listed(clinic.data_dir)[0].key_id.hex()
    assert meridian("vault", "keys", "retire", used).code == 1


def found(clinic: Clinic, **recording: object) -> dict[str, Finding]:
    settings = Settings(
        server=Server(data_dir=clinic.data_dir), recording=Recording.model_validate(recording)
    )
    return {one.check: one for one in recordings(settings)}


def test_doctor_advises_where_vault_and_worker_share_an_account(clinic: Clinic) -> None:
    seen = found(clinic)
    assert "account of the server" in seen["vault"].found
    assert "separate" in seen["vault"].advice
    assert not seen["vault"].hint, "it is no fault"


def test_doctor_finds_a_separate_vault_that_is_none(clinic: Clinic) -> None:
    assert "another account" in found(clinic, vault="separate")["vault"].hint


def test_doctor_advises_to_take_the_escrow_key_away(clinic: Clinic) -> None:
    assert "move" in found(clinic)["recording keys"].advice
    Places(clinic.data_dir).escrow.unlink()
    assert not found(clinic)["recording keys"].advice


def test_doctor_says_that_nothing_is_recorded(clinic: Clinic) -> None:
    assert list(found(clinic, enabled=False)) == ["recordings"]
