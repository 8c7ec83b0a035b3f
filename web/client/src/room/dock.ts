/** The controls under the stage: their state in a word and an icon, and the keys for people at a keyboard. */

import { playChime } from "../check/sound.ts";
import { all, first, say } from "../dom.ts";
import { t } from "../i18n.ts";
import { fillChoices } from "../media/choices.ts";
import { live } from "../media/devices.ts";
import type { ConsultView } from "../protocol.gen.ts";
import { type Actions, isPatient, type Visit } from "../visit-context.ts";
import { openDialog } from "../visit-dialogs.ts";

const KEYS: Readonly<Record<string, string>> = { m: "mute", v: "camera" };

export function dockActions(visit: Visit): Actions {
  const { devices } = visit.media;
  const refused = (failure: string | null): void => {
    if (failure) visit.announce(t("The camera or microphone could not be turned on."));
  };
  return {
    mute: async () => {
      if (!live(devices.microphone))
        return refused((await devices.open({ audio: true, video: false })).audio);
      devices.setMuted(!devices.muted);
    },
    camera: async () => refused(await devices.setCamera(!live(devices.camera))),
    flip: async () => refused(await devices.flip()),
    share: () => share(visit),
    original: async () => {
      await visit.send({ type: "prefer_original", prefers: !visit.view?.session?.original });
    },
    devices: () => {
      const box = openDialog("devices");
      void fillChoices(first("[data-part=choices]", box), devices, (error) => visit.problem(error));
    },
    play_sound: async () => {
      await playChime(devices.choice.speaker);
    },
  };
}

/** Ask for the window first: without one there is nothing to announce. */
async function share(visit: Visit): Promise<void> {
  const { devices } = visit.media;
  if (visit.view?.sharing) return stopSharing(visit);
  if (!(await devices.openScreen(() => void stopSharing(visit)))) return;
  try {
    await visit.send({ type: "start_sharing" });
  } catch (error) {
    devices.closeScreen();
    throw error;
  }
}

async function stopSharing(visit: Visit): Promise<void> {
  visit.media.devices.closeScreen();
  if (visit.view?.can.includes("stop_sharing")) await visit.send({ type: "stop_sharing" });
}

/** Set every toggle's state and label. */
export function drawDock(root: ParentNode, visit: Visit, view: ConsultView): void {
  const { devices } = visit.media;
  const patient = isPatient(visit.boot.role);
  const heard = live(devices.microphone) && !devices.muted;
  const seen = live(devices.camera);
  toggle(
    root,
    "mute",
    !heard,
    heard ? "mic" : "micoff",
    heard ? (patient ? t("Microphone") : t("Mute")) : t("Unmute"),
  );
  toggle(root, "camera", !seen, seen ? "cam" : "camoff", seen ? t("Camera") : t("Camera on"));
  toggle(
    root,
    "share",
    view.sharing !== null,
    "share",
    view.sharing === null ? t("Share screen") : t("Stop sharing"),
  );
  const { session } = view;
  toggle(root, "original", session?.original === true, "ear", t("Original"));
  // A second interpreter is asked for in the panel, where it says so.
  fit(root.querySelector(".dock") ?? root, "request_interpreter", session === null);
  fit(root, "original", session?.mode === "simultaneous" && session.stage === "interpreting");
  fit(root, "share", mayShare(view));
  for (const button of all("[data-do=flip]", root)) button.hidden = !seen || !flippable();
  for (const button of all("[data-do=devices]", root)) button.hidden = patient && flippable();
}

/** A control that is of no use now stays away, whatever the view permits. */
function fit(root: ParentNode, name: string, useful: boolean): void {
  for (const button of all(`[data-do=${name}]`, root)) {
    if (useful) delete button.dataset.unfit;
    else {
      button.dataset.unfit = "";
      button.hidden = true;
    }
  }
}

/** Phones cannot show their screen; and only a physician stops somebody else's. */
function mayShare(view: ConsultView): boolean {
  if (view.sharing !== null) return view.sharing === view.me.participant || view.me.role === "physician";
  return (
    view.can.includes("start_sharing") &&
    typeof navigator.mediaDevices?.getDisplayMedia === "function" &&
    !flippable()
  );
}

/** Phones and tablets: two cameras and no list worth choosing from. */
function flippable(): boolean {
  return matchMedia("(hover: none) and (pointer: coarse)").matches;
}

function toggle(root: ParentNode, name: string, pressed: boolean, icon: string, label: string): void {
  for (const button of all(`[data-do=${name}]`, root)) {
    button.setAttribute("aria-pressed", String(pressed));
    button.querySelector("use")?.setAttribute("href", `#i-${icon}`);
    const words = button.querySelector("[data-label]")?.firstChild;
    if (words && words.textContent?.trim() !== label) words.textContent = `${label} `;
    else if (!words) say(button, label);
  }
}

/** M and V, when nobody is typing and no dialog is open. Returns what takes the keys off again. */
export function listenToKeys(press: (name: string) => void): () => void {
  const onkeydown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const target = event.target as HTMLElement;
    if (target.closest("input, textarea, select, dialog, [contenteditable]")) return;
    const name = KEYS[event.key.toLowerCase()];
    if (!name) return;
    event.preventDefault();
    press(name);
  };
  document.addEventListener("keydown", onkeydown);
  return () => document.removeEventListener("keydown", onkeydown);
}
