"""Connectivity checks: only complete requests signed with our password are answered."""

import hashlib
import hmac
import socket
import zlib
from struct import pack

from hypothesis import given
from hypothesis import strategies as st

from media import stun

PASSWORD = "p" * 24
TRANSACTION = bytes(range(12))


def request(
    *,
    ufrag: str = "ours",
    password: str = PASSWORD,
    nominate: bool = False,
    fingerprint: bool = True,
    kind: int = 1,
) -> bytes:
    """A binding request as a browser writes it."""
    name = f"{ufrag}:theirs".encode()
    body = pack("!HH", 6, len(name)) + name + bytes(-len(name) & 3)
    body += pack("!HHI", 0x24, 4, 1)
    if nominate:
        body += pack("!HH", 0x25, 0)
    head = pack("!HHI", kind, len(body) + 24, stun.COOKIE) + TRANSACTION
    body += pack("!HH", 8, 20) + hmac.new(password.encode(), head + body, hashlib.sha1).digest()
    if fingerprint:
        head = pack("!HHI", kind, len(body) + 8, stun.COOKIE) + TRANSACTION
        body += pack("!HHI", 0x8028, 4, zlib.crc32(head + body) ^ 0x5354554E)
    return pack("!HHI", kind, len(body), stun.COOKIE) + TRANSACTION + body


def test_a_signed_request_is_read_and_verified() -> None:
    parsed = stun.parse_request(request(nominate=True))
    assert parsed is not None
    assert (parsed.local_ufrag, parsed.nominated, parsed.transaction) == ("ours", True, TRANSACTION)
    assert stun.verify(parsed, PASSWORD)


def test_a_request_signed_with_another_password_is_not_verified() -> None:
    parsed = stun.parse_request(request(password="q" * 24))
    assert parsed is not None
    assert not stun.verify(parsed, PASSWORD)


def test_a_request_without_fingerprint_is_accepted_and_one_with_a_wrong_one_is_not() -> None:
    plain = stun.parse_request(request(fingerprint=False))
    assert plain is not None
    assert stun.verify(plain, PASSWORD)
    assert stun.parse_request(request()[:-1] + b"\x00") is None


def test_a_changed_byte_anywhere_before_the_fingerprint_is_noticed() -> None:
    good = request()
    for at in range(len(good) - 8):
        parsed = stun.parse_request(good[:at] + bytes((good[at] ^ 0x40,)) + good[at + 1 :])
        assert parsed is None or not stun.verify(parsed, PASSWORD)


def test_responses_and_indications_are_not_requests() -> None:
    assert stun.parse_request(request(kind=0x0101)) is None
    assert stun.parse_request(request(kind=0x0011)) is None


def test_the_answer_carries_the_address_the_request_came_from() -> None:
    for address, family in (("192.0.2.7", socket.AF_INET), ("2001:db8::7", socket.AF_INET6)):
        answer = stun.success(TRANSACTION, (address, 40_000), PASSWORD)
        assert answer[:2] == b"\x01\x01"
        assert int.from_bytes(answer[2:4], "big") + 20 == len(answer)
        length = int.from_bytes(answer[22:24], "big")
        mask = pack("!I", stun.COOKIE) + TRANSACTION
        packed = bytes(a ^ b for a, b in zip(answer[28 : 24 + length], mask, strict=False))
        assert socket.inet_ntop(family, packed) == address
        assert int.from_bytes(answer[26:28], "big") ^ stun.COOKIE >> 16 == 40_000


@given(st.binary(max_size=200))
def test_no_datagram_makes_the_parser_fail(data: bytes) -> None:
    stun.parse_request(data)


@given(st.binary(max_size=120))
def test_no_attributes_make_the_parser_fail(body: bytes) -> None:
    body += bytes(-len(body) & 3)
    parsed = stun.parse_request(pack("!HHI", 1, len(body), stun.COOKIE) + TRANSACTION + body)
    assert parsed is None or not stun.verify(parsed, PASSWORD)
