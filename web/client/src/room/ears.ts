/** Plays everybody as loud as the view says: in full, turned down under an interpretation, or not at all. */

import type { ConsultView } from "../protocol.gen.ts";
import { Ducking } from "./ducking.ts";

export interface Heard {
  /** 1 is in full. */
  loud(level: number): void;
}

export class Ears {
  private readonly duckings = new Map<string, Ducking>();

  /** Set how loud each person is now; `levels` by slot, `tileOf` finds where they are played. */
  step(
    view: ConsultView,
    levels: readonly number[],
    tileOf: (id: string) => Heard | undefined,
    now: number,
  ): void {
    const slots = new Map(view.people.map((person) => [person.id, person.slot]));
    const gains = new Map<string, number>();
    for (const { under } of view.hearing) {
      if (under === null || gains.has(under)) continue;
      const ducking = this.duckings.get(under) ?? new Ducking();
      this.duckings.set(under, ducking);
      const slot = slots.get(under);
      gains.set(under, ducking.step(slot == null ? 0 : (levels[slot] ?? 0), now));
    }
    for (const { participant, level, under } of view.hearing) {
      const gain = level === "off" ? 0 : level === "duck" && under ? (gains.get(under) ?? 1) : 1;
      tileOf(participant)?.loud(gain);
    }
  }
}
