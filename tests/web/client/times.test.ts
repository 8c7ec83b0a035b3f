/** Clocks and dates on both sides of the world, as the pages show them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { install } from "../../../web/client/src/i18n.ts";
import {
  clock,
  clocksDiffer,
  date,
  duration,
  instant,
  minutesBetween,
  timeIn,
  weekday,
} from "../../../web/client/src/times.ts";

function page(lang: string): void {
  Object.assign(globalThis, { document: { documentElement: { lang } } });
}

const MORNING_IN_LOS_ANGELES = new Date("2026-11-24T16:30:00Z");

test("a visit has its own clock and weekday in each city", () => {
  page("en");
  assert.equal(clock(MORNING_IN_LOS_ANGELES, "America/Los_Angeles"), "8:30 AM");
  assert.equal(date(MORNING_IN_LOS_ANGELES, "America/Los_Angeles"), "Tuesday, 24 November");
  assert.equal(clock(MORNING_IN_LOS_ANGELES, "Asia/Kuwait"), "7:30 PM");
  assert.equal(date(MORNING_IN_LOS_ANGELES, "Asia/Kuwait"), "Tuesday, 24 November");
});

test("across the date line it is another day", () => {
  page("en");
  const evening = new Date("2026-11-25T01:00:00Z");
  assert.equal(weekday(evening, "America/Los_Angeles"), "Tuesday");
  assert.equal(weekday(evening, "Asia/Shanghai"), "Wednesday");
  assert.equal(date(evening, "Pacific/Kiritimati"), "Wednesday, 25 November");
  assert.equal(date(evening, "Pacific/Pago_Pago", true), "Tuesday, 24 November 2026");
});

test("Arabic, Persian and Thai pages keep Latin digits and the Gregorian calendar", () => {
  for (const lang of ["ar", "ar-SA", "fa", "th"]) {
    page(lang);
    const shown = date(MORNING_IN_LOS_ANGELES, "Asia/Riyadh", true);
    assert.match(shown, /24 .* 2026$/, lang);
    assert.doesNotMatch(shown, /[٠-٩۰-۹]/, lang);
  }
});

test("noon, midnight and the quarter hours of Nepal are right", () => {
  page("en");
  assert.equal(clock(new Date("2026-06-01T12:00:00Z"), "UTC"), "12:00 PM");
  assert.equal(clock(new Date("2026-06-01T00:05:00Z"), "UTC"), "12:05 AM");
  assert.equal(clock(new Date("2026-06-01T12:00:00Z"), "Asia/Kathmandu"), "5:45 PM");
});

test("a zone that the browser does not know yet is shown by its older name", () => {
  page("en");
  assert.equal(clock(MORNING_IN_LOS_ANGELES, "Europe/Kyiv"), "6:30 PM");
});

test("zones with the same clock do not differ", () => {
  page("en");
  assert.equal(clocksDiffer(MORNING_IN_LOS_ANGELES, "Asia/Kuwait", "Asia/Riyadh"), false);
  assert.equal(clocksDiffer(MORNING_IN_LOS_ANGELES, "Asia/Kuwait", "Asia/Dubai"), true);
});

test("a wall clock becomes the right instant, also around a clock change", () => {
  assert.equal(
    instant("2026-11-24", "08:30", "America/Los_Angeles")?.toISOString(),
    "2026-11-24T16:30:00.000Z",
  );
  assert.equal(
    instant("2026-07-01", "08:30", "America/Los_Angeles")?.toISOString(),
    "2026-07-01T15:30:00.000Z",
  );
  // 2026-11-01 the clock there goes back from 2:00 to 1:00.
  assert.equal(
    instant("2026-11-01", "00:30", "America/Los_Angeles")?.toISOString(),
    "2026-11-01T07:30:00.000Z",
  );
  assert.equal(
    instant("2026-11-01", "03:30", "America/Los_Angeles")?.toISOString(),
    "2026-11-01T11:30:00.000Z",
  );
  assert.equal(
    instant("2026-03-08", "03:30", "America/Los_Angeles")?.toISOString(),
    "2026-03-08T10:30:00.000Z",
  );
});

test("a wall clock that is not there yet is no instant", () => {
  assert.equal(instant("", "", "UTC"), null);
  assert.equal(instant("2026-11-24", "", "UTC"), null);
});

test("durations are rounded up and said in the largest fitting unit", () => {
  page("en");
  assert.equal(duration(1), "1 minute");
  assert.equal(duration(89), "89 minutes");
  assert.equal(duration(90), "2 hours");
  assert.equal(duration(36 * 60), "2 days");
  assert.equal(minutesBetween(new Date(0), new Date(61_000)), 2);
  assert.equal(minutesBetween(new Date(61_000), new Date(0)), 0);
});

test("a word of its own for the hour after noon", () => {
  page("ar");
  const messages = {
    "{time} PM": "{time} مساءً",
    "noon\u0004{time} PM": "{time} ظهرًا",
    "{time} AM": "{time} صباحًا",
  };
  install({ messages, plural: () => 0 });
  assert.equal(clock(new Date("2026-06-01T12:30:00Z"), "UTC"), "12:30 ظهرًا");
  assert.equal(clock(new Date("2026-06-01T13:30:00Z"), "UTC"), "1:30 مساءً");
});

test("the time of day in a zone is what a form field takes", () => {
  assert.equal(timeIn(new Date("2026-11-24T16:05:00Z"), "America/Los_Angeles"), "08:05");
  assert.equal(timeIn(new Date("2026-11-24T21:05:00Z"), "Asia/Kuwait"), "00:05");
});
