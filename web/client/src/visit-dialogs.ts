/** Real dialogs: opened modally, the heading focused, Escape the harmless choice, closed from any screen change. */

import { all, byId } from "./dom.ts";

export function dialog(name: string): HTMLDialogElement {
  return byId<HTMLDialogElement>(`dialog-${name}`);
}

export function openDialog(name: string): HTMLDialogElement {
  const element = dialog(name);
  for (const error of all("[data-part=error]", element)) error.hidden = true;
  if (!element.open) element.showModal();
  element.querySelector<HTMLElement>("h2")?.focus();
  return element;
}

export function closeDialog(name: string): void {
  const element = dialog(name);
  if (element.open) element.close();
}

/** The dialog over the page; the question about recording lies beside the picture and is none of them. */
export function openedDialog(): HTMLDialogElement | null {
  return document.querySelector<HTMLDialogElement>("dialog.sheet[open]");
}

export function closeDialogs(): void {
  for (const element of all<HTMLDialogElement>("dialog[open]")) element.close();
}

/** A press on the backdrop or on a button marked data-close closes without doing anything. */
document.addEventListener("click", (event) => {
  const target = event.target;
  if (!(target instanceof Element)) return;
  if (target instanceof HTMLDialogElement && target.open && outside(target, event)) target.close();
  else if (target.closest("[data-close]")) target.closest("dialog")?.close();
});

function outside(element: HTMLElement, event: MouseEvent): boolean {
  const box = element.getBoundingClientRect();
  const { clientX: x, clientY: y } = event;
  return x < box.left || x > box.right || y < box.top || y > box.bottom;
}
