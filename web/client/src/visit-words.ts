/** Sentences for what the server says in codes: refusals and what keeps a person out. */

import { t } from "./i18n.ts";
import type { Path } from "./media/stats.ts";
import { Refusal } from "./socket.ts";
import type { Visit } from "./visit-context.ts";

/** Why the server did not do it, for the person who asked. */
export function refusalWords(error: unknown): string {
  const code = error instanceof Refusal ? error.code : "internal";
  switch (code) {
    case "offline":
    case "timeout":
      return t("There is no connection at the moment. Please try again.");
    case "consent_missing":
      return t("This person has not agreed to the video visit yet.");
    case "text_not_reviewed":
      return t("There is no reviewed text in your language to agree to.");
    case "already_asked":
      return t("This was asked already.");
    case "identity_unconfirmed":
      return t("Please confirm who this person is first.");
    case "physician_absent":
      return t("A physician must be in the consult first.");
    case "consult_full":
      return t("There is no free place in this consult.");
    case "already_sharing":
      return t("Another person shares a screen.");
    case "already_continued":
      return t("This consult was continued already.");
    case "too_many":
      return t("That was too fast. Please wait a moment.");
    case "not_permitted":
    case "not_now":
    case "separated":
      return t("This is not possible at the moment.");
    case "ended":
      return t("The visit is over.");
    case "too_early":
      return t("The waiting room is not open yet.");
    case "cancelled":
    case "no_show":
    case "declined":
    case "removed":
    case "revoked":
    case "not_found":
      return t("This is not possible any more.");
    case "media_unavailable":
      return t("The clinic cannot carry sound and picture at the moment. We keep trying.");
    case "not_stored":
      return t("The clinic could not save this. Nothing was changed. Please try again in a moment.");
    case "elsewhere":
      return t("You opened this visit in another window or on another device.");
    default:
      return supportWords(error);
  }
}

function supportWords(error: unknown): string {
  const support = error instanceof Refusal ? error.supportId : null;
  if (support)
    return t("Something went wrong on our side. Please say this number if you call us: {number}", {
      number: support,
    });
  return t("Something went wrong on our side. Please try again.");
}

/** "12:04" for a duration in milliseconds; hours in front when there are any. */
export function clockWords(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part) => String(part).padStart(2, "0")).join(":");
}

/** Why there is neither sound nor picture although the clinic is reached. */
export function blockedWords(visit: Visit): string {
  if (visit.media.connection.obstacle === "server") {
    return t("The clinic cannot carry sound and picture at the moment. We keep trying.");
  }
  return t("This network blocks sound and picture. Try another Wi-Fi or your mobile data. We keep trying.");
}

/** Which way sound and picture take; "" while there is none. */
export function pathWords(path: Path | null): string {
  switch (path) {
    case "direct":
      return t("Sound and picture reach the clinic directly.");
    case "udp":
    case "tcp":
      return t("This network blocks the direct way. Sound and picture go through our relay. That works too.");
    case "tls":
      return t(
        "This network lets only web pages through. Sound and picture go the same way. That works too.",
      );
    case null:
      return "";
  }
}

/** What keeps this person from the clinic outside the room, in words; "" when nothing does. */
export function troubleWords(visit: Visit): string {
  if (visit.channel === "lost")
    return t("The internet connection stopped. We are bringing you back. Your place is kept.");
  if (visit.media.connection.state === "failed") {
    return blockedWords(visit);
  }
  if (visit.media.interruptedKinds.has("audio"))
    return t("Another app is using your microphone. End any phone call.");
  return "";
}
