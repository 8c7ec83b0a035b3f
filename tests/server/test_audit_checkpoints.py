"""Checkpoints of the audit log, proofs by them, and the commands that verify it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.audit import anchors, notes, proving
from server.audit.chain import FIRST_PREV, hash_of, leaf_of, mac_of
from server.audit.checkpoints import BrokenLogError, Checkpoints
from server.audit.notes import Checkpoint, NoteError, PublicKey, SigningKey, opened
from server.audit.tree import Peaks, node, path, root_by_path
from server.audit.walking import HEAD
from server.cli.main import app
from server.storage.database import Database
from server.storage.upgrade import upgrade
from tests.server.audited import ORIGIN, Log
from tests.server.program import environment


@pytest.fixture
def log(each_database: Database, tmp_path: Path) -> Log:
    return Log(each_database, tmp_path)


# --- checkpoints -----------------------------------------------------------------------------------------


async def test_checkpoints_are_made_after_a_thousand_entries_or_ten_minutes(log: Log) -> None:
    await log.fill(1)
    assert await log.checkpoints.keep()
    await log.fill(999)
    assert not await log.checkpoints.keep()
    await log.fill(1)
    assert await log.checkpoints.keep()
    await log.fill(1)
    log.clock.pass_s(599)
    assert not await log.checkpoints.keep()
    log.clock.pass_s(1)
    assert await log.checkpoints.keep()
    log.clock.pass_s(6000)
    assert not await log.checkpoints.keep()
    assert list(anchors.read(log.folder)) == [f"{size:012}.checkpoint" for size in (1, 1001, 1002)]
    assert await log.faults() == []


async def test_after_a_restart_checkpoints_go_on_where_they_were(log: Log, tmp_path: Path) -> None:
    await log.fill(5)
    await log.checkpoints.make()
    again = Log(log.database, tmp_path)
    await again.fill(4)
    assert await again.checkpoints.make()
    assert await again.faults() == []
    assert (await again.verdict()).checkpoints == 2


async def test_files_that_could_not_be_written_are_written_later(log: Log) -> None:
    await log.fill(3)
    await log.checkpoints.make()
    assert not log.folder.exists()
    assert not await log.checkpoints.keep()
    assert len(anchors.read(log.folder)) == 1


@pytest.mark.parametrize("started_again", [False, True])
async def test_a_log_that_is_not_what_it_was_is_not_signed(
    log: Log, tmp_path: Path, *, started_again: bool
) -> None:
    await log.fill(3)
    await log.checkpoints.keep()
    await log.write_anew(2)
    await log.fill(1)
    await log.tamper("delete from audit_checkpoint")
    server = Log(log.database, tmp_path) if started_again else log
    server.clock.pass_s(600)
    with pytest.raises(BrokenLogError):
        await server.checkpoints.keep()
    assert not await server.checkpoints.keep()  # nor said again every few seconds
    server.clock.pass_s(600)
    with pytest.raises(BrokenLogError):
        await server.checkpoints.keep()


async def test_after_a_restart_what_is_signed_is_still_what_was_signed_before(
    log: Log, tmp_path: Path
) -> None:
    await log.fill(4)
    await log.checkpoints.keep()
    await log.write_anew(2)
    await log.fill(1)
    again = Log(log.database, tmp_path)
    await again.checkpoints.make()
    await again.tamper("delete from audit_checkpoint where size = 4")
    assert await again.faults(anchored=False) == [("rebuilt", 1)]


async def test_a_log_shorter_than_what_was_shipped_is_not_signed(log: Log, tmp_path: Path) -> None:
    await log.fill(3)
    await log.checkpoints.keep()
    await log.tamper("delete from audit where seq > 1", "delete from audit_checkpoint")
    await log.tamper("delete from audit_head")
    with pytest.raises(BrokenLogError):
        await Log(log.database, tmp_path).checkpoints.make()


async def test_a_checkpoint_is_a_signed_note_in_the_common_form(tmp_path: Path) -> None:
    key = SigningKey.kept_in(tmp_path, ORIGIN)
    assert (tmp_path / notes.KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert SigningKey.kept_in(tmp_path, ORIGIN).public == key.public
    assert PublicKey.parse(str(key.public)) == key.public
    checkpoint = Checkpoint(ORIGIN, 1000, bytes(range(32)))
    note = key.sign(checkpoint)
    lines = note.split("\n")
    assert lines[:4] == [ORIGIN, "1000", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert opened(note, [key.public]) == checkpoint


async def test_a_note_that_was_changed_is_refused(tmp_path: Path) -> None:
    key = SigningKey.kept_in(tmp_path, ORIGIN)
    note = key.sign(Checkpoint(ORIGIN, 1000, bytes(32)))
    other = ORIGIN.replace("demo", "other")
    for wrong in (note.replace("1000", "1001"), note.replace(ORIGIN, other), note[:-1], "", note + "x"):
        with pytest.raises(NoteError):
            opened(wrong, [key.public])


def test_the_public_form_of_a_key_is_that_of_the_specification() -> None:
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"  # C2SP, signed-note
    note = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    assert PublicKey.parse(text).has_signed(note, base64.b64decode(signature)[4:])


# --- the tree --------------------------------------------------------------------------------------------


def test_roots_and_proofs_are_those_of_rfc_6962() -> None:
    def root(leaves: Sequence[bytes]) -> bytes:  # as the RFC has it
        if len(leaves) == 1:
            return leaves[0]
        half = 1 << (len(leaves) - 1).bit_length() - 1
        return node(root(leaves[:half]), root(leaves[half:]))

    leaves = [hash_of(bytes([number])) for number in range(40)]
    peaks = Peaks()
    for size, leaf in enumerate(leaves, 1):
        peaks.add(leaf)
        tree = leaves[:size]
        assert peaks.root() == root(tree)
        assert Peaks.loaded(size, peaks.stored()).root() == root(tree)
        for index in range(size):
            nodes = path(tree, index)
            assert root_by_path(tree[index], index=index, size=size, nodes=nodes) == root(tree)
            with pytest.raises(ValueError, match="too long"):
                root_by_path(tree[index], index=index, size=size, nodes=[*nodes, bytes(32)])


async def test_a_proof_holds_without_the_database_until_it_is_changed(log: Log) -> None:
    await log.fill(7)
    await log.checkpoints.make()
    await log.fill(3)
    keys = [log.key.public]
    async with log.database.read() as connection:
        with pytest.raises(proving.ProofError):
            await proving.prove(connection, 8, keys)
        proof = proving.dump(await proving.prove(connection, 5, keys))
    proved = proving.check(proving.load(proof), keys)
    assert (proved.seq, proved.size, proved.body) == (5, 7, '{"from_us":4}')
    said = json.loads(proof)
    for name, value in (
        ("seq", 4),
        ("body", '{"from_us":5}'),
        ("head", said["head"] | {"actor": "u2"}),
        ("path", said["path"][:-1]),
        ("salt", None),
    ):
        with pytest.raises(proving.ProofError):
            proving.check(proving.load(json.dumps(said | {name: value})), keys)


# --- the command line ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
async def meridian(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Awaitable[Done]]:
    """Runs a command in a thread, since it has an event loop of its own."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)

    async def run(*arguments: str) -> Done:
        done = await asyncio.to_thread(CliRunner().invoke, app, ["audit", *arguments])
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return Done(code=done.exit_code, out=done.stdout, err=done.stderr)

    return run


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Log]:
    """A data directory with a log of seven entries, five of them in a checkpoint."""
    folder = tmp_path / "data"
    folder.mkdir()
    database = Database(f"sqlite+aiosqlite:///{folder / 'meridian.sqlite3'}")
    await upgrade(database)
    log = Log(database, folder)
    log.key = SigningKey.kept_in(folder, notes.origin_of("main"))
    log.checkpoints = Checkpoints(database, log.clock, log.key, log.folder)
    await log.fill(5)
    await log.checkpoints.keep()
    await log.fill(2, consult="c2")
    yield log
    await database.close()


Meridian = Callable[..., Awaitable[Done]]


async def test_verifying_says_how_far_anchors_vouch(site: Log, meridian: Meridian) -> None:
    done = await meridian("verify")
    assert (done.code, done.out) == (0, "ok: 7 entries from 1 on, 2 checkpoints\n")
    assert "no anchor has entries 6 to 7" in done.err


async def test_verifying_prints_the_first_bad_entry_and_what_is_wrong(site: Log, meridian: Meridian) -> None:
    await site.tamper("update audit set actor = 'u2' where seq = 3")
    done = await meridian("verify")
    assert (done.code, done.out.startswith("3 edited: ")) == (1, True)


async def test_verifying_by_copies_from_elsewhere_finds_a_log_written_anew(
    site: Log, meridian: Meridian, tmp_path: Path
) -> None:
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    none = await meridian("verify", "--anchors", str(shipped))
    assert (none.code, "has no checkpoints" in none.err) == (2, True)
    site.folder.rename(shipped)
    await site.write_anew(2)
    await site.tamper("delete from audit_checkpoint")
    assert (await meridian("verify")).code == 0
    done = await meridian("verify", "--anchors", str(shipped))
    assert (done.code, done.out.startswith("1 rebuilt: ")) == (1, True)


async def test_without_the_key_checkpoints_do_not_count(
    site: Log, meridian: Meridian, tmp_path: Path
) -> None:
    shown = (await meridian("key")).out.strip()
    (tmp_path / "data" / notes.KEY_FILE).unlink()
    done = await meridian("verify")
    assert (done.code, "signed by no key" in done.out) == (1, True)
    assert (await meridian("verify", "--key", shown)).code == 0
    assert (await meridian("verify", "--key", "none")).code == 2


async def test_a_proof_is_checked_elsewhere_by_the_public_key(
    site: Log, meridian: Meridian, tmp_path: Path
) -> None:
    shown, proof = (await meridian("key")).out.strip(), await meridian("prove", "2")
    assert proof.code == 0
    file = tmp_path / "proof.json"
    file.write_text(proof.out)
    done = await meridian("check-proof", str(file), "--key", shown)
    assert (done.code, done.out.splitlines()[0]) == (0, "ok: entry 2 is in the log of 5 entries")
    file.write_text(proof.out.replace("recording.play", "recording.stop"))
    assert (await meridian("check-proof", str(file), "--key", shown)).code == 1
    assert (await meridian("prove", "6")).code == 1


async def test_reading_entries_is_an_entry(site: Log, meridian: Meridian) -> None:
    done = await meridian("show", "--consult", "c2", "--limit", "2")
    assert [line.split()[0] for line in done.out.splitlines()] == ["7", "8"]
    assert (await meridian("export", "--since", "6")).code == 0
    read = [(row.seq, row.object, row.consult) for row in await site.rows() if row.kind == "audit.read"]
    assert read == [(8, "show", "c2"), (9, "export", "")]


async def test_what_is_exported_is_all_one_needs_to_verify_it(site: Log, meridian: Meridian) -> None:
    done = await meridian("export")
    prev, rows = FIRST_PREV, [json.loads(line) for line in done.out.splitlines()]
    for row in rows:
        body_mac = mac_of(row["body"].encode(), bytes.fromhex(row["salt"]))
        prev = hash_of(leaf_of(row["seq"], prev, tuple(row[name] for name in HEAD), body_mac))
        assert prev.hex() == row["hash"]
    assert [row["seq"] for row in rows] == list(range(1, 9))
