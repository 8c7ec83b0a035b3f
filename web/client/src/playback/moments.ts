/** The list of what happened: each line is a link into the recording. */

import { all, fill, h, icon } from "../dom.ts";
import type { Film, Moment } from "./film.ts";
import { momentWords, place } from "./words.ts";

/** Of a gap one hears how it came, not its first silence. */
const BEFORE_GAP_S = 3;

function iconOf({ kind }: Moment): SVGSVGElement {
  switch (kind) {
    case "gap":
    case "recording_paused":
    case "part_lost":
      return icon("warn");
    case "recording_started":
    case "recording_resumed":
      return icon("rec");
    case "recording_stopped":
      return icon("end");
    case "joined":
    case "returned":
      return icon("people");
    case "left":
      return icon("door");
    case "lost":
      return icon("wifi");
    case "consented":
      return icon("check");
    case "revoked":
    case "refused":
      return icon("x");
    case "interpreting_started":
      return icon("terp");
  }
}

function targetOf(moment: Moment): number {
  return moment.kind === "gap" ? Math.max(0, moment.atS - BEFORE_GAP_S) : moment.atS;
}

export function fillMoments(list: HTMLElement, film: Film, onPick: (atS: number) => void): void {
  const line = (moment: Moment): HTMLElement => {
    const [words, detail] = momentWords(moment);
    const target = Number(targetOf(moment).toFixed(3));
    const link = h(
      "a",
      { href: `#t=${target}`, "data-at": moment.atS },
      h("time", { class: "num" }, place(moment.atS)),
      h(
        "span",
        { class: "row g1" },
        iconOf(moment),
        h("span", {}, words, detail !== "" && h("span", { class: "small dim line-of" }, detail)),
      ),
    );
    // The address alone would not do: the same one twice is no news to the browser.
    link.addEventListener("click", () => onPick(target));
    return h("li", {}, link);
  };
  fill(list, ...film.moments.map(line));
}

/** Mark the last moment before where the recording is. */
export function markMoment(list: HTMLElement, atS: number): void {
  const links = all("a", list);
  const last = links.filter((link) => Number(link.dataset.at) <= atS).pop();
  for (const link of links) {
    if (link === last) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}
