/** The staff's side panel: who waits and may be let in, who is here and how well connected, messages. */

import { bdi, byId, fill, h, icon, say, show } from "../dom.ts";
import { t, tn } from "../i18n.ts";
import { languageName } from "../names.ts";
import { checkLines, connectionOf, roleName } from "../people-words.ts";
import type { ConsultView, PersonView, Verb } from "../protocol.gen.ts";
import { minutesBetween } from "../times.ts";
import { attachChat } from "../visit-chat.ts";
import type { Actions, Visit } from "../visit-context.ts";
import { part } from "../visit-template.ts";
import { Asking } from "./asking.ts";
import { Booth } from "./booth.ts";
import { Desk } from "./desk.ts";
import { facts } from "./facts.ts";
import type { Notes } from "./notes.ts";
import { RecordingDesk } from "./recording-desk.ts";
import { inOrder, isWaiting } from "./seating.ts";
import type { Stage } from "./stage.ts";

const TICK_MS = 20_000;

export class Panel {
  readonly actions: Actions;
  private readonly visit: Visit;
  private readonly root: HTMLElement;
  private readonly desk: Desk;
  private readonly interpreting: Booth | Asking;
  private readonly recording: RecordingDesk | null;
  private readonly tick: number;
  private drawn = "";
  private announced: ReadonlySet<string> = new Set();
  private readonly notes: Notes;

  constructor(visit: Visit, root: HTMLElement, notes: Notes, stage: Stage) {
    this.visit = visit;
    this.notes = notes;
    this.root = root;
    this.desk = new Desk(visit);
    this.recording = visit.boot.role === "physician" ? new RecordingDesk(visit, root, notes) : null;
    const place = part(root, "interpreting");
    this.interpreting =
      visit.boot.role === "interpreter"
        ? new Booth(visit, part(root, "into"), place, stage)
        : new Asking(visit, place);
    this.tick = window.setInterval(() => visit.view && this.draw(visit.view), TICK_MS);
    const chat = byId("panel-chat");
    attachChat(visit, visit.chat, chat, () => !chat.hidden);
    this.actions = {
      ...this.desk.actions,
      ...this.interpreting.actions,
      ...this.recording?.actions,
      "tab-people": () => this.choose("people"),
      "tab-chat": () => this.choose("chat"),
      chat: () => this.choose("chat"),
    };
    root.querySelector("[role=tablist]")?.addEventListener("keydown", (event) => {
      const { key } = event as KeyboardEvent;
      if (key !== "ArrowLeft" && key !== "ArrowRight") return;
      this.choose(byId("panel-chat").hidden ? "chat" : "people");
      this.root.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.focus();
    });
  }

  update(view: ConsultView): void {
    this.desk.update(view);
    this.interpreting.update(view);
    this.recording?.update(view);
    // Times of presence change often; a list under a person's mouse is only drawn anew when it says something else.
    const key = JSON.stringify([view.people, view.can]);
    if (key === this.drawn) return;
    this.drawn = key;
    this.draw(view);
  }

  private choose(tab: "people" | "chat"): void {
    for (const name of ["people", "chat"] as const) {
      const button = byId(`tab-${name}`);
      button.setAttribute("aria-selected", String(name === tab));
      button.tabIndex = name === tab ? 0 : -1;
      show(byId(`panel-${name}`), name === tab);
    }
    if (this.visit.view) this.draw(this.visit.view);
    if (tab === "chat") {
      this.visit.chat.onnews();
      byId("panel-chat").querySelector("input")?.focus();
    }
  }

  private draw(view: ConsultView): void {
    const focus = focusKey(this.root);
    const now = new Date(view.server_time);
    const waiting = view.people.filter((person) => isWaiting(person) || person.further_device_waiting);
    const others = inOrder(view).filter((person) => !isWaiting(person) && person.seat !== "revoked");
    show(part(this.root, "waiting"), waiting.length > 0);
    this.announce(waiting);
    fill(part(this.root, "waiting-list"), ...waiting.map((person) => waitingCard(person, now)));
    fill(part(this.root, "people"), ...others.map((person) => personLine(person, view)));
    say(
      part(this.root, "people-count"),
      String(view.people.filter((person) => person.seat === "present").length),
    );
    const patient = view.people.find((person) => person.role === "patient" && person.birth_year !== null);
    show(part(this.root, "patient-card"), patient !== undefined);
    if (patient) fill(part(this.root, "patient-list"), ...facts(patient, now));
    if (focus) this.root.querySelector<HTMLElement>(focus)?.focus();
  }

  /** Say who came to the waiting room since the last view; the sentence stays while another tab hides the list. */
  private announce(waiting: readonly PersonView[]): void {
    const news = waiting.filter((person) => !this.announced.has(person.id));
    this.announced = new Set(waiting.map((person) => person.id));
    const [first] = news;
    if (first) this.visit.announce(t("{name} is in the waiting room.", { name: first.name }));
    const hidden = byId("panel-people").hidden && waiting.length > 0;
    const words = tn(
      "{n} person is in the waiting room.",
      "{n} people are in the waiting room.",
      waiting.length,
    );
    this.notes.set("waiting", hidden ? { words, icon: "bell", button: ["tab-people", t("Show")] } : null);
  }

  close(): void {
    window.clearInterval(this.tick);
    this.interpreting.close();
    this.recording?.close();
    this.visit.chat.onnews = () => {};
  }
}

/** Where the keyboard is inside a list that is about to be drawn again. */
function focusKey(root: HTMLElement): string | null {
  const at = document.activeElement;
  if (!(at instanceof HTMLElement) || !root.contains(at) || !at.dataset.about) return null;
  return `[data-do="${at.dataset.do}"][data-about="${at.dataset.about}"]`;
}

function command(name: string, person: PersonView, label: string, look = "btn btn-s"): HTMLElement {
  const about = { "data-do": name, "data-about": person.id, "aria-label": `${label}: ${person.name}` };
  return h("button", { type: "button", class: look, ...about }, label);
}

function waitingCard(person: PersonView, now: Date): HTMLElement {
  const since = person.waiting_since;
  const may = (verb: Verb): boolean => person.can.includes(verb);
  const further = person.further_device_waiting;
  const minutes = since === null ? 0 : minutesBetween(new Date(since), now);
  const waited =
    since !== null && h("span", { class: "small num" }, tn("{n} minute", "{n} minutes", minutes));
  return h(
    "li",
    { class: "card waiting-card stack stack-s", "data-waiting": person.id, "data-role": person.role },
    h("p", { class: "row" }, h("b", { class: "grow" }, bdi(person.name)), waited),
    h("p", { class: "small dim" }, roleName(person.role), ", ", languageName(person.language)),
    further && h("p", { class: "tag warn" }, icon("phone"), t("Asks to continue on another device")),
    ...states(person),
    h(
      "p",
      { class: "row" },
      may("admit") && command("admit", person, t("Let in"), "btn btn-act grow"),
      may("decline") && command("decline", person, t("Do not let in"), "btn"),
    ),
  );
}

/** What stands between this person and admission, and what does not work for them. */
function states(person: PersonView): HTMLElement[] {
  const tags: HTMLElement[] = [];
  const tag = (good: boolean, name: string, words: string): void => {
    tags.push(h("span", { class: `tag ${good ? "good" : "warn"}` }, icon(name), words));
  };
  if (person.consented !== null && (person.role === "patient" || person.role === "companion")) {
    if (person.consented) tag(true, "check", t("Agreed to the video visit"));
    else tag(false, "warn", t("Has not agreed yet"));
  }
  for (const { words, icon: sign, tone } of checkLines(person.device_check))
    tag(tone === "good", sign, words);
  if (!person.connected) tag(false, "wifi", t("Not connected now"));
  return tags.length ? [h("p", { class: "row wrap g1" }, ...tags)] : [];
}

function personLine(person: PersonView, view: ConsultView): HTMLElement {
  const mine = person.id === view.me.participant;
  const may = (verb: Verb): boolean => person.can.includes(verb);
  return h(
    "li",
    { "data-line": person.id },
    h(
      "span",
      {},
      h("b", {}, mine ? t("You") : bdi(person.name)),
      " ",
      h("span", { class: "small dim" }, roleName(person.role)),
    ),
    connectionTag(person),
    h(
      "span",
      { class: "row wrap g1 acts-line" },
      may("ask_to_mute") && person.audio_on && command("ask_to_mute", person, t("Ask to mute")),
      may("hold") && command("hold", person, t("Hold")),
      may("resume") && command("resume", person, t("Bring back"), "btn btn-s btn-act"),
      may("rename") && command("rename", person, t("Rename"), "btn btn-s btn-text"),
      may("remove") && command("remove", person, t("Remove"), "btn btn-s btn-text stop"),
    ),
  );
}

function connectionTag(person: PersonView): HTMLElement {
  const here = person.seat === "present" || person.seat === "lost" || person.seat === "on_hold";
  if (!here) return h("span", { class: "small dim" }, SEATS[person.seat]());
  if (person.seat === "on_hold") return h("span", { class: "small" }, SEATS.on_hold());
  const { words, tone } = connectionOf(person);
  return h("span", { class: `small row g1 ${tone}` }, icon("wifi"), words);
}

const SEATS: Readonly<Record<PersonView["seat"], () => string>> = {
  invited: () => t("Not here yet"),
  waiting: () => t("In the waiting room"),
  present: () => t("In the consult"),
  on_hold: () => t("On hold"),
  lost: () => t("Connection lost"),
  left: () => t("Has left"),
  declined: () => t("Was not let in"),
  removed: () => t("Was removed"),
  revoked: () => t("Invitation taken back"),
};
