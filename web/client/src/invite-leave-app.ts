/** The invitation page inside another application: how to get to a browser where the camera works. */

import { deviceOf } from "./browser.ts";
import { fill, h, icon } from "./dom.ts";
import { t } from "./i18n.ts";
import { screen } from "./invite-screens.ts";

/** The page is open inside another application: how to get to a real browser. */
export function inOtherApp(app: string | null, userAgent: string, anyway: (() => void) | null): Node[] {
  const device = deviceOf(userAgent);
  const browser = device === "ios" ? "Safari" : "Chrome";
  const lead = app
    ? t("You are inside {app}. Here the camera does not work.", { app })
    : t("Here the camera does not work.");
  const first =
    device === "ios"
      ? t("Tap the three dots or the compass sign at the edge of the screen.")
      : t("Tap the three dots at the top.");
  const step = (number: number, words: string): HTMLElement =>
    h("li", {}, h("span", { class: "pt num" }, number), h("b", {}, words));
  return [
    ...screen(
      "compass",
      "warn",
      t("Please open this page in your browser"),
      h("p", {}, lead, " ", t("Open the page in {browser}.", { browser })),
    ),
    h(
      "ol",
      { class: "card line", role: "list" },
      step(1, first),
      step(2, t("Tap “Open in {browser}” or “Open in browser”.", { browser })),
      step(3, t("The visit page opens. Tap “Join the visit”.")),
    ),
    copyLink(browser),
    ...(anyway
      ? [
          h(
            "button",
            { type: "button", class: "btn btn-text btn-wide", "data-do": "anyway", onclick: anyway },
            t("Try it here anyway"),
          ),
        ]
      : []),
  ];
}

function copyLink(browser: string): HTMLElement {
  const done = h(
    "p",
    { class: "dim", role: "status" },
    t("Then open {browser} and paste it at the top.", { browser }),
  );
  const shown = h("input", {
    class: "link",
    readonly: true,
    dir: "ltr",
    value: location.href,
    "aria-label": t("The link of your visit"),
  });
  const copy = async (): Promise<void> => {
    shown.select();
    try {
      await navigator.clipboard.writeText(location.href);
      fill(done, t("The link is copied. Now open {browser} and paste it at the top.", { browser }));
    } catch {
      fill(done, t("Press long on the link above and copy it. Then open {browser}.", { browser }));
    }
  };
  return h(
    "div",
    { class: "stack stack-s" },
    h("p", {}, h("b", {}, t("Or copy the link:"))),
    shown,
    h(
      "button",
      {
        type: "button",
        class: "btn btn-act btn-wide btn-big",
        "data-do": "copy",
        onclick: () => void copy(),
      },
      icon("copy"),
      t("Copy the link"),
    ),
    done,
  );
}
