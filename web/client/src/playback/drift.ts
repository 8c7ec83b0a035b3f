/** How views are kept together: a little faster or slower when they are a little apart, a jump when far. */

/** Nearer than this nobody sees or hears it, and a speed is left alone. */
const TOGETHER_MS = 12;
/** From here on a speed is changed, until the two are together again. */
const APART_MS = 35;
/** From here on a change of speed would take too long or be heard. */
export const FAR_MS = 250;
/** A difference is made up for within about this time, as far as the speed may change. */
const MADE_UP_IN_MS = 700;
const NUDGE_MAX = 0.12;

export interface Correction {
  /** What the speed is multiplied with; 1 leaves it. */
  readonly factor: number;
  readonly jump: boolean;
}

/** What to do with a view that is this far ahead (negative: behind); `nudged`: its speed is changed already. */
export function correctionOf(aheadMs: number, nudged: boolean): Correction {
  const apart = Math.abs(aheadMs);
  if (apart > FAR_MS) return { factor: 1, jump: true };
  if (apart < (nudged ? TOGETHER_MS : APART_MS)) return { factor: 1, jump: false };
  const change = Math.max(-NUDGE_MAX, Math.min(NUDGE_MAX, -aheadMs / MADE_UP_IN_MS));
  return { factor: 1 + change, jump: false };
}
