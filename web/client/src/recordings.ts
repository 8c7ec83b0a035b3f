/** The list of recordings that this person may see. */

import { post } from "./api.ts";
import { boot } from "./boot.ts";
import { bdi, byId, h, icon, redraw, say } from "./dom.ts";
import { t } from "./i18n.ts";
import type { Alert, Row } from "./playback/shapes.ts";
import { faultWords, shortLength, stateWords, whatWords, whenWords } from "./playback/words.ts";
import { type StaffBoot, startFrame } from "./staff.ts";
import { date } from "./times.ts";

const AGAIN_MS = 30_000;

const { clinic } = boot<StaffBoot>();

interface Overview {
  readonly rows: readonly Row[];
  readonly alerts?: readonly Alert[];
}

async function load(): Promise<void> {
  try {
    const { rows, alerts } = await post<Overview>("/api/recordings");
    say(byId("problem"), "");
    redraw(byId("list"), rows.length > 0 ? table(rows) : empty());
    redraw(byId("alerts"), ...(alerts ?? []).map((one) => alertOf(one, rows)));
  } catch (error) {
    say(byId("problem"), faultWords(error));
  }
}

/** Somebody broke the glass: it stays here until a coordinator has looked at it. */
function alertOf(alert: Alert, rows: readonly Row[]): HTMLElement {
  const row = rows.find((one) => one.recording_id === alert.recording_id);
  const values = { name: alert.who, patient: row?.patient || t("Patient"), reason: alert.reason };
  const seen = async (): Promise<void> => {
    await post("/api/recordings/acknowledge", { alert: alert.alert });
    await load();
  };
  const acknowledge = (): void =>
    void seen().catch((error: unknown) => say(byId("problem"), faultWords(error)));
  return h(
    "li",
    { class: "note note-warn mid", "data-alert": alert.alert },
    icon("warn"),
    h(
      "span",
      { class: "grow" },
      t("{name} opened the recording of {patient} in an emergency: {reason}", values),
      h("span", { class: "small line-of" }, whenWords(alert.at, clinic.zone)),
    ),
    h(
      "button",
      {
        type: "button",
        class: "btn btn-s",
        "data-do": "acknowledge",
        "data-key": alert.alert,
        onclick: acknowledge,
      },
      t("I have looked at this"),
    ),
  );
}

function empty(): HTMLElement {
  return h(
    "div",
    { class: "empty" },
    h("span", { class: "hero" }, icon("rec")),
    h("h2", {}, t("There are no recordings")),
    h(
      "p",
      { class: "dim" },
      t("A consult is recorded only when a physician asks and everybody in it agrees."),
    ),
  );
}

function table(rows: readonly Row[]): HTMLElement {
  const head = [t("Patient"), t("When"), t("Length"), t("What"), t("State"), t("Kept until")];
  return h(
    "table",
    { class: "queue recordings" },
    h("thead", {}, h("tr", {}, ...head.map((one) => h("th", { scope: "col" }, one)))),
    h("tbody", {}, ...rows.map(lineOf)),
  );
}

function lineOf(row: Row): HTMLElement {
  const { words, tone, icon: sign } = stateWords(row.shredded_at ? "destroyed" : row.state);
  const foreign = !row.may.play && row.may.break_glass === true;
  return h(
    "tr",
    { "data-recording": row.recording_id },
    h(
      "th",
      { scope: "row" },
      h(
        "a",
        { href: `/recordings/${encodeURIComponent(row.recording_id)}`, "data-key": row.recording_id },
        h("b", {}, row.patient ? bdi(row.patient) : t("Patient")),
      ),
      row.physician ? h("span", { class: "dim line-of" }, t("with {name}", { name: row.physician })) : null,
      row.title ? h("span", { class: "dim line-of" }, bdi(row.title)) : null,
      foreign && h("span", { class: "tag warn" }, icon("lock"), t("Not your consult")),
    ),
    h("td", {}, row.started_at ? whenWords(row.started_at, clinic.zone) : "–"),
    h("td", { class: "num" }, row.duration_s === null ? "–" : shortLength(row.duration_s)),
    h("td", {}, whatWords(row.what)),
    h("td", {}, h("span", { class: `tag ${tone}` }, icon(sign), words), row.deletion ? deletion() : null),
    h("td", {}, keptWords(row)),
  );
}

function deletion(): HTMLElement {
  return h(
    "span",
    { class: "small dim line-of" },
    t("To be destroyed: waits for a physician's confirmation."),
  );
}

function keptWords(row: Row): string {
  if (row.shredded_at)
    return t("Destroyed on {date}", { date: date(new Date(row.shredded_at), clinic.zone.id, true) });
  if (row.held) return t("Legal hold");
  return row.keep_until ? date(new Date(row.keep_until), clinic.zone.id, true) : "–";
}

startFrame(clinic.zone);
void load();
setInterval(() => void load(), AGAIN_MS);
