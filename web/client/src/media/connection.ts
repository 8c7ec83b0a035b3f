/**
 * Keeps one working connection to the forwarder. Every fault has the same cure, measured at 0.1 to 0.3 s:
 * build a new RTCPeerConnection beside the old one, and close the old one when the new one is up.
 */

import type { MediaAnswer } from "../protocol.gen.ts";
import { cameraLines } from "./devices.ts";
import { NOTHING, type Outgoing, Peer } from "./peer.ts";
import { reading } from "./stats.ts";
import { backoffMs, SilenceWatch } from "./watch.ts";

export type LinkState = "connecting" | "connected" | "failed";
export type RebuildReason = "start" | "media_lost" | "state" | "network" | "silence" | "retry";

export interface Signalling {
  /** Send the offer, get the answer and the relays; rejects when the socket is down. */
  connect(offer: string): Promise<Pick<MediaAnswer, "answer" | "relays">>;
  /** Nothing is received: does the server still answer? */
  doubt(withinMs: number): void;
}

export interface LinkEvents {
  /** A connection is up: its slots replace those of the one before. */
  up(peer: Peer): void;
  state(state: LinkState): void;
}

const CONNECT_WITHIN_MS = 8_000;
const STABLE_AFTER_MS = 5_000;
const WATCH_EVERY_MS = 150;
/** Beside two round trips; a socket whose packets have to be sent again is no better than a new one. */
const ANSWER_SLACK_MS = 300;

interface NetworkInformation extends EventTarget {
  readonly type?: string;
}

export class Connection {
  state: LinkState = "connecting";
  /** What stood in the way last: the network between us and the forwarder, or the server's own refusal. */
  obstacle: "network" | "server" = "network";
  current: Peer | null = null;
  private pending: Peer | null = null;
  private outgoing: Outgoing = NOTHING;
  private failures = 0;
  private attempt = 0;
  private retry: number | undefined;
  private watchTimer: number | undefined;
  private stable: number | undefined;
  private stopped = true;
  private readonly silence = new SilenceWatch();
  private doubted = false;
  private expected: ReadonlySet<number> = new Set();
  private readonly signalling: Signalling;
  private readonly events: LinkEvents;

  constructor(signalling: Signalling, events: LinkEvents) {
    this.signalling = signalling;
    this.events = events;
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    window.addEventListener("online", this.networkChanged);
    networkInformation()?.addEventListener("change", this.networkTypeChanged);
    void this.rebuild("start");
  }

  stop(): void {
    this.stopped = true;
    this.attempt += 1;
    window.clearTimeout(this.retry);
    window.clearInterval(this.watchTimer);
    window.clearTimeout(this.stable);
    window.removeEventListener("online", this.networkChanged);
    networkInformation()?.removeEventListener("change", this.networkTypeChanged);
    this.pending?.close();
    this.current?.close();
    this.pending = this.current = null;
  }

  /** What goes up from now on, over the connection there is and every later one. */
  async send(outgoing: Outgoing): Promise<void> {
    this.outgoing = outgoing;
    await Promise.all([this.current?.send(outgoing), this.pending?.send(outgoing)]);
  }

  /** The audio slots that must carry packets now, by the view. */
  expect(slots: ReadonlySet<number>): void {
    this.expected = slots;
    this.silence.expect(slots, performance.now());
  }

  /** Whether a new connection is on its way. */
  get building(): boolean {
    return this.pending !== null;
  }

  /** Build a new connection now; a second call replaces the attempt under way. */
  async rebuild(reason: RebuildReason): Promise<void> {
    if (this.stopped) return;
    const attempt = ++this.attempt;
    window.clearTimeout(this.retry);
    this.pending?.close();
    if (reason !== "start") console.info(`media: building a new connection (${reason})`);
    if (this.state === "connected") this.report("connecting");
    const peer = new Peer(cameraLines());
    this.pending = peer;
    const up = await this.establish(peer, attempt);
    if (attempt !== this.attempt) return peer.close();
    this.pending = null;
    if (up) return this.adopt(peer);
    peer.close();
    this.failures += 1;
    this.report("failed");
    this.retry = window.setTimeout(() => void this.rebuild("retry"), backoffMs(this.failures));
  }

  /** Offer, answer, and wait for DTLS; false when any of it fails or takes too long. */
  private async establish(peer: Peer, attempt: number): Promise<boolean> {
    let timer: number | undefined;
    let late: () => void = () => {};
    const connected = new Promise<boolean>((resolve) => {
      late = () => resolve(false);
      peer.pc.onconnectionstatechange = () => {
        if (peer.pc.connectionState === "connected") resolve(true);
        if (peer.pc.connectionState === "failed") resolve(false);
      };
    });
    try {
      await peer.send(this.outgoing);
      const { answer, relays } = await this.signalling.connect(await peer.offer());
      if (attempt !== this.attempt) return false;
      this.obstacle = "network";
      timer = window.setTimeout(late, CONNECT_WITHIN_MS);
      await peer.accept(answer, relays);
      return await connected;
    } catch (error) {
      this.obstacle = "server";
      console.info("media: no connection", error instanceof Error ? error.name : "refused");
      return false;
    } finally {
      window.clearTimeout(timer);
    }
  }

  private adopt(peer: Peer): void {
    const before = this.current;
    this.current = peer;
    peer.pc.onconnectionstatechange = () => {
      const broken = peer.pc.connectionState === "failed" || peer.pc.connectionState === "disconnected";
      // Not while a newer one is being built: that would start its time over and over.
      if (this.current === peer && broken && this.state === "connected") void this.rebuild("state");
    };
    void peer.send(this.outgoing);
    this.silence.restart(performance.now());
    this.report("connected");
    this.events.up(peer);
    before?.close();
    window.clearTimeout(this.stable);
    this.stable = window.setTimeout(() => {
      this.failures = 0;
    }, STABLE_AFTER_MS);
    this.watchTimer ??= window.setInterval(() => void this.listen(), WATCH_EVERY_MS);
  }

  private async listen(): Promise<void> {
    const peer = this.current;
    if (!peer || this.pending || !this.silence.watching) return;
    const read = await reading(peer, this.expected);
    if (this.current !== peer || this.pending) return;
    const silent = this.silence.silent(read);
    if (this.silence.doubtful && !this.doubted) this.signalling.doubt(ANSWER_SLACK_MS + 2 * read.rttMs);
    this.doubted = this.silence.doubtful;
    if (silent) void this.rebuild("silence");
  }

  private readonly networkChanged = (): void => void this.rebuild("network");

  private networkType = networkInformation()?.type;

  /** The event also fires for mere speed estimates; only another kind of network matters. */
  private readonly networkTypeChanged = (): void => {
    const type = networkInformation()?.type;
    if (type === this.networkType) return;
    this.networkType = type;
    if (navigator.onLine) void this.rebuild("network");
  };

  private report(state: LinkState): void {
    if (state === this.state) return;
    this.state = state;
    this.events.state(state);
  }
}

function networkInformation(): NetworkInformation | undefined {
  return (navigator as Navigator & { connection?: NetworkInformation }).connection;
}
