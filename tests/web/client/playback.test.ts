/** Recordings: their time line, how views are kept together, and what a stall, a gap and a jump do. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { correctionOf } from "../../../web/client/src/playback/drift.ts";
import {
  filmOf,
  type Gap,
  gapAt,
  isHeard,
  languagesOf,
  momentIn,
  moved,
  ticksOf,
} from "../../../web/client/src/playback/film.ts";
import { actionOf } from "../../../web/client/src/playback/keys.ts";
import { type Media, Player, type Reel } from "../../../web/client/src/playback/player.ts";
import type { Person, Ready } from "../../../web/client/src/playback/shapes.ts";
import { type Span, spanAfter, spanAt } from "../../../web/client/src/playback/spans.ts";
import { gapWords, place, shortLength, spokenLength } from "../../../web/client/src/playback/words.ts";

// --- pure parts ---------------------------------------------------------------------------------------------

const SALMA: Person = { index: 0, name: "Salma", role: "patient", language: "ar" };
const MARLOWE: Person = { index: 1, name: "Dr. Marlowe", role: "physician", language: "en" };
const KARIM: Person = { index: 2, name: "Karim", role: "interpreter", language: "ar" };
const GAP: Gap = { startS: 12, endS: 16, why: "revoked" };

test("a moment is in the span it lies in, and before the next one", () => {
  const spans: Span[] = [
    [1, 3],
    [5, 8],
  ];
  assert.equal(spanAt(spans, 0.5), null);
  assert.deepEqual(spanAt(spans, 1), [1, 3]);
  assert.equal(spanAt(spans, 3), null, "its end is no longer part of it");
  assert.deepEqual(spanAt(spans, 7.9), [5, 8]);
  assert.deepEqual(spanAfter(spans, 0), [1, 3]);
  assert.deepEqual(spanAfter(spans, 2), [5, 8]);
  assert.deepEqual(spanAfter(spans, 4), [5, 8]);
  assert.equal(spanAfter(spans, 6), null);
  assert.equal(spanAt([], 1), null);
});

test("gaps do not count on the way forward and back", () => {
  assert.equal(moved([GAP], 10, 10), 24);
  assert.equal(moved([GAP], 24, -10), 10);
  assert.equal(moved([GAP], 16, -0.04), 11.96);
  assert.equal(moved([GAP], 17, 10), 27);
  assert.equal(moved([GAP], 12, 1), 17, "from its edge it is passed");
  const two = [GAP, { startS: 20, endS: 21, why: "" }];
  assert.equal(moved(two, 11, 6), 22);
  assert.equal(moved(two, 22, -6), 11);
});

test("views that are near are left alone, others go a little faster or slower, far ones jump", () => {
  assert.deepEqual(correctionOf(20, false), { factor: 1, jump: false });
  assert.ok(correctionOf(60, false).factor < 1, "who is ahead goes slower");
  assert.ok(correctionOf(-60, false).factor > 1, "who is behind goes faster");
  assert.ok(correctionOf(20, true).factor < 1, "once begun, it goes on until they are together");
  assert.equal(correctionOf(5, true).factor, 1);
  assert.ok(correctionOf(-240, false).factor <= 1.12, "nobody hears it");
  assert.equal(correctionOf(300, false).jump, true);
});

test("a link names a moment, and nothing else does", () => {
  assert.equal(momentIn("#t=123"), 123);
  assert.equal(momentIn("#t=1.5"), 1.5);
  for (const other of ["", "#", "#t=", "#t=-1", "#t=1e9", "#x=1", "#t=1234567"])
    assert.equal(momentIn(other), null, other);
});

test("marks of time are round, few, and not written over each other", () => {
  assert.deepEqual(ticksOf(30), [0, 10, 20, 30]);
  assert.deepEqual(ticksOf(1548), [0, 300, 600, 900, 1200, 1548]);
  for (const length of [3, 59, 61, 754, 3600, 3 * 3600, 13 * 3600]) {
    const ticks = ticksOf(length);
    assert.ok(ticks.length <= 8, `${length}: ${ticks}`);
    assert.equal(ticks[ticks.length - 1], length);
  }
});

test("with one language alone the interpreter is heard still", () => {
  assert.deepEqual(languagesOf([SALMA, MARLOWE, KARIM]), ["ar", "en"]);
  assert.equal(isHeard(SALMA, "en"), false);
  assert.equal(isHeard(KARIM, "en"), true);
  assert.equal(isHeard(MARLOWE, null), true);
  assert.equal(isHeard(null, "en"), false);
});

test("letters and signs are keys only in the player", () => {
  assert.equal(actionOf(" ", false), "toggle");
  assert.equal(actionOf(",", false), null);
  assert.equal(actionOf(",", true), "frame_back");
  assert.equal(actionOf("Home", false), null, "elsewhere it scrolls the page");
  assert.equal(actionOf("a", true), null);
});

test("times are written as places, short lengths, and words", () => {
  Object.assign(globalThis, { document: { documentElement: { lang: "en" } } });
  assert.equal(place(598), "9:58");
  assert.equal(place(0), "0:00");
  assert.equal(place(3725.9), "1:02:05");
  assert.equal(shortLength(71), "1 min 11 s");
  assert.equal(shortLength(3600), "1 h 0 min");
  assert.equal(spokenLength(598), "9 minutes 58 seconds");
  assert.equal(spokenLength(1), "1 second");
  assert.equal(gapWords({ startS: 0, endS: 71, why: "revoked" }), "paused for 1 min 11 s (consent revoked)");
  assert.equal(gapWords({ startS: 0, endS: 71, why: "" }), "paused for 1 min 11 s");
});

function ready(timeline: Ready["timeline"], gaps: [number, number][]): Ready {
  const view = { mime: "video/webm", bytes: 1, duration_us: 30e6, has_video: true, speech: [] };
  const spans: [number, number][] = [[0, 30e6]];
  return {
    state: "ready",
    manifest: {
      status: "complete",
      parts: [],
      duration_us: 30e6,
      epoch_ms: 0,
      what: "video",
      gaps,
      views: [
        { ...view, view: "s1", participant: 1, kind: "screen", spans },
        { ...view, view: "p1", participant: 1, kind: "person", spans },
        { ...view, view: "p0", participant: 0, kind: "person", spans },
      ],
    },
    people: [SALMA, MARLOWE, KARIM],
    timeline,
    may: { play: true, export: true, delete: false },
    grant: "",
  };
}

test("a recording has its people first, in the order of their places, then the screens", () => {
  const film = filmOf(ready([], []));
  assert.deepEqual(
    film.strips.map((one) => one.view),
    ["p0", "p1", "s1"],
  );
  assert.equal(film.lengthS, 30);
  assert.equal(film.people.includes(KARIM), false, "of whom nothing was recorded");
});

test("a pause and going on are one moment with its reason, agreements at the beginning are counted", () => {
  const film = filmOf(
    ready(
      [
        { at_us: 0, kind: "recording_started" },
        { at_us: 0, kind: "consented", person: 0 },
        { at_us: 0, kind: "consented", person: 1 },
        { at_us: 11.9e6, kind: "revoked", person: 0 },
        { at_us: 11.9e6, kind: "recording_paused", why: "revoked" },
        { at_us: 15.8e6, kind: "consented", person: 0 },
        { at_us: 16e6, kind: "recording_resumed" },
        { at_us: 25e6, kind: "part_lost", why: "torn" },
      ],
      [
        [12e6, 16e6],
        [25e6, 27e6],
      ],
    ),
  );
  assert.deepEqual(
    film.moments.map((one) => [one.kind, one.atS, one.person?.name ?? "", one.why, one.amount]),
    [
      ["recording_started", 0, "", "", 2],
      ["revoked", 11.9, "Salma", "", 0],
      ["gap", 12, "", "revoked", 4],
      ["consented", 15.8, "Salma", "", 0],
      ["gap", 25, "", "part_lost", 2],
    ],
  );
  assert.equal(gapAt(film.gaps, 16), null);
  assert.equal(gapAt(film.gaps, 15.99)?.why, "revoked");
});

// --- the player, with videos that do as they are told -------------------------------------------------------

class Video implements Media {
  paused = true;
  ended = false;
  error: MediaError | null = null;
  playbackRate = 1;
  readyState = 4;
  seeking = false;
  /** Seeks that were asked for, in order. */
  readonly seeks: number[] = [];
  /** Whether a seek is over at once. */
  prompt = true;
  #at = 0;

  get currentTime(): number {
    return this.#at;
  }

  set currentTime(at: number) {
    this.#at = at;
    this.seeks.push(at);
    this.seeking = !this.prompt;
  }

  async play(): Promise<void> {
    this.paused = false;
  }

  pause(): void {
    this.paused = true;
  }

  run(seconds: number): void {
    if (!this.paused && this.readyState > 2) this.#at += seconds * this.playbackRate;
  }
}

interface World {
  readonly player: Player;
  readonly videos: readonly Video[];
  readonly gaps: [number, boolean][];
  readonly jumps: number[];
  run(seconds: number): void;
}

function world(spans: readonly (readonly Span[])[], gaps: readonly Gap[] = [], voices = [true, true]): World {
  let nowMs = 0;
  const videos = spans.map(() => new Video());
  const reels = videos.map(
    (media, at): Reel => ({ media, spans: spans[at] ?? [], hasVoice: voices[at] ?? true }),
  );
  const told: [number, boolean][] = [];
  const jumps: number[] = [];
  const player = new Player(
    reels,
    { lengthS: 30, gaps, now: () => nowMs },
    {
      onChange: () => {},
      onJumped: (ms) => jumps.push(ms),
      onGap: (gap, skipped) => told.push([gap.startS, skipped]),
      onBlocked: () => {},
    },
  );
  return {
    player,
    videos,
    gaps: told,
    jumps,
    run(seconds) {
      for (let left = seconds; left > 1e-9; left -= 0.05) {
        nowMs += 50;
        for (const video of videos) video.run(0.05);
        player.tick();
      }
    },
  };
}

const WHOLE: readonly Span[] = [[0, 30]];

function near(value: number, wanted: number, by = 0.1): void {
  assert.ok(Math.abs(value - wanted) <= by, `${value} is not near ${wanted}`);
}

test("all videos begin, go on and rest together", () => {
  const { player, videos, run } = world([WHOLE, WHOLE]);
  player.play();
  run(2);
  assert.equal(player.state, "playing");
  near(player.positionS, 2);
  player.pause();
  run(1);
  near(player.positionS, 2);
  assert.ok(videos.every((one) => one.paused));
});

test("one that is behind goes faster until it is there, and then as fast as the others", () => {
  const { player, videos, run } = world([WHOLE, WHOLE]);
  player.play();
  run(1);
  const late = videos[1] as Video;
  late.currentTime -= 0.15;
  run(0.1);
  assert.ok(late.playbackRate > 1);
  assert.equal(videos[0]?.playbackRate, 1, "the clock keeps its speed");
  run(3);
  assert.equal(late.playbackRate, 1);
  near(late.currentTime, videos[0]?.currentTime ?? 0, 0.04);
});

test("one that is far away is fetched, and all wait for it", () => {
  const { player, videos, run } = world([WHOLE, WHOLE]);
  player.play();
  run(2);
  const far = videos[1] as Video;
  far.prompt = false;
  far.currentTime += 5;
  far.seeking = false;
  run(0.1);
  assert.ok(videos.every((one) => one.paused));
  far.seeking = false;
  run(0.2);
  near(far.currentTime, videos[0]?.currentTime ?? 0, 0.06);
  assert.ok(videos.every((one) => !one.paused));
});

test("one that stalls holds all, without losing the place", () => {
  const { player, videos, run } = world([WHOLE, WHOLE]);
  player.play();
  run(1);
  (videos[1] as Video).readyState = 2;
  run(1);
  assert.equal(player.state, "buffering");
  assert.ok(videos.every((one) => one.paused));
  const at = player.positionS;
  near(at, 1.2);
  run(2);
  assert.equal(player.positionS, at);
  (videos[1] as Video).readyState = 4;
  run(1);
  assert.equal(player.state, "playing");
  near(player.positionS, at + 1);
  near(videos[1]?.currentTime ?? 0, videos[0]?.currentTime ?? 0, 0.06);
});

test("a jump is over when every picture is there, and only the last of many counts", () => {
  const { player, videos, jumps, run } = world([WHOLE, WHOLE]);
  for (const one of videos) one.prompt = false;
  player.jumpTo(5);
  player.jumpTo(9);
  player.jumpTo(12);
  assert.equal(player.positionS, 12);
  assert.deepEqual(videos[0]?.seeks, [5], "the others wait until it is done");
  for (const one of videos) one.seeking = false;
  run(0.05);
  assert.deepEqual(videos[0]?.seeks, [5, 12]);
  assert.deepEqual(jumps, []);
  (videos[0] as Video).seeking = false;
  run(0.3);
  assert.equal(player.state, "buffering", "one of them is not there yet");
  (videos[1] as Video).seeking = false;
  run(0.05);
  assert.equal(jumps.length, 1);
  assert.equal(player.state, "paused");
});

test("a gap is skipped and told of; when it is not skipped, time goes on without pictures", () => {
  const spans: readonly Span[] = [
    [0, 12],
    [16, 30],
  ];
  const { player, videos, gaps, run } = world([spans, spans], [GAP]);
  player.jumpTo(11);
  player.play();
  run(1.5);
  assert.deepEqual(gaps, [[12, true]]);
  near(player.positionS, 16.5);
  player.setSkipsGaps(false);
  player.jumpTo(11.5);
  run(1.5);
  assert.deepEqual(gaps[1], [12, false]);
  near(player.positionS, 13);
  assert.ok(videos.every((one) => one.paused));
  run(4);
  near(player.positionS, 17);
  for (const one of videos) near(one.currentTime, 17);
});

test("a jump into a gap lands behind it, unless gaps are wanted", () => {
  const { player, run } = world([WHOLE], [GAP]);
  player.jumpTo(13);
  assert.equal(player.positionS, 16);
  player.setSkipsGaps(false);
  player.jumpTo(13);
  run(0.1);
  assert.equal(player.positionS, 13);
});

test("whoever comes later waits in their place and joins in, and rests when they are gone", () => {
  const { player, videos, run } = world([WHOLE, [[5, 8]]]);
  player.play();
  run(2);
  const guest = videos[1] as Video;
  assert.ok(guest.paused);
  assert.deepEqual(guest.seeks, []);
  run(2);
  assert.deepEqual(guest.seeks, [5], "in time");
  run(2);
  assert.ok(!guest.paused);
  near(guest.currentTime, 6, 0.15);
  run(3);
  assert.ok(guest.paused);
  assert.equal(player.state, "playing");
});

test("a view that cannot be loaded is done without", () => {
  const { player, videos, run } = world([WHOLE, WHOLE]);
  player.play();
  run(1);
  const broken = videos[0] as Video;
  broken.error = { code: 2 } as MediaError;
  broken.readyState = 0;
  run(2);
  assert.equal(player.state, "playing");
  near(player.positionS, 3);
});

test("without a voice the computer's own clock is followed, at the chosen speed", () => {
  const { player, run } = world([WHOLE], [], [false]);
  player.setSpeed(2);
  player.play();
  run(3);
  near(player.positionS, 6, 0.2);
});

test("at the end it rests; play begins at the beginning, and it cannot go past its ends", () => {
  const { player, videos, run } = world([WHOLE, WHOLE]);
  player.jumpTo(29);
  player.play();
  run(2);
  assert.equal(player.state, "ended");
  assert.equal(player.positionS, 30);
  assert.ok(videos.every((one) => one.paused));
  player.play();
  run(0.5);
  near(player.positionS, 0.5);
  player.moveBy(-10);
  assert.equal(player.positionS, 0);
  player.moveBy(100);
  assert.equal(player.positionS, 30);
});
