"""Peers made of aiortc for tests: they connect over loopback, send a tone and a picture, and count what
they get.
"""

from __future__ import annotations

import array
import asyncio
import fractions
import math
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack
from aiortc.rtcconfiguration import RTCBundlePolicy
from av import AudioFrame, VideoFrame

from media.plane import MediaPlane
from tests.media.network import Network

SLOTS = 5


def with_loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:  # noqa: FBT001 - aioice's signature
    """In place of aioice's list of local addresses, which leaves 127.0.0.1 out: it may be all there is."""
    return ["127.0.0.1"] if use_ipv4 or use_ipv6 else []


def repeat_candidates(answer: str) -> str:
    """aiortc takes the candidates of the last bundled section; browsers those of the first, where they
    belong.
    """
    candidates = re.findall(r"a=(?:candidate|end-of-candidates).*\r\n", answer)
    return (
        answer
        if not candidates
        else answer.replace("".join(candidates), "").replace(
            "a=rtcp-mux\r\n", "".join(candidates) + "a=rtcp-mux\r\n"
        )
    )


class Picture(VideoStreamTrack):
    """A picture of one brightness, 160 x 120."""

    def __init__(self, brightness: int, fps: int) -> None:
        super().__init__()
        self._fps = fps
        self._brightness = brightness
        self._count = 0

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(1 / self._fps)
        frame = VideoFrame(160, 120, "yuv420p")
        for plane, value in zip(frame.planes, (self._brightness, 128, 128), strict=True):
            plane.update(bytes((value,)) * plane.buffer_size)
        frame.pts, frame.time_base = self._count * 90_000 // self._fps, fractions.Fraction(1, 90_000)
        self._count += 1
        return frame


class Tone(AudioStreamTrack):
    """A steady tone in 20 ms frames."""

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self._hertz = hertz
        self._count = 0

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(0.02)
        step = 2 * math.pi * self._hertz / 48_000
        at = range(self._count * 960, (self._count + 1) * 960)
        frame = AudioFrame(format="s16", layout="mono", samples=960)
        frame.planes[0].update(array.array("h", (int(8_000 * math.sin(step * n)) for n in at)).tobytes())
        frame.sample_rate, frame.pts, frame.time_base = (
            48_000,
            self._count * 960,
            fractions.Fraction(1, 48_000),
        )
        self._count += 1
        return frame


def unchanged(sdp: str) -> str:
    """The offer as it is."""
    return sdp


Edit = Callable[[str], str]


class Participant:
    """One aiortc peer with the m-lines of our convention."""

    def __init__(
        self,
        room: str,
        name: str,
        *,
        hertz: float = 440,
        brightness: int = 200,
        slots: int = 2,
        fps: int = 15,
    ) -> None:
        self.room, self.name = room, name
        self._hertz, self._brightness, self._slots, self._fps = hertz, brightness, slots, fps
        self.connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self.audio_frames = [0] * slots
        self.video_frames = [0] * slots
        self.loudness = [0] * slots
        self.brightness = [0] * slots
        self._tasks: list[asyncio.Task[None]] = []
        self._received: list[MediaStreamTrack] = []

    async def connect(
        self, plane: MediaPlane, network: Network | None = None, edit: Edit = unchanged
    ) -> None:
        """Offer, take the answer, wait until connected. `edit` changes the offer on its way."""
        await self.negotiate(plane, network, edit)
        await until(lambda: self.connection.connectionState == "connected", 8)

    async def negotiate(
        self, plane: MediaPlane, network: Network | None = None, edit: Edit = unchanged
    ) -> None:
        """Offer and take the answer."""
        connection = self.connection
        connection.on("track", self._received.append)
        connection.addTransceiver(Tone(self._hertz), direction="sendonly")
        connection.addTransceiver(Picture(self._brightness, self._fps), direction="sendonly")
        for _ in range(self._slots):
            connection.addTransceiver("audio", direction="recvonly")
        for _ in range(self._slots):
            connection.addTransceiver("video", direction="recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        answer = await plane.connect(self.room, self.name, edit(connection.localDescription.sdp))
        if network is not None:
            answer = network.answer(answer)
        await connection.setRemoteDescription(RTCSessionDescription(repeat_candidates(answer), "answer"))
        for kind in ("audio", "video"):
            for slot, track in enumerate(t for t in self._received if t.kind == kind):
                self._tasks.append(asyncio.create_task(self._count(track, slot)))

    async def _count(self, track: MediaStreamTrack, slot: int) -> None:
        while True:
            frame = await track.recv()
            if isinstance(frame, VideoFrame):
                self.video_frames[slot] += 1
                self.brightness[slot] = bytes(frame.planes[0])[frame.planes[0].line_size * 60 + 80]
            elif isinstance(frame, AudioFrame):
                self.audio_frames[slot] += 1
                self.loudness[slot] = max(array.array("h", bytes(frame.planes[0])))

    async def close(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.connection.close()


async def until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until the condition holds; fails the test when it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition is about another process
            await asyncio.sleep(0.02)


@asynccontextmanager
async def participants(*people: Participant) -> AsyncIterator[None]:
    """Hang up at the end, whatever happened."""
    try:
        yield
    finally:
        await asyncio.gather(*(person.close() for person in people))
