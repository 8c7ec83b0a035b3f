/** How loud a voice is under its interpretation, and into which language one interprets: over time, without a page. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Direction, type Levels } from "../../../web/client/src/room/direction.ts";
import { DUCKED, Ducking } from "../../../web/client/src/room/ducking.ts";

const STEP_MS = 40;
const SPEECH = 0.1;
const SILENCE = 0.001;

/** The gain at the end of so long with this level. */
function lasting(ducking: Ducking, clock: { now: number }, level: number, ms: number): number[] {
  const gains: number[] = [];
  for (const until = clock.now + ms; clock.now < until; clock.now += STEP_MS)
    gains.push(ducking.step(level, clock.now));
  return gains;
}

test("the original is 15 dB down within 150 ms of the interpreter's first word, and not below", () => {
  const ducking = new Ducking();
  const clock = { now: 0 };
  assert.deepEqual(new Set(lasting(ducking, clock, SILENCE, 400)), new Set([1]));
  const gains = lasting(ducking, clock, SPEECH, 1_000);
  const down = gains.findIndex((gain) => gain <= DUCKED + 1e-9);
  assert.ok(down >= 0 && down * STEP_MS <= 150, `after ${down * STEP_MS} ms`);
  assert.ok(gains.every((gain) => gain >= DUCKED - 1e-9));
});

test("a pause between two words lets nothing through", () => {
  const ducking = new Ducking();
  const clock = { now: 0 };
  lasting(ducking, clock, SPEECH, 1_000);
  const pause = lasting(ducking, clock, SILENCE, 600);
  assert.ok(pause.every((gain) => gain <= DUCKED + 1e-9));
});

test("it comes back smoothly, without a jump, within two seconds of the last word", () => {
  const ducking = new Ducking();
  const clock = { now: 0 };
  lasting(ducking, clock, SPEECH, 1_000);
  const back = lasting(ducking, clock, SILENCE, 2_000);
  assert.equal(back[back.length - 1], 1);
  for (let at = 1; at < back.length; at += 1) {
    const step = 20 * Math.log10((back[at] ?? 1) / (back[at - 1] ?? 1));
    assert.ok(step >= 0 && step <= 1.5, `${step} dB in one step`);
  }
});

const NOBODY: Levels = { patient: false, clinician: false, own: false };

function steps(direction: Direction, clock: { now: number }, levels: Partial<Levels>, ms: number): string {
  let into = direction.into;
  for (const until = clock.now + ms; clock.now < until; clock.now += 100)
    into = direction.step({ ...NOBODY, ...levels }, clock.now);
  return into;
}

test("who speaks is interpreted into the other side's language", () => {
  const direction = new Direction();
  const clock = { now: 0 };
  assert.equal(steps(direction, clock, {}, 1_000), "patient");
  assert.equal(steps(direction, clock, { patient: true }, 1_000), "clinician");
  assert.equal(steps(direction, clock, { clinician: true }, 1_000), "patient");
});

test("a cough changes nothing, nor do two who speak at once", () => {
  const direction = new Direction();
  const clock = { now: 0 };
  assert.equal(steps(direction, clock, { patient: true }, 200), "patient");
  assert.equal(steps(direction, clock, {}, 500), "patient");
  assert.equal(steps(direction, clock, { patient: true, clinician: true }, 2_000), "patient");
});

test("the interpreter's sentence is finished before the direction turns", () => {
  const direction = new Direction();
  const clock = { now: 0 };
  steps(direction, clock, { patient: true }, 1_000);
  assert.equal(steps(direction, clock, { clinician: true, own: true }, 3_000), "clinician");
  assert.equal(steps(direction, clock, { clinician: true }, 400), "clinician");
  assert.equal(steps(direction, clock, { clinician: true }, 400), "patient");
});
