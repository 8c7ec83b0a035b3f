"""Reads a browser's offer (RFC 8866, RFC 8829) into typed sections.

Pure; every malformed input is a `BadSdp`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

OFFER_BYTES_MAX = 64 * 1024
SECTIONS_MAX = 24
LINES_MAX = 4_000
SSRC_LINES_MAX = 64
"""Per section; a browser writes at most a dozen."""

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
Setup = Literal["actpass", "active", "passive"]

_MID = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,16}\Z")
_ICE = re.compile(r"[A-Za-z0-9+/]+\Z")
_FINGERPRINT = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2})+\Z")
_DIGEST_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_PROTOCOLS = ("UDP/TLS/RTP/SAVPF", "UDP/DTLS/SCTP", "DTLS/SCTP")


class BadSdp(Exception):  # noqa: N818 - a name of its own
    """The offer cannot be answered.

    `code` is stable; `hint` says what to change and quotes nothing of the offer.
    """

    def __init__(self, code: str, hint: str) -> None:
        super().__init__(f"{code}: {hint}")
        self.code = code
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One payload type of a section."""

    payload_type: int
    encoding: str
    """Lower case, with the clock rate: `vp8/90000`."""
    parameters: dict[str, str]
    feedback: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One m-line."""

    index: int
    kind: str
    mid: str
    direction: Direction
    first_format: str
    """Repeated when the section is rejected: an m-line must list at least one format."""
    formats: tuple[Format, ...]
    extensions: dict[str, int]
    """URI -> id."""
    rids: tuple[str, ...]
    ssrcs: tuple[int, ...]
    rtx_of: dict[int, int]
    """SSRC -> SSRC of its retransmissions."""
    mux: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A whole offer; transport values are those of the section that carries the bundle."""

    sections: tuple[Section, ...]
    bundled: frozenset[str]
    """The mids of the first bundle group; empty when nothing is bundled."""
    fingerprint_algorithm: str
    fingerprint: str
    setup: Setup
    mixed_extensions: bool


@dataclass(slots=True)
class _Lines:
    """The attribute lines of the session or of one section: name -> values in order."""

    media: str = ""
    attributes: dict[str, list[str]] = field(default_factory=dict)

    def all(self, name: str) -> list[str]:
        return self.attributes.get(name, [])

    def first(self, name: str) -> str | None:
        values = self.attributes.get(name)
        return values[0] if values else None

    def has(self, name: str) -> bool:
        return name in self.attributes


def parse_offer(text: str) -> Offer:
    """Read an offer of 1 to 24 m-lines. Candidates are ignored: the browser finds us, we never call it."""
    session, media = _split(text)
    sections = tuple(_section(i, lines) for i, lines in enumerate(media))
    mids = [s.mid for s in sections]
    if len(set(mids)) != len(mids):
        raise BadSdp("mid_repeated", "every m-line needs its own a=mid")
    algorithm, fingerprint = _fingerprint(session, media)
    _check_ice(session, media)
    return Offer(
        sections=sections,
        bundled=_bundle(session),
        fingerprint_algorithm=algorithm,
        fingerprint=fingerprint,
        setup=_setup(session, media),
        mixed_extensions=session.has("extmap-allow-mixed") or all(m.has("extmap-allow-mixed") for m in media),
    )


def _split(text: str) -> tuple[_Lines, list[_Lines]]:
    if len(text) > OFFER_BYTES_MAX or len(text.encode("utf-8", "replace")) > OFFER_BYTES_MAX:
        raise BadSdp("sdp_too_long", f"an offer may have {OFFER_BYTES_MAX} bytes")
    rows = text.replace("\r\n", "\n").split("\n")
    if len(rows) > LINES_MAX:
        raise BadSdp("sdp_too_long", f"an offer may have {LINES_MAX} lines")
    if rows[0] != "v=0":
        raise BadSdp("not_sdp", "an offer begins with v=0")
    session = _Lines()
    media: list[_Lines] = []
    current = session
    for row in rows[1:]:
        if row.startswith("m="):
            current = _Lines(media=row[2:])
            media.append(current)
            if len(media) > SECTIONS_MAX:
                raise BadSdp("too_many_sections", f"an offer may have {SECTIONS_MAX} m-lines")
        elif row.startswith("a="):
            name, _, value = row[2:].partition(":")
            current.attributes.setdefault(name, []).append(value)
        elif row and row[1:2] != "=":
            raise BadSdp("not_sdp", "every line is a letter, an equals sign and a value")
    if not media:
        raise BadSdp("no_sections", "an offer needs at least one m-line")
    return session, media


def _section(index: int, lines: _Lines) -> Section:
    words = lines.media.split()
    if len(words) < 4 or words[2] not in _PROTOCOLS:
        raise BadSdp("media_line", "an m-line is: kind, port, UDP/TLS/RTP/SAVPF, formats")
    kind, port, protocol, *names = words
    number(port.partition("/")[0], 0, 65_535, "port")
    if not re.fullmatch(r"[a-z]{1,16}", kind) or not re.fullmatch(r"[A-Za-z0-9-]{1,32}", names[0]):
        raise BadSdp("media_line", "kind and formats are plain words")
    mid = lines.first("mid")
    if mid is None or not _MID.match(mid):
        raise BadSdp("mid", "every m-line needs an a=mid of 1 to 16 characters")
    is_rtp = protocol == "UDP/TLS/RTP/SAVPF" and kind in ("audio", "video")
    return Section(
        index=index,
        kind=kind,
        mid=mid,
        direction=_direction(lines),
        first_format=names[0],
        formats=_formats(lines, names) if is_rtp else (),
        extensions=_extensions(lines) if is_rtp else {},
        rids=tuple(value.split(" ")[0] for value in lines.all("rid")[:SSRC_LINES_MAX]),
        ssrcs=_ssrcs(lines),
        rtx_of=_rtx_pairs(lines),
        mux=lines.has("rtcp-mux"),
    )


def number(text: str, low: int, high: int, what: str) -> int:
    """A decimal number within bounds, or `BadSdp`."""
    if not text.isascii() or not text.isdigit() or len(text) > 10 or not low <= int(text) <= high:
        raise BadSdp("number", f"{what} is a number from {low} to {high}")
    return int(text)


def _direction(lines: _Lines) -> Direction:
    directions: tuple[Direction, ...] = ("sendonly", "recvonly", "inactive", "sendrecv")
    return next((d for d in directions if lines.has(d)), "sendrecv")


def _formats(lines: _Lines, names: list[str]) -> tuple[Format, ...]:
    encodings: dict[str, str] = {}
    for value in lines.all("rtpmap"):
        name, _, encoding = value.partition(" ")
        encodings.setdefault(name, encoding.strip().lower())
    parameters: dict[str, dict[str, str]] = {}
    for value in lines.all("fmtp"):
        name, _, rest = value.partition(" ")
        parameters.setdefault(name, _parameters(rest))
    feedback: dict[str, set[str]] = {}
    for value in lines.all("rtcp-fb"):
        name, _, rest = value.partition(" ")
        feedback.setdefault(name, set()).add(rest.strip())
    everywhere = feedback.get("*", set())
    return tuple(
        Format(
            payload_type=number(name, 0, 127, "payload type"),
            encoding=encodings.get(name, ""),
            parameters=parameters.get(name, {}),
            feedback=frozenset(feedback.get(name, set()) | everywhere),
        )
        for name in dict.fromkeys(names)
    )


def _parameters(text: str) -> dict[str, str]:
    pairs = (item.strip().partition("=") for item in text.split(";"))
    return {name.lower(): value for name, _, value in pairs if name}


def _extensions(lines: _Lines) -> dict[str, int]:
    found: dict[str, int] = {}
    for value in lines.all("extmap"):
        left, _, right = value.partition(" ")
        identifier = number(left.partition("/")[0], 1, 4_095 + 256, "extension id")
        uri = right.partition(" ")[0]
        if identifier <= 14:  # ids above need the two-byte form, which we never have to use
            found.setdefault(uri, identifier)
    return found


def _ssrcs(lines: _Lines) -> tuple[int, ...]:
    values = lines.all("ssrc")[: SSRC_LINES_MAX * 4]
    found = dict.fromkeys(number(v.partition(" ")[0], 0, 0xFFFFFFFF, "ssrc") for v in values)
    return tuple(found)[:SSRC_LINES_MAX]


def _rtx_pairs(lines: _Lines) -> dict[int, int]:
    pairs: dict[int, int] = {}
    for value in lines.all("ssrc-group")[:SSRC_LINES_MAX]:
        words = value.split()
        if len(words) == 3 and words[0] == "FID":
            pairs[number(words[1], 0, 0xFFFFFFFF, "ssrc")] = number(words[2], 0, 0xFFFFFFFF, "ssrc")
    return pairs


def _bundle(session: _Lines) -> frozenset[str]:
    for value in session.all("group"):
        words = value.split()
        if words and words[0] == "BUNDLE":
            return frozenset(words[1:])
    return frozenset()


def _everywhere(session: _Lines, media: list[_Lines], name: str) -> str | None:
    """A transport attribute: in the first section that has it, else of the session."""
    values = (lines.first(name) for lines in media)
    return next((value for value in values if value is not None), session.first(name))


def _fingerprint(session: _Lines, media: list[_Lines]) -> tuple[str, str]:
    value = _everywhere(session, media, "fingerprint")
    algorithm, _, digest = (value or "").strip().partition(" ")
    algorithm, digest = algorithm.lower(), digest.strip().upper()
    length = _DIGEST_BYTES.get(algorithm)
    if length is None or not _FINGERPRINT.match(digest) or len(digest) != length * 3 - 1:
        raise BadSdp("fingerprint", "an offer needs a=fingerprint with sha-256, sha-384 or sha-512")
    return algorithm, digest


def _check_ice(session: _Lines, media: list[_Lines]) -> None:
    ufrag = _everywhere(session, media, "ice-ufrag") or ""
    password = _everywhere(session, media, "ice-pwd") or ""
    if not (
        4 <= len(ufrag) <= 256 and 22 <= len(password) <= 256 and _ICE.match(ufrag) and _ICE.match(password)
    ):
        raise BadSdp("ice", "an offer needs a=ice-ufrag and a=ice-pwd (RFC 8839)")


def _setup(session: _Lines, media: list[_Lines]) -> Setup:
    value = _everywhere(session, media, "setup") or "actpass"
    setups: tuple[Setup, ...] = ("actpass", "active", "passive")
    for known in setups:
        if value == known:
            return known
    raise BadSdp("setup", "a=setup is actpass, active or passive in an offer")
