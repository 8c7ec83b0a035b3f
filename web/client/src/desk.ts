/** The interpreter's desk: the consults booked for whoever is signed in, and the way into the next one. */

import { post } from "./api.ts";
import { said } from "./board-rows.ts";
import { nextOf, todayItems } from "./board-today.ts";
import { languageOf, nameOf, OVER, personOf, placeOf, stateOf } from "./board-words.ts";
import { boot } from "./boot.ts";
import { announceRing, chimeIsOn, setChime, wakeOnFirstGesture } from "./chime.ts";
import { availability, countSince, type RingActions, ringCard, ringKey } from "./desk-rings.ts";
import { bdi, byId, h, icon, redraw, say } from "./dom.ts";
import { t } from "./i18n.ts";
import { languageName } from "./names.ts";
import type { BoardRow, BoardView, DeskView, RingView } from "./protocol.gen.ts";
import { commandId, Refusal } from "./socket.ts";
import { enterConsult, followBoard, type StaffBoot, startFrame } from "./staff.ts";
import { clock, duration, minutesBetween, weekday } from "./times.ts";

const TICK_MS = 15_000;
const COUNT_MS = 1_000;
const DAY_MS = 60_000;
const RING_AGAIN_MS = 3_000;

const { clinic } = boot<StaffBoot>();
const zone = clinic.zone.id;
let board: BoardView | null = null;
let skewMs = 0;
let waitingBefore = 0;
/** What rings already, so that only a new ring is announced. */
let rung: ReadonlySet<string> = new Set();
let ringer: number | undefined;
let leaving = false;
let justOpened = true;

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
  const desk = board.desk;
  redraw(byId("availability"), ...(desk ? [availability(desk, (state) => void choose(state))] : []));
  const rings = (desk?.rings ?? []).map((one, index) => ringCard(one, index === 0, ringing, now()));
  redraw(byId("rings"), ...rings);
  ring(desk);
  const cards = [...running, ...(next ? [next] : [])].map((row, index) => card(row, index === 0));
  redraw(byId("next"), ...(cards.length > 0 || rings.length > 0 ? cards : [empty()]));
  redraw(
    byId("today"),
    ...todayItems(rows, now(), zone, (row) => (OVER.has(row.phase) ? null : () => void enter(row))),
  );
  announce(rows);
}

const ringing: RingActions = {
  accept: (one) => void answer(one, "accept_ring"),
  decline: (one) => void answer(one, "decline_ring"),
};

async function choose(state: DeskView["availability"]): Promise<void> {
  try {
    await channel.send({ type: "set_availability", availability: state });
  } catch {
    say(byId("link-state"), t("This was not saved. Please try again."));
  }
}

/** Accepting leads into the seat: whoever was faster is told so, and nothing else changes. */
async function answer(one: RingView, type: "accept_ring" | "decline_ring"): Promise<void> {
  const { consult_id, request } = one;
  try {
    await channel.send({ type, command_id: commandId(), consult_id, request });
    if (type === "accept_ring") await go(consult_id);
  } catch (error) {
    const taken = error instanceof Refusal && (error.code === "taken" || error.code === "busy");
    say(byId("link-state"), taken ? t("A colleague was faster.") : t("This did not work. Please try again."));
  }
}

async function go(consultId: string): Promise<void> {
  if (leaving) return;
  leaving = true;
  ring(null);
  try {
    await enterConsult(consultId);
  } catch {
    leaving = false;
    say(byId("link-state"), t("The consult did not open. Please try again."));
  }
}

/** Sound and notification for what is new; the sound comes again while something rings. */
function ring(desk: DeskView | null): void {
  const keys = new Set((desk?.rings ?? []).map(ringKey));
  const fresh = [...keys].some((key) => !rung.has(key));
  rung = keys;
  if (fresh) {
    announceRing();
    say(byId("arrivals"), t("A request is ringing."));
  }
  if (keys.size > 0) ringer ??= window.setInterval(announceRing, RING_AGAIN_MS, true);
  else {
    window.clearInterval(ringer);
    ringer = undefined;
  }
}

/** A and D answer the first ring, when nobody is typing. */
document.addEventListener("keydown", (event) => {
  const first = board?.desk?.rings[0];
  if (!first || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  if (key === "a") ringing.accept(first);
  else if (key === "d") ringing.decline(first);
});

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

interface OwnDay {
  readonly minutes: number;
  readonly consults: number;
  readonly shifts: readonly { readonly starts_at: string; readonly ends_at: string }[];
}

/** How long one has interpreted today, and when one is on duty. */
async function drawDay(): Promise<void> {
  const day = await post<OwnDay>("/api/desk").catch(() => null);
  if (!day) return; // The next round tries again; what is shown is at most a minute old.
  const stat = (n: number, label: string): HTMLElement => h("div", {}, h("b", { class: "num" }, n), label);
  const shift = (one: OwnDay["shifts"][number]): HTMLElement => {
    const [from, to] = [new Date(one.starts_at), new Date(one.ends_at)];
    return h("li", { class: "num" }, `${weekday(from, zone)} ${clock(from, zone)} – ${clock(to, zone)}`);
  };
  redraw(
    byId("my-day"),
    h("div", { class: "stats" }, stat(day.minutes, t("minutes")), stat(day.consults, t("consults"))),
    h("h3", { class: "small dim" }, t("On duty")),
    day.shifts.length > 0
      ? h("ul", { class: "stack stack-s", role: "list" }, ...day.shifts.map(shift))
      : h("p", { class: "dim small" }, t("Nothing is planned for the next seven days.")),
  );
}

startFrame(clinic.zone);
void drawDay();
setInterval(() => void drawDay(), DAY_MS);
wakeOnFirstGesture(true);
const sound = byId<HTMLInputElement>("ring-sound");
sound.checked = chimeIsOn(true);
sound.addEventListener("change", () => void setChime(sound.checked));
setInterval(draw, TICK_MS);
// Only the number: a card drawn anew under somebody's finger would lose the tap.
setInterval(() => countSince(document, now()), COUNT_MS);
const channel = followBoard((view) => {
  skewMs = Date.parse(view.server_time) - Date.now();
  board = view;
  draw();
  const [accepted] = view.desk?.coming ?? [];
  // Accepted on another page of this desk, or this one was loaded again in between.
  if (accepted && document.visibilityState === "visible" && justOpened) void go(accepted);
  justOpened = false;
});
