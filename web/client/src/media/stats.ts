/** Numbers out of getStats and the receivers: what arrived, how loud, how well. */

import type { Peer } from "./peer.ts";
import { PEOPLE_SLOTS } from "./peer.ts";
import type { Reading } from "./watch.ts";

export type Level = "good" | "fair" | "weak";

/** The reading for the silence watch. Entries do not exist before the first packet of a slot. */
export async function reading(peer: Peer, slots: Iterable<number>): Promise<Reading> {
  const wanted = new Map<string, number>();
  for (const slot of slots) {
    const id = peer.audioSlot(slot)?.track.id;
    if (id !== undefined) wanted.set(id, slot);
  }
  const report = await peer.pc.getStats();
  const packets = new Map<number, number>();
  let bytes = 0;
  let rttMs = 0;
  report.forEach((entry: Record<string, unknown>) => {
    if (entry.type === "inbound-rtp" && entry.kind === "audio") {
      const slot = wanted.get(String(entry.trackIdentifier));
      if (slot !== undefined) packets.set(slot, Number(entry.packetsReceived ?? 0));
    }
    if (entry.type !== "candidate-pair") return;
    bytes += Number(entry.bytesReceived ?? 0);
    if (entry.nominated === true) rttMs = Math.max(rttMs, 1000 * Number(entry.currentRoundTripTime ?? 0));
  });
  return { at: performance.now(), slots: packets, bytes, rttMs };
}

/** How packets reach the forwarder: straight, or by a relay that is spoken to over UDP, TCP or TLS. */
export type Path = "direct" | "udp" | "tcp" | "tls";

/** The path in use; null while there is none. */
export async function pathOf(pc: RTCPeerConnection): Promise<Path | null> {
  const report = await pc.getStats();
  let local: unknown;
  report.forEach((entry: Record<string, unknown>) => {
    if (entry.type === "candidate-pair" && entry.nominated === true && entry.state === "succeeded")
      local = entry.localCandidateId;
  });
  const candidate = report.get(String(local)) as Record<string, unknown> | undefined;
  if (!candidate) return null;
  return candidate.candidateType === "relay" ? ((candidate.relayProtocol as Path) ?? "udp") : "direct";
}

const SOURCE_AGE_MS_MAX = 400;

/** How loud each slot is now, 0 to 1, from the header extension of the packets just played (W3C WebRTC §5.3). */
export function loudness(peer: Peer): number[] {
  return Array.from({ length: PEOPLE_SLOTS }, (_, slot) => {
    const source = peer.audioSlot(slot)?.getSynchronizationSources?.()[0];
    if (!source || performance.timeOrigin + performance.now() - source.timestamp > SOURCE_AGE_MS_MAX)
      return 0;
    return source.audioLevel ?? 0;
  });
}

export interface Quality {
  readonly level: Level;
  readonly rttMs: number;
  readonly lossPercent: number;
}

interface Totals {
  readonly received: number;
  readonly lost: number;
}

/** Weak: speech suffers. Fair: the picture suffers. Bounds from ITU-T G.114 (delay) and our own loss measurements. */
export function judge(rttMs: number, lossPercent: number): Level {
  if (lossPercent > 8 || rttMs > 700) return "weak";
  if (lossPercent > 2 || rttMs > 350) return "fair";
  return "good";
}

/** Compares successive reports of one connection. */
export class QualityMeter {
  private before: Totals = { received: 0, lost: 0 };

  async read(pc: RTCPeerConnection): Promise<Quality> {
    let received = 0;
    let lost = 0;
    let rtt = 0;
    let lossUp = 0;
    (await pc.getStats()).forEach((entry: Record<string, unknown>) => {
      if (entry.type === "inbound-rtp") {
        received += Number(entry.packetsReceived ?? 0);
        lost += Number(entry.packetsLost ?? 0);
      } else if (entry.type === "candidate-pair" && entry.nominated === true) {
        rtt = Math.max(rtt, Number(entry.currentRoundTripTime ?? 0));
      } else if (entry.type === "remote-inbound-rtp" && entry.kind === "audio") {
        lossUp = Math.max(lossUp, Number(entry.fractionLost ?? 0));
      }
    });
    // A rebuilt connection counts from zero again.
    const base = received < this.before.received ? { received: 0, lost: 0 } : this.before;
    this.before = { received, lost };
    const arrived = received - base.received;
    const missing = Math.max(0, lost - base.lost);
    const lossDown = arrived + missing > 20 ? missing / (arrived + missing) : 0;
    const lossPercent = Math.round(Math.max(lossDown, lossUp) * 1000) / 10;
    const rttMs = Math.round(rtt * 1000);
    return { level: judge(rttMs, lossPercent), rttMs, lossPercent };
  }
}
