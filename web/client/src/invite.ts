/** The invitation page: shows what the link is for and takes the seat only when the person presses the button.
 *
 * The secret is in the address behind #, which browsers never send; looking at the invitation changes nothing.
 */

import { Failure, post } from "./api.ts";
import { boot } from "./boot.ts";
import { hasCameraInterface, surroundingApp } from "./browser.ts";
import { all, byId, fill } from "./dom.ts";
import { language, t } from "./i18n.ts";
import { inOtherApp } from "./invite-leave-app.ts";
import { failed, lostLink, over, unreachable, visit } from "./invite-screens.ts";
import { type Clinic, countDown, type Preview } from "./invite-times.ts";

interface InvitationBoot {
  readonly clinic: Clinic;
  /** The person chose this language, so the invited one does not replace it. */
  readonly language_chosen: boolean;
}

const SECRET = /^[A-Za-z0-9_-]{16,256}$/;
/** Nobody's link, and one that lost a part on its way. */
const LOST: ReadonlySet<string> = new Set(["unknown_invitation", "bad_request"]);
const REFRESH_MS = 30_000;

const main = byId("main");
const state = byId("state");
const { clinic, language_chosen: languageChosen } = boot<InvitationBoot>();
const secret = location.hash.slice(1);
let insists = false;
let refresh: ReturnType<typeof setTimeout> | undefined;

function present(name: string, nodes: readonly Node[]): void {
  main.dataset.screen = name;
  fill(state, ...nodes);
}

/** Keep the secret when the language changes; a link alone would lose what is behind #. */
function keepSecretInLinks(): void {
  for (const link of all<HTMLAnchorElement>("a[data-language]")) link.hash = secret;
}

function changeLanguage(tag: string): boolean {
  const offered = all(`a[data-language="${CSS.escape(tag)}"]`).length > 0;
  if (languageChosen || new URLSearchParams(location.search).has("lang")) return false;
  if (!offered || tag === language()) return false;
  location.replace(`?lang=${tag}#${secret}`);
  return true;
}

async function look(): Promise<void> {
  clearTimeout(refresh);
  if (!SECRET.test(secret)) {
    present("lost", lostLink(clinic));
    return;
  }
  const app = surroundingApp(navigator.userAgent);
  if (!hasCameraInterface() || (app !== null && !insists)) {
    const anyway = hasCameraInterface() ? insist : null;
    present("in-app", inOtherApp(app, navigator.userAgent, anyway));
    return;
  }
  try {
    show(await post<Preview>("/api/invitation/preview", { secret, language: language() }));
  } catch (error) {
    const code = error instanceof Failure ? error.code : "internal";
    if (LOST.has(code)) present("lost", lostLink(clinic));
    else
      present(
        "unreachable",
        unreachable(clinic, code, () => void look()),
      );
  }
}

function insist(): void {
  insists = true;
  void look();
}

function show(preview: Preview): void {
  // An interpreter speaks both languages, so the browser's is as good as the one interpreted.
  if (preview.language && preview.role !== "interpreter" && changeLanguage(preview.language)) return;
  if (preview.state === "unknown") {
    present("lost", lostLink(clinic));
  } else if (preview.state === "open" || preview.state === "too_early") {
    present(preview.state, visit(preview, clinic, join));
    keepCurrent(preview);
  } else {
    present(preview.state, over(preview, clinic));
  }
}

/** Keep the time until the visit right, and look again once the waiting room opens. */
function keepCurrent(preview: Preview): void {
  refresh = setTimeout(() => {
    const opened = preview.state === "too_early" && Date.now() >= Date.parse(preview.opens_at);
    if (opened) {
      void look();
    } else {
      countDown(state);
      keepCurrent(preview);
    }
  }, REFRESH_MS);
}

async function join(button: HTMLButtonElement, problem: HTMLElement): Promise<void> {
  button.disabled = true;
  fill(problem);
  try {
    const body = { secret, language: language(), has_camera_interface: true };
    const { url } = await post<{ url: string }>("/api/invitation/exchange", body);
    location.assign(url);
  } catch (error) {
    button.disabled = false;
    const code = error instanceof Failure ? error.code : "internal";
    if (["ended", "cancelled", "revoked", "unknown_invitation"].includes(code)) await look();
    else fill(problem, ...failed(code, error instanceof Failure ? error.supportId : null));
  }
}

const title = t("Your video visit");
document.title = `${title} · Meridian`;
keepSecretInLinks();
addEventListener("hashchange", () => location.reload());
// Back from the visit: the button works again and the state may have changed.
addEventListener("pageshow", (event) => event.persisted && void look());
void look();
