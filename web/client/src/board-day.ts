/** Which day the board's list shows: today, or another one to look ahead and back. */

import { all, byId, say } from "./dom.ts";
import { t } from "./i18n.ts";
import type { BoardRow, BoardView } from "./protocol.gen.ts";
import { date, dayIn } from "./times.ts";

const DAY_MS = 86_400_000;

let chosen: string | null = null;

/** The chosen day, null for today, also after midnight. */
export function chosenDay(): string | null {
  return chosen;
}

/** The day before or after a day, both YYYY-MM-DD. */
export function dayBeside(day: string, step: number): string {
  return new Date(Date.parse(`${day}T12:00:00Z`) + step * DAY_MS).toISOString().slice(0, 10);
}

/** Give the arrows their work; `open` asks the server for the chosen day. */
export function startDays(shown: () => string, today: () => string, open: () => void): void {
  for (const button of all("[data-do=day]")) {
    button.addEventListener("click", () => {
      const step = Number(button.dataset.step);
      const wanted = step === 0 ? today() : dayBeside(shown(), step);
      chosen = wanted === today() ? null : wanted;
      open();
    });
  }
}

/** Put the day into the list's heading. */
export function drawDay(view: BoardView): void {
  const noon = new Date(`${view.day}T12:00:00Z`);
  say(byId("today-title"), chosen === null ? t("Today") : date(noon, "UTC"));
  for (const button of all("[data-do=day][data-step='0']")) button.hidden = chosen === null;
}

/** The consults that begin on the shown day; live ones of other days are only among the waiting. */
export function rowsOfDay(view: BoardView, zone: string): readonly BoardRow[] {
  return view.rows.filter((row) => dayIn(new Date(row.starts_at), zone) === view.day);
}
