"""The keys recordings are sealed for: made once, listed, rotated without rewriting a part, erased at last."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from media.sealed import PartId, parse_header
from server.vault import keys
from server.vault.keys import KeysError, add_clinic_key, ensure_keys, erase, init, listed, private_keys
from server.vault.places import Places, socket_path
from server.vault.rotating import rewrap, sealed_for_one_alone
from server.vault.source import FolderParts
from server.vault.wraps import FolderWraps, NoKeyError, data_key, read_stanza, rewrapped, stanza_bytes
from tests.recording.vaulted import NOW, RECORDING, Clinic, recorded


def test_a_first_start_finds_a_clinic_key_and_one_to_take_away(tmp_path: Path) -> None:
    assert ensure_keys(tmp_path, NOW)
    entries = json.loads(Places(tmp_path).public_keys.read_text())
    assert [one["role"] for one in entries] == ["clinic", "escrow"]
    assert all(len(one["key_id"]) == 32 and len(one["public"]) == 64 for one in entries)
    assert all(one["retired"] is None for one in entries)
    clinic, escrow = listed(tmp_path)
    assert set(private_keys(tmp_path)) == {clinic.key_id}, "the escrow key is no key of the vault"
    assert keys.read_private(Places(tmp_path).escrow)[0] == escrow.key_id


def test_a_second_start_makes_nothing(tmp_path: Path) -> None:
    ensure_keys(tmp_path, NOW)
    before = listed(tmp_path), keys.vault_secret(tmp_path)
    assert not ensure_keys(tmp_path, NOW)
    assert (listed(tmp_path), keys.vault_secret(tmp_path)) == before


def test_starts_at_the_same_time_make_one_set(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ensure_keys(tmp_path, NOW), range(8)))
    assert made.count(True) == 1
    assert len(listed(tmp_path)) == 2
    assert len(private_keys(tmp_path)) == 1


def test_private_files_are_for_one_account_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ensure_keys(tmp_path, NOW)
    finally:
        os.umask(before)
    places = Places(tmp_path)
    for file in (*places.keys.glob("*.key"), places.secret, places.escrow):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for folder in (places.vault, places.keys, places.views, places.wraps):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_group_that_was_let_into_the_secrets_can_read_them_and_others_never(tmp_path: Path) -> None:
    clinic = Clinic.at(tmp_path)
    folder = tmp_path / "recording-secrets"
    folder.mkdir()
    for mode, expected in ((0o755, 0o640), (0o750, 0o640), (0o700, 0o600)):
        folder.chmod(mode)
        name = f"{mode:032x}"
        clinic.secrets.get_or_create(name)
        assert stat.S_IMODE(folder.stat().st_mode) == mode & 0o770
        assert stat.S_IMODE((folder / f"{name}.secret").stat().st_mode) == expected


def test_init_puts_the_escrow_key_where_it_is_told_and_over_nothing(tmp_path: Path) -> None:
    away = tmp_path / "stick"
    away.mkdir()
    init(tmp_path / "data", away / "escrow.key", NOW)
    assert not Places(tmp_path / "data").escrow.exists()
    with pytest.raises(KeysError, match="keys already"):
        init(tmp_path / "data", away / "other.key", NOW)
    with pytest.raises(KeysError, match="exists"):
        init(tmp_path / "else", away / "escrow.key", NOW)


def test_a_damaged_list_is_said_and_not_replaced(tmp_path: Path) -> None:
    ensure_keys(tmp_path, NOW)
    Places(tmp_path).public_keys.write_text('[{"key_id": "00"}]')
    with pytest.raises(KeysError, match="damaged"):
        ensure_keys(tmp_path, NOW)


def header_of(clinic: Clinic, part: int = 1) -> bytes:
    return clinic.file(part).read_bytes()[:4096]


def test_after_a_rotation_the_new_key_alone_opens_what_was_sealed_before(tmp_path: Path) -> None:
    clinic = recorded(tmp_path)
    [old] = private_keys(tmp_path)
    before = [clinic.file(part).read_bytes() for part in (1, 2)]
    made = add_clinic_key(tmp_path, NOW)
    source, wraps = FolderParts(Places(tmp_path).recordings), FolderWraps(Places(tmp_path).wraps)
    private = private_keys(tmp_path)
    done = rewrap(source, wraps, clinic.secrets, private, made)
    assert (done.wrapped, done.failed) == (2, [])
    assert rewrap(source, wraps, clinic.secrets, private, made).wrapped == 0, "once is enough"
    assert not sealed_for_one_alone(source, wraps, clinic.secrets, private, old)
    erase(tmp_path, old)
    assert set(private_keys(tmp_path)) == {made.key_id}
    assert [one.status for one in clinic.reports()] == ["complete", "complete"]
    assert [clinic.file(part).read_bytes() for part in (1, 2)] == before


def test_new_parts_are_sealed_for_the_new_key_and_the_escrow_key(tmp_path: Path) -> None:
    clinic = Clinic.at(tmp_path)
    made = add_clinic_key(tmp_path, NOW)
    header = parse_header(clinic.sealer(1).header)
    escrow = next(one for one in listed(tmp_path) if one.role == "escrow")
    assert {one.key_id for one in header.stanzas} == {made.key_id, escrow.key_id}


def test_a_key_that_a_part_still_needs_is_found(tmp_path: Path) -> None:
    clinic = recorded(tmp_path)
    [old] = private_keys(tmp_path)
    add_clinic_key(tmp_path, NOW)
    source, wraps = FolderParts(Places(tmp_path).recordings), FolderWraps(Places(tmp_path).wraps)
    needed = sealed_for_one_alone(source, wraps, clinic.secrets, private_keys(tmp_path), old)
    assert needed == [(RECORDING, 1), (RECORDING, 2)]


def test_a_key_in_use_is_not_erased(tmp_path: Path) -> None:
    ensure_keys(tmp_path, NOW)
    [key_id] = private_keys(tmp_path)
    with pytest.raises(KeysError, match="in use"):
        erase(tmp_path, key_id)
    with pytest.raises(KeysError, match="no such key"):
        erase(tmp_path, bytes(16))


def test_what_is_destroyed_is_not_wrapped_again(tmp_path: Path) -> None:
    clinic = recorded(tmp_path)
    clinic.secrets.destroy(RECORDING.hex())
    made = add_clinic_key(tmp_path, NOW)
    source, wraps = FolderParts(Places(tmp_path).recordings), FolderWraps(Places(tmp_path).wraps)
    done = rewrap(source, wraps, clinic.secrets, private_keys(tmp_path), made)
    assert (done.wrapped, done.failed) == (0, [])


def test_the_escrow_key_opens_what_the_clinic_lost_its_key_for(tmp_path: Path) -> None:
    clinic = recorded(tmp_path)
    key_id, escrow = keys.read_private(Places(tmp_path).escrow)
    shred = clinic.secrets.get(RECORDING.hex())
    assert shred is not None
    dek, _ = data_key(parse_header(header_of(clinic)), [], {key_id: escrow}, shred)
    assert len(dek) == 32


def test_without_a_key_nothing_is_wrapped(tmp_path: Path) -> None:
    clinic = recorded(tmp_path)
    shred = clinic.secrets.get(RECORDING.hex())
    assert shred is not None
    made = add_clinic_key(tmp_path, NOW)
    with pytest.raises(NoKeyError):
        rewrapped(parse_header(header_of(clinic)), [], {}, shred, made)


def test_a_stanza_beside_a_part_that_is_not_its_own_is_of_no_use_and_no_harm(tmp_path: Path) -> None:
    clinic = recorded(tmp_path)
    wraps = FolderWraps(Places(tmp_path).wraps)
    header = parse_header(header_of(clinic, 2))
    for stanza in header.stanzas:
        wraps.put(PartId(recording=RECORDING, part=1), stanza)
    assert [one.status for one in clinic.reports()] == ["complete", "complete"]


@pytest.mark.parametrize("cut", [0, 5, 20, -1])
def test_half_a_stanza_is_none(tmp_path: Path, cut: int) -> None:
    whole = stanza_bytes(parse_header(header_of(recorded(tmp_path))).stanzas[0])
    assert stanza_bytes(read_stanza(whole)) == whole
    with pytest.raises(ValueError, match="stanza"):
        read_stanza(whole[:cut])


def test_a_data_directory_of_any_length_has_a_socket(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*("a folder with a long name",) * 5)
    assert len(os.fsencode(socket_path(deep))) < 108
    assert socket_path(deep) == socket_path(deep) != socket_path(deep / "other")
