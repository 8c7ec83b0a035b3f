/** What is said of interpreting, to each in their own words. */

import { t } from "../i18n.ts";
import { languageName } from "../names.ts";
import type { ConsultView, SearchView, SignalKind } from "../protocol.gen.ts";
import { isPatient } from "../visit-context.ts";

export const SIGNALS: readonly SignalKind[] = [
  "repeat",
  "slower",
  "one_at_a_time",
  "not_heard",
  "clarify",
  "culture",
];

export const SIGNAL_ICONS: Readonly<Record<SignalKind, string>> = {
  repeat: "repeat",
  slower: "slow",
  one_at_a_time: "one",
  not_heard: "cut",
  clarify: "book",
  culture: "bulb",
};

/** On the interpreter's own button. */
export function signalName(kind: SignalKind): string {
  switch (kind) {
    case "repeat":
      return t("Repeat");
    case "slower":
      return t("Slower");
    case "one_at_a_time":
      return t("One at a time");
    case "not_heard":
      return t("Sound cut out");
    case "clarify":
      return t("Check a term");
    case "culture":
      return t("Cultural note");
  }
}

/** To the people who are asked. */
export function signalWords(kind: SignalKind): string {
  switch (kind) {
    case "repeat":
      return t("The interpreter asks you to say that again.");
    case "slower":
      return t("The interpreter asks you to speak more slowly.");
    case "one_at_a_time":
      return t("The interpreter asks: please one person at a time.");
    case "not_heard":
      return t("The interpreter could not hear that. Please say it again.");
    case "clarify":
      return t("The interpreter asks what a word means.");
    case "culture":
      return t("The interpreter explains a custom or a habit.");
  }
}

/** How the search goes, for everybody who waits for it; "" when there is nothing to say. */
export function searchWords(view: ConsultView, search: SearchView): string {
  const language = languageName(search.languages[0] ?? "");
  const patient = isPatient(view.me.role);
  switch (search.state) {
    case "ringing":
      if (search.comes_back) return t("The interpreter lost the connection. We are calling them back.");
      return t("Calling an interpreter for {language}. This usually takes {n} seconds.", {
        language,
        n: search.expected_s,
      });
    case "accepted":
      return t("An interpreter for {language} is coming.", { language });
    case "unanswered":
      return patient
        ? t("No interpreter is free yet. The clinic keeps trying.")
        : t("No interpreter for {language} answers. Choose what to do.", { language });
    case "by_phone":
      return patient
        ? t("The clinic calls an interpreter by telephone.")
        : t("Call the telephone interpreters. Put them on speaker near your microphone.");
    case "connected":
    case "closed":
      return "";
  }
}

/** In the page's language, in the order of web/introductions.py, which has them in all languages. */
const SENTENCES = (): readonly string[] => [
  t("I am your interpreter for {language}. My number is {number}."),
  t("I am your interpreter for {language}."),
  t("I interpret everything that is said, and everything stays confidential."),
  t("Please speak to each other, in short sentences. I may ask you to repeat something."),
  t("This visit is being recorded."),
  t("This visit is not being recorded."),
];

/** The introduction as it is said aloud; what it says of the recording is true. */
export function introduction(
  number: string | null,
  language: string,
  recorded: boolean,
  sentences = SENTENCES(),
): string[] {
  const [named, unnamed, role, manner, on, off] = sentences;
  return [number ? named : unnamed, role, manner, recorded ? on : off].map((sentence) =>
    (sentence ?? "").replace("{language}", language).replace("{number}", number ?? ""),
  );
}

/** The sentences in another page language, the patient's; undefined where there are none. */
export function sentencesIn(
  all: Readonly<Record<string, readonly string[]>>,
  language: string,
): readonly string[] | undefined {
  const short = language.split("-")[0] ?? language;
  const tag = Object.keys(all).find((one) => one === language || one.split("-")[0] === short);
  return tag === undefined ? undefined : all[tag];
}
