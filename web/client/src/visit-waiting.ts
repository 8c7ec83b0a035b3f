/** The waiting room: who one waits for, what comes next, and that the place is kept. */

import { fill, first, h, icon, say, show } from "./dom.ts";
import { t, tn } from "./i18n.ts";
import { initials } from "./names.ts";
import type { ConsultView, NoticeView } from "./protocol.gen.ts";
import { searchWords } from "./room/interpreting-words.ts";
import { minutesBetween } from "./times.ts";
import { isPatient, type OpenScreen, type Visit } from "./visit-context.ts";
import { keep, kept } from "./visit-kept.ts";
import { fillRecorded } from "./visit-recorded.ts";
import { emergencyNumber, fillEmergency } from "./visit-safety.ts";
import { clone, maybe, part } from "./visit-template.ts";
import { plannedWords } from "./visit-times.ts";
import { pathWords, troubleWords } from "./visit-words.ts";

const TICK_MS = 20_000;

export const openWaiting: OpenScreen = (visit, root) => {
  root.append(clone("screen-waiting"));
  // By this device's own clock at both ends, so that a wrong clock does not show a wrong wait.
  const since = kept(`waiting.${visit.boot.consult_id}`, Date.now());
  keep(`waiting.${visit.boot.consult_id}`, since);
  const tick = window.setInterval(() => visit.view && waited(root, since), TICK_MS);
  void openDevices(visit, root);
  return {
    actions: {},
    update(view) {
      fillEmergency(root, emergencyNumber(visit, view));
      fillPhysician(visit, root, view);
      fillRecorded(root, view);
      fillSteps(visit, root, view);
      waited(root, since);
    },
    connection() {
      const words = troubleWords(visit);
      show(part(root, "media"), words !== "");
      say(part(root, "media-words"), words);
      say(part(root, "path"), words ? "" : pathWords(visit.media.path));
    },
    close() {
      window.clearInterval(tick);
      first<HTMLVideoElement>("video", part(root, "self")).srcObject = null;
    },
  };
};

/** Open the devices again after a reload, and show the person their own picture. */
async function openDevices(visit: Visit, root: HTMLElement): Promise<void> {
  const { devices } = visit.media;
  if (devices.supported) await devices.open({ audio: true, video: devices.cameraWanted });
  const self = part(root, "self");
  const video = self.querySelector("video");
  if (!video || !devices.camera || !self.isConnected) return;
  video.srcObject = new MediaStream([devices.camera]);
  video.classList.toggle("mirror", devices.facing === "user");
  await video.play().catch(() => {}); // The picture is a courtesy; a browser that will not play it shows none.
  show(self, !video.paused);
}

function fillPhysician(visit: Visit, root: HTMLElement, view: ConsultView): void {
  const name = view.physician_name ?? visit.boot.clinic.name;
  say(part(root, "initials"), initials(name));
  say(part(root, "physician"), name);
  say(part(root, "waiting-for"), waitingFor(view));
  const notice = view.notices[view.notices.length - 1];
  say(part(root, "notice"), notice ? noticeWords(notice) : "");
  show(part(root, "notice"), notice !== undefined);
  const search = view.search ? searchWords(view, view.search) : "";
  say(part(root, "search"), search);
  show(part(root, "search"), search !== "");
}

function waitingFor(view: ConsultView): string {
  if (view.me.asks_for_seat) return t("The clinic confirms that you continue on this device.");
  if (view.waiting_for === "physician") return t("The doctor is not here yet.");
  return t("The doctor knows that you are here and lets you in.");
}

function noticeWords(notice: NoticeView): string {
  if (notice.kind === "soon") return t("The doctor comes soon.");
  return tn(
    "The doctor is a little late: about {n} more minute.",
    "The doctor is a little late: about {n} more minutes.",
    notice.minutes,
  );
}

interface Step {
  readonly state: "done" | "now" | "next";
  readonly words: string;
  readonly more?: string;
}

function fillSteps(visit: Visit, root: HTMLElement, view: ConsultView): void {
  const patient = isPatient(visit.boot.role);
  const here = view.waiting_for === "admission";
  const steps: Step[] = [
    { state: "done", words: patient ? t("Your device is ready") : t("You are ready") },
    {
      state: here ? "done" : "now",
      words: here ? t("The doctor is here") : t("The doctor comes"),
      more: here ? "" : plannedWords(new Date(view.starts_at), visit.boot.clinic.zone),
    },
    { state: here ? "now" : "next", words: t("The doctor lets you in") },
    {
      state: "next",
      words:
        view.interpreter_booked && patient
          ? t("You talk with the doctor and the interpreter")
          : t("The visit begins"),
    },
  ];
  fill(part(root, "steps"), ...steps.map(stepLine));
}

function stepLine({ state, words, more }: Step): HTMLElement {
  return h(
    "li",
    { class: state === "next" ? "" : state, "aria-current": state === "now" ? "step" : null },
    h("span", { class: "pt" }, state === "done" && icon("check")),
    state === "done" && h("span", { class: "sr" }, t("Done:"), " "),
    state === "now" ? h("b", {}, words) : words,
    more && h("br"),
    more && h("span", { class: "dim" }, more),
  );
}

function waited(root: HTMLElement, since: number): void {
  const minutes = minutesBetween(new Date(since), new Date());
  const words = minutes > 1 ? tn("You have waited {n} minute.", "You have waited {n} minutes.", minutes) : "";
  const place = maybe(root, "waited");
  if (place) say(place, words);
}
