"""What a worker has to know about a peer: the outcome of offer and answer, without any SDP text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from media.interface import SourceName

CodecName = Literal["opus", "vp8", "h264"]
DtlsRole = Literal["client", "server"]

CLOCK_RATE_HZ: dict[CodecName, int] = {"opus": 48_000, "vp8": 90_000, "h264": 90_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """One payload type both sides use in an m-line, with its retransmission payload type if there is one."""

    name: CodecName
    payload_type: int
    rtx_payload_type: int | None = None
    nack: bool = False
    pli: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """Ids (1 to 14) of the RTP header extensions agreed on; 0 means not agreed (RFC 8285)."""

    mid: int = 0
    audio_level: int = 0
    transport_cc: int = 0
    rid: int = 0
    repaired_rid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """An m-line on which the peer sends."""

    mid: str
    source: SourceName
    codecs: tuple[Codec, ...]
    extensions: Extensions
    ssrc: int | None = None
    rtx_ssrc: int | None = None
    layers: tuple[str, ...] = ()
    """The restriction ids of simulcast, smallest picture first (RFC 8853); empty without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Downstream:
    """An m-line on which we send: one slot, with the stream numbers we chose for it."""

    mid: str
    source: SourceName
    """What may go into it; a `video` slot carries people, the `screen` slot the screen share."""
    slot: int
    codecs: tuple[Codec, ...]
    extensions: Extensions
    ssrc: int
    rtx_ssrc: int | None
    cname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerDescription:
    """Everything a worker needs to serve a peer."""

    ufrag: str
    """Ours: the part before the colon in the USERNAME of the peer's connectivity checks."""
    password: str
    fingerprint_algorithm: str
    fingerprint: str
    """Of the peer's certificate."""
    dtls_role: DtlsRole
    """Ours."""
    upstreams: tuple[Upstream, ...]
    downstreams: tuple[Downstream, ...]
