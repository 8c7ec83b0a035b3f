/** Written messages on the page: the list and the line to write in, as a sheet or in the staff's panel. */

import type { ChatLog } from "./chat-log.ts";
import { bdi, fill, h, show } from "./dom.ts";
import { t } from "./i18n.ts";
import type { ChatMessage } from "./protocol.gen.ts";
import { clock, deviceZone } from "./times.ts";
import { personOf, type Visit } from "./visit-context.ts";
import { openDialog } from "./visit-dialogs.ts";
import { clone, part } from "./visit-template.ts";
import { refusalWords } from "./visit-words.ts";

/** The patient's messages, as a sheet over whatever is shown. */
export function openChat(visit: Visit, log: ChatLog): void {
  const box = openDialog("chat");
  const place = part(box, "chat");
  if (!place.childElementCount) attachChat(visit, log, place, () => box.open);
  log.read();
  log.onnews();
  place.querySelector("input")?.focus();
}

/** Put the log and the form into a place; `visible` says whether somebody reads it now. */
export function attachChat(visit: Visit, log: ChatLog, place: HTMLElement, visible: () => boolean): void {
  place.append(clone("chat"));
  const lines = part(place, "log");
  const error = part(place, "error");
  const form = place.querySelector("form");
  const draw = (): void => {
    fill(lines, ...(log.messages.length ? log.messages.map((one) => line(visit, one)) : [empty()]));
    lines.scrollTop = lines.scrollHeight;
    if (visible()) log.read();
  };
  log.onnews = draw;
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const input = form.querySelector("input");
    const text = input?.value.trim() ?? "";
    if (!input || !text) return;
    show(error, false);
    visit.send({ type: "send_message", text }).then(
      () => {
        if (input.value.trim() === text) input.value = "";
      },
      (reason: unknown) => {
        error.textContent = refusalWords(reason);
        show(error, true);
      },
    );
  });
  draw();
}

function empty(): HTMLElement {
  return h("p", { class: "dim" }, t("No messages yet. Everyone in the visit can read what you write."));
}

function line(visit: Visit, message: ChatMessage): HTMLElement {
  const mine = message.participant === visit.boot.participant_id;
  const author = visit.view && personOf(visit.view, message.participant);
  const name = mine ? t("You") : (author?.name ?? t("Somebody who left"));
  const time = clock(new Date(message.at), deviceZone().id);
  return h(
    "p",
    { class: mine ? "own" : "" },
    h("span", { class: "small dim" }, h("b", {}, bdi(name)), " ", h("span", { class: "num" }, time)),
    h("br"),
    h("span", { dir: "auto", class: "said" }, message.text || t("This message was erased.")),
  );
}
