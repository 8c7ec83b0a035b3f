/** Whether a recording is whole and unchanged, and what is missing when it is not. */

import { fill, h, icon } from "../dom.ts";
import { t, tn } from "../i18n.ts";
import type { Manifest, Part } from "./shapes.ts";
import { place } from "./words.ts";

const US_PER_S = 1_000_000;

/** One line beside the heading; what is not as it should be is said loudly below it. */
export function showIntegrity(badge: HTMLElement, warning: HTMLElement, manifest: Manifest): void {
  const parts = manifest.parts.length;
  const good = manifest.status === "complete";
  badge.dataset.status = manifest.status;
  badge.className = `tag badge ${good ? "good" : manifest.status === "torn" ? "warn" : "stop"}`;
  fill(badge, icon(good ? "shield" : "warn"), badgeWords(manifest, parts));
  fill(warning, ...(good ? [] : [warningOf(manifest)]));
}

function badgeWords(manifest: Manifest, n: number): string {
  switch (manifest.status) {
    case "complete":
      return tn("Complete and unchanged: {n} part", "Complete and unchanged: {n} parts", n);
    case "torn":
      return t("Interrupted");
    case "tampered":
      return t("Changed afterwards");
    case "missing":
      return t("Parts are missing");
  }
}

function warningOf(manifest: Manifest): HTMLElement {
  const loud = manifest.status !== "torn";
  const lost = manifest.parts.filter((part) => part.status !== "complete").map(lostWords);
  return h(
    "div",
    { class: `note ${loud ? "note-stop" : "note-warn"}`, role: loud ? "alert" : "note" },
    icon("warn"),
    h(
      "div",
      { class: "stack stack-s" },
      h("p", {}, h("b", {}, summary(manifest))),
      lost.length > 0 && h("ul", { class: "dots" }, ...lost.map((one) => h("li", {}, one))),
    ),
  );
}

function summary(manifest: Manifest): string {
  switch (manifest.status) {
    case "tampered":
      return t("This recording was changed after it was made. Do not rely on what you see and hear.");
    case "missing":
      return t("A part of this recording is missing. What you see is not everything.");
    default:
      return t("This recording was interrupted, as if the power was cut. What is here is unchanged.");
  }
}

function lostWords(part: Part): string {
  const n = part.part;
  const to = part.ended_us === null ? "" : place(part.ended_us / US_PER_S);
  const from = part.began_us === null ? "" : place(part.began_us / US_PER_S);
  switch (part.status) {
    case "torn":
      return to
        ? t(
            "Part {n} breaks off at {time}. Up to a second before is lost, and what came before the next part.",
            {
              n,
              time: to,
            },
          )
        : t("Part {n} breaks off.", { n });
    case "tampered":
      return from
        ? t("Part {n}, from {time} on, was changed.", { n, time: from })
        : t("Part {n} was changed.", { n });
    default:
      return from
        ? t("Part {n}, from {time} on, is missing.", { n, time: from })
        : t("Part {n} is missing.", { n });
  }
}
