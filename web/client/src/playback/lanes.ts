/** The time line: a lane a person and screen, gaps hatched, events, and a place to click or drag.
 *
 * It runs from left to right in every language: time is a recording, not a sentence.
 */

import { bdi, fill, h } from "../dom.ts";
import { t } from "../i18n.ts";
import { languageName } from "../names.ts";
import { roleName } from "../people-words.ts";
import { type Film, type Moment, type Strip, ticksOf } from "./film.ts";
import type { Span } from "./spans.ts";
import { momentWords, personName, place, stripName } from "./words.ts";

const SVG = "http://www.w3.org/2000/svg";
/** A word of a tenth of a second is still seen on a long recording. */
const WIDTH_MIN = 0.15;

type Shape = "thick" | "thin" | "both";

/** How the speech of somebody is drawn: the clinic's language thick, the patient's thin, both in between. */
export function shapeOf(strip: Strip, home: string): Shape {
  if (strip.person?.role === "interpreter") return "both";
  return strip.person?.language === home ? "thick" : "thin";
}

const BARS: Readonly<Record<Shape, readonly [y: number, height: number]>> = {
  thick: [4, 16],
  thin: [9, 6],
  both: [7, 10],
};

/** The language of whoever treats; the others' is the patient's. */
export function homeLanguage(film: Film): string {
  return film.people.find((one) => one.role === "physician")?.language ?? "en";
}

function svg(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: Element[]
): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/** Places along the time line as percent of its length. */
class Scale {
  readonly #lengthS: number;

  constructor(lengthS: number) {
    this.#lengthS = Math.max(lengthS, 1);
  }

  at(s: number): number {
    return (100 * Math.max(0, Math.min(s, this.#lengthS))) / this.#lengthS;
  }

  percent(s: number): string {
    return `${this.at(s).toFixed(3)}%`;
  }

  bar([start, end]: Span, name: string, y: number, height: number): SVGElement {
    const width = Math.max(this.at(end) - this.at(start), WIDTH_MIN);
    const place = { x: this.percent(start), width: `${width.toFixed(3)}%`, y, height };
    return svg("rect", { class: name, rx: 2, ...place });
  }
}

/** All rows of the time line, to stand in one grid of two columns: words, and what they are about. */
export function lanesOf(film: Film): HTMLElement[] {
  const scale = new Scale(film.lengthS);
  const home = homeLanguage(film);
  return [...film.strips.flatMap((strip) => laneOf(strip, film, scale, home)), ...eventsOf(film, scale)];
}

function laneOf(strip: Strip, film: Film, scale: Scale, home: string): HTMLElement[] {
  const [y, height] = BARS[shapeOf(strip, home)];
  const shape = shapeOf(strip, home);
  const picture = svg(
    "svg",
    { "aria-hidden": "true" },
    ...strip.spans.map((span) => scale.bar(span, strip.kind === "screen" ? "lane shared" : "lane", 4, 16)),
    ...strip.speech.map((span) => scale.bar(span, shape, y, height)),
    ...(strip.kind === "person" ? film.gaps : []).map((gap) =>
      scale.bar([gap.startS, gap.endS], "gap", 1, 22),
    ),
  );
  const name = strip.kind === "screen" ? stripName(strip) : personName(strip.person);
  const label = h(
    "span",
    { class: "lane-name" },
    h("b", {}, bdi(name)),
    strip.kind === "person" && strip.person && h("span", { class: "small dim" }, roleName(strip.person.role)),
  );
  return [label, h("span", { class: "track" }, wrapped(picture))];
}

function wrapped(picture: SVGElement): HTMLElement {
  const place = h("span", { class: "pic", dir: "ltr" });
  place.append(picture);
  return place;
}

const CONSENTED = "M-5 0l3.5 4 6.5-8";
const OUT = "M5-7v14l-10-7z";
const IN = "M-5-7v14l10-7z";
const CROSS = "M-5-5l10 10M5-5l-10 10";

/** How a moment is marked on the row of events; those of the recording itself are seen as gaps. */
function markOf(moment: Moment): readonly [name: string, path: string] | null {
  switch (moment.kind) {
    case "consented":
      return ["ok", CONSENTED];
    case "recording_started":
      return moment.amount > 0 ? ["ok", CONSENTED] : null;
    case "revoked":
    case "refused":
      return ["no", CROSS];
    case "joined":
    case "returned":
      return ["in", IN];
    case "left":
    case "lost":
      return ["out", OUT];
    case "interpreting_started":
      return ["talk", "M0-7l7 7-7 7-7-7z"];
    default:
      return null;
  }
}

function eventsOf(film: Film, scale: Scale): HTMLElement[] {
  const marks = film.moments.flatMap((moment) => {
    const mark = markOf(moment);
    if (!mark) return [];
    const path = svg("path", { d: mark[1] });
    return svg("svg", { x: scale.percent(moment.atS), y: "50%", overflow: "visible", class: mark[0] }, path);
  });
  const said = film.moments.map((one) => `${place(one.atS)} ${momentWords(one)[0]}`).join(". ");
  const picture = svg("svg", { class: "marks", role: "img", "aria-label": said || t("None") }, ...marks);
  return [h("b", {}, t("Events")), h("span", { class: "track" }, wrapped(picture))];
}

/** The marks of time below the lanes. */
export function scaleOf(lengthS: number): SVGElement {
  const scale = new Scale(lengthS);
  const ticks = ticksOf(lengthS);
  const last = ticks.length - 1;
  return svg(
    "svg",
    { class: "scale", "aria-hidden": "true" },
    ...ticks.map((at, index) => {
      const anchor = index === 0 ? "start" : index === last ? "end" : "middle";
      const crowded = index % 2 === 1 && index !== last ? "crowded" : "tick";
      const text = svg("text", { x: scale.percent(at), y: "1em", "text-anchor": anchor, class: crowded });
      text.textContent = place(at);
      return text;
    }),
  );
}

/** What the shapes and signs mean. */
export function fillLegend(legend: HTMLElement, film: Film): void {
  const home = homeLanguage(film);
  const shapes = new Map<string, Shape>();
  for (const strip of film.strips) {
    if (strip.kind === "screen") continue;
    const shape = shapeOf(strip, home);
    const words = shape === "both" ? t("Interpreter") : languageName(strip.person?.language ?? "");
    if (words) shapes.set(words, shape);
  }
  const bars = [...shapes].map(([words, shape]) => key(words, pictureOf(shape)));
  const gap = svg(
    "svg",
    { viewBox: "0 0 24 24" },
    svg("rect", { class: "gap", x: 1, y: 3, width: 22, height: 18 }),
  );
  fill(
    legend,
    ...bars,
    film.gaps.length > 0 && key(t("Gap"), gap),
    key(t("Consent"), sign("ok", CONSENTED)),
    key(t("Joins"), sign("in", IN)),
    key(t("Leaves"), sign("out", OUT)),
  );
}

function pictureOf(shape: Shape): SVGElement {
  const [y, height] = BARS[shape];
  const bar = svg("rect", { class: shape, x: 0, width: 24, y, height, rx: 2 });
  return svg("svg", { viewBox: "0 0 24 24" }, bar);
}

function sign(name: string, path: string): SVGElement {
  return svg("svg", { viewBox: "-12 -12 24 24", class: name }, svg("path", { d: path }));
}

function key(words: string, picture: SVGElement): HTMLElement {
  picture.setAttribute("aria-hidden", "true");
  const made = h("li", { class: "row g1" });
  made.append(picture, words);
  return made;
}

/** Let people click and drag on the time line; `onPick` gets the moment in seconds. */
export function listenToScrubbing(lanes: HTMLElement, lengthS: number, onPick: (atS: number) => void): void {
  const pick = (event: PointerEvent): void => {
    const track = lanes.querySelector(".pic")?.getBoundingClientRect();
    if (!track || track.width === 0) return;
    onPick((lengthS * Math.max(0, Math.min(track.width, event.clientX - track.left))) / track.width);
  };
  lanes.addEventListener("pointerdown", (event) => {
    const onTrack = event.target instanceof Element && event.target.closest(".track");
    if (!onTrack || event.button !== 0) return;
    lanes.setPointerCapture(event.pointerId);
    pick(event);
  });
  lanes.addEventListener("pointermove", (event) => {
    if (lanes.hasPointerCapture(event.pointerId)) pick(event);
  });
}
