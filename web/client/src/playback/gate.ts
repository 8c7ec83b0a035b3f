/** Before a recording is shown: what it is needed for, and waiting until it is prepared. */

import { post } from "../api.ts";
import { choices, chosenIn, field } from "../dialog.ts";
import { fill, h, icon, say, show } from "../dom.ts";
import { t, tn } from "../i18n.ts";
import { alertPlace, doing, progress, Wanted } from "./ask.ts";
import { address, type OpenAnswer, type Purpose, type Ready, type Row } from "./shapes.ts";
import { failedWords, purposes } from "./words.ts";

const AGAIN_MS = 1000;
const REASON_LENGTH_MIN = 10;
const REASON_LENGTH_MAX = 500;

/** What a recording was opened with; the same again gives new addresses for its media. */
export interface Opening {
  readonly purpose: Purpose;
  readonly reason: string;
  readonly break_glass: boolean;
}

/** Choose a purpose: treatment beforehand, as nearly everybody opens it for that. */
export function purposeChoice(): { readonly element: HTMLElement; readonly chosen: () => Purpose } {
  const element = choices("purpose", t("What do you need it for?"), purposes(), "treatment");
  return { element, chosen: () => (chosenIn(element) ?? "treatment") as Purpose };
}

export function reasonField(label: string): HTMLElement {
  const input = h("textarea", { id: "reason", name: "reason", rows: 3, maxlength: REASON_LENGTH_MAX });
  return field(label, input);
}

/** What was written as a reason; throws Wanted when it says too little. */
export function reasonIn(place: HTMLElement): string {
  const input = place.querySelector("textarea");
  const written = input?.value.trim() ?? "";
  const short = written.length < REASON_LENGTH_MIN;
  input?.setAttribute("aria-invalid", String(short));
  if (!short) return written;
  input?.focus();
  const n = REASON_LENGTH_MIN;
  throw new Wanted(
    tn("Please write why, in {n} character or more.", "Please write why, in {n} characters or more.", n),
  );
}

/** Show the question in `place`; `onOpen` gets what was opened, and with which words. */
export function showGate(
  place: HTMLElement,
  row: Row,
  onOpen: (ready: Ready, opening: Opening) => void,
): void {
  const breaks = !row.may.play && row.may.break_glass === true;
  const problems = alertPlace();
  const purpose = purposeChoice();
  const reason = breaks ? reasonField(t("Why is it needed?")) : null;
  const open = { words: breaks ? t("Open all the same") : t("Open"), style: breaks ? "btn-red" : "btn-act" };
  const button = doing({ ...open, action: "open" }, problems, async () => {
    const opening = {
      purpose: purpose.chosen(),
      reason: reason ? reasonIn(reason) : "",
      break_glass: breaks,
    };
    onOpen(await prepared(row.recording_id, opening, form), opening);
  });
  const warning = h(
    "p",
    { class: "note note-stop" },
    icon("warn"),
    h(
      "span",
      {},
      t(
        "You do not take part in this consult. Open it only in an emergency: it is logged, and the coordinators see it at once.",
      ),
    ),
  );
  const form = h(
    "form",
    { class: "stack", novalidate: true },
    breaks && warning,
    purpose.element,
    reason,
    h("p", { class: "dim small" }, t("Every opening is logged with your name and the purpose.")),
    problems,
    button,
  );
  fill(place, form);
}

/** Ask the server until the recording is ready, with a measured progress in place of the question. */
async function prepared(id: string, opening: Opening, form: HTMLElement): Promise<Ready> {
  const bar = progress(t("The recording is being prepared"));
  const said = h("p", { role: "status" });
  const waiting = h("div", { class: "stack", hidden: true }, said, bar.element);
  form.after(waiting);
  try {
    for (;;) {
      const answer = await post<OpenAnswer>(address(id, "open"), opening);
      if (answer.state === "ready") return answer;
      if (answer.state === "failed") throw new Wanted(failedWords(answer.code));
      show(form, false);
      show(waiting, true);
      say(said, t("The recording is being prepared"));
      bar.set(answer.done);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  } finally {
    waiting.remove();
    show(form, true);
  }
}
