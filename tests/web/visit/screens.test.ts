/** Requirements of what the seat page shows, decided by the view alone. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { permissionPath } from "../../../web/client/src/check/browser.ts";
import { stepsFor } from "../../../web/client/src/check/check.ts";
import { resultOf } from "../../../web/client/src/check/devices-step.ts";
import { chime } from "../../../web/client/src/check/sound.ts";
import { checkLines, connectionOf, readinessOf } from "../../../web/client/src/people-words.ts";
import type { BoardPerson, Role } from "../../../web/client/src/protocol.gen.ts";
import { mustIdentify } from "../../../web/client/src/room/desk.ts";
import { interpreterMissing } from "../../../web/client/src/room/room.ts";
import { isWaiting, seating, showing } from "../../../web/client/src/room/seating.ts";
import { allowed } from "../../../web/client/src/visit-gate.ts";
import { zoneOfPatient } from "../../../web/client/src/visit-times.ts";
import { clockWords } from "../../../web/client/src/visit-words.ts";
import { person, view } from "./samples.ts";

const SALMA = person({ id: "salma", role: "patient", slot: 0 });
const KARIM = person({ id: "karim", role: "interpreter", slot: 1 });
const ELENA = person({ id: "elena", role: "physician", slot: 2 });

function seen(role: Role): string[] {
  const me = person({ id: "me", role, slot: null });
  const people = [SALMA, KARIM, ELENA].filter((one) => one.role !== role);
  return seating(view({ role, people: [me, ...people] })).map((one) => one.id);
}

test("each role sees first whom they came for, and themselves last", () => {
  assert.deepEqual(seen("patient"), ["elena", "karim", "me"]);
  assert.deepEqual(seen("physician"), ["salma", "karim", "me"]);
  assert.deepEqual(seen("interpreter"), ["elena", "salma", "me"]);
});

test("a booked interpreter has a tile before anyone is told whether they wait", () => {
  const me = person({ id: "me", role: "patient", slot: null });
  const tiles = seating(view({ role: "patient", people: [me, ELENA] }));
  assert.deepEqual(
    tiles.map((one) => [one.role, showing(one)]),
    [
      ["physician", "picture"],
      ["interpreter", "invited"],
      ["patient", "picture"],
    ],
  );
  assert.equal(seating(view({ role: "patient", people: [me, ELENA], interpreter: false })).length, 2);
});

test("a tile shows a picture only of a connected person in the room whose camera is on", () => {
  assert.equal(showing(person()), "picture");
  assert.equal(showing(person({ video_on: false })), "camera_off");
  assert.equal(showing(person({ connected: false })), "lost");
  assert.equal(showing(person({ seat: "lost" })), "lost");
  assert.equal(showing(person({ seat: "on_hold" })), "on_hold");
  assert.equal(showing(person({ seat: "waiting" })), "waiting");
  assert.equal(showing(person({ seat: "left" })), "left");
});

test("whoever loses the connection while waiting still waits", () => {
  assert.equal(isWaiting(person({ seat: "lost", waiting_since: "2026-11-24T16:00:00Z" })), true);
  assert.equal(isWaiting(person({ seat: "lost" })), false);
});

test("people who were declined, removed or never came have no tile", () => {
  const me = person({ id: "me", role: "physician", slot: null });
  const gone = ["declined", "removed", "revoked"] as const;
  const people = gone.map((seat, i) => person({ id: `g${i}`, role: "companion", seat }));
  assert.deepEqual(
    seating(view({ people: [me, KARIM, SALMA, ...people] })).map((one) => one.id),
    ["salma", "karim", "me"],
  );
});

test("a patient's identity is confirmed once, and again for another device", () => {
  assert.equal(mustIdentify(person({ identity_confirmed: false })), true);
  assert.equal(mustIdentify(person({ identity_confirmed: true })), false);
  assert.equal(mustIdentify(person({ identity_confirmed: true, further_device_waiting: true })), true);
  assert.equal(mustIdentify(person({ role: "interpreter", identity_confirmed: false })), false);
});

test("the check asks for what the server still lacks and for nothing else", () => {
  assert.deepEqual(stepsFor(view({ must: { consent: true, location: true } })), [
    "devices",
    "place",
    "consent",
  ]);
  assert.deepEqual(stepsFor(view({ must: { consent: true } })), ["devices", "consent"]);
  assert.deepEqual(stepsFor(view()), ["devices"]);
});

test("a button is there only when its command is allowed now", () => {
  assert.equal(allowed("end", view({ can: ["leave"] })), false);
  assert.equal(allowed("end", view({ can: ["end"] })), true);
  assert.equal(allowed("share", view({ can: ["stop_sharing"] })), true);
});

test("a lost connection is said before any measurement of it", () => {
  assert.equal(connectionOf(person({ connected: false, connection_level: "good" })).tone, "stop");
  assert.equal(connectionOf(person({ connection_level: "weak" })).tone, "warn");
  assert.equal(connectionOf(person()).tone, "good");
});

test("staff read what a failed device check means", () => {
  assert.deepEqual(
    [null, "denied", "missing", "in_use", "unsupported"].map((one) => resultOf(one as never)),
    ["ok", "denied", "missing", "failed", "failed"],
  );
});

test("the way to the camera switch is told for the browser at hand", () => {
  const iphone =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1";
  const ipad =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15";
  const android =
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36";
  assert.equal(permissionPath(iphone, 5), "ios_safari");
  assert.equal(permissionPath(ipad, 5), "ios_safari");
  assert.equal(permissionPath(ipad, 0), "safari");
  assert.equal(permissionPath(iphone.replace("Version/17.0", "CriOS/130.0"), 5), "ios_other");
  assert.equal(permissionPath(android, 5), "android");
  assert.equal(
    permissionPath("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", 0),
    "firefox",
  );
  assert.equal(permissionPath(`${android} Instagram 300.0`, 5), "in_app");
});

test("the test sound is a whole WAV file that begins and ends in silence", async () => {
  const bytes = new DataView(await chime().arrayBuffer());
  assert.equal(bytes.byteLength, bytes.getUint32(4, true) + 8);
  assert.equal(bytes.getUint32(40, true), bytes.byteLength - 44);
  assert.equal(bytes.getInt16(44, true), 0);
  assert.ok(Math.abs(bytes.getInt16(bytes.byteLength - 2, true)) < 50);
});

test("a duration shows hours only when there are any", () => {
  assert.equal(clockWords(724_000), "12:04");
  assert.equal(clockWords(3_724_000), "01:02:04");
  assert.equal(clockWords(-5), "00:00");
});

test("the check says what works, what does not, and nothing before it was made", () => {
  const none = { camera: null, microphone: null, speaker: null, network: null } as const;
  const said = (check: Parameters<typeof checkLines>[0]): string[] =>
    checkLines(check).map(({ words }) => words);
  assert.deepEqual(said(null), ["Not checked yet"]);
  assert.deepEqual(said({ ...none, network: "ok" }), ["Not checked yet"]);
  assert.deepEqual(said({ ...none, camera: "ok", microphone: "ok" }), ["Camera, sound"]);
  assert.deepEqual(said({ ...none, microphone: "ok" }), ["Sound, no camera"]);
  assert.deepEqual(said({ ...none, microphone: "ok", network: "failed" }), ["Network blocks the call"]);
});

test("whoever was seen interpreting and is no longer named has left; who never came is not missed aloud", () => {
  const alone = view({ role: "patient", people: [ELENA] });
  assert.equal(interpreterMissing(alone, undefined, false), "");
  assert.match(interpreterMissing(alone, undefined, true), /has left/);
  assert.match(interpreterMissing(alone, { ...KARIM, seat: "left" }, true), /has left/);
  assert.match(interpreterMissing(alone, { ...KARIM, connected: false }, true), /lost the connection/);
  assert.equal(interpreterMissing(alone, KARIM, true), "");
  assert.equal(interpreterMissing(alone, { ...KARIM, seat: "waiting" }, true), "");
});

test("a network that blocks the call is not called a good connection", () => {
  const check = { camera: "ok", microphone: "ok", speaker: null, network: "failed" } as const;
  const one = { connected: true, connection_level: "good", seat: "waiting", device_check: check };
  const said = (changes: object): string[] =>
    readinessOf({ ...one, ...changes } as unknown as BoardPerson).map(({ words }) => words);
  assert.deepEqual(said({}), ["Network blocks the call"]);
  assert.deepEqual(said({ connected: false }), ["Network blocks the call", "Connection lost"]);
  assert.deepEqual(said({ device_check: { ...check, network: "ok" } }), ["Camera, sound", "Good connection"]);
});

test("whoever is told where the patient is sees the patient's clock beside the planned time", () => {
  const abroad = person({ role: "patient", time_zone: "Asia/Kuwait", city: "Kuwait City" });
  assert.deepEqual(zoneOfPatient(view({ people: [ELENA, abroad] })), {
    id: "Asia/Kuwait",
    city: "Kuwait City",
  });
  assert.equal(zoneOfPatient(view({ role: "interpreter", people: [ELENA, SALMA] })), null);
});
