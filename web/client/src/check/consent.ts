/** The consent to a video visit: the reviewed text in the page's language, and two equal buttons. */

import { fill, first, h, show } from "../dom.ts";
import type { Visit } from "../visit-context.ts";
import { fillPhone } from "../visit-safety.ts";
import { clone, part } from "../visit-template.ts";
import type { StepFrame, StepScreen } from "./step.ts";

export function openConsent(visit: Visit, frame: StepFrame, page: string): StepScreen {
  const { root } = frame;
  const text = visit.boot.consent;
  root.append(clone("check-consent"));
  part(root, "step").textContent = frame.progress;
  fillPhone(root, visit.boot.clinic.phone);
  const lines = text?.paragraphs.map((paragraph) => h("p", {}, paragraph)) ?? [];
  const place = part(root, "text");
  place.lang = text?.language ?? page;
  fill(place, text && h("h2", {}, text.title), ...lines);
  // Without a reviewed text in this language nobody is asked to agree to one they cannot read.
  if (!text) show(first("[data-do=consent_yes]", root), false);
  return {
    actions: {
      consent_yes: async () => {
        if (!text) return;
        await visit.send({
          type: "give_consent",
          text_id: text.id,
          text_hash: text.hash,
          language: text.language,
        });
        frame.done();
      },
      consent_no: () => {
        show(part(root, "refused"), true);
        part(root, "refused").scrollIntoView({ block: "nearest" });
      },
    },
  };
}
