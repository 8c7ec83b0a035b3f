/** A stream that begins in the middle of a sound begins with a click, unless it is faded in. */

const FADE_MS = 80;
const STEP_MS = 10;
/** Not every browser says when the first packet is there; nobody stays silent for that. */
const BEGINS_WITHIN_MS = 400;

/** Fade in what `audio` has just been given, from its first packet on. (iOS lets no page set the volume.) */
export function fadeIn(audio: HTMLMediaElement, track: MediaStreamTrack): void {
  const stream = audio.srcObject;
  // The timers of a page nobody looks at run once a second.
  if (document.hidden) {
    audio.volume = 1;
    return;
  }
  audio.volume = 0;
  let began = 0;
  const step = (): void => {
    if (audio.srcObject !== stream) return;
    audio.volume = document.hidden ? 1 : Math.min(1, (performance.now() - began) / FADE_MS);
    if (audio.volume < 1) window.setTimeout(step, STEP_MS);
  };
  const begin = (): void => {
    if (began) return;
    began = performance.now();
    step();
  };
  track.addEventListener("unmute", begin, { once: true });
  window.setTimeout(begin, track.muted ? BEGINS_WITHIN_MS : 0);
}
