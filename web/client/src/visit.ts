/** The seat page's first script: small, so that a phone shows the first screen; everything else comes behind it. */

import { boot } from "./boot.ts";
import { byId, fill, h, show } from "./dom.ts";
import { t } from "./i18n.ts";
import type { VisitBoot } from "./visit-context.ts";

const SLOW_AFTER_MS = 6_000;

const slow = setTimeout(() => {
  const hint = document.getElementById("slow");
  if (hint) show(hint, true);
}, SLOW_AFTER_MS);

async function start(): Promise<void> {
  try {
    // Named together, so that they travel together: each would else be asked for only when the one before arrived.
    const [{ openSeat }] = await Promise.all([
      import("./visit-seat.ts"),
      import("./socket.ts"),
      import("./media/media.ts"),
    ]);
    openSeat(boot<VisitBoot>(), () => clearTimeout(slow));
  } catch (error) {
    clearTimeout(slow);
    console.error(error);
    const reload = h(
      "button",
      { type: "button", class: "btn btn-act btn-wide btn-big" },
      t("Load the page again"),
    );
    reload.addEventListener("click", () => location.reload());
    fill(byId("screen"), h("h1", {}, t("The page could not load completely")), reload);
  }
}

void start();
