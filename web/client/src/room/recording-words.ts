/** Sentences about recording: the state, why it is so, and who has answered how. */

import { t } from "../i18n.ts";
import type { PersonView, RecordingAnswer, RecordingView, What, Why } from "../protocol.gen.ts";

export interface Told {
  readonly no: number;
  readonly state: RecordingView["state"] | "none";
  readonly why: Why | null;
}

export function heading(what: What): string {
  return what === "audio" ? t("May the sound of this visit be recorded?") : t("May this visit be recorded?");
}

/** What the mark says, the same for everybody. */
export function stateWords(recording: RecordingView | null): string {
  switch (recording?.state) {
    case "asked":
      return t("Not recorded yet: everybody is asked");
    case "on":
      return recording.what === "audio" ? t("Recording sound") : t("Recording");
    case "paused":
      return t("Recording paused: {why}", { why: WHY[recording.why ?? "newcomer"]() });
    default:
      return t("Not recorded");
  }
}

/** What is said when it has changed; "" when that is no news. */
export function spoken(before: Told | null, now: Told, recording: RecordingView | null): string {
  if (before && before.no === now.no && before.state === now.state && before.why === now.why) return "";
  switch (now.state) {
    case "on":
      return before?.state === "paused" && before.no === now.no
        ? t("This visit is recorded again.")
        : t("This visit is now recorded.");
    case "paused":
      return t("Recording paused: {why}", { why: WHY[now.why ?? "newcomer"]() });
    case "stopped":
      return recording?.begun ? t("The recording is over.") : "";
    default:
      return "";
  }
}

/** One person's answer, to be read in a list. */
export function personList(
  person: PersonView | undefined,
  mine: boolean,
  answer: RecordingAnswer | null,
): string {
  const name = person?.name ?? "";
  if (answer === "agreed") return mine ? t("You agree") : t("{name} agrees", { name });
  if (answer !== null) return mine ? t("You do not agree") : t("{name} does not agree", { name });
  return mine ? t("Your answer is missing") : t("{name} is asked", { name });
}

const WHY: Readonly<Record<Why, () => string>> = {
  newcomer: () => t("somebody has not agreed yet"),
  refused: () => t("somebody does not agree"),
  revoked: () => t("somebody does not agree any more"),
  briefing: () => t("a private briefing"),
  failed: () => t("a fault"),
  physician: () => t("stopped"),
  ended: () => t("over"),
};
