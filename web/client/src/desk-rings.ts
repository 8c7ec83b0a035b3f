/** What rings at an interpreter's desk: the card with what is to be known, the sound, the notification. */

import { all, h, icon, say } from "./dom.ts";
import { t } from "./i18n.ts";
import { languageName } from "./names.ts";
import type { DeskView, RingView } from "./protocol.gen.ts";
import { duration } from "./times.ts";

export interface RingActions {
  accept(ring: RingView): void;
  decline(ring: RingView): void;
}

export function ringKey(ring: RingView): string {
  return `${ring.consult_id}.${ring.request}`;
}

function secondsSince(since: string, now: Date): string {
  return t("{n} s", { n: Math.max(0, Math.round((now.getTime() - Date.parse(since)) / 1000)) });
}

/** Bring the seconds on every card up to date. */
export function countSince(root: ParentNode, now: Date): void {
  for (const shown of all("[data-since]", root)) say(shown, secondsSince(shown.dataset.since ?? "", now));
}

/** A ring as a card; nothing on it says who the patient is. */
export function ringCard(ring: RingView, first: boolean, actions: RingActions, now: Date): HTMLElement {
  const [patient = "", clinician = ""] = ring.languages;
  const fact = (term: string, value: string): HTMLElement =>
    h("div", {}, h("dt", {}, term), h("dd", {}, value));
  return h(
    "section",
    { class: "ring stack", "data-ring": ringKey(ring), "data-consult": ring.consult_id },
    h(
      "p",
      { class: "terp" },
      h("b", {}, ring.comes_back ? t("You lost the connection here") : t("New request")),
      " · ",
      h("span", { class: "num", "data-since": ring.since }, secondsSince(ring.since, now)),
    ),
    h("h1", { class: "pair" }, languageName(clinician), icon("swap"), languageName(patient)),
    h(
      "dl",
      { class: "facts" },
      fact(t("Kind"), ring.mode === "audio" ? t("Voice only") : t("Video")),
      fact(t("Length"), duration(ring.minutes)),
      fact(t("Recording"), ring.recorded ? t("Is being recorded") : t("Not recorded")),
    ),
    h(
      "p",
      { class: "dim" },
      ring.relieves
        ? t("You listen in first, and take over from a colleague when you are ready.")
        : t("You meet the physician alone for a short briefing. The patient does not hear it."),
    ),
    h(
      "div",
      { class: "row" },
      button("accept", t("Accept"), "A", first, () => actions.accept(ring), ring, "btn btn-act"),
      button("decline", t("Decline"), "D", first, () => actions.decline(ring), ring, "btn"),
    ),
    h("p", { class: "small dim" }, t("No answer counts as missed, not as declined.")),
  );
}

function button(
  name: string,
  label: string,
  key: string,
  first: boolean,
  onclick: () => void,
  ring: RingView,
  look: string,
): HTMLElement {
  return h(
    "button",
    {
      type: "button",
      class: look,
      "data-do": name,
      "data-key": `${name}-${ringKey(ring)}`,
      "aria-keyshortcuts": first ? key : null,
      onclick,
    },
    label,
    first && " ",
    first && h("kbd", {}, key),
  );
}

const STATES = ["available", "on_break", "away"] as const;

/** Whether one is rung: three states side by side; nothing for somebody who is not on the register. */
export function availability(desk: DeskView, choose: (state: DeskView["availability"]) => void): HTMLElement {
  if (!desk.registered)
    return h(
      "p",
      { class: "note note-warn" },
      icon("info"),
      h("span", { class: "grow" }, t("You are not on the register yet. A coordinator can add you.")),
    );
  const label = { available: t("Available"), on_break: t("Break"), away: t("Away") };
  const choice = (state: (typeof STATES)[number]): HTMLElement =>
    h(
      "button",
      {
        type: "button",
        class: state === "available" ? "is-good" : "",
        "data-do": "availability",
        "data-key": `state-${state}`,
        value: state,
        "aria-pressed": String(desk.availability === state),
        onclick: () => choose(state),
      },
      label[state],
    );
  return h(
    "div",
    { class: "row wrap" },
    h(
      "div",
      { class: "seg", role: "group", "aria-label": t("Whether you are called") },
      ...STATES.map(choice),
    ),
    h("span", { class: "small dim grow" }, languages(desk)),
    desk.number && h("span", { class: "small dim num" }, t("No. {number}", { number: desk.number })),
  );
}

function languages(desk: DeskView): string {
  return desk.languages.map((tag) => languageName(tag)).join(" · ");
}
