/** Templates of the page: cloned, and their named parts found. */

import { byId } from "./dom.ts";

/** A copy of `<template id=…>`. */
export function clone(id: string): DocumentFragment {
  const template = byId<HTMLElement>(id);
  if (!(template instanceof HTMLTemplateElement)) throw new Error(`#${id} is not a template`);
  return document.importNode(template.content, true);
}

/** The part a template promises. */
export function part<E extends Element = HTMLElement>(root: ParentNode, name: string): E {
  const found = root.querySelector<E>(`[data-part="${name}"]`);
  if (!found) throw new Error(`the template has no part ${name}`);
  return found;
}

/** A part only some roles' templates have. */
export function maybe<E extends Element = HTMLElement>(root: ParentNode, name: string): E | null {
  return root.querySelector<E>(`[data-part="${name}"]`);
}
