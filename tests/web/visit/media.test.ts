/** Requirements of the seat page's media rules. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { preferred, withStartBitrate } from "../../../web/client/src/media/codecs.ts";
import { failureOf } from "../../../web/client/src/media/failure.ts";
import { scale } from "../../../web/client/src/media/level.ts";
import { expectedSlots, mayPublish } from "../../../web/client/src/media/media.ts";
import { judge } from "../../../web/client/src/media/stats.ts";
import {
  backoffMs,
  ROUTE_GRACE_MS,
  SILENCE_MS,
  SilenceWatch,
  SLOT_SILENCE_MS,
} from "../../../web/client/src/media/watch.ts";
import { person, view } from "./samples.ts";

/** Feeds a watch one reading every 100 ms; says when it first asked for a rebuild. */
function firstRebuild(
  watch: SilenceWatch,
  from: number,
  to: number,
  packets: (at: number) => number,
  bytes: (at: number) => number,
): number | null {
  for (let at = from; at <= to; at += 100) {
    if (watch.silent({ at, slots: new Map([[0, packets(at)]]), bytes: bytes(at) })) return at;
  }
  return null;
}

function watching(): SilenceWatch {
  const watch = new SilenceWatch();
  watch.expect(new Set([0]), 0);
  watch.restart(0);
  return watch;
}

test("a connection that goes wholly silent is rebuilt in less than a second", () => {
  const cut = ROUTE_GRACE_MS + 2_000;
  const grow = (at: number): number => Math.min(at, cut);
  const rebuilt = firstRebuild(watching(), 0, 10_000, grow, grow);
  assert.ok(
    rebuilt !== null && rebuilt > cut + SILENCE_MS && rebuilt <= cut + SILENCE_MS + 200,
    String(rebuilt),
  );
});

test("a person whose own network fails does not make everyone else rebuild at once", () => {
  const cut = ROUTE_GRACE_MS + 2_000;
  const rebuilt = firstRebuild(
    watching(),
    0,
    cut + SLOT_SILENCE_MS,
    (at) => Math.min(at, cut),
    (at) => at,
  );
  assert.equal(rebuilt, null);
});

test("one silent person leads to one rebuild after a while and not to one after the other", () => {
  const watch = watching();
  const rebuilt = firstRebuild(
    watch,
    0,
    20_000,
    () => 7,
    (at) => at,
  );
  assert.ok(rebuilt !== null && rebuilt > SLOT_SILENCE_MS);
  assert.equal(
    firstRebuild(
      watch,
      rebuilt + 100,
      rebuilt + 15_000,
      () => 7,
      (at) => at,
    ),
    null,
  );
});

test("nobody to hear is no silence", () => {
  const watch = watching();
  watch.expect(new Set(), 100);
  assert.equal(watch.watching, false);
  assert.equal(
    firstRebuild(
      watch,
      100,
      20_000,
      () => 0,
      () => 0,
    ),
    null,
  );
});

test("the first packets of somebody let in may take a while", () => {
  assert.equal(
    firstRebuild(
      watching(),
      0,
      ROUTE_GRACE_MS - 100,
      () => 0,
      () => 0,
    ),
    null,
  );
});

test("retries wait longer each time and never longer than 8 seconds", () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 60].map(backoffMs);
  assert.deepEqual(
    waits,
    [...waits].sort((a, b) => a - b),
  );
  assert.equal(waits[0], 0);
  assert.equal(Math.max(...waits), 8_000);
});

test("nobody sends before admission, on hold or while separated", () => {
  assert.equal(mayPublish(view({ screen: "room", seat: "present" })), true);
  for (const screen of ["waiting", "check", "on_hold", "separated", "displaced", "ended"] as const) {
    assert.equal(mayPublish(view({ screen, seat: "present" })), false, screen);
  }
  assert.equal(mayPublish(view({ screen: "room", seat: "lost" })), false);
});

test("sound is expected only from connected, unmuted people in the room", () => {
  const people = [
    person({ id: "a", slot: 0 }),
    person({ id: "b", slot: 1, audio_on: false }),
    person({ id: "c", slot: 2, connected: false }),
    person({ id: "d", slot: 3, seat: "on_hold" }),
    person({ id: "e", slot: null }),
  ];
  assert.deepEqual([...expectedSlots(view({ screen: "room", seat: "present", people }))], [0]);
  assert.equal(expectedSlots(view({ screen: "separated", seat: "present", people })).size, 0);
});

test("the offer holds one video codec with its repair, and keeps the browser's list when that one is missing", () => {
  const codec = (mimeType: string): { mimeType: string } => ({ mimeType });
  const video = ["video/VP8", "video/rtx", "video/H264", "video/AV1", "video/ulpfec"].map(codec);
  assert.deepEqual(
    preferred("video", video).map((one) => one.mimeType),
    ["video/VP8", "video/rtx"],
  );
  assert.deepEqual(preferred("video", [codec("video/H264"), codec("video/rtx")]), []);
  assert.deepEqual(
    preferred("audio", ["audio/opus", "audio/G722"].map(codec)).map((one) => one.mimeType),
    ["audio/opus"],
  );
});

test("only what we send gets the better first guess of bandwidth", () => {
  const section = (direction: string): string =>
    `m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n${direction}\r\n`;
  const answer = `v=0\r\n${section("a=recvonly")}${section("a=sendonly")}`;
  const parts = withStartBitrate(answer).split("m=video");
  assert.match(parts[1] ?? "", /a=fmtp:96 x-google-start-bitrate=\d+\r\n/);
  assert.doesNotMatch(parts[2] ?? "", /start-bitrate/);
});

test("every way a device fails has its own help", () => {
  const named = (name: string): Error => Object.assign(new Error(name), { name });
  assert.equal(failureOf(named("NotAllowedError")), "denied");
  assert.equal(failureOf(named("NotFoundError")), "missing");
  assert.equal(failureOf(named("OverconstrainedError")), "missing");
  assert.equal(failureOf(named("NotReadableError")), "in_use");
  assert.equal(failureOf(new TypeError("no mediaDevices")), "unsupported");
});

test("the level meter runs from silence to loud speech", () => {
  assert.equal(scale(0), 0);
  assert.equal(scale(1), 1);
  assert.ok(scale(0.02) > 0.2 && scale(0.02) < 0.8);
});

test("loss and delay are told in three words", () => {
  assert.equal(judge(80, 0), "good");
  assert.equal(judge(400, 0), "fair");
  assert.equal(judge(80, 3), "fair");
  assert.equal(judge(80, 12), "weak");
});
