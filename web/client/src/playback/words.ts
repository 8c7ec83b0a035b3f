/** What the pages of recordings say: times, states, purposes, reasons and events. */

import { Failure } from "../api.ts";
import { t, tn } from "../i18n.ts";
import { roleName, type Said } from "../people-words.ts";
import { clock, date, type Zone } from "../times.ts";
import type { Gap, Moment, Strip } from "./film.ts";
import type { Person, Purpose, RowState } from "./shapes.ts";

const MINUTE_S = 60;
const HOUR_S = 3600;

/** "9:58", with hours in front when there are any: a place in a recording. */
export function place(atS: number): string {
  const s = Math.max(0, Math.floor(atS));
  const two = (n: number): string => String(n).padStart(2, "0");
  const rest = `${two(Math.floor(s / MINUTE_S) % 60)}:${two(s % 60)}`;
  return s >= HOUR_S ? `${Math.floor(s / HOUR_S)}:${rest}` : rest.replace(/^0/, "");
}

/** "1 min 11 s": how long something is, short. */
export function shortLength(lengthS: number): string {
  const s = Math.max(1, Math.round(lengthS));
  const values = { h: Math.floor(s / HOUR_S), min: Math.floor(s / MINUTE_S) % 60, s: s % 60 };
  if (values.h > 0) return t("{h} h {min} min", values);
  return values.min > 0 ? t("{min} min {s} s", values) : t("{s} s", values);
}

/** "9 minutes 58 seconds": for whoever hears the page. */
export function spokenLength(lengthS: number): string {
  const s = Math.max(0, Math.floor(lengthS));
  const minutes = tn("{n} minute", "{n} minutes", Math.floor(s / MINUTE_S));
  const seconds = tn("{n} second", "{n} seconds", s % MINUTE_S);
  return s < MINUTE_S ? seconds : t("{minutes} {seconds}", { minutes, seconds });
}

/** "Tuesday, 24 November 2026, 8:36 AM", as it is in a zone. */
export function whenWords(iso: string, zone: Zone): string {
  const at = new Date(iso);
  return t("{date}, {time}", { date: date(at, zone.id, true), time: clock(at, zone.id) });
}

export function whatWords(what: "audio" | "video"): string {
  return what === "video" ? t("Picture and sound") : t("Sound only");
}

export function stateWords(state: RowState): Said {
  switch (state) {
    case "complete":
      return { words: t("Complete"), tone: "good", icon: "shield" };
    case "torn":
      return { words: t("Not complete"), tone: "warn", icon: "warn" };
    case "tampered":
      return { words: t("Changed afterwards"), tone: "stop", icon: "warn" };
    case "missing":
      return { words: t("Not found"), tone: "stop", icon: "warn" };
    case "preparing":
      return { words: t("Being prepared"), tone: "act", icon: "clock" };
    case "recording":
      return { words: t("Under way"), tone: "act", icon: "rec" };
    case "destroyed":
      return { words: t("Destroyed"), tone: "", icon: "x" };
  }
}

/** Why people open a recording, in the order in which they are offered. */
export function purposes(): readonly (readonly [Purpose, string])[] {
  return [
    ["treatment", t("Treatment")],
    ["patient_request", t("The patient asked for it")],
    ["quality", t("Quality of care")],
    ["legal", t("A legal matter")],
  ];
}

export function purposeName(purpose: string | null): string {
  return purposes().find(([one]) => one === purpose)?.[1] ?? "–";
}

/** Why nothing was kept for a while; "" when it is not known. */
export function reasonWords(why: string): string {
  switch (why) {
    case "newcomer":
      return t("somebody joined");
    case "refused":
      return t("consent refused");
    case "revoked":
      return t("consent revoked");
    case "disk":
      return t("no room on the disk");
    case "technical":
      return t("technical fault");
    case "physician":
      return t("paused by the physician");
    case "part_lost":
      return t("a part is missing");
    default:
      return "";
  }
}

export function gapWords(gap: Gap): string {
  const values = { length: shortLength(gap.endS - gap.startS), why: reasonWords(gap.why) };
  return values.why ? t("paused for {length} ({why})", values) : t("paused for {length}", values);
}

export function personName(person: Person | null): string {
  if (!person) return t("Somebody");
  return person.name || roleName(person.role);
}

export function stripName(strip: Strip): string {
  const name = personName(strip.person);
  return strip.kind === "screen" ? t("Screen of {name}", { name }) : name;
}

/** A moment as the list says it: what happened, and a detail or "". */
export function momentWords({ kind, person, why, amount }: Moment): readonly [string, string] {
  const name = personName(person);
  switch (kind) {
    case "gap":
      return [t("Gap of {length}", { length: shortLength(amount) }), reasonWords(why)];
    case "recording_started":
      return [t("Recording starts"), amount > 0 ? tn("{n} person agreed", "{n} people agreed", amount) : ""];
    case "recording_paused":
      return [t("Recording pauses"), reasonWords(why)];
    case "recording_resumed":
      return [t("Recording goes on"), ""];
    case "recording_stopped":
      return [t("Recording ends"), reasonWords(why)];
    case "joined":
      return [t("{name} joins", { name }), person ? roleName(person.role) : ""];
    case "left":
      return [t("{name} leaves", { name }), ""];
    case "lost":
      return [t("{name} loses the connection", { name }), ""];
    case "returned":
      return [t("{name} is back", { name }), ""];
    case "consented":
      return [t("{name} agrees to the recording", { name }), ""];
    case "revoked":
      return [t("{name} takes the consent back", { name }), ""];
    case "refused":
      return [t("{name} does not agree to the recording", { name }), ""];
    case "interpreting_started":
      return [t("Interpreting starts"), person ? name : ""];
    case "part_lost":
      return [t("A part is missing from here"), ""];
  }
}

/** Why a recording cannot be shown, from the code of the vault. */
export function failedWords(code: string): string {
  switch (code) {
    case "destroyed":
      return t("This recording was destroyed. Nothing can bring it back.");
    case "no_key":
      return t("The key of this recording is not here. Please ask the administrator.");
    case "missing":
      return t("The file of this recording was not found. Please tell the administrator.");
    case "tampered":
      return t("This recording was changed after it was made. It is not shown.");
    case "running":
      return t("This recording is still under way.");
    case "too_many":
    case "busy":
      return t("Other recordings are being prepared. Please try again in a few minutes.");
    case "stopped":
      return t("It was stopped.");
    default:
      return t("The recording could not be prepared. Please try again.");
  }
}

/** Why a request was not done, for the person who asked. */
export function faultWords(error: unknown): string {
  const failure = error instanceof Failure ? error : new Failure("internal");
  switch (failure.code) {
    case "offline":
    case "timeout":
      return t("There is no connection. Please try again.");
    case "sign_in_needed":
      return t("Please sign in again.");
    case "forbidden":
    case "not_permitted":
      return t("You may not do this with this recording.");
    case "not_found":
      return t("This recording is not here any more.");
    case "not_now":
      return t("This is not possible at the moment.");
    case "busy":
      return t("The recordings cannot be reached at the moment. Please try again in a moment.");
    case "too_many":
      return t("That was too fast. Please wait a moment.");
    case "bad_request":
      return t("Something is missing or not written as it should be.");
    default:
      return failure.supportId
        ? t("Something went wrong on our side. Please say this number if you call us: {number}", {
            number: failure.supportId,
          })
        : t("This did not work. Please try again.");
  }
}
