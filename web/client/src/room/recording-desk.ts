/** Recording, for a physician: asks everybody, sees by name who has answered how, and stops it. */

import { all, first, h, icon, redraw, show } from "../dom.ts";
import { t } from "../i18n.ts";
import { languageName } from "../names.ts";
import type { ConsultView, RecordingView, What } from "../protocol.gen.ts";
import type { Actions, Visit } from "../visit-context.ts";
import { closeDialog, dialog, openDialog } from "../visit-dialogs.ts";
import { part } from "../visit-template.ts";
import type { Notes } from "./notes.ts";
import { answerTags, fillText, shownText } from "./recording.ts";
import { stateWords, withoutText } from "./recording-words.ts";

export class RecordingDesk {
  private readonly visit: Visit;
  private readonly root: HTMLElement;
  private readonly notes: Notes;
  private what: What = "video";
  private drawn = "";

  constructor(visit: Visit, root: HTMLElement, notes: Notes) {
    this.visit = visit;
    this.root = root;
    this.notes = notes;
  }

  readonly actions: Actions = {
    ask_recording: () => this.openQuestion(),
    ask_recording_yes: () => this.ask(this.what),
    record_what: (button) => this.choose(button.value as What),
    stop_recording: async () => {
      await this.visit.send({ type: "stop_recording" });
    },
  };

  /** After a fault the same question lets it go on: everybody has answered it already. */
  private openQuestion(): void | Promise<void> {
    const recording = this.visit.view?.recording;
    if (recording?.state === "paused" && recording.why === "failed") return this.ask(recording.what);
    openDialog("record");
    this.choose(this.what);
  }

  private choose(what: What): void {
    this.what = what;
    const box = dialog("record");
    const text = this.visit.boot.recording_texts[what] ?? null;
    for (const button of all<HTMLButtonElement>("[data-do=record_what]", box))
      button.setAttribute("aria-pressed", String(button.value === what));
    fillText(part(box, "text"), text?.paragraphs ?? []);
    show(part(box, "no-text"), text === null);
    first<HTMLButtonElement>("[data-do=ask_recording_yes]", box).disabled = text === null;
    this.drawWithout(box);
  }

  /** Told before the question: it could only be answered with a no. */
  private drawWithout(box: HTMLElement): void {
    const { view, boot } = this.visit;
    const people = view ? withoutText(view, boot.recording_languages[this.what] ?? []) : [];
    const lines = people.map((person) => h("p", { class: "note note-warn" }, icon("warn"), lacks(person)));
    redraw(part(box, "without"), ...lines);
  }

  private async ask(what: What): Promise<void> {
    const text = this.visit.boot.recording_texts[what];
    if (!text) return;
    await this.visit.send({ type: "ask_recording", what, ...shownText(text) });
    closeDialog("record");
  }

  update(view: ConsultView): void {
    const { recording } = view;
    const open = recording !== null && recording.state !== "stopped" ? recording : null;
    this.drawStop(open);
    this.drawFault(view, open);
    const place = part(this.root, "recording-panel");
    show(place, open !== null);
    const key = JSON.stringify([open, view.people.map(({ id, name, seat }) => [id, name, seat]), view.can]);
    if (!open || key === this.drawn) return;
    this.drawn = key;
    redraw(place, ...this.parts(view, open));
  }

  private parts(view: ConsultView, recording: RecordingView): HTMLElement[] {
    const without = withoutText(view, this.visit.boot.recording_languages[recording.what] ?? []);
    const stop = { type: "button", class: "btn btn-s", "data-do": "stop_recording", "data-key": "stop" };
    const line = h("p", { class: "small", "data-part": "recording-state" }, stateWords(view));
    const list = h("ul", { class: "row wrap g1" }, ...answerTags(view, recording));
    const lacking = without.map((person) => h("p", { class: "small warn" }, lacks(person)));
    const button = h("button", stop, stopWords(recording));
    show(button, view.can.includes("stop_recording"));
    return [h("h2", {}, t("Recording")), line, list, ...lacking, button];
  }

  /** In the dock too, where it is whatever the panel shows. */
  private drawStop(recording: RecordingView | null): void {
    if (!recording) return;
    const label = first(".dock [data-do=stop_recording] [data-label]", this.root);
    if (label.textContent !== stopWords(recording)) label.textContent = stopWords(recording);
  }

  private drawFault(view: ConsultView, recording: RecordingView | null): void {
    const failed = recording?.state === "paused" && recording.why === "failed";
    const words = t("The recording has stopped: the clinic's storage does not take it. The visit goes on.");
    const button = view.can.includes("ask_recording") && (["ask_recording", t("Try again")] as const);
    const note = { words, icon: "warn", tone: "warn", urgent: true, ...(button && { button }) } as const;
    this.notes.set("recording-failed", failed ? note : null);
  }

  close(): void {
    this.notes.set("recording-failed", null);
  }
}

function stopWords(recording: RecordingView): string {
  return recording.state === "asked" ? t("Take the question back") : t("Stop recording");
}

function lacks({ name, language }: { name: string; language: string }): HTMLElement {
  const words = t("{name} cannot agree: nobody has reviewed a text in {language}.", {
    name,
    language: languageName(language),
  });
  return h("span", { class: "grow" }, words);
}
