/** The rows of the board: who waits, who is in a consult, and what can be done about it. */

import { cityOf, interpreterOf, languageOf, nameOf, OVER, personOf } from "./board-words.ts";
import { bdi, h, icon } from "./dom.ts";
import { t, tn } from "./i18n.ts";
import { readinessOf, roleName, type Said } from "./people-words.ts";
import type { BoardPerson, BoardRow } from "./protocol.gen.ts";
import { clock, minutesBetween, weekday } from "./times.ts";

/** What the board does when a button is pressed. */
export interface Actions {
  readonly admit: (row: BoardRow, person: BoardPerson) => void;
  readonly enter: (row: BoardRow) => void;
  readonly notice: (row: BoardRow) => void;
  readonly cover: (row: BoardRow) => void;
  readonly manage: (row: BoardRow) => void;
}

export interface Moment {
  readonly now: Date;
  readonly clinicZone: string;
}

const LATE_MIN = 10;

/** People who wait to be let in, the patient first; nobody waits for what is over. */
export function waitingPeople(row: BoardRow): readonly BoardPerson[] {
  if (OVER.has(row.phase)) return [];
  const waiting = row.people.filter((person) => person.seat === "waiting" || person.further_device_waiting);
  return [...waiting].sort((one, other) => Number(other.role === "patient") - Number(one.role === "patient"));
}

export function said({ words, tone, icon: name }: Said, tag = false): HTMLElement {
  return h("span", { class: tag ? `tag ${tone}` : `${tone} row g1` }, icon(name), h("span", {}, words));
}

/** The table of everybody who waits; rows in the order of waiting. */
export function waitingTable(rows: readonly BoardRow[], moment: Moment, actions: Actions): HTMLElement {
  const heads = [t("Waiting"), t("Patient"), t("Time there"), t("Interpreter"), t("Device check")];
  return h(
    "table",
    { class: "queue" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ...heads.map((head) => h("th", { scope: "col" }, head)),
        h("th", { scope: "col" }, h("span", { class: "sr" }, t("Actions"))),
      ),
    ),
    h("tbody", {}, ...rows.map((row, index) => waitingRow(row, index === 0, moment, actions))),
  );
}

function waitingRow(row: BoardRow, first: boolean, moment: Moment, actions: Actions): HTMLElement {
  const patient = personOf(row, "patient");
  return h(
    "tr",
    { class: first && "first", "data-consult": row.consult_id },
    h("td", {}, ...waitCell(row, moment)),
    h("th", { scope: "row" }, ...patientCell(row, patient, actions)),
    h("td", { class: "num" }, ...placeCell(patient, moment.now)),
    h(
      "td",
      {},
      h("b", {}, languageOf(row)),
      h("br"),
      said(interpreterOf(row), true),
      admitOther(row, personOf(row, "interpreter"), actions),
    ),
    h("td", {}, ...(patient?.seat === "waiting" ? readinessOf(patient).map((line) => said(line)) : [])),
    h("td", {}, actionButtons(row, first, actions)),
  );
}

function waitCell(row: BoardRow, { now, clinicZone }: Moment): Node[] {
  const since = row.waiting_since ?? waitingPeople(row)[0]?.waiting_since;
  const minutes = since ? minutesBetween(new Date(since), now) : 0;
  const late = minutesBetween(new Date(row.starts_at), now) >= LATE_MIN;
  return [
    h(
      "span",
      { class: `wait num ${late ? "warn" : ""}` },
      minutes,
      " ",
      h("small", {}, tn("min", "min", minutes)),
    ),
    h("br"),
    h("span", { class: "dim num" }, t("booked {time}", { time: clock(new Date(row.starts_at), clinicZone) })),
  ];
}

function patientCell(row: BoardRow, patient: BoardPerson | undefined, actions: Actions): Node[] {
  const lines: Node[] = [h("b", {}, bdi(nameOf(patient, t("Patient"))))];
  if (patient?.birth_year) lines.push(line(t("born {year}", { year: patient.birth_year })));
  for (const person of row.people) {
    if (person.role === "companion" && person.seat !== "revoked") {
      lines.push(line(t("Companion: {name}", { name: nameOf(person, t("Companion")) })));
      const admit = admitOther(row, person, actions);
      if (admit) lines.push(admit);
    }
  }
  const physician = personOf(row, "physician");
  if (!row.mine && physician) lines.push(line(t("for {name}", { name: nameOf(physician, t("Physician")) })));
  lines.push(...needs(row));
  return lines;
}

function line(words: string): HTMLElement {
  return h("span", { class: "dim line-of" }, words);
}

function needs(row: BoardRow): Node[] {
  const tags: Node[] = [];
  if (row.needs.includes("consent"))
    tags.push(said({ words: t("Has not agreed yet"), tone: "warn", icon: "info" }, true));
  if (row.needs.includes("further_device"))
    tags.push(said({ words: t("Asks to move to another device"), tone: "warn", icon: "info" }, true));
  return tags.length > 0 ? [h("span", { class: "tags" }, ...tags)] : [];
}

function placeCell(patient: BoardPerson | undefined, now: Date): Node[] {
  if (!patient?.time_zone) return [];
  return [
    h("span", {}, clock(now, patient.time_zone)),
    h("br"),
    h(
      "span",
      { class: "dim" },
      t("{weekday}, {place}", { weekday: weekday(now, patient.time_zone), place: cityOf(patient) }),
    ),
  ];
}

/** The one thing to do next is filled in the first row; everything else is outlined. */
function actionButtons(row: BoardRow, first: boolean, actions: Actions): HTMLElement {
  return h(
    "div",
    { class: "acts" },
    mainButton(row, first ? "btn btn-act" : "btn", actions),
    noticeButton(row, actions),
    manageButton(row, actions),
  );
}

/** A physician opens the consult first and admits from there or from here; a coordinator admits from here. */
function mainButton(row: BoardRow, style: string, actions: Actions): HTMLElement | null {
  const patient = personOf(row, "patient");
  const myself = row.people.find((person) => person.id === row.my_participant);
  if (row.mine && myself?.seat !== "present")
    return button(t("Open consult"), style, "enter", row, () => actions.enter(row));
  if (patient && admittable(patient))
    return button(t("Admit…"), style, "admit", row, () => actions.admit(row, patient), patient.id);
  if (row.mine) return button(t("Return"), style, "enter", row, () => actions.enter(row));
  return row.can.includes("cover")
    ? button(t("Take part…"), "btn", "cover", row, () => actions.cover(row))
    : null;
}

function admittable(person: BoardPerson): boolean {
  return (person.seat === "waiting" || person.further_device_waiting) && person.can.includes("admit");
}

/** Others who wait are let in from the line where they stand. */
function admitOther(row: BoardRow, person: BoardPerson | undefined, actions: Actions): HTMLElement | null {
  if (!person || !admittable(person)) return null;
  const words = t("Admit {name}", { name: nameOf(person, roleName(person.role)) });
  const attributes = {
    class: "btn btn-s",
    "data-do": "admit",
    "data-key": `admit-${row.consult_id}-${person.id}`,
    "data-person": person.id,
    "aria-label": words,
  };
  return h(
    "button",
    { type: "button", ...attributes, onclick: () => actions.admit(row, person) },
    t("Admit…"),
  );
}

function noticeButton(row: BoardRow, actions: Actions): HTMLElement | null {
  if (!row.can.includes("send_notice")) return null;
  const label = t("Tell the waiting people");
  const attributes = {
    class: "btn btn-i",
    "data-do": "notice",
    "data-key": `notice-${row.consult_id}`,
    "aria-label": label,
    title: label,
  };
  return h("button", { type: "button", ...attributes, onclick: () => actions.notice(row) }, icon("chat"));
}

function manageButton(row: BoardRow, actions: Actions): HTMLElement {
  const name = nameOf(personOf(row, "patient"), t("Patient"));
  const label = t("More about the consult with {name}", { name });
  return h(
    "button",
    {
      type: "button",
      class: "btn btn-i",
      "data-do": "manage",
      "data-key": `manage-${row.consult_id}`,
      "aria-label": label,
      title: t("More"),
      onclick: () => actions.manage(row),
    },
    icon("more"),
  );
}

function button(
  words: string,
  style: string,
  action: string,
  row: BoardRow,
  onclick: () => void,
  person?: string,
): HTMLElement {
  const attributes = {
    class: style,
    "data-do": action,
    "data-key": `${action}-${row.consult_id}-${person ?? ""}`,
    "data-person": person,
  };
  return h("button", { type: "button", ...attributes, onclick }, words);
}

/** Consults going on now, each with a way back in. */
export function runningList(rows: readonly BoardRow[], moment: Moment, actions: Actions): HTMLElement {
  return h("ul", { class: "running", role: "list" }, ...rows.map((row) => runningRow(row, moment, actions)));
}

function runningRow(row: BoardRow, { now }: Moment, actions: Actions): HTMLElement {
  const inside = row.people.filter((person) => ["present", "on_hold", "lost"].includes(person.seat));
  const minutes = row.started_at ? minutesBetween(new Date(row.started_at), now) : 0;
  return h(
    "li",
    { class: "row", "data-consult": row.consult_id },
    h(
      "div",
      { class: "grow" },
      h("b", {}, bdi(nameOf(personOf(row, "patient"), t("Patient")))),
      " ",
      h("span", { class: "dim num" }, tn("{n} minute", "{n} minutes", minutes)),
      h("br"),
      h(
        "span",
        { class: "dim small" },
        inside.map((person) => nameOf(person, roleName(person.role))).join(" · "),
      ),
    ),
    row.mine
      ? button(t("Return"), "btn btn-act", "enter", row, () => actions.enter(row))
      : row.can.includes("cover")
        ? button(t("Take part…"), "btn", "cover", row, () => actions.cover(row))
        : null,
    manageButton(row, actions),
  );
}
