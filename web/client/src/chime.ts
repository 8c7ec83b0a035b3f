/** The sound and the desktop notification for an arrival, both only when somebody asked for them. */

import { t } from "./i18n.ts";

const KEPT = "meridian.chime";
/** Two soft notes, a fifth apart: frequency in Hz and start in seconds. */
const NOTES = [
  [660, 0],
  [990, 0.18],
] as const;
const NOTE_S = 0.5;
const LOUDNESS = 0.2;

let context: AudioContext | null = null;

/** Whether one wants to hear it; `unsaid` is what goes for those who never said. */
export function chimeIsOn(unsaid = false): boolean {
  try {
    const said = localStorage.getItem(KEPT);
    return said === null ? unsaid : said === "on";
  } catch {
    return unsaid;
  }
}

/** Turn the chime on or off; turning it on also asks for notifications and lets one hear it. */
export async function setChime(on: boolean): Promise<void> {
  try {
    localStorage.setItem(KEPT, on ? "on" : "off");
  } catch {
    // A browser that keeps nothing still chimes until the page is closed.
  }
  if (!on) return;
  play();
  if ("Notification" in window && Notification.permission === "default")
    await Notification.requestPermission();
}

/** Browsers allow sound only after a click or key; take the first one there is. */
export function wakeOnFirstGesture(unsaid = false): void {
  const wake = (): void => {
    if (chimeIsOn(unsaid)) void ready().resume();
  };
  addEventListener("pointerdown", wake, { once: true });
  addEventListener("keydown", wake, { once: true });
}

function ready(): AudioContext {
  context ??= new AudioContext();
  return context;
}

function play(): void {
  const audio = ready();
  void audio.resume();
  for (const [frequency, start] of NOTES) {
    const note = audio.createOscillator();
    const gain = audio.createGain();
    const from = audio.currentTime + start;
    note.frequency.value = frequency;
    gain.gain.setValueAtTime(LOUDNESS, from);
    gain.gain.exponentialRampToValueAtTime(0.001, from + NOTE_S);
    note.connect(gain).connect(audio.destination);
    note.start(from);
    note.stop(from + NOTE_S);
  }
}

/** An interpreter is called: the sound, and (unless it is only repeated) a notification that names nobody. */
export function announceRing(again = false): void {
  if (!chimeIsOn(true)) return;
  play();
  if (again) return;
  notify(t("An interpreter is needed"), t("Open your desk to answer."), "meridian-ring");
}

/** Somebody arrived. The notification names nobody: it may show on a shared or locked screen. */
export function announceArrival(): void {
  if (!chimeIsOn()) return;
  play();
  notify(t("Somebody is waiting"), t("Open the waiting room."), "meridian-arrival");
}

function notify(title: string, body: string, tag: string): void {
  if (!("Notification" in window) || Notification.permission !== "granted" || document.hasFocus()) return;
  const notification = new Notification(title, { body, tag });
  notification.addEventListener("click", () => {
    window.focus();
    notification.close();
  });
}
