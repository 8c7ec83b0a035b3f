/** The live board of physicians and coordinators: who waits, who is in a consult, and the day. */

import { chosenDay, drawDay, rowsOfDay, startDays } from "./board-day.ts";
import { admitDialog, coverDialog, declineDialog, noticeDialog } from "./board-dialogs.ts";
import { manageDialog } from "./board-manage.ts";
import { type Actions, runningList, waitingPeople, waitingTable } from "./board-rows.ts";
import { emptyState, nextOf, todayItems } from "./board-today.ts";
import { nameOf, personOf } from "./board-words.ts";
import { boot } from "./boot.ts";
import { announceArrival, chimeIsOn, setChime, wakeOnFirstGesture } from "./chime.ts";
import { all, byId, h, redraw, say, show } from "./dom.ts";
import { t, tn } from "./i18n.ts";
import type { BoardPerson, BoardRow, BoardView } from "./protocol.gen.ts";
import { commandId } from "./socket.ts";
import { enterConsult, followBoard, type StaffBoot, startFrame } from "./staff.ts";
import { dayIn } from "./times.ts";

interface BoardBoot extends StaffBoot {
  /** Number of an ambulance by country. */
  readonly emergency: Readonly<Record<string, string>>;
}

const MINUTE_TICK_MS = 15_000;

const { clinic, user, emergency } = boot<BoardBoot>();
const clinicZone = clinic.zone.id;
const waiting = byId("waiting");
const today = byId("today");
let board: BoardView | null = null;
/** Difference between the server's clock and this computer's. */
let skewMs = 0;
let known: Set<string> | null = null;

function now(): Date {
  return new Date(Date.now() + skewMs);
}

const actions: Actions = {
  admit: askToAdmit,
  enter: (row) => void enter(row),
  notice(row) {
    noticeDialog(row, async (kind, minutes) => {
      await channel.send({
        type: "send_notice",
        command_id: commandId(),
        consult_id: row.consult_id,
        kind,
        minutes,
      });
    });
  },
  cover(row) {
    coverDialog(row, async () => {
      await channel.send({ type: "cover", command_id: commandId(), consult_id: row.consult_id });
      await enterConsult(row.consult_id);
    });
  },
  manage: (row) => manageDialog(row, { channel, clinicZone, enter: () => enterConsult(row.consult_id) }),
};

async function enter(row: BoardRow): Promise<void> {
  try {
    await enterConsult(row.consult_id);
  } catch {
    say(byId("link-state"), t("The consult did not open. Please try again."));
  }
}

function askToAdmit(row: BoardRow, person: BoardPerson): void {
  const about = { consult_id: row.consult_id, participant: person.id };
  admitDialog(row, person, emergency, {
    meets: user.role === "physician",
    async admit() {
      const further = {
        further_device: person.further_device_waiting,
        identity_confirmed: person.role === "patient",
      };
      await channel.send({ type: "admit", command_id: commandId(), ...about, ...further });
      if (row.mine && user.role === "physician") await enterConsult(row.consult_id);
    },
    decline() {
      declineDialog(person, async (reason) => {
        await channel.send({ type: "decline", command_id: commandId(), ...about, reason });
      });
    },
  });
}

function draw(): void {
  if (!board) return;
  const moment = { now: now(), clinicZone };
  const rows = board.rows;
  const waits = rows
    .filter((row) => waitingPeople(row).length > 0)
    .sort((one, other) => since(one) - since(other));
  const running = rows.filter((row) => row.phase === "in_progress" && waitingPeople(row).length === 0);
  const parts: Node[] = [
    waits.length > 0
      ? waitingTable(waits, moment, actions)
      : emptyState(nextToday(board, moment.now), clinicZone, actions.enter),
  ];
  if (running.length > 0)
    parts.push(h("h2", { class: "sub" }, t("In consult now")), runningList(running, moment, actions));
  redraw(waiting, ...parts);
  const listed = todayItems(
    rowsOfDay(board, clinicZone),
    moment.now,
    clinicZone,
    (row) => () => actions.manage(row),
  );
  redraw(
    today,
    ...(listed.length > 0 ? listed : [h("li", { class: "dim none" }, t("No consults on this day."))]),
  );
  drawDay(board);
  count(waits.length);
}

/** The next consult of today; null while another day's list is shown. */
function nextToday(view: BoardView, at: Date): BoardRow | null | undefined {
  return chosenDay() === null ? nextOf(view.rows, at) : null;
}

function since(row: BoardRow): number {
  return Date.parse(row.waiting_since ?? waitingPeople(row)[0]?.waiting_since ?? row.starts_at);
}

/** How many wait, without a name: titles show on shared screens. */
function count(waits: number): void {
  const shown = byId("waiting-count");
  show(shown, waits > 0);
  say(shown, String(waits));
  const title = waits > 0 ? tn("{n} waiting", "{n} waiting", waits) : t("Nobody is waiting");
  document.title = `${title} · Meridian`;
}

/** Chime and speak for people who were not waiting before. */
function noticeArrivals(view: BoardView): void {
  const here = view.rows.flatMap((row) =>
    waitingPeople(row).map((person) => ({ row, key: `${row.consult_id} ${person.id}`, person })),
  );
  const fresh = here.filter(({ key }) => known !== null && !known.has(key));
  known = new Set(here.map(({ key }) => key));
  if (fresh.length === 0) return;
  announceArrival();
  const names = fresh.map(({ person, row }) =>
    nameOf(person, nameOf(personOf(row, "patient"), t("Patient"))),
  );
  say(byId("arrivals"), t("Now waiting: {names}", { names: names.join(", ") }));
}

function drawChime(): void {
  for (const button of all("[data-do=chime]")) {
    const on = chimeIsOn();
    button.setAttribute("aria-pressed", String(on));
    say(button.querySelector("span") ?? button, on ? t("Chime on") : t("Chime off"));
  }
}

function startChime(): void {
  wakeOnFirstGesture();
  drawChime();
  for (const button of all("[data-do=chime]")) {
    button.addEventListener("click", () => {
      void setChime(!chimeIsOn());
      drawChime();
    });
  }
}

function openDay(): void {
  // Without a connection there is nothing to do: the chosen day is asked for when it is back.
  channel.send({ type: "open_board", day: chosenDay() }).catch(() => undefined);
}

startFrame(clinic.zone);
startChime();
startDays(
  () => board?.day ?? dayIn(now(), clinicZone),
  () => dayIn(now(), clinicZone),
  openDay,
);
setInterval(draw, MINUTE_TICK_MS);
const channel = followBoard((view) => {
  skewMs = Date.parse(view.server_time) - Date.now();
  board = view;
  noticeArrivals(view);
  draw();
}, chosenDay);
