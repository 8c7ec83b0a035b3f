/** Plays the views of a recording as one: one clock, jumps, gaps, and nobody runs ahead of one who stalls.
 *
 * The clock is the first view with a voice that plays; while there is none, the computer's own. A view takes part
 * only where it has media (its spans); everywhere else it rests.
 */

import { correctionOf } from "./drift.ts";
import { type Gap, gapAt, moved } from "./film.ts";
import { type Span, spanAfter, spanAt } from "./spans.ts";

/** What the player needs of a video element. */
export type Media = Pick<
  HTMLVideoElement,
  "currentTime" | "ended" | "error" | "paused" | "pause" | "play" | "playbackRate" | "readyState" | "seeking"
>;

export interface Reel {
  readonly media: Media;
  readonly spans: readonly Span[];
  readonly hasVoice: boolean;
}

export type PlayState = "playing" | "paused" | "buffering" | "ended";

export interface PlayerEvents {
  /** Something is to be drawn: the time has moved, or what is done has changed. */
  readonly onChange: () => void;
  /** A jump that the person asked for is over: every picture is there. */
  readonly onJumped: (ms: number) => void;
  readonly onGap: (gap: Gap, skipped: boolean) => void;
  /** The browser wants the person to press play once more. */
  readonly onBlocked: () => void;
}

export interface PlayerOptions {
  readonly lengthS: number;
  readonly gaps: readonly Gap[];
  readonly now?: () => number;
}

const HAVE_CURRENT_DATA = 2;
const HAVE_FUTURE_DATA = 3;
const STALLED_MS = 120;
const SHOWN_AS_BUFFERING_MS = 200;
/** A view is moved to where it comes in so long before. */
const READY_BEFORE_S = 2;
/** The last pictures of a span may be missing without anything being wrong. */
const SPAN_END_S = 0.3;
const PLACED_S = 0.02;
const AGAIN_AFTER_MS = 1500;
const FRAME_S = 0.04;
const END_S = 0.03;

interface Playing extends Reel {
  /** Its speed is changed to come together with the others. */
  nudged: boolean;
  stalledMs: number | null;
  placedAt: number | null;
}

/** All rest until every view that takes part shows this moment. */
interface Wait {
  readonly targetS: number;
  readonly sinceMs: number;
  readonly jump: boolean;
}

export class Player {
  readonly #reels: readonly Playing[];
  readonly #lengthS: number;
  readonly #gaps: readonly Gap[];
  readonly #events: PlayerEvents;
  readonly #now: () => number;
  #speed = 1;
  #skipsGaps = true;
  #wanted = false;
  #wait: Wait | null = null;
  #next: Wait | null = null;
  #anchorS = 0;
  #anchorMs = 0;
  #movedMs = 0;
  #gap: Gap | null = null;

  constructor(reels: readonly Reel[], options: PlayerOptions, events: PlayerEvents) {
    this.#reels = reels.map((reel) => ({ ...reel, nudged: false, stalledMs: null, placedAt: null }));
    this.#lengthS = options.lengthS;
    this.#gaps = options.gaps;
    this.#now = options.now ?? (() => performance.now());
    this.#events = events;
  }

  get speed(): number {
    return this.#speed;
  }

  get skipsGaps(): boolean {
    return this.#skipsGaps;
  }

  get state(): PlayState {
    if (this.#wait && this.#now() - this.#wait.sinceMs > SHOWN_AS_BUFFERING_MS) return "buffering";
    if (this.#wanted) return "playing";
    return this.#anchorS >= this.#lengthS - END_S && !this.#wait ? "ended" : "paused";
  }

  /** Where the recording is, in seconds; while it jumps, where it will be. */
  get positionS(): number {
    const going = this.#next ?? this.#wait;
    return going ? going.targetS : this.#positionAt(this.#now());
  }

  play(): void {
    this.#wanted = true;
    if (this.positionS >= this.#lengthS - END_S) this.jumpTo(0);
    else if (!this.#wait) this.#place(this.positionS, false);
    this.#events.onChange();
  }

  pause(): void {
    const at = this.positionS;
    this.#wanted = false;
    if (!this.#wait) this.#rest(at);
    this.#events.onChange();
  }

  toggle(): void {
    if (this.#wanted) this.pause();
    else this.play();
  }

  /** Go to a moment; while a jump is under way only the last one asked for counts. */
  jumpTo(atS: number): void {
    const wait = { targetS: this.#playable(atS), sinceMs: this.#now(), jump: true };
    if (this.#wait?.jump) this.#next = wait;
    else this.#begin(wait);
    this.#events.onChange();
  }

  /** Go on or back by so many seconds; a gap that is skipped does not count. */
  moveBy(seconds: number): void {
    const from = this.positionS;
    this.jumpTo(this.#skipsGaps ? moved(this.#gaps, from, seconds) : from + seconds);
  }

  /** One picture forward or back; the recording rests there. */
  step(frames: number): void {
    this.pause();
    this.moveBy(frames * FRAME_S);
  }

  setSpeed(speed: number): void {
    this.#anchor(this.#positionAt(this.#now()));
    this.#speed = speed;
    for (const reel of this.#reels) setRate(reel, speed);
    this.#events.onChange();
  }

  setSkipsGaps(skips: boolean): void {
    this.#skipsGaps = skips;
    this.#events.onChange();
  }

  /** To be called often (every 50 ms), and whenever a view says that it can or cannot go on. */
  tick(): void {
    const now = this.#now();
    if (this.#wait) this.#look(this.#wait, now);
    else if (this.#wanted) this.#follow(now);
    this.#events.onChange();
  }

  /** Whether a view has media at this moment and takes part. */
  takesPart(reel: Reel, atS: number): boolean {
    if (reel.media.error) return false;
    const span = spanAt(reel.spans, atS);
    return span !== null && !(reel.media.ended && span[1] - atS < SPAN_END_S);
  }

  #positionAt(now: number): number {
    if (this.#wait) return this.#wait.targetS;
    if (!this.#wanted) return this.#anchorS;
    const master = this.#master();
    if (master) return master.media.currentTime;
    return Math.min(this.#lengthS, this.#anchorS + ((now - this.#anchorMs) / 1000) * this.#speed);
  }

  /** The view whose clock all follow: with a voice, playing, and near where we last were. */
  #master(): Playing | null {
    const found = this.#reels.find(
      (reel) => reel.hasVoice && !reel.media.paused && this.takesPart(reel, this.#anchorS),
    );
    return found ?? null;
  }

  #anchor(atS: number): void {
    this.#anchorS = Math.max(0, Math.min(this.#lengthS, atS));
    this.#anchorMs = this.#now();
  }

  #playable(atS: number): number {
    const within = Math.max(0, Math.min(this.#lengthS, atS));
    const gap = this.#skipsGaps ? gapAt(this.#gaps, within) : null;
    if (gap) this.#tellGap(gap, true);
    return gap ? Math.min(gap.endS, this.#lengthS) : within;
  }

  #tellGap(gap: Gap, skipped: boolean): void {
    this.#gap = gap;
    this.#events.onGap(gap, skipped);
  }

  #rest(atS: number): void {
    for (const { media } of this.#reels) if (!media.paused) media.pause();
    this.#anchor(atS);
  }

  #place(atS: number, jump: boolean): void {
    this.#begin({ targetS: atS, sinceMs: this.#now(), jump });
  }

  /** Everything rests and goes to one moment; `tick` lets it go on when all are there. */
  #begin(wait: Wait): void {
    this.#rest(wait.targetS);
    this.#wait = wait;
    for (const reel of this.#reels) {
      reel.stalledMs = null;
      reel.placedAt = null;
      if (!this.takesPart(reel, wait.targetS)) continue;
      setRate(reel, this.#speed);
      if (Math.abs(reel.media.currentTime - wait.targetS) > (wait.jump ? 0 : PLACED_S))
        reel.media.currentTime = wait.targetS;
    }
    this.#look(wait, this.#now());
  }

  #look(wait: Wait, now: number): void {
    const taking = this.#reels.filter((reel) => this.takesPart(reel, wait.targetS));
    if (!taking.every((reel) => isThere(reel, wait.targetS))) return;
    const next = this.#next;
    this.#next = null;
    this.#wait = null;
    if (next) {
      this.#begin(next);
      return;
    }
    this.#anchor(wait.targetS);
    this.#movedMs = now;
    if (wait.jump) this.#events.onJumped(now - wait.sinceMs);
    if (this.#wanted) for (const reel of taking) this.#start(reel);
  }

  #start(reel: Playing): void {
    reel.stalledMs = null;
    setRate(reel, this.#speed);
    reel.media.play().catch((error: unknown) => {
      // A pause that came before it began is no fault.
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
      this.pause();
      this.#events.onBlocked();
    });
  }

  #follow(now: number): void {
    const at = this.#positionAt(now);
    this.#anchor(at);
    const gap = gapAt(this.#gaps, at + END_S);
    if (at >= this.#lengthS - END_S) {
      this.#wanted = false;
      this.#rest(this.#lengthS);
    } else if (gap && this.#skipsGaps) {
      this.#tellGap(gap, true);
      this.#place(Math.min(gap.endS, this.#lengthS), false);
    } else {
      if (gap && gap !== this.#gap) this.#tellGap(gap, false);
      this.#gap = gap;
      this.#goOn(at, now);
    }
  }

  #goOn(at: number, now: number): void {
    for (const reel of this.#reels) {
      if (this.takesPart(reel, at)) this.#comeIn(reel, at);
      else this.#standBy(reel, at);
    }
    const stalled = this.#reels.some((reel) => this.#isStalled(reel, at, now));
    if (stalled || !this.#together(at, now)) this.#place(at, false);
  }

  #comeIn(reel: Playing, atS: number): void {
    if (!reel.media.paused) return;
    if (Math.abs(reel.media.currentTime - atS) > SPAN_END_S) reel.media.currentTime = atS;
    this.#start(reel);
  }

  /** A view rests where it has nothing, and shortly before its time comes it waits in its place. */
  #standBy(reel: Playing, atS: number): void {
    if (!reel.media.paused) reel.media.pause();
    const next = spanAfter(reel.spans, atS);
    if (!next || reel.media.error || next[0] - atS > READY_BEFORE_S || reel.placedAt === next[0]) return;
    reel.placedAt = next[0];
    reel.media.currentTime = next[0];
  }

  #isStalled(reel: Playing, atS: number, now: number): boolean {
    const waits = this.takesPart(reel, atS) && reel.media.readyState < HAVE_FUTURE_DATA;
    if (!waits) reel.stalledMs = null;
    else reel.stalledMs ??= now;
    return reel.stalledMs !== null && now - reel.stalledMs > STALLED_MS;
  }

  /** Bring all views near to the clock; false when one is so far from it that all have to wait for it. */
  #together(atS: number, now: number): boolean {
    const master = this.#master();
    let near = true;
    for (const reel of this.#reels) {
      if (reel === master || reel.media.paused || reel.media.seeking || !this.takesPart(reel, atS)) continue;
      const { factor, jump } = correctionOf((reel.media.currentTime - atS) * 1000, reel.nudged);
      if (jump && now - this.#movedMs > AGAIN_AFTER_MS) near = false;
      if (!jump) setRate(reel, this.#speed, factor);
    }
    if (master) setRate(master, this.#speed);
    return near;
  }
}

function setRate(reel: Playing, speed: number, factor = 1): void {
  reel.nudged = factor !== 1;
  const rate = speed * factor;
  if (reel.media.playbackRate !== rate) reel.media.playbackRate = rate;
}

/** Whether a view shows this moment and could go on from it. */
function isThere({ media, spans }: Reel, atS: number): boolean {
  if (media.seeking) return false;
  const left = (spanAt(spans, atS)?.[1] ?? atS) - atS;
  return media.readyState >= (left < SPAN_END_S ? HAVE_CURRENT_DATA : HAVE_FUTURE_DATA);
}
