"""What we use of aiortc and pylibsrtp without their promise: each of these fails when upstream changes it."""

import inspect

import pylibsrtp
import pytest
from aiortc import rtcdtlstransport
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport
from pylibsrtp import _binding


def test_the_dtls_transport_has_the_parts_we_set() -> None:
    assert rtcdtlstransport.SRTP_AEAD_AES_128_GCM.openssl_profile == b"SRTP_AEAD_AES_128_GCM"
    source = inspect.getsource(RTCDtlsTransport)
    for name in (
        "self._srtp_profiles = SRTP_PROFILES",
        "self._role = role",
        "self._rx_srtp",
        "self._tx_srtp",
    ):
        assert name in source
    assert rtcdtlstransport.SRTP_AEAD_AES_128_GCM in rtcdtlstransport.SRTP_PROFILES


def test_the_dtls_transport_uses_nothing_of_its_ice_transport_but_three_names() -> None:
    source = inspect.getsource(RTCDtlsTransport)
    used = {word.split("(")[0].split(")")[0] for word in source.split("self.transport.")[1:]}
    assert {name.split()[0].rstrip(":,") for name in used} == {"role", "_recv", "_send"}
    assert inspect.iscoroutinefunction(RTCDtlsTransport.start)
    assert inspect.iscoroutinefunction(RTCDtlsTransport.stop)


def test_the_peers_fingerprint_is_compared_before_keys_are_used() -> None:
    source = inspect.getsource(RTCDtlsTransport.start)
    assert source.index("_validate_peer_identity") < source.index("_setup_srtp")


def test_replayed_packets_are_refused_over_a_window_of_1024() -> None:
    source = inspect.getsource(RTCDtlsTransport._setup_srtp)
    assert source.count("window_size = 1024") == 2


def test_a_certificate_is_made_from_an_elliptic_key() -> None:
    certificate = RTCCertificate.generateCertificate()
    assert next(f.algorithm for f in certificate.getFingerprints()) == "sha-256"


def test_libsrtp_is_called_with_a_buffer_and_a_length() -> None:
    key = bytes(range(28))
    policy = pylibsrtp.Policy(
        key=key,
        ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND,
        srtp_profile=pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    )
    session = pylibsrtp.Session(policy)
    buffer = bytearray(200)
    packet = b"\x80\x60" + bytes(10) + b"payload"
    buffer[: len(packet)] = packet
    length = _binding.ffi.new("int *")
    length[0] = len(packet)
    assert _binding.lib.srtp_protect(session._srtp[0], _binding.ffi.from_buffer(buffer), length) == 0
    assert length[0] == len(packet) + 16
    assert bytes(buffer[: length[0]]) == pylibsrtp.Session(policy).protect(packet)


@pytest.mark.parametrize(
    "name", ["srtp_protect", "srtp_protect_rtcp", "srtp_unprotect", "srtp_unprotect_rtcp"]
)
def test_libsrtp_has_the_functions_we_call(name: str) -> None:
    assert hasattr(_binding.lib, name)
