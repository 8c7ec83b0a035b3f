/** The demonstration's link: trades the one-time secret in the address for a sign-in. */

import { Failure, post } from "./api.ts";
import { byId, say } from "./dom.ts";
import { t } from "./i18n.ts";

async function enter(): Promise<void> {
  const secret = location.hash.slice(1);
  try {
    const { url } = await post<{ url: string }>("/api/demo/enter", { secret });
    location.replace(url);
  } catch (error) {
    const code = error instanceof Failure ? error.code : "internal";
    say(byId("state"), words(code));
  }
}

function words(code: string): string {
  switch (code) {
    case "used":
    case "not_found":
    case "bad_request":
      return t("This link was used already. Start the demonstration again to get a new one.");
    case "too_many":
      return t("Please wait one minute. Then try again.");
    default:
      return t("The demonstration did not open. Load the page again.");
  }
}

void enter();
