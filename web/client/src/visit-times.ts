/** When a visit is planned: on this device's clock and the clinic's, each with its day. */

import { bdi, h } from "./dom.ts";
import { t } from "./i18n.ts";
import { clock, clocksDiffer, date, deviceZone, weekday, type Zone } from "./times.ts";

/** One line a clock, the reader's own first. */
export function plannedLines(at: Date, clinic: Zone): HTMLElement[] {
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
  if (!clocksDiffer(at, own.id, clinic.id)) return [line(clinic, there)];
  return [line(own, t("Your time")), line(clinic, there)];
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
