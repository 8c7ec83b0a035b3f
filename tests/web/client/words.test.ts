/** Messages, names, calendar entries, browsers and forms: the parts of the client that need no page. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { waitingPeople } from "../../../web/client/src/board-rows.ts";
import { deviceOf, surroundingApp } from "../../../web/client/src/browser.ts";
import { calendarFile } from "../../../web/client/src/calendar.ts";
import { install, t, tc, tn } from "../../../web/client/src/i18n.ts";
import { initials } from "../../../web/client/src/names.ts";
import { type Fields, faultIn, labelsFor, scheduleMessage } from "../../../web/client/src/newconsult-form.ts";
import { newsFilter } from "../../../web/client/src/news.ts";
import type { BoardRow } from "../../../web/client/src/protocol.gen.ts";

test("without a catalogue the English sentence is shown", () => {
  assert.equal(t("Hello {name}", { name: "Ada" }), "Hello Ada");
  assert.equal(tn("{n} day", "{n} days", 1), "1 day");
  assert.equal(tn("{n} day", "{n} days", 0), "0 days");
  assert.equal(t("Unknown {thing}"), "Unknown {thing}");
});

test("a catalogue is asked for the message, its context and the form for the number", () => {
  install({
    messages: { Leave: "مغادرة", "noun\u0004Leave": "إجازة", "{n} day": ["صفر", "يوم واحد", "يومان"] },
    plural: (n) => Math.min(n, 2),
  });
  assert.equal(t("Leave"), "مغادرة");
  assert.equal(tc("noun", "Leave"), "إجازة");
  assert.equal(tn("{n} day", "{n} days", 2), "يومان");
  assert.equal(tn("{n} night", "{n} nights", 2), "2 nights");
});

test("a name in another direction is isolated from the sentence, a number is not", () => {
  install({ messages: { "{name} waits {n}": "{name} ينتظر {n}" }, plural: () => 0 });
  assert.equal(t("{name} waits {n}", { name: "Ada", n: 5 }), "\u2068Ada\u2069 ينتظر 5");
  assert.equal(t("{name} waits {n}", { name: "سلمى", n: 5 }), "سلمى ينتظر 5");
});

test("initials leave titles out and follow the script", () => {
  assert.equal(initials("Dr. Elena Marlowe"), "EM");
  assert.equal(initials("Ana María de la Cruz"), "AC");
  assert.equal(initials("Madonna"), "M");
  assert.equal(initials("د. سلمى الراشدي"), "س\u200cا");
  assert.equal(initials(""), "");
});

test("a calendar entry has UTC times, escaped text and lines of at most 75 octets", () => {
  const file = calendarFile({
    uid: "a@b",
    startsAt: new Date("2026-11-24T16:30:00Z"),
    endsAt: new Date("2026-11-24T17:00:00Z"),
    madeAt: new Date("2026-11-01T00:00:00Z"),
    title: "Visit; with, Dr\\X",
    description: `${"موعدك الطبي بالفيديو ".repeat(8)}\nEnd`,
  });
  assert.match(file, /\r\nDTSTART:20261124T163000Z\r\n/);
  assert.match(file, /\r\nDTEND:20261124T170000Z\r\n/);
  assert.match(file, /\r\nSUMMARY:Visit\\; with\\, Dr\\\\X\r\n/);
  assert.ok(file.endsWith("END:VCALENDAR\r\n"));
  for (const line of file.split("\r\n")) assert.ok(new TextEncoder().encode(line).length <= 75, line);
  assert.ok(file.replaceAll("\r\n ", "").includes("موعدك الطبي بالفيديو \\nEnd"));
});

const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
const PIXEL = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko)";

test("applications that open links inside themselves are recognised", () => {
  assert.equal(surroundingApp(`${IPHONE} Mobile/15E148 MicroMessenger/8.0.40`), "WeChat");
  assert.equal(surroundingApp(`${IPHONE} Mobile/15E148 Instagram 300.0`), "Instagram");
  assert.equal(surroundingApp(`${IPHONE} Mobile/15E148 [FBAN/MessengerForiOS;FBAV/400]`), "Messenger");
  assert.equal(
    surroundingApp(`${PIXEL} Version/4.0 Chrome/120 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/440]`),
    "Facebook",
  );
  assert.equal(surroundingApp(`${PIXEL} Chrome/120 Mobile Safari/537.36 Line/13.20`), "LINE");
  assert.equal(
    surroundingApp(`${PIXEL} Version/4.0 Chrome/120 Mobile Safari/537.36 WhatsApp/2.23`),
    "WhatsApp",
  );
  assert.equal(surroundingApp(`${PIXEL} Chrome/120 Mobile Safari/537.36 Telegram-Android/10.1`), "Telegram");
});

test("an unknown web view is one too, a browser is none", () => {
  assert.equal(surroundingApp(`${IPHONE} Mobile/15E148`), "");
  assert.equal(
    surroundingApp("Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 Chrome/120"),
    "",
  );
  assert.equal(surroundingApp(`${IPHONE} Version/17.0 Mobile/15E148 Safari/604.1`), null);
  assert.equal(surroundingApp(`${IPHONE} CriOS/120 Mobile/15E148 Safari/604.1`), null);
  assert.equal(surroundingApp(`${PIXEL} Chrome/120.0.0.0 Mobile Safari/537.36`), null);
  assert.equal(
    surroundingApp("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    null,
  );
});

test("the steps are those of the device", () => {
  assert.equal(deviceOf(IPHONE), "ios");
  assert.equal(deviceOf(PIXEL), "android");
  assert.equal(deviceOf("Mozilla/5.0 (Macintosh)"), "computer");
});

test("a view older than one already shown is no news", () => {
  const isNews = newsFilter();
  const view = (version: number, presence_rev: number): { type: string } =>
    Object.assign({ type: "consult_view" }, { version, presence_rev });
  assert.equal(isNews(view(3, 1)), true);
  assert.equal(isNews(view(2, 9)), false);
  assert.equal(isNews(view(3, 0)), false);
  assert.equal(isNews(view(3, 1)), true);
  assert.equal(isNews(view(4, 0)), true);
  assert.equal(isNews(Object.assign({ type: "board_view" }, { revision: 1 })), true);
  assert.equal(isNews({ type: "media_lost" }), true);
});

const FILLED: Fields = {
  patientName: "Salma",
  birthYear: "1959",
  language: "ar",
  country: "KW",
  city: "Kuwait City",
  zone: "Asia/Kuwait",
  startsAt: new Date("2026-11-24T16:30:00Z"),
  minutes: 30,
  physician: { value: "u1", label: "Dr. Elena Marlowe" },
  interpreter: { value: "invite", label: "" },
  interpreterName: "Karim",
  companionName: "Huda",
};
const BEFORE = new Date("2026-11-20T00:00:00Z");

test("the first thing missing in a new consult is named with its field", () => {
  install({ messages: {}, plural: () => 0 });
  assert.equal(faultIn(FILLED, BEFORE), null);
  assert.equal(faultIn({ ...FILLED, patientName: "" }, BEFORE)?.field, "patient-name");
  for (const birthYear of ["", "59", "2099", "1700", "abcd"]) {
    assert.equal(faultIn({ ...FILLED, birthYear }, BEFORE)?.field, "birth-year", birthYear);
  }
  assert.equal(faultIn({ ...FILLED, startsAt: null }, BEFORE)?.field, "day");
  assert.equal(faultIn(FILLED, new Date("2026-11-24T18:00:00Z"))?.field, "day");
  assert.equal(faultIn({ ...FILLED, interpreterName: "" }, BEFORE)?.field, "interpreter-name");
  assert.equal(
    faultIn({ ...FILLED, interpreter: { value: "", label: "" }, interpreterName: "" }, BEFORE),
    null,
  );
});

test("a new consult has its people in order and its end from its length", () => {
  const message = scheduleMessage(FILLED);
  assert.equal(message.ends_at, "2026-11-24T17:00:00.000Z");
  assert.deepEqual(
    message.people.map((person) => [person.role, person.name ?? person.user]),
    [
      ["patient", "Salma"],
      ["physician", "u1"],
      ["interpreter", "Karim"],
      ["companion", "Huda"],
    ],
  );
  const staffed = scheduleMessage({ ...FILLED, interpreter: { value: "u3", label: "" } });
  assert.equal(staffed.people[2]?.user, "u3");
});

test("each link is labelled with the person it is for", () => {
  const links = ["a", "b", "c"].map((participant) => ({
    participant,
    url: `https://visit.example/v#${participant}`,
  }));
  const labels = labelsFor(links, FILLED);
  assert.deepEqual([...labels.values()], ["Salma (patient)", "Karim (interpreter)", "Huda (companion)"]);
});

test("nobody waits for a consult that is over", () => {
  const waits = { id: "p", role: "interpreter", seat: "waiting", further_device_waiting: false };
  const row = (phase: string): BoardRow => ({ phase, people: [waits] }) as unknown as BoardRow;
  assert.equal(waitingPeople(row("in_progress")).length, 1);
  for (const phase of ["ended", "cancelled", "no_show"]) assert.deepEqual(waitingPeople(row(phase)), []);
});
