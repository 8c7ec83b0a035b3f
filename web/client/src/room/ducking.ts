/** How far a voice is turned down under its interpretation, from the level of what arrives of that. Pure. */

/** About 15 dB down: heard as being there, not in the way (architecture: between -18 and 0 dB). */
export const DUCKED = 10 ** (-15 / 20);
const ATTACK_MS = 80;
/** The pauses between an interpreter's words: the original does not break through in them. */
const HOLD_MS = 700;
const RELEASE_MS = 600;
/** -40 dBov: speech, not the noise of a headset. */
export const SPEECH_LEVEL = 0.01;

export class Ducking {
  private heardAt = Number.NEGATIVE_INFINITY;
  private gain = 1;
  private at: number | null = null;

  /** The gain now; `level` is the interpretation's, 0 to 1, `now` in milliseconds. */
  step(level: number, now: number): number {
    const passed = this.at === null ? 0 : now - this.at;
    this.at = now;
    if (level > SPEECH_LEVEL) this.heardAt = now;
    const down = now - this.heardAt < HOLD_MS;
    // In decibels, so that it is heard as even; linear steps sound like a jump at the quiet end.
    const decibels = 20 * Math.log10(this.gain);
    const floor = 20 * Math.log10(DUCKED);
    const change = down ? (floor * passed) / ATTACK_MS : (-floor * passed) / RELEASE_MS;
    this.gain = 10 ** (Math.min(0, Math.max(floor, decibels + change)) / 20);
    return this.gain;
  }
}
