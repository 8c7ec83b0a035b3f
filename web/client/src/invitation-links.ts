/** Links to hand out, each with the person it is for and a button that copies it. */

import { bdi, fill, h, icon } from "./dom.ts";
import { t } from "./i18n.ts";
import type { InvitationLink } from "./protocol.gen.ts";

/** One entry a link; `labels` says whom each participant is. */
export function invitationList(
  links: readonly InvitationLink[],
  labels: ReadonlyMap<string, string>,
): HTMLElement {
  return h(
    "ul",
    { class: "links-out", role: "list" },
    ...links.map((link) => item(link, labels.get(link.participant) ?? t("Link"))),
  );
}

function item(link: InvitationLink, label: string): HTMLElement {
  const shown = h("input", {
    class: "link",
    readonly: true,
    dir: "ltr",
    value: link.url,
    "aria-label": t("Link for {name}", { name: label }),
  });
  const button = h("button", { type: "button", class: "btn", "data-do": "copy" }, icon("copy"), t("Copy"));
  button.addEventListener("click", () => void copy());
  async function copy(): Promise<void> {
    shown.select();
    try {
      await navigator.clipboard.writeText(link.url);
      fill(button, icon("check"), t("Copied"));
    } catch {
      fill(button, icon("copy"), t("Press Ctrl+C"));
    }
  }
  return h(
    "li",
    {},
    h("b", {}, bdi(label)),
    h("div", { class: "row" }, h("span", { class: "grow" }, shown), button),
  );
}
