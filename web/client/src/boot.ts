/** What the server tells a page's script, from `<script type="application/json" id="boot">`. */

/** The page's boot data; the caller names the shape its template writes (see web/pages.py). */
export function boot<T>(): T {
  const element = document.getElementById("boot");
  if (!element?.textContent) throw new Error("the page has no boot data");
  return JSON.parse(element.textContent) as T;
}
