/** Keeps the screen awake while somebody waits or talks, and again after the page was in the background. */

let lock: WakeLockSentinel | null = null;
let wanted = false;

async function acquire(): Promise<void> {
  if (!wanted || lock || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
  try {
    lock = await navigator.wakeLock.request("screen");
    lock.addEventListener("release", () => {
      lock = null;
    });
  } catch (error) {
    // Refused on a low battery: the visit works without it.
    if (!(error instanceof DOMException)) throw error;
  }
}

export function keepAwake(on: boolean): void {
  wanted = on;
  if (on) void acquire();
  else void lock?.release();
}

document.addEventListener("visibilitychange", () => void acquire());
