/** What identifies a patient, and where they are: read aloud at admission, and at hand in an emergency. */

import { bdi, h } from "../dom.ts";
import { t } from "../i18n.ts";
import { countryName, languageName } from "../names.ts";
import type { PersonView } from "../protocol.gen.ts";
import { clock, weekday } from "../times.ts";

/** The lines of a description list. */
export function facts(person: PersonView, now: Date): HTMLElement[] {
  const lines: HTMLElement[] = [];
  const line = (label: string, value: string | null | undefined, ltr = false): void => {
    if (value) lines.push(h("dt", {}, label), h("dd", {}, bdi(value, ltr ? { dir: "ltr" } : {})));
  };
  line(t("Name"), person.name);
  line(t("Born"), person.birth_year === null ? null : String(person.birth_year));
  line(t("Speaks"), languageName(person.language));
  line(t("Their time"), person.time_zone && timeThere(now, person.time_zone));
  line(t("Country"), person.country && countryName(person.country));
  line(t("Booked from"), person.city);
  line(t("Where now"), person.location);
  line(t("Emergency number there"), person.emergency_number, true);
  return lines;
}

function timeThere(now: Date, zone: string): string {
  return t("{weekday} {time}", { weekday: weekday(now, zone), time: clock(now, zone) });
}
