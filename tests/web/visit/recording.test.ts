/** Requirements of what is said about a recording, decided by the view alone. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConsultView, RecordingView, Role } from "../../../web/client/src/protocol.gen.ts";
import { pickVoice } from "../../../web/client/src/room/recording-voice.ts";
import {
  answerWords,
  newsWords,
  reads,
  seenOf,
  stateWords,
  withoutText,
} from "../../../web/client/src/room/recording-words.ts";
import { Refusal } from "../../../web/client/src/socket.ts";
import { allowed } from "../../../web/client/src/visit-gate.ts";
import { recordedWords } from "../../../web/client/src/visit-recorded.ts";
import { refusalWords } from "../../../web/client/src/visit-words.ts";
import { person, view } from "./samples.ts";

Object.assign(globalThis.document, { documentElement: { lang: "en" } });

const PEOPLE = [
  person({ id: "me", role: "patient", name: "Salma" }),
  person({ id: "elena", role: "physician", name: "Dr. Marlowe", language: "en" }),
  person({ id: "karim", role: "interpreter", name: "Karim" }),
];

function recording(changes: Partial<RecordingView> = {}): RecordingView {
  const answers = ["me", "elena", "karim"].map((participant) => ({ participant, answer: "agreed" as const }));
  const at = "2026-11-24T16:30:00Z";
  const given = { id: "r", no: 1, what: "video", state: "on", why: null, since: at, begun: true } as const;
  return { ...given, mine: "agreed", answers, ...changes };
}

function seen(changes: Partial<RecordingView> | null, role: Role = "patient"): ConsultView {
  return { ...view({ role, people: PEOPLE }), recording: changes && recording(changes) };
}

type Given = RecordingView["answers"][number]["answer"];

function answered(of: Readonly<Record<string, Given>>): RecordingView["answers"] {
  return Object.entries(of).map(([participant, answer]) => ({ participant, answer }));
}

test("the mark says in words whether one is recorded", () => {
  assert.equal(stateWords(seen(null)), "Not recorded");
  assert.equal(stateWords(seen({ state: "asked" })), "Not recorded yet");
  assert.equal(stateWords(seen({})), "Recording");
  assert.equal(stateWords(seen({ what: "audio" })), "Recording sound");
  assert.equal(stateWords(seen({ state: "stopped", why: "physician" })), "Not recorded");
});

test("a paused recording names whom it waits for, and oneself first", () => {
  const waits = (of: Readonly<Record<string, Given>>): string =>
    stateWords(seen({ state: "paused", why: "newcomer", answers: answered(of) }));
  assert.equal(waits({ me: "agreed", karim: null }), "Recording paused: waits for Karim to agree");
  assert.equal(
    waits({ me: "agreed", karim: null, elena: null }),
    "Recording paused: waits for Karim and Dr. Marlowe to agree",
  );
  assert.equal(waits({ me: null, karim: null }), "Recording paused: your answer is missing");
  assert.equal(waits({}), "Recording paused");
});

test("a recording somebody stands against says who, in the same words for a no and a stop", () => {
  for (const answer of ["refused", "revoked"] as const) {
    const of = (who: Readonly<Record<string, Given>>): string =>
      stateWords(seen({ state: "paused", why: answer, answers: answered(who) }));
    assert.equal(of({ me: "agreed", karim: answer }), "Recording paused: Karim does not agree");
    assert.equal(of({ me: answer, karim: answer }), "Recording paused: you do not agree");
    assert.equal(of({ elena: answer, karim: answer }), "Recording paused: not everybody agrees");
  }
  assert.equal(stateWords(seen({ state: "paused", why: "failed" })), "Recording paused: technical fault");
  assert.equal(stateWords(seen({ state: "paused", why: "briefing" })), "Recording paused: private briefing");
});

test("what changes is said once, and names nobody, because others may hear it", () => {
  const steps: (Partial<RecordingView> | null)[] = [
    null,
    { state: "asked", begun: false },
    {},
    {},
    { state: "paused", why: "revoked", answers: answered({ karim: "revoked" }) },
    { state: "paused", why: "newcomer", answers: answered({ karim: null }) },
    {},
    { state: "stopped", why: "physician" },
    { no: 2, state: "asked", begun: false },
    { no: 2, state: "stopped", why: "physician", begun: false },
  ];
  let before: ReturnType<typeof seenOf> | null = null;
  const said = steps.map((changes) => {
    const now = changes && recording(changes);
    const words = newsWords(before, now);
    before = seenOf(now);
    return words;
  });
  assert.deepEqual(said, [
    "",
    "",
    "This visit is now recorded.",
    "",
    "The recording is paused.",
    "",
    "This visit is recorded again.",
    "The recording is over.",
    "",
    "The visit is not recorded.",
  ]);
});

test("whoever comes back while it is on is told at once", () => {
  assert.equal(newsWords(null, recording()), "This visit is being recorded.");
  assert.equal(newsWords(null, recording({ state: "paused" })), "");
});

test("outside of the room one reads that it is recorded, and that one is asked first", () => {
  assert.match(recordedWords(seen({ mine: null })), /being recorded.*You are asked/);
  assert.match(recordedWords(seen({ mine: "agreed" })), /being recorded.*You agreed/);
  assert.match(recordedWords(seen({ state: "paused", mine: null })), /paused/);
  assert.equal(recordedWords(seen({ state: "stopped" })), "");
  assert.equal(recordedWords(seen(null)), "");
});

test("an answer is told by name, one's own as one's own", () => {
  assert.equal(answerWords("Karim", false, "agreed"), "Karim agrees");
  assert.equal(answerWords("Karim", false, "revoked"), "Karim does not agree");
  assert.equal(answerWords("Karim", false, null), "Karim is asked");
  assert.equal(answerWords("Salma", true, "refused"), "You do not agree");
});

test("only a voice of this device reads aloud, in the language of the words", () => {
  const voice = (lang: string, localService = true): { lang: string; localService: boolean } => ({
    lang,
    localService,
  });
  assert.equal(pickVoice([voice("es-MX", false)], "es"), null);
  assert.equal(pickVoice([voice("est-EE"), voice("en-US")], "es"), null);
  assert.equal(pickVoice([voice("en-US"), voice("es_MX")], "es")?.lang, "es_MX");
  assert.equal(pickVoice([voice("zh-HK"), voice("zh-CN")], "zh-Hans")?.lang, "zh-CN");
  assert.equal(pickVoice([voice("ar-EG"), voice("ar")], "ar")?.lang, "ar");
});

test("a physician is told which guests could not agree, whatever their dialect is called", () => {
  const guest = (language: string, seat: "present" | "left" = "present"): string[] =>
    withoutText(view({ people: [person({ language, seat }), ...PEOPLE.slice(1)] }), [
      "en",
      "ar",
      "zh-Hans",
    ]).map(({ name }) => name);
  assert.deepEqual(guest("fr"), ["Salma Al-Rashidi"]);
  assert.deepEqual(guest("ar-EG"), []);
  assert.deepEqual(guest("yue"), []);
  assert.deepEqual(guest("fr", "left"), []);
  assert.equal(reads("es-MX", "es"), true);
  assert.equal(reads("es", "est"), false);
});

test("asking and stopping are there only for those who may", () => {
  for (const name of ["ask_recording", "stop_recording"] as const) {
    assert.equal(allowed(name, view({ can: ["refuse_recording"] })), false);
    assert.equal(allowed(name, view({ can: [name] })), true);
  }
});

test("what the server refuses about a recording is said in words of its own", () => {
  const words = ["text_not_reviewed", "already_asked"].map((code) => refusalWords(new Refusal(code)));
  assert.match(words[0] ?? "", /reviewed/);
  assert.match(words[1] ?? "", /asked already/);
});
