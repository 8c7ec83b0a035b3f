/** The pictures of a recording: one tile a view, screens large, who speaks with a border and a sign. */

import { all, bdi, fill, h, icon, say, show } from "../dom.ts";
import { t } from "../i18n.ts";
import { initials, languageName } from "../names.ts";
import { roleName } from "../people-words.ts";
import { type Film, gapAt, type Strip } from "./film.ts";
import type { Reel } from "./player.ts";
import { spanAt } from "./spans.ts";
import { personName, stripName } from "./words.ts";

/** More people than this stand below a screen, not beside it. */
const BESIDE_SCREEN_MAX = 4;

export interface Tile extends Reel {
  readonly strip: Strip;
  readonly media: HTMLVideoElement;
  readonly element: HTMLElement;
}

/** Tiles for all views; `source` gives a view's address, `onNews` is told when a video can or cannot go on. */
export function makeTiles(film: Film, source: (view: string) => string, onNews: () => void): Tile[] {
  return film.strips.map((strip) => {
    const media = h("video", { preload: "auto", playsinline: true, tabindex: -1, "aria-hidden": "true" });
    media.src = source(strip.view);
    for (const news of ["canplay", "seeked", "waiting", "ended", "error"])
      media.addEventListener(news, onNews);
    return {
      strip,
      media,
      spans: strip.spans,
      hasVoice: strip.kind === "person",
      element: tileOf(strip, media),
    };
  });
}

function tileOf(strip: Strip, media: HTMLVideoElement): HTMLElement {
  const { person } = strip;
  const terp = person?.role === "interpreter";
  const role = person && strip.kind === "person" ? roleName(person.role) : "";
  return h(
    "figure",
    {
      class: `tile reel${terp && strip.kind === "person" ? " tile-terp" : ""}`,
      "data-view": strip.view,
      "data-kind": strip.kind,
    },
    media,
    !strip.hasVideo && h("span", { class: "face", "aria-hidden": "true" }, initials(personName(person))),
    h("p", { class: "over", "data-part": "over", hidden: true }),
    h(
      "figcaption",
      { class: "plate" },
      terp && icon("terp"),
      h("b", {}, strip.kind === "screen" ? stripName(strip) : bdi(personName(person))),
      role !== "" && h("em", {}, role),
      person && !terp && strip.kind === "person" ? h("em", {}, languageName(person.language)) : null,
      h("span", { class: "speaks", hidden: true }, icon("speaker")),
    ),
  );
}

/** Show the tiles as they are at this moment: who is there, who speaks, whose screen is shared. */
export function drawStage(stage: HTMLElement, tiles: readonly Tile[], film: Film, atS: number): void {
  const gap = gapAt(film.gaps, atS) !== null;
  let screens = 0;
  for (const tile of tiles) {
    const there = spanAt(tile.spans, atS) !== null;
    if (tile.strip.kind === "screen") {
      if (there) screens += 1;
      show(tile.element, there);
    }
    const speaks = there && spanAt(tile.strip.speech, atS) !== null;
    tile.element.classList.toggle("speaking", speaks);
    for (const sign of all(".speaks", tile.element)) show(sign, speaks);
    cover(tile, there, gap);
  }
  stage.classList.toggle("has-screen", screens > 0);
}

function cover(tile: Tile, there: boolean, gap: boolean): void {
  const [over] = all("[data-part=over]", tile.element);
  if (!over) return;
  const words = coverWords(tile, there, gap);
  say(over, words);
  show(over, words !== "");
}

function coverWords(tile: Tile, there: boolean, gap: boolean): string {
  if (tile.media.error) return t("This picture cannot be loaded.");
  if (there) return "";
  return gap ? t("Nothing was recorded here.") : t("Not here at this moment");
}

/** The stage with its tiles, screens first, as they are the larger ones. */
export function fillStage(stage: HTMLElement, tiles: readonly Tile[]): void {
  const screens = tiles.filter((tile) => tile.strip.kind === "screen");
  const people = tiles.filter((tile) => tile.strip.kind === "person");
  fill(stage, ...[...screens, ...people].map((tile) => tile.element));
  stage.dataset.people = String(people.length);
  if (screens.length > 0) stage.dataset.screens = String(screens.length);
  stage.classList.toggle("crowd", people.length > BESIDE_SCREEN_MAX);
}
