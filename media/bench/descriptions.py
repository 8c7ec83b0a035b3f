"""The SDP of the load participants: offers what is measured, answers what Janus offers to a subscriber."""

from __future__ import annotations

from media.bench.client import AUDIO_TYPE, VIDEO_TYPE, LoadPeer, Remote

_CODECS = {
    "audio": (AUDIO_TYPE, "opus/48000/2", ()),
    "video": (VIDEO_TYPE, "VP8/90000", ("nack", "nack pli")),
}


def offer(peer: LoadPeer, address: str, fingerprint: str, receive: tuple[str, ...] = ()) -> str:
    """Microphone and camera up, and these kinds down."""
    wanted = [("audio", "sendonly"), ("video", "sendonly"), *((kind, "recvonly") for kind in receive)]
    sections = []
    for mid, (kind, direction) in enumerate(wanted):
        payload_type, encoding, feedback = _CODECS[kind]
        lines = [f"m={kind} {peer.port} UDP/TLS/RTP/SAVPF {payload_type}", f"a=mid:{mid}", f"a={direction}"]
        lines += [
            f"a=rtpmap:{payload_type} {encoding}",
            *(f"a=rtcp-fb:{payload_type} {fb}" for fb in feedback),
        ]
        if direction == "sendonly":
            ssrc = peer.audio_ssrc if kind == "audio" else peer.video_ssrc
            lines += [f"a=ssrc:{ssrc} cname:load", f"a=msid:load {kind}"]
        sections.append([lines[0], *_transport(peer, address, fingerprint, "actpass"), *lines[1:]])
    return _whole([str(mid) for mid in range(len(wanted))], sections)


def answer(text: str, peer: LoadPeer, address: str, fingerprint: str) -> str:
    """Take everything that is offered."""
    sections = []
    mids = []
    for section in text.split("m=")[1:]:
        rows = section.split("\r\n")
        kind, _, protocol, payload_type = rows[0].split()[:4]
        mid = _value(rows, "a=mid:")
        mids.append(mid)
        encoding = next(row for row in rows if row.startswith(f"a=rtpmap:{payload_type} "))
        lines = [f"m={kind} {peer.port} {protocol} {payload_type}", f"a=mid:{mid}", "a=recvonly", encoding]
        sections.append([lines[0], *_transport(peer, address, fingerprint, "active"), *lines[1:]])
    return _whole(mids, sections)


def remote(text: str, *, answered: bool) -> Remote:
    """The other side's transport. `answered`: the text is an answer, whose a=setup is final."""
    rows = text.split("\r\n")
    candidates = [row.split() for row in rows if row.startswith("a=candidate:")]
    candidate = next(c for c in candidates if c[1] == "1" and c[2].lower() == "udp" and ":" not in c[4])
    return Remote(
        ufrag=_value(rows, "a=ice-ufrag:"),
        password=_value(rows, "a=ice-pwd:"),
        fingerprint=_value(rows, "a=fingerprint:sha-256 "),
        address=candidate[4],
        port=int(candidate[5]),
        we_offered=answered,
        our_role="server" if answered and _value(rows, "a=setup:") == "active" else "client",
    )


def _value(rows: list[str], name: str) -> str:
    return next(row.removeprefix(name) for row in rows if row.startswith(name))


def _transport(peer: LoadPeer, address: str, fingerprint: str, setup: str) -> list[str]:
    return [
        f"c=IN IP4 {address}",
        f"a=ice-ufrag:{peer.ufrag}",
        f"a=ice-pwd:{peer.password}",
        f"a=fingerprint:sha-256 {fingerprint}",
        f"a=setup:{setup}",
        "a=rtcp-mux",
        f"a=candidate:1 1 udp 2130706431 {address} {peer.port} typ host",
        "a=end-of-candidates",
    ]


def _whole(mids: list[str], sections: list[list[str]]) -> str:
    head = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE " + " ".join(mids)]
    return "\r\n".join(head + [line for lines in sections for line in lines]) + "\r\n"
