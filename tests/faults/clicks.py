"""Clicks in what a page plays of somebody: jumps between two samples that the sound itself does not have.

Decoded samples are read, and taken down by the volume the page plays them at.
"""

from dataclasses import dataclass

from tests.e2e.kit.tab import Tab

WATCH = """(role) => {
  const blocks = window.kit.blocks = [];
  const audio = () => document.querySelector(`#screen [data-role="${role}"]:not(.tile-self) audio`);
  const volume = () => audio()?.volume ?? 0;
  const read = async (track) => {
    const frames = new MediaStreamTrackProcessor({ track, maxBufferSize: 500 }).readable.getReader();
    let last = 0;
    for (;;) {
      const { value: data, done } = await frames.read();
      if (done) break;
      const samples = new Float32Array(data.numberOfFrames);
      data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      data.close();
      let jump = 0, peak = 0;
      for (const sample of samples) {
        jump = Math.max(jump, Math.abs(sample - last));
        peak = Math.max(peak, Math.abs(sample));
        last = sample;
      }
      blocks.push({ jump: jump * volume(), peak });
    }
    blocks.push({ jump: Math.abs(last), peak: 0 });  // it stopped where it was
  };
  let known = null;
  setInterval(() => {
    const track = audio()?.srcObject?.getAudioTracks()[0] ?? null;
    if (track === known) return;
    known = track;
    if (track) void read(track);
  }, 10);
}"""
READ = "() => window.kit.blocks.splice(0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The largest jump between two samples, and the loudest sample; of 1."""

    jump: float
    peak: float
    blocks: int


async def listen(tab: Tab, role: str) -> None:
    """From now on, to what this page plays of `role`, over every connection."""
    await tab.evaluate(WATCH, role)


async def heard_since(tab: Tab) -> Heard:
    """Since the last time this was asked."""
    blocks = await tab.evaluate(READ)
    return Heard(
        jump=max((one["jump"] for one in blocks), default=0.0),
        peak=max((one["peak"] for one in blocks), default=0.0),
        blocks=len(blocks),
    )
