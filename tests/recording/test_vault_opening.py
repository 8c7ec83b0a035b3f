"""Each kind of damage to a recording has its name, and what is good of it is played."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from media.sealed import PartId, RecordKind, Sealer, wrap
from server.vault.environment import child_environment
from server.vault.keys import recipients
from server.vault.opening import CannotOpenError, gaps, whole
from server.vault.places import Places
from server.vault.preparing import prepare, sealing_of
from server.vault.source import WINDOW_BYTES, FolderParts, Windowed, read_file
from tests.recording.vaulted import PART_SECONDS, RECORDING, SECOND_US, Clinic, known_of, recorded

RSS_GROWTH_BYTES_MAX = 256 * 1024 * 1024
LONG_BYTES = 340 * 1024 * 1024


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return recorded(tmp_path)


def statuses(clinic: Clinic) -> list[str]:
    return [one.status for one in clinic.reports()]


def flip(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


def cut(file: Path, size_bytes: int) -> None:
    os.truncate(file, size_bytes)


def test_a_recording_that_nobody_touched_is_complete(clinic: Clinic) -> None:
    reports = clinic.reports()
    assert [one.status for one in reports] == ["complete", "complete"]
    assert [one.ended for one in reports] == ["rotated", "ended"]
    assert [(one.records, one.size_bytes) for one in reports] == [
        (one.records, one.size_bytes) for one in clinic.known
    ]
    assert whole(reports) == "complete"
    assert reports[0].ended_us <= reports[1].began_us + SECOND_US


def test_one_that_ends_within_a_record_after_the_last_checkpoint_is_torn(clinic: Clinic) -> None:
    clinic.known[1] = replace(clinic.known[1], records=0)  # the server heard of its beginning alone
    cut(clinic.file(2), clinic.file(2).stat().st_size - 100)
    assert statuses(clinic) == ["complete", "torn"]
    assert whole(clinic.reports()) == "torn"


def test_one_that_lacks_what_the_log_has_was_cut(clinic: Clinic) -> None:
    cut(clinic.file(2), clinic.file(2).stat().st_size - 100)
    assert statuses(clinic) == ["complete", "tampered"]
    assert whole(clinic.reports()) == "tampered"
    assert "the log" in clinic.reports()[1].why


def test_a_whole_record_less_is_found_by_the_log_as_well(clinic: Clinic) -> None:
    final = clinic.known[1].size_bytes
    last = final - 24 - 16 - 40 - len("ended")
    cut(clinic.file(2), last)
    assert clinic.reports([])[1].status == "torn"
    assert clinic.reports()[1].status == "tampered"


def test_a_flipped_bit_is_tampered_and_the_records_before_it_stay(clinic: Clinic) -> None:
    flip(clinic.file(1), clinic.file(1).stat().st_size // 2)
    first = clinic.reports([])[0]
    assert first.status == "tampered"
    assert 0 < first.records < clinic.known[0].records


@pytest.mark.parametrize("at", [0, 9, 17, 33, 37, 80, 300])
def test_a_flipped_bit_of_the_header_is_tampered(clinic: Clinic, at: int) -> None:
    flip(clinic.file(1), at)
    assert statuses(clinic)[0] in ("tampered", "no_key")
    assert whole(clinic.reports()) in ("tampered", "missing")


def test_bytes_after_the_end_are_tampered(clinic: Clinic) -> None:
    with clinic.file(1).open("ab") as file:
        file.write(b"more")
    assert statuses(clinic) == ["tampered", "complete"]


def test_a_part_that_is_gone_is_missing(clinic: Clinic) -> None:
    clinic.file(1).unlink()
    assert statuses(clinic) == ["missing", "complete"]
    assert whole(clinic.reports()) == "missing"


def test_the_last_part_is_missed_because_the_log_knows_it(clinic: Clinic) -> None:
    clinic.file(2).unlink()
    assert statuses(clinic) == ["complete", "missing"]
    assert [one.status for one in clinic.reports([])] == ["complete"], "without the log nobody can know"


def test_a_part_under_another_number_is_tampered(clinic: Clinic) -> None:
    shutil.copy(clinic.file(1), clinic.file(2))
    assert statuses(clinic) == ["complete", "tampered"]


def test_a_part_of_another_recording_is_tampered(clinic: Clinic) -> None:
    other = Clinic(clinic.data_dir, recording=bytes(16))
    clinic.file(1).rename(other.file(1))
    other.secrets.get_or_create(other.recording.hex())
    with pytest.raises(CannotOpenError, match="tampered"):
        whole(other.reports())


def test_a_part_of_another_shred_secret_does_not_open(clinic: Clinic) -> None:
    which = PartId(recording=RECORDING, part=2)
    dek, salt = bytes(32), bytes(32)
    stanzas = [wrap(dek, one.key, one.key_id, which, salt) for one in recipients(clinic.data_dir)]
    forged = Sealer(which, dek=dek, shred=bytes(32), salt=salt, stanzas=stanzas)
    record = forged.seal(RecordKind.META, b"{}", at_us=0)
    clinic.file(2).write_bytes(forged.header + record + forged.final("ended", at_us=0))
    assert statuses(clinic) == ["complete", "tampered"]


def test_a_header_that_a_crash_has_cut_is_torn_unless_the_log_has_its_beginning(clinic: Clinic) -> None:
    sealer = clinic.sealer(3)
    clinic.file(3).write_bytes(sealer.header[:100])
    assert statuses(clinic) == ["complete", "complete", "torn"]
    clinic.known.append(known_of(3, sealer.checkpoint))
    assert statuses(clinic) == ["complete", "complete", "tampered"]


def test_without_its_keys_nothing_can_be_said(clinic: Clinic) -> None:
    for file in Places(clinic.data_dir).keys.glob("*.key"):
        file.unlink()
    with pytest.raises(CannotOpenError, match="no_key"):
        whole(clinic.reports())


def test_a_destroyed_secret_is_said(clinic: Clinic) -> None:
    clinic.secrets.destroy(RECORDING.hex())
    with pytest.raises(CannotOpenError, match="destroyed"):
        sealing_of(clinic.data_dir, RECORDING)


def test_a_recording_that_never_was_is_missing(clinic: Clinic) -> None:
    with pytest.raises(CannotOpenError, match="missing"):
        sealing_of(clinic.data_dir, bytes(16))


def test_pauses_are_gaps(tmp_path: Path) -> None:
    clinic = recorded(tmp_path, parts=3)
    clinic.file(2).unlink()
    [(start, end)] = gaps(clinic.reports())
    assert PART_SECONDS * SECOND_US - start < SECOND_US
    assert 0 <= end - 2 * PART_SECONDS * SECOND_US < SECOND_US


def test_windows_give_the_same_bytes_as_the_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    content = os.urandom(3 * WINDOW_BYTES + 11)
    file.write_bytes(content)
    descriptor = os.open(file, os.O_RDONLY)
    try:
        data = Windowed(partial(read_file, descriptor), len(content))
        for piece in (
            slice(0, 10),
            slice(WINDOW_BYTES - 3, WINDOW_BYTES + 3),
            slice(5, 3 * WINDOW_BYTES),
            slice(len(content) - 2, len(content) + 50),
            slice(len(content), None),
        ):
            assert data[piece] == content[piece]
    finally:
        os.close(descriptor)


def test_files_that_are_no_parts_are_passed_over(clinic: Clinic) -> None:
    folder = Places(clinic.data_dir).recordings
    (folder / "notes.txt").write_text("x")
    (folder / f"{RECORDING.hex()}.00003.tcr.part").write_text("x")
    (folder / f"{RECORDING.hex()}.00004.tcr").symlink_to(clinic.file(1))
    source = FolderParts(folder)
    assert [one.part for one in source.list(RECORDING)] == [1, 2]
    assert source.recordings() == [RECORDING]


def test_damage_costs_what_comes_after_it_in_its_part_alone(clinic: Clinic) -> None:
    flip(clinic.file(1), clinic.file(1).stat().st_size // 2)
    source = FolderParts(Places(clinic.data_dir).recordings)
    manifest = prepare(clinic.data_dir, RECORDING, [], source=source)
    assert manifest["status"] == "tampered"
    [first, _] = manifest["views"]
    assert max(end for _, end in first["spans"]) > (PART_SECONDS + 1) * SECOND_US


def test_what_was_destroyed_while_it_was_prepared_leaves_no_views(clinic: Clinic) -> None:
    def destroyed(_done: float) -> None:
        clinic.secrets.destroy(RECORDING.hex())

    source = FolderParts(Places(clinic.data_dir).recordings)
    with pytest.raises(CannotOpenError, match="destroyed"):
        prepare(clinic.data_dir, RECORDING, [], source=source, progress=destroyed)
    assert not [*Places(clinic.data_dir).views.rglob("p*")]


def test_a_long_recording_takes_little_memory(tmp_path: Path) -> None:
    clinic = Clinic.at(tmp_path)
    piece = bytes(60_000)
    for part in range(1, 3):
        sealer = clinic.sealer(part)
        with clinic.file(part).open("wb") as file:
            file.write(sealer.header)
            for number in range(LONG_BYTES // 2 // len(piece)):
                file.write(sealer.seal(RecordKind.META, piece, at_us=number * 100_000))
            file.write(sealer.final("ended", at_us=0))
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from server.vault.preparing import *\n"
        "from server.vault.opening import examined\n"
        "data_dir, recording = Path(sys.argv[1]), bytes.fromhex(sys.argv[2])\n"
        "opening = opening_of(data_dir, sealing_of(data_dir, recording), [], source_for(data_dir, None))\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert [one.status for one in examined(opening)] == ['complete', 'complete']\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path), RECORDING.hex()]
    said = subprocess.run(command, env=child_environment(), check=True, capture_output=True, text=True).stdout
    assert int(said) < RSS_GROWTH_BYTES_MAX
    assert int(said) < LONG_BYTES / 4, "it grows with what is read"
    for part in (1, 2):
        clinic.file(part).unlink()  # nobody needs so much kept
