/** Outside the room: that the visit is recorded, and the way to stop it for whoever has one. */

import { say, show } from "./dom.ts";
import { t } from "./i18n.ts";
import type { ConsultView } from "./protocol.gen.ts";
import { maybe, part } from "./visit-template.ts";

export function fillRecorded(root: ParentNode, view: ConsultView): void {
  const place = maybe(root, "recorded");
  if (!place) return;
  const words = recordedWords(view);
  show(place, words !== "");
  say(part(place, "recorded-words"), words);
  show(
    part(place, "recorded-stop"),
    view.recording?.mine === "agreed" && view.can.includes("refuse_recording"),
  );
}

/** "" while there is no recording. Whoever reads this is not in it: they are neither heard nor seen. */
export function recordedWords({ recording }: ConsultView): string {
  const asked = recording?.mine !== "agreed";
  switch (recording?.state) {
    case "on":
      return asked
        ? t("This visit is being recorded. You are asked before you are recorded.")
        : t("This visit is being recorded. You agreed to it.");
    case "paused":
      return asked ? t("The recording of this visit is paused. You are asked before you are recorded.") : "";
    default:
      return "";
  }
}
