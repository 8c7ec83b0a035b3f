"""Looks into a page: the colour of a picture, the tones of a voice, what its connections carried."""

import asyncio
from dataclasses import dataclass, fields

from tests.e2e.kit.people import EVERYONE, Person
from tests.e2e.kit.tab import Tab, eventually

COLOUR_TOLERANCE = 60
TONE_TOLERANCE_HZ = 12
TONE_DB_MIN = -70

CENTRE = """(selector) => {
  const video = document.querySelector(selector);
  if (!video || !video.videoWidth) return null;
  const canvas = document.createElement('canvas');
  canvas.width = 64; canvas.height = 36;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(video, 0, 0, 64, 36);
  return [...context.getImageData(32, 18, 1, 1).data].slice(0, 3);
}"""

# The analyser is kept per track: making one for each look would leave hundreds behind. It needs 8192 samples
# (170 ms) before it says anything, so the caller asks more than once.
PEAKS = """([selector, least]) => {
  const element = document.querySelector(selector);
  const track = element?.srcObject?.getAudioTracks()[0];
  if (!track) return null;
  const audio = kit.audio ??= new AudioContext();
  audio.resume();
  let analyser = kit.analysers.get(track);
  if (!analyser) {
    analyser = audio.createAnalyser();
    analyser.fftSize = 8192;
    analyser.smoothingTimeConstant = 0;
    audio.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    kit.analysers.set(track, analyser);
  }
  const level = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(level);
  const hz = audio.sampleRate / analyser.fftSize, peaks = [];
  for (let i = 2; i < level.length - 2; i++)
    if (level[i] > Math.max(least, level[i - 1]) && level[i] >= level[i + 1]) peaks.push([i * hz, level[i]]);
  return peaks.sort((a, b) => b[1] - a[1]).slice(0, 8);
}"""

TRAFFIC = """async () => {
  const names = {
    'outbound-rtp': { packetsSent: 'sent', bytesSent: 'bytes_sent' },
    'inbound-rtp': { packetsReceived: 'received', bytesReceived: 'bytes_received', packetsLost: 'lost',
      framesDecoded: 'frames', freezeCount: 'freezes', concealedSamples: 'concealed' },
  };
  const total = {};
  for (const connection of kit.connections) {
    if (connection.connectionState === 'closed') continue;
    for (const report of (await connection.getStats()).values())
      for (const [from, to] of Object.entries(names[report.type] ?? {}))
        total[`${report.kind}_${to}`] = (total[`${report.kind}_${to}`] ?? 0) + (report[from] ?? 0);
  }
  return total;
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Sums over a page's open connections: packets, bytes, decoded frames, freezes, concealed samples."""

    audio_sent: int = 0
    audio_received: int = 0
    audio_lost: int = 0
    audio_bytes_sent: int = 0
    audio_bytes_received: int = 0
    audio_concealed: int = 0
    video_sent: int = 0
    video_received: int = 0
    video_lost: int = 0
    video_bytes_sent: int = 0
    video_bytes_received: int = 0
    video_frames: int = 0
    video_freezes: int = 0

    def __sub__(self, earlier: "Traffic") -> "Traffic":
        names = (field.name for field in fields(self))
        return Traffic(**{name: getattr(self, name) - getattr(earlier, name) for name in names})

    @property
    def packets(self) -> int:
        return self.audio_sent + self.audio_received + self.video_sent + self.video_received


async def centre_colour(tab: Tab, selector: str) -> tuple[int, int, int] | None:
    """RGB in the middle of the <video> as it is drawn now; None where there is no picture."""
    found = await tab.evaluate(CENTRE, selector)
    return (found[0], found[1], found[2]) if found else None


async def tones(tab: Tab, selector: str) -> list[tuple[float, float]]:
    """(Hz, dB) of the strongest peaks in the <audio> or <video> element's own stream, loudest first."""
    found = await tab.evaluate(PEAKS, [selector, TONE_DB_MIN])
    return [(hz, db) for hz, db in found or []]


def looks_like(colour: tuple[int, int, int] | None, person: Person) -> bool:
    if colour is None:
        return False
    return all(abs(a - b) <= COLOUR_TOLERANCE for a, b in zip(colour, person.colour, strict=True))


def voices(peaks: list[tuple[float, float]]) -> set[str]:
    """Names of the people whose tone is among the peaks."""
    return {
        person.name for person in EVERYONE for hz, _ in peaks if abs(hz - person.tone_hz) <= TONE_TOLERANCE_HZ
    }


async def sees(tab: Tab, selector: str, person: Person, *, within_s: float = 10) -> None:
    """Wait until the <video> shows the person's colour."""
    await eventually(
        lambda: centre_colour(tab, selector),
        lambda colour: looks_like(colour, person),
        within_s=within_s,
        what=f"{selector} shows the {person.name} {person.colour}",
    )


async def hears(tab: Tab, selector: str, person: Person, *, within_s: float = 10) -> None:
    """Wait until the element's stream carries the person's tone and nobody else's."""

    async def heard() -> set[str]:
        return voices(await tones(tab, selector))

    what = f"{selector} carries the {person.name}'s tone alone"
    await eventually(heard, lambda names: names == {person.name}, within_s=within_s, what=what)


async def traffic(tab: Tab) -> Traffic:
    """What all the page's connections have sent and received so far."""
    found = await tab.evaluate(TRAFFIC)
    known = {field.name for field in fields(Traffic)}
    return Traffic(**{name: int(value) for name, value in found.items() if name in known})


async def traffic_during(tab: Tab, seconds: float) -> Traffic:
    """What the page's connections send and receive in the next seconds: the waiting is the measurement."""
    before = await traffic(tab)
    await asyncio.sleep(seconds)
    return await traffic(tab) - before
