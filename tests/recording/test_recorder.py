"""What a worker records, of whom, and until when."""

from dataclasses import replace
from pathlib import Path

import pytest

from media import rtcp, rtp
from media.description import Codec
from media.interface import RecordedTrack, RecordingFailed, RecordingKey
from media.recording_thread import HOLD_S, PROGRESS_S
from media.rtcp import NTP_EPOCH_S, SenderReport
from media.sealed import Checkpoint
from media.unsealed import was_cut
from tests.media.packets import packet
from tests.recording.studio import (
    EPOCH_MS,
    LEVEL,
    RECORDING,
    WALL_S,
    Studio,
    found,
    kept,
    metas,
    opened,
    order,
    rtp_packet,
)


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """A patient and a physician, of whom nothing is recorded yet."""
    return Studio(tmp_path, "p", "d")


def bodies(studio: Studio) -> list[bytes]:
    """The payloads that were kept, of sound."""
    return [each.data[rtp.HEADER_BYTES :] for track, each in kept(studio.parts()) if track % 4 == 0]


def test_a_part_says_what_it_is_and_what_each_track_is_before_its_first_packet(studio: Studio) -> None:
    studio.record("p", "d")
    sound, picture = studio.say("p", b"voice"), studio.say("d", b"face", source="video", key=True)
    studio.pass_s(1)
    (data,) = studio.parts()
    assert metas(data) == [
        {"kind": "recording", "epoch_ms": EPOCH_MS, "what": "video", "consents": "cc" * 32},
        {"kind": "track", "track": 0, "source": "audio", "codecs": {"111": "opus"}, "level": LEVEL},
        {"kind": "track", "track": 5, "source": "camera", "codecs": {"96": "vp8"}, "level": 0},
    ]
    assert [(track, each.data) for track, each in kept([data])] == [(0, sound), (5, picture)]
    kinds = [(one.head.kind.name, one.head.track, one.head.sync) for one in opened(data)]
    assert kinds[1:] == [("META", 0, False), ("MEDIA", 0, True), ("META", 0, False), ("MEDIA", 5, True)]


def test_packets_have_the_time_at_which_they_came_since_the_recordings_own_beginning(studio: Studio) -> None:
    studio.record("p", "d")
    times = []
    for _ in range(20):
        studio.pass_s(0.11)
        studio.say("p", b"voice")
        times.append(studio.at_us())
    studio.pass_s(1)
    seen = [each.at_us for _, each in kept(studio.parts())]
    assert [abs(one - other) <= 1 for one, other in zip(seen, times, strict=True)] == [True] * 20


def test_a_worker_whose_clock_was_set_since_it_started_goes_by_the_servers(tmp_path: Path) -> None:
    studio = Studio(tmp_path, "p", "d")
    late_s = 5.0  # as after a suspended machine: the monotonic clock stood still
    studio.recorder._wall_s = lambda: studio.clock.wall_s + late_s
    studio.record("p", "d")
    studio.say("p", b"before")
    studio.pass_s(0.1)
    studio.say("p", b"after")
    cut_ms = int((studio.clock.wall_s + late_s - 0.05) * 1_000)
    studio.route("p", "d", recording_stop="revoked", recording_cut_ms=cut_ms)
    studio.pass_s(1)
    ((_, only),) = kept(studio.parts())
    assert only.data.endswith(b"before")
    assert abs(only.at_us - (WALL_S - EPOCH_MS / 1_000 + late_s) * 1e6) < 2


def test_what_was_lost_and_sent_again_is_recorded_as_it_was_first_and_nothing_twice(studio: Studio) -> None:
    studio.record("p", "d")
    source = studio.room.peers["p"].sources["video"]
    sent = [rtp_packet(source, number, bytes((number,)), key=number == 1) for number in range(1, 5)]
    for number in (1, 2, 4, 4):
        data = sent[number - 1]
        source.receive(data, rtp.payload_offset(data))
    again = packet(
        9, timestamp=3 * 960, ssrc=99, payload_type=97, payload=b"\x00\x03" + sent[2][rtp.HEADER_BYTES :]
    )
    assert source.receive_rtx(again, rtp.payload_offset(again))
    assert not source.receive_rtx(again, rtp.payload_offset(again))
    studio.pass_s(1)
    assert [each.data for _, each in kept(studio.parts())] == [sent[0], sent[1], sent[3], sent[2]]


def test_sender_reports_are_kept_with_the_track_they_are_of(studio: Studio) -> None:
    studio.record("p", "d")
    report = SenderReport(ssrc=11, ntp_s=WALL_S + NTP_EPOCH_S + 0.25, ntp_middle=0, timestamp=90_000)
    studio.room.peers["d"].sources["video"].sender_report(report)
    studio.pass_s(1)
    ((track, each),) = kept(studio.parts())
    (read,) = rtcp.parse(each.data)
    assert isinstance(read, SenderReport)
    assert track == 5
    assert (read.ssrc, read.timestamp) == (11, 90_000)
    assert abs(read.ntp_s - report.ntp_s) < 1e-5


def test_only_sound_is_recorded_where_only_that_was_agreed_to(studio: Studio) -> None:
    studio.record("p", "d", what="audio")
    sound = studio.say("p", b"voice")
    studio.say("p", b"face", source="video", key=True)
    studio.say("p", b"document", source="screen", key=True)
    studio.pass_s(1)
    assert [each.data for _, each in kept(studio.parts())] == [sound]
    assert not studio.room.peers["p"].sources["video"].keyframes.wanted


def test_a_source_no_route_names_is_not_recorded(studio: Studio) -> None:
    studio.revision += 1
    routing = replace(studio.room.routing, revision=1, routes=(), recording=order("p", "d"))
    studio.room.route(routing)
    studio.say("p", b"voice")
    studio.room.peers["p"].sources["audio"].sender_report(
        SenderReport(ssrc=10, ntp_s=1.0, ntp_middle=0, timestamp=0)
    )
    studio.pass_s(1)
    assert studio.parts() == []


def test_what_comes_after_the_moment_of_a_revocation_is_in_no_file(studio: Studio) -> None:
    studio.record("p", "d")
    studio.pass_s(1)
    studio.say("p", b"agreed")
    studio.clock.now_s += 0.01
    revoked_ms = round(studio.clock.wall_s * 1_000)
    studio.clock.now_s += 0.1
    studio.say("p", b"revoked")
    studio.clock.now_s += 0.1
    studio.route("p", "d", recording_stop="revoked", recording_cut_ms=revoked_ms)
    studio.say("p", b"later")
    studio.pass_s(1)
    assert bodies(studio) == [b"agreed"]
    assert found(studio.parts()[0]).ended == "revoked"
    assert all(meta["kind"] != "cut" for meta in metas(studio.parts()[0]))


def test_a_revocation_that_came_too_late_for_the_file_is_written_into_it(studio: Studio) -> None:
    studio.record("p", "d")
    studio.say("p", b"agreed")
    studio.pass_s(0.1)
    revoked_ms, revoked_us = round(studio.clock.wall_s * 1_000), studio.at_us()
    studio.clock.now_s += 0.01
    studio.say("p", b"revoked")
    studio.pass_s(HOLD_S + 1)
    studio.route("p", "d", recording_stop="revoked", recording_cut_ms=revoked_ms)
    studio.pass_s(1)
    (data,) = studio.parts()
    cut = metas(data)[-1]
    assert cut["kind"] == "cut"
    assert abs(cut["at_us"] - revoked_us) < 1_000
    assert found(data).ended == "revoked"


def test_while_anybody_is_there_who_has_not_agreed_nothing_is_kept_whatever_is_ordered(
    studio: Studio,
) -> None:
    studio.record("p", "d")
    studio.say("p", b"two")
    studio.join("i")
    studio.route("p", "d", "i", recording=order("p", "d"))
    studio.say("p", b"three")
    studio.pass_s(1)
    studio.record("p", "d", "i")
    studio.say("p", b"all")
    studio.pass_s(1)
    assert bodies(studio) == [b"two", b"all"]
    assert [found(data).ended for data in studio.parts()] == ["paused", ""]
    assert [one.part for one in studio.progress() if not one.records] == [1, 2]


def test_a_track_of_somebody_who_has_not_agreed_is_not_followed_even_where_no_route_names_them(
    studio: Studio,
) -> None:
    tracks = (RecordedTrack(peer="x", source="audio", track=8),)
    studio.join("x")
    studio.route("p", "d", recording=order("p", "d", tracks=tracks))
    assert studio.room.peers["x"].sources["audio"].tap is None


def test_who_comes_back_goes_on_in_the_same_track_and_it_is_said_if_their_codecs_have_changed(
    studio: Studio,
) -> None:
    studio.record("p", "d")
    studio.say("p", b"a", source="video", key=True)
    studio.leave("p")
    studio.join("p2", video=Codec(name="vp8", payload_type=120, rtx_payload_type=121, nack=True, pli=True))
    tracks = (*order("p", "d").tracks[3:], RecordedTrack(peer="p2", source="video", track=1))
    studio.route("p2", "d", recording=replace(order("p2", "d"), tracks=tracks))
    studio.say("p2", b"b", source="video", key=True)
    studio.pass_s(1)
    (data,) = studio.parts()
    kinds = [(one.head.kind.name, one.head.track) for one in opened(data)]
    assert kinds == [("META", 0), ("META", 0), ("MEDIA", 1), ("META", 0), ("MEDIA", 1)]
    assert [meta["codecs"] for meta in metas(data)[1:]] == [{"96": "vp8"}, {"120": "vp8"}]


def test_other_agreements_make_another_part_which_names_them(studio: Studio) -> None:
    studio.record("p", "d")
    studio.say("p", b"one")
    studio.record("p", "d", consents="dd" * 32)
    studio.say("p", b"two")
    studio.pass_s(1)
    assert [metas(data)[0]["consents"] for data in studio.parts()] == ["cc" * 32, "dd" * 32]
    assert found(studio.parts()[0]).ended == "rotated"


def test_another_routing_for_the_same_recording_goes_on_in_the_same_part(studio: Studio) -> None:
    studio.record("p", "d")
    studio.say("p", b"one")
    studio.record("p", "d", first_part=7)
    studio.say("p", b"two")
    studio.pass_s(1)
    assert len(studio.parts()) == 1
    assert bodies(studio) == [b"one", b"two"]


def test_no_number_of_a_part_is_used_twice_whatever_the_order_says(studio: Studio) -> None:
    for number in (3, 12, 100_001):
        (studio.folder / f"{RECORDING.hex()}.{number:05}.tcr").write_bytes(b"")
    (studio.folder / f"{'ab' * 16}.200000.tcr").write_bytes(b"")
    studio.record("p", "d", first_part=4)
    studio.say("p", b"voice")
    studio.pass_s(1)
    assert studio.progress()[0].part == 100_002


def test_a_recording_ends_where_the_next_one_begins(studio: Studio) -> None:
    studio.record("p", "d")
    studio.say("p", b"first")
    studio.record("p", "d", recording="ab" * 16)
    studio.say("p", b"second")
    studio.pass_s(1)
    assert [(one.recording[:2], one.part, one.ended) for one in studio.progress()] == [
        ("00", 1, ""),
        ("00", 1, "ended"),
        ("ab", 1, ""),
    ]


def test_it_is_told_at_the_beginning_every_ten_seconds_and_at_the_end_how_far_a_part_is(
    studio: Studio,
) -> None:
    studio.record("p", "d")
    for _ in range(int(25 / 0.1)):
        studio.say("p", b"voice")
        studio.pass_s(0.1)
    studio.route("p", "d", recording_stop="ended")
    studio.pass_s(1)
    (data,) = studio.parts()
    told = studio.progress()
    assert [one.ended for one in told] == ["", "", "", "ended"]
    assert told[0].records == 0
    assert 24 / PROGRESS_S <= len(told) <= 25 / PROGRESS_S + 2
    examined = found(data)
    assert (examined.status, examined.ended, examined.records) == ("complete", "ended", told[-1].records)
    assert len(data) == told[-1].size_bytes
    for one in told:
        upto = Checkpoint(records=one.records, size_bytes=one.size_bytes, chain=bytes.fromhex(one.chain))
        assert not was_cut(examined, upto)


def test_a_recording_nobody_spoke_in_leaves_no_file(studio: Studio) -> None:
    studio.record("p", "d")
    studio.pass_s(2)
    studio.route("p", "d")
    studio.pass_s(1)
    assert list(studio.folder.iterdir()) == []
    assert studio.told == []


def test_every_packet_is_in_the_file_after_half_a_second_and_on_the_disk_after_one(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk: list[tuple[float, bytes]] = []
    monkeypatch.setattr("os.fdatasync", lambda _: on_disk.append((studio.clock.now_s, studio.parts()[0])))
    studio.record("p", "d")
    came: dict[bytes, float] = {}
    for _ in range(300):
        studio.pass_s(0.017)
        came[studio.say("p", b"voice")] = studio.clock.now_s
        in_file = {each.data for _, each in kept(studio.parts())}
        assert all(studio.clock.now_s - at_s <= 0.5 for data, at_s in came.items() if data not in in_file)
    synced = [(at_s, {each.data for _, each in kept([data])}) for at_s, data in on_disk]
    for data, at_s in came.items():
        first_s = next((there_s for there_s, there in synced if data in there), studio.clock.now_s)
        assert first_s - at_s <= 1.0 - 0.1, "a tenth of a second is left for the disk"


def test_a_stop_without_a_server_holds_until_the_next_routing(studio: Studio) -> None:
    studio.record("p", "d")
    studio.say("p", b"one")
    studio.recorder.stop("server-lost")
    studio.say("p", b"two")
    studio.leave("d")
    studio.join("d")
    studio.say("p", b"three")
    studio.pass_s(1)
    assert bodies(studio) == [b"one"]
    assert found(studio.parts()[0]).ended == "server-lost"
    studio.record("p", "d")
    studio.say("p", b"four")
    studio.pass_s(1)
    assert bodies(studio) == [b"one", b"four"]


@pytest.mark.parametrize(
    "broken",
    [
        {"recording": "0f"},
        {"recording": "no hex"},
        {"shred": "00" * 31},
        {"recipients": ()},
        {"recipients": (RecordingKey(key_id="4b" * 15, public="09" * 32),)},
        {"recipients": (RecordingKey(key_id="4b" * 16, public="09" * 31),)},
        {"first_part": 0},
    ],
    ids=str,
)
def test_an_order_nobody_can_follow_is_told_and_routes_are_in_force_all_the_same(
    studio: Studio, broken: dict[str, object]
) -> None:
    for _ in range(2):
        studio.record("p", "d", **broken)
    assert studio.told == [
        RecordingFailed(room="r", recording=str(broken.get("recording", RECORDING.hex())), code="bad_order")
    ]
    assert studio.room.peers["p"].sources["audio"].routed


def test_a_new_server_is_told_again_what_came_to_nothing(studio: Studio) -> None:
    for said in (1, 1):  # the same order is not tried again
        studio.record("p", "d", shred="00")
        assert len(studio.told) == said
    studio.recorder.forget_failure()
    studio.record("p", "d", shred="00")
    assert len(studio.told) == 2


def test_a_part_is_there_while_its_first_packet_is_still_held_back(studio: Studio) -> None:
    studio.record("p", "d")
    studio.work()
    assert studio.parts() == [], "nobody has said anything"
    studio.say("p", b"voice")
    studio.work()
    assert len(studio.parts()) == 1
    assert bodies(studio) == []
    studio.pass_s(1)
    assert bodies(studio) == [b"voice"]


def test_a_part_does_not_begin_before_the_one_before_it_has_ended(studio: Studio) -> None:
    studio.record("p", "d")
    studio.say("p", b"one")
    studio.record("p", "d", consents="dd" * 32)
    studio.say("p", b"two")
    studio.work()
    assert studio.parts() == []
    studio.pass_s(1)
    assert bodies(studio) == [b"one", b"two"]
    assert [(one.part, one.ended) for one in studio.progress()] == [(1, ""), (1, "rotated"), (2, "")]
