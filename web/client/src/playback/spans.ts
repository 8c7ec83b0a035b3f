/** Pieces of time in a recording, in seconds, in order and apart from each other. */

export type Span = readonly [start: number, end: number];

const US_PER_S = 1_000_000;

/** Spans of the server, in microseconds, as seconds. */
export function inSeconds(spans: readonly (readonly [number, number])[]): Span[] {
  return spans.map(([start, end]) => [start / US_PER_S, end / US_PER_S] as const);
}

/** The first span that ends after this moment, whether it has begun or not; found by halving. */
function firstEndingAfter(spans: readonly Span[], atS: number): Span | undefined {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.[1] ?? 0) > atS) high = middle;
    else low = middle + 1;
  }
  return spans[low];
}

/** The span this moment lies in; its end is no longer part of it. */
export function spanAt(spans: readonly Span[], atS: number): Span | null {
  const found = firstEndingAfter(spans, atS);
  return found && found[0] <= atS ? found : null;
}

/** The next span that begins after this moment. */
export function spanAfter(spans: readonly Span[], atS: number): Span | null {
  const found = firstEndingAfter(spans, atS);
  if (!found || found[0] > atS) return found ?? null;
  return spans[spans.indexOf(found) + 1] ?? null;
}
