/** Modal dialogs: the browser's own <dialog>, one at a time, focus back where it came from. */

import { byId, h } from "./dom.ts";

export interface Dialog {
  readonly element: HTMLDialogElement;
  close(): void;
}

/** Open a dialog with this heading. Escape and the cancel button close it and do nothing else. */
export function openDialog(heading: string, ...content: (Node | null)[]): Dialog {
  const before = document.activeElement;
  const title = h("h2", { id: "dialog-title", class: "h1", tabindex: -1 }, heading);
  const element = h(
    "dialog",
    { class: "sheet sheet-w stack", "aria-labelledby": "dialog-title" },
    title,
    ...content,
  );
  const close = (): void => element.close();
  element.addEventListener("close", () => {
    element.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
  byId("dialogs").replaceChildren(element);
  element.showModal();
  title.focus();
  return { element, close };
}

/** The dialog's buttons: cancel at the start, what the dialog is for at the end. */
export function buttons(...content: (Node | null)[]): HTMLElement {
  return h("div", { class: "row wrap end acts-foot" }, ...content);
}

export function cancelButton(dialog: () => Dialog, words: string): HTMLButtonElement {
  const attributes = { type: "button", class: "btn btn-text push", "data-do": "cancel-dialog" };
  return h("button", { ...attributes, onclick: () => dialog().close() }, words);
}

/** Exclusive choices as radio buttons; the first is chosen beforehand only when `chosen` says so. */
export function choices(
  name: string,
  legend: string,
  options: readonly (readonly [string, string])[],
  chosen = "",
): HTMLFieldSetElement {
  const one = ([value, label]: readonly [string, string]): HTMLElement =>
    h(
      "label",
      { class: "choice" },
      h("input", { type: "radio", name, value, checked: value === chosen }),
      h("span", {}, label),
    );
  return h("fieldset", { class: "choices" }, h("legend", {}, legend), ...options.map(one));
}

export function chosenIn(fieldset: HTMLElement): string | null {
  return fieldset.querySelector<HTMLInputElement>("input:checked")?.value ?? null;
}

/** An input with its label above it. */
export function field(label: string, input: HTMLElement): HTMLElement {
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input);
}
