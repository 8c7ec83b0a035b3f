/** What the board says about a consult and its people, in words. */

import { t } from "./i18n.ts";
import { countryName, languageName } from "./names.ts";
import type { BoardPerson, BoardRow, CheckResult, DeviceCheck, Role } from "./protocol.gen.ts";

export type Tone = "good" | "warn" | "stop" | "terp" | "act" | "";

export interface Said {
  readonly words: string;
  readonly tone: Tone;
  readonly icon: string;
}

const BARRED = new Set<BoardPerson["seat"]>(["declined", "removed", "revoked"]);

/** The person of a role who counts: one who was sent away only when there is no other. */
export function personOf(row: BoardRow, role: Role): BoardPerson | undefined {
  const all = row.people.filter((person) => person.role === role);
  return all.find((person) => !BARRED.has(person.seat)) ?? all[0];
}

/** A person's name, or what they are when the name was erased. */
export function nameOf(person: BoardPerson | undefined, fallback: string): string {
  return person?.name || fallback;
}

/** The city alone, or the country where no city is known. */
export function cityOf(person: BoardPerson): string {
  return person.city ?? (person.country ? countryName(person.country) : "");
}

/** "Kuwait City, Kuwait": where somebody is, as far as it is known. */
export function placeOf(person: BoardPerson): string {
  const country = person.country ? countryName(person.country) : "";
  if (!person.city) return country;
  return country ? t("{city}, {country}", { city: person.city, country }) : person.city;
}

/** Where a consult stands, for the day's list. */
export function stateOf(row: BoardRow): Said {
  switch (row.phase) {
    case "ended":
      return { words: t("over"), tone: "", icon: "check" };
    case "cancelled":
      return { words: t("cancelled"), tone: "stop", icon: "x" };
    case "no_show":
      return { words: t("did not come"), tone: "warn", icon: "clock" };
    case "in_progress":
      return { words: t("in consult"), tone: "act", icon: "cam" };
    default:
      return row.waiting_since
        ? { words: t("waiting"), tone: "good", icon: "clock" }
        : { words: t("booked"), tone: "", icon: "cal" };
  }
}

/** Whether the interpreter is there, and who it is. */
export function interpreterOf(row: BoardRow): Said {
  const person = personOf(row, "interpreter");
  if (!person) return { words: t("No interpreter"), tone: "", icon: "x" };
  const name = nameOf(person, t("Interpreter"));
  switch (person.seat) {
    case "present":
    case "on_hold":
      return { words: t("{name} is in the consult", { name }), tone: "terp", icon: "check" };
    case "waiting":
      return { words: t("{name} is ready", { name }), tone: "terp", icon: "check" };
    case "lost":
      return { words: t("{name} lost the connection", { name }), tone: "warn", icon: "wifi" };
    default:
      return { words: t("{name} is not here yet", { name }), tone: "warn", icon: "clock" };
  }
}

/** The language spoken with the patient. */
export function languageOf(row: BoardRow): string {
  const tag = row.interpreting?.[0] ?? personOf(row, "patient")?.language;
  return tag ? languageName(tag) : "";
}

/** The device check in one to three lines; what is wrong comes first. */
export function checkLines(check: DeviceCheck | null): Said[] {
  if (!check || (!check.camera && !check.microphone && !check.network)) {
    return [{ words: t("Not checked yet"), tone: "", icon: "clock" }];
  }
  const lines: Said[] = [];
  if (check.microphone && check.microphone !== "ok")
    lines.push({ words: microphoneFault(check.microphone), tone: "stop", icon: "micoff" });
  if (check.camera && check.camera !== "ok")
    lines.push({ words: cameraFault(check.camera), tone: "warn", icon: "camoff" });
  if (check.speaker && check.speaker !== "ok")
    lines.push({ words: t("Hears nothing"), tone: "stop", icon: "speaker" });
  if (check.network && check.network !== "ok")
    lines.push({ words: t("Network blocks the call"), tone: "stop", icon: "wifi" });
  return lines.length > 0 ? lines : [{ words: t("Camera, sound"), tone: "good", icon: "check" }];
}

function microphoneFault(result: Exclude<CheckResult, "ok">): string {
  switch (result) {
    case "denied":
      return t("Microphone blocked");
    case "missing":
      return t("No microphone");
    case "silent":
      return t("Microphone is silent");
    case "failed":
      return t("Microphone does not work");
  }
}

function cameraFault(result: Exclude<CheckResult, "ok">): string {
  switch (result) {
    case "denied":
      return t("Camera blocked");
    case "missing":
      return t("No camera");
    case "silent":
    case "failed":
      return t("Camera does not work");
  }
}

/** The connection now, when it is worth a word. */
export function connectionOf(person: BoardPerson): Said {
  if (!person.connected || person.connection_level === "lost")
    return { words: t("Connection lost"), tone: "stop", icon: "wifi" };
  if (person.connection_level === "weak") return { words: t("Weak connection"), tone: "warn", icon: "wifi" };
  if (person.connection_level === "fair") return { words: t("Fair connection"), tone: "warn", icon: "wifi" };
  return { words: t("Good connection"), tone: "good", icon: "wifi" };
}

export function roleName(role: Role): string {
  switch (role) {
    case "patient":
      return t("Patient");
    case "companion":
      return t("Companion");
    case "physician":
      return t("Physician");
    case "interpreter":
      return t("Interpreter");
    case "coordinator":
      return t("Coordinator");
  }
}
