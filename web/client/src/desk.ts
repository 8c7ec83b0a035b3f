/** The interpreter's desk: the consults booked for whoever is signed in, and the way into the next one. */

import { said } from "./board-rows.ts";
import { nextOf, todayItems } from "./board-today.ts";
import { languageOf, nameOf, OVER, personOf, placeOf, stateOf } from "./board-words.ts";
import { boot } from "./boot.ts";
import { bdi, byId, h, icon, redraw, say } from "./dom.ts";
import { t } from "./i18n.ts";
import { languageName } from "./names.ts";
import type { BoardRow, BoardView } from "./protocol.gen.ts";
import { enterConsult, followBoard, type StaffBoot, startFrame } from "./staff.ts";
import { clock, duration, minutesBetween, weekday } from "./times.ts";

const TICK_MS = 15_000;

const { clinic } = boot<StaffBoot>();
const zone = clinic.zone.id;
let board: BoardView | null = null;
let skewMs = 0;
let waitingBefore = 0;

function now(): Date {
  return new Date(Date.now() + skewMs);
}

async function enter(row: BoardRow): Promise<void> {
  try {
    await enterConsult(row.consult_id);
  } catch {
    say(byId("link-state"), t("The consult did not open. Please try again."));
  }
}

function draw(): void {
  if (!board) return;
  const rows = board.rows.filter((row) => row.mine);
  const running = rows.filter((row) => row.phase === "in_progress");
  const next = nextOf(rows, now());
  const cards = [...running, ...(next ? [next] : [])].map((row, index) => card(row, index === 0));
  redraw(byId("next"), ...(cards.length > 0 ? cards : [empty()]));
  redraw(
    byId("today"),
    ...todayItems(rows, now(), zone, (row) => (OVER.has(row.phase) ? null : () => void enter(row))),
  );
  announce(rows);
}

function announce(rows: readonly BoardRow[]): void {
  const waits = rows.filter((row) => row.waiting_since).length;
  if (waits > waitingBefore) say(byId("arrivals"), t("A patient is waiting."));
  waitingBefore = waits;
}

function empty(): HTMLElement {
  return h(
    "section",
    { class: "card empty" },
    h("span", { class: "hero terp-h" }, icon("coffee")),
    h("h1", {}, t("Nothing is booked for you now")),
    h("p", { class: "dim" }, t("New bookings for today appear here at once.")),
  );
}

function card(row: BoardRow, first: boolean): HTMLElement {
  const [patientLanguage, clinicianLanguage] = row.interpreting ?? [
    personOf(row, "patient")?.language ?? "",
    "en",
  ];
  return h(
    "section",
    { class: "ring stack", "data-consult": row.consult_id },
    h(
      "p",
      { class: "terp" },
      h("b", {}, when(row)),
      " · ",
      bdi(nameOf(personOf(row, "physician"), t("Physician"))),
    ),
    h(
      "h1",
      { class: "pair" },
      languageName(clinicianLanguage ?? "en"),
      icon("swap"),
      languageName(patientLanguage ?? ""),
    ),
    facts(row),
    h(
      "p",
      { class: "dim" },
      t("You wait until the physician lets you in. Nobody hears or sees you before that."),
    ),
    h(
      "div",
      { class: "row" },
      h(
        "button",
        {
          type: "button",
          class: `btn ${first ? "btn-act" : ""}`,
          "data-do": "enter",
          "data-key": `enter-${row.consult_id}`,
          onclick: () => void enter(row),
        },
        t("Open consult"),
        icon("arrow", "flip"),
      ),
    ),
  );
}

function when(row: BoardRow): string {
  const at = new Date(row.starts_at);
  if (row.phase === "in_progress") return t("In progress");
  return at > now() ? t("In {duration}", { duration: duration(minutesBetween(now(), at)) }) : t("Now");
}

function facts(row: BoardRow): HTMLElement {
  const patient = personOf(row, "patient");
  const at = new Date(row.starts_at);
  const length = minutesBetween(at, new Date(row.ends_at));
  const fact = (term: string, ...value: (Node | string)[]): HTMLElement =>
    h("div", {}, h("dt", {}, term), h("dd", {}, ...value));
  return h(
    "dl",
    { class: "facts" },
    fact(t("Here"), h("span", { class: "num" }, clock(at, zone)), " ", weekday(at, zone)),
    ...(patient?.time_zone
      ? [
          fact(
            t("Time there"),
            h("span", { class: "num" }, clock(at, patient.time_zone)),
            " ",
            weekday(at, patient.time_zone),
            " · ",
            placeOf(patient),
          ),
        ]
      : []),
    fact(t("Length"), duration(length)),
    fact(t("Patient"), bdi(nameOf(patient, t("Patient")))),
    fact(t("Language"), languageOf(row)),
    fact(t("State"), said(stateOf(row), true)),
  );
}

startFrame(clinic.zone);
setInterval(draw, TICK_MS);
followBoard((view) => {
  skewMs = Date.parse(view.server_time) - Date.now();
  board = view;
  draw();
});
