/** What belongs to a recording besides its pictures: consents, the log of who opened it, export, destroying. */

import { post } from "../api.ts";
import type { Dialog } from "../dialog.ts";
import { bdi, fill, h, icon, say, show } from "../dom.ts";
import { t } from "../i18n.ts";
import { languageName } from "../names.ts";
import { roleName } from "../people-words.ts";
import type { Zone } from "../times.ts";
import { alertPlace, ask, complain, progress, table, tell, Wanted } from "./ask.ts";
import { purposeChoice, reasonField, reasonIn } from "./gate.ts";
import {
  type AccessRow,
  address,
  type ComposeAnswer,
  type Consent,
  type ExportAnswer,
  type Person,
  type Purpose,
  type Row,
} from "./shapes.ts";
import { failedWords, faultWords, personName, purposeName, whenWords } from "./words.ts";

const AGAIN_MS = 1000;

// --- consents -----------------------------------------------------------------------------------------------

function decisionWords(decision: Consent["decision"]): string {
  switch (decision) {
    case "agreed":
      return t("agreed");
    case "refused":
      return t("did not agree");
    case "revoked":
      return t("took the consent back");
  }
}

function consentTo(purpose: string): string {
  switch (purpose) {
    case "telehealth":
      return t("Video visit");
    case "audio_recording":
      return t("Recording of the sound");
    case "video_recording":
      return t("Recording of picture and sound");
    default:
      return "–";
  }
}

/** Who agreed to what, when and in which language. */
export function showConsents(consents: readonly Consent[], people: readonly Person[], zone: Zone): void {
  const name = (person: Consent["person"]): string =>
    typeof person === "string" ? person : personName(people.find((one) => one.index === person) ?? null);
  const head = [t("Person"), t("To what"), t("Decision"), t("Language of the text"), t("When")];
  const rows = consents.map((one) => [
    bdi(name(one.person)),
    consentTo(one.purpose),
    decisionWords(one.decision),
    languageName(one.language),
    whenWords(one.at, zone),
  ]);
  const none = h("p", { class: "dim" }, t("No consent is written down."));
  tell(t("Consents"), rows.length > 0 ? table(t("Consents"), head, rows) : none);
}

// --- who opened it ------------------------------------------------------------------------------------------

/** What an entry of the audit log tells, by its kind; what an older page does not know is "–". */
function accessWords({ kind }: AccessRow): string {
  const words: Readonly<Record<string, string>> = {
    opened: t("opened"),
    break_glass: t("opened in an emergency"),
    acknowledged: t("saw the alert"),
    played: t("watched"),
    exported: t("exported"),
    downloaded: t("downloaded"),
    composed: t("made one file"),
    log_read: t("read this log"),
    verified: t("checked the files"),
    refused: t("was refused"),
    held: t("put a legal hold on it"),
    released: t("ended the legal hold"),
    delete_asked: t("asked to destroy it"),
    delete_agreed: t("agreed to destroy it"),
    delete_dropped: t("decided not to destroy it"),
    destroying: t("is destroying it"),
    destroyed: t("destroyed it"),
    asked: t("asked to record"),
    begun: t("began to record"),
    paused: t("paused the recording"),
    resumed: t("went on recording"),
    stopped: t("stopped the recording"),
    part: t("closed a part of it"),
  };
  return words[kind.replace("recording.", "")] ?? "–";
}

function actorRole(role: AccessRow["role"]): string {
  return role === "clock" || role === "server" ? t("Automatic") : roleName(role);
}

export async function showAccess(row: Row, zone: Zone): Promise<void> {
  const body = h("div", { class: "stack" }, h("p", { class: "dim" }, t("Loading …")));
  tell(t("Access log"), body);
  try {
    const { rows } = await post<{ rows: readonly AccessRow[] }>(address(row.recording_id, "access-log"));
    const head = [t("Who"), t("Role"), t("What"), t("Purpose"), t("When")];
    const cells = rows.map((one) => [
      bdi(one.who),
      actorRole(one.role),
      accessWords(one),
      purposeName(one.purpose),
      whenWords(one.at, zone),
    ]);
    fill(
      body,
      rows.length > 0
        ? table(t("Access log"), head, cells)
        : h("p", { class: "dim" }, t("Nobody opened it yet.")),
    );
  } catch (error) {
    const problems = alertPlace();
    fill(body, problems);
    complain(problems, faultWords(error));
  }
}

// --- destroying ---------------------------------------------------------------------------------------------

type DeletionState = "asked" | "destroyed" | "kept";

/** Two people destroy a recording: one asks, a physician of the consult confirms, or keeps it. */
export function askToDestroy(row: Row, onDone: (state: DeletionState) => void): void {
  const asked = row.deletion;
  const reason = reasonField(asked ? t("Why is it destroyed, or kept?") : t("Why is it to be destroyed?"));
  const send = async (drop: boolean): Promise<void> => {
    const body = { reason: reasonIn(reason), drop };
    const { state } = await post<{ state: DeletionState }>(address(row.recording_id, "delete"), body);
    onDone(state);
  };
  const content = [
    h(
      "p",
      { class: "note note-stop" },
      icon("warn"),
      h("span", {}, t("A destroyed recording cannot be brought back, from no copy and by nobody.")),
    ),
    asked ? h("p", {}, t("{name} asks for it: {reason}", { name: asked.by, reason: asked.reason })) : null,
    asked ? null : h("p", { class: "dim" }, t("A physician of the consult has to confirm it.")),
    reason,
  ];
  const keep = { words: t("Keep it"), style: "", action: "keep", run: () => send(true) };
  const destroy = {
    words: asked ? t("Destroy") : t("Ask for it"),
    style: "btn-red",
    action: "confirm-delete",
    run: () => send(false),
  };
  const heading = asked ? t("Confirm that this recording is destroyed?") : t("Destroy this recording?");
  ask(heading, content, ...(asked ? [keep, destroy] : [destroy]));
}

/** Put a recording under a legal hold, or end that. */
export function askToHold(row: Row, onDone: () => void): void {
  const held = row.held === true;
  const reason = reasonField(t("Why?"));
  const words = held
    ? t("Without it the recording is destroyed when its time is over.")
    : t("Nobody can destroy the recording before the hold is ended.");
  ask(
    held ? t("End the legal hold?") : t("Put this recording under a legal hold?"),
    [h("p", {}, words), reason],
    {
      words: held ? t("End it") : t("Hold it"),
      style: "btn-act",
      action: "confirm-hold",
      run: async () => {
        await post(address(row.recording_id, "hold"), { held: !held, reason: reasonIn(reason) });
        onDone();
      },
    },
  );
}

// --- export -------------------------------------------------------------------------------------------------

/** Ask what it is for, then offer the tracks and one file of all. `grant` opens the composed file. */
export function showExport(row: Row, grant: string): void {
  const purpose = purposeChoice();
  const warning = t("A downloaded file is no longer protected by us. Keep it where patient records belong.");
  ask(
    t("Export this recording?"),
    [
      h("p", { class: "note note-warn" }, icon("warn"), h("span", {}, warning)),
      purpose.element,
      h("p", { class: "dim small" }, t("Every export is logged with your name and the purpose.")),
    ],
    {
      words: t("Export"),
      style: "btn-act",
      action: "confirm-export",
      stays: true,
      run: async (asked) => {
        const body = { purpose: purpose.chosen() };
        const answer = await post<ExportAnswer>(address(row.recording_id, "export"), body);
        asked.close();
        showFiles(row, answer, body.purpose, answer.grant ?? grant);
      },
    },
  );
}

function showFiles(row: Row, answer: ExportAnswer, purpose: Purpose, grant: string): void {
  const download = (url: string, words: string): HTMLElement =>
    h("a", { class: "btn btn-s", href: url, download: true }, icon("down"), " ", words);
  const files = answer.files.map((file) =>
    h(
      "li",
      { class: "row wrap" },
      h("span", { class: "grow" }, bdi(file.name)),
      download(file.url, t("Download")),
    ),
  );
  const composing = h("div", { class: "stack stack-s" });
  const dialog = tell(
    t("Files of this recording"),
    h("p", { class: "dim" }, t("One file a person and screen, as it was recorded.")),
    h("ul", { class: "stack stack-s files", role: "list" }, ...files),
    h("h3", {}, t("All in one file")),
    h(
      "p",
      { class: "dim" },
      t("All pictures side by side with names, all voices together. This takes a while."),
    ),
    composing,
  );
  const target = `${address(row.recording_id, "composed")}?grant=${encodeURIComponent(grant)}`;
  offerComposing(row, purpose, composing, dialog, () => download(target, t("Download one file")));
}

function offerComposing(
  row: Row,
  purpose: Purpose,
  place: HTMLElement,
  dialog: Dialog,
  link: () => HTMLElement,
): void {
  const bar = progress(t("One file is being made"));
  const said = h("p", { role: "status" });
  const problems = alertPlace();
  let stopped = false;
  const make = h("button", { type: "button", class: "btn", "data-do": "compose" }, t("Make one file"));
  const cancel = h(
    "button",
    { type: "button", class: "btn", "data-do": "cancel-compose", hidden: true },
    t("Stop making it"),
  );
  show(bar.element, false);
  fill(place, said, bar.element, problems, h("div", { class: "row" }, make, cancel));
  const busy = (on: boolean): void => {
    show(bar.element, on);
    show(cancel, on);
    show(make, !on);
    if (on) cancel.focus();
  };
  make.addEventListener("click", () => {
    stopped = false;
    fill(problems);
    say(said, t("One file is being made"));
    busy(true);
    composed(row, purpose, bar.set, () => stopped || !dialog.element.open)
      .then((ready) => {
        busy(false);
        say(said, ready ? t("The file is ready.") : t("It was stopped."));
        if (!ready) return make.focus();
        const found = link();
        make.replaceWith(found);
        found.focus();
      })
      .catch((error: unknown) => {
        busy(false);
        say(said, "");
        complain(problems, error instanceof Wanted ? error.message : faultWords(error));
      });
  });
  cancel.addEventListener("click", () => {
    stopped = true;
    void post(address(row.recording_id, "compose/cancel")).catch((error: unknown) =>
      complain(problems, faultWords(error)),
    );
  });
}

/** Wait until one file is made; false when it was stopped. Throws Failure, or Wanted with why it failed. */
async function composed(
  row: Row,
  purpose: Purpose,
  onDone: (done: number) => void,
  isStopped: () => boolean,
): Promise<boolean> {
  while (!isStopped()) {
    const answer = await post<ComposeAnswer>(address(row.recording_id, "compose"), { purpose });
    if (isStopped()) return false;
    if (answer.state === "ready") return true;
    if (answer.state === "failed") throw new Wanted(failedWords(answer.code));
    onDone(answer.done);
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
  return false;
}
