/** The day's list: every consult with its time here and there, the next one marked. */

import { cityOf, nameOf, OVER, personOf, stateOf } from "./board-words.ts";
import { bdi, h, icon } from "./dom.ts";
import { t } from "./i18n.ts";
import type { BoardRow } from "./protocol.gen.ts";
import { clock, weekday } from "./times.ts";

/** The first consult of the day that has not begun yet. */
export function nextOf(rows: readonly BoardRow[], now: Date): BoardRow | undefined {
  return rows.find(
    (row) => !OVER.has(row.phase) && row.phase !== "in_progress" && new Date(row.ends_at) > now,
  );
}

export function todayItems(
  rows: readonly BoardRow[],
  now: Date,
  zone: string,
  open: (row: BoardRow) => (() => void) | null,
): HTMLElement[] {
  const next = nextOf(rows, now);
  return rows.map((row) => item(row, row === next, zone, open));
}

function item(
  row: BoardRow,
  next: boolean,
  zone: string,
  open: (row: BoardRow) => (() => void) | null,
): HTMLElement {
  const patient = personOf(row, "patient");
  const at = new Date(row.starts_at);
  const state = stateOf(row);
  const style = OVER.has(row.phase) ? "past" : next ? "next" : "";
  const name = nameOf(patient, t("Patient"));
  const there = patient?.time_zone
    ? h("span", { class: "small dim" }, timeThere(at, patient.time_zone), " ", bdi(cityOf(patient)))
    : null;
  return h(
    "li",
    { class: style, "data-consult": row.consult_id },
    h("time", { class: "num", datetime: row.starts_at }, clock(at, zone)),
    h("span", {}, nameOrButton(row, name, open(row))),
    h("span", { class: `tag ${state.tone}` }, state.words),
    h("div", { class: "more-of" }, there, physicianLine(row)),
  );
}

function nameOrButton(row: BoardRow, name: string, open: (() => void) | null): HTMLElement {
  if (!open) return h("b", {}, bdi(name));
  const attributes = {
    class: "plain",
    "data-do": "manage",
    "data-key": `today-${row.consult_id}`,
    onclick: open,
  };
  return h("button", { type: "button", ...attributes }, bdi(name));
}

function physicianLine(row: BoardRow): HTMLElement | null {
  const physician = personOf(row, "physician");
  if (row.mine || !physician) return null;
  return h("span", { class: "small dim line-of" }, bdi(nameOf(physician, t("Physician"))));
}

/** The clock there with its weekday. */
function timeThere(at: Date, there: string): Node {
  const values = { time: clock(at, there), weekday: weekday(at, there) };
  return h("span", { class: "num" }, t("{time} {weekday},", values));
}

/** What stands where nobody waits; `next` is null where another day than today is shown. */
export function emptyState(
  next: BoardRow | null | undefined,
  zone: string,
  enter: (row: BoardRow) => void,
): HTMLElement {
  const none = next === null ? "" : t("No more consults are booked for today.");
  return h(
    "div",
    { class: "empty" },
    h("span", { class: "hero" }, icon("clock")),
    h("h2", {}, t("Nobody is waiting")),
    h("p", { class: "dim" }, next ? nextWords(next, zone) : none),
    h("p", { class: "dim" }, t("When somebody comes, this page shows it at once. It can chime too.")),
    next?.mine ? enterButton(next, enter) : null,
  );
}

function enterButton(row: BoardRow, enter: (row: BoardRow) => void): HTMLElement {
  const attributes = { class: "btn", "data-do": "enter", "data-key": `next-${row.consult_id}` };
  return h("button", { type: "button", ...attributes, onclick: () => enter(row) }, t("Open consult"));
}

/** Who comes next and when, here and there. */
function nextWords(row: BoardRow, zone: string): string {
  const patient = personOf(row, "patient");
  const at = new Date(row.starts_at);
  const when = { name: nameOf(patient, t("Patient")), weekday: weekday(at, zone), time: clock(at, zone) };
  if (!patient?.time_zone) return t("Next: {name}, {weekday} {time}.", when);
  const there = {
    place: cityOf(patient),
    day: weekday(at, patient.time_zone),
    clock: clock(at, patient.time_zone),
  };
  return t("Next: {name}, {weekday} {time} here, {day} {clock} in {place}.", { ...when, ...there });
}
