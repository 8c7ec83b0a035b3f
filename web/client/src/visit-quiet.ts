/** The quiet screens: before, beside and after the visit. Their words are in templates/visit/over.html. */

import { fill, h, icon, say, show } from "./dom.ts";
import { t } from "./i18n.ts";
import type { ConsultView } from "./protocol.gen.ts";
import { duration, minutesBetween } from "./times.ts";
import type { OpenScreen, Visit } from "./visit-context.ts";
import { fillRecorded } from "./visit-recorded.ts";
import { emergencyNumber, fillEmergency, fillPhone } from "./visit-safety.ts";
import { clone, maybe } from "./visit-template.ts";
import { plannedLines, zoneOfPatient } from "./visit-times.ts";
import { troubleWords } from "./visit-words.ts";

/** Where a person still waits for something from us; after the visit a lost connection means nothing. */
const EXPECTING: ReadonlySet<string> = new Set(["too_early", "on_hold", "separated", "briefing"]);

export function openQuiet(screen: string): OpenScreen {
  return (visit, root) => {
    root.append(clone(`screen-${screen}`));
    const note = h(
      "p",
      { class: "note note-warn", role: "status", hidden: true },
      icon("wifi"),
      h("span", { class: "grow" }),
    );
    root.append(note);
    fillPhone(root, visit.boot.clinic.phone);
    const home = maybe<HTMLAnchorElement>(root, "home");
    if (home) {
      home.href = "/";
      show(home, visit.boot.role === "physician" || visit.boot.role === "coordinator");
    }
    return {
      actions: {},
      update(view) {
        fillEmergency(root, emergencyNumber(visit, view));
        fillTimes(visit, root, view, screen === "too_early");
        fillFacts(root, view);
        fillRecorded(root, view);
        fillContinued(root, view);
        askHow(visit, root, view);
      },
      connection() {
        const words = EXPECTING.has(screen) ? troubleWords(visit) : "";
        show(note, words !== "");
        say(note.lastElementChild ?? note, words);
      },
    };
  };
}

/** Once the consult goes on elsewhere, the way there is the one thing to do. */
function fillContinued(root: HTMLElement, view: ConsultView): void {
  const again = maybe(root, "continued");
  if (!again) return;
  const goesOn = view.continued_as !== null;
  show(again, goesOn);
  maybe(root, "home")?.classList.toggle("btn-act", !goesOn);
  const button = root.querySelector<HTMLElement>("[data-do=continue_consult]");
  if (button && goesOn) button.dataset.unfit = "";
}

/** The clocks of all places with the day, the reader's own first; and how long until the waiting room opens. */
function fillTimes(visit: Visit, root: HTMLElement, view: ConsultView, early: boolean): void {
  const times = maybe(root, "times");
  if (!times) return;
  const minutes = minutesBetween(new Date(view.server_time), new Date(view.opens_at));
  fill(
    times,
    h("h2", {}, early ? t("Your visit begins at") : t("The visit was planned for")),
    ...plannedLines(new Date(view.starts_at), visit.boot.clinic.zone, zoneOfPatient(view)),
    early &&
      minutes > 0 &&
      h("p", { class: "dim" }, t("The waiting room opens in {time}.", { time: duration(minutes) })),
  );
}

/** The question comes with the end of a consult that had an interpreter, and only then is its script loaded. */
function askHow(visit: Visit, root: HTMLElement, view: ConsultView): void {
  const place = maybe(root, "rate");
  if (!place || !view.interpreted || place.childElementCount > 0) return;
  import("./visit-rating.ts").then(
    ({ openRating }) => openRating(visit, place),
    () => {}, // It is a courtesy: a page that cannot load it asks nothing.
  );
}

function fillFacts(root: HTMLElement, view: ConsultView): void {
  const facts = maybe(root, "facts");
  if (!facts || !view.started_at || !view.ended_at) return;
  const minutes = minutesBetween(new Date(view.started_at), new Date(view.ended_at));
  fill(facts, h("p", {}, t("You met for {time}.", { time: duration(minutes) })));
}
