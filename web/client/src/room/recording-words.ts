/** Sentences about recording: the state, why it is so, and who has answered how. Pure. */

import { language, t } from "../i18n.ts";
import type { ConsultView, PersonView, RecordingAnswer, RecordingView, What } from "../protocol.gen.ts";
import { personOf } from "../visit-context.ts";

/** What was last seen of the recording, to know what is news. */
export interface Seen {
  readonly no: number;
  readonly state: RecordingView["state"] | "none";
}

export function seenOf(recording: RecordingView | null): Seen {
  return { no: recording?.no ?? 0, state: recording?.state ?? "none" };
}

/** The heading where there is no text to agree to. */
export function heading(what: What): string {
  return what === "audio" ? t("May the sound of this visit be recorded?") : t("May this visit be recorded?");
}

/** What the mark says. Whoever is in the room reads whom it waits for. */
export function stateWords(view: ConsultView): string {
  const { recording } = view;
  switch (recording?.state) {
    case "asked":
      return t("Not recorded yet");
    case "on":
      return recording.what === "audio" ? t("Recording sound") : t("Recording");
    case "paused":
      return pausedWords(view, recording);
    default:
      return t("Not recorded");
  }
}

function pausedWords(view: ConsultView, recording: RecordingView): string {
  switch (recording.why) {
    case "newcomer":
      return awaited(view, recording);
    case "refused":
    case "revoked":
      return against(view, recording);
    case "briefing":
      return t("Recording paused: private briefing");
    case "failed":
      return t("Recording paused: technical fault");
    default:
      return t("Recording paused");
  }
}

function awaited(view: ConsultView, recording: RecordingView): string {
  const missing = recording.answers.filter((one) => one.answer === null).map((one) => one.participant);
  if (missing.includes(view.me.participant)) return t("Recording paused: your answer is missing");
  const names = missing.map((id) => personOf(view, id)?.name).filter((name) => name !== undefined);
  if (names.length === 0) return t("Recording paused");
  return t("Recording paused: waits for {names} to agree", { names: listed(names) });
}

function against(view: ConsultView, recording: RecordingView): string {
  const no = recording.answers.filter(({ answer }) => answer === "refused" || answer === "revoked");
  if (no.some((one) => one.participant === view.me.participant))
    return t("Recording paused: you do not agree");
  const name = no.length === 1 ? personOf(view, no[0]?.participant)?.name : undefined;
  return name
    ? t("Recording paused: {name} does not agree", { name })
    : t("Recording paused: not everybody agrees");
}

/** "A, B and C" as the page's language has it. */
function listed(names: readonly string[]): string {
  return new Intl.ListFormat(language(), { type: "conjunction" }).format(names);
}

/** What is said aloud when something has changed, "" when nothing has: it names nobody, others may hear it. */
export function newsWords(before: Seen | null, recording: RecordingView | null): string {
  const now = seenOf(recording);
  if (before === null) return now.state === "on" ? t("This visit is being recorded.") : "";
  if (before.no === now.no && before.state === now.state) return "";
  switch (now.state) {
    case "on":
      return before.state === "paused" && before.no === now.no
        ? t("This visit is recorded again.")
        : t("This visit is now recorded.");
    case "paused":
      return t("The recording is paused.");
    case "stopped":
      return recording?.begun ? t("The recording is over.") : t("The visit is not recorded.");
    default:
      return "";
  }
}

/** One person's answer, in a list. */
export function answerWords(name: string, mine: boolean, answer: RecordingAnswer | null): string {
  if (answer === "agreed") return mine ? t("You agree") : t("{name} agrees", { name });
  if (answer !== null) return mine ? t("You do not agree") : t("{name} does not agree", { name });
  return mine ? t("Your answer is missing") : t("{name} is asked", { name });
}

const CHINESE: ReadonlySet<string> = new Set(["zh", "cmn", "yue"]);

/** Whether who speaks one language reads the other, as the server has it (`reads` in consent_texts.py). */
export function reads(spoken: string, written: string): boolean {
  const [one, other] = [spoken, written].map((tag) => (tag.split("-")[0] ?? tag).toLowerCase());
  return one === other || (CHINESE.has(one ?? "") && CHINESE.has(other ?? ""));
}

/** The guests who could not agree: nobody has reviewed a text in what they speak. */
export function withoutText(view: ConsultView, languages: readonly string[]): PersonView[] {
  const here = new Set<PersonView["seat"]>(["present", "waiting", "on_hold", "lost"]);
  return view.people.filter(
    ({ role, seat, language: spoken }) =>
      (role === "patient" || role === "companion") &&
      here.has(seat) &&
      !languages.some((written) => reads(spoken, written)),
  );
}
