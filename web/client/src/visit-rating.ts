/** After a consult with an interpreter: how was it? Asked once, of both sides and the interpreter. */

import { Failure, post } from "./api.ts";
import { fill, h, icon, say } from "./dom.ts";
import { t } from "./i18n.ts";
import type { Visit } from "./visit-context.ts";
import { keep, kept } from "./visit-kept.ts";

const STARS = [1, 2, 3, 4, 5] as const;

function tags(role: string): readonly (readonly [string, string])[] {
  const common = [
    ["audio", t("The sound")],
    ["picture", t("The picture")],
    ["pace", t("Too fast")],
  ] as const;
  if (role === "interpreter") return [["briefing", t("The briefing")], ...common];
  return [["accuracy", t("Not everything was interpreted")], ["manner", t("The manner")], ...common];
}

/** Draw the question into `place`, unless it was answered on this device. */
export function openRating(visit: Visit, place: HTMLElement): void {
  const key = `rated.${visit.boot.consult_id}.${visit.boot.participant_id}`;
  if (kept(key, 0) === 1) {
    thank(place);
    return;
  }
  if (place.childElementCount > 0) return;
  const form = h(
    "form",
    { class: "stack", novalidate: true },
    h(
      "h2",
      {},
      visit.boot.role === "interpreter" ? t("How was this consult?") : t("How was the interpreting?"),
    ),
    h(
      "fieldset",
      { class: "plain" },
      h("legend", { class: "sr" }, t("Stars, five is best")),
      h("div", { class: "row wrap stars" }, ...STARS.map(star)),
    ),
    h(
      "fieldset",
      { class: "plain stack stack-s" },
      h("legend", {}, t("What was not good? (optional)")),
      ...tags(visit.boot.role).map(([value, label]) =>
        h("label", { class: "row tick" }, h("input", { type: "checkbox", name: "tag", value }), " ", label),
      ),
    ),
    h("p", { class: "err stop", role: "alert", "data-part": "rate-error" }),
    h("button", { class: "btn btn-act", "data-do": "rate" }, t("Send")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send(visit, form, place, key);
  });
  fill(place, form);
  place.hidden = false;
}

function star(n: number): HTMLElement {
  return h(
    "label",
    { class: "btn btn-s" },
    h("input", { type: "radio", name: "stars", value: n }),
    " ",
    h("span", { class: "num" }, n),
  );
}

async function send(visit: Visit, form: HTMLFormElement, place: HTMLElement, key: string): Promise<void> {
  const said = new FormData(form);
  const stars = Number(said.get("stars"));
  const problem = form.querySelector<HTMLElement>("[data-part=rate-error]") ?? form;
  if (!stars) return say(problem, t("Please choose one to five."));
  const { consult_id, participant_id } = visit.boot;
  try {
    await post(`/api/consult/${encodeURIComponent(consult_id)}/${encodeURIComponent(participant_id)}/rate`, {
      stars,
      tags: said.getAll("tag"),
    });
    keep(key, 1);
    thank(place);
  } catch (error) {
    const offline = error instanceof Failure && (error.code === "offline" || error.code === "timeout");
    say(
      problem,
      offline ? t("There is no connection. Please try again.") : t("This did not work. Please try again."),
    );
  }
}

function thank(place: HTMLElement): void {
  fill(place, h("p", { class: "row", role: "status" }, icon("check"), t("Thank you. This helps us.")));
  place.hidden = false;
}
