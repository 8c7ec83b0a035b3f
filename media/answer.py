"""Writes the answer to an offer, and the description of the peer that goes to the worker.

Pure: randomness is passed in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from media.description import Codec, CodecName, Downstream, DtlsRole, Extensions, PeerDescription, Upstream
from media.interface import SLOTS_PER_KIND, SourceName
from media.sdp import BadSdp, Format, Offer, Section

MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
RID_URI = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID_URI = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
TRANSPORT_CC_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

_OPUS_PARAMETERS = "minptime=10;useinbandfec=1"
_H264_PARAMETERS = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
_CANDIDATE_PRIORITY = 2_130_706_431
LAYERS = 2
"""What we take of simulcast: a small picture and the whole one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a worker can be reached, and its certificate."""

    addresses: tuple[str, ...]
    """Best first."""
    port: int
    fingerprint: str
    """sha-256, upper case hex with colons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What is drawn at random for one peer. `ssrcs` must not run dry: two for each downstream section."""

    ufrag: str
    password: str
    session: int
    ssrcs: tuple[int, ...]


NO_EXTENSIONS = Extensions()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What becomes of one section of the offer."""

    section: Section
    codecs: tuple[Codec, ...] = ()
    extensions: Extensions = NO_EXTENSIONS
    direction: Literal["recvonly", "sendonly", "inactive"] = "inactive"
    source: SourceName | None = None
    slot: int = 0
    ssrc: int = 0
    rtx_ssrc: int | None = None
    layers: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        return bool(self.codecs)


def answer_offer(
    offer: Offer, endpoint: Endpoint, credentials: Credentials, *, passive: bool = False
) -> tuple[str, PeerDescription]:
    """Answer every m-line; those we have no use or no codec for are inactive or rejected.

    `passive` lets the browser be the DTLS client: the second try for one that failed with us as the client.
    """
    plans = _plans(offer, credentials)
    role = _role(offer, passive=passive)
    text = _write(offer, plans, endpoint, credentials, role)
    return text, _describe(offer, plans, credentials, role)


def _role(offer: Offer, *, passive: bool) -> DtlsRole:
    if offer.setup == "active" or (passive and offer.setup == "actpass"):
        return "server"
    return "client"


def _plans(offer: Offer, credentials: Credentials) -> list[_Plan]:
    ssrcs = iter(credentials.ssrcs)
    counts = {"audio up": 0, "video up": 0, "audio down": 0, "video down": 0}
    transport: Section | None = None
    plans = []
    for section in offer.sections:
        codecs = choose_codecs(section)
        if transport is None and codecs:
            transport = section
        in_transport = section is transport or (
            transport is not None and section.mid in offer.bundled and transport.mid in offer.bundled
        )
        if not codecs or not in_transport:
            plans.append(_Plan(section=section))
            continue
        if not section.mux:
            raise BadSdp("rtcp_mux", "every m-line needs a=rtcp-mux")
        plans.append(_place(section, codecs, counts, lambda: next(ssrcs)))
    return plans


def _place(
    section: Section, codecs: tuple[Codec, ...], counts: dict[str, int], ssrc: Callable[[], int]
) -> _Plan:
    """Give a section its source or its slot, by its place among the sections of its kind and direction."""
    extensions = Extensions(
        mid=section.extensions.get(MID_URI, 0),
        audio_level=section.extensions.get(AUDIO_LEVEL_URI, 0) if section.kind == "audio" else 0,
        transport_cc=section.extensions.get(TRANSPORT_CC_URI, 0) if _reports_transport(section) else 0,
    )
    if section.direction == "inactive":
        return _Plan(section=section, codecs=codecs, extensions=extensions)
    going_up = section.direction in ("sendonly", "sendrecv")
    key = f"{section.kind} {'up' if going_up else 'down'}"
    n = counts[key]
    counts[key] = n + 1
    source = _source_up(section.kind, n) if going_up else _source_down(section.kind, n)
    if source is None:
        return _Plan(section=section, codecs=codecs, extensions=extensions)
    if going_up:
        layers = section.rids if source == "video" and _has_layers(section) else ()
        if layers:
            extensions = replace(
                extensions,
                rid=section.extensions[RID_URI],
                repaired_rid=section.extensions.get(REPAIRED_RID_URI, 0),
            )
        return _Plan(
            section=section,
            codecs=codecs,
            extensions=extensions,
            direction="recvonly",
            source=source,
            layers=layers,
        )
    has_rtx = any(codec.rtx_payload_type is not None for codec in codecs)
    return _Plan(
        section=section,
        codecs=codecs,
        extensions=extensions,
        direction="sendonly",
        source=source,
        slot=n if source != "screen" else 0,
        ssrc=ssrc(),
        rtx_ssrc=ssrc() if has_rtx else None,
    )


def _has_layers(section: Section) -> bool:
    """Whether its layers can be told apart, and are as many as we know what to do with."""
    return len(section.rids) == LAYERS and RID_URI in section.extensions and MID_URI in section.extensions


def _reports_transport(section: Section) -> bool:
    return any("transport-cc" in f.feedback for f in section.formats)


def _source_up(kind: str, n: int) -> SourceName | None:
    if kind == "audio":
        return "audio" if n == 0 else None
    return ("video", "screen")[n] if n < 2 else None


def _source_down(kind: str, n: int) -> SourceName | None:
    if n < SLOTS_PER_KIND:
        return "audio" if kind == "audio" else "video"
    return "screen" if kind == "video" and n == SLOTS_PER_KIND else None


def choose_codecs(section: Section) -> tuple[Codec, ...]:
    """What we take of a section: Opus; VP8 first, because every browser has it, then H.264 baseline."""
    if section.kind == "audio":
        opus = _find(section, "opus", "opus/48000/2")
        return (opus,) if opus else ()
    if section.kind == "video":
        found = (_find(section, "vp8", "vp8/90000"), _find(section, "h264", "h264/90000"))
        return tuple(codec for codec in found if codec)
    return ()


def _find(section: Section, name: CodecName, encoding: str) -> Codec | None:
    candidates = [
        f for f in section.formats if f.encoding == encoding and (name != "h264" or _is_baseline(f))
    ]
    if not candidates:
        return None
    chosen = candidates[0]
    wanted = {"apt": str(chosen.payload_type)}
    rtx = next(
        (
            f
            for f in section.formats
            if f.encoding.startswith("rtx/") and f.parameters.get("apt") == wanted["apt"]
        ),
        None,
    )
    return Codec(
        name=name,
        payload_type=chosen.payload_type,
        rtx_payload_type=rtx.payload_type if rtx else None,
        nack="nack" in chosen.feedback and rtx is not None,
        pli="nack pli" in chosen.feedback,
    )


def _is_baseline(candidate: Format) -> bool:
    profile = candidate.parameters.get("profile-level-id", "").lower()
    return candidate.parameters.get("packetization-mode") == "1" and profile.startswith("42e0")


def _write(
    offer: Offer, plans: list[_Plan], endpoint: Endpoint, credentials: Credentials, role: DtlsRole
) -> str:
    accepted = [plan for plan in plans if plan.accepted]
    lines = ["v=0", f"o=- {credentials.session} 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite"]
    if offer.mixed_extensions:
        lines.append("a=extmap-allow-mixed")
    if offer.bundled and accepted:
        lines.append("a=group:BUNDLE " + " ".join(plan.section.mid for plan in accepted))
    lines.append("a=msid-semantic: WMS *")
    for plan in plans:
        if plan.accepted:
            lines += _accepted(plan, endpoint, credentials, role, carries_candidates=plan is accepted[0])
        else:
            lines += _rejected(plan.section)
    return "\r\n".join(lines) + "\r\n"


def _rejected(section: Section) -> list[str]:
    protocol = "UDP/TLS/RTP/SAVPF" if section.kind in ("audio", "video") else "UDP/DTLS/SCTP"
    return [
        f"m={section.kind} 0 {protocol} {section.first_format}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{section.mid}",
        "a=inactive",
    ]


def _accepted(
    plan: _Plan, endpoint: Endpoint, credentials: Credentials, role: DtlsRole, *, carries_candidates: bool
) -> list[str]:
    payload_types = " ".join(str(pt) for pt in _payload_types(plan.codecs))
    port = endpoint.port if carries_candidates else 9
    lines = [f"m={plan.section.kind} {port} UDP/TLS/RTP/SAVPF {payload_types}"]
    lines.append(
        _connection(endpoint.addresses[0])
        if carries_candidates and endpoint.addresses
        else "c=IN IP4 0.0.0.0"
    )
    lines.append(f"a=mid:{plan.section.mid}")
    # In every section, although they are bundled: Firefox 153 crashes the tab when they are only in the
    # first.
    lines += [
        f"a=ice-ufrag:{credentials.ufrag}",
        f"a=ice-pwd:{credentials.password}",
        f"a=fingerprint:sha-256 {endpoint.fingerprint}",
        "a=setup:" + ("active" if role == "client" else "passive"),
    ]
    if carries_candidates:
        lines += _candidates(endpoint)
    lines += ["a=rtcp-mux", "a=rtcp-rsize"]
    lines += _extension_lines(plan.extensions)
    for codec in plan.codecs:
        lines += _codec_lines(codec, transport_cc=bool(plan.extensions.transport_cc))
    lines.append(f"a={plan.direction}")
    if plan.layers:
        lines += [f"a=rid:{layer} recv" for layer in plan.layers]
        lines.append(f"a=simulcast:recv {';'.join(plan.layers)}")
    if plan.direction == "sendonly":
        lines += _stream_lines(plan)
    return lines


def _connection(address: str) -> str:
    return f"c=IN IP{6 if ':' in address else 4} {address}"


def _candidates(endpoint: Endpoint) -> list[str]:
    lines = [
        f"a=candidate:{n + 1} 1 udp {_CANDIDATE_PRIORITY - 256 * n} {address} {endpoint.port} typ host"
        for n, address in enumerate(endpoint.addresses)
    ]
    return [*lines, "a=end-of-candidates"]


def _extension_lines(extensions: Extensions) -> list[str]:
    pairs = (
        (extensions.mid, MID_URI),
        (extensions.audio_level, AUDIO_LEVEL_URI),
        (extensions.transport_cc, TRANSPORT_CC_URI),
        (extensions.rid, RID_URI),
        (extensions.repaired_rid, REPAIRED_RID_URI),
    )
    return [f"a=extmap:{identifier} {uri}" for identifier, uri in pairs if identifier]


def _payload_types(codecs: tuple[Codec, ...]) -> list[int]:
    types = []
    for codec in codecs:
        types.append(codec.payload_type)
        if codec.rtx_payload_type is not None:
            types.append(codec.rtx_payload_type)
    return types


def _codec_lines(codec: Codec, *, transport_cc: bool) -> list[str]:
    pt = codec.payload_type
    encoding = {"opus": "opus/48000/2", "vp8": "VP8/90000", "h264": "H264/90000"}[codec.name]
    lines = [f"a=rtpmap:{pt} {encoding}"]
    if codec.name == "opus":
        lines.append(f"a=fmtp:{pt} {_OPUS_PARAMETERS}")
    if codec.name == "h264":
        lines.append(f"a=fmtp:{pt} {_H264_PARAMETERS}")
    if transport_cc:
        lines.append(f"a=rtcp-fb:{pt} transport-cc")
    if codec.nack:
        lines.append(f"a=rtcp-fb:{pt} nack")
    if codec.pli:
        lines.append(f"a=rtcp-fb:{pt} nack pli")
    if codec.rtx_payload_type is not None:
        lines += [f"a=rtpmap:{codec.rtx_payload_type} rtx/90000", f"a=fmtp:{codec.rtx_payload_type} apt={pt}"]
    return lines


def _cname(plan: _Plan) -> str:
    return "screen" if plan.source == "screen" else f"slot{plan.slot}"


def _stream_lines(plan: _Plan) -> list[str]:
    """Audio and video of a slot share the stream id and CNAME, so that browsers keep lips and voice
    together.
    """
    cname = _cname(plan)
    lines = [f"a=msid:{cname} {cname}-{plan.section.kind}"]
    if plan.rtx_ssrc is not None:
        lines.append(f"a=ssrc-group:FID {plan.ssrc} {plan.rtx_ssrc}")
    lines.append(f"a=ssrc:{plan.ssrc} cname:{cname}")
    if plan.rtx_ssrc is not None:
        lines.append(f"a=ssrc:{plan.rtx_ssrc} cname:{cname}")
    return lines


def _describe(offer: Offer, plans: list[_Plan], credentials: Credentials, role: DtlsRole) -> PeerDescription:
    upstreams = tuple(
        _upstream(plan, plan.source) for plan in plans if plan.source and plan.direction == "recvonly"
    )
    downstreams = tuple(
        Downstream(
            mid=plan.section.mid,
            source=plan.source,
            slot=plan.slot,
            codecs=plan.codecs,
            extensions=plan.extensions,
            ssrc=plan.ssrc,
            rtx_ssrc=plan.rtx_ssrc,
            cname=_cname(plan),
        )
        for plan in plans
        if plan.source and plan.direction == "sendonly"
    )
    return PeerDescription(
        ufrag=credentials.ufrag,
        password=credentials.password,
        fingerprint_algorithm=offer.fingerprint_algorithm,
        fingerprint=offer.fingerprint,
        dtls_role=role,
        upstreams=upstreams,
        downstreams=downstreams,
    )


def _upstream(plan: _Plan, source: SourceName) -> Upstream:
    section = plan.section
    repairs = set(section.rtx_of.values())
    primary = next((ssrc for ssrc in section.ssrcs if ssrc not in repairs), None)
    return Upstream(
        mid=section.mid,
        source=source,
        codecs=plan.codecs,
        extensions=plan.extensions,
        ssrc=primary,
        rtx_ssrc=section.rtx_of.get(primary) if primary is not None else None,
        layers=plan.layers,
    )
