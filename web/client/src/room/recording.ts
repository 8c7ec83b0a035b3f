/** Recording, for everybody in the room: asked in one's own language, told at any time, stopped with one tap. */

import { all, bdi, first, h, icon, redraw, say, show } from "../dom.ts";
import { language, t } from "../i18n.ts";
import type { ConsultView, RecordingView, What } from "../protocol.gen.ts";
import { type Actions, type ConsentText, personOf, type Visit } from "../visit-context.ts";
import { part } from "../visit-template.ts";
import type { Notes } from "./notes.ts";
import { canSpeak, hush, isSpeaking, sayAloud, speak, wakeVoices } from "./recording-voice.ts";
import { answerWords, heading, newsWords, reads, type Seen, seenOf, stateWords } from "./recording-words.ts";

/** Without a word from the server for so long, nobody can say whether it is still so. */
const UNKNOWN_AFTER_MS = 3_000;
const LOOK_EVERY_MS = 1_000;
/** A tap that was meant for what was there before the question came is no answer. */
const DEAF_MS = 600;
const UNDO_SHOWN_MS = 10_000;

export class RecordingSigns {
  private readonly visit: Visit;
  private readonly root: HTMLElement;
  private readonly notes: Notes;
  private readonly sheet: HTMLDialogElement;
  private readonly timer: number;
  private seen: Seen | null = null;
  /** The question that opened by itself; closed, it stays closed until it is asked for. */
  private offered: string | null = null;
  /** What the open sheet is about: it closes when that is answered. */
  private about = "";
  private drawn = "";
  private away: number | null = null;
  private undo: number | undefined;
  private deaf: number | undefined;

  constructor(visit: Visit, root: HTMLElement, notes: Notes) {
    this.visit = visit;
    this.root = root;
    this.notes = notes;
    this.sheet = part<HTMLDialogElement>(root, "question");
    this.sheet.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.shut();
    });
    this.timer = window.setInterval(() => this.drawMark(), LOOK_EVERY_MS);
    wakeVoices();
  }

  readonly actions: Actions = {
    recording_open: () => this.open(),
    recording_later: () => this.shut(),
    agree_to_recording: () => this.agree(),
    agree_again: () => this.agree(),
    refuse_recording: () => this.refuse(),
    read_aloud: () => this.readAloud(),
  };

  private get recording(): RecordingView | null {
    return this.visit.view?.recording ?? null;
  }

  private text(what: What): ConsentText | null {
    return this.visit.boot.recording_texts[what] ?? null;
  }

  update(view: ConsultView): void {
    this.drawMark();
    this.sayNews(view);
    this.follow(view);
    this.drawAnswer(view);
  }

  // --- the question ------------------------------------------------------------------------------------------

  /** The question opens by itself once, beside the picture and without taking the keyboard away. */
  private follow(view: ConsultView): void {
    const asked = isAsked(view) ? view.recording : null;
    if (this.sheet.open && this.about !== aboutOf(view)) this.shut();
    if (asked && this.offered !== asked.id) this.open();
    else if (this.sheet.open) this.draw(view);
    const words = t("You are asked whether this visit may be recorded.");
    const button = ["recording_open", t("Read and answer")] as const;
    this.notes.set("recording-asked", asked && !this.sheet.open ? { words, icon: "rec", button } : null);
  }

  private open(): void {
    const { view } = this.visit;
    if (!view?.recording) return;
    this.offered = view.recording.id;
    this.about = aboutOf(view);
    this.drawn = "";
    this.draw(view);
    // show() would put the keyboard on an answer: Enter while writing a message would then be one.
    this.sheet.open = true;
    this.root.classList.add("asks");
    this.answerable(false);
    this.deaf = window.setTimeout(() => this.answerable(true), DEAF_MS);
    this.notes.set("recording-asked", null);
    this.visit.announce(first("h2", this.sheet).textContent ?? "");
  }

  private answerable(yes: boolean): void {
    window.clearTimeout(this.deaf);
    for (const button of all<HTMLButtonElement>(".two button", this.sheet)) button.disabled = !yes;
  }

  private draw(view: ConsultView): void {
    const { recording } = view;
    if (!recording) return;
    const text = this.text(recording.what);
    const speaks = text !== null && canSpeak(text.language);
    const key = JSON.stringify([
      recording.what,
      recording.answers,
      view.people.map(({ name }) => name),
      speaks,
    ]);
    if (key === this.drawn) return; // What is being read is not drawn anew.
    this.drawn = key;
    say(first("h2", this.sheet), text?.title ?? heading(recording.what));
    // The last point, that a no costs nothing, is in sight however far one has read.
    fillText(part(this.sheet, "text"), text?.paragraphs.slice(0, -1) ?? []);
    say(part(this.sheet, "free"), text?.paragraphs[text.paragraphs.length - 1] ?? "");
    show(part(this.sheet, "no-text"), text === null);
    show(part(this.sheet, "languages"), text === null && this.otherPage(view));
    show(first("[data-do=agree_to_recording]", this.sheet), text !== null);
    show(first("[data-do=read_aloud]", this.sheet), speaks);
    redraw(part(this.sheet, "answers"), ...answerTags(view, recording));
  }

  /** Whether this page is there in the person's own language, in which alone they can agree. */
  private otherPage(view: ConsultView): boolean {
    const spoken = personOf(view, view.me.participant)?.language ?? "";
    const links = all<HTMLAnchorElement>("[data-language]", this.sheet);
    return !reads(spoken, language()) && links.some(({ dataset }) => reads(spoken, dataset.language ?? ""));
  }

  private shut(): void {
    if (!this.sheet.open) return;
    hush();
    const inside = this.sheet.contains(document.activeElement);
    this.sheet.open = false;
    this.root.classList.remove("asks");
    if (this.visit.view) this.follow(this.visit.view);
    const line = this.root.querySelector<HTMLElement>("[data-matter=recording-asked] button");
    if (inside) (line ?? first("h1", this.root)).focus();
  }

  private async agree(): Promise<void> {
    const { recording } = this;
    const text = recording && this.text(recording.what);
    if (!recording || !text) return;
    const { no, what } = recording;
    await this.visit.send({ type: "agree_to_recording", no, what, ...shownText(text) });
    this.sayUndo(null);
    this.shut();
  }

  /** Never asks whether one is sure: stopping is one tap, and so is taking that back. */
  private async refuse(): Promise<void> {
    const revoked = this.recording?.mine === "agreed";
    await this.visit.send({ type: "refuse_recording" });
    this.shut();
    const words = revoked
      ? t("You are not recorded any more.")
      : t("You said no. The visit goes on as before.");
    this.sayUndo(words, revoked);
  }

  private sayUndo(words: string | null, undoable = false): void {
    window.clearTimeout(this.undo);
    const button = undoable && (["agree_again", t("Undo")] as const);
    this.notes.set("recording-undo", null);
    if (!words) return;
    this.notes.set("recording-undo", { words, icon: "check", ...(button && { button }) });
    this.undo = window.setTimeout(() => this.notes.set("recording-undo", null), UNDO_SHOWN_MS);
  }

  private readAloud(): void {
    const text = this.recording && this.text(this.recording.what);
    if (isSpeaking()) hush();
    else if (text) speak([text.title, ...text.paragraphs].join(" "), text.language);
  }

  // --- the state ---------------------------------------------------------------------------------------------

  private drawMark(): void {
    const { view, channel } = this.visit;
    if (!view) return;
    this.away = channel === "connected" ? null : (this.away ?? performance.now());
    const unknown = this.away !== null && performance.now() - this.away > UNKNOWN_AFTER_MS;
    const mark = part(this.root, "recording");
    const state = unknown ? "unknown" : (view.recording?.state ?? "none");
    mark.dataset.state = state;
    mark.classList.toggle("tag-rec", state === "on");
    mark.classList.toggle("warn", state === "paused" || state === "unknown");
    say(part(mark, "recording-words"), unknown ? t("Recording: not known") : stateWords(view));
  }

  /** One's own answer, beside the mark: to stop it, or to change a no. */
  private drawAnswer(view: ConsultView): void {
    const { recording, can } = view;
    // Whoever can end it for everybody has that button.
    const mine = can.includes("stop_recording") ? null : (recording?.mine ?? null);
    const stop = part(this.root, "recording-stop");
    say(stop, recording?.state === "asked" ? t("Do not record me") : t("Stop recording me"));
    show(stop, mine === "agreed" && can.includes("refuse_recording"));
    const changed = mine !== null && mine !== "agreed" && can.includes("agree_to_recording");
    show(
      part(this.root, "recording-change"),
      changed && recording !== null && this.text(recording.what) !== null,
    );
    if (!recording || recording.state === "stopped") this.sayUndo(null);
  }

  /** Said aloud and to screen readers, in the person's own language, whenever it is otherwise than before. */
  private sayNews(view: ConsultView): void {
    const words = newsWords(this.seen, view.recording);
    this.seen = seenOf(view.recording);
    if (!words) return;
    const paused = view.recording?.state === "paused";
    this.visit.announce(paused ? stateWords(view) : words);
    sayAloud(words, language(), this.visit.media.devices.choice.speaker);
  }

  connection(): void {
    this.drawMark();
  }

  close(): void {
    window.clearInterval(this.timer);
    window.clearTimeout(this.undo);
    window.clearTimeout(this.deaf);
    this.root.classList.remove("asks");
    hush();
  }
}

function isAsked({ recording, can }: ConsultView): boolean {
  const open = recording !== null && recording.state !== "stopped";
  return open && recording.mine === null && can.includes("refuse_recording");
}

function aboutOf({ recording }: ConsultView): string {
  return recording && recording.state !== "stopped" ? `${recording.id} ${recording.mine}` : "";
}

/** Which words exactly are agreed to. */
export function shownText(text: ConsentText): { text_id: string; text_hash: string; language: string } {
  return { text_id: text.id, text_hash: text.hash, language: text.language };
}

/** The points of a text. */
export function fillText(place: HTMLElement, points: readonly string[]): void {
  redraw(place, ...points.map((line) => h("li", {}, line)));
}

/** Who is in the room and how they have answered. */
export function answerTags(view: ConsultView, recording: RecordingView): HTMLElement[] {
  return recording.answers.map(({ participant, answer }) => {
    const mine = participant === view.me.participant;
    const person = personOf(view, participant);
    const [look, picture] = answer === "agreed" ? ["good", "check"] : answer ? ["warn", "x"] : ["", "clock"];
    const about = { "data-answer": answer ?? "none", "data-role": person?.role ?? "" };
    const words = bdi(answerWords(person?.name ?? "", mine, answer));
    return h("li", { class: `tag ${look}`, ...about }, icon(picture), words);
  });
}
