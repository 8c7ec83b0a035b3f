"""Offers of real browsers, and pieces to build others from."""

from pathlib import Path

from media.answer import Credentials, Endpoint

CHROMIUM = (Path(__file__).parent / "offers" / "chromium.sdp").read_bytes().decode()
"""Chromium 156 with the m-lines of our convention."""
FIREFOX = (Path(__file__).parent / "offers" / "firefox.sdp").read_bytes().decode()
"""Firefox 153: one audio and one video up with two simulcast layers, one slot of each kind."""

ENDPOINT = Endpoint(addresses=("192.0.2.10", "2001:db8::10"), port=7_900, fingerprint="AB:" * 31 + "AB")
CREDENTIALS = Credentials(
    ufrag="ourufrag", password="ourpassword" * 2, session=42, ssrcs=tuple(range(1_001, 1_101, 2))
)

_FINGERPRINT = ":".join(f"{n:02X}" for n in range(32))


def audio(mid: str, direction: str = "sendonly") -> str:
    """An audio m-line."""
    return _section("audio", mid, direction, "111", ("rtpmap:111 opus/48000/2", "rtcp-fb:111 transport-cc"))


def video(mid: str, direction: str = "sendonly", codec: str = "VP8/90000") -> str:
    """A video m-line with one codec and its retransmissions."""
    lines = (
        f"rtpmap:96 {codec}",
        "rtcp-fb:96 nack",
        "rtcp-fb:96 nack pli",
        "rtpmap:97 rtx/90000",
        "fmtp:97 apt=96",
    )
    return _section("video", mid, direction, "96 97", lines)


def data(mid: str) -> str:
    """A data channel m-line."""
    return (
        f"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\n"
        f"a=sctp-port:5000\r\na=setup:actpass\r\n"
    )


def offer(*sections: str, bundle: bool = True, transport: bool = True) -> str:
    """A whole offer; `transport` writes ICE and fingerprint once, for the session."""
    mids = [line[6:] for section in sections for line in section.split("\r\n") if line.startswith("a=mid:")]
    lines = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    if bundle:
        lines.append("a=group:BUNDLE " + " ".join(mids))
    if transport:
        lines += ["a=ice-ufrag:abcd", "a=ice-pwd:" + "x" * 24, f"a=fingerprint:sha-256 {_FINGERPRINT}"]
    return "\r\n".join(lines) + "\r\n" + "".join(sections)


def _section(kind: str, mid: str, direction: str, formats: str, lines: tuple[str, ...]) -> str:
    rows = [f"m={kind} 9 UDP/TLS/RTP/SAVPF {formats}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}", f"a={direction}"]
    rows += ["a=setup:actpass", "a=rtcp-mux", *(f"a={line}" for line in lines)]
    return "\r\n".join(rows) + "\r\n"
