/** When to rebuild the connection: pure rules over what getStats counts. Times in milliseconds. */

export const SILENCE_MS = 700;
/** Nothing at all for so long: ask the server whether it is still reached. */
export const DOUBT_MS = 350;
/** One person is silent although our connection lives: their own network is the likelier cause, so wait longer. */
export const SLOT_SILENCE_MS = 4_000;
const SLOT_REBUILD_EVERY_MS = 20_000;
/** Time for the first packets of a person who was just let in or unmuted. */
export const ROUTE_GRACE_MS = 2_500;
const BACKOFF_MS = [0, 500, 1_000, 2_000, 4_000, 8_000] as const;

/** One reading: packets by audio slot, and everything the connection received. */
export interface Reading {
  readonly at: number;
  readonly slots: ReadonlyMap<number, number>;
  readonly bytes: number;
  readonly rttMs: number;
}

/** Watches the slots the view says are routed, and says when the connection is dead. */
export class SilenceWatch {
  private readonly heard = new Map<number, { packets: number; at: number; since: number }>();
  private bytes = -1;
  private bytesAt = 0;
  private rebuiltAt = -Infinity;
  /** The last reading leaves it open whether this page still has a network. */
  doubtful = false;

  /** Slots that must carry sound now: connected, unmuted people. */
  expect(slots: ReadonlySet<number>, now: number): void {
    for (const slot of this.heard.keys()) if (!slots.has(slot)) this.heard.delete(slot);
    for (const slot of slots) {
      if (!this.heard.has(slot)) this.heard.set(slot, { packets: 0, at: now, since: now });
    }
  }

  get watching(): boolean {
    return this.heard.size > 0;
  }

  /** A new connection counts from zero. */
  restart(now: number): void {
    this.bytes = -1;
    this.bytesAt = now;
    for (const slot of this.heard.values()) Object.assign(slot, { packets: 0, at: now, since: now });
  }

  /** True when the connection should be rebuilt. */
  silent(reading: Reading): boolean {
    const { at } = reading;
    if (reading.bytes !== this.bytes) {
      this.bytes = reading.bytes;
      this.bytesAt = at;
    }
    let longest = 0;
    let expected = false;
    for (const [slot, state] of this.heard) {
      const packets = reading.slots.get(slot) ?? 0;
      if (packets !== state.packets) {
        state.packets = packets;
        state.at = at;
      }
      if (at - state.since < ROUTE_GRACE_MS) continue;
      expected = true;
      longest = Math.max(longest, at - state.at);
    }
    this.doubtful = expected && longest > DOUBT_MS && at - this.bytesAt > DOUBT_MS;
    if (expected && longest > SILENCE_MS && at - this.bytesAt > SILENCE_MS) return true;
    if (longest <= SLOT_SILENCE_MS || at - this.rebuiltAt < SLOT_REBUILD_EVERY_MS) return false;
    this.rebuiltAt = at;
    return true;
  }
}

/** Wait before attempt number `failures` (0 = first). */
export function backoffMs(failures: number): number {
  return BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)] ?? 0;
}
