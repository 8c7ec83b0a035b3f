/** The board's dialogs: who is this, what do we tell them, whom do we send away. */

import { Failure } from "./api.ts";
import { said } from "./board-rows.ts";
import { interpreterOf, nameOf, personOf, placeOf } from "./board-words.ts";
import { buttons, cancelButton, choices, chosenIn, type Dialog, openDialog } from "./dialog.ts";
import { bdi, fill, h, icon } from "./dom.ts";
import { t } from "./i18n.ts";
import { languageName } from "./names.ts";
import { readinessOf, roleName } from "./people-words.ts";
import type { BoardPerson, BoardRow, DeclineReason, NoticeKind } from "./protocol.gen.ts";
import { Refusal } from "./socket.ts";
import { clock, duration, weekday } from "./times.ts";
import { refusalWords } from "./visit-words.ts";

/** Do what a dialog is for; a function it returns is called after the dialog is closed. */
export type Do = () => Promise<unknown>;

/** The person has to choose or fill in something first; the message says what. */
export class Wanted extends Error {}

/** A button that does something once, with the dialog as the place for what went wrong. */
export function doing(
  dialog: () => Dialog,
  words: string,
  style: string,
  action: string,
  act: Do,
): HTMLButtonElement {
  const button = h("button", { type: "button", class: `btn ${style}`, "data-do": action }, words);
  button.addEventListener("click", () => void run());
  async function run(): Promise<void> {
    button.disabled = true;
    try {
      const next = await act();
      dialog().close();
      if (typeof next === "function") next();
    } catch (error) {
      button.disabled = false;
      problem(dialog(), faultWords(error));
    }
  }
  return button;
}

/** Why something was not done, whoever refused it. */
export function faultWords(error: unknown): string {
  if (error instanceof Wanted) return error.message;
  const refusal = error instanceof Failure ? new Refusal(error.code, error.supportId) : error;
  if (refusal instanceof Refusal && refusal.code === "bad_times")
    return t("This time cannot be booked. Please choose another one.");
  return refusalWords(refusal);
}

/** Say in a dialog what is wrong, in its alert. */
export function problem(dialog: Dialog, words: string): void {
  const shown = dialog.element.querySelector("[role=alert]");
  if (shown) fill(shown, h("p", { class: "note note-warn" }, icon("warn"), h("span", {}, words)));
}

export function alertPlace(): HTMLElement {
  return h("div", { role: "alert" });
}

/** What a dialog is for: the button's words, its look, its name for tests, and what it does. */
export interface Purpose {
  readonly words: string;
  readonly style: string;
  readonly action: string;
  readonly act: Do;
}

/** A dialog that does one thing or nothing. */
export function askDialog(
  heading: string,
  content: readonly (Node | null)[],
  { words, style, action, act }: Purpose,
  no = t("Cancel"),
): void {
  const dialog = openDialog(
    heading,
    ...content,
    alertPlace(),
    buttons(
      cancelButton(() => dialog, no),
      doing(() => dialog, words, style, action, act),
    ),
  );
}

/** Confirm who somebody is and let them in; a patient only after the tick. */
export function admitDialog(
  row: BoardRow,
  person: BoardPerson,
  emergency: Readonly<Record<string, string>>,
  act: { readonly meets: boolean; readonly admit: Do; readonly decline: () => void },
): void {
  const patient = person.role === "patient";
  const heading = person.further_device_waiting
    ? t("Move this person to their other device?")
    : patient
      ? t("Is this the patient?")
      : t("Let this person in?");
  const tick = h("input", { type: "checkbox", id: "identity", "aria-describedby": "identity-hint" });
  const confirm = patient ? identity(person, tick, act.meets) : null;
  const dialog = openDialog(
    heading,
    h("p", { class: "dim" }, t("They cannot see or hear anyone until you admit them.")),
    identityFacts(row, person, emergency),
    confirm,
    alertPlace(),
    buttons(
      h(
        "button",
        { type: "button", class: "btn btn-text stop push", "data-do": "not-this", onclick: act.decline },
        patient ? t("Not this patient") : t("Do not admit"),
      ),
      h(
        "button",
        { type: "button", class: "btn", "data-do": "cancel-dialog", onclick: () => dialog.close() },
        t("Cancel"),
      ),
      doing(
        () => dialog,
        t("Admit"),
        "btn-act",
        "confirm-admit",
        async () => {
          if (patient && !tick.checked) {
            tick.focus();
            throw new Wanted(t("Please tick that this is the patient."));
          }
          return act.admit();
        },
      ),
    ),
  );
}

/** A physician reads name and year out when they meet; whoever else lets a patient in has asked before. */
function identity(person: BoardPerson, tick: HTMLInputElement, meets: boolean): HTMLElement {
  const values = { name: nameOf(person, t("Patient")), year: person.birth_year ?? "?" };
  const words = meets
    ? t("{name}, born {year}: I read this aloud first, and go on only when the patient confirms it.", values)
    : t("{name}, born {year}: I asked for the name and the year of birth, and they match.", values);
  return h(
    "div",
    { class: "confirm" },
    h("label", { class: "choice", for: "identity" }, tick, h("b", {}, words)),
    h(
      "p",
      { class: "dim small", id: "identity-hint" },
      t("Nobody hears you before you let them in. The name and the year stay at the top of the consult."),
    ),
  );
}

function identityFacts(
  row: BoardRow,
  person: BoardPerson,
  emergency: Readonly<Record<string, string>>,
): HTMLElement {
  const list = h("dl", { class: "dl" });
  const add = (term: string, ...value: (Node | string | null)[]): void => {
    list.append(h("dt", {}, term), h("dd", {}, ...value));
  };
  add(t("Name"), h("b", {}, bdi(nameOf(person, roleName(person.role)))));
  if (person.birth_year) add(t("Born"), h("b", { class: "num" }, person.birth_year));
  if (person.role !== "patient") add(t("Takes part as"), roleName(person.role));
  add(t("Language"), languageName(person.language));
  if (person.time_zone) add(t("Is now in"), ...whereabouts(person, emergency));
  if (person.role === "patient") {
    const companions = row.people.filter((one) => one.role === "companion" && one.seat !== "revoked");
    if (companions.length > 0)
      add(t("With them"), companions.map((one) => nameOf(one, t("Companion"))).join(", "));
    add(t("Interpreter"), said(interpreterOf(row), true));
    add(
      t("Agreed to the video visit"),
      person.consented
        ? said({ words: t("Yes"), tone: "good", icon: "check" })
        : said({ words: t("Not yet"), tone: "warn", icon: "clock" }),
    );
  }
  add(t("Device check"), ...readinessOf(person).map((one) => said(one)));
  return list;
}

function whereabouts(person: BoardPerson, emergency: Readonly<Record<string, string>>): (Node | string)[] {
  const zone = person.time_zone ?? "UTC";
  const now = new Date();
  const number = person.country ? emergency[person.country] : undefined;
  const nodes: (Node | string)[] = [
    h(
      "span",
      {},
      t("{place}, {weekday} {time}", {
        place: placeOf(person),
        weekday: weekday(now, zone),
        time: clock(now, zone),
      }),
    ),
  ];
  if (number)
    nodes.push(h("br"), t("Ambulance there:"), " ", h("b", { class: "num" }, bdi(number, { dir: "ltr" })));
  return nodes;
}

/** Send somebody away, with the reason they will read. */
export function declineDialog(person: BoardPerson, decline: (reason: DeclineReason) => Promise<void>): void {
  const reasons = choices("reason", t("Why?"), [
    ["wrong_person", t("It is somebody else")],
    ["not_expected", t("They are not expected")],
    ["come_back_later", t("They should come back later")],
  ]);
  askDialog(
    t("Do not admit {name}?", { name: nameOf(person, roleName(person.role)) }),
    [
      h("p", { class: "dim" }, t("They read that they cannot be let in and that they can call the clinic.")),
      reasons,
    ],
    {
      words: t("Do not admit"),
      style: "btn-red",
      action: "confirm-decline",
      act: async () => {
        const reason = chosenIn(reasons);
        if (!reason) throw new Wanted(t("Please choose why."));
        await decline(reason as DeclineReason);
      },
    },
  );
}

/** Tell waiting people how long it takes; they read it in their own language. */
export function noticeDialog(
  row: BoardRow,
  send: (kind: NoticeKind, minutes: number) => Promise<void>,
): void {
  const minutes = [5, 10, 15, 20, 30, 45];
  const options = minutes.map(
    (n) => [String(n), t("The doctor is late: about {duration} more", { duration: duration(n) })] as const,
  );
  const choice = choices(
    "notice",
    t("Message"),
    [["soon", t("The doctor comes very soon")], ...options],
    "10",
  );
  askDialog(
    t("Tell the waiting people"),
    [
      h(
        "p",
        { class: "dim" },
        t("{name} reads it in {language}.", {
          name: nameOf(personOf(row, "patient"), t("The patient")),
          language: languageName(personOf(row, "patient")?.language ?? "en"),
        }),
      ),
      choice,
    ],
    {
      words: t("Send"),
      style: "btn-act",
      action: "confirm-notice",
      act: async () => {
        const chosen = chosenIn(choice) ?? "soon";
        await (chosen === "soon" ? send("soon", 0) : send("running_late", Number(chosen)));
      },
    },
  );
}

/** Take part in a colleague's consult. */
export function coverDialog(row: BoardRow, cover: Do): void {
  const values = {
    physician: nameOf(personOf(row, "physician"), t("a colleague")),
    patient: nameOf(personOf(row, "patient"), t("the patient")),
  };
  askDialog(
    t("Take part in this consult?"),
    [
      h(
        "p",
        {},
        t(
          "It is booked with {physician} for {patient}. You join as a physician; everybody sees your name.",
          values,
        ),
      ),
    ],
    { words: t("Take part"), style: "btn-act", action: "confirm-cover", act: cover },
  );
}
