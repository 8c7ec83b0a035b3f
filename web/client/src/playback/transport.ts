/** The buttons below the pictures, the slider, and what they say while the recording plays. */

import { byId, fill, icon, say } from "../dom.ts";
import { t } from "../i18n.ts";
import type { Gap } from "./film.ts";
import type { Player, PlayState } from "./player.ts";
import { gapWords, place, spokenLength } from "./words.ts";

const SKIP_S = 10;
const NOTE_MS = 8000;

/** Connect the template's controls with a player. */
export function startTransport(player: Player, lengthS: number): void {
  const seek = byId<HTMLInputElement>("seek");
  seek.max = lengthS.toFixed(2);
  byId("play").addEventListener("click", () => player.toggle());
  byId("back").addEventListener("click", () => player.moveBy(-SKIP_S));
  byId("on").addEventListener("click", () => player.moveBy(SKIP_S));
  seek.addEventListener("input", () => player.jumpTo(Number(seek.value)));
  seek.addEventListener("focus", () => speakPlace(player.positionS, lengthS));
  const speed = byId<HTMLSelectElement>("speed");
  speed.addEventListener("change", () => player.setSpeed(Number(speed.value)));
  const skips = byId<HTMLInputElement>("skip-gaps");
  skips.checked = player.skipsGaps;
  skips.addEventListener("change", () => player.setSkipsGaps(skips.checked));
}

/** The slider says its place when it is reached or moved, and not while it ticks. */
export function speakPlace(atS: number, lengthS: number): void {
  const values = { time: spokenLength(atS), length: spokenLength(lengthS) };
  byId("seek").setAttribute("aria-valuetext", t("{time} of {length}", values));
}

let shownState: PlayState | null = null;

export function drawTransport(player: Player, lengthS: number): void {
  const at = player.positionS;
  byId<HTMLInputElement>("seek").value = String(at);
  say(byId("at"), place(at));
  byId("head").setAttribute("x1", percent(at, lengthS));
  byId("head").setAttribute("x2", percent(at, lengthS));
  if (player.state === shownState) return;
  shownState = player.state;
  byId("player").dataset.state = shownState;
  const plays = shownState === "playing";
  fill(byId("play"), icon(plays ? "hold" : "play"), plays ? t("Pause") : t("Play"));
  say(byId("loading"), shownState === "buffering" ? t("Loading …") : "");
  if (!plays) speakPlace(at, lengthS);
}

function percent(atS: number, lengthS: number): string {
  return `${((100 * atS) / Math.max(lengthS, 1)).toFixed(3)}%`;
}

let noteTimer = 0;

/** Say why nothing was recorded here, and that it is skipped. */
export function noteGap(gap: Gap, skipped: boolean): void {
  const note = byId("gap-note");
  const words = skipped ? t("Skipped: {gap}", { gap: gapWords(gap) }) : gapWords(gap);
  fill(note, icon("hold"), words);
  clearTimeout(noteTimer);
  noteTimer = window.setTimeout(() => fill(note), NOTE_MS);
}
