"""How long a page heard or saw nothing of somebody, from what it played: across every rebuilt connection."""

from dataclasses import dataclass

from tests.e2e.kit.tab import Tab

EVERY_MS = 20
GAP_MS_MIN = 60  # shorter than three packets is what a jitter buffer does anyway

WATCH = """([roles, every, least]) => {
  const watched = window.kit.gaps = {};
  for (const role of roles) {
    const now = performance.now();
    const fresh = () => ({ last: now, stamp: null, gaps: [] });
    watched[role] = { audio: fresh(), video: fresh() };
  }
  const note = (state, stamp) => {
    if (stamp === undefined || stamp === null || stamp === state.stamp) return;
    // Another element or connection counts from the start again: nothing has been played for that.
    if (state.stamp !== null && stamp < state.stamp) return void (state.stamp = stamp);
    const now = performance.now();
    if (now - state.last > least) state.gaps.push([state.last, now]);
    state.stamp = stamp;
    state.last = now;
  };
  setInterval(() => {
    for (const role of roles) {
      const tile = `#screen [data-role="${role}"]:not(.tile-self)`;
      const track = document.querySelector(`${tile} audio`)?.srcObject?.getAudioTracks()[0];
      const receiver = window.meridianMedia?.getReceivers().find((one) => one.track === track);
      note(watched[role].audio, receiver?.getSynchronizationSources()[0]?.timestamp);
      const video = document.querySelector(`${tile} video`);
      note(watched[role].video, video?.getVideoPlaybackQuality().totalVideoFrames);
    }
  }, every);
}"""
MARK = """() => {
  for (const states of Object.values(window.kit.gaps))
    for (const state of Object.values(states)) state.gaps.length = 0;
  return performance.now();
}"""
READ = """([since]) => {
  const now = performance.now(), read = {};
  for (const [role, states] of Object.entries(window.kit.gaps))
    for (const [kind, state] of Object.entries(states)) {
      const gaps = [...state.gaps, [state.last, now]].map(([from, to]) => [Math.max(from, since), to]);
      const [from, to] = gaps.reduce((a, b) => (b[1] - b[0] > a[1] - a[0] ? b : a));
      read[`${role} ${kind}`] = { longest: to - from, back: state.last - since, now: now - state.last };
    }
  return read;
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Of one person's sound or picture since the mark: the longest silence, and the one that lasts still."""

    longest_s: float
    still_s: float


class GapWatch:
    """Watches what one page plays of these roles."""

    def __init__(self, tab: Tab, *roles: str) -> None:
        self._tab = tab
        self._roles = roles
        self._since = 0.0

    async def begin(self) -> None:
        await self._tab.evaluate(WATCH, [list(self._roles), EVERY_MS, GAP_MS_MIN])
        await self.mark()

    async def mark(self) -> None:
        """From now on."""
        self._since = float(await self._tab.evaluate(MARK))

    async def read(self) -> dict[str, Gap]:
        """By `role audio` and `role video`."""
        found = await self._tab.evaluate(READ, [self._since])
        return {
            name: Gap(longest_s=one["longest"] / 1000, still_s=one["now"] / 1000)
            for name, one in found.items()
        }
