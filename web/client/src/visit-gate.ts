/** Which buttons there are: those whose command the view says this person may give now. */

import { all, show } from "./dom.ts";
import type { ConsultView, Verb } from "./protocol.gen.ts";

/** The commands behind a button; it is there when any of them may be given. */
const VERBS: Readonly<Record<string, readonly Verb[]>> = {
  leave: ["leave"],
  chat: ["send_message"],
  mute: ["set_media"],
  camera: ["set_media"],
  share: ["start_sharing", "stop_sharing"],
  end: ["end"],
  extend: ["extend"],
  send_notice: ["send_notice"],
  continue_consult: ["continue_consult"],
  request_interpreter: ["request_interpreter"],
  original: ["prefer_original"],
  ask_recording: ["ask_recording"],
  stop_recording: ["stop_recording"],
};

export function allowed(name: string, view: ConsultView): boolean {
  return (VERBS[name] ?? []).some((verb) => view.can.includes(verb));
}

/** Hides and shows; a button marked `data-unfit` cannot work on this device and stays away. */
export function gate(root: ParentNode, view: ConsultView): void {
  for (const button of all<HTMLButtonElement>("button[data-do]", root)) {
    const name = button.dataset.do ?? "";
    if (name in VERBS) show(button, allowed(name, view) && button.dataset.unfit === undefined);
  }
}
