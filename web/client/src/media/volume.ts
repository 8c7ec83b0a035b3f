/** How loud one person is played: faded in where their sound begins, turned down while somebody interprets. */

const FADE_MS = 80;
const STEP_MS = 10;
/** Not every browser says when the first packet is there; nobody stays silent for that. */
const BEGINS_WITHIN_MS = 400;

/** iOS lets no page set the volume of an element: it stays 1 whatever is written. */
export function volumeIsFixed(audio: HTMLMediaElement = new Audio()): boolean {
  const before = audio.volume;
  audio.volume = 0.5;
  const fixed = audio.volume !== 0.5;
  audio.volume = before;
  return fixed;
}

/** A gain where there is no volume. Elsewhere it would take echo cancellation away (Chromium 687574). */
class Gain {
  private readonly context = new AudioContext();
  private readonly node = this.context.createGain();
  private source: MediaStreamAudioSourceNode | null = null;
  private stream: MediaStream | null = null;

  constructor() {
    this.node.connect(this.context.destination);
  }

  set(audio: HTMLAudioElement, level: number): void {
    const stream = audio.srcObject as MediaStream | null;
    if (stream !== this.stream) {
      this.source?.disconnect();
      this.stream = stream;
      this.source = stream && this.context.createMediaStreamSource(stream);
      this.source?.connect(this.node);
    }
    audio.muted = stream !== null;
    this.node.gain.setTargetAtTime(level, this.context.currentTime, 0.02);
    if (this.context.state === "suspended") void this.context.resume();
  }
}

export class Volume {
  private readonly audio: HTMLAudioElement;
  private faded = 1;
  private level = 1;
  private gain: Gain | null = null;

  constructor(audio: HTMLAudioElement) {
    this.audio = audio;
  }

  /** Fade in what the element has just been given, from its first packet on: a sound cut into clicks. */
  fadeIn(track: MediaStreamTrack): void {
    const stream = this.audio.srcObject;
    // The timers of a page nobody looks at run once a second.
    this.faded = document.hidden ? 1 : 0;
    this.apply();
    if (document.hidden) return;
    let began = 0;
    const step = (): void => {
      if (this.audio.srcObject !== stream) return;
      this.faded = document.hidden ? 1 : Math.min(1, (performance.now() - began) / FADE_MS);
      this.apply();
      if (this.faded < 1) window.setTimeout(step, STEP_MS);
    };
    const begin = (): void => {
      if (began) return;
      began = performance.now();
      step();
    };
    track.addEventListener("unmute", begin, { once: true });
    window.setTimeout(begin, track.muted ? BEGINS_WITHIN_MS : 0);
  }

  /** 1 is in full, 0 is silent. */
  set(level: number): void {
    if (level === this.level) return;
    this.level = level;
    this.apply();
  }

  private apply(): void {
    const volume = this.faded * this.level;
    this.audio.volume = volume;
    if (this.level === 1 && !this.gain) return;
    if (!this.gain && volumeIsFixed()) this.gain = new Gain();
    this.gain?.set(this.audio, volume);
  }
}
