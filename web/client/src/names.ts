/** Names of people and languages as they are shown. */

import { language } from "./i18n.ts";

const TITLE = /^(dr|prof|mr|mrs|ms|د|أ)\.?$/iu;
const INITIALS_MAX = 2;

/** One or two letters that stand for a person where there is no picture: "Dr. Elena Marlowe" is "EM". */
export function initials(name: string): string {
  const words = name.split(/\s+/u).filter((word) => word && !TITLE.test(word));
  const chosen = words.length > INITIALS_MAX ? [words[0], words[words.length - 1]] : words;
  // Arabic letters would join to a word that nobody is called.
  return chosen
    .map((word) => [...(word ?? "")][0]?.toUpperCase() ?? "")
    .join(/\p{Script=Arabic}/u.test(name) ? "\u200c" : "");
}

/** A language's name in the page's language, or in another: "ar" is "Arabic". */
export function languageName(tag: string, within = language()): string {
  try {
    return new Intl.DisplayNames([within], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** A country's name in the page's language. */
export function countryName(code: string): string {
  try {
    return new Intl.DisplayNames([language()], { type: "region" }).of(code) ?? code;
  } catch {
    return code;
  }
}
