/** What the board says about a consult and its people, in words. */

import { t } from "./i18n.ts";
import { countryName, languageName } from "./names.ts";
import type { Said } from "./people-words.ts";
import type { BoardPerson, BoardRow, Role } from "./protocol.gen.ts";

/** Phases in which nothing more happens in a consult. */
export const OVER: ReadonlySet<string> = new Set(["ended", "cancelled", "no_show"]);

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
