/** Small numbers this tab keeps over a reload: since when one waits, how far the messages were read. */

const PREFIX = "meridian.visit.";

export function kept(name: string, fallback: number): number {
  try {
    const value = Number(sessionStorage.getItem(PREFIX + name) ?? fallback);
    return Number.isFinite(value) ? value : fallback;
  } catch {
    return fallback; // Storage is blocked: the number lasts as long as the page.
  }
}

export function keep(name: string, value: number): void {
  try {
    sessionStorage.setItem(PREFIX + name, String(value));
  } catch (error) {
    // Storage is blocked, see above.
    if (!(error instanceof DOMException)) throw error;
  }
}
