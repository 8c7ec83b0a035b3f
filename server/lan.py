"""Serving the local network: this machine's address there and a certificate made here.

* `NoLanError`: this machine has no address a phone could reach
"""

import os
import socket
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Browsers of Apple refuse certificates that are valid for longer than 398 days.
VALID: Final = timedelta(days=397)
RENEW_BEFORE: Final = timedelta(days=7)
# Documentation address (RFC 5737): nothing is sent, the system only picks the way it would go.
_ELSEWHERE: Final = ("192.0.2.1", 9)


class NoLanError(Exception):
    """This machine has no address in a local network."""


def lan_address() -> IPv4Address:
    """This machine's private address towards its network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError as error:
            raise NoLanError("this machine is in no network") from error
        address = IPv4Address(probe.getsockname()[0])
    if address.is_loopback or address.is_unspecified:
        raise NoLanError("this machine has no address but loopback")
    if not address.is_private:
        raise NoLanError("this machine's address is a public one, and --lan is for a private network")
    return address


def certificate(folder: Path, address: IPv4Address, *, now: datetime | None = None) -> tuple[Path, Path]:
    """A self-signed certificate for an address and its key (PEM), made when there is none that fits."""
    chain, key = folder / "lan-certificate.pem", folder / "lan-key.pem"
    now = now or datetime.now(UTC)
    if not (chain.exists() and key.exists() and _fits(chain, address, now)):
        _make(chain, key, address, now)
    return chain, key


def _fits(chain: Path, address: IPv4Address, now: datetime) -> bool:
    try:
        known = x509.load_pem_x509_certificate(chain.read_bytes())
        names = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    return (
        address in names.get_values_for_type(x509.IPAddress)
        and now < known.not_valid_after_utc - RENEW_BEFORE
    )


def _make(chain: Path, key_file: Path, address: IPv4Address, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Meridian on this network")])
    alternatives = [
        x509.IPAddress(address),
        x509.IPAddress(ip_address("127.0.0.1")),
        x509.DNSName("localhost"),
    ]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secret)
    chain.write_bytes(made.public_bytes(Encoding.PEM))
