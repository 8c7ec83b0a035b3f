"""TURN for networks that block the direct way: addresses, credentials that expire, coturn's configuration.

A relay of ours carries packets to our media addresses and to nowhere else, whoever asks (RFC 8656, section
21; coturn permits every private network unless it is told not to).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from signaling.consult.ids import ParticipantId
from signaling.ports import Clock, Relay

PLAIN_PORT: Final = 3478
TLS_PORT: Final = 5349
RELAYS_OF_ONE_MAX: Final = 12  # a rebuilt connection has new ones beside the old, on every address
USERNAME_CHARS: Final = 16
_URL: Final = re.compile(
    r"(?P<scheme>turns?):(?P<host>\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::(?P<port>\d{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?"
)
Leg = Literal["udp", "tcp", "tls"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnAddress:
    """Where a TURN server listens, and how it is spoken to."""

    host: str
    port: int
    leg: Leg


def address_of(url: str) -> TurnAddress:
    """The address in a TURN URI (RFC 7065); raises ValueError with what is wrong."""
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError("use turn:HOST:PORT, turn:HOST:PORT?transport=tcp or turns:HOST:PORT")
    tls, transport = found["scheme"] == "turns", found["transport"]
    if tls and transport == "udp":
        raise ValueError("browsers speak TLS to a TURN server over TCP only; leave ?transport=udp out")
    port = int(found["port"] or (TLS_PORT if tls else PLAIN_PORT))
    if not 1 <= port <= 65535:
        raise ValueError("the port is out of range")
    leg: Leg = "tls" if tls else "tcp" if transport == "tcp" else "udp"
    return TurnAddress(host=found["host"].strip("[]"), port=port, leg=leg)


def credential(secret: str, user: str, *, valid_until: datetime) -> tuple[str, str]:
    """User name and password that coturn accepts until then (`use-auth-secret`: SHA-1 is what it knows)."""
    username = f"{int(valid_until.timestamp())}:{user}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


class TurnRelays:
    """The `Relays` of `signaling.ports`: every participant gets credentials of their own, for a while."""

    def __init__(self, urls: Sequence[str], secret: str, *, valid_s: int, clock: Clock) -> None:
        self._urls = tuple(urls)
        self._secret = secret
        self._valid_s = valid_s
        self._clock = clock

    def of(self, participant: ParticipantId) -> tuple[Relay, ...]:
        """Empty when no TURN server is set. The user name says nothing to whoever reads coturn's log."""
        if not self._urls:
            return ()
        user = hashlib.sha256(participant.encode()).hexdigest()[:USERNAME_CHARS]
        until = self._clock.now() + timedelta(seconds=self._valid_s)
        username, password = credential(self._secret, user, valid_until=until)
        return (Relay(urls=self._urls, username=username, credential=password),)


def turnserver_conf(
    *, urls: Sequence[str], secret: str, realm: str, peers: Sequence[str], certificate: str, key: str
) -> str:
    """The configuration of a coturn that reaches `peers`, our media addresses, and nothing else.

    Args:
        urls: TURN URIs; the first port of each leg is listened on.
        realm: the name of this site.
        certificate: of the TLS leg, as a path (PEM), like `key`.
    """
    addresses = [address_of(url) for url in urls]
    plain = next((one.port for one in addresses if one.leg != "tls"), None)
    tls = next((one.port for one in addresses if one.leg == "tls"), None)
    lines = [_CONF_HEAD, "no-cli", "fingerprint", "use-auth-secret", f"static-auth-secret={secret}"]
    lines += [f"realm={realm}", f"user-quota={RELAYS_OF_ONE_MAX}", "stale-nonce=600"]
    lines += [f"listening-port={plain}"] if plain else ["no-udp", "no-tcp"]
    lines += (
        [
            f"tls-listening-port={tls}",
            f"cert={certificate}",
            f"pkey={key}",
            "no-tlsv1",
            "no-tlsv1_1",
            "no-dtls",
        ]
        if tls
        else ["no-tls", "no-dtls"]
    )
    lines += ["min-port=49160", "max-port=49999", "max-bps=1000000", "no-multicast-peers", "no-tcp-relay"]
    lines += [
        "",
        "# Whom it may relay to: our media addresses alone. What is allowed wins over what is denied.",
    ]
    lines += ["denied-peer-ip=0.0.0.0-255.255.255.255", f"denied-peer-ip=::-{':'.join(['ffff'] * 8)}"]
    lines += [f"allowed-peer-ip={peer}" for peer in peers]
    return "\n".join(lines) + "\n"


_CONF_HEAD: Final = """\
# A coturn for Meridian (Debian package coturn: /etc/turnserver.conf). Holds a secret: owner root, group
# turnserver, mode 0640. Keep it on a machine, or at least in a network, with nothing else to reach.
# Behind address translation add external-ip=PUBLIC/LOCAL. Written by: python -m server turn config
"""
