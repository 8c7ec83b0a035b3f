/** When a visit is planned: on every clock that matters to the reader, each with its day. */

import { bdi, h } from "./dom.ts";
import { t } from "./i18n.ts";
import type { ConsultView } from "./protocol.gen.ts";
import { clock, clocksDiffer, date, deviceZone, weekday, type Zone } from "./times.ts";

/** Where the patient's clock is; null for viewers who are not told, which is everybody but staff. */
export function zoneOfPatient(view: ConsultView): Zone | null {
  const patient = view.people.find((person) => person.role === "patient");
  return patient?.time_zone ? { id: patient.time_zone, city: patient.city ?? "" } : null;
}

/** One line a clock, the reader's own first; staff see the patient's too. */
export function plannedLines(at: Date, clinic: Zone, patient: Zone | null): HTMLElement[] {
  const own = deviceZone();
  const line = (zone: Zone, words: string): HTMLElement =>
    h(
      "p",
      {},
      h("b", { class: "big-s num" }, clock(at, zone.id)),
      " ",
      date(at, zone.id),
      h("br"),
      bdi(words, { class: "dim" }),
    );
  const there = t("Doctor’s time, {city}", { city: clinic.city });
  const here = clocksDiffer(at, own.id, clinic.id) ? [line(own, t("Your time"))] : [];
  const away = patient
    ? [
        line(
          patient,
          patient.city ? t("Patient’s time, {city}", { city: patient.city }) : t("Patient’s time"),
        ),
      ]
    : [];
  return [...here, line(clinic, there), ...away];
}

/** The same in a sentence or two. */
export function plannedWords(at: Date, clinic: Zone): string {
  const own = deviceZone().id;
  const values = (zone: string) => ({ weekday: weekday(at, zone), time: clock(at, zone) });
  const here = t("The visit is planned for {weekday} at {time}, your time.", values(own));
  if (!clocksDiffer(at, own, clinic.id)) return here;
  const there = t("That is {weekday} at {time} in {city}.", { ...values(clinic.id), city: clinic.city });
  return `${here} ${there}`;
}
