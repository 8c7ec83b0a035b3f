/** Whose language a simultaneous interpreter speaks: the other side's of whoever speaks. Pure. */

import type { Side } from "../protocol.gen.ts";

/** Somebody speaks, not only coughs. */
const SPEAKS_MS = 250;
/** The interpreter has finished the sentence: it is never cut off by the other side's first word. */
const PAUSE_MS = 500;

export interface Levels {
  /** Whether somebody of each side, and the interpreter, is heard now. */
  readonly patient: boolean;
  readonly clinician: boolean;
  readonly own: boolean;
}

export class Direction {
  /** To begin with, the patient's: it is mostly the physician who speaks first. */
  into: Side = "patient";
  private since: Record<Side, number | null> = { patient: null, clinician: null };
  private ownAt = Number.NEGATIVE_INFINITY;

  /** The direction now, from what is heard now; `now` in milliseconds. */
  step(levels: Levels, now: number): Side {
    if (levels.own) this.ownAt = now;
    for (const side of ["patient", "clinician"] as const)
      this.since[side] = levels[side] ? (this.since[side] ?? now) : null;
    const speaks = (side: Side): boolean => now - (this.since[side] ?? now) >= SPEAKS_MS;
    const mayTurn = now - this.ownAt >= PAUSE_MS;
    // Both at once: it stays as it is, and the interpreter asks for one at a time.
    if (mayTurn && speaks("patient") !== speaks("clinician"))
      this.into = speaks("patient") ? "clinician" : "patient";
    return this.into;
  }
}
