"""RTCP: what we write is read back by an independent reader, what browsers write is read, the rest is
refused.
"""

import pytest
from aiortc.rtp import (
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
)
from hypothesis import given
from hypothesis import strategies as st

from media import rtcp

REPORT = rtcp.Report(
    ssrc=77,
    fraction_lost=25,
    lost=1_000,
    highest=70_000,
    jitter=12,
    last_sr=0xAABBCCDD,
    delay_since_sr=65_536,
)


def test_our_receiver_report_says_what_it_should() -> None:
    (read,) = RtcpPacket.parse(rtcp.receiver_report([REPORT]))
    assert isinstance(read, RtcpRrPacket)
    block = read.reports[0]
    assert (block.ssrc, block.fraction_lost, block.packets_lost) == (77, 25, 1_000)
    assert (block.highest_sequence, block.jitter, block.lsr, block.dlsr) == (70_000, 12, 0xAABBCCDD, 65_536)


def test_our_sender_report_and_name_say_what_they_should() -> None:
    data = rtcp.sender_report(77, 1_000.5, 4_711, 10, 2_000) + rtcp.source_description(77, "slot3")
    report, names = RtcpPacket.parse(data)
    assert isinstance(report, RtcpSrPacket)
    assert report.sender_info.ntp_timestamp >> 32 == 1_000 + rtcp.NTP_EPOCH_S
    assert report.sender_info.ntp_timestamp & 0xFFFFFFFF == 1 << 31
    assert report.sender_info.rtp_timestamp == 4_711
    assert isinstance(names, RtcpSdesPacket)
    assert names.chunks[0].items == [(1, b"slot3")]


def test_our_requests_are_read_by_others() -> None:
    (pli,) = RtcpPacket.parse(rtcp.keyframe_request(77))
    assert isinstance(pli, RtcpPsfbPacket)
    assert (pli.fmt, pli.media_ssrc) == (1, 77)
    (nack,) = RtcpPacket.parse(rtcp.nack(77, [10, 11, 26, 27, 0x1_0005]))
    assert isinstance(nack, RtcpRtpfbPacket)
    assert sorted(nack.lost) == [5, 10, 11, 26, 27]


@given(st.lists(st.integers(0, 0x1FFFF), min_size=1, max_size=60, unique=True).map(sorted))
def test_every_number_of_a_nack_is_read_back(numbers: list[int]) -> None:
    (read,) = rtcp.parse(rtcp.nack(77, numbers))
    assert isinstance(read, rtcp.Nack)
    assert set(read.numbers) == {number & 0xFFFF for number in numbers}


def test_reports_of_a_receiver_are_read() -> None:
    block = RtcpReceiverInfo(
        ssrc=77, fraction_lost=25, packets_lost=9, highest_sequence=5, jitter=3, lsr=1, dlsr=2
    )
    sender = RtcpSenderInfo(ntp_timestamp=0x1_0000_8000_0000, rtp_timestamp=6, packet_count=1, octet_count=2)
    data = bytes(RtcpSrPacket(ssrc=1, sender_info=sender, reports=[block]))
    first, second = rtcp.parse(data)
    assert isinstance(first, rtcp.SenderReport)
    assert (first.ssrc, first.timestamp, first.ntp_middle) == (1, 6, 0x0000_8000)
    assert isinstance(second, rtcp.Report)
    assert (second.ssrc, second.fraction_lost, second.jitter) == (77, 25, 3)


def test_pli_and_fir_are_both_requests_for_a_key_frame() -> None:
    fir = bytes(RtcpPsfbPacket(fmt=4, ssrc=1, media_ssrc=0, fci=b"\x00\x00\x00\x4d\x01\x00\x00\x00"))
    pli = bytes(RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=77))
    assert list(rtcp.parse(pli + fir)) == [rtcp.KeyframeRequest(ssrc=77)] * 2


@pytest.mark.parametrize(
    "data",
    [
        b"\x80",
        b"\x00" * 8,
        b"\x80\xc8\x00\x01" + bytes(4),
        b"\x81\xc9\x00\x01" + bytes(4),
        b"\x81\xcd\x00\x01" + bytes(4),
        b"\xa0\xc9\x00\x01" + bytes(3) + b"\x09",
        b"\x80\xc9\xff\xff" + bytes(4),
    ],
)
def test_contradictory_lengths_are_refused(data: bytes) -> None:
    with pytest.raises(rtcp.BadRtcp):
        list(rtcp.parse(data))


@given(st.binary(max_size=120), st.sampled_from([200, 201, 202, 203, 205, 206, 207]), st.integers(0, 31))
def test_no_packet_makes_the_reader_fail_in_any_other_way(body: bytes, kind: int, count: int) -> None:
    body += bytes(-len(body) & 3)
    for data in (body, bytes((0x80 | count, kind)) + (len(body) // 4).to_bytes(2, "big") + body):
        try:
            list(rtcp.parse(data))
        except rtcp.BadRtcp:
            continue
