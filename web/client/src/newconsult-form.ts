/** What the form of a new consult says: what is missing in it, and the message it becomes. */

import { t } from "./i18n.ts";
import type { InvitationLink, Person, Schedule } from "./protocol.gen.ts";

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export interface Fields {
  readonly patientName: string;
  readonly birthYear: string;
  readonly language: string;
  readonly country: string;
  readonly city: string;
  readonly zone: string;
  readonly startsAt: Date | null;
  readonly minutes: number;
  readonly physician: Choice;
  /** A staff account's id, "invite" for an agency's interpreter, "call" for whoever is free then, "" for none. */
  readonly interpreter: Choice;
  readonly interpreterName: string;
  readonly companionName: string;
}

export interface Fault {
  /** Id of the element to correct. */
  readonly field: string;
  readonly words: string;
}

const BIRTH_YEAR_MIN = 1880;
const INVITED = "invite";
const CALLED = "call";

/** The first thing that is missing or cannot be, in the order of the form. */
export function faultIn(fields: Fields, now = new Date()): Fault | null {
  const year = Number(fields.birthYear);
  const checks: readonly (readonly [boolean, string, string])[] = [
    [fields.patientName !== "", "patient-name", t("Please write the patient’s name.")],
    [
      /^\d{4}$/.test(fields.birthYear) && year >= BIRTH_YEAR_MIN && year <= now.getUTCFullYear(),
      "birth-year",
      t("Please write the year of birth with four digits."),
    ],
    [fields.language !== "", "language", t("Please choose the patient’s language.")],
    [fields.country !== "", "country", t("Please choose the country.")],
    [fields.zone !== "", "zone", t("Please choose the time zone.")],
    [fields.startsAt !== null, "day", t("Please choose a date and a time.")],
    [
      fields.startsAt === null || fields.startsAt.getTime() + fields.minutes * 60_000 > now.getTime(),
      "day",
      t("This time is in the past."),
    ],
    [fields.physician.value !== "", "physician", t("Please choose the physician.")],
    [
      fields.interpreter.value !== INVITED || fields.interpreterName !== "",
      "interpreter-name",
      t("Please write the interpreter’s name."),
    ],
  ];
  const found = checks.find(([fine]) => !fine);
  return found ? { field: found[1], words: found[2] } : null;
}

/** The message without its type and id; only for fields in which faultIn finds nothing. */
export function scheduleMessage(fields: Fields): Omit<Schedule, "type" | "command_id"> {
  const starts = fields.startsAt ?? new Date(0);
  return {
    starts_at: starts.toISOString(),
    ends_at: new Date(starts.getTime() + fields.minutes * 60_000).toISOString(),
    people: people(fields),
    on_demand: fields.interpreter.value === CALLED,
  };
}

function people(fields: Fields): Person[] {
  const list: Person[] = [
    {
      role: "patient",
      language: fields.language,
      name: fields.patientName,
      birth_year: Number(fields.birthYear),
      time_zone: fields.zone,
      country: fields.country,
      city: fields.city || null,
    },
    { role: "physician", language: "en", user: fields.physician.value },
  ];
  if (fields.interpreter.value === INVITED)
    list.push({ role: "interpreter", language: fields.language, name: fields.interpreterName });
  else if (fields.interpreter.value && fields.interpreter.value !== CALLED)
    list.push({ role: "interpreter", language: fields.language, user: fields.interpreter.value });
  if (fields.companionName)
    list.push({ role: "companion", language: fields.language, name: fields.companionName });
  return list;
}

/** Whom each link is for. The server makes links in the order of the people, for those without an account. */
export function labelsFor(links: readonly InvitationLink[], fields: Fields): ReadonlyMap<string, string> {
  const invited = people(fields).filter((person) => !person.user);
  const names = invited.map((person) => {
    const name = person.name ?? "";
    if (person.role === "patient") return t("{name} (patient)", { name });
    return person.role === "interpreter"
      ? t("{name} (interpreter)", { name })
      : t("{name} (companion)", { name });
  });
  return new Map(links.map((link, index) => [link.participant, names[index] ?? ""]));
}
