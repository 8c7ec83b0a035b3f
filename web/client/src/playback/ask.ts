/** Dialogs of the recording's page that ask for something, and parts they share. */

import { buttons, cancelButton, type Dialog, openDialog } from "../dialog.ts";
import { fill, h, icon } from "../dom.ts";
import { t } from "../i18n.ts";
import { faultWords } from "./words.ts";

/** The person has to choose or write something first; the message says what. */
export class Wanted extends Error {}

export interface Act {
  readonly words: string;
  readonly style: string;
  /** The button's name for tests. */
  readonly action: string;
  /** Called once for each press; the dialog closes afterwards unless it is asked to stay. */
  readonly run: (dialog: Dialog) => Promise<void>;
  readonly stays?: boolean;
}

/** A button that works once at a time, and says in `problems` why something was not done. */
export function doing(act: Omit<Act, "run">, problems: Element, run: () => Promise<void>): HTMLButtonElement {
  const button = h("button", { type: "submit", class: `btn ${act.style}`, "data-do": act.action }, act.words);
  button.addEventListener("click", (event: Event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    fill(problems);
    run()
      .catch((error: unknown) =>
        complain(problems, error instanceof Wanted ? error.message : faultWords(error)),
      )
      .finally(() => {
        button.disabled = false;
      });
  });
  return button;
}

export function complain(problems: Element, words: string): void {
  fill(problems, h("p", { class: "note note-warn" }, icon("warn"), h("span", {}, words)));
}

export function alertPlace(): HTMLElement {
  return h("div", { role: "alert" });
}

/** A dialog that does one of these things or nothing. */
export function ask(heading: string, content: readonly (Node | null)[], ...acts: readonly Act[]): Dialog {
  const problems = alertPlace();
  const offered = acts.map((act) =>
    doing(act, problems, async () => {
      await act.run(dialog);
      if (!act.stays) dialog.close();
    }),
  );
  const form = h(
    "form",
    { class: "stack", novalidate: true },
    ...content,
    problems,
    buttons(
      cancelButton(() => dialog, t("Cancel")),
      ...offered,
    ),
  );
  const dialog = openDialog(heading, form);
  return dialog;
}

/** A dialog that only shows something. */
export function tell(heading: string, ...content: (Node | null)[]): Dialog {
  const close = h(
    "button",
    { type: "button", class: "btn", "data-do": "close", onclick: () => dialog.close() },
    t("Close"),
  );
  const dialog = openDialog(heading, ...content, buttons(close));
  return dialog;
}

/** A table that scrolls by itself where it is too wide. */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly (Node | string)[])[],
): HTMLElement {
  const row = (cells: readonly (Node | string)[]): HTMLElement =>
    h(
      "tr",
      {},
      ...cells.map((cell, at) => h(at === 0 ? "th" : "td", at === 0 ? { scope: "row" } : {}, cell)),
    );
  return h(
    "div",
    { class: "scroll-x", tabindex: 0, role: "group", "aria-label": caption },
    h(
      "table",
      { class: "table" },
      h("thead", {}, h("tr", {}, ...head.map((one) => h("th", { scope: "col" }, one)))),
      h("tbody", {}, ...rows.map(row)),
    ),
  );
}

/** A measured progress, in words too; `done` from 0 to 1. */
export interface Progress {
  readonly element: HTMLElement;
  set(done: number): void;
}

export function progress(label: string): Progress {
  const bar = h("progress", { max: 100, value: 0, "aria-label": label });
  const said = h("span", { class: "num" }, "0 %");
  return {
    element: h("div", { class: "row" }, h("span", { class: "grow" }, bar), said),
    set(done) {
      const share = Math.round(100 * Math.max(0, Math.min(1, done)));
      bar.value = share;
      fill(said, `${share} %`);
    },
  };
}
