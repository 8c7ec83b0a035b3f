/** Making and finding elements without ever parsing text as HTML (the page forbids it through Trusted Types). */

type Child = Node | string | number | null | undefined | false;
type Attribute = string | number | boolean | null | undefined | ((event: never) => void);
export type Attributes = Readonly<Record<string, Attribute>>;

const SVG = "http://www.w3.org/2000/svg";

/** An element: `onclick` and the like are listeners, `true` an empty attribute, false or null no attribute. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...present(children));
  return element;
}

function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, String(value));
  }
}

function present(children: readonly Child[]): (Node | string)[] {
  return children
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/** One of the page's icons (templates/icons.html); decorative, so its words stand beside it. */
export function icon(name: string, extra = ""): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  set(svg, { class: extra ? `i ${extra}` : "i", viewBox: "0 0 24 24", "aria-hidden": "true" });
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Text of unknown script and direction (names, addresses), kept from reordering what stands around it. */
export function bdi(text: string, attributes: Attributes = {}): HTMLElement {
  return h("bdi", attributes, text);
}

/** The element with this id, which the page's template promises. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element #${id}`);
  return element as E;
}

/** The first element a selector finds below a root, which the root's template promises. */
export function first<E extends Element = HTMLElement>(selector: string, root: ParentNode = document): E {
  const found = root.querySelector<E>(selector);
  if (!found) throw new Error(`there is no ${selector}`);
  return found;
}

/** All elements a selector finds below a root. */
export function all<E extends Element = HTMLElement>(selector: string, root: ParentNode = document): E[] {
  return [...root.querySelectorAll<E>(selector)];
}

/** Exchange everything inside an element. */
export function fill(element: Element, ...children: readonly Child[]): void {
  element.replaceChildren(...present(children));
}

/** Exchange a part of the page without taking the keyboard's place in it away; `data-key` names the places. */
export function redraw(place: Element, ...content: Node[]): void {
  const active = document.activeElement;
  const key = active instanceof HTMLElement && place.contains(active) ? active.dataset.key : undefined;
  fill(place, ...content);
  if (key) place.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

/** Set an element's text only when it changed, so that live regions speak only news. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function show(element: Element, visible: boolean): void {
  element.toggleAttribute("hidden", !visible);
}
