"""Serving the local network: a certificate for this machine's address, kept while it fits."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Self

import pytest
from cryptography import x509

from server.lan import NoLanError, certificate, lan_address

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
HERE = IPv4Address("192.168.1.20")


def test_the_certificate_is_for_the_address_and_its_key_is_private(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path, HERE, now=NOON)
    made = x509.load_pem_x509_certificate(chain.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert HERE in names.get_values_for_type(x509.IPAddress)
    assert made.not_valid_after_utc - made.not_valid_before_utc < timedelta(days=398)
    assert key.stat().st_mode & 0o077 == 0


def test_it_is_kept_while_it_fits_and_made_anew_for_another_address_or_when_it_runs_out(
    tmp_path: Path,
) -> None:
    chain, _ = certificate(tmp_path, HERE, now=NOON)
    first = chain.read_bytes()
    certificate(tmp_path, HERE, now=NOON + timedelta(days=380))
    assert chain.read_bytes() == first
    certificate(tmp_path, HERE, now=NOON + timedelta(days=391))
    assert chain.read_bytes() != first
    second = chain.read_bytes()
    certificate(tmp_path, IPv4Address("192.168.1.21"), now=NOON + timedelta(days=391))
    assert chain.read_bytes() != second


class Probe:
    """A socket in a network that gives this machine one address."""

    def __init__(self, address: str | None) -> None:
        self._address = address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def connect(self, _where: object) -> None:
        if self._address is None:
            raise OSError

    def getsockname(self) -> tuple[str, int]:
        return (self._address or "", 1)


@pytest.mark.parametrize(
    ("address", "reason"), [(None, "no network"), ("127.0.0.1", "loopback"), ("8.8.8.8", "public")]
)
def test_a_machine_without_a_private_address_is_told_so(
    monkeypatch: pytest.MonkeyPatch, address: str | None, reason: str
) -> None:
    monkeypatch.setattr("server.lan.socket.socket", lambda *_: Probe(address))
    with pytest.raises(NoLanError, match=reason):
        lan_address()
