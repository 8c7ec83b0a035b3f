"""Parts on a disk: killed at any moment, on a full disk, cut short, rotated, read back."""

import contextlib
import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.gathering import PACKET_MAX, Arrival, Packet, gather, packets
from media.parts import META_BYTES, PART_US_MAX, SYNC_US, Batch, PartLostError, Parts, part_file
from media.sealed import PLAIN_MAX, Checkpoint, RecordKind, parse_header
from media.unsealed import Record, examine, keys_of, records, unwrap, was_cut
from tests.e2e.kit import disk
from tests.recording.killed import KEY, KEY_ID, PACKET_US, SHRED, WRITE_US, recipient

ROOT = Path(__file__).parents[2]
RECORDING = bytes(range(16))
KILLED = 200
SECOND_US = 1_000_000
DISK_BYTES = 256 * 1024


def begun(folder: Path, first: int = 1) -> Parts:
    return Parts(folder, recording=RECORDING, shred=SHRED, recipients=[recipient()], first=first)


def write(parts: Parts, now_us: int, *data: bytes, track: int = 0) -> None:
    """Packets that came just now."""
    parts.write([Batch(track=track, arrivals=[(now_us, one, False) for one in data])], now_us)


def key_of(data: bytes) -> bytes:
    return unwrap(parse_header(data), KEY, KEY_ID)


def opened(data: bytes) -> list[Record]:
    header = parse_header(data)
    return list(records(data, header, keys_of(header, key_of(data), SHRED)))


def taken_out(data: bytes) -> list[Packet]:
    """All packets of a part, as they came."""
    found = [
        packet
        for one in opened(data)
        if one.head.kind is RecordKind.MEDIA
        for packet in packets(one.body, one.head.at_us)
    ]
    return sorted(found, key=lambda one: one.at_us)


@pytest.mark.timeout(120)
def test_killed_at_200_moments_it_loses_nothing_acknowledged_and_a_second_at_most(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.recording.killed", str(tmp_path), str(KILLED), "7"]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    runs = [json.loads(line) for line in said.splitlines()]
    assert len(runs) == KILLED
    for run in runs:
        file, handed_us = Path(run["file"]), run["handed_us"]
        upto = Checkpoint(
            records=run["records"], size_bytes=run["size_bytes"], chain=bytes.fromhex(run["chain"])
        )
        data = file.read_bytes() if file.exists() else b""
        if upto.records == 0 and len(data) < 200:
            continue  # killed before there was anything
        found = examine(data, key_of(data), SHRED)
        assert found.status == "torn", found
        assert not was_cut(found, upto)
        whole = data[: found.checkpoints[-1].size_bytes] if found.checkpoints else b""
        last_us = taken_out(whole)[-1].at_us if whole else 0
        assert handed_us - last_us <= SECOND_US
    assert sum(run["records"] > 0 for run in runs) > KILLED / 2, "most had something acknowledged"


def test_every_packet_is_on_the_disk_within_a_second(tmp_path: Path) -> None:
    parts, file = begun(tmp_path), part_file(tmp_path, RECORDING, 1)
    acknowledged = []
    waiting: list[list[Arrival]] = [[], []]
    for n in range(1, 2001):
        now_us = n * PACKET_US
        waiting[n % 2].append((now_us, n.to_bytes(4), False))
        if now_us % WRITE_US:
            continue
        parts.write([Batch(track=track, arrivals=one) for track, one in enumerate(waiting)], now_us)
        waiting = [[], []]
        there = parts.tick(now_us)
        if there is not None:
            acknowledged.append(there.upto)
            on_disk = taken_out(file.read_bytes()[: there.upto.size_bytes])
            waits = set(range(PACKET_US, now_us + 1, PACKET_US)) - {one.at_us for one in on_disk}
            oldest_us = min(waits, default=now_us)
            # Until the next acknowledgement, at the latest so much later, a power cut takes the rest.
            assert now_us + SYNC_US + WRITE_US - oldest_us <= SECOND_US
    assert len(acknowledged) >= 6
    parts.end("ended", 2000 * PACKET_US)
    data = file.read_bytes()
    assert [int.from_bytes(one.data) for one in taken_out(data)] == list(range(1, 2001))
    found = examine(data, key_of(data), SHRED)
    assert not any(was_cut(found, upto) for upto in acknowledged)


def test_a_part_that_is_over_is_followed_by_another_under_another_key(tmp_path: Path) -> None:
    parts = begun(tmp_path, first=3)
    write(parts, 0, b"one")
    ended = parts.tick(PART_US_MAX)
    assert ended is not None
    assert ended.part == 3
    write(parts, PART_US_MAX + SECOND_US, b"two")
    parts.end("ended", PART_US_MAX + 2 * SECOND_US)
    files = [part_file(tmp_path, RECORDING, number).read_bytes() for number in (3, 4)]
    assert [examine(data, key_of(data), SHRED).ended for data in files] == ["rotated", "ended"]
    assert key_of(files[0]) != key_of(files[1])
    assert parse_header(files[0]).salt != parse_header(files[1]).salt
    assert [[one.data for one in taken_out(data)] for data in files] == [[b"one"], [b"two"]]


def test_a_file_that_is_there_is_never_written_to(tmp_path: Path) -> None:
    there = part_file(tmp_path, RECORDING, 1)
    there.write_bytes(b"somebody's")
    parts = begun(tmp_path)
    with pytest.raises(PartLostError):
        parts.meta({"joined": 1}, 0)
    assert there.read_bytes() == b"somebody's"
    parts.meta({"joined": 1}, 0)
    parts.end("ended", 1)
    made = part_file(tmp_path, RECORDING, 2)
    assert stat.S_IMODE(made.stat().st_mode) == 0o440


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, with room for little."""
    with disk.small_disk(tmp_path / "disk", DISK_BYTES) as folder:
        yield folder


def test_a_full_disk_ends_the_part_and_leaves_what_is_on_it(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(DISK_BYTES // 2))
    parts = begun(small_disk)
    lost = 0
    for now_us in range(0, 4000 * PACKET_US, WRITE_US):
        try:
            write(parts, now_us, *[bytes(60)] * (WRITE_US // PACKET_US))
            parts.tick(now_us)
        except PartLostError:
            lost += 1
            if lost == 3:
                ballast.unlink()
    assert lost == 3
    parts.end("ended", 4001 * PACKET_US)
    files = [file.read_bytes() for file in sorted(small_disk.iterdir())]
    assert len(files) == 2, "of those that could not even begin nothing is left"
    found = examine(files[0], key_of(files[0]), SHRED)
    assert (found.status, found.records > 0, found.torn_bytes > 0) == ("torn", True, True)
    assert examine(files[-1], key_of(files[-1]), SHRED).status == "complete"


def test_what_is_said_about_people_is_on_the_disk_at_once_and_its_length_says_nothing(
    tmp_path: Path,
) -> None:
    parts = begun(tmp_path)
    before = parts.meta({"joined": "p-1"}, 0)
    after = parts.meta({"agreed": "p-1", "text": "recording-1", "language": "zh-Hans"}, 1)
    assert part_file(tmp_path, RECORDING, 1).stat().st_size == after.upto.size_bytes
    metas = opened(part_file(tmp_path, RECORDING, 1).read_bytes())
    assert [len(one.body) for one in metas] == [META_BYTES] * 2
    assert json.loads(metas[0].body) == {"joined": "p-1"}
    assert before.upto.records == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 400_000), st.binary(max_size=40), st.booleans()),
        max_size=60,
    )
)
def test_whatever_is_gathered_comes_out_once_and_in_order(
    arrivals: list[tuple[int, int, bytes, bool]],
) -> None:
    now_us = 0
    put: dict[int, list[Arrival]] = {0: [], 1: [], 2: []}
    for track, after_us, data, sync in arrivals:
        now_us += after_us
        put[track].append((now_us, data, sync))
    for track, sent in put.items():
        gathered = gather(track, sent)
        assert [packet for one in gathered for packet in packets(one.body, one.at_us)] == [
            Packet(at_us=at_us, data=data) for at_us, data, _ in sent
        ]
        begin = [at_us for at_us, _, sync in sent if sync]
        assert [one.at_us for one in gathered if one.sync] == begin
        assert len(gathered) <= len(begin) + 1, "no more records than there have to be"


def test_a_record_holds_no_more_than_it_can_and_no_packet_is_too_long_for_one() -> None:
    longest = bytes(PACKET_MAX)
    first, second = gather(0, [(0, longest, False), (1, b"next", False)])
    assert len(first.body) <= PLAIN_MAX
    assert [one.data for one in packets(first.body, first.at_us)] == [longest]
    assert [one.data for one in packets(second.body, second.at_us)] == [b"next"]
    with pytest.raises(ValueError, match="datagram"):
        gather(0, [(2, bytes(PACKET_MAX + 1), False)])


def test_a_part_says_what_a_track_is_before_it_and_again_when_it_has_changed(tmp_path: Path) -> None:
    parts, about = begun(tmp_path), [{"codec": "one"}, {"codec": "two"}]
    for at_us, which in enumerate((0, 0, 1)):
        parts.write([Batch(track=4, arrivals=[(at_us, b"x", False)], about=about[which])], at_us)
    parts.end("rotated", 3)
    parts.write([Batch(track=4, arrivals=[(4, b"x", False)], about=about[1])], 4)
    parts.end("ended", 5)
    kinds = [
        [one.head.kind.name for one in opened(part_file(tmp_path, RECORDING, number).read_bytes())]
        for number in (1, 2)
    ]
    assert kinds == [["META", "MEDIA", "MEDIA", "META", "MEDIA", "FINAL"], ["META", "MEDIA", "FINAL"]]


@given(st.binary(max_size=200))
def test_a_body_of_any_bytes_is_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert sum(6 + len(one.data) for one in packets(body, 0)) == len(body)
