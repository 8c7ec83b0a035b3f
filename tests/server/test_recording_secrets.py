"""The shred secrets: made once, read by one account, and gone for good where they are destroyed."""

import stat
from pathlib import Path

import pytest

from server.recordings.names import hex_of, id_of
from server.recordings.secrets import SECRET_BYTES, SecretDestroyedError, Secrets


def test_a_secret_is_made_once_and_read_by_this_account_alone(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets")
    first = secrets.get_or_create("0" * 32)
    assert len(first) == SECRET_BYTES
    assert secrets.get_or_create("0" * 32) == secrets.get("0" * 32) == first
    assert secrets.get_or_create("1" * 32) != first
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    files = list((tmp_path / "secrets").iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert len(files) == 2


def test_a_destroyed_secret_is_gone_for_good(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets")
    content = secrets.get_or_create("0" * 32)
    assert secrets.destroy("0" * 32)
    assert not secrets.destroy("0" * 32)
    assert secrets.get("0" * 32) is None
    assert secrets.is_destroyed("0" * 32)
    with pytest.raises(SecretDestroyedError):
        secrets.get_or_create("0" * 32)
    assert all(content not in file.read_bytes() for file in (tmp_path / "secrets").iterdir())


def test_what_is_destroyed_is_overwritten_and_not_only_forgotten(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets")
    content = secrets.get_or_create("0" * 32)
    other_name = tmp_path / "kept"
    other_name.hardlink_to(tmp_path / "secrets" / f"{'0' * 32}.secret")
    secrets.destroy("0" * 32)
    assert other_name.read_bytes() != content


@pytest.mark.parametrize("name", ["", "../" + "0" * 29, "0" * 31, "G" * 32, "0" * 33])
def test_only_a_recording_names_a_secret(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError):
        Secrets(tmp_path).get_or_create(name)


def test_a_folder_of_secrets_keeps_its_own_id(tmp_path: Path) -> None:
    place = Secrets(tmp_path / "a").place()
    assert Secrets(tmp_path / "a").place() == place != Secrets(tmp_path / "b").place()


def test_an_id_and_its_hex_are_the_same_bytes() -> None:
    assert id_of(hex_of(id_of("00" * 15 + "ff"))) == id_of("00" * 15 + "ff")
    for wrong in ("00" * 15, "zz"):
        with pytest.raises(ValueError):
            id_of(wrong)
