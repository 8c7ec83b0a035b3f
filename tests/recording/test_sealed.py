"""The sealed container: its bytes, and that no damage passes for something else."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from media.sealed import (
    PLAIN_MAX,
    PartId,
    RecordKind,
    Sealer,
    Stanza,
    bare_header,
    derive,
    parse_header,
    wrap,
)
from media.unsealed import Examined, WrongKeyError, examine, keys_of, records, unwrap, was_cut

DEK, SHRED, SALT = (bytes(range(at, at + 32)) for at in (0x00, 0x20, 0x40))
PART = PartId(recording=bytes(range(16)), part=1)
STANZA = Stanza(kind=1, key_id=b"K" * 16, sealed=b"STANZA")
EVERY_KIND = (
    (RecordKind.MEDIA, b"hello", 0, True),
    (RecordKind.META, b'{"consent":"ok"}', 1000, False),
    (RecordKind.MEDIA, b"", 2000, False),
    (RecordKind.MEDIA, b"A" * 300, 1_000_000, False),
)


def sealer(part: PartId = PART, dek: bytes = DEK) -> Sealer:
    return Sealer(part, dek=dek, shred=SHRED, salt=SALT, stanzas=[STANZA])


def pieces(part: PartId = PART, dek: bytes = DEK) -> list[bytes]:
    """The header and each record of a part that was ended."""
    made = sealer(part, dek)
    found = [made.header]
    for kind, body, at_us, sync in EVERY_KIND:
        found.append(made.seal(kind, body, at_us=at_us, sync=sync))
    return [*found, made.final("ended", at_us=2_000_000)]


PIECES = pieces()
WHOLE = b"".join(PIECES)


def found(data: bytes) -> Examined:
    return examine(data, DEK, SHRED)


def test_the_bytes_are_those_of_the_specification() -> None:
    keys = derive(DEK, SHRED, bare_header(PART, SALT, [STANZA]))
    assert keys.key.hex() == "106b957c4f619c107d5c49aaaab8f25f96377978180f5bcb0d8b19b9645e371f"
    assert keys.base_nonce.hex() == "c3178a0784aee8f180d5a198"
    assert keys.commitment.hex() == "7e2218505e7fa4cc9c0bcc9c2fc6fb0d7cbe0d4368b3a9f36f98ee23bb84e08a"
    assert PIECES[1].hex() == (
        "000000150001000000000000000000000000000000000000a3c74edb904c65d1e33905213e1f2f774692bcbbca"
    )
    assert len(WHOLE) == 700
    assert hashlib.sha256(WHOLE).hexdigest() == (
        "4c7782d2b11b4dc72f78c464a8bd510f2f34603fce181c4ce92bc400b775d4a2"
    )


def test_a_checkpoint_says_how_far_a_part_was_written() -> None:
    made = sealer()
    for kind, body, at_us, sync in EVERY_KIND:
        made.seal(kind, body, at_us=at_us, sync=sync)
    assert (made.checkpoint.records, made.checkpoint.size_bytes) == (4, 615)
    assert made.checkpoint.chain.hex() == "7d1ec9fb67b802f60d08021311067a5a4af446a0d933955491bc6f60ca68cf46"


def test_a_whole_part_is_complete_and_gives_back_what_was_put_in() -> None:
    assert (found(WHOLE).status, found(WHOLE).ended, found(WHOLE).records) == ("complete", "ended", 5)
    header = parse_header(WHOLE)
    read = list(records(WHOLE, header, keys_of(header, DEK, SHRED)))
    assert [(one.head.kind, one.body, one.head.at_us, one.head.sync) for one in read[:-1]] == list(EVERY_KIND)


def test_cut_at_any_byte_it_is_torn_and_every_whole_record_is_kept() -> None:
    ends = [sum(map(len, PIECES[: n + 1])) for n in range(len(PIECES))]
    for at in range(len(WHOLE)):
        if at < ends[0]:
            assert (found(WHOLE[:at]).status, found(WHOLE[:at]).records) == ("torn", 0)
            continue
        seen = found(WHOLE[:at])
        whole = sum(end <= at for end in ends[1:])
        assert (seen.status, seen.records) == ("torn", whole), at
        assert seen.torn_bytes == at - ends[whole]


def test_with_any_bit_flipped_it_is_never_complete() -> None:
    for at in range(len(WHOLE)):
        for bit in range(8):
            flipped = bytearray(WHOLE)
            flipped[at] ^= 1 << bit
            try:
                assert found(bytes(flipped)).status != "complete", (at, bit)
            except WrongKeyError:
                assert at < len(PIECES[0]), "only a changed header leads to other keys"


@pytest.mark.parametrize(
    "damaged",
    [
        [0, 2, 1, 3, 4, 5],  # swapped
        [0, 1, 3, 4, 5],  # dropped
        [0, 1, 1, 2, 3, 4, 5],  # doubled
        [0, 1, 2, 5],  # ended early
        [0, 1, 2, 3, 4, 5, 1],  # something after the end
        [0, 2, 3, 4, 5],
    ],
    ids=["swapped", "dropped", "doubled", "early end", "after the end", "without its first"],
)
def test_records_in_another_order_are_tampered_with(damaged: list[int]) -> None:
    assert found(b"".join(PIECES[n] for n in damaged)).status == "tampered"


def test_a_record_of_another_part_or_recording_does_not_fit() -> None:
    for other in (PartId(recording=PART.recording, part=2), PartId(recording=bytes(16), part=1)):
        foreign = pieces(other)
        spliced = b"".join([*PIECES[:2], foreign[2], *PIECES[3:]])
        assert found(spliced).status == "tampered"
        assert found(b"".join([foreign[0], *PIECES[1:]])).status == "tampered", "nor under another's header"


def test_without_the_shred_secret_nothing_opens() -> None:
    with pytest.raises(WrongKeyError):
        examine(WHOLE, DEK, bytes(32))
    with pytest.raises(WrongKeyError):
        examine(WHOLE, bytes(32), SHRED)


def test_a_crash_keeps_what_a_checkpoint_has_named_and_a_cut_does_not() -> None:
    made = sealer()
    written = [made.header]
    for kind, body, at_us, sync in EVERY_KIND:
        written.append(made.seal(kind, body, at_us=at_us, sync=sync))
    checkpoint = made.checkpoint
    crashed = b"".join(written) + made.seal(RecordKind.MEDIA, b"more", at_us=9)[:7]
    assert not was_cut(found(crashed), checkpoint)
    assert was_cut(found(b"".join(written[:-1])), checkpoint)
    forged = sealer(dek=DEK)
    other = [forged.header, *(forged.seal(RecordKind.MEDIA, b"other", at_us=n) for n in range(4))]
    assert was_cut(found(b"".join(other)), checkpoint)


def test_the_data_key_opens_for_each_recipient_and_for_that_part_alone() -> None:
    clinic, escrow, stranger = (X25519PrivateKey.generate() for _ in range(3))
    ids = (b"C" * 16, b"E" * 16)
    stanzas = [
        wrap(DEK, key.public_key(), key_id, PART, SALT)
        for key, key_id in zip((clinic, escrow), ids, strict=True)
    ]
    made = Sealer(PART, dek=DEK, shred=SHRED, salt=SALT, stanzas=stanzas)
    header = parse_header(made.header)
    assert unwrap(header, clinic, ids[0]) == unwrap(header, escrow, ids[1]) == DEK
    for key, key_id in ((stranger, ids[0]), (clinic, ids[1]), (clinic, b"?" * 16)):
        with pytest.raises(WrongKeyError):
            unwrap(header, key, key_id)
    moved = Sealer(PartId(recording=PART.recording, part=2), dek=DEK, shred=SHRED, salt=SALT, stanzas=stanzas)
    with pytest.raises(WrongKeyError):
        unwrap(parse_header(moved.header), clinic, ids[0])


def test_nothing_is_sealed_after_the_end_and_nothing_too_long() -> None:
    made = sealer()
    made.seal(RecordKind.MEDIA, b"x" * PLAIN_MAX, at_us=0)
    with pytest.raises(ValueError, match="more than a record"):
        made.seal(RecordKind.MEDIA, b"x" * (PLAIN_MAX + 1), at_us=0)
    made.final("ended", at_us=1)
    with pytest.raises(ValueError, match="after the final"):
        made.seal(RecordKind.MEDIA, b"", at_us=2)


def test_a_part_with_nothing_in_it_is_complete_once_it_is_ended() -> None:
    made = sealer()
    assert found(made.header).status == "torn"
    assert found(made.header + made.final("consent-revoked", at_us=0)).ended == "consent-revoked"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_at_all_are_answered_without_an_error_of_ours(data: bytes) -> None:
    for tried in (data, PIECES[0] + data, b"".join(PIECES[:3]) + data):
        try:
            assert found(tried).status in ("torn", "tampered")
        except WrongKeyError:
            continue
